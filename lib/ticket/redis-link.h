/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "redis-protocol.h"

G_BEGIN_DECLS

/* A store's link to its Redis server: there when it is needed, and made anew when it was lost. Any thread may call. */

typedef struct _GTlsSessionRedisLink GTlsSessionRedisLink;

GTlsSessionRedisLink *g_tls_session_redis_link_new (const char *uri,
                                                    const char *ca_file,
                                                    guint time_limit,
                                                    GError **error);

void g_tls_session_redis_link_free (GTlsSessionRedisLink *self);

gint64 g_tls_session_redis_link_get_deadline (GTlsSessionRedisLink *self);

GPtrArray *g_tls_session_redis_link_ask (GTlsSessionRedisLink *self,
                                         GTlsSessionRedisBatch *batch,
                                         gint64 deadline,
                                         GError **error);

gboolean g_tls_session_redis_link_fail (GTlsSessionRedisLink *self, const char *complaint, GError **error);

gboolean g_tls_session_redis_link_fail_unexpected (GTlsSessionRedisLink *self, const char *command, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GTlsSessionRedisLink, g_tls_session_redis_link_free)

G_END_DECLS
