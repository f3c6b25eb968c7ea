/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../ticket/gtls-session-ticket-keys.h"
#include "gtls-session-connection.h"

G_BEGIN_DECLS

#define G_TLS_SESSION_TYPE_SERVER_CONNECTION (g_tls_session_server_connection_get_type ())
#define G_TLS_SESSION_SERVER_CONNECTION(obj) \
  (G_TYPE_CHECK_INSTANCE_CAST ((obj), G_TLS_SESSION_TYPE_SERVER_CONNECTION, GTlsSessionServerConnection))
#define G_TLS_SESSION_IS_SERVER_CONNECTION(obj) \
  (G_TYPE_CHECK_INSTANCE_TYPE ((obj), G_TLS_SESSION_TYPE_SERVER_CONNECTION))

typedef struct _GTlsSessionServerConnection GTlsSessionServerConnection;
typedef struct _GTlsSessionServerConnectionClass GTlsSessionServerConnectionClass;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GTlsSessionServerConnection, g_object_unref)

G_TLS_SESSION_API
GType g_tls_session_server_connection_get_type (void) G_GNUC_CONST;

G_TLS_SESSION_API
GTlsSessionServerConnection *g_tls_session_server_connection_new (GIOStream *base_io_stream,
                                                                  GTlsCertificate *certificate,
                                                                  GError **error);

G_TLS_SESSION_API
void g_tls_session_server_connection_set_ticket_keys (GTlsSessionServerConnection *self, GTlsSessionTicketKeys *keys);

G_TLS_SESSION_API
GTlsSessionTicketKeys *g_tls_session_server_connection_get_ticket_keys (GTlsSessionServerConnection *self);

G_TLS_SESSION_API
void g_tls_session_server_connection_set_ticket_count (GTlsSessionServerConnection *self, guint count);

G_TLS_SESSION_API
guint g_tls_session_server_connection_get_ticket_count (GTlsSessionServerConnection *self);

G_TLS_SESSION_API
char *g_tls_session_server_connection_dup_server_name (GTlsSessionServerConnection *self);

G_TLS_SESSION_API
void g_tls_session_server_connection_set_max_early_data (GTlsSessionServerConnection *self, guint size);

G_TLS_SESSION_API
guint g_tls_session_server_connection_get_max_early_data (GTlsSessionServerConnection *self);

G_TLS_SESSION_API
GBytes *g_tls_session_server_connection_dup_early_data (GTlsSessionServerConnection *self);

G_END_DECLS
