/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a Redis store keeps, gives out and forgets, and how it lies on the server: doc/redis-store-format.md. */

#include <string.h>

#include "stores.h"
#include "ticket/gtls-session-error.h"
#include "tickets.h"

#define SEALED (&(StoreOptions){ .key = 1 })

static RedisServer *server;
static TicketMaker *single;
static TicketMaker *reusable;

static Store *
fresh (const StoreOptions *options)
{
  g_autofree char *answer = redis_server_ask (server, "FLUSHALL", NULL);

  g_assert_cmpstr (answer, ==, "OK");
  return make_store_on (server, options);
}

static void
assert_server_says (const char *expected, const char *command, const char *argument)
{
  g_autofree char *answer = redis_server_ask (server, command, argument, NULL);

  g_assert_cmpstr (answer, ==, expected);
}

static char **
list_keys (const char *pattern)
{
  g_autofree char *answer = redis_server_ask (server, "KEYS", pattern, NULL);

  return *answer != '\0' ? g_strsplit (answer, "\n", -1) : g_new0 (char *, 1);
}

static char *
find_key (const char *pattern)
{
  g_auto (GStrv) keys = list_keys (pattern);

  g_assert_cmpuint (g_strv_length (keys), ==, 1);
  return g_strdup (keys[0]);
}

/* Tickets */

static void
gives_a_single_use_ticket_once (void)
{
  g_autoptr (Store) store = fresh (SEALED);
  g_autoptr (Store) other = make_store_on (server, SEALED);
  g_autoptr (Ticket) ticket = ticket_maker_make (single);

  put (store, "peer", ticket);
  assert_takes (other, "peer", ticket);
  assert_has_none (store, "peer");
  assert_has_none (other, "peer");
  assert_server_says ("0", "DBSIZE", NULL);
}

static void
gives_a_reusable_ticket_again (void)
{
  g_autoptr (Store) store = fresh (SEALED);
  g_autoptr (Store) other = make_store_on (server, SEALED);
  g_autoptr (Ticket) old = ticket_maker_make (reusable);
  g_autoptr (Ticket) new = ticket_maker_make (reusable);

  g_assert_false (g_tls_session_ticket_get_single_use (old));
  put (store, "peer", old);
  assert_takes (other, "peer", old);
  assert_takes (store, "peer", old);
  put (store, "peer", new);
  assert_takes (other, "peer", new);
  assert_takes (store, "peer", new);
}

static void
gives_the_newest_first (void)
{
  g_autoptr (Store) store = fresh (SEALED);
  g_autoptr (GPtrArray) tickets = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < 10; i++)
    {
      g_ptr_array_add (tickets, ticket_maker_make (single));
      put (store, "peer", tickets->pdata[i]);
    }
  for (guint i = 10; i > 0; i--)
    assert_takes (store, "peer", tickets->pdata[i - 1]);
  assert_has_none (store, "peer");
}

static void
parts_peers (void)
{
  g_autoptr (Store) store = fresh (NULL);
  g_autoptr (Ticket) first = ticket_maker_make (single);
  g_autoptr (Ticket) second = ticket_maker_make (single);

  put (store, "peer:{1}", first);
  put (store, "peer:{2}", second);
  assert_has_none (store, "peer:");
  assert_takes (store, "peer:{2}", second);
  assert_has_none (store, "peer:{2}");
  assert_takes (store, "peer:{1}", first);
}

static void
keeps_no_more_than_its_bound (void)
{
  g_autoptr (Store) store = fresh (&(StoreOptions){ .key = 1, .max_tickets = 3 });
  g_autoptr (GPtrArray) tickets = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < 8; i++)
    {
      g_ptr_array_add (tickets, ticket_maker_make (single));
      put (store, "peer", tickets->pdata[i]);
    }
  assert_server_says ("4", "DBSIZE", NULL); /* the set's and the tickets' */
  for (guint i = 8; i > 5; i--)
    assert_takes (store, "peer", tickets->pdata[i - 1]);
  assert_has_none (store, "peer");
}

