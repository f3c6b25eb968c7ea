/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../connection/gtls-session-early-data-status.h"
#include "../connection/gtls-session-resumption.h"
#include "../ticket/gtls-session-ticket.h"

G_BEGIN_DECLS

#define G_TLS_SESSION_TYPE_HELPER (g_tls_session_helper_get_type ())

G_TLS_SESSION_API
G_DECLARE_FINAL_TYPE (GTlsSessionHelper, g_tls_session_helper, G_TLS_SESSION, HELPER, GObject)

G_TLS_SESSION_API
GTlsSessionHelper *g_tls_session_helper_new (GTlsClientConnection *connection);

G_TLS_SESSION_API
GTlsSessionHelper *g_tls_session_helper_new_for_stream (GIOStream *base_io_stream,
                                                        GSocketConnectable *server_identity,
                                                        GError **error);

G_TLS_SESSION_API
GTlsSessionHelper *g_tls_session_helper_connect_to_host (const char *host_and_port,
                                                         guint16 default_port,
                                                         GCancellable *cancellable,
                                                         GError **error);

G_TLS_SESSION_API
void g_tls_session_helper_connect_to_host_async (const char *host_and_port,
                                                 guint16 default_port,
                                                 GCancellable *cancellable,
                                                 GAsyncReadyCallback callback,
                                                 gpointer user_data);

G_TLS_SESSION_API
GTlsSessionHelper *g_tls_session_helper_connect_to_host_finish (GAsyncResult *result, GError **error);

G_TLS_SESSION_API
GTlsClientConnection *g_tls_session_helper_get_connection (GTlsSessionHelper *self);

G_TLS_SESSION_API
GTlsSessionResumption g_tls_session_helper_get_resumption (GTlsSessionHelper *self);

G_TLS_SESSION_API
char *g_tls_session_helper_explain (GTlsSessionHelper *self);

G_TLS_SESSION_API
GTlsSessionTicket *g_tls_session_helper_get_ticket (GTlsSessionHelper *self);

G_TLS_SESSION_API
GList *g_tls_session_helper_list_tickets (GTlsSessionHelper *self);

G_TLS_SESSION_API
gboolean g_tls_session_helper_set_ticket (GTlsSessionHelper *self, GTlsSessionTicket *ticket, GError **error);

G_TLS_SESSION_API
gboolean g_tls_session_helper_copy_session_state (GTlsSessionHelper *self, GTlsSessionHelper *source, GError **error);

G_TLS_SESSION_API
gboolean g_tls_session_helper_set_early_data (GTlsSessionHelper *self, GBytes *bytes, GError **error);

G_TLS_SESSION_API
GBytes *g_tls_session_helper_get_early_data (GTlsSessionHelper *self);

G_TLS_SESSION_API
GTlsSessionEarlyDataStatus g_tls_session_helper_get_early_data_status (GTlsSessionHelper *self);

G_TLS_SESSION_API
GTlsSessionTicket *g_tls_session_helper_wait_for_ticket (GTlsSessionHelper *self,
                                                         int timeout_ms,
                                                         GCancellable *cancellable,
                                                         GError **error);

G_TLS_SESSION_API
void g_tls_session_helper_wait_for_ticket_async (GTlsSessionHelper *self,
                                                 int timeout_ms,
                                                 GCancellable *cancellable,
                                                 GAsyncReadyCallback callback,
                                                 gpointer user_data);

G_TLS_SESSION_API
GTlsSessionTicket *g_tls_session_helper_wait_for_ticket_finish (GTlsSessionHelper *self,
                                                                GAsyncResult *result,
                                                                GError **error);

G_END_DECLS
