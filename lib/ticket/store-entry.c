/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store-entry.h"

/**
 * GTlsSessionStoreEntry:
 *
 * What a session store has of one ticket.
 *
 * See [method@GTlsSession.FileStore.list]. An entry does not change, and is no part of the store: the ticket may have
 * been taken out of it meanwhile.
 *
 * Since: 0.1
 */
struct _GTlsSessionStoreEntry
{
  char *key;                 /* nullable: it is damaged */
  GTlsSessionTicket *ticket; /* nullable: it is damaged */
  GError *flaw;              /* nullable */
};

G_DEFINE_BOXED_TYPE (GTlsSessionStoreEntry,
                     g_tls_session_store_entry,
                     g_tls_session_store_entry_ref,
                     g_tls_session_store_entry_unref)

GTlsSessionStoreEntry *
g_tls_session_store_entry_new (const char *key, GTlsSessionTicket *ticket, GError *flaw)
{
  GTlsSessionStoreEntry *self = g_atomic_rc_box_new0 (GTlsSessionStoreEntry);

  self->key = g_strdup (key);
  g_set_object (&self->ticket, ticket);
  self->flaw = flaw;
  return self;
}

/**
 * g_tls_session_store_entry_ref:
 * @self: an entry
 *
 * Takes a reference to an entry.
 *
 * Returns: (transfer full): the entry
 * Since: 0.1
 */
GTlsSessionStoreEntry *
g_tls_session_store_entry_ref (GTlsSessionStoreEntry *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
clear (gpointer data)
{
  GTlsSessionStoreEntry *self = data;

  g_free (self->key);
  g_clear_object (&self->ticket);
  g_clear_error (&self->flaw);
}

/**
 * g_tls_session_store_entry_unref:
 * @self: (transfer full): an entry
 *
 * Lets go of a reference to an entry.
 *
 * Since: 0.1
 */
void
g_tls_session_store_entry_unref (GTlsSessionStoreEntry *self)
{
  g_atomic_rc_box_release_full (self, clear);
}

/**
 * g_tls_session_store_entry_get_key:
 * @self: an entry
 *
 * Gets the key that the ticket was put under, see [iface@GTlsSession.Store].
 *
 * Returns: (transfer none) (nullable): the key; %NULL if the ticket is damaged
 * Since: 0.1
 */
const char *
g_tls_session_store_entry_get_key (GTlsSessionStoreEntry *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->key;
}

/**
 * g_tls_session_store_entry_get_ticket:
 * @self: an entry
 * @error: return location for an error
 *
 * Gets the ticket. To look at it does not use it up.
 *
 * It fails with %G_TLS_SESSION_ERROR_BAD_DATA if what the store has of it is damaged.
 *
 * Returns: (transfer none): the ticket
 * Since: 0.1
 */
GTlsSessionTicket *
g_tls_session_store_entry_get_ticket (GTlsSessionStoreEntry *self, GError **error)
{
  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (self->ticket == NULL && error != NULL)
    *error = g_error_copy (self->flaw);
  return self->ticket;
}
