/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gtls-session-helper.h"

/* TCP and TLS in one call, for the program that just wants a connection. GSocketClient finds the addresses and tries
 * them; the TLS is ours whatever backend Gio has.
 */

static GTlsSessionHelper *
wrap (GSocketConnection *tcp, GSocketConnectable *identity, GError **error)
{
  return g_tls_session_helper_new_for_stream (G_IO_STREAM (tcp), identity, error);
}

/**
 * g_tls_session_helper_connect_to_host:
 * @host_and_port: the server, as "name", "name:port", "address" or "[IPv6 address]:port"
 * @default_port: the port if @host_and_port names none
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Connects to a server and does a TLS handshake with it.
 *
 * The certificate has to be trusted by the system's database and valid for the name. A program that wants it otherwise,
 * or wants to offer a session, makes the TCP connection itself and uses [ctor@GTlsSession.Helper.new_for_stream].
 *
 * The errors are those of [method@Gio.SocketClient.connect] and of [method@Gio.TlsConnection.handshake].
 *
 * Returns: (transfer full): a helper whose connection has completed its handshake
 * Since: 0.1
 */
GTlsSessionHelper *
g_tls_session_helper_connect_to_host (const char *host_and_port,
                                      guint16 default_port,
                                      GCancellable *cancellable,
                                      GError **error)
{
  g_autoptr (GSocketClient) client = NULL;
  g_autoptr (GSocketConnectable) identity = NULL;
  g_autoptr (GSocketConnection) tcp = NULL;
  g_autoptr (GTlsSessionHelper) helper = NULL;

  g_return_val_if_fail (host_and_port != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  identity = g_network_address_parse (host_and_port, default_port, error);
  if (identity == NULL)
    return NULL;

  client = g_socket_client_new ();
  tcp = g_socket_client_connect (client, identity, cancellable, error);
  helper = tcp != NULL ? wrap (tcp, identity, error) : NULL;

  if (helper == NULL ||
      !g_tls_connection_handshake (G_TLS_CONNECTION (g_tls_session_helper_get_connection (helper)), cancellable, error))
    return NULL;
  return g_steal_pointer (&helper);
}

static void
on_handshaken (GObject *connection, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;
  GError *error = NULL;

  if (g_tls_connection_handshake_finish (G_TLS_CONNECTION (connection), result, &error))
    g_task_return_pointer (task, g_object_ref (g_task_get_task_data (task)), g_object_unref);
  else
    g_task_return_error (task, error);
}

static void
on_connected (GObject *client, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;
  GError *error = NULL;
  g_autoptr (GSocketConnection) tcp = g_socket_client_connect_finish (G_SOCKET_CLIENT (client), result, &error);
  GTlsSessionHelper *helper = tcp != NULL ? wrap (tcp, g_task_get_task_data (task), &error) : NULL;
  GTlsClientConnection *connection;

  if (helper == NULL)
    {
      g_task_return_error (task, error);
      return;
    }

  connection = g_tls_session_helper_get_connection (helper);
  g_task_set_task_data (task, helper, g_object_unref); /* in the place of the identity */
  g_tls_connection_handshake_async (G_TLS_CONNECTION (connection), g_task_get_priority (task),
                                    g_task_get_cancellable (task), on_handshaken, g_object_ref (task));
}

/**
 * g_tls_session_helper_connect_to_host_async:
 * @host_and_port: the server, as "name", "name:port", "address" or "[IPv6 address]:port"
 * @default_port: the port if @host_and_port names none
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the handshake is done, or something failed
 * @user_data: data for @callback
 *
 * Connects to a server and does a TLS handshake with it, without blocking.
 *
 * See [func@GTlsSession.Helper.connect_to_host].
 *
 * Since: 0.1
 */
void
g_tls_session_helper_connect_to_host_async (const char *host_and_port,
                                            guint16 default_port,
                                            GCancellable *cancellable,
                                            GAsyncReadyCallback callback,
                                            gpointer user_data)
{
  g_autoptr (GSocketClient) client = NULL;
  g_autoptr (GTask) task = NULL;
  GSocketConnectable *identity;
  GError *error = NULL;

  g_return_if_fail (host_and_port != NULL);

  task = g_task_new (NULL, cancellable, callback, user_data);
  g_task_set_source_tag (task, g_tls_session_helper_connect_to_host_async);

  identity = g_network_address_parse (host_and_port, default_port, &error);
  if (identity == NULL)
    {
      g_task_return_error (task, error);
      return;
    }

  g_task_set_task_data (task, identity, g_object_unref);
  client = g_socket_client_new ();
  g_socket_client_connect_async (client, identity, cancellable, on_connected, g_object_ref (task));
}

/**
 * g_tls_session_helper_connect_to_host_finish:
 * @result: the result that the callback got
 * @error: return location for an error
 *
 * Finishes [func@GTlsSession.Helper.connect_to_host_async].
 *
 * Returns: (transfer full): a helper whose connection has completed its handshake
 * Since: 0.1
 */
GTlsSessionHelper *
g_tls_session_helper_connect_to_host_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
