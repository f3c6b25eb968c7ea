/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Servers that go away and come back, that hang, and that are none. No call hangs, none crashes, each one tells. */

#include <signal.h>
#include <string.h>

#include "fake-server.h"
#include "stores.h"
#include "ticket/gtls-session-error.h"
#include "tickets.h"

#define SHORT 200                           /* ms, a time limit */
#define BOUND (20 * G_USEC_PER_SEC)         /* what a call with that limit surely stays below, also where all is slow */
#define COMES_BACK_IN (60 * G_USEC_PER_SEC) /* likewise, for a store after its server is there again */
#define REST (1100 * (G_USEC_PER_SEC / 1000)) /* longer than the store leaves a server alone */

#define HASTY (&(StoreOptions){ .time_limit = SHORT })

static char *
load (Store *store, GError **error)
{
  gint64 begin = g_get_monotonic_time ();
  g_autoptr (GBytes) bytes = g_tls_session_store_load_bytes (G_TLS_SESSION_STORE (store), "name", error);

  g_assert_cmpint (g_get_monotonic_time () - begin, <, BOUND);
  return bytes != NULL ? g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes)) : NULL;
}

static void
assert_fails (Store *store, const char *first, const char *second)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (load (store, &error));
  assert_says (error, first, second);
}

/* After a failure the server is left alone. Where all is slow the rest may be over before one asks; so one asks again. */
static void
assert_rests (Store *store, const char *words)
{
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 20; i++)
    {
      g_clear_error (&error);
      g_assert_null (load (store, &error));
      if (strstr (error->message, "it is not tried again for") != NULL)
        break;
    }
  assert_says (error, words, "it is not tried again for");
}

static void
assert_comes_back (Store *store)
{
  gint64 end = g_get_monotonic_time () + COMES_BACK_IN;
  g_autoptr (GError) error = NULL;

  do
    {
      g_clear_error (&error);
      g_usleep (50000);
      g_free (load (store, &error));
    }
  while (error != NULL && g_get_monotonic_time () < end);
  g_assert_no_error (error);
}

/* Real servers */

static void
is_made_while_the_server_is_away (void)
{
  g_autoptr (RedisServer) server = redis_server_new (NULL);
  g_autoptr (Store) store = NULL;

  redis_server_kill (server);
  store = make_store_on (server, NULL);
  assert_fails (store, "The Redis server at 127.0.0.1:", "could not be connected to");
  assert_rests (store, "could not be connected to");
  redis_server_start (server);
  assert_comes_back (store);
}

static void
bears_a_server_that_hangs (void)
{
  g_autoptr (RedisServer) server = redis_server_new (NULL);
  g_autoptr (Store) store = make_store_on (server, HASTY);

  assert_comes_back (store); /* SHORT may be too short where all is slow */
  g_usleep (REST);
  redis_server_send_signal (server, SIGSTOP);
  assert_fails (store, "did not answer", "within 200 ms");
  assert_rests (store, "within 200 ms");
  redis_server_send_signal (server, SIGCONT);
  assert_comes_back (store);
}

#define MORE_THAN_WAIT_TO_BE_ACCEPTED 4 /* where at most one may */

static GSocket *
new_socket (void)
{
  g_autoptr (GError) error = NULL;
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &error);

  g_assert_no_error (error);
  g_socket_set_blocking (socket, FALSE);
  return socket;
}

/* Nobody accepts, and no more can wait for it: the kernel lets who comes now wait for an answer, as a host does that is
 * away behind a router.
 */
static void
bears_a_host_that_is_silent (void)
{
  g_autoptr (GSocket) listener = new_socket ();
  GSocket *waiting[MORE_THAN_WAIT_TO_BE_ACCEPTED];
  g_autoptr (GSocketAddress) any_port = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (Store) store = NULL;
  g_autofree char *uri = NULL;

  g_assert_true (g_socket_bind (listener, any_port, FALSE, &error));
  g_socket_set_listen_backlog (listener, 0);
  g_assert_true (g_socket_listen (listener, &error));
  address = g_socket_get_local_address (listener, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (waiting); i++)
    {
      waiting[i] = new_socket ();
      g_socket_connect (waiting[i], address, NULL, NULL);
    }

  uri = g_strdup_printf ("redis://127.0.0.1:%u", g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)));
  store = make_store (uri, HASTY);
  assert_fails (store, "could not be connected to", "within 200 ms");
  assert_rests (store, "could not be connected to");
  for (guint i = 0; i < G_N_ELEMENTS (waiting); i++)
    g_object_unref (waiting[i]);
}

