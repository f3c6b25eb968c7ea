/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gtls-session-ticket.h"

G_BEGIN_DECLS

#define G_TLS_SESSION_TYPE_STORE_ENTRY (g_tls_session_store_entry_get_type ())

typedef struct _GTlsSessionStoreEntry GTlsSessionStoreEntry;

G_TLS_SESSION_API
GType g_tls_session_store_entry_get_type (void) G_GNUC_CONST;

G_TLS_SESSION_API
GTlsSessionStoreEntry *g_tls_session_store_entry_ref (GTlsSessionStoreEntry *self);

G_TLS_SESSION_API
void g_tls_session_store_entry_unref (GTlsSessionStoreEntry *self);

G_TLS_SESSION_API
const char *g_tls_session_store_entry_get_key (GTlsSessionStoreEntry *self);

G_TLS_SESSION_API
GTlsSessionTicket *g_tls_session_store_entry_get_ticket (GTlsSessionStoreEntry *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GTlsSessionStoreEntry, g_tls_session_store_entry_unref)

G_END_DECLS
