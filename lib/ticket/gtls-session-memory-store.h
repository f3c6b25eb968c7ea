/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gtls-session-store.h"

G_BEGIN_DECLS

#define G_TLS_SESSION_TYPE_MEMORY_STORE (g_tls_session_memory_store_get_type ())

G_TLS_SESSION_API
G_DECLARE_FINAL_TYPE (GTlsSessionMemoryStore, g_tls_session_memory_store, G_TLS_SESSION, MEMORY_STORE, GObject)

G_TLS_SESSION_API
GTlsSessionMemoryStore *g_tls_session_memory_store_new (void);

G_TLS_SESSION_API
GTlsSessionMemoryStore *g_tls_session_memory_store_get_default (void);

G_TLS_SESSION_API
guint g_tls_session_memory_store_get_max_peers (GTlsSessionMemoryStore *self);

G_TLS_SESSION_API
guint g_tls_session_memory_store_get_max_tickets_per_peer (GTlsSessionMemoryStore *self);

G_TLS_SESSION_API
guint g_tls_session_memory_store_get_max_age (GTlsSessionMemoryStore *self);

G_TLS_SESSION_API
guint g_tls_session_memory_store_get_n_peers (GTlsSessionMemoryStore *self);

G_END_DECLS
