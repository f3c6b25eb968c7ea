/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* TLS connections whose sessions are kept on a Redis server, while that one goes away and comes back: none of them
 * fails, they do full handshakes meanwhile, and they resume again afterwards. The TLS server counts for itself.
 */

#include <signal.h>
#include <string.h>

#include "../client.h"
#include "stores.h"

#define SHORT 200                           /* ms, a time limit */
#define COMES_BACK_IN (60 * G_USEC_PER_SEC) /* the store, after its server is there again, also where all is slow */
#define N_VISITORS 4
#define N_RESTARTS 3

typedef struct
{
  TestServer *server;
  Store *store;
  int is_over;   /* atomic, like the next ones */
  int n_full;    /* visits with a full handshake */
  int n_resumed; /* visits that were resumed */
} Siege;

/* A connection, and some words there and back. @clause is to be in what it explains; nullable. */
static GTlsSessionResumption
visit (Siege *siege, const char *clause)
{
  g_autoptr (GTlsSessionHelper) helper = client_prepare (siege->server);
  g_autofree char *sentence = NULL;
  GTlsSessionResumption resumption;

  g_object_set (client_connection (helper), "session-resumption-enabled", TRUE, "session-store", siege->store, NULL);
  client_exchange (helper, "how do you do?");
  client_close (helper);

  resumption = g_tls_session_helper_get_resumption (helper);
  g_assert_true (resumption == G_TLS_SESSION_RESUMPTION_NONE || resumption == G_TLS_SESSION_RESUMPTION_RESUMED);
  g_atomic_int_inc (resumption == G_TLS_SESSION_RESUMPTION_RESUMED ? &siege->n_resumed : &siege->n_full);
  if (clause == NULL)
    return resumption;

  sentence = g_tls_session_helper_explain (helper);
  g_test_message ("%s", sentence);
  g_assert_nonnull (strstr (sentence, clause));
  return resumption;
}

static void
assert_full (Siege *siege, guint n_visits, const char *clause)
{
  for (guint i = 0; i < n_visits; i++)
    g_assert_cmpint (visit (siege, clause), ==, G_TLS_SESSION_RESUMPTION_NONE);
}

static void
assert_resumed (Siege *siege, guint n_visits)
{
  for (guint i = 0; i < n_visits; i++)
    g_assert_cmpint (visit (siege, "the session was resumed"), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
}

/* All visits until then are full ones; the store leaves a server alone for a while. */
static void
assert_resumes_at_last (Siege *siege)
{
  gint64 end = g_get_monotonic_time () + COMES_BACK_IN;

  while (visit (siege, NULL) != G_TLS_SESSION_RESUMPTION_RESUMED)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_usleep (50000);
    }
}

static void
assert_server_agrees (Siege *siege)
{
  g_assert_cmpuint (test_server_count_resumed (siege->server), ==, (guint) siege->n_resumed);
  g_assert_cmpuint (test_server_count_handshakes (siege->server), ==, (guint) (siege->n_resumed + siege->n_full));
  g_test_message ("%d full handshakes, %d resumed", siege->n_full, siege->n_resumed);
}

static void
go_on_while_redis_is_away (gconstpointer options)
{
  g_autoptr (RedisServer) redis = redis_server_new (NULL);
  g_autoptr (TestServer) server = test_server_new (options);
  g_autoptr (Store) store = make_store_on (redis, NULL);
  Siege siege = { .server = server, .store = store };

  assert_full (&siege, 1, "the session store has none of this server");
  assert_resumed (&siege, 5);
  redis_server_kill (redis);
  assert_full (&siege, 5, "the session store failed (The Redis server at 127.0.0.1:");
  redis_server_start (redis);
  assert_resumes_at_last (&siege);
  assert_resumed (&siege, 5);
  assert_server_agrees (&siege);
}

