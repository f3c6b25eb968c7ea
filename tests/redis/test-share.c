/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Servers that keep their ticket keys in a store, in memory and on Redis, and so open each other's tickets. */

#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <gtls-session.h>

#include "redis-server.h"
#include "../server/calendar.h"
#include "stores.h"
#include "test-pki.h"
#include "ticket/ticket-key-merge.h"

#define NAME "www.example.org"
#define TIME_SIZE 16      /* what stands before the keys in a store: a magic, and when they were saved */
#define RING_HEAD_SIZE 16 /* see doc/ticket-keys-format.md */
#define KEY_SIZE 88

typedef GTlsSessionTicketKeys Keys;
typedef GTlsSessionTicket Ticket;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Keys, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Ticket, g_object_unref)

static TestPki *pki;
static RedisServer *redis_server;

/* A store that two servers reach: the same one, or one each on the same Redis. */

typedef struct
{
  GTlsSessionStore *first;
  GTlsSessionStore *second;
} Stores;

static Stores
make_stores (gconstpointer kind)
{
  Stores stores;

  if (g_str_equal (kind, "memory"))
    {
      stores.first = G_TLS_SESSION_STORE (g_tls_session_memory_store_new ());
      stores.second = g_object_ref (stores.first);
    }
  else
    {
      g_autofree char *answer = redis_server_ask (redis_server, "FLUSHALL", NULL);

      g_assert_cmpstr (answer, ==, "OK");
      stores.first = G_TLS_SESSION_STORE (make_store_on (redis_server, &(StoreOptions){ .key = 3 }));
      stores.second = G_TLS_SESSION_STORE (make_store_on (redis_server, &(StoreOptions){ .key = 3 }));
    }
  return stores;
}

static void
stores_clear (Stores *stores)
{
  g_object_unref (stores->first);
  g_object_unref (stores->second);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Stores, stores_clear)

static Keys *
make_keys (void)
{
  g_autoptr (GError) error = NULL;
  Keys *keys = g_tls_session_ticket_keys_new (&error);

  g_assert_no_error (error);
  return keys;
}

static void
share (Keys *keys, GTlsSessionStore *store)
{
  g_autoptr (GError) error = NULL;
  gboolean shared = g_tls_session_ticket_keys_share (keys, store, NAME, &error);

  g_assert_no_error (error);
  g_assert_true (shared);
}

static void
rotate (Keys *keys)
{
  g_autoptr (GError) error = NULL;

  g_tls_session_ticket_keys_rotate (keys, &error);
  g_assert_no_error (error);
}

/* Connections of our own client and server */

static GIOStream *
wrap_socket (int descriptor)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket = g_socket_new_from_fd (descriptor, &error);

  g_assert_no_error (error);
  return G_IO_STREAM (g_socket_connection_factory_create_connection (socket));
}

static gpointer
serve (gpointer connection)
{
  g_autoptr (GError) error = NULL;
  char byte;

  g_tls_connection_handshake (connection, NULL, &error);
  g_assert_no_error (error);
  g_input_stream_read (g_io_stream_get_input_stream (connection), &byte, 1, NULL, NULL);
  g_io_stream_close (connection, NULL, NULL);
  return NULL;
}

static GIOStream *
make_server (GIOStream *base, Keys *keys)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionCertificate) certificate = NULL;
  GTlsSessionServerConnection *server;

  certificate = g_tls_session_certificate_new_from_file (test_pki_get_path (pki, TEST_CERTIFICATE_GOOD), &error);
  g_assert_no_error (error);
  server = g_tls_session_server_connection_new (base, G_TLS_CERTIFICATE (certificate), &error);
  g_assert_no_error (error);
  g_tls_session_server_connection_set_ticket_keys (server, keys);
  return G_IO_STREAM (server);
}