static void
removes_one_by_its_id (gconstpointer maker)
{
  g_autoptr (Store) store = fresh (SEALED);
  g_autoptr (Ticket) first = ticket_maker_make (*(TicketMaker *const *) maker);
  g_autoptr (Ticket) second = ticket_maker_make (*(TicketMaker *const *) maker);
  g_autoptr (GError) error = NULL;

  put (store, "peer", first);
  put (store, "peer", second);
  g_assert_true (g_tls_session_store_remove (G_TLS_SESSION_STORE (store), "peer", second, &error));
  g_assert_no_error (error);
  assert_server_says ("2", "DBSIZE", NULL); /* the set's and the other ticket's */
  g_assert_true (g_tls_session_store_remove (G_TLS_SESSION_STORE (store), "peer", second, &error));
  g_assert_no_error (error);
  assert_takes (store, "peer", first);
}

/* The server forgets by itself: without anybody who takes, nothing is left. */
static void
lets_the_server_forget (void)
{
  g_autoptr (Store) store = fresh (&(StoreOptions){ .key = 1, .max_age = 2 });
  g_autoptr (Ticket) first = ticket_maker_make (single);
  g_autoptr (Ticket) second = ticket_maker_make (reusable);
  gint64 end = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;
  g_autofree char *size = NULL;

  put (store, "peer", first);
  put (store, "peer", second);
  do
    {
      g_free (size);
      g_usleep (100000);
      size = redis_server_ask (server, "DBSIZE", NULL);
    }
  while (!g_str_equal (size, "0") && g_get_monotonic_time () < end);
  g_assert_cmpstr (size, ==, "0");
}

static void
tells_the_server_when_to_forget (void)
{
  g_autoptr (Store) store = fresh (&(StoreOptions){ .key = 1, .max_age = 100 });
  g_autoptr (Ticket) first = ticket_maker_make (single);
  g_autoptr (Ticket) second = ticket_maker_make (reusable);
  g_auto (GStrv) keys = NULL;

  put (store, "peer", first);
  put (store, "peer", second);
  keys = list_keys ("*");
  g_assert_cmpuint (g_strv_length (keys), ==, 4);
  for (guint i = 0; keys[i] != NULL; i++)
    {
      g_autofree char *answer = redis_server_ask (server, "TTL", keys[i], NULL);
      int seconds = atoi (answer);

      g_assert_cmpint (seconds, >, 0);
      g_assert_cmpint (seconds, <=, 100);
    }
}

static void
passes_over_what_is_gone (gconstpointer maker)
{
  g_autoptr (Store) store = fresh (SEALED);
  g_autoptr (Ticket) old = ticket_maker_make (*(TicketMaker *const *) maker);
  g_autoptr (Ticket) new = ticket_maker_make (*(TicketMaker *const *) maker);
  g_autofree char *pattern = g_strdup_printf ("*:ticket:%s", g_tls_session_ticket_get_id (new));
  g_autofree char *key = NULL;

  put (store, "peer", old);
  put (store, "peer", new);
  key = find_key (pattern);
  assert_server_says ("1", "DEL", key);
  assert_takes (store, "peer", old);
}

static void
clears_its_own_tickets_only (void)
{
  g_autoptr (Store) store = fresh (&(StoreOptions){ .key = 1, .prefix = "a*[b]" });
  g_autoptr (Store) other = make_store_on (server, &(StoreOptions){ .key = 1, .prefix = "axxb" });
  g_autoptr (Ticket) ticket = ticket_maker_make (single);
  g_autoptr (GError) error = NULL;
  g_autofree char *answer = redis_server_ask (server, "SET", "a*[b]", "foreign", NULL);

  for (guint i = 0; i < 1200; i++) /* more than one SCAN brings */
    {
      g_autofree char *peer = g_strdup_printf ("%u", i);

      put (store, peer, ticket);
    }
  put (other, "peer", ticket);
  save (store, "name", "bytes");
  g_assert_true (g_tls_session_store_clear (G_TLS_SESSION_STORE (store), &error));
  g_assert_no_error (error);

  assert_has_none (store, "7");
  assert_loads (store, "name", "bytes");
  assert_server_says ("foreign", "GET", "a*[b]");
  assert_server_says ("4", "DBSIZE", NULL);
  assert_takes (other, "peer", ticket);
}

