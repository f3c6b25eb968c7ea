/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "redis-link.h"

G_BEGIN_DECLS

/* Deletes from a Redis server what lies under a common beginning. */
gboolean g_tls_session_redis_sweep (GTlsSessionRedisLink *link, const char *start, GError **error);

G_END_DECLS
