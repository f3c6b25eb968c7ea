/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Connects to a server and keeps the TLS session in a file; the next run resumes it.
 *
 *   file-store FILE HOST[:PORT]
 */

#include <gtls-session.h>

static void
tell (GTlsSessionHelper *helper)
{
  g_autoptr (GEnumClass) names = g_type_class_ref (G_TLS_SESSION_TYPE_RESUMPTION);
  g_autofree char *sentence = g_tls_session_helper_explain (helper);

  g_print ("%s: %s\n", g_enum_get_value (names, g_tls_session_helper_get_resumption (helper))->value_nick, sentence);
}

static gboolean
visit (GTlsSessionStore *store, const char *host, GError **error)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnectable) address = g_network_address_parse (host, 443, error);
  g_autoptr (GSocketConnection) tcp = NULL;
  g_autoptr (GTlsSessionHelper) helper = NULL;
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  GTlsClientConnection *connection;

  tcp = address != NULL ? g_socket_client_connect (client, address, NULL, error) : NULL;
  helper = tcp != NULL ? g_tls_session_helper_new_for_stream (G_IO_STREAM (tcp), address, error) : NULL;
  if (helper == NULL)
    return FALSE;

  connection = g_tls_session_helper_get_connection (helper);
  g_tls_session_client_connection_set_session_store (G_TLS_SESSION_CLIENT_CONNECTION (connection), store);
  if (!g_tls_connection_handshake (G_TLS_CONNECTION (connection), NULL, error))
    return FALSE;
  tell (helper);

  /* Milliseconds; a TLS 1.3 server sends tickets after the handshake. */
  ticket = g_tls_session_helper_wait_for_ticket (helper, 5000, NULL, error);
  return ticket != NULL && g_io_stream_close (G_IO_STREAM (connection), NULL, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GTlsSessionFileStore) store = NULL;
  g_autoptr (GError) error = NULL;

  if (argc != 3)
    {
      g_printerr ("usage: %s FILE HOST[:PORT]\n", argv[0]);
      return 2;
    }

  store = g_tls_session_file_store_new (argv[1], &error);
  if (store != NULL && visit (G_TLS_SESSION_STORE (store), argv[2], &error))
    return 0;
  g_printerr ("%s\n", error->message);
  return 1;
}
