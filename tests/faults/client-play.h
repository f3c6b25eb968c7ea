/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "play.h"

G_BEGIN_DECLS

/* A client of ours; all borrowed. */
typedef struct
{
  SSL_CTX *context;                 /* of the peer */
  GTlsDatabase *database;           /* of the client, as all that follows */
  GTlsCertificate *certificate;     /* nullable */
  GTlsSessionTicket *ticket;        /* to offer; nullable */
  GTlsSessionStore *store;          /* nullable */
  gboolean early_data;              /* to send, with the ticket */
  GTlsSessionResumption resumption; /* what is to become of it */
} ClientOrder;

void client_play (const ClientOrder *order, const Case *this_case, Outcome *outcome);

G_END_DECLS
