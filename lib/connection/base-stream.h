/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../engine/transport.h"

G_BEGIN_DECLS

/* The stream below a TLS connection: a plain socket, which is used directly, or any other pollable GIOStream. */

typedef struct _GTlsSessionBaseStream GTlsSessionBaseStream;

GTlsSessionBaseStream *g_tls_session_base_stream_new (GIOStream *stream, GError **error);

void g_tls_session_base_stream_free (GTlsSessionBaseStream *self);

gboolean g_tls_session_base_stream_is_socket (GTlsSessionBaseStream *self);

GTlsSessionTransport g_tls_session_base_stream_get_transport (GTlsSessionBaseStream *self);

gboolean g_tls_session_base_stream_check (GTlsSessionBaseStream *self, GIOCondition condition);

gboolean g_tls_session_base_stream_wait (GTlsSessionBaseStream *self,
                                         GIOCondition condition,
                                         gint64 deadline,
                                         GCancellable *cancellable,
                                         GError **error);

GSource *g_tls_session_base_stream_create_source (GTlsSessionBaseStream *self, GIOCondition condition);

gint64 g_tls_session_base_stream_get_timeout (GTlsSessionBaseStream *self);

gsize g_tls_session_base_stream_count_arrived (GTlsSessionBaseStream *self);

void g_tls_session_base_stream_end_write (GTlsSessionBaseStream *self);

void g_tls_session_base_stream_wake_waiters (GTlsSessionBaseStream *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GTlsSessionBaseStream, g_tls_session_base_stream_free)

G_END_DECLS
