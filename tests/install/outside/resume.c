/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A program outside the tree: resume HOST:PORT. It has a handshake, waits for a ticket, and resumes. */

#include <gtls-session.h>

static GTlsSessionHelper *
prepare (GSocketConnectable *address, GError **error)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) tcp = g_socket_client_connect (client, address, NULL, error);

  return tcp != NULL ? g_tls_session_helper_new_for_stream (G_IO_STREAM (tcp), address, error) : NULL;
}

static void
tell (GTlsSessionHelper *helper)
{
  g_autoptr (GEnumClass) nicks = g_type_class_ref (G_TLS_SESSION_TYPE_RESUMPTION);

  g_print ("%s\n", g_enum_get_value (nicks, g_tls_session_helper_get_resumption (helper))->value_nick);
}

static gboolean
resume (const char *host, GError **error)
{
  g_autoptr (GSocketConnectable) address = g_network_address_parse (host, 443, error);
  g_autoptr (GTlsSessionHelper) first = NULL;
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GTlsSessionHelper) second = NULL;

  if (address == NULL || (first = g_tls_session_helper_connect_to_host (host, 443, NULL, error)) == NULL)
    return FALSE;
  tell (first);

  ticket = g_tls_session_helper_wait_for_ticket (first, 10000, NULL, error);
  if (ticket == NULL)
    return FALSE;
  g_print ("ticket of %s\n", g_tls_session_ticket_get_server_name (ticket));

  second = prepare (address, error);
  if (second == NULL || !g_tls_session_helper_copy_session_state (second, first, error) ||
      !g_tls_connection_handshake (G_TLS_CONNECTION (g_tls_session_helper_get_connection (second)), NULL, error))
    return FALSE;
  tell (second);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  if (resume (argv[argc - 1], &error))
    return 0;
  g_printerr ("%s\n", error->message);
  return 1;
}
