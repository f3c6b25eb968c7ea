/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* bench-crowd idle|loop CLIENT N PORT CA
 *
 * idle: N connections that have exchanged a byte and wait; prints the bytes of heap that each holds. CLIENT: openssl, ours
 * loop: N connections at once in one main loop, each resumed, a byte there and back, and closed, three times over; prints
 *       the CPU time of each in µs, how many were resumed or failed, and the most threads there were. CLIENT: ours
 */

#include <gtls-session.h>
#include <malloc.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench-client.h"

static guint16 port;
static const char *ca_path;
static GTlsDatabase *database;
static GSocketConnectable *identity;

static void
raise_file_limit (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) == 0)
    {
      limit.rlim_cur = limit.rlim_max;
      setrlimit (RLIMIT_NOFILE, &limit);
    }
}

/* Idle */

static SSL_CTX *context;

static void
openssl_open (void)
{
  SSL *ssl;
  char byte = 'x';

  if (context == NULL)
    {
      context = SSL_CTX_new (TLS_client_method ());
      if (context == NULL || SSL_CTX_load_verify_locations (context, ca_path, NULL) != 1)
        fail ("no context");
      SSL_CTX_set_verify (context, SSL_VERIFY_PEER, NULL);
    }
  ssl = SSL_new (context);
  if (SSL_set_fd (ssl, connect_socket (port)) != 1 || SSL_set1_host (ssl, "localhost") != 1 || SSL_connect (ssl) != 1 ||
      SSL_write (ssl, &byte, 1) != 1 || SSL_read (ssl, &byte, 1) != 1)
    fail ("no exchange");
}

static GTlsConnection *
ours_new (void)
{
  g_autoptr (GSocket) socket = g_socket_new_from_fd (connect_socket (port), NULL);
  g_autoptr (GSocketConnection) tcp = g_socket_connection_factory_create_connection (socket);
  GTlsConnection *connection = G_TLS_CONNECTION (
    g_tls_session_client_connection_new (G_IO_STREAM (tcp), identity, NULL));

  g_tls_connection_set_database (connection, database);
  return connection;
}

static void
ours_open (void)
{
  GTlsConnection *connection = ours_new ();
  char byte = 'x';

  g_tls_session_client_connection_set_session_store (G_TLS_SESSION_CLIENT_CONNECTION (connection), NULL);
  if (!g_tls_connection_handshake (connection, NULL, NULL) ||
      g_output_stream_write (g_io_stream_get_output_stream (G_IO_STREAM (connection)), &byte, 1, NULL, NULL) != 1 ||
      g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (connection)), &byte, 1, NULL, NULL) != 1)
    fail ("no exchange");
}

static void
measure_idle (const char *client, guint n)
{
  void (*open) (void) = strcmp (client, "ours") == 0 ? ours_open : openssl_open;
  size_t before;

  for (guint i = 0; i < 10; i++)
    open (); /* what is made once is made now */
  before = mallinfo2 ().uordblks;
  for (guint i = 0; i < n; i++)
    open ();
  printf ("bytes-per-connection=%zu\n", (mallinfo2 ().uordblks - before) / n);
}

/* In one main loop */

#define N_ROUNDS 3

typedef struct
{
  guint n_open;
  guint n_resumed;
  guint n_failed;
} Crowd;

typedef struct
{
  Crowd *crowd;
  GTlsConnection *connection;
  char byte;
} Visitor;

static void
leave (Visitor *self, gboolean well)
{
  self->crowd->n_failed += !well;
  self->crowd->n_open--;
  g_object_unref (self->connection);
  g_free (self);
}

static void
on_closed (GObject *connection, GAsyncResult *result, gpointer data)
{
  leave (data, g_io_stream_close_finish (G_IO_STREAM (connection), result, NULL));
}

