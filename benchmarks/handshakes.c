/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* bench-handshakes CLIENT MODE N PORT CA: N connections, one after the other, each with a handshake, one byte there and
 * back, and a close. For bench.py, which runs it under callgrind and by the clock.
 *
 * CLIENT: openssl (as an expert would write it), ours, ours-async, or gio (the TLS backend that GIO has chosen)
 * MODE:   full, or resumed: each connection by a ticket of the one before
 *
 * It prints how many were resumed, and the CPU time in µs that the connections took, without what comes before them.
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
static gboolean resume;
static guint n_resumed;

/* OpenSSL alone */

static SSL_CTX *context;
static SSL_SESSION *kept_session;

static int
keep_session (SSL *ssl, SSL_SESSION *session)
{
  SSL_SESSION_free (kept_session);
  kept_session = session;
  return 1;
}

static void
openssl_prepare (void)
{
  context = SSL_CTX_new (TLS_client_method ());
  if (context == NULL || SSL_CTX_load_verify_locations (context, ca_path, NULL) != 1)
    fail ("no context");
  SSL_CTX_set_verify (context, SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_session_cache_mode (context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb (context, keep_session);
}

static void
openssl_visit (void)
{
  int fd = connect_socket (port);
  SSL *ssl = SSL_new (context);
  char byte = 'x';

  if (ssl == NULL || SSL_set_fd (ssl, fd) != 1 || SSL_set1_host (ssl, "localhost") != 1 ||
      SSL_set_tlsext_host_name (ssl, "localhost") != 1)
    fail ("no SSL");
  if (resume && kept_session != NULL)
    SSL_set_session (ssl, kept_session);
  if (SSL_connect (ssl) != 1 || SSL_write (ssl, &byte, 1) != 1 || SSL_read (ssl, &byte, 1) != 1)
    fail ("no exchange");
  n_resumed += SSL_session_reused (ssl) == 1;
  SSL_shutdown (ssl);
  SSL_free (ssl);
  close (fd);
}

/* On GLib */

static GSocketConnectable *identity;
static GTlsDatabase *database;
static GTlsSessionHelper *previous;
static GTlsConnection *previous_connection;

static GIOStream *
connect_stream (void)
{
  g_autoptr (GSocket) socket = g_socket_new_from_fd (connect_socket (port), NULL);

  if (socket == NULL)
    fail ("no socket");
  return G_IO_STREAM (g_socket_connection_factory_create_connection (socket));
}

static void
ours_prepare (void)
{
  identity = g_network_address_new ("localhost", port);
  database = G_TLS_DATABASE (g_tls_session_file_database_new (ca_path, NULL));
  if (database == NULL)
    fail ("no database");
}

static void
exchange (GTlsConnection *connection)
{
  char byte = 'x';

  if (g_output_stream_write (g_io_stream_get_output_stream (G_IO_STREAM (connection)), &byte, 1, NULL, NULL) != 1 ||
      g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (connection)), &byte, 1, NULL, NULL) != 1)
    fail ("no exchange");
}

static GTlsSessionHelper *
ours_new (void)
{
  g_autoptr (GIOStream) stream = connect_stream ();
  GTlsSessionHelper *helper = g_tls_session_helper_new_for_stream (stream, identity, NULL);
  GTlsClientConnection *connection = g_tls_session_helper_get_connection (helper);

  g_tls_connection_set_database (G_TLS_CONNECTION (connection), database);
  g_tls_session_client_connection_set_session_store (G_TLS_SESSION_CLIENT_CONNECTION (connection), NULL);
  if (resume && previous != NULL && !g_tls_session_helper_copy_session_state (helper, previous, NULL))
    fail ("no ticket");
  return helper;
}

static void
ours_end (GTlsSessionHelper *helper)
{
  n_resumed += g_tls_session_helper_get_resumption (helper) == G_TLS_SESSION_RESUMPTION_RESUMED;
  g_clear_object (&previous);
  previous = helper;
}

static void
ours_visit (void)
{
  GTlsSessionHelper *helper = ours_new ();
  GTlsConnection *connection = G_TLS_CONNECTION (g_tls_session_helper_get_connection (helper));

  if (!g_tls_connection_handshake (connection, NULL, NULL))
    fail ("no handshake");
  exchange (connection);
  if (!g_io_stream_close (G_IO_STREAM (connection), NULL, NULL))
    fail ("no close");
  ours_end (helper);
}

