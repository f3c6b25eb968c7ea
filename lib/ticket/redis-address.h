/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Where a Redis server is, and what to say to it first: what a URI tells. */
typedef struct
{
  GSocketConnectable *connectable;
  char *name;     /* for people: host and port, or the path of a socket */
  char *host;     /* whose certificate is expected; NULL: no TLS */
  char *user;     /* nullable */
  char *password; /* nullable */
  guint database;
} GTlsSessionRedisAddress;

GTlsSessionRedisAddress *g_tls_session_redis_address_new (const char *uri, GError **error);

void g_tls_session_redis_address_free (GTlsSessionRedisAddress *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GTlsSessionRedisAddress, g_tls_session_redis_address_free)

G_END_DECLS
