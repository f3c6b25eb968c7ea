/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scenario.h"

G_BEGIN_DECLS

/* One connection: made, led up to the phase, hurt in it, and closed. All borrowed. */
typedef struct
{
  const Case *this_case;
  SSL_CTX *context;                 /* of the peer */
  GTlsDatabase *database;           /* of the client, as all that follows */
  GTlsCertificate *certificate;     /* nullable */
  GTlsSessionTicket *ticket;        /* to offer; nullable */
  GTlsSessionStore *store;          /* nullable */
  gboolean early_data;              /* to send, with the ticket */
  GTlsSessionResumption resumption; /* what is to become of it */
} PlayOrder;

void play (const PlayOrder *order, Outcome *outcome);

/* All that was made in plays has been freed by now; if not, that is a flaw of this outcome's. */
void play_check_nothing_is_left (Outcome *outcome);

G_END_DECLS