static gboolean async_done;
static char async_byte;

static void
on_closed (GObject *connection, GAsyncResult *result, gpointer data)
{
  if (!g_io_stream_close_finish (G_IO_STREAM (connection), result, NULL))
    fail ("no close");
  async_done = TRUE;
}

static void
on_read (GObject *input, GAsyncResult *result, gpointer connection)
{
  if (g_input_stream_read_finish (G_INPUT_STREAM (input), result, NULL) != 1)
    fail ("no read");
  g_io_stream_close_async (connection, G_PRIORITY_DEFAULT, NULL, on_closed, NULL);
}

static void
on_written (GObject *output, GAsyncResult *result, gpointer connection)
{
  if (g_output_stream_write_finish (G_OUTPUT_STREAM (output), result, NULL) != 1)
    fail ("no write");
  g_input_stream_read_async (g_io_stream_get_input_stream (connection), &async_byte, 1, G_PRIORITY_DEFAULT, NULL,
                             on_read, connection);
}

static void
on_handshaken (GObject *connection, GAsyncResult *result, gpointer data)
{
  if (!g_tls_connection_handshake_finish (G_TLS_CONNECTION (connection), result, NULL))
    fail ("no handshake");
  g_output_stream_write_async (g_io_stream_get_output_stream (G_IO_STREAM (connection)), &async_byte, 1,
                               G_PRIORITY_DEFAULT, NULL, on_written, connection);
}

static void
ours_async_visit (void)
{
  GTlsSessionHelper *helper = ours_new ();
  GTlsConnection *connection = G_TLS_CONNECTION (g_tls_session_helper_get_connection (helper));

  async_done = FALSE;
  async_byte = 'x';
  g_tls_connection_handshake_async (connection, G_PRIORITY_DEFAULT, NULL, on_handshaken, NULL);
  while (!async_done)
    g_main_context_iteration (NULL, TRUE);
  ours_end (helper);
}

static void
gio_prepare (void)
{
  identity = g_network_address_new ("localhost", port);
  database = g_tls_file_database_new (ca_path, NULL);
  if (database == NULL)
    fail ("no database");
}

static gboolean
gio_was_resumed (GTlsConnection *connection)
{
  gboolean resumed = FALSE;

  if (g_object_class_find_property (G_OBJECT_GET_CLASS (connection), "session-reused") != NULL)
    g_object_get (connection, "session-reused", &resumed, NULL);
  return resumed;
}

static void
gio_visit (void)
{
  g_autoptr (GIOStream) stream = connect_stream ();
  GTlsConnection *connection = G_TLS_CONNECTION (g_tls_client_connection_new (stream, identity, NULL));

  if (connection == NULL)
    fail ("no backend");
  g_tls_connection_set_database (connection, database);
  if (resume && previous_connection != NULL)
    g_tls_client_connection_copy_session_state (G_TLS_CLIENT_CONNECTION (connection),
                                                G_TLS_CLIENT_CONNECTION (previous_connection));
  if (!g_tls_connection_handshake (connection, NULL, NULL))
    fail ("no handshake");
  exchange (connection);
  n_resumed += gio_was_resumed (connection);
  g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
  g_clear_object (&previous_connection);
  previous_connection = connection;
}

static const struct
{
  const char *name;
  void (*prepare) (void);
  void (*visit) (void);
} clients[] = {
  { "openssl", openssl_prepare, openssl_visit },
  { "ours", ours_prepare, ours_visit },
  { "ours-async", ours_prepare, ours_async_visit },
  { "gio", gio_prepare, gio_visit },
};

int
main (int argc, char **argv)
{
  gint64 began;
  guint n;

  if (argc != 6)
    fail ("usage: bench-handshakes CLIENT MODE N PORT CA");
  resume = strcmp (argv[2], "resumed") == 0;
  n = (guint) atoi (argv[3]);
  port = (guint16) atoi (argv[4]);
  ca_path = argv[5];

  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    {
      if (strcmp (clients[i].name, argv[1]) != 0)
        continue;
      clients[i].prepare ();
      clients[i].visit (); /* what is made once is made now */
      n_resumed = 0;
      began = cpu_time ();
      for (guint j = 0; j < n; j++)
        clients[i].visit ();
      printf ("resumed=%u cpu-us=%" G_GINT64_FORMAT "\n", n_resumed, cpu_time () - began);
      return 0;
    }
  fail ("no such client");
}
