/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A TLS server that sends back what it reads, resumes sessions, and rotates the keys of its tickets.
 *
 *   rotate-keys CERTIFICATE PORT SECONDS
 *
 * CERTIFICATE is a PEM file with the chain and the key; PORT 0 is a free one. There is a new ticket key every SECONDS (a
 * day is 86400), and at once on SIGHUP; the old ones open their tickets until those expire.
 */

#include <glib-unix.h>
#include <gtls-session.h>
#include <stdlib.h>

static GTlsSessionCertificate *certificate;
static GTlsSessionTicketKeys *keys;

static gboolean
talk (gpointer tls, GError **error)
{
  GTlsSessionResumption resumption;

  if (tls == NULL || !g_tls_connection_handshake (tls, NULL, error))
    return FALSE;
  resumption = g_tls_session_connection_get_resumption (tls);
  g_print ("A client came: %s\n", resumption == G_TLS_SESSION_RESUMPTION_RESUMED ? "resumed" : "a new session");
  return g_output_stream_splice (g_io_stream_get_output_stream (tls), g_io_stream_get_input_stream (tls), 0, NULL,
                                 error) >= 0 &&
         g_io_stream_close (tls, NULL, error);
}

static gboolean
on_run (GThreadedSocketService *service, GSocketConnection *tcp, GObject *source, gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsConnection) tls = g_initable_new (G_TLS_SESSION_TYPE_SERVER_CONNECTION, NULL, &error, "base-io-stream",
                                                   tcp, "certificate", certificate, "ticket-keys", keys, NULL);

  g_socket_set_timeout (g_socket_connection_get_socket (tcp), 60); /* seconds without a word */
  if (!talk (tls, &error))
    g_print ("A connection failed: %s\n", error->message);
  return TRUE;
}

static gboolean
rotate (gpointer data)
{
  g_autoptr (GError) error = NULL;

  if (g_tls_session_ticket_keys_rotate (keys, &error))
    g_print ("There is a new ticket key, and %u in all\n", g_tls_session_ticket_keys_get_n_keys (keys));
  else
    g_print ("The old ticket key stays: %s\n", error->message);
  return G_SOURCE_CONTINUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GSocketService) service = g_threaded_socket_service_new (16); /* clients, each in a thread of its own */
  g_autoptr (GSocketAddress) actual = NULL;
  g_autoptr (GSocketAddress) at = g_inet_socket_address_new_from_string ("127.0.0.1", argc > 2 ? atoi (argv[2]) : 0);
  g_autoptr (GError) error = NULL;

  certificate = argc == 4 ? g_tls_session_certificate_new_from_file (argv[1], &error) : NULL;
  keys = certificate != NULL ? g_tls_session_ticket_keys_new (&error) : NULL;
  if (keys == NULL || !g_socket_listener_add_address (G_SOCKET_LISTENER (service), at, G_SOCKET_TYPE_STREAM,
                                                      G_SOCKET_PROTOCOL_TCP, NULL, &actual, &error))
    {
      g_printerr ("%s\n", error != NULL ? error->message : "usage: rotate-keys CERTIFICATE PORT SECONDS");
      return 1;
    }

  g_print ("Listening on port %u\n", g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (actual)));
  g_signal_connect (service, "run", G_CALLBACK (on_run), NULL);
  g_timeout_add_seconds ((guint) atoi (argv[3]), rotate, NULL);
  g_unix_signal_add (SIGHUP, rotate, NULL);
  g_main_loop_run (g_main_loop_new (NULL, FALSE));
}
