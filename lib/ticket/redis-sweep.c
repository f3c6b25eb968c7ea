/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "redis-sweep.h"

#include <string.h>

/* NOTES:
 *
 * A Redis server is gone through in pieces, SCAN_COUNT keys at a time, so that it has time for others in between; each
 * piece has a call's time limit, and all of them together have LIMITS times as much.
 */

#define SCAN_COUNT "500"
#define LIMITS 100

static char *
make_pattern (const char *start)
{
  g_autoptr (GString) pattern = g_string_new (NULL);

  for (const char *at = start; *at != '\0'; at++)
    {
      if (strchr ("*?[]^\\", *at) != NULL)
        g_string_append_c (pattern, '\\');
      g_string_append_c (pattern, *at);
    }
  g_string_append_c (pattern, '*');
  return g_string_free (g_steal_pointer (&pattern), FALSE);
}

static gboolean
is_cursor (const GTlsSessionRedisReply *reply)
{
  return reply->kind == G_TLS_SESSION_REDIS_STRING &&
         g_ascii_string_to_unsigned (reply->text, 10, 0, G_MAXUINT64, NULL, NULL);
}

/* The answer's keys, borrowed and with a NULL behind them; NULL if it is none. Those that do not begin with @start are
 * not ours to delete, whatever the server says.
 */
static GPtrArray *
list_keys (const GTlsSessionRedisReply *answer, const char *start)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new ();
  const GTlsSessionRedisReply *list;

  if (answer->kind != G_TLS_SESSION_REDIS_ARRAY || answer->elements->len != 2 ||
      !is_cursor (g_ptr_array_index (answer->elements, 0)))
    return NULL;

  list = g_ptr_array_index (answer->elements, 1);
  if (list->kind != G_TLS_SESSION_REDIS_ARRAY)
    return NULL;

  for (guint i = 0; i < list->elements->len; i++)
    {
      const GTlsSessionRedisReply *key = g_ptr_array_index (list->elements, i);

      if (key->kind == G_TLS_SESSION_REDIS_STRING && g_str_has_prefix (key->text, start))
        g_ptr_array_add (keys, key->text);
    }
  g_ptr_array_add (keys, NULL);
  return g_steal_pointer (&keys);
}

static gboolean
unlink_keys (GTlsSessionRedisLink *link, GPtrArray *keys, GError **error)
{
  g_autoptr (GTlsSessionRedisBatch) batch = g_tls_session_redis_batch_new ();
  g_autoptr (GPtrArray) replies = NULL;

  /* One command for each: on a cluster, keys of several peers cannot be in one. */
  for (guint i = 0; i + 1 < keys->len; i++)
    g_tls_session_redis_batch_add (batch, "UNLINK", keys->pdata[i], NULL);
  if (batch->names->len == 0)
    return TRUE;

  replies = g_tls_session_redis_link_ask (link, batch, g_tls_session_redis_link_get_deadline (link), error);
  return replies != NULL;
}

/* @cursor: where to go on; "0" at the end, as it was at the beginning. */
static gboolean
sweep_some (GTlsSessionRedisLink *link, const char *start, char **cursor, GError **error)
{
  g_autofree char *pattern = make_pattern (start);
  g_autoptr (GTlsSessionRedisBatch) batch = g_tls_session_redis_batch_new ();
  g_autoptr (GPtrArray) replies = NULL;
  g_autoptr (GPtrArray) keys = NULL;
  const GTlsSessionRedisReply *answer;

  g_tls_session_redis_batch_add (batch, "SCAN", *cursor, "MATCH", pattern, "COUNT", SCAN_COUNT, NULL);
  replies = g_tls_session_redis_link_ask (link, batch, g_tls_session_redis_link_get_deadline (link), error);
  if (replies == NULL)
    return FALSE;

  answer = g_ptr_array_index (replies, 0);
  keys = list_keys (answer, start);
  if (keys == NULL)
    return g_tls_session_redis_link_fail_unexpected (link, "SCAN", error);

  g_free (*cursor);
  *cursor = g_strdup (((GTlsSessionRedisReply *) g_ptr_array_index (answer->elements, 0))->text);
  return unlink_keys (link, keys, error);
}

/* Deletes all keys that begin with @start. */
gboolean
g_tls_session_redis_sweep (GTlsSessionRedisLink *link, const char *start, GError **error)
{
  gint64 now = g_get_monotonic_time ();
  gint64 end = now + (g_tls_session_redis_link_get_deadline (link) - now) * LIMITS;
  g_autofree char *cursor = g_strdup ("0");

  do
    {
      if (g_get_monotonic_time () > end)
        return g_tls_session_redis_link_fail (link, "has too many keys to look through all of them in time", error);
      if (!sweep_some (link, start, &cursor, error))
        return FALSE;
    }
  while (!g_str_equal (cursor, "0"));
  return TRUE;
}
