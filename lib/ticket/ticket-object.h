/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ticket-codec.h"
#include "ticket-private.h"

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

  int uses;   /* atomic */
  char *home; /* atomic, set once; nullable */
};

void g_tls_session_ticket_install_properties (GObjectClass *object_class);

G_END_DECLS
