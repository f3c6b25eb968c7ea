/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../ticket/gtls-session-ticket.h"
#include "gtls-session-client-connection.h"
#include "ticket-shelf.h"

G_BEGIN_DECLS

/* What the helper does with a connection. */

gboolean g_tls_session_client_connection_offer (GTlsSessionClientConnection *self,
                                                GTlsSessionTicket *ticket,
                                                GError **error);

gboolean g_tls_session_client_connection_offer_from (GTlsSessionClientConnection *self,
                                                     GTlsSessionClientConnection *source,
                                                     GError **error);

GTlsSessionTicket *g_tls_session_client_connection_pick_ticket (GTlsSessionClientConnection *self);

GList *g_tls_session_client_connection_list_tickets (GTlsSessionClientConnection *self);

void g_tls_session_client_connection_observe_tickets (GTlsSessionClientConnection *self,
                                                      GObject *observer,
                                                      GTlsSessionTicketFunc func);

GTlsSessionTicket *g_tls_session_client_connection_wait_for_ticket (GTlsSessionClientConnection *self,
                                                                    int timeout_ms,
                                                                    GCancellable *cancellable,
                                                                    GError **error);

void g_tls_session_client_connection_wait_for_ticket_async (GTlsSessionClientConnection *self,
                                                            int timeout_ms,
                                                            GCancellable *cancellable,
                                                            GAsyncReadyCallback callback,
                                                            gpointer user_data);

GTlsSessionTicket *g_tls_session_client_connection_wait_for_ticket_finish (GTlsSessionClientConnection *self,
                                                                           GAsyncResult *result,
                                                                           GError **error);

char *g_tls_session_client_connection_explain (GTlsSessionClientConnection *self);

G_END_DECLS
