/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../ticket/gtls-session-store.h"
#include "gtls-session-connection.h"
#include "gtls-session-early-data-status.h"

G_BEGIN_DECLS

#define G_TLS_SESSION_TYPE_CLIENT_CONNECTION (g_tls_session_client_connection_get_type ())
#define G_TLS_SESSION_CLIENT_CONNECTION(obj) \
  (G_TYPE_CHECK_INSTANCE_CAST ((obj), G_TLS_SESSION_TYPE_CLIENT_CONNECTION, GTlsSessionClientConnection))
#define G_TLS_SESSION_IS_CLIENT_CONNECTION(obj) \
  (G_TYPE_CHECK_INSTANCE_TYPE ((obj), G_TLS_SESSION_TYPE_CLIENT_CONNECTION))

typedef struct _GTlsSessionClientConnection GTlsSessionClientConnection;
typedef struct _GTlsSessionClientConnectionClass GTlsSessionClientConnectionClass;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GTlsSessionClientConnection, g_object_unref)

G_TLS_SESSION_API
GType g_tls_session_client_connection_get_type (void) G_GNUC_CONST;

G_TLS_SESSION_API
GTlsSessionClientConnection *g_tls_session_client_connection_new (GIOStream *base_io_stream,
                                                                  GSocketConnectable *server_identity,
                                                                  GError **error);

G_TLS_SESSION_API
gboolean g_tls_session_client_connection_get_session_reused (GTlsSessionClientConnection *self);

G_TLS_SESSION_API
void g_tls_session_client_connection_set_session_store (GTlsSessionClientConnection *self, GTlsSessionStore *store);

G_TLS_SESSION_API
GTlsSessionStore *g_tls_session_client_connection_get_session_store (GTlsSessionClientConnection *self);

G_TLS_SESSION_API
void g_tls_session_client_connection_set_session_resumption_enabled (GTlsSessionClientConnection *self,
                                                                     gboolean enabled);

G_TLS_SESSION_API
gboolean g_tls_session_client_connection_get_session_resumption_enabled (GTlsSessionClientConnection *self);

G_TLS_SESSION_API
gboolean g_tls_session_client_connection_set_early_data (GTlsSessionClientConnection *self,
                                                         GBytes *bytes,
                                                         GError **error);

G_TLS_SESSION_API
GBytes *g_tls_session_client_connection_get_early_data (GTlsSessionClientConnection *self);

G_TLS_SESSION_API
GTlsSessionEarlyDataStatus g_tls_session_client_connection_get_early_data_status (GTlsSessionClientConnection *self);

G_END_DECLS
