/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <openssl/ssl.h>

G_BEGIN_DECLS

/* What a ticket is made of, and what its bytes hold. All of it is owned. */
typedef struct
{
  SSL_SESSION *session;
  STACK_OF (X509) *chain; /* leaf first; nullable, never empty */
  char *server_name;      /* nullable */
  gboolean accepted_by_hand;
} GTlsSessionTicketParts;

void g_tls_session_ticket_parts_clear (GTlsSessionTicketParts *parts);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GTlsSessionTicketParts, g_tls_session_ticket_parts_clear)

gboolean g_tls_session_ticket_codec_name_is_sound (const char *name, gsize length);

gsize g_tls_session_ticket_codec_measure (const GTlsSessionTicketParts *parts);

GBytes *g_tls_session_ticket_codec_encode (const GTlsSessionTicketParts *parts);

gboolean g_tls_session_ticket_codec_decode (GBytes *bytes, GTlsSessionTicketParts *parts, GError **error);

G_END_DECLS
