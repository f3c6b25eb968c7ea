/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gtls-session-store.h"

#include "gtls-session-error.h"

/**
 * GTlsSessionStore:
 *
 * Where sessions are kept from one connection to the next.
 *
 * [property@GTlsSession.ClientConnection:session-store] names a connection's. The connection puts each ticket that it
 * receives into its store, and takes one out before its handshake, to offer it to the server. Nobody has to call
 * anything for that.
 *
 * ```c
 * g_autoptr (GError) error = NULL;
 * g_autoptr (GTlsSessionFileStore) file_store = g_tls_session_file_store_new (NULL, &error);
 *
 * if (file_store != NULL)
 *   g_tls_session_client_connection_set_session_store (connection, G_TLS_SESSION_STORE (file_store));
 * ```
 *
 * [class@GTlsSession.MemoryStore] keeps sessions for a process, [class@GTlsSession.FileStore] for the processes of a
 * machine, [class@GTlsSession.RedisStore] for a fleet of machines. A program may implement this interface itself, in any
 * language.
 *
 * ## Keys
 *
 * A ticket is put and taken under a key, which stands for all that has to be the same about two connections for the
 * second to resume the first's session: the server's identity, the application protocols, the client's certificate, the
 * trusted certificates, the protocol bounds. A key is 64 hexadecimal digits; a store compares keys and knows no more
 * of them.
 *
 * ## Implementing a store
 *
 * - What is put under a key may be taken under the same key, and no other.
 * - A ticket for which [method@GTlsSession.Ticket.get_single_use] is %TRUE is given out once, by however many threads
 *   and processes take at the same time. Another one stays where it is when it is taken.
 * - A ticket that is not usable any more ([method@GTlsSession.Ticket.is_usable]) is not given out.
 * - The newest ticket goes first.
 * - It is called from whichever thread uses the connection, never with a lock held, and it may use connections itself,
 *   if those have another store. It should answer soon: the connection waits for it, in an asynchronous call too.
 * - It may fail. A handshake is a full one then, and [method@GTlsSession.Helper.explain] tells why. No connection fails
 *   because of its store.
 *
 * Tickets are secrets. What implements a store sees to it that only their user can read them.
 *
 * Since: 0.1
 */
G_DEFINE_INTERFACE (GTlsSessionStore, g_tls_session_store, G_TYPE_OBJECT)

static void
g_tls_session_store_default_init (GTlsSessionStoreInterface *iface)
{
}

/* A store in another language may leave something out. */
static gboolean
check_implemented (GTlsSessionStore *self, gboolean implemented, const char *function, GError **error)
{
  if (!implemented)
    g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_UNSUPPORTED,
                 "The session store %s does not implement %s()", G_OBJECT_TYPE_NAME (self), function);
  return implemented;
}

/**
 * g_tls_session_store_put:
 * @self: a store
 * @key: the circumstances that the ticket is for; see [iface@GTlsSession.Store]
 * @ticket: (transfer none): a ticket
 * @error: return location for an error
 *
 * Keeps a ticket.
 *
 * A store keeps a bounded number of tickets: others may go for this one.
 *
 * It fails with %G_TLS_SESSION_ERROR_STORE if the ticket could not be kept.
 *
 * Returns: %TRUE on success
 * Since: 0.1
 */
