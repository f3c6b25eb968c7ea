/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* bench-stores PORT CA file|redis PLACE PEERS PAIRS: how long a store of that many peers takes for so many puts and takes.
 * PLACE: a file, or a Redis server's URI. Keys come in no order. Prints NAME=VALUE. The store in memory, whose time lies in
 * the processor's caches and not in what it waits for, has bench-memory-store.
 */

#include <gtls-session.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench-client.h"

static GTlsSessionTicket *
receive_ticket (guint16 port, const char *ca_path)
{
  g_autoptr (GSocket) socket = g_socket_new_from_fd (bench_connect (port), NULL);
  g_autoptr (GSocketConnection) base = g_socket_connection_factory_create_connection (socket);
  g_autoptr (GSocketConnectable) identity = g_network_address_new ("localhost", port);
  g_autoptr (GTlsDatabase) database = G_TLS_DATABASE (g_tls_session_file_database_new (ca_path, NULL));
  g_autoptr (GTlsSessionHelper) helper = g_tls_session_helper_new_for_stream (G_IO_STREAM (base), identity, NULL);
  GTlsConnection *connection = G_TLS_CONNECTION (g_tls_session_helper_get_connection (helper));
  GTlsSessionTicket *ticket;

  g_tls_connection_set_database (connection, database);
  if (!g_tls_connection_handshake (connection, NULL, NULL))
    bench_fail ("the handshake failed");
  ticket = g_tls_session_helper_wait_for_ticket (helper, 5000, NULL, NULL);
  if (ticket == NULL)
    bench_fail ("there is no ticket");
  g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
  return ticket;
}

static GTlsSessionStore *
open_store (const char *kind, const char *place)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) key = g_bytes_new_take (g_strnfill (32, 'k'), 32);
  GTlsSessionStore *store = NULL;

  if (strcmp (kind, "file") == 0)
    store = G_TLS_SESSION_STORE (g_tls_session_file_store_new (place, &error));
  else if (strcmp (kind, "redis") == 0)
    store = G_TLS_SESSION_STORE (g_tls_session_redis_store_new (place, key, &error));

  if (store == NULL)
    bench_fail (error != NULL ? error->message : "there is no such store");
  return store;
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

static void
put (GTlsSessionStore *store, guint number, GTlsSessionTicket *ticket)
{
  g_autoptr (GError) error = NULL;
  char key[KEY_DIGITS + 1];

  make_key (key, number);
  if (!g_tls_session_store_put (store, key, ticket, &error))
    bench_fail (error != NULL ? error->message : "the store did not put");
}

static void
take (GTlsSessionStore *store, guint number)
{
  g_autoptr (GTlsSessionTicket) taken = NULL;
  g_autoptr (GError) error = NULL;
  char key[KEY_DIGITS + 1];

  make_key (key, number);
  taken = g_tls_session_store_take (store, key, &error);
  if (taken == NULL)
    bench_fail (error != NULL ? error->message : "the store lost a ticket");
}

int
main (int argc, char **argv)
{
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GTlsSessionStore) store = NULL;
  double began, cpu_began;
  guint n_peers, n_pairs;

  if (argc != 7)
    bench_fail ("usage: bench-stores PORT CA file|redis PLACE PEERS PAIRS");
  ticket = receive_ticket ((guint16) atoi (argv[1]), argv[2]);
  n_peers = (guint) atoi (argv[5]);
  n_pairs = (guint) atoi (argv[6]);
  store = open_store (argv[3], argv[4]);
  for (guint i = 0; i < n_peers; i++)
    put (store, i, ticket);

  began = bench_seconds ();
  cpu_began = bench_cpu_us ();
  for (guint i = 0; i < n_pairs; i++)
    {
      /* Each peer keeps one ticket throughout: what is put is taken again. */
      put (store, (guint) ((guint64) i * 7919 % n_peers), ticket);
      take (store, (guint) ((guint64) i * 7919 % n_peers));
    }
  printf ("pair-us=%.3f cpu-us=%.3f\n", (bench_seconds () - began) * 1e6 / n_pairs,
          (bench_cpu_us () - cpu_began) / n_pairs);
  return 0;
}