/* Bytes */

static void
keeps_bytes (void)
{
  g_autoptr (Store) store = fresh (SEALED);
  g_autoptr (Store) other = make_store_on (server, SEALED);

  assert_loads (store, "name", NULL);
  save (store, "name", "first");
  save (other, "name", "second");
  save (store, "other", "");
  assert_loads (store, "name", "second");
  assert_loads (other, "other", "");
}

static void
refuses_bytes_that_are_too_many (void)
{
  g_autoptr (Store) store = fresh (SEALED);
  g_autofree guint8 *space = g_malloc0 (2 * 1024 * 1024);
  g_autoptr (GBytes) most = g_bytes_new_static (space, 1024 * 1024);
  g_autoptr (GBytes) too_many = g_bytes_new_static (space, 1024 * 1024 + 1);
  g_autoptr (GBytes) loaded = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (g_tls_session_store_save_bytes (G_TLS_SESSION_STORE (store), "name", most, &error));
  g_assert_no_error (error);
  g_assert_false (g_tls_session_store_save_bytes (G_TLS_SESSION_STORE (store), "name", too_many, &error));
  assert_says (error, "1048577 bytes", "more than 1048576");
  loaded = g_tls_session_store_load_bytes (G_TLS_SESSION_STORE (store), "name", NULL);
  g_assert_true (g_bytes_equal (loaded, most));
}

/* The seal */

static void
shows_no_name_and_no_secret (void)
{
  g_autoptr (Store) store = fresh (SEALED);
  g_autoptr (Store) stranger = make_store_on (server, &(StoreOptions){ .key = 2 });
  g_autoptr (Ticket) ticket = ticket_maker_make (single);
  g_autofree char *names = NULL;
  g_autofree char *key = NULL;
  g_autofree char *content = NULL;

  put (store, "www.example.org", ticket);
  names = redis_server_ask (server, "KEYS", "*", NULL);
  g_assert_null (strstr (names, "example"));
  key = find_key ("*:ticket:*");
  content = redis_server_ask (server, "GET", key, NULL);
  g_assert_null (strstr (content, HANDSHAKE_HOST));
  g_assert_null (strstr (content, "GTLSTKT"));
  assert_has_none (stranger, "www.example.org");
  assert_takes (store, "www.example.org", ticket);
}

/* As the documentation warns; and what the test before looks for is found where there is no seal. */
static void
shows_all_without_a_key (void)
{
  g_autoptr (Store) store = fresh (NULL);
  g_autoptr (Ticket) ticket = ticket_maker_make (single);
  g_autofree char *key = NULL;
  g_autofree char *content = NULL;

  put (store, "www.example.org", ticket);
  key = find_key ("*www.example.org*:ticket:*");
  content = redis_server_ask (server, "GET", key, NULL);
  g_assert_nonnull (strstr (content, "GTLSTKT"));
  assert_takes (store, "www.example.org", ticket);
}

static void
refuses_what_lies_in_anothers_place (void)
{
  g_autoptr (Store) store = fresh (SEALED);
  g_autoptr (Ticket) ticket = ticket_maker_make (single);
  g_autoptr (GError) error = NULL;
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_autofree char *answer = NULL;

  put (store, "first", ticket);
  first = find_key ("*:ticket:*");
  answer = redis_server_ask (server, "RENAME", first, "elsewhere", NULL);
  put (store, "second", ticket);
  second = find_key ("*:ticket:*");
  g_free (answer);
  answer = redis_server_ask (server, "RENAME", "elsewhere", second, NULL);
  g_assert_cmpstr (answer, ==, "OK");

  g_assert_null (g_tls_session_store_take (G_TLS_SESSION_STORE (store), "second", &error));
  assert_says (error, "holds something that cannot be used", "for another place");
}