static GTlsSessionHelper *
make_client (GIOStream *base)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketConnectable) identity = g_network_address_new ("localhost", 443);
  g_autoptr (GTlsSessionFileDatabase) database = NULL;
  GTlsSessionHelper *helper = g_tls_session_helper_new_for_stream (base, identity, &error);

  g_assert_no_error (error);
  database = g_tls_session_file_database_new (test_pki_get_ca_path (pki), &error);
  g_assert_no_error (error);
  g_tls_connection_set_database (G_TLS_CONNECTION (g_tls_session_helper_get_connection (helper)),
                                 G_TLS_DATABASE (database));
  return helper;
}

/* Connects to a server with @keys, offers @offered unless it is NULL, and gives a ticket of that server. */
static Ticket *
connect_to (Keys *keys, Ticket *offered, GTlsSessionResumption *resumption)
{
  int ends[2];
  g_autoptr (GIOStream) client_end = NULL;
  g_autoptr (GIOStream) server_end = NULL;
  g_autoptr (GIOStream) server = NULL;
  g_autoptr (GTlsSessionHelper) client = NULL;
  g_autoptr (GError) error = NULL;
  GThread *thread;
  Ticket *ticket;

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, ends), ==, 0);
  client_end = wrap_socket (ends[0]);
  server_end = wrap_socket (ends[1]);
  server = make_server (server_end, keys);
  client = make_client (client_end);
  if (offered != NULL)
    g_tls_session_helper_set_ticket (client, offered, &error);
  g_assert_no_error (error);

  thread = g_thread_new ("server", serve, server);
  ticket = g_tls_session_helper_wait_for_ticket (client, 60000, NULL, &error);
  g_assert_no_error (error);
  *resumption = g_tls_session_helper_get_resumption (client);
  g_io_stream_close (G_IO_STREAM (g_tls_session_helper_get_connection (client)), NULL, &error);
  g_assert_no_error (error);
  g_thread_join (thread);
  return ticket;
}

static Ticket *
get_ticket (Keys *keys)
{
  GTlsSessionResumption resumption;

  return connect_to (keys, NULL, &resumption);
}

static void
assert_opens (Keys *keys, Ticket *ticket, GTlsSessionResumption expected)
{
  GTlsSessionResumption resumption;
  g_autoptr (Ticket) next = connect_to (keys, ticket, &resumption);

  g_assert_cmpint (resumption, ==, expected);
}

/* The stories */

static void
opens_the_others_tickets (gconstpointer kind)
{
  g_auto (Stores) stores = make_stores (kind);
  g_autoptr (Keys) first = make_keys ();
  g_autoptr (Keys) second = make_keys ();
  g_autoptr (Keys) stranger = make_keys ();
  g_autoptr (Ticket) of_first = NULL;
  g_autoptr (Ticket) of_second = NULL;

  share (first, stores.first);
  of_first = get_ticket (first);
  assert_opens (stranger, of_first, G_TLS_SESSION_RESUMPTION_REFUSED);

  share (second, stores.second);
  of_second = get_ticket (second);
  assert_opens (second, of_first, G_TLS_SESSION_RESUMPTION_RESUMED);
  assert_opens (first, of_second, G_TLS_SESSION_RESUMPTION_RESUMED);
  g_assert_cmpuint (g_tls_session_ticket_keys_get_n_keys (first), ==, 1);
  g_assert_cmpuint (g_tls_session_ticket_keys_get_n_keys (second), ==, 1);
}

static void
brings_together_servers_that_are_at_work (gconstpointer kind)
{
  g_auto (Stores) stores = make_stores (kind);
  g_autoptr (Keys) first = make_keys ();
  g_autoptr (Keys) second = make_keys ();
  g_autoptr (Ticket) of_first = get_ticket (first);
  g_autoptr (Ticket) of_second = get_ticket (second);

  share (first, stores.first);
  share (second, stores.second);
  share (first, stores.first);
  assert_opens (second, of_first, G_TLS_SESSION_RESUMPTION_RESUMED);
  assert_opens (first, of_second, G_TLS_SESSION_RESUMPTION_RESUMED);
  g_assert_cmpuint (g_tls_session_ticket_keys_get_n_keys (first), ==, 2);
}

