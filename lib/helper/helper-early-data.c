/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gtls-session-helper.h"

#include "../connection/gtls-session-client-connection.h"
#include "../ticket/gtls-session-error.h"

static GTlsSessionClientConnection *
client_of (GTlsSessionHelper *self)
{
  GTlsClientConnection *connection = g_tls_session_helper_get_connection (self);

  return G_TLS_SESSION_IS_CLIENT_CONNECTION (connection) ? G_TLS_SESSION_CLIENT_CONNECTION (connection) : NULL;
}

/**
 * g_tls_session_helper_set_early_data:
 * @self: a helper whose connection's handshake has not begun
 * @bytes: (nullable): the bytes, which are copied; %NULL, or none, for no early data
 * @error: return location for an error
 *
 * Sets what to send with the first flight of the handshake (early data, also known as 0-RTT; RFC 8446, section 2.3).
 *
 * Anybody who records the first flight can send it to the server again, and a server that does not guard against that
 * acts on the same bytes twice, which is called a replay (RFC 8446, section 8 and appendix E.5). So give early data only
 * what may be done more than once without harm, such as a request that asks and changes nothing; nor do they have forward
 * secrecy: whoever gets hold of the server's ticket key later can read them.
 *
 * They go with the first flight if
 *
 * - a session is offered, by hand or from the session store, and its ticket permits as many bytes
 *   ([property@GTlsSession.Ticket:max-early-data]);
 * - the session's application protocol is the first of the connection's (RFC 8446, section 4.2.10), for that is what they
 *   are taken to be for, and its server name is the connection's;
 * - the certificate chain that the ticket carries has no fault at all before the connection's own database and identity.
 *   Nothing is sent on the strength of a certificate for which [signal@Gio.TlsConnection::accept-certificate] would have
 *   to be asked.
 *
 * If the server refuses them, they are sent again as ordinary data as soon as the handshake is done and the server has
 * been accepted; if they cannot go with the first flight, they are sent then as well. Either way they are the first that
 * the server reads, and the handshake does not count as done before. So they arrive once, or the handshake fails; the
 * error's message and [property@GTlsSession.Helper:early-data-status] then say whether they may have arrived. It fails,
 * too, if they would have to be sent under another application protocol than the one they are for.
 *
 * A handshake that was cancelled can go on with another call; the status is pending until that is done, or the connection
 * closed. That a server refuses is nothing unusual: it has been restarted, saw the ticket before, or finds that the flight
 * has been under way for too long (RFC 8446, section 8.3).
 *
 * It fails with:
 *
 * - %G_TLS_SESSION_ERROR_TOO_LATE if the connection's handshake has begun
 * - %G_TLS_SESSION_ERROR_UNSUPPORTED if the connection is another backend's
 *
 * Returns: %TRUE if they will be sent
 * Since: 0.1
 */
gboolean
g_tls_session_helper_set_early_data (GTlsSessionHelper *self, GBytes *bytes, GError **error)
{
  GTlsSessionClientConnection *client;

  g_return_val_if_fail (G_TLS_SESSION_IS_HELPER (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  client = client_of (self);
  if (client != NULL)
    return g_tls_session_client_connection_set_early_data (client, bytes, error);

  g_set_error_literal (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_UNSUPPORTED,
                       "The helper's connection is not one of this library's, so early data cannot be sent on it");
  return FALSE;
}

/**
 * g_tls_session_helper_get_early_data: (get-property early-data)
 * @self: a helper
 *
 * Gets what is to be sent with the first flight of the handshake.
 *
 * Returns: (transfer full) (nullable): the bytes; %NULL if there are none, and once the handshake has ended, for they are
 *   then no longer kept
 * Since: 0.1
 */
GBytes *
g_tls_session_helper_get_early_data (GTlsSessionHelper *self)
{
  GTlsSessionClientConnection *client;

  g_return_val_if_fail (G_TLS_SESSION_IS_HELPER (self), NULL);

  client = client_of (self);
  return client != NULL ? g_tls_session_client_connection_get_early_data (client) : NULL;
}

/**
 * g_tls_session_helper_get_early_data_status: (get-property early-data-status)
 * @self: a helper
 *
 * Tells what became of the early data.
 *
 * Returns: the status; %G_TLS_SESSION_EARLY_DATA_STATUS_NONE, too, if the connection is another backend's
 * Since: 0.1
 */
GTlsSessionEarlyDataStatus
g_tls_session_helper_get_early_data_status (GTlsSessionHelper *self)
{
  GTlsSessionClientConnection *client;

  g_return_val_if_fail (G_TLS_SESSION_IS_HELPER (self), G_TLS_SESSION_EARLY_DATA_STATUS_NONE);

  client = client_of (self);
  return client != NULL ? g_tls_session_client_connection_get_early_data_status (client)
                        : G_TLS_SESSION_EARLY_DATA_STATUS_NONE;
}
