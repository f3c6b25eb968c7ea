/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "contract.h"

#include "ticket/ticket-private.h"

#define N_THREADS 8
#define TICKETS_PER_PEER 8 /* by default */

/* Calls */

void
store_put (gpointer store, const char *key, GTlsSessionTicket *ticket)
{
  g_autoptr (GError) error = NULL;
  gboolean done = g_tls_session_store_put (store, key, ticket, &error);

  g_assert_no_error (error);
  g_assert_true (done);
}

GTlsSessionTicket *
store_take (gpointer store, const char *key)
{
  g_autoptr (GError) error = NULL;
  GTlsSessionTicket *ticket = g_tls_session_store_take (store, key, &error);

  g_assert_no_error (error);
  return ticket;
}

void
store_remove (gpointer store, const char *key, GTlsSessionTicket *ticket)
{
  g_autoptr (GError) error = NULL;
  gboolean done = g_tls_session_store_remove (store, key, ticket, &error);

  g_assert_no_error (error);
  g_assert_true (done);
}

void
store_clear (gpointer store)
{
  g_autoptr (GError) error = NULL;
  gboolean done = g_tls_session_store_clear (store, &error);

  g_assert_no_error (error);
  g_assert_true (done);
}

void
store_save (gpointer store, const char *name, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  gboolean done = g_tls_session_store_save_bytes (store, name, bytes, &error);

  g_assert_no_error (error);
  g_assert_true (done);
}

char *
store_load (gpointer store, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_tls_session_store_load_bytes (store, name, &error);

  g_assert_no_error (error);
  return bytes != NULL ? g_strdup_printf ("%.*s", (int) g_bytes_get_size (bytes), /* empty bytes may have no data */
                                          g_bytes_get_size (bytes) > 0 ? (char *) g_bytes_get_data (bytes, NULL) : "")
                       : NULL;
}

void
assert_takes (gpointer store, const char *key, GTlsSessionTicket *expected)
{
  g_autoptr (GTlsSessionTicket) ticket = store_take (store, key);

  g_assert_nonnull (ticket);
  g_assert_cmpstr (g_tls_session_ticket_get_id (ticket), ==, g_tls_session_ticket_get_id (expected));
}

void
assert_takes_nothing (gpointer store, const char *key)
{
  g_autoptr (GTlsSessionTicket) ticket = store_take (store, key);

  g_assert_null (ticket);
}

/* The stories */

static GTlsSessionStore *
make_store (gconstpointer factory)
{
  return ((StoreFactory) factory) ();
}

static void
gives_what_was_put (gconstpointer factory)
{
  g_autoptr (GTlsSessionStore) store = make_store (factory);
  g_autoptr (GTlsSessionTicket) ticket = mill_make_one (HANDSHAKE_TLS_1_3, 1);
  g_autoptr (GTlsSessionTicket) taken = NULL;
  g_autoptr (GBytes) expected = g_tls_session_ticket_to_bytes (ticket);
  g_autoptr (GBytes) bytes = NULL;

  store_put (store, KEY_A, ticket);
  taken = store_take (store, KEY_A);
  g_assert_nonnull (taken);
  bytes = g_tls_session_ticket_to_bytes (taken);
  g_assert_true (g_bytes_equal (bytes, expected));
}

static void
single_use_ticket_leaves (gconstpointer factory)
{
  g_autoptr (GTlsSessionStore) store = make_store (factory);
  g_autoptr (GTlsSessionTicket) ticket = mill_make_one (HANDSHAKE_TLS_1_3, 1);

  g_assert_true (g_tls_session_ticket_get_single_use (ticket));
  store_put (store, KEY_A, ticket);
  assert_takes (store, KEY_A, ticket);
  assert_takes_nothing (store, KEY_A);
}

static void
other_ticket_stays (gconstpointer factory)
{
  g_autoptr (GTlsSessionStore) store = make_store (factory);
  g_autoptr (GTlsSessionTicket) ticket = mill_make_one (HANDSHAKE_TLS_1_2_TICKET, 1);

  g_assert_false (g_tls_session_ticket_get_single_use (ticket));
  store_put (store, KEY_A, ticket);
  for (guint i = 0; i < 3; i++)
    assert_takes (store, KEY_A, ticket);
}

static void
newest_goes_first (gconstpointer factory)
{
  g_autoptr (GTlsSessionStore) store = make_store (factory);
  g_autoptr (Mill) mill = mill_new (HANDSHAKE_TLS_1_3);

  for (guint i = 0; i < 5; i++)
    {
      g_autoptr (GTlsSessionTicket) ticket = mill_make (mill, i);

      store_put (store, KEY_A, ticket);
    }
  for (guint i = 5; i-- > 0;)
    {
      g_autoptr (GTlsSessionTicket) ticket = mill_make (mill, i);

      assert_takes (store, KEY_A, ticket);
    }
  assert_takes_nothing (store, KEY_A);
}

