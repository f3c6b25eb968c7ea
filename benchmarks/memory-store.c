/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* bench-memory-store [PEERS OPERATIONS]
 *
 * How long GTlsSessionMemoryStore takes for one put and one take, with 100 to 100,000 peers in it: a million of each,
 * three times over. With arguments it does so many in a store of that many peers, all in use, once, for callgrind to
 * count.
 *
 * Twice: with a hundred of the peers in use, however many there are, which shows what the store itself makes of those it
 * holds beside; and with all of them in use, all as often and in no order, so that what was used last tells nothing of
 * what is used next, which is the worst that can be asked of a processor's caches. Each peer has a ticket throughout, the
 * same one, and what is put is taken again; so what grows with the peers is the store and nothing else.
 * The keys are made on the spot, and what that takes is measured, too, and taken off.
 *
 * A busy machine should not show: what counts is the processor's time, and of each SLICE operations the least.
 */

#include <gtls-session.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "client.h"

#define N_OPERATIONS 1000000
#define SLICE 20000
#define N_ROUNDS 3
#define FEW 100
#define KEY_DIGITS 64

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

/* The key of the peer with this number, made on the spot as a connection makes its own: a list of all keys would take
 * the processor's cache from the store. Each digit depends on all of the number, as in a digest.
 */
static void
make_key (char *key, guint number)
{
  guint64 digits = number;

  for (guint i = 0; i < KEY_DIGITS; i++)
    {
      if (i % 8 == 0)
        digits = (digits + i + 1) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) >> 8;
      key[i] = "0123456789abcdef"[digits >> (24 + 4 * (i % 8)) & 15];
    }
  key[KEY_DIGITS] = '\0';
}

/* Knuth's linear congruential generator: the upper bits are in no order to speak of. */
static guint
choose_peer (guint64 *state, guint n_peers, guint n_in_use)
{
  *state = *state * G_GUINT64_CONSTANT (6364136223846793005) + G_GUINT64_CONSTANT (1442695040888963407);
  return (guint) ((*state >> 32) * n_in_use >> 32) * (n_peers / n_in_use);
}

static void
use_store (GTlsSessionStore *store, const char *key, GTlsSessionTicket *ticket)
{
  g_autoptr (GTlsSessionTicket) taken = NULL;

  g_tls_session_store_put (store, key, ticket, NULL);
  taken = g_tls_session_store_take (store, key, NULL);
  g_assert_nonnull (taken);
}

static volatile char sink; /* so that the compiler does not see that a key is made for nothing */

static double
now (void)
{
  struct timespec time;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &time);
  return (double) time.tv_sec * 1e9 + (double) time.tv_nsec;
}

/* ns for one pair of a put and a take, or without a store for what is around it. */
static double
time_slice (GTlsSessionStore *store,
            GTlsSessionTicket *ticket,
            guint n_peers,
            guint n_in_use,
            guint n_operations,
            guint64 *state)
{
  double began = now ();

  for (guint i = 0; i < n_operations; i++)
    {
      char key[KEY_DIGITS + 1];

      make_key (key, choose_peer (state, n_peers, n_in_use));
      if (store != NULL)
        use_store (store, key, ticket);
      else
        sink = key[i % KEY_DIGITS];
    }
  return (now () - began) / n_operations;
}

static GTlsSessionStore *
make_store (GTlsSessionTicket *ticket, guint n_peers)
{
  GTlsSessionStore *store = g_object_new (G_TLS_SESSION_TYPE_MEMORY_STORE, "max-peers", n_peers, NULL);

  for (guint i = 0; i < n_peers; i++)
    {
      char key[KEY_DIGITS + 1];

      make_key (key, i);
      g_tls_session_store_put (store, key, ticket, NULL);
    }
  return store;
}

static double
time_least (GTlsSessionStore *store, GTlsSessionTicket *ticket, guint n_peers, guint n_in_use)
{
  guint64 state = 1;
  double least = G_MAXDOUBLE;

  for (guint i = 0; i < N_OPERATIONS / SLICE; i++)
    {
      double time = time_slice (store, ticket, n_peers, n_in_use, SLICE, &state);

      least = MIN (least, time);
    }
  return least;
}

int
main (int argc, char **argv)
{
  static const guint sizes[] = { 100, 1000, 10000, 100000 };
  g_autoptr (GTlsSessionTicket) ticket = receive_ticket ();
  double around = G_MAXDOUBLE;
  double least[G_N_ELEMENTS (sizes)];     /* with all peers in use */
  double least_few[G_N_ELEMENTS (sizes)]; /* with FEW of them in use */

  if (argc == 3)
    {
      guint n_peers = (guint) atoi (argv[1]);
      g_autoptr (GTlsSessionStore) store = make_store (ticket, n_peers);
      guint64 state = 1;

      time_slice (store, ticket, n_peers, n_peers, (guint) atoi (argv[2]), &state);
      return 0;
    }

  for (guint round = 0; round < N_ROUNDS; round++)
    {
      double alone = time_least (NULL, ticket, sizes[0], FEW);

      around = MIN (around, alone);
      for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
        {
          g_autoptr (GTlsSessionStore) store = make_store (ticket, sizes[i]);
          double time = time_least (store, ticket, sizes[i], sizes[i]);
          double time_few = time_least (store, ticket, sizes[i], FEW);

          g_assert_cmpuint (g_tls_session_memory_store_get_n_peers (G_TLS_SESSION_MEMORY_STORE (store)), ==, sizes[i]);
          least[i] = round == 0 ? time : MIN (least[i], time);
          least_few[i] = round == 0 ? time_few : MIN (least_few[i], time_few);
        }
    }

  printf ("GTlsSessionMemoryStore, %d puts and as many takes: ns for one put and one take\n", N_OPERATIONS);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    printf ("%8u peers %8.0f ns, with %u of them in use %8.0f ns\n", sizes[i], least[i] - around, FEW,
            least_few[i] - around);
  printf ("   without a store %4.0f ns, taken off\n", around);
  return 0;
}
