/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A real redis-server, below what GTLS_SESSION_SERVERS names, on a free port of 127.0.0.1 and a socket in a directory of
 * its own. It keeps nothing on disk, and dies with the test.
 */

typedef struct
{
  const char *password;    /* nullable */
  const char *certificate; /* chain and key, PEM: the port speaks TLS only; nullable */
} RedisServerOptions;

typedef struct _RedisServer RedisServer;

RedisServer *redis_server_new (const RedisServerOptions *options);

void redis_server_free (RedisServer *self);

/* By SIGKILL: its data is gone. */
void redis_server_kill (RedisServer *self);

/* On the same port, and empty. */
void redis_server_start (RedisServer *self);

void redis_server_send_signal (RedisServer *self, int signal_number);

/* SCHEME://[LOGIN@]127.0.0.1:PORT, or redis+unix: with the socket; @login is nullable */
char *redis_server_make_uri (RedisServer *self, const char *scheme, const char *login);

char *redis_server_make_own_uri (RedisServer *self);

/* What redis-cli prints for this command. */
char *redis_server_ask (RedisServer *self, const char *word, ...) G_GNUC_NULL_TERMINATED;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RedisServer, redis_server_free)

G_END_DECLS