static GBytes *
load (GTlsSessionStore *store)
{
  g_autoptr (GError) error = NULL;
  GBytes *bytes = g_tls_session_store_load_bytes (store, NAME, &error);

  g_assert_no_error (error);
  return bytes;
}

static void
assert_same (Keys *first, Keys *second, GTlsSessionStore *store)
{
  g_autoptr (GBytes) first_bytes = g_tls_session_ticket_keys_to_bytes (first);
  g_autoptr (GBytes) second_bytes = g_tls_session_ticket_keys_to_bytes (second);
  g_autoptr (GBytes) kept = load (store);
  g_autoptr (GBytes) kept_keys = g_bytes_new_from_bytes (kept, TIME_SIZE, g_bytes_get_size (kept) - TIME_SIZE);

  g_assert_true (g_bytes_equal (first_bytes, second_bytes));
  g_assert_true (g_bytes_equal (first_bytes, kept_keys));
}

static void
rotates_on_one (gconstpointer kind)
{
  g_auto (Stores) stores = make_stores (kind);
  g_autoptr (Keys) first = make_keys ();
  g_autoptr (Keys) second = make_keys ();
  g_autoptr (Ticket) old = NULL;
  g_autoptr (Ticket) new = NULL;

  share (first, stores.first);
  share (second, stores.second);
  old = get_ticket (second);

  rotate (first);
  share (first, stores.first);
  new = get_ticket (first);
  share (second, stores.second);
  assert_opens (second, new, G_TLS_SESSION_RESUMPTION_RESUMED);
  assert_opens (first, old, G_TLS_SESSION_RESUMPTION_RESUMED);
  share (first, stores.first);
  share (second, stores.second);
  assert_same (first, second, stores.first);
  g_assert_cmpuint (g_tls_session_ticket_keys_get_n_keys (first), ==, 2);
}

static void
rotates_on_both_at_once (gconstpointer kind)
{
  g_auto (Stores) stores = make_stores (kind);
  g_autoptr (Keys) first = make_keys ();
  g_autoptr (Keys) second = make_keys ();
  g_autoptr (Ticket) old = NULL;
  g_autoptr (Ticket) of_first = NULL;
  g_autoptr (Ticket) of_second = NULL;

  share (first, stores.first);
  share (second, stores.second);
  old = get_ticket (first);
  rotate (first);
  rotate (second);
  of_first = get_ticket (first);
  of_second = get_ticket (second);

  for (int i = 0; i < 2; i++)
    {
      share (first, stores.first);
      share (second, stores.second);
    }
  assert_same (first, second, stores.first);
  g_assert_cmpuint (g_tls_session_ticket_keys_get_n_keys (first), ==, 3);
  assert_opens (first, old, G_TLS_SESSION_RESUMPTION_RESUMED);
  assert_opens (first, of_second, G_TLS_SESSION_RESUMPTION_RESUMED);
  assert_opens (second, of_first, G_TLS_SESSION_RESUMPTION_RESUMED);
}

/* What the second saves, the first overwrites, who had loaded before. */
static void
recovers_what_was_overwritten (void)
{
  g_auto (Stores) stores = make_stores ("memory");
  g_autoptr (Keys) first = make_keys ();
  g_autoptr (Keys) second = make_keys ();
  g_autoptr (Ticket) of_second = get_ticket (second);
  g_autoptr (Ticket) of_first = get_ticket (first);
  g_autoptr (GBytes) saved_by_first = NULL;

  share (first, stores.first);
  saved_by_first = load (stores.first);
  share (second, stores.second);
  g_tls_session_store_save_bytes (stores.first, NAME, saved_by_first, NULL);

  share (first, stores.first);
  assert_opens (first, of_second, G_TLS_SESSION_RESUMPTION_REFUSED);
  share (second, stores.second);
  share (first, stores.first);
  assert_opens (first, of_second, G_TLS_SESSION_RESUMPTION_RESUMED);
  assert_opens (second, of_first, G_TLS_SESSION_RESUMPTION_RESUMED);
}

