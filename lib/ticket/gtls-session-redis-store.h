/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gtls-session-store.h"

G_BEGIN_DECLS

#define G_TLS_SESSION_TYPE_REDIS_STORE (g_tls_session_redis_store_get_type ())

G_TLS_SESSION_API
G_DECLARE_FINAL_TYPE (GTlsSessionRedisStore, g_tls_session_redis_store, G_TLS_SESSION, REDIS_STORE, GObject)

G_TLS_SESSION_API
GTlsSessionRedisStore *g_tls_session_redis_store_new (const char *uri, GBytes *key, GError **error);

G_TLS_SESSION_API
guint g_tls_session_redis_store_get_time_limit (GTlsSessionRedisStore *self);

G_TLS_SESSION_API
guint g_tls_session_redis_store_get_max_age (GTlsSessionRedisStore *self);

G_TLS_SESSION_API
guint g_tls_session_redis_store_get_max_tickets_per_peer (GTlsSessionRedisStore *self);

G_TLS_SESSION_API
const char *g_tls_session_redis_store_get_prefix (GTlsSessionRedisStore *self);

G_TLS_SESSION_API
const char *g_tls_session_redis_store_get_ca_file (GTlsSessionRedisStore *self);

G_END_DECLS
