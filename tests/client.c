/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client.h"

#include <string.h>

GIOStream *
client_connect_tcp_to (guint16 port)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GError) error = NULL;
  GSocketConnection *tcp = g_socket_client_connect_to_host (client, "127.0.0.1", port, NULL, &error);

  g_assert_no_error (error);
  return G_IO_STREAM (tcp);
}

GIOStream *
client_connect_tcp (TestServer *server)
{
  return client_connect_tcp_to (test_server_get_port (server));
}

static void
trust (GTlsSessionHelper *helper, const char *ca_path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionFileDatabase) database = g_tls_session_file_database_new (ca_path, &error);

  g_assert_no_error (error);
  g_tls_connection_set_database (client_connection (helper), G_TLS_DATABASE (database));
}

static GTlsSessionHelper *
prepare_at (guint16 port, const char *ca_path, GIOStream *base, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketConnectable) identity = g_network_address_new (name, port);
  GTlsSessionHelper *helper = g_tls_session_helper_new_for_stream (base, identity, &error);

  g_assert_no_error (error);
  trust (helper, ca_path);
  /* What is resumed is what a test offers by hand. */
  g_object_set (client_connection (helper), "session-resumption-enabled", FALSE, NULL);
  return helper;
}

static GTlsSessionHelper *
prepare (TestServer *server, GIOStream *base, const char *name)
{
  return prepare_at (test_server_get_port (server), test_server_get_ca_path (server), base, name);
}

/* All prepared ones trust the server's root; their handshake is still to come. */
GTlsSessionHelper *
client_prepare_over (TestServer *server, GIOStream *base)
{
  return prepare (server, base, "localhost");
}

GTlsSessionHelper *
client_prepare_for (TestServer *server, const char *name)
{
  g_autoptr (GIOStream) tcp = client_connect_tcp (server);

  return prepare (server, tcp, name);
}

/* For a server of another kind, which is "localhost". */
GTlsSessionHelper *
client_prepare_to (guint16 port, const char *ca_path)
{
  g_autoptr (GIOStream) tcp = client_connect_tcp_to (port);

  return prepare_at (port, ca_path, tcp, "localhost");
}

GTlsSessionHelper *
client_prepare (TestServer *server)
{
  return client_prepare_for (server, "localhost");
}

GTlsConnection *
client_connection (GTlsSessionHelper *helper)
{
  return G_TLS_CONNECTION (g_tls_session_helper_get_connection (helper));
}

void
client_handshake (GTlsSessionHelper *helper)
{
  g_autoptr (GError) error = NULL;

  g_tls_connection_handshake (client_connection (helper), NULL, &error);
  g_assert_no_error (error);
}

GTlsSessionHelper *
client_connect (TestServer *server)
{
  GTlsSessionHelper *helper = client_prepare (server);

  client_handshake (helper);
  return helper;
}

GTlsSessionHelper *
client_connect_with_ticket (TestServer *server)
{
  GTlsSessionHelper *helper = client_prepare (server);
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionTicket) ticket = g_tls_session_helper_wait_for_ticket (helper, 10000, NULL, &error);

  g_assert_no_error (error);
  g_assert_nonnull (ticket);
  return helper;
}

/* A connection that offered what @source has, after its handshake. */
GTlsSessionHelper *
client_resume (TestServer *server, GTlsSessionHelper *source)
{
  GTlsSessionHelper *helper = client_prepare (server);
  g_autoptr (GError) error = NULL;

  g_tls_session_helper_copy_session_state (helper, source, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_tls_session_helper_get_resumption (helper), ==, G_TLS_SESSION_RESUMPTION_OFFERED);
  client_handshake (helper);
  return helper;
}

void
client_write (GTlsSessionHelper *helper, const void *bytes, gsize size)
{
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (client_connection (helper)));
  g_autoptr (GError) error = NULL;
  gsize n_written = 0;

  g_output_stream_write_all (output, bytes, size, &n_written, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n_written, ==, size);
}

void
client_read (GTlsSessionHelper *helper, void *buffer, gsize size)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (client_connection (helper)));
  g_autoptr (GError) error = NULL;
  gsize n_read = 0;

  g_input_stream_read_all (input, buffer, size, &n_read, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n_read, ==, size);
}

/* With a server that echoes. */
void
client_exchange (GTlsSessionHelper *helper, const char *text)
{
  gsize size = strlen (text);
  g_autofree char *answer = g_malloc (size);

  client_write (helper, text, size);
  client_read (helper, answer, size);
  g_assert_cmpmem (answer, size, text, size);
}

void
client_close (GTlsSessionHelper *helper)
{
  g_autoptr (GError) error = NULL;

  g_io_stream_close (G_IO_STREAM (client_connection (helper)), NULL, &error);
  g_assert_no_error (error);
}

guint
client_count_tickets (GTlsSessionHelper *helper)
{
  g_autolist (GTlsSessionTicket) tickets = g_tls_session_helper_list_tickets (helper);

  return g_list_length (tickets);
}

void
client_run_until (const gboolean *done)
{
  while (!*done)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
}

void
client_keep_result (GObject *object, GAsyncResult *result, gpointer data)
{
  GAsyncResult **place = data;

  *place = g_object_ref (result);
}

/* Owned by the caller. */
GAsyncResult *
client_await (GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  return g_steal_pointer (result);
}

guint
client_scale (guint count)
{
  return g_getenv ("GTLS_SESSION_SLOW") != NULL ? MAX (count / 10, 1) : count;
}
