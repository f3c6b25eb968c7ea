/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <openssl/ssl.h>

#include "client-connection-private.h"

G_BEGIN_DECLS

/* What a client offers the server to resume, and what became of it. */

typedef enum
{
  G_TLS_SESSION_OFFER_NONE,    /* nobody asked for one */
  G_TLS_SESSION_OFFER_MADE,    /* see the connection's resumption for what became of it */
  G_TLS_SESSION_OFFER_DROPPED, /* at the handshake the ticket could not be used any more */
} GTlsSessionOfferState;

typedef enum
{
  G_TLS_SESSION_OFFER_BY_HAND,    /* the program gave it to this connection */
  G_TLS_SESSION_OFFER_FROM_STORE, /* its session store had it */
} GTlsSessionOfferOrigin;

typedef struct
{
  GTlsSessionOfferState state;
  GTlsSessionOfferOrigin origin; /* unless the state is NONE */
  GTlsSessionTicket *ticket;     /* unless the state is NONE */
  char *why_dropped;             /* if the state is DROPPED: a clause */
} GTlsSessionClientOffer;

/* With the connection's lock held. */

GTlsSessionClientOffer *g_tls_session_client_connection_get_offer (GTlsSessionClientConnection *self);

const char *g_tls_session_client_connection_get_server_name (GTlsSessionClientConnection *self);

GSocketConnectable *g_tls_session_client_connection_get_identity (GTlsSessionClientConnection *self);

gboolean g_tls_session_client_connection_offer_found (GTlsSessionClientConnection *self, GTlsSessionTicket *ticket);

SSL_SESSION *g_tls_session_client_connection_begin_offer (GTlsSessionClientConnection *self);

void g_tls_session_client_connection_end_offer (GTlsSessionClientConnection *self);

void g_tls_session_client_offer_clear (GTlsSessionClientOffer *offer);

G_END_DECLS
