/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* bench-bulk CLIENT read|write CALL-SIZE EXPONENT PORT CA: 2^EXPONENT MiB over one connection, in calls of CALL-SIZE bytes.
 *
 * CLIENT: openssl, ours, ours-async, or gio (the TLS backend that GIO has chosen)
 *
 * It prints the CPU time in ns for each KiB, handshake and close left out.
 */

#include <gtls-session.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench-client.h"

static guint16 port;
static const char *ca_path;
static gboolean writing;
static gsize call_size;
static gsize total;
static char *block;
static char wish[2];

/* OpenSSL alone */

static gint64
openssl_measure (void)
{
  SSL_CTX *context = SSL_CTX_new (TLS_client_method ());
  SSL *ssl = SSL_new (context);
  gint64 began;
  gsize done = 0;

  if (SSL_CTX_load_verify_locations (context, ca_path, NULL) != 1 || SSL_set_fd (ssl, connect_socket (port)) != 1 ||
      SSL_set1_host (ssl, "localhost") != 1)
    fail ("no SSL");
  SSL_set_verify (ssl, SSL_VERIFY_PEER, NULL);
  if (SSL_connect (ssl) != 1 || SSL_write (ssl, wish, sizeof wish) != sizeof wish)
    fail ("no handshake");

  began = cpu_time ();
  while (done < total)
    {
      int n = writing ? SSL_write (ssl, block, (int) call_size) : SSL_read (ssl, block, (int) call_size);

      if (n <= 0)
        fail ("it broke off");
      done += (gsize) n;
    }
  return cpu_time () - began;
}

/* On GLib */

static GIOStream *
connect_glib (gboolean ours)
{
  g_autoptr (GSocket) socket = g_socket_new_from_fd (connect_socket (port), NULL);
  g_autoptr (GSocketConnection) tcp = g_socket_connection_factory_create_connection (socket);
  g_autoptr (GSocketConnectable) identity = g_network_address_new ("localhost", port);
  g_autoptr (GTlsDatabase) database = NULL;
  GIOStream *connection;

  if (ours)
    {
      database = G_TLS_DATABASE (g_tls_session_file_database_new (ca_path, NULL));
      connection = G_IO_STREAM (g_tls_session_client_connection_new (G_IO_STREAM (tcp), identity, NULL));
    }
  else
    {
      database = g_tls_file_database_new (ca_path, NULL);
      connection = g_tls_client_connection_new (G_IO_STREAM (tcp), identity, NULL);
    }

  if (connection == NULL || database == NULL)
    fail ("no connection");
  g_tls_connection_set_database (G_TLS_CONNECTION (connection), database);
  if (!g_tls_connection_handshake (G_TLS_CONNECTION (connection), NULL, NULL) ||
      g_output_stream_write (g_io_stream_get_output_stream (connection), wish, sizeof wish, NULL, NULL) != sizeof wish)
    fail ("no handshake");
  return connection;
}

static gint64
measure_sync (gboolean ours)
{
  GIOStream *connection = connect_glib (ours);
  GInputStream *input = g_io_stream_get_input_stream (connection);
  GOutputStream *output = g_io_stream_get_output_stream (connection);
  gint64 began = cpu_time ();
  gsize done = 0;

  while (done < total)
    {
      gssize n = writing ? g_output_stream_write (output, block, call_size, NULL, NULL)
                         : g_input_stream_read (input, block, call_size, NULL, NULL);

      if (n <= 0)
        fail ("it broke off");
      done += (gsize) n;
    }
  return cpu_time () - began;
}

static gint64
ours_measure (void)
{
  return measure_sync (TRUE);
}

static gint64
gio_measure (void)
{
  return measure_sync (FALSE);
}

static gsize async_done;

static void go_on (GIOStream *connection);

static void
on_written (GObject *output, GAsyncResult *result, gpointer connection)
{
  gssize n = g_output_stream_write_finish (G_OUTPUT_STREAM (output), result, NULL);

  if (n <= 0)
    fail ("it broke off");
  async_done += (gsize) n;
  go_on (connection);
}

static void
on_read (GObject *input, GAsyncResult *result, gpointer connection)
{
  gssize n = g_input_stream_read_finish (G_INPUT_STREAM (input), result, NULL);

  if (n <= 0)
    fail ("it broke off");
  async_done += (gsize) n;
  go_on (connection);
}

static void
go_on (GIOStream *connection)
{
  if (async_done >= total)
    return;
  if (writing)
    g_output_stream_write_async (g_io_stream_get_output_stream (connection), block, call_size, G_PRIORITY_DEFAULT, NULL,
                                 on_written, connection);
  else
    g_input_stream_read_async (g_io_stream_get_input_stream (connection), block, call_size, G_PRIORITY_DEFAULT, NULL,
                               on_read, connection);
}

static gint64
ours_async_measure (void)
{
  GIOStream *connection = connect_glib (TRUE);
  gint64 began = cpu_time ();

  go_on (connection);
  while (async_done < total)
    g_main_context_iteration (NULL, TRUE);
  return cpu_time () - began;
}

static const struct
{
  const char *name;
  gint64 (*measure) (void);
} clients[] = {
  { "openssl", openssl_measure },
  { "ours", ours_measure },
  { "ours-async", ours_async_measure },
  { "gio", gio_measure },
};

int
main (int argc, char **argv)
{
  if (argc != 7)
    fail ("usage: bench-bulk CLIENT read|write CALL-SIZE EXPONENT PORT CA");
  writing = strcmp (argv[2], "write") == 0;
  call_size = (gsize) atol (argv[3]);
  total = (gsize) 1024 * 1024 << atoi (argv[4]);
  wish[0] = writing ? 's' : 'f';
  wish[1] = argv[4][0];
  port = (guint16) atoi (argv[5]);
  ca_path = argv[6];
  block = g_malloc0 (call_size);

  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    if (strcmp (clients[i].name, argv[1]) == 0)
      {
        printf ("ns-per-kib=%.0f\n", (double) clients[i].measure () * 1000 / (double) (total / 1024));
        return 0;
      }
  fail ("no such client");
}
