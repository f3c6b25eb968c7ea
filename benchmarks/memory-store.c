/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* bench-memory-store [PEERS OPERATIONS]
 *
 * How long GTlsSessionMemoryStore takes for one put and one take, with 100 to 100,000 peers in it: a million of each.
 * With arguments it does so many in a store of that many peers, once, for callgrind to count.
 *
 * Keys come in no order; the least time of three rounds counts, so that a busy machine does not show in it.
 */

#include <gtls-session.h>
#include <stdio.h>
#include <stdlib.h>

#include "client.h"

#define N_OPERATIONS 1000000
#define N_ROUNDS 3

static GTlsSessionTicket *
receive_ticket (void)
{
  TestServerOptions options = { .only_tls13 = TRUE };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect_with_ticket (server);
  GTlsSessionTicket *ticket = g_tls_session_helper_get_ticket (helper);

  client_close (helper);
  return ticket;
}

#define KEY_DIGITS 64

/* The key of the peer with this number, made on the spot as a connection makes its own: a list of all keys would take
 * the processor's cache from the store.
 */
static void
make_key (char *key, guint number)
{
  guint scattered = number * 2654435761u;

  for (guint i = 0; i < KEY_DIGITS; i++)
    key[i] = "0123456789abcdef"[scattered >> 4 * (i % 8) & 15];
  key[KEY_DIGITS] = '\0';
}

/* Each peer keeps one ticket throughout: what is put is taken again. ns for a pair of a put and a take. */
static double
time_pairs (GTlsSessionStore *store, GTlsSessionTicket *ticket, guint n_peers, guint n_operations)
{
  gint64 began = g_get_monotonic_time ();

  for (guint i = 0; i < n_operations; i++)
    {
      g_autoptr (GTlsSessionTicket) taken = NULL;
      char key[KEY_DIGITS + 1];

      make_key (key, (guint) ((guint64) i * 7919 % n_peers));
      g_tls_session_store_put (store, key, ticket, NULL);
      taken = g_tls_session_store_take (store, key, NULL);
      g_assert_nonnull (taken);
    }
  return (double) (g_get_monotonic_time () - began) * 1000 / n_operations;
}

static double
measure (GTlsSessionTicket *ticket, guint n_peers, guint n_operations, guint n_rounds)
{
  g_autoptr (GTlsSessionStore) store = g_object_new (G_TLS_SESSION_TYPE_MEMORY_STORE, "max-peers", n_peers, NULL);
  double least = G_MAXDOUBLE;

  for (guint i = 0; i < n_peers; i++)
    {
      char key[KEY_DIGITS + 1];

      make_key (key, i);
      g_tls_session_store_put (store, key, ticket, NULL);
    }
  for (guint i = 0; i < n_rounds; i++)
    least = MIN (least, time_pairs (store, ticket, n_peers, n_operations));
  g_assert_cmpuint (g_tls_session_memory_store_get_n_peers (G_TLS_SESSION_MEMORY_STORE (store)), ==, n_peers);
  return least;
}

int
main (int argc, char **argv)
{
  static const guint sizes[] = { 100, 1000, 10000, 100000 };
  g_autoptr (GTlsSessionTicket) ticket = receive_ticket ();

  if (argc == 3)
    {
      measure (ticket, (guint) atoi (argv[1]), (guint) atoi (argv[2]), 1);
      return 0;
    }

  printf ("GTlsSessionMemoryStore, %d puts and as many takes: ns for one put and one take\n", N_OPERATIONS);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      printf ("%8u peers %8.0f ns\n", sizes[i], measure (ticket, sizes[i], N_OPERATIONS, N_ROUNDS));
      fflush (stdout);
    }
  return 0;
}
