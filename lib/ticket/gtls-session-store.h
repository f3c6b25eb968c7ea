/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gtls-session-ticket.h"

G_BEGIN_DECLS

#define G_TLS_SESSION_TYPE_STORE (g_tls_session_store_get_type ())

G_TLS_SESSION_API
G_DECLARE_INTERFACE (GTlsSessionStore, g_tls_session_store, G_TLS_SESSION, STORE, GObject)

/**
 * GTlsSessionStoreInterface:
 * @parent_iface: the parent interface
 * @put: see [method@GTlsSession.Store.put]
 * @take: see [method@GTlsSession.Store.take]
 * @remove: see [method@GTlsSession.Store.remove]; may be left out
 * @clear: see [method@GTlsSession.Store.clear]
 * @save_bytes: see [method@GTlsSession.Store.save_bytes]; may be left out
 * @load_bytes: see [method@GTlsSession.Store.load_bytes]; may be left out
 *
 * What a session store implements.
 *
 * Since: 0.1
 */
struct _GTlsSessionStoreInterface
{
  GTypeInterface parent_iface;

  /**
   * GTlsSessionStoreInterface::put:
   * @self: a store
   * @key: the circumstances that the ticket is for
   * @ticket: (transfer none): a ticket
   * @error: return location for an error
   *
   * Keeps a ticket.
   *
   * Returns: %TRUE on success
   * Since: 0.1
   */
  gboolean (*put) (GTlsSessionStore *self, const char *key, GTlsSessionTicket *ticket, GError **error);

  /**
   * GTlsSessionStoreInterface::take:
   * @self: a store
   * @key: the circumstances that a ticket is wanted for
   * @error: return location for an error
   *
   * Gives out a ticket.
   *
   * Returns: (transfer full) (nullable): the ticket; %NULL without an error if there is none
   * Since: 0.1
   */
  GTlsSessionTicket *(*take) (GTlsSessionStore *self, const char *key, GError **error);

  /**
   * GTlsSessionStoreInterface::remove:
   * @self: a store
   * @key: the circumstances that the ticket is for
   * @ticket: (transfer none): the ticket
   * @error: return location for an error
   *
   * Forgets one ticket.
   *
   * Returns: %TRUE on success, also if the ticket was not there
   * Since: 0.1
   */
  gboolean (*remove) (GTlsSessionStore *self, const char *key, GTlsSessionTicket *ticket, GError **error);

  /**
   * GTlsSessionStoreInterface::clear:
   * @self: a store
   * @error: return location for an error
   *
   * Forgets all tickets.
   *
   * Returns: %TRUE on success
   * Since: 0.1
   */
  gboolean (*clear) (GTlsSessionStore *self, GError **error);

  /**
   * GTlsSessionStoreInterface::save_bytes:
   * @self: a store
   * @name: what to find the bytes by
   * @bytes: (transfer none): what to keep
   * @error: return location for an error
   *
   * Keeps bytes that are no ticket, in the place of those of the same name.
   *
   * Returns: %TRUE on success
   * Since: 0.1
   */
  gboolean (*save_bytes) (GTlsSessionStore *self, const char *name, GBytes *bytes, GError **error);

  /**
   * GTlsSessionStoreInterface::load_bytes:
   * @self: a store
   * @name: what the bytes were kept by
   * @error: return location for an error
   *
   * Gives bytes that were kept by the same name.
   *
   * Returns: (transfer full) (nullable): the bytes; %NULL without an error if there are none
   * Since: 0.1
   */
  GBytes *(*load_bytes) (GTlsSessionStore *self, const char *name, GError **error);
};

G_TLS_SESSION_API
gboolean g_tls_session_store_put (GTlsSessionStore *self, const char *key, GTlsSessionTicket *ticket, GError **error);

G_TLS_SESSION_API
GTlsSessionTicket *g_tls_session_store_take (GTlsSessionStore *self, const char *key, GError **error);

G_TLS_SESSION_API
gboolean g_tls_session_store_remove (GTlsSessionStore *self,
                                     const char *key,
                                     GTlsSessionTicket *ticket,
                                     GError **error);

G_TLS_SESSION_API
gboolean g_tls_session_store_clear (GTlsSessionStore *self, GError **error);

G_TLS_SESSION_API
gboolean g_tls_session_store_save_bytes (GTlsSessionStore *self, const char *name, GBytes *bytes, GError **error);

G_TLS_SESSION_API
GBytes *g_tls_session_store_load_bytes (GTlsSessionStore *self, const char *name, GError **error);

G_END_DECLS