static void
on_read (GObject *input, GAsyncResult *result, gpointer data)
{
  Visitor *self = data;

  if (g_input_stream_read_finish (G_INPUT_STREAM (input), result, NULL) != 1)
    {
      leave (self, FALSE);
      return;
    }
  self->crowd->n_resumed += g_tls_session_connection_get_resumption (G_TLS_SESSION_CONNECTION (self->connection)) ==
                            G_TLS_SESSION_RESUMPTION_RESUMED;
  g_io_stream_close_async (G_IO_STREAM (self->connection), G_PRIORITY_DEFAULT, NULL, on_closed, self);
}

static void
on_written (GObject *output, GAsyncResult *result, gpointer data)
{
  Visitor *self = data;

  if (g_output_stream_write_finish (G_OUTPUT_STREAM (output), result, NULL) != 1)
    {
      leave (self, FALSE);
      return;
    }
  g_input_stream_read_async (g_io_stream_get_input_stream (G_IO_STREAM (self->connection)), &self->byte, 1,
                             G_PRIORITY_DEFAULT, NULL, on_read, self);
}

static void
on_handshaken (GObject *connection, GAsyncResult *result, gpointer data)
{
  Visitor *self = data;

  if (!g_tls_connection_handshake_finish (G_TLS_CONNECTION (connection), result, NULL))
    {
      leave (self, FALSE);
      return;
    }
  g_output_stream_write_async (g_io_stream_get_output_stream (G_IO_STREAM (self->connection)), &self->byte, 1,
                               G_PRIORITY_DEFAULT, NULL, on_written, self);
}

static void
visit (Crowd *crowd)
{
  Visitor *self = g_new0 (Visitor, 1);

  self->crowd = crowd;
  self->connection = ours_new ();
  self->byte = 'x';
  crowd->n_open++;
  g_tls_connection_handshake_async (self->connection, G_PRIORITY_DEFAULT, NULL, on_handshaken, self);
}

static guint
count_threads (void)
{
  g_autofree char *status = NULL;
  const char *line;

  if (!g_file_get_contents ("/proc/self/status", &status, NULL, NULL))
    return 0;
  line = strstr (status, "Threads:");
  return line != NULL ? (guint) atoi (line + strlen ("Threads:")) : 0;
}

static guint
run_round (guint n, Crowd *crowd)
{
  guint n_threads = 0;

  for (guint i = 0; i < n; i++)
    visit (crowd);
  while (crowd->n_open > 0)
    {
      g_main_context_iteration (NULL, TRUE);
      n_threads = MAX (n_threads, crowd->n_open % 64 == 0 ? count_threads () : 0);
    }
  return n_threads;
}

static void
measure_loop (guint n)
{
  Crowd crowd = { 0 };
  guint n_threads = 0;
  gint64 began;

  /* Tickets for all of the first round, two by two. */
  for (guint i = 0; i <= n / 2; i += 200)
    run_round (MIN (200, n / 2 - i + 1), &crowd);
  if (crowd.n_failed > 0)
    fail ("no tickets");
  crowd = (Crowd){ 0 };

  began = cpu_time ();
  for (guint i = 0; i < N_ROUNDS; i++)
    n_threads = MAX (n_threads, run_round (n, &crowd));
  printf ("us-per-connection=%.1f resumed=%u failed=%u threads=%u\n", (double) (cpu_time () - began) / (n * N_ROUNDS),
          crowd.n_resumed, crowd.n_failed, n_threads);
}

int
main (int argc, char **argv)
{
  guint n;

  if (argc != 6)
    fail ("usage: bench-crowd idle|loop CLIENT N PORT CA");
  n = (guint) atoi (argv[3]);
  port = (guint16) atoi (argv[4]);
  ca_path = argv[5];
  raise_file_limit ();
  identity = g_network_address_new ("localhost", port);
  database = G_TLS_DATABASE (g_tls_session_file_database_new (ca_path, NULL));

  if (strcmp (argv[1], "idle") == 0)
    measure_idle (argv[2], n);
  else
    measure_loop (n);
  return 0;
}