/* A wrong password is not tried over and over, as an attacker would. */
static void
rests_after_a_wrong_password (void)
{
  g_autoptr (RedisServer) server = redis_server_new (&(RedisServerOptions){ .password = "right" });
  g_autofree char *uri = redis_server_make_uri (server, "redis", ":wrong");
  g_autoptr (Store) store = make_store (uri, NULL);

  assert_fails (store, "refused the command AUTH", "WRONGPASS");
  assert_rests (store, "WRONGPASS");
}

/* Nothing is told about a connection that was lost between two calls: another one is there before the second. */
static void
connects_again_when_the_server_hung_up (void)
{
  g_autoptr (RedisServer) server = redis_server_new (NULL);
  g_autoptr (Store) store = make_store_on (server, NULL);
  g_autofree char *answer = NULL;

  save (store, "name", "bytes");
  g_usleep (REST);
  answer = redis_server_ask (server, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes", NULL);
  g_assert_cmpstr (answer, ==, "1");
  assert_loads (store, "name", "bytes");
}

/* The server is killed and started anew while threads put and take. What they are told in between has words; what they
 * take they have put; and in the end all is well. */

typedef struct
{
  RedisServer *server;
  Store *store;
  int is_over;    /* atomic */
  int n_failures; /* atomic */
  int n_taken;    /* atomic */
} Siege;

static void
note_failure (Siege *siege, GError *error)
{
  if (error == NULL)
    return;
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE);
  g_assert_true (g_str_has_prefix (error->message, "The Redis server at 127.0.0.1:"));
  g_atomic_int_inc (&siege->n_failures);
}

static gpointer
put_and_take (gpointer data)
{
  Siege *siege = data;
  g_autoptr (TicketMaker) maker = ticket_maker_new (HANDSHAKE_TLS_1_3);
  g_autofree char *peer = g_strdup_printf ("%p", (gpointer) g_thread_self ());

  while (!g_atomic_int_get (&siege->is_over))
    {
      g_autoptr (Ticket) ticket = ticket_maker_make (maker);
      g_autoptr (Ticket) taken = NULL;
      g_autoptr (GError) put_error = NULL;
      g_autoptr (GError) take_error = NULL;

      g_tls_session_store_put (G_TLS_SESSION_STORE (siege->store), peer, ticket, &put_error);
      note_failure (siege, put_error);
      taken = g_tls_session_store_take (G_TLS_SESSION_STORE (siege->store), peer, &take_error);
      note_failure (siege, take_error);
      if (taken != NULL && put_error == NULL)
        g_assert_cmpstr (g_tls_session_ticket_get_id (taken), ==, g_tls_session_ticket_get_id (ticket));
      if (taken != NULL)
        g_atomic_int_inc (&siege->n_taken);
    }
  return NULL;
}

static void
wait_until_taken (Siege *siege, int n_more)
{
  int n = g_atomic_int_get (&siege->n_taken) + n_more;
  gint64 end = g_get_monotonic_time () + COMES_BACK_IN;

  while (g_atomic_int_get (&siege->n_taken) < n)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_usleep (10000);
    }
}

static void
goes_on_after_restarts (void)
{
  g_autoptr (RedisServer) server = redis_server_new (NULL);
  g_autoptr (Store) store = make_store_on (server, &(StoreOptions){ .key = 1, .time_limit = 10000 });
  Siege siege = { .server = server, .store = store };
  GThread *threads[4];

  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("putter", put_and_take, &siege);
  for (int i = 0; i < 3; i++)
    {
      int n_failures = g_atomic_int_get (&siege.n_failures);

      wait_until_taken (&siege, 20);
      redis_server_kill (server);
      while (g_atomic_int_get (&siege.n_failures) == n_failures)
        g_usleep (10000);
      redis_server_start (server);
    }
  wait_until_taken (&siege, 20);
  g_atomic_int_set (&siege.is_over, TRUE);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_test_message ("%d taken, %d calls failed", siege.n_taken, siege.n_failures);
}

/* What is no server */