gboolean
g_tls_session_store_put (GTlsSessionStore *self, const char *key, GTlsSessionTicket *ticket, GError **error)
{
  GTlsSessionStoreInterface *iface;

  g_return_val_if_fail (G_TLS_SESSION_IS_STORE (self), FALSE);
  g_return_val_if_fail (key != NULL, FALSE);
  g_return_val_if_fail (G_TLS_SESSION_IS_TICKET (ticket), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  iface = G_TLS_SESSION_STORE_GET_IFACE (self);
  return check_implemented (self, iface->put != NULL, "put", error) && iface->put (self, key, ticket, error);
}

/**
 * g_tls_session_store_take:
 * @self: a store
 * @key: the circumstances that a ticket is wanted for; see [iface@GTlsSession.Store]
 * @error: return location for an error
 *
 * Gives out a usable ticket, the newest first.
 *
 * One that is to be used once ([method@GTlsSession.Ticket.get_single_use]) leaves the store; another one stays.
 *
 * It fails with %G_TLS_SESSION_ERROR_STORE if the store could not be asked.
 *
 * Returns: (transfer full) (nullable): the ticket; %NULL without an error if there is none
 * Since: 0.1
 */
GTlsSessionTicket *
g_tls_session_store_take (GTlsSessionStore *self, const char *key, GError **error)
{
  GTlsSessionStoreInterface *iface;

  g_return_val_if_fail (G_TLS_SESSION_IS_STORE (self), NULL);
  g_return_val_if_fail (key != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  iface = G_TLS_SESSION_STORE_GET_IFACE (self);
  return check_implemented (self, iface->take != NULL, "take", error) ? iface->take (self, key, error) : NULL;
}

/**
 * g_tls_session_store_remove:
 * @self: a store
 * @key: the circumstances that the ticket was put under
 * @ticket: (transfer none): the ticket
 * @error: return location for an error
 *
 * Forgets one ticket.
 *
 * A connection calls this for a ticket that a program offers by hand, so that what is to be used once is not used again.
 * With a store that does not implement it, nothing happens.
 *
 * It fails with %G_TLS_SESSION_ERROR_STORE if the store could not be asked.
 *
 * Returns: %TRUE on success, also if the ticket was not there
 * Since: 0.1
 */
gboolean
g_tls_session_store_remove (GTlsSessionStore *self, const char *key, GTlsSessionTicket *ticket, GError **error)
{
  GTlsSessionStoreInterface *iface;

  g_return_val_if_fail (G_TLS_SESSION_IS_STORE (self), FALSE);
  g_return_val_if_fail (key != NULL, FALSE);
  g_return_val_if_fail (G_TLS_SESSION_IS_TICKET (ticket), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  iface = G_TLS_SESSION_STORE_GET_IFACE (self);
  return iface->remove == NULL || iface->remove (self, key, ticket, error);
}

/**
 * g_tls_session_store_clear:
 * @self: a store
 * @error: return location for an error
 *
 * Forgets all tickets.
 *
 * It fails with %G_TLS_SESSION_ERROR_STORE if the store could not be emptied.
 *
 * Returns: %TRUE on success
 * Since: 0.1
 */
gboolean
g_tls_session_store_clear (GTlsSessionStore *self, GError **error)
{
  GTlsSessionStoreInterface *iface;

  g_return_val_if_fail (G_TLS_SESSION_IS_STORE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  iface = G_TLS_SESSION_STORE_GET_IFACE (self);
  return check_implemented (self, iface->clear != NULL, "clear", error) && iface->clear (self, error);
}

/**
 * g_tls_session_store_save_bytes:
 * @self: a store
 * @name: what to find the bytes by
 * @bytes: (transfer none): what to keep, as secret as a ticket
 * @error: return location for an error
 *
 * Keeps bytes that are no ticket, in the place of those of the same name.
 *
 * Servers keep their [class@GTlsSession.TicketKeys] so, see [method@GTlsSession.TicketKeys.share].
 * [method@GTlsSession.Store.clear] leaves them.
 *
 * It fails with %G_TLS_SESSION_ERROR_UNSUPPORTED if this store keeps tickets only, and with %G_TLS_SESSION_ERROR_STORE
 * if they could not be kept.
 *
 * Returns: %TRUE on success
 * Since: 0.1
 */
gboolean
g_tls_session_store_save_bytes (GTlsSessionStore *self, const char *name, GBytes *bytes, GError **error)
{
  GTlsSessionStoreInterface *iface;

  g_return_val_if_fail (G_TLS_SESSION_IS_STORE (self), FALSE);
  g_return_val_if_fail (name != NULL, FALSE);
  g_return_val_if_fail (bytes != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  iface = G_TLS_SESSION_STORE_GET_IFACE (self);
  return check_implemented (self, iface->save_bytes != NULL, "save_bytes", error) &&
         iface->save_bytes (self, name, bytes, error);
}

/**
 * g_tls_session_store_load_bytes:
 * @self: a store
 * @name: what the bytes were kept by
 * @error: return location for an error
 *
 * Gives the bytes that [method@GTlsSession.Store.save_bytes] kept by this name.
 *
 * It fails with %G_TLS_SESSION_ERROR_UNSUPPORTED if this store keeps tickets only, and with %G_TLS_SESSION_ERROR_STORE
 * if it could not be asked.
 *
 * Returns: (transfer full) (nullable): the bytes; %NULL without an error if there are none
 * Since: 0.1
 */
GBytes *
g_tls_session_store_load_bytes (GTlsSessionStore *self, const char *name, GError **error)
{
  GTlsSessionStoreInterface *iface;

  g_return_val_if_fail (G_TLS_SESSION_IS_STORE (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  iface = G_TLS_SESSION_STORE_GET_IFACE (self);
  return check_implemented (self, iface->load_bytes != NULL, "load_bytes", error)
           ? iface->load_bytes (self, name, error)
           : NULL;
}
