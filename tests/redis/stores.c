/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stores.h"

#include <string.h>

#include "ticket/store-rules.h"

GBytes *
make_key (guint8 byte)
{
  guint8 key[32];

  memset (key, byte, sizeof key);
  return g_bytes_new (key, sizeof key);
}

static guint
or_else (guint number, guint otherwise)
{
  return number > 0 ? number : otherwise;
}

GTlsSessionRedisStore *
try_to_make_store (const char *uri, const StoreOptions *options, GError **error)
{
  static const StoreOptions defaults;
  g_autoptr (GBytes) key = NULL;

  options = options != NULL ? options : &defaults;
  key = options->key != 0 ? make_key (options->key) : NULL;
  return g_initable_new (G_TLS_SESSION_TYPE_REDIS_STORE, NULL, error, "uri", uri, "key", key, "time-limit",
                         or_else (options->time_limit, PATIENCE), "max-age",
                         or_else (options->max_age, G_TLS_SESSION_STORE_DEFAULT_MAX_AGE), "max-tickets-per-peer",
                         or_else (options->max_tickets, 64), "prefix", options->prefix, "ca-file", options->ca_file,
                         NULL);
}

GTlsSessionRedisStore *
make_store (const char *uri, const StoreOptions *options)
{
  g_autoptr (GError) error = NULL;
  GTlsSessionRedisStore *store = try_to_make_store (uri, options, &error);

  g_assert_no_error (error);
  g_assert_nonnull (store);
  return store;
}

/* With all the login that the server asks for. */
GTlsSessionRedisStore *
make_store_on (RedisServer *server, const StoreOptions *options)
{
  g_autofree char *uri = redis_server_make_own_uri (server);

  return make_store (uri, options);
}
