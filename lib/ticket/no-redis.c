/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "redis-protocol.h"

#include "gtls-session-error.h"

/* In the place of redis-protocol.c where this library is built without hiredis. A GTlsSessionRedisStore cannot be made
 * then, so nothing else in here is ever called.
 *
 * The type is there all the same, and its making fails with words. Bindings have the same names on every system then,
 * and a program for which sharing sessions is a nicety catches one GError, instead of asking first whether a symbol
 * exists, which most languages do differently and C cannot do at all without the loader's help.
 */

gboolean
g_tls_session_redis_protocol_is_there (GError **error)
{
  g_set_error_literal (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_UNSUPPORTED,
                       "This build of gtls-session keeps no sessions on a Redis server: it was made without hiredis");
  return FALSE;
}

void
g_tls_session_redis_reply_free (GTlsSessionRedisReply *self)
{
  g_assert_not_reached ();
}

GTlsSessionRedisBatch *
g_tls_session_redis_batch_new (void)
{
  g_assert_not_reached ();
}

void
g_tls_session_redis_batch_free (GTlsSessionRedisBatch *self)
{
  g_assert_not_reached ();
}

void
g_tls_session_redis_batch_add (GTlsSessionRedisBatch *self, const char *command, ...)
{
  g_assert_not_reached ();
}

void
g_tls_session_redis_batch_add_argv (GTlsSessionRedisBatch *self, const char *command, const char *const *argv)
{
  g_assert_not_reached ();
}

void
g_tls_session_redis_batch_add_set (GTlsSessionRedisBatch *self, const char *key, GBytes *value, gint64 lifetime)
{
  g_assert_not_reached ();
}

GTlsSessionRedisReader *
g_tls_session_redis_reader_new (guint n_replies)
{
  g_assert_not_reached ();
}

void
g_tls_session_redis_reader_free (GTlsSessionRedisReader *self)
{
  g_assert_not_reached ();
}

gboolean
g_tls_session_redis_reader_feed (GTlsSessionRedisReader *self, const guint8 *bytes, gsize size, GError **error)
{
  g_assert_not_reached ();
}

gboolean
g_tls_session_redis_reader_is_complete (GTlsSessionRedisReader *self)
{
  g_assert_not_reached ();
}

GPtrArray *
g_tls_session_redis_reader_steal_replies (GTlsSessionRedisReader *self)
{
  g_assert_not_reached ();
}