static void
bears_what_never_answers (gconstpointer scheme)
{
  g_autoptr (FakeServer) server = fake_server_new (FAKE_SILENT, NULL, 0);
  g_autofree char *uri = fake_server_make_uri (server, scheme);
  g_autoptr (Store) store = make_store (uri, HASTY);

  assert_fails (store, "The Redis server at", "within 200 ms");
  assert_rests (store, "within 200 ms");
}

/* hiredis's own limit would begin anew with each of its bytes. */
static void
bears_what_answers_byte_by_byte (void)
{
  g_autoptr (FakeServer) server = fake_server_new (FAKE_DRIPS, NULL, 0);
  g_autofree char *uri = fake_server_make_uri (server, "redis");
  g_autoptr (Store) store = make_store (uri, HASTY);

  assert_fails (store, "did not answer", "within 200 ms");
}

static void
bears_what_never_stops (void)
{
  g_autoptr (FakeServer) server = fake_server_new (FAKE_FLOODS, NULL, 0);
  g_autofree char *uri = fake_server_make_uri (server, "redis");
  g_autoptr (Store) store = make_store (uri, NULL);

  assert_fails (store, "did not answer", "it says too much");
}

/* GLib ignores SIGPIPE once it has made a socket; a program may have other ideas afterwards. */
static void
bears_what_hangs_up (gconstpointer scheme)
{
  g_autoptr (FakeServer) server = fake_server_new (FAKE_HANGS_UP, NULL, 0);
  g_autofree char *uri = fake_server_make_uri (server, scheme);

  signal (SIGPIPE, SIG_DFL);
  for (guint i = 0; i < 20; i++)
    {
      g_autoptr (Store) store = make_store (uri, NULL);

      assert_fails (store, "The Redis server at", "");
    }
  signal (SIGPIPE, SIG_IGN);
}

static gpointer
load_in_time (gpointer store)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (load (store, &error));
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE);
  return NULL;
}

/* Together they wait as long as one, and not one after the other. */
static void
bears_it_in_many_threads (void)
{
  g_autoptr (FakeServer) server = fake_server_new (FAKE_SILENT, NULL, 0);
  g_autofree char *uri = fake_server_make_uri (server, "redis");
  g_autoptr (Store) store = make_store (uri, &(StoreOptions){ .time_limit = 2000 });
  GThread *threads[16];

  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("loader", load_in_time, store);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (fake_server_count (server), <, G_N_ELEMENTS (threads) / 2);
}

/* Garbage */

/* None of the calls may do more than fail, or find nothing. */
static void
ask_for_everything (const char *answer, gsize size)
{
  static TicketMaker *maker;
  g_autoptr (FakeServer) server = fake_server_new (FAKE_ANSWERS, answer, size);
  g_autofree char *uri = fake_server_make_uri (server, "redis");

  if (maker == NULL)
    maker = ticket_maker_new (HANDSHAKE_TLS_1_3);

  for (guint call = 0; call < 5; call++)
    {
      g_autoptr (Store) store = make_store (uri, &(StoreOptions){ .time_limit = SHORT / 2 });
      GTlsSessionStore *asked = G_TLS_SESSION_STORE (store);
      g_autoptr (Ticket) ticket = ticket_maker_make (maker);
      g_autoptr (Ticket) taken = NULL;
      g_autoptr (GBytes) bytes = NULL;
      g_autoptr (GError) error = NULL;
      gboolean failed = FALSE;

      if (call == 0)
        taken = g_tls_session_store_take (asked, "peer", &error);
      else if (call == 1)
        failed = !g_tls_session_store_put (asked, "peer", ticket, &error);
      else if (call == 2)
        failed = !g_tls_session_store_remove (asked, "peer", ticket, &error);
      else if (call == 3)
        failed = !g_tls_session_store_clear (asked, &error);
      else
        bytes = g_tls_session_store_load_bytes (asked, "name", &error);

      g_assert_true (!failed || error != NULL);
      if (error != NULL)
        {
          g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE);
          g_assert_true (g_utf8_validate (error->message, -1, NULL));
          g_assert_null (strchr (error->message, '\033'));
          g_assert_cmpuint (strlen (error->message), <, 2000);
        }
      g_assert_null (taken);
    }
}

