/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <openssl/ssl.h>

#include "gtls-session-ticket.h"

#define G_TLS_SESSION_TICKET_MAX_LIFETIME 604800 /* s, a week: RFC 8446, section 4.6.1 */

G_BEGIN_DECLS

GTlsSessionTicket *g_tls_session_ticket_new (SSL_SESSION *session,
                                             STACK_OF (X509) *chain,
                                             const char *server_name,
                                             gboolean accepted_by_hand);

SSL_SESSION *g_tls_session_ticket_dup_session (GTlsSessionTicket *self);

STACK_OF (X509) *g_tls_session_ticket_get_chain (GTlsSessionTicket *self);

gboolean g_tls_session_ticket_was_accepted_by_hand (GTlsSessionTicket *self);

guint g_tls_session_ticket_get_uses (GTlsSessionTicket *self);

void g_tls_session_ticket_add_use (GTlsSessionTicket *self);

const char *g_tls_session_ticket_get_home (GTlsSessionTicket *self);

void g_tls_session_ticket_set_home (GTlsSessionTicket *self, const char *home);

G_END_DECLS