static void
says_what_is_damaged (void)
{
  g_autoptr (Store) store = fresh (NULL);
  g_autoptr (Ticket) first = ticket_maker_make (single);
  g_autoptr (Ticket) second = ticket_maker_make (single);
  g_autofree char *pattern = g_strdup_printf ("*:ticket:%s", g_tls_session_ticket_get_id (second));
  g_autofree char *key = NULL;
  g_autofree char *answer = NULL;
  g_autoptr (GError) error = NULL;

  put (store, "peer", first);
  put (store, "peer", second);
  key = find_key (pattern);
  answer = redis_server_ask (server, "SET", key, "GTLSTKT and what not", NULL);
  g_assert_null (g_tls_session_store_take (G_TLS_SESSION_STORE (store), "peer", &error));
  assert_says (error, "The Redis server at 127.0.0.1:", "holds something that cannot be used");
  assert_takes (store, "peer", first);
}

static void
says_what_the_server_refuses (void)
{
  g_autoptr (Store) store = fresh (NULL);
  g_autoptr (Ticket) ticket = ticket_maker_make (single);
  g_autoptr (GError) error = NULL;
  g_autofree char *answer = redis_server_ask (server, "SET", "gtls-session:{t.peer}:once", "no set", NULL);

  g_assert_null (g_tls_session_store_take (G_TLS_SESSION_STORE (store), "peer", &error));
  assert_says (error, "refused the command ZPOPMAX", "WRONGTYPE");
  g_clear_error (&error);
  g_assert_false (g_tls_session_store_put (G_TLS_SESSION_STORE (store), "peer", ticket, &error));
  assert_says (error, "refused the command EXEC", "WRONGTYPE");

  put (store, "other", ticket); /* on the same connection */
  assert_takes (store, "other", ticket);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  server = redis_server_new (&(RedisServerOptions){ .password = "s3cret" });
  single = ticket_maker_new (HANDSHAKE_TLS_1_3);
  reusable = ticket_maker_new (HANDSHAKE_TLS_1_2_TICKET);

  g_test_add_func ("/redis/store/gives_a_single_use_ticket_once", gives_a_single_use_ticket_once);
  g_test_add_func ("/redis/store/gives_a_reusable_ticket_again", gives_a_reusable_ticket_again);
  g_test_add_func ("/redis/store/gives_the_newest_first", gives_the_newest_first);
  g_test_add_func ("/redis/store/parts_peers", parts_peers);
  g_test_add_func ("/redis/store/keeps_no_more_than_its_bound", keeps_no_more_than_its_bound);
  g_test_add_data_func ("/redis/store/removes_one_by_its_id/single-use", &single, removes_one_by_its_id);
  g_test_add_data_func ("/redis/store/removes_one_by_its_id/reusable", &reusable, removes_one_by_its_id);
  g_test_add_func ("/redis/store/lets_the_server_forget", lets_the_server_forget);
  g_test_add_func ("/redis/store/tells_the_server_when_to_forget", tells_the_server_when_to_forget);
  g_test_add_data_func ("/redis/store/passes_over_what_is_gone/single-use", &single, passes_over_what_is_gone);
  g_test_add_data_func ("/redis/store/passes_over_what_is_gone/reusable", &reusable, passes_over_what_is_gone);
  g_test_add_func ("/redis/store/clears_its_own_tickets_only", clears_its_own_tickets_only);
  g_test_add_func ("/redis/store/keeps_bytes", keeps_bytes);
  g_test_add_func ("/redis/store/refuses_bytes_that_are_too_many", refuses_bytes_that_are_too_many);
  g_test_add_func ("/redis/store/shows_no_name_and_no_secret", shows_no_name_and_no_secret);
  g_test_add_func ("/redis/store/shows_all_without_a_key", shows_all_without_a_key);
  g_test_add_func ("/redis/store/refuses_what_lies_in_anothers_place", refuses_what_lies_in_anothers_place);
  g_test_add_func ("/redis/store/says_what_is_damaged", says_what_is_damaged);
  g_test_add_func ("/redis/store/says_what_the_server_refuses", says_what_the_server_refuses);

  status = g_test_run ();
  ticket_maker_free (single);
  ticket_maker_free (reusable);
  redis_server_free (server);
  return status;
}