/* A store that was made when there was no server. */
static void
begin_while_redis_is_away (void)
{
  g_autoptr (RedisServer) redis = redis_server_new (NULL);
  g_autoptr (TestServer) server = test_server_new (&(TestServerOptions){ .only_tls13 = TRUE });
  g_autoptr (Store) store = make_store_on (redis, NULL);
  Siege siege = { .server = server, .store = store };

  redis_server_kill (redis);
  assert_full (&siege, 3, "the session store failed (The Redis server at 127.0.0.1:");
  redis_server_start (redis);
  assert_resumes_at_last (&siege);
  assert_server_agrees (&siege);
}

/* It takes connections and never answers. The kernel does the first of that, so they wait for the store's time limit. */
static void
go_on_while_redis_hangs (void)
{
  g_autoptr (RedisServer) redis = redis_server_new (NULL);
  g_autoptr (TestServer) server = test_server_new (&(TestServerOptions){ .only_tls13 = TRUE });
  g_autoptr (Store) store = make_store_on (redis, &(StoreOptions){ .time_limit = SHORT });
  Siege siege = { .server = server, .store = store };

  assert_resumes_at_last (&siege);
  redis_server_send_signal (redis, SIGSTOP);
  assert_full (&siege, 5, "the session store failed (The Redis server at 127.0.0.1:");
  redis_server_send_signal (redis, SIGCONT);
  assert_resumes_at_last (&siege);
  assert_server_agrees (&siege);
}

/* In the midst */

static gpointer
visit_over_and_over (gpointer data)
{
  Siege *siege = data;

  while (!g_atomic_int_get (&siege->is_over))
    visit (siege, NULL);
  return NULL;
}

static void
wait_for_more (const int *count, int n_more)
{
  int n = g_atomic_int_get (count) + n_more;
  gint64 end = g_get_monotonic_time () + COMES_BACK_IN;

  while (g_atomic_int_get (count) < n)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_usleep (10000);
    }
}

static void
go_on_through_restarts (void)
{
  g_autoptr (RedisServer) redis = redis_server_new (&(RedisServerOptions){ .password = "s3cret" });
  g_autoptr (TestServer) server = test_server_new (&(TestServerOptions){ .only_tls13 = TRUE });
  g_autoptr (Store) store = make_store_on (redis, &(StoreOptions){ .key = 1 });
  Siege siege = { .server = server, .store = store };
  GThread *visitors[N_VISITORS];

  for (guint i = 0; i < N_VISITORS; i++)
    visitors[i] = g_thread_new ("visitor", visit_over_and_over, &siege);
  for (guint i = 0; i < client_scale (N_RESTARTS); i++)
    {
      wait_for_more (&siege.n_resumed, (int) client_scale (20));
      redis_server_kill (redis);
      wait_for_more (&siege.n_full, (int) client_scale (20));
      redis_server_start (redis);
    }
  wait_for_more (&siege.n_resumed, (int) client_scale (20));
  g_atomic_int_set (&siege.is_over, TRUE);
  for (guint i = 0; i < N_VISITORS; i++)
    g_thread_join (visitors[i]);
  assert_server_agrees (&siege);
}

int
main (int argc, char **argv)
{
  static const TestServerOptions tls13 = { .only_tls13 = TRUE };
  static const TestServerOptions tls12 = { .only_tls12 = TRUE };

  g_test_init (&argc, &argv, NULL);

  g_test_add_data_func ("/redis/connections/tls1.3/go_on_while_redis_is_away", &tls13, go_on_while_redis_is_away);
  g_test_add_data_func ("/redis/connections/tls1.2/go_on_while_redis_is_away", &tls12, go_on_while_redis_is_away);
  g_test_add_func ("/redis/connections/begin_while_redis_is_away", begin_while_redis_is_away);
  g_test_add_func ("/redis/connections/go_on_while_redis_hangs", go_on_while_redis_hangs);
  g_test_add_func ("/redis/connections/go_on_through_restarts", go_on_through_restarts);

  return g_test_run ();
}
