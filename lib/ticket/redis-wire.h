/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <openssl/ssl.h>

#include "redis-address.h"

G_BEGIN_DECLS

/* Bytes to and from a Redis server, over TCP, TLS or a socket of this machine, each until a deadline of the monotonic
 * clock. Errors are G_IO_ERROR's and G_TLS_ERROR's: TIMED_OUT is the deadline, CLOSED is the server's end.
 */

typedef struct _GTlsSessionRedisWire GTlsSessionRedisWire;

SSL_CTX *g_tls_session_redis_wire_make_context (const char *ca_file, GError **error);

GTlsSessionRedisWire *g_tls_session_redis_wire_new (const GTlsSessionRedisAddress *address,
                                                    SSL_CTX *context,
                                                    gint64 deadline,
                                                    GError **error);

void g_tls_session_redis_wire_free (GTlsSessionRedisWire *self);

gboolean g_tls_session_redis_wire_send (GTlsSessionRedisWire *self,
                                        const guint8 *bytes,
                                        gsize size,
                                        gint64 deadline,
                                        GError **error);

gssize g_tls_session_redis_wire_receive (GTlsSessionRedisWire *self,
                                         guint8 *buffer,
                                         gsize size,
                                         gint64 deadline,
                                         GError **error);

gboolean g_tls_session_redis_wire_is_quiet (GTlsSessionRedisWire *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GTlsSessionRedisWire, g_tls_session_redis_wire_free)

G_END_DECLS