/* A server that starts again and again leaves nothing behind. */
static void
leaves_no_keys_of_restarts (void)
{
  g_auto (Stores) stores = make_stores ("memory");
  g_autoptr (Keys) first = make_keys ();
  g_autoptr (GBytes) before = NULL;
  g_autoptr (GBytes) after = NULL;

  share (first, stores.first);
  before = load (stores.first);
  for (int i = 0; i < 20; i++)
    {
      g_autoptr (Keys) restarted = make_keys ();

      share (restarted, stores.first);
      share (restarted, stores.first);
    }
  after = load (stores.first);
  g_assert_true (g_bytes_equal (before, after));
}

/* What the store had before, put back by who runs it. */
static void
put_back (GTlsSessionStore *store, GBytes *bytes)
{
  g_autoptr (GError) error = NULL;

  g_tls_session_store_save_bytes (store, NAME, bytes, &error);
  g_assert_no_error (error);
}

/* Whether the key that seals in what a store had, is among these @keys. */
static gboolean
has_key_of (Keys *keys, GBytes *kept)
{
  g_autoptr (GBytes) bytes = g_tls_session_ticket_keys_to_bytes (keys);
  const guint8 *name = (const guint8 *) g_bytes_get_data (kept, NULL) + TIME_SIZE + RING_HEAD_SIZE;
  const guint8 *own = (const guint8 *) g_bytes_get_data (bytes, NULL) + RING_HEAD_SIZE;

  for (guint i = 0; i < g_tls_session_ticket_keys_get_n_keys (keys); i++)
    if (memcmp (own + (gsize) i * KEY_SIZE, name, G_TLS_SESSION_KEY_NAME_SIZE) == 0)
      return TRUE;
  return FALSE;
}

static void
keys_that_are_over_do_not_come_back (gconstpointer kind)
{
  g_auto (Stores) stores = make_stores (kind);
  g_autoptr (Keys) first = make_keys ();
  g_autoptr (Keys) restarted = NULL;
  g_autoptr (GBytes) old = NULL;

  share (first, stores.first);
  old = load (stores.first);
  rotate (first);
  share (first, stores.first);
  g_assert_true (has_key_of (first, old));
  calendar_advance (g_tls_session_ticket_keys_get_lifetime (first) + 1);
  share (first, stores.first);
  g_assert_false (has_key_of (first, old));

  put_back (stores.first, old);
  share (first, stores.first);
  g_assert_false (has_key_of (first, old));

  put_back (stores.first, old);
  restarted = make_keys ();
  share (restarted, stores.second);
  g_assert_false (has_key_of (restarted, old));
  share (first, stores.first);
  share (restarted, stores.second);
  share (first, stores.first);
  assert_same (first, restarted, stores.first);
  g_assert_false (has_key_of (first, old));
}

static void
no_key_lives_longer_for_being_put_back (gconstpointer kind)
{
  g_auto (Stores) stores = make_stores (kind);
  g_autoptr (Keys) keys = make_keys ();
  g_autoptr (GBytes) old = NULL;

  share (keys, stores.first);
  old = load (stores.first);
  rotate (keys);
  share (keys, stores.first);
  for (int i = 0; i < 3; i++)
    {
      g_assert_true (has_key_of (keys, old));
      calendar_advance (g_tls_session_ticket_keys_get_lifetime (keys) / 3 + 1);
      put_back (stores.first, old);
      share (keys, stores.first);
    }
  g_assert_false (has_key_of (keys, old));
}