static void
keys_part (gconstpointer factory)
{
  g_autoptr (GTlsSessionStore) store = make_store (factory);
  g_autoptr (Mill) mill = mill_new (HANDSHAKE_TLS_1_3);
  g_autoptr (GTlsSessionTicket) a = mill_make (mill, 1);
  g_autoptr (GTlsSessionTicket) b = mill_make (mill, 2);

  store_put (store, KEY_A, a);
  assert_takes_nothing (store, KEY_B);
  store_put (store, KEY_B, b);
  assert_takes (store, KEY_A, a);
  assert_takes (store, KEY_B, b);
}

static void
oldest_of_a_peer_goes (gconstpointer factory)
{
  g_autoptr (GTlsSessionStore) store = make_store (factory);
  g_autoptr (Mill) mill = mill_new (HANDSHAKE_TLS_1_3);

  for (guint i = 0; i < TICKETS_PER_PEER + 3; i++)
    {
      g_autoptr (GTlsSessionTicket) ticket = mill_make (mill, i);

      store_put (store, KEY_A, ticket);
    }
  for (guint i = TICKETS_PER_PEER + 3; i-- > 3;)
    {
      g_autoptr (GTlsSessionTicket) ticket = mill_make (mill, i);

      assert_takes (store, KEY_A, ticket);
    }
  assert_takes_nothing (store, KEY_A);
}

static void
old_ticket_is_not_given_out (gconstpointer factory)
{
  g_autoptr (GTlsSessionStore) store = make_store (factory);
  g_autoptr (Mill) young_mill = mill_new_aged (HANDSHAKE_TLS_1_3, 300);
  g_autoptr (Mill) old_mill = mill_new_aged (HANDSHAKE_TLS_1_3, 601);
  g_autoptr (GTlsSessionTicket) young = mill_make (young_mill, 1);
  g_autoptr (GTlsSessionTicket) old = mill_make (old_mill, 1);

  g_assert_true (g_tls_session_ticket_is_usable (old));
  store_put (store, KEY_A, young);
  store_put (store, KEY_A, old);
  assert_takes (store, KEY_A, young);
  assert_takes_nothing (store, KEY_A);
}

static void
expired_ticket_is_not_given_out (gconstpointer factory)
{
  g_autoptr (GTlsSessionStore) store = make_store (factory);
  g_autoptr (Mill) mill = mill_new_aged (HANDSHAKE_TLS_1_2_TICKET, HANDSHAKE_LIFETIME + 1);
  g_autoptr (GTlsSessionTicket) ticket = mill_make (mill, 1);

  store_put (store, KEY_A, ticket);
  assert_takes_nothing (store, KEY_A);
}

static void
ticket_used_by_hand_is_not_given_out (gconstpointer factory)
{
  g_autoptr (GTlsSessionStore) store = make_store (factory);
  g_autoptr (GTlsSessionTicket) once = mill_make_one (HANDSHAKE_TLS_1_3, 1);
  g_autoptr (GTlsSessionTicket) often = mill_make_one (HANDSHAKE_TLS_1_2_TICKET, 1);

  g_tls_session_ticket_add_use (once);
  store_put (store, KEY_A, once);
  assert_takes_nothing (store, KEY_A);

  g_tls_session_ticket_add_use (often);
  store_put (store, KEY_A, often);
  assert_takes (store, KEY_A, often);
}

static void
removes_one_ticket (gconstpointer factory)
{
  g_autoptr (GTlsSessionStore) store = make_store (factory);
  g_autoptr (Mill) mill = mill_new (HANDSHAKE_TLS_1_3);
  g_autoptr (GTlsSessionTicket) stays = mill_make (mill, 1);
  g_autoptr (GTlsSessionTicket) leaves = mill_make (mill, 2);

  store_put (store, KEY_A, stays);
  store_put (store, KEY_A, leaves);
  store_put (store, KEY_B, leaves);
  store_remove (store, KEY_A, leaves);
  store_remove (store, KEY_A, leaves); /* not there any more */
  assert_takes (store, KEY_A, stays);
  assert_takes_nothing (store, KEY_A);
  assert_takes (store, KEY_B, leaves);
  store_remove (store, KEY_B, leaves);
}

static void
clears_tickets_and_leaves_bytes (gconstpointer factory)
{
  g_autoptr (GTlsSessionStore) store = make_store (factory);
  g_autoptr (GTlsSessionTicket) ticket = mill_make_one (HANDSHAKE_TLS_1_3, 1);
  g_autofree char *text = NULL;

  store_put (store, KEY_A, ticket);
  store_put (store, KEY_B, ticket);
  store_save (store, "name", "text");
  store_clear (store);
  assert_takes_nothing (store, KEY_A);
  assert_takes_nothing (store, KEY_B);
  text = store_load (store, "name");
  g_assert_cmpstr (text, ==, "text");

  store_put (store, KEY_A, ticket);
  assert_takes (store, KEY_A, ticket);
}

