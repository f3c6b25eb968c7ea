/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Many processes and threads at one Redis store: each ticket is given out once, and none is lost. */

#include <stdlib.h>
#include <string.h>

#include "stores.h"
#include "tickets.h"

#define N_TAKERS 8
#define TICKETS_PER_PEER 50
#define KEY 7
#define N_PEERS_OF_PROCESSES 200 /* 10,000 tickets */
#define N_PEERS_OF_THREADS 40

static const char *own_path;

static guint
scale (guint count)
{
  return g_getenv ("GTLS_SESSION_SLOW") != NULL ? count / 10 : count;
}

static Store *
make_fleet_store (const char *uri)
{
  return make_store (uri, &(StoreOptions){ .key = KEY, .max_tickets = TICKETS_PER_PEER });
}

static char *
peer_name (guint number)
{
  return g_strdup_printf ("%064x", number);
}

/* Fills @ids with the tickets that the server then has. */
static void
fill (const char *uri, guint n_peers, GHashTable *ids)
{
  g_autoptr (Store) store = make_fleet_store (uri);
  g_autoptr (TicketMaker) maker = ticket_maker_new (HANDSHAKE_TLS_1_3);

  for (guint i = 0; i < n_peers * TICKETS_PER_PEER; i++)
    {
      g_autoptr (Ticket) ticket = ticket_maker_make (maker);
      g_autofree char *peer = peer_name (i % n_peers);

      put (store, peer, ticket);
      g_assert_true (g_hash_table_add (ids, g_strdup (g_tls_session_ticket_get_id (ticket))));
    }
}

/* Takes all there are; every taker goes from peer to peer in the same order, so that they meet. */
static void
take_all (Store *store, guint n_peers, GString *ids)
{
  for (guint i = 0; i < n_peers;)
    {
      g_autofree char *peer = peer_name (i);
      g_autoptr (GError) error = NULL;
      g_autoptr (Ticket) ticket = g_tls_session_store_take (G_TLS_SESSION_STORE (store), peer, &error);

      g_assert_no_error (error);
      if (ticket != NULL)
        g_string_append_printf (ids, "%s\n", g_tls_session_ticket_get_id (ticket));
      else
        i++;
    }
}

/* Each line of @taken is a ticket of @ids, and leaves it. */
static guint
strike_off (GHashTable *ids, const char *taken)
{
  g_auto (GStrv) lines = g_strsplit (taken, "\n", -1);
  guint n = 0;

  for (; lines[n] != NULL && *lines[n] != '\0'; n++)
    if (!g_hash_table_remove (ids, lines[n]))
      g_error ("The ticket %s was taken twice, or never put", lines[n]);
  return n;
}

static char *
read_all (GInputStream *stream)
{
  g_autoptr (GOutputStream) text = g_memory_output_stream_new_resizable ();
  g_autoptr (GError) error = NULL;

  g_output_stream_splice (text, stream, G_OUTPUT_STREAM_SPLICE_NONE, NULL, &error);
  g_assert_no_error (error);
  g_output_stream_write_all (text, "", 1, NULL, NULL, NULL);
  g_output_stream_close (text, NULL, NULL);
  return g_memory_output_stream_steal_data (G_MEMORY_OUTPUT_STREAM (text));
}

static void
gives_each_process_its_own (void)
{
  g_autoptr (RedisServer) server = redis_server_new (&(RedisServerOptions){ .password = "s3cret" });
  g_autofree char *uri = redis_server_make_own_uri (server);
  g_autoptr (GHashTable) ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GSubprocess *takers[N_TAKERS];
  guint n_busy = 0;

  fill (uri, scale (N_PEERS_OF_PROCESSES), ids);
  for (guint i = 0; i < N_TAKERS; i++)
    {
      takers[i] = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, NULL, own_path,
                                    "--take", uri, NULL);
      g_assert_nonnull (takers[i]);
    }

  /* They begin when their input ends, so that they begin together. */
  for (guint i = 0; i < N_TAKERS; i++)
    g_output_stream_close (g_subprocess_get_stdin_pipe (takers[i]), NULL, NULL);

  for (guint i = 0; i < N_TAKERS; i++)
    {
      g_autofree char *taken = read_all (g_subprocess_get_stdout_pipe (takers[i]));
      guint n = strike_off (ids, taken);

      g_assert_true (g_subprocess_wait_check (takers[i], NULL, NULL));
      g_test_message ("Process %u took %u", i, n);
      n_busy += n > 0;
      g_object_unref (takers[i]);
    }
  g_assert_cmpuint (g_hash_table_size (ids), ==, 0);
  g_assert_cmpuint (n_busy, >, 1);
}

static int
be_a_taker (const char *uri)
{
  g_autoptr (Store) store = make_fleet_store (uri);
  g_autoptr (GString) ids = g_string_new (NULL);

  while (getchar () != EOF)
    continue;
  take_all (store, scale (N_PEERS_OF_PROCESSES), ids);
  fputs (ids->str, stdout);
  return 0;
}

static gpointer
take_all_in_thread (gpointer store)
{
  GString *ids = g_string_new (NULL);

  take_all (store, scale (N_PEERS_OF_THREADS), ids);
  return g_string_free (ids, FALSE);
}

/* They share one store, and so one connection. */
static void
gives_each_thread_its_own (void)
{
  g_autoptr (RedisServer) server = redis_server_new (NULL);
  g_autofree char *uri = redis_server_make_own_uri (server);
  g_autoptr (GHashTable) ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (Store) store = make_fleet_store (uri);
  GThread *takers[N_TAKERS];

  fill (uri, scale (N_PEERS_OF_THREADS), ids);
  for (guint i = 0; i < N_TAKERS; i++)
    takers[i] = g_thread_new ("taker", take_all_in_thread, store);
  for (guint i = 0; i < N_TAKERS; i++)
    {
      g_autofree char *taken = g_thread_join (takers[i]);

      strike_off (ids, taken);
    }
  g_assert_cmpuint (g_hash_table_size (ids), ==, 0);
}

int
main (int argc, char **argv)
{
  if (argc == 3 && g_str_equal (argv[1], "--take"))
    return be_a_taker (argv[2]);

  g_test_init (&argc, &argv, NULL);
  own_path = argv[0];

  g_test_add_func ("/redis/fleet/gives_each_process_its_own", gives_each_process_its_own);
  g_test_add_func ("/redis/fleet/gives_each_thread_its_own", gives_each_thread_its_own);

  return g_test_run ();
}