/* What one server saved while its clock was wrong could be put back until that time has come. */
static void
keys_of_a_clock_far_ahead_are_not_taken (gconstpointer kind)
{
  g_auto (Stores) stores = make_stores (kind);
  g_autoptr (Keys) ahead = make_keys ();
  g_autoptr (Keys) keys = make_keys ();
  g_autoptr (GBytes) saved = NULL;

  calendar_advance (3600);
  share (ahead, stores.first);
  saved = load (stores.first);
  calendar_advance (-3600);

  share (keys, stores.second);
  g_assert_false (has_key_of (keys, saved));
  share (ahead, stores.first);
  share (keys, stores.second);
  assert_same (ahead, keys, stores.first);
}

/* Clocks differ by some seconds. */
static void
keys_of_a_clock_a_little_ahead_are_taken (gconstpointer kind)
{
  g_auto (Stores) stores = make_stores (kind);
  g_autoptr (Keys) ahead = make_keys ();
  g_autoptr (Keys) keys = make_keys ();

  calendar_advance (30);
  share (ahead, stores.first);
  calendar_advance (-30);

  share (keys, stores.second);
  share (ahead, stores.first);
  assert_same (ahead, keys, stores.first);
}

/* Servers at work that do not rotate keep what they have fresh, so that who comes later finds it. */
static void
keys_that_do_not_change_stay_fresh (gconstpointer kind)
{
  g_auto (Stores) stores = make_stores (kind);
  g_autoptr (Keys) first = make_keys ();
  g_autoptr (Keys) second = make_keys ();

  share (first, stores.first);
  for (int i = 0; i < 3; i++)
    {
      calendar_advance (g_tls_session_ticket_keys_get_lifetime (first) * 2 / 3);
      share (first, stores.first);
    }
  /* Had the last of these not renewed them, they would be too old for anybody by now. */
  calendar_advance (g_tls_session_ticket_keys_get_lifetime (first) * 2 / 3);
  share (second, stores.second);
  assert_same (first, second, stores.first);
}

static void
refuses_what_are_no_keys (void)
{
  g_auto (Stores) stores = make_stores ("memory");
  g_autoptr (Keys) keys = make_keys ();
  g_autoptr (GBytes) before = g_tls_session_ticket_keys_to_bytes (keys);
  g_autoptr (GBytes) after = NULL;
  g_autoptr (GBytes) garbage = g_bytes_new_static ("GTLSKEY and what not", 20);
  g_autoptr (GBytes) kept = NULL;
  g_autoptr (GError) error = NULL;

  g_tls_session_store_save_bytes (stores.first, NAME, garbage, NULL);
  g_assert_false (g_tls_session_ticket_keys_share (keys, stores.first, NAME, &error));
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA);
  g_assert_nonnull (strstr (error->message, "\"" NAME "\""));
  after = g_tls_session_ticket_keys_to_bytes (keys);
  g_assert_true (g_bytes_equal (before, after));
  kept = load (stores.first);
  g_assert_true (g_bytes_equal (kept, garbage));
}

static void
tells_that_the_store_fails (void)
{
  g_autoptr (RedisServer) server = redis_server_new (NULL);
  g_autoptr (Store) store = make_store_on (server, NULL);
  g_autoptr (Keys) keys = make_keys ();
  g_autoptr (GError) error = NULL;

  redis_server_kill (server);
  g_assert_false (g_tls_session_ticket_keys_share (keys, G_TLS_SESSION_STORE (store), NAME, &error));
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE);
  g_assert_cmpuint (g_tls_session_ticket_keys_get_n_keys (keys), ==, 1);
}

/* Merging, without a store: what takes time elsewhere */