static void
keeps_bytes_by_name (gconstpointer factory)
{
  g_autoptr (GTlsSessionStore) store = make_store (factory);
  g_autofree char *absent = store_load (store, "one");
  g_autofree char *one = NULL, *two = NULL, *empty = NULL;

  g_assert_null (absent);
  store_save (store, "one", "first");
  store_save (store, "two", "second");
  store_save (store, "one", "third");
  store_save (store, "empty", "");
  one = store_load (store, "one");
  two = store_load (store, "two");
  empty = store_load (store, "empty");
  g_assert_cmpstr (one, ==, "third");
  g_assert_cmpstr (two, ==, "second");
  g_assert_cmpstr (empty, ==, "");
}

static void
a_key_is_no_name (gconstpointer factory)
{
  g_autoptr (GTlsSessionStore) store = make_store (factory);
  g_autofree char *text = NULL;

  store_save (store, KEY_A, "text");
  assert_takes_nothing (store, KEY_A);
  text = store_load (store, KEY_A);
  g_assert_cmpstr (text, ==, "text");
}

/* Many threads */

typedef struct
{
  GTlsSessionStore *store;
  GMutex lock; /* covers what follows */
  GHashTable *taken;
  guint doubles;
} Race;

static gpointer
take_all (gpointer data)
{
  Race *race = data;
  guint misses = 0;

  while (misses < 2)
    {
      g_autoptr (GTlsSessionTicket) ticket = store_take (race->store, misses == 0 ? KEY_A : KEY_B);

      if (ticket == NULL)
        {
          misses++;
          continue;
        }
      g_mutex_lock (&race->lock);
      race->doubles += !g_hash_table_add (race->taken, g_strdup (g_tls_session_ticket_get_id (ticket)));
      g_mutex_unlock (&race->lock);
    }
  return NULL;
}

static void
threads_get_each_ticket_once (gconstpointer factory)
{
  g_autoptr (GTlsSessionStore) store = make_store (factory);
  g_autoptr (Mill) mill = mill_new (HANDSHAKE_TLS_1_3);
  g_autoptr (GHashTable) taken = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Race race = { .store = store, .taken = taken };
  guint n_rounds = g_getenv ("GTLS_SESSION_SLOW") != NULL ? 2 : 10;

  g_mutex_init (&race.lock);
  for (guint round = 0; round < n_rounds; round++)
    {
      GThread *threads[N_THREADS];

      for (guint i = 0; i < 2 * TICKETS_PER_PEER; i++)
        {
          g_autoptr (GTlsSessionTicket) ticket = mill_make (mill, round * 2 * TICKETS_PER_PEER + i);

          store_put (store, i % 2 == 0 ? KEY_A : KEY_B, ticket);
        }
      for (guint i = 0; i < N_THREADS; i++)
        threads[i] = g_thread_new ("taker", take_all, &race);
      for (guint i = 0; i < N_THREADS; i++)
        g_thread_join (threads[i]);
    }
  g_assert_cmpuint (race.doubles, ==, 0);
  g_assert_cmpuint (g_hash_table_size (taken), ==, n_rounds * 2 * TICKETS_PER_PEER);
  g_mutex_clear (&race.lock);
}

static const struct
{
  const char *name;
  GTestDataFunc story;
} stories[] = {
  { "gives_what_was_put", gives_what_was_put },
  { "single_use_ticket_leaves", single_use_ticket_leaves },
  { "other_ticket_stays", other_ticket_stays },
  { "newest_goes_first", newest_goes_first },
  { "keys_part", keys_part },
  { "oldest_of_a_peer_goes", oldest_of_a_peer_goes },
  { "old_ticket_is_not_given_out", old_ticket_is_not_given_out },
  { "expired_ticket_is_not_given_out", expired_ticket_is_not_given_out },
  { "ticket_used_by_hand_is_not_given_out", ticket_used_by_hand_is_not_given_out },
  { "removes_one_ticket", removes_one_ticket },
  { "clears_tickets_and_leaves_bytes", clears_tickets_and_leaves_bytes },
  { "keeps_bytes_by_name", keeps_bytes_by_name },
  { "a_key_is_no_name", a_key_is_no_name },
  { "threads_get_each_ticket_once", threads_get_each_ticket_once },
};

void
contract_add (const char *name, StoreFactory factory)
{
  for (gsize i = 0; i < G_N_ELEMENTS (stories); i++)
    {
      g_autofree char *path = g_strdup_printf ("/store/%s/%s", name, stories[i].name);

      g_test_add_data_func (path, (gconstpointer) factory, stories[i].story);
    }
}
