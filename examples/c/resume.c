/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Connects to a server twice and resumes the first session with the second connection.
 *
 *   resume HOST[:PORT]
 */

#include <gtls-session.h>

static void
on_ticket_available (GTlsSessionHelper *helper, GTlsSessionTicket *ticket, gpointer data)
{
  g_print ("A ticket arrived: %s, good for %u s\n", g_tls_session_ticket_get_id (ticket),
           g_tls_session_ticket_get_lifetime (ticket));
}

static GTlsSessionHelper *
connect_again (const char *host, GTlsSessionHelper *source, GError **error)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnectable) address = g_network_address_parse (host, 443, error);
  g_autoptr (GSocketConnection) tcp = NULL;
  g_autoptr (GTlsSessionHelper) helper = NULL;

  if (address == NULL)
    return NULL;
  tcp = g_socket_client_connect (client, address, NULL, error);
  if (tcp == NULL)
    return NULL;

  helper = g_tls_session_helper_new_for_stream (G_IO_STREAM (tcp), address, error);
  if (helper == NULL || !g_tls_session_helper_copy_session_state (helper, source, error) ||
      !g_tls_connection_handshake (G_TLS_CONNECTION (g_tls_session_helper_get_connection (helper)), NULL, error))
    return NULL;
  return g_steal_pointer (&helper);
}

static gboolean
resume (const char *host, GError **error)
{
  g_autoptr (GTlsSessionHelper) first = g_tls_session_helper_connect_to_host (host, 443, NULL, error);
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GTlsSessionHelper) second = NULL;
  g_autofree char *sentence = NULL;

  if (first == NULL)
    return FALSE;

  g_signal_connect (first, "ticket-available", G_CALLBACK (on_ticket_available), NULL);
  ticket = g_tls_session_helper_wait_for_ticket (first, 5000, NULL, error);
  second = ticket != NULL ? connect_again (host, first, error) : NULL;
  if (second == NULL)
    return FALSE;

  sentence = g_tls_session_helper_explain (second);
  g_print ("%s\n", sentence);
  return g_tls_session_helper_get_resumption (second) == G_TLS_SESSION_RESUMPTION_RESUMED;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  if (argc != 2)
    {
      g_printerr ("usage: %s HOST[:PORT]\n", argv[0]);
      return 2;
    }

  if (resume (argv[1], &error))
    return 0;
  if (error != NULL)
    g_printerr ("%s\n", error->message);
  return 1;
}
