/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gtls-session-resumption.h"

G_BEGIN_DECLS

#define G_TLS_SESSION_TYPE_CONNECTION (g_tls_session_connection_get_type ())
#define G_TLS_SESSION_CONNECTION(obj) \
  (G_TYPE_CHECK_INSTANCE_CAST ((obj), G_TLS_SESSION_TYPE_CONNECTION, GTlsSessionConnection))
#define G_TLS_SESSION_IS_CONNECTION(obj) (G_TYPE_CHECK_INSTANCE_TYPE ((obj), G_TLS_SESSION_TYPE_CONNECTION))

typedef struct _GTlsSessionConnection GTlsSessionConnection;
typedef struct _GTlsSessionConnectionClass GTlsSessionConnectionClass;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GTlsSessionConnection, g_object_unref)

G_TLS_SESSION_API
GType g_tls_session_connection_get_type (void) G_GNUC_CONST;

G_TLS_SESSION_API
GTlsSessionResumption g_tls_session_connection_get_resumption (GTlsSessionConnection *self);

G_TLS_SESSION_API
void g_tls_session_connection_set_minimum_protocol_version (GTlsSessionConnection *self, GTlsProtocolVersion version);

G_TLS_SESSION_API
GTlsProtocolVersion g_tls_session_connection_get_minimum_protocol_version (GTlsSessionConnection *self);

G_TLS_SESSION_API
void g_tls_session_connection_set_maximum_protocol_version (GTlsSessionConnection *self, GTlsProtocolVersion version);

G_TLS_SESSION_API
GTlsProtocolVersion g_tls_session_connection_get_maximum_protocol_version (GTlsSessionConnection *self);

G_TLS_SESSION_API
void g_tls_session_connection_set_close_timeout (GTlsSessionConnection *self, guint timeout_ms);

G_TLS_SESSION_API
guint g_tls_session_connection_get_close_timeout (GTlsSessionConnection *self);

G_END_DECLS