static const char *const garbage[] = {
  "HTTP/1.1 400 Bad Request\r\n\r\n",
  "\r\n",
  "*\r\n",
  "$\r\n",
  ":\r\n",
  ":99999999999999999999999999\r\n",
  "$-1\r\n$-1\r\n",
  "$-1\r\n",
  "$-2\r\n",
  "$9223372036854775807\r\nabc",
  "$99999999999\r\nabc",
  "*-1\r\n*-1\r\n",
  "*-2\r\n",
  "*2147483647\r\n",
  "*1152921504606846976\r\n",
  "*65537\r\n",
  "*0\r\n*0\r\n",
  "*0\r\n:1\r\n",
  ":1\r\n:1\r\n",
  "+OK\r\n+OK\r\n+OK\r\n+OK\r\n",
  "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+OK\r\n",
  "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*-1\r\n",
  "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*1\r\n:1\r\n",
  "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*6\r\n:1\r\n:1\r\n:1\r\n*1\r\n$1\r\nx\r\n:"
  "1\r\n:1\r\n",
  "-ERR \033[31mred \001 \377\376\r\n-\r\n",
  "*2\r\n$3\r\n../\r\n$1\r\n1\r\n*0\r\n",
  "*2\r\n$16\r\n0123456789abcde\n\r\n$1\r\n1\r\n*0\r\n",
  "*2\r\n$16\r\n0123456789abcdef\r\n$1\r\n1\r\n*0\r\n",
  "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
  "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n-ERR\r\n*0\r\n",
  "*2\r\n$1\r\n0\r\n*2\r\n$7\r\nforeign\r\n:1\r\n",
  "*2\r\n$1\r\n0\r\n$1\r\n0\r\n",
  "*2\r\n$3\r\n1 2\r\n*0\r\n",
  "$7\r\nGTLSTKT\r\n",
  ",1.5\r\n#t\r\n",
  "%1\r\n+a\r\n+b\r\n~1\r\n+a\r\n",
  "_\r\n_\r\n",
};

static void
bears_garbage (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (garbage); i++)
    ask_for_everything (garbage[i], strlen (garbage[i]));
}

static void
bears_garbage_by_chance (void)
{
  guint n = g_getenv ("GTLS_SESSION_SLOW") != NULL ? 5 : 15;

  for (guint i = 0; i < n; i++)
    {
      const char *base = garbage[g_test_rand_int_range (0, G_N_ELEMENTS (garbage))];
      g_autoptr (GString) answer = g_string_new (base);

      for (guint change = 0; change < 3 && answer->len > 0; change++)
        answer->str[g_test_rand_int_range (0, (int) answer->len)] = "0123*$:+-\r\nx"[g_test_rand_int_range (0, 12)];
      ask_for_everything (answer->str, answer->len);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/redis/faults/is_made_while_the_server_is_away", is_made_while_the_server_is_away);
  g_test_add_func ("/redis/faults/bears_a_server_that_hangs", bears_a_server_that_hangs);
  g_test_add_func ("/redis/faults/bears_a_host_that_is_silent", bears_a_host_that_is_silent);
  g_test_add_func ("/redis/faults/rests_after_a_wrong_password", rests_after_a_wrong_password);
  g_test_add_func ("/redis/faults/connects_again_when_the_server_hung_up", connects_again_when_the_server_hung_up);
  g_test_add_func ("/redis/faults/goes_on_after_restarts", goes_on_after_restarts);
  g_test_add_data_func ("/redis/faults/bears_what_never_answers/plain", "redis", bears_what_never_answers);
  g_test_add_data_func ("/redis/faults/bears_what_never_answers/tls", "rediss", bears_what_never_answers);
  g_test_add_func ("/redis/faults/bears_what_answers_byte_by_byte", bears_what_answers_byte_by_byte);
  g_test_add_func ("/redis/faults/bears_what_never_stops", bears_what_never_stops);
  g_test_add_data_func ("/redis/faults/bears_what_hangs_up/plain", "redis", bears_what_hangs_up);
  g_test_add_data_func ("/redis/faults/bears_what_hangs_up/tls", "rediss", bears_what_hangs_up);
  g_test_add_func ("/redis/faults/bears_it_in_many_threads", bears_it_in_many_threads);
  g_test_add_func ("/redis/faults/bears_garbage", bears_garbage);
  g_test_add_func ("/redis/faults/bears_garbage_by_chance", bears_garbage_by_chance);

  return g_test_run ();
}
