/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gtls-session-ticket.h"
#include "ticket-codec.h"

#define G_TLS_SESSION_TICKET_MAX_LIFETIME 604800 /* s, a week: RFC 8446, section 4.6.1 */

G_BEGIN_DECLS

/* Between ticket.c, which fills it once, and ticket-properties.c, which tells it. Nobody else looks in here. */
struct _GTlsSessionTicket
{
  GObject parent_instance;

  GTlsSessionTicketParts parts;

  GTlsProtocolVersion protocol_version;
  const char *ciphersuite_name; /* OpenSSL's, static */
  char *application_protocol;
  GDateTime *received;
  GDateTime *expires;
  guint lifetime;
  guint max_early_data;
  char *id;

  int uses; /* atomic */
};

void g_tls_session_ticket_install_properties (GObjectClass *object_class);

G_END_DECLS
