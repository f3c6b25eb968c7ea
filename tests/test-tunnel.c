/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* TLS over TLS, as to a server behind a proxy that is spoken to over TLS. Both have OpenSSL's queue of errors, which each
 * thread has one of.
 */

#include <string.h>

#include "client.h"

typedef struct
{
  TestPki *pki;
  GIOStream *near;
  GThread *far; /* serves both connections */
} Tunnel;

static void
serve (GIOStream *inner)
{
  char text[5];
  gsize n_read;

  if (!g_input_stream_read_all (g_io_stream_get_input_stream (inner), text, sizeof text, &n_read, NULL, NULL))
    return;
  g_output_stream_write_all (g_io_stream_get_output_stream (inner), text, n_read, NULL, NULL, NULL);
  g_io_stream_close (inner, NULL, NULL);
}

static gpointer
run_far_end (gpointer data)
{
  g_autoptr (GIOStream) tcp = data;
  GTlsCertificate *certificate = g_object_get_data (G_OBJECT (tcp), "certificate");
  g_autoptr (GTlsSessionServerConnection) outer = g_tls_session_server_connection_new (tcp, certificate, NULL);
  g_autoptr (GTlsSessionServerConnection)
    inner = g_tls_session_server_connection_new (G_IO_STREAM (outer), certificate, NULL);

  serve (G_IO_STREAM (inner));
  g_io_stream_close (tcp, NULL, NULL);
  return NULL;
}

static void
connect_pair (GIOStream **near, GIOStream **far)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);

  g_assert_cmpuint (port, !=, 0);
  *near = client_connect_tcp_to (port);
  *far = G_IO_STREAM (g_socket_listener_accept (listener, NULL, NULL, NULL));
  g_assert_nonnull (*far);
}

static Tunnel *
tunnel_new (void)
{
  Tunnel *self = g_new0 (Tunnel, 1);
  g_autoptr (GError) error = NULL;
  GTlsSessionCertificate *certificate;
  GIOStream *far;

  self->pki = test_pki_new ();
  certificate = g_tls_session_certificate_new_from_file (test_pki_get_path (self->pki, TEST_CERTIFICATE_GOOD), &error);
  g_assert_no_error (error);
  connect_pair (&self->near, &far);
  g_object_set_data_full (G_OBJECT (far), "certificate", certificate, g_object_unref);
  self->far = g_thread_new ("far end", run_far_end, far);
  return self;
}

static void
tunnel_free (Tunnel *self)
{
  g_io_stream_close (self->near, NULL, NULL);
  g_thread_join (self->far);
  g_object_unref (self->near);
  test_pki_free (self->pki);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Tunnel, tunnel_free)

static GTlsSessionHelper *
secure (Tunnel *self, GIOStream *base, const char *name)
{
  g_autoptr (GSocketConnectable) identity = g_network_address_new (name, 443);
  g_autoptr (GError) error = NULL;
  GTlsSessionHelper *helper = g_tls_session_helper_new_for_stream (base, identity, &error);
  g_autoptr (GTlsSessionFileDatabase) database = NULL;

  g_assert_no_error (error);
  database = g_tls_session_file_database_new (test_pki_get_ca_path (self->pki), &error);
  g_assert_no_error (error);
  g_tls_connection_set_database (client_connection (helper), G_TLS_DATABASE (database));
  return helper;
}

static void
tls_runs_over_tls (void)
{
  g_autoptr (Tunnel) tunnel = tunnel_new ();
  g_autoptr (GTlsSessionHelper) outer = secure (tunnel, tunnel->near, "localhost");
  g_autoptr (GTlsSessionHelper) inner = secure (tunnel, G_IO_STREAM (client_connection (outer)), "localhost");

  client_exchange (inner, "hello");
  client_close (inner);
}

static void
rejected_certificate_is_told_over_tls (void)
{
  g_autoptr (Tunnel) tunnel = tunnel_new ();
  g_autoptr (GTlsSessionHelper) outer = secure (tunnel, tunnel->near, "localhost");
  g_autoptr (GTlsSessionHelper) inner = secure (tunnel, G_IO_STREAM (client_connection (outer)), "elsewhere.example");
  g_autoptr (GError) error = NULL;

  g_assert_false (g_tls_connection_handshake (client_connection (inner), NULL, &error));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_assert_nonnull (strstr (error->message, "it is for another name"));
}

/* The far end echoes: it answers the inner ClientHello with itself. */
static void
unexpected_message_is_told_over_tls (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) outer = client_connect (server);
  g_autoptr (GTlsSessionHelper) inner = client_prepare_over (server, G_IO_STREAM (client_connection (outer)));
  g_autoptr (GError) error = NULL;

  g_assert_false (g_tls_connection_handshake (client_connection (inner), NULL, &error));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_HANDSHAKE);
  g_assert_nonnull (strstr (error->message, "unexpected message"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/tunnel/tls_runs_over_tls", tls_runs_over_tls);
  g_test_add_func ("/tunnel/rejected_certificate_is_told_over_tls", rejected_certificate_is_told_over_tls);
  g_test_add_func ("/tunnel/unexpected_message_is_told_over_tls", unexpected_message_is_told_over_tls);

  return g_test_run ();
}
