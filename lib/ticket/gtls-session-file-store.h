/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gtls-session-store-entry.h"
#include "gtls-session-store.h"

G_BEGIN_DECLS

#define G_TLS_SESSION_TYPE_FILE_STORE (g_tls_session_file_store_get_type ())

G_TLS_SESSION_API
G_DECLARE_FINAL_TYPE (GTlsSessionFileStore, g_tls_session_file_store, G_TLS_SESSION, FILE_STORE, GObject)

G_TLS_SESSION_API
GTlsSessionFileStore *g_tls_session_file_store_new (const char *path, GError **error);

G_TLS_SESSION_API
GTlsSessionFileStore *g_tls_session_file_store_new_with_key (const char *path, GBytes *key, GError **error);

G_TLS_SESSION_API
GList *g_tls_session_file_store_list (GTlsSessionFileStore *self, GError **error);

G_TLS_SESSION_API
const char *g_tls_session_file_store_get_path (GTlsSessionFileStore *self);

G_TLS_SESSION_API
guint g_tls_session_file_store_get_max_tickets (GTlsSessionFileStore *self);

G_TLS_SESSION_API
guint g_tls_session_file_store_get_max_tickets_per_peer (GTlsSessionFileStore *self);

G_TLS_SESSION_API
guint g_tls_session_file_store_get_max_age (GTlsSessionFileStore *self);

G_TLS_SESSION_API
guint g_tls_session_file_store_get_busy_timeout (GTlsSessionFileStore *self);

G_END_DECLS