static GPtrArray *
make_ring (const char *names, const gint64 *retired)
{
  GPtrArray *ring = g_tls_session_key_ring_new ();

  for (gsize i = 0; names[i] != '\0'; i++)
    {
      GTlsSessionTicketKey key = { .retired = retired[i], .is_used = TRUE };

      memset (key.name, names[i], sizeof key.name);
      g_tls_session_key_ring_add (ring, &key);
    }
  return ring;
}

static void
assert_merges (GPtrArray *own, GPtrArray *shared, const char *expected)
{
  g_autoptr (GPtrArray) ring = g_tls_session_key_ring_merge (own, shared, time (NULL), 1000);
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; i < ring->len; i++)
    {
      const GTlsSessionTicketKey *key = g_ptr_array_index (ring, i);

      g_string_append_c (names, (char) key->name[0]);
      g_assert_cmpint (key->retired == 0, ==, i == 0);
    }
  g_assert_cmpstr (names->str, ==, expected);
}

static void
merges_in_any_order (void)
{
  gint64 now = time (NULL);
  const gint64 retired[] = { 0, now - 100, now - 999, now - 2000 };
  const gint64 later[] = { 0, now - 50, now - 60 };
  g_autoptr (GPtrArray) a = make_ring ("a", retired);
  g_autoptr (GPtrArray) b = make_ring ("b", retired);
  g_autoptr (GPtrArray) ca = make_ring ("ca", retired);
  g_autoptr (GPtrArray) ac = make_ring ("ac", retired);
  g_autoptr (GPtrArray) long_one = make_ring ("dcbx", retired);
  g_autoptr (GPtrArray) other = make_ring ("dbc", later);

  assert_merges (a, b, "ab");
  assert_merges (b, a, "ab");
  assert_merges (a, ca, "ca"); /* the other retired it: c is newer */
  assert_merges (ca, a, "ca");
  assert_merges (b, ca, "bca");
  assert_merges (ca, b, "bca");
  assert_merges (long_one, other, "dbc"); /* the later time of retirement, and x is over */
  assert_merges (other, long_one, "dbc");
  assert_merges (ca, ac, "ca"); /* cannot be; the own one stays */
}

static void
add (const char *name, GTestDataFunc story)
{
  static const char *const kinds[] = { "memory", "redis" };

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *path = g_strdup_printf ("/redis/share/%s/%s", name, kinds[i]);

      g_test_add_data_func (path, kinds[i], story);
    }
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  pki = test_pki_new ();
  redis_server = redis_server_new (&(RedisServerOptions){ .password = "s3cret" });

  add ("opens_the_others_tickets", opens_the_others_tickets);
  add ("brings_together_servers_that_are_at_work", brings_together_servers_that_are_at_work);
  add ("rotates_on_one", rotates_on_one);
  add ("rotates_on_both_at_once", rotates_on_both_at_once);
  add ("keys_that_are_over_do_not_come_back", keys_that_are_over_do_not_come_back);
  add ("no_key_lives_longer_for_being_put_back", no_key_lives_longer_for_being_put_back);
  add ("keys_of_a_clock_far_ahead_are_not_taken", keys_of_a_clock_far_ahead_are_not_taken);
  add ("keys_of_a_clock_a_little_ahead_are_taken", keys_of_a_clock_a_little_ahead_are_taken);
  add ("keys_that_do_not_change_stay_fresh", keys_that_do_not_change_stay_fresh);
  g_test_add_func ("/redis/share/recovers_what_was_overwritten", recovers_what_was_overwritten);
  g_test_add_func ("/redis/share/leaves_no_keys_of_restarts", leaves_no_keys_of_restarts);
  g_test_add_func ("/redis/share/refuses_what_are_no_keys", refuses_what_are_no_keys);
  g_test_add_func ("/redis/share/tells_that_the_store_fails", tells_that_the_store_fails);
  g_test_add_func ("/redis/share/merges_in_any_order", merges_in_any_order);

  status = g_test_run ();
  redis_server_free (redis_server);
  test_pki_free (pki);
  return status;
}
