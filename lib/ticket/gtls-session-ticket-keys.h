/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gtls-session-store.h"

G_BEGIN_DECLS

#define G_TLS_SESSION_TYPE_TICKET_KEYS (g_tls_session_ticket_keys_get_type ())

G_TLS_SESSION_API
G_DECLARE_FINAL_TYPE (GTlsSessionTicketKeys, g_tls_session_ticket_keys, G_TLS_SESSION, TICKET_KEYS, GObject)

G_TLS_SESSION_API
GTlsSessionTicketKeys *g_tls_session_ticket_keys_new (GError **error);

G_TLS_SESSION_API
GTlsSessionTicketKeys *g_tls_session_ticket_keys_new_from_bytes (GBytes *bytes, GError **error);

G_TLS_SESSION_API
GBytes *g_tls_session_ticket_keys_to_bytes (GTlsSessionTicketKeys *self);

G_TLS_SESSION_API
gboolean g_tls_session_ticket_keys_rotate (GTlsSessionTicketKeys *self, GError **error);

G_TLS_SESSION_API
gboolean g_tls_session_ticket_keys_share (GTlsSessionTicketKeys *self,
                                          GTlsSessionStore *store,
                                          const char *name,
                                          GError **error);

G_TLS_SESSION_API
void g_tls_session_ticket_keys_set_lifetime (GTlsSessionTicketKeys *self, guint lifetime);

G_TLS_SESSION_API
guint g_tls_session_ticket_keys_get_lifetime (GTlsSessionTicketKeys *self);

G_TLS_SESSION_API
guint g_tls_session_ticket_keys_get_n_keys (GTlsSessionTicketKeys *self);

G_END_DECLS
