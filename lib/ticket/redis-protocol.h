/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What is said to a Redis server and what it answers, as bytes: hiredis's part. */

gboolean g_tls_session_redis_protocol_is_there (GError **error);

/* Replies */

typedef enum
{
  G_TLS_SESSION_REDIS_NIL,
  G_TLS_SESSION_REDIS_STATUS,
  G_TLS_SESSION_REDIS_ERROR,
  G_TLS_SESSION_REDIS_INTEGER,
  G_TLS_SESSION_REDIS_STRING,
  G_TLS_SESSION_REDIS_ARRAY,
  G_TLS_SESSION_REDIS_OTHER, /* what no command of ours is answered with */
} GTlsSessionRedisKind;

typedef struct
{
  GTlsSessionRedisKind kind;
  gint64 integer;
  char *text; /* of a string, a status, an error; with a NUL behind it, and perhaps others within; wiped when freed */
  gsize size;
  GPtrArray *elements; /* GTlsSessionRedisReply, of an array */
} GTlsSessionRedisReply;

void g_tls_session_redis_reply_free (GTlsSessionRedisReply *self);

/* Commands that are sent in one go */

typedef struct
{
  GByteArray *bytes; /* wiped when freed */
  GPtrArray *names;  /* static strings: what each command is called */
} GTlsSessionRedisBatch;

GTlsSessionRedisBatch *g_tls_session_redis_batch_new (void);

void g_tls_session_redis_batch_free (GTlsSessionRedisBatch *self);

void g_tls_session_redis_batch_add (GTlsSessionRedisBatch *self, const char *command, ...) G_GNUC_NULL_TERMINATED;

void g_tls_session_redis_batch_add_argv (GTlsSessionRedisBatch *self, const char *command, const char *const *argv);

void g_tls_session_redis_batch_add_set (GTlsSessionRedisBatch *self, const char *key, GBytes *value, gint64 lifetime);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GTlsSessionRedisBatch, g_tls_session_redis_batch_free)

/* Reading the answers to one batch */

typedef struct _GTlsSessionRedisReader GTlsSessionRedisReader;

GTlsSessionRedisReader *g_tls_session_redis_reader_new (guint n_replies);

void g_tls_session_redis_reader_free (GTlsSessionRedisReader *self);

gboolean g_tls_session_redis_reader_feed (GTlsSessionRedisReader *self,
                                          const guint8 *bytes,
                                          gsize size,
                                          GError **error);

gboolean g_tls_session_redis_reader_is_complete (GTlsSessionRedisReader *self);

GPtrArray *g_tls_session_redis_reader_steal_replies (GTlsSessionRedisReader *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GTlsSessionRedisReader, g_tls_session_redis_reader_free)

G_END_DECLS
