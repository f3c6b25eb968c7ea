/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../gtls-session-macros.h"

G_BEGIN_DECLS

#define G_TLS_SESSION_TYPE_TICKET (g_tls_session_ticket_get_type ())

G_TLS_SESSION_API
G_DECLARE_FINAL_TYPE (GTlsSessionTicket, g_tls_session_ticket, G_TLS_SESSION, TICKET, GObject)

G_TLS_SESSION_API
GTlsSessionTicket *g_tls_session_ticket_new_from_bytes (GBytes *bytes, GError **error);

G_TLS_SESSION_API
GBytes *g_tls_session_ticket_to_bytes (GTlsSessionTicket *self);

G_TLS_SESSION_API
gboolean g_tls_session_ticket_is_usable (GTlsSessionTicket *self);

G_TLS_SESSION_API
GTlsProtocolVersion g_tls_session_ticket_get_protocol_version (GTlsSessionTicket *self);

G_TLS_SESSION_API
const char *g_tls_session_ticket_get_ciphersuite_name (GTlsSessionTicket *self);

G_TLS_SESSION_API
const char *g_tls_session_ticket_get_server_name (GTlsSessionTicket *self);

G_TLS_SESSION_API
const char *g_tls_session_ticket_get_application_protocol (GTlsSessionTicket *self);

G_TLS_SESSION_API
GDateTime *g_tls_session_ticket_get_received (GTlsSessionTicket *self);

G_TLS_SESSION_API
GDateTime *g_tls_session_ticket_get_expires (GTlsSessionTicket *self);

G_TLS_SESSION_API
guint g_tls_session_ticket_get_lifetime (GTlsSessionTicket *self);

G_TLS_SESSION_API
guint g_tls_session_ticket_get_max_early_data (GTlsSessionTicket *self);

G_TLS_SESSION_API
gboolean g_tls_session_ticket_get_single_use (GTlsSessionTicket *self);

G_TLS_SESSION_API
const char *g_tls_session_ticket_get_id (GTlsSessionTicket *self);

G_END_DECLS
