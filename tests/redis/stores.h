/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "redis-server.h"
#include "ticket/gtls-session-redis-store.h"

G_BEGIN_DECLS

typedef GTlsSessionRedisStore Store;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Store, g_object_unref)

/* For what is not about time: far more than a call takes, also where everything is slow. */
#define PATIENCE 60000 /* ms */

/* 0 and NULL are the defaults, but for the time limit, which is PATIENCE. */
typedef struct
{
  guint8 key; /* each byte of it; 0: none */
  guint time_limit;
  guint max_age;
  guint max_tickets;
  const char *prefix;
  const char *ca_file;
} StoreOptions;

GBytes *make_key (guint8 byte);

GTlsSessionRedisStore *try_to_make_store (const char *uri, const StoreOptions *options, GError **error);

GTlsSessionRedisStore *make_store (const char *uri, const StoreOptions *options);

GTlsSessionRedisStore *make_store_on (RedisServer *server, const StoreOptions *options);

G_END_DECLS
