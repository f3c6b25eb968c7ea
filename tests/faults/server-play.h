/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "play.h"

G_BEGIN_DECLS

/* A server of ours; all borrowed. */
typedef struct
{
  SSL_CTX *context;     /* of the peer, a client */
  SSL_SESSION *session; /* that it offers; nullable */
  gboolean early_data;  /* it sends some, with the session */
  GTlsCertificate *certificate;
  GTlsSessionTicketKeys *keys;
  GTlsProtocolVersion version;      /* the only one */
  guint max_early_data;             /* bytes */
  GTlsDatabase *client_database;    /* NULL: no certificate is asked for */
  GTlsCertificate *client;          /* whose certificate the peer shows; nullable */
  GTlsSessionResumption resumption; /* what is to become of the session */
} ServerOrder;

/* The outcome's ticket is OpenSSL's, in DER. */
void server_play (const ServerOrder *order, const Case *this_case, Outcome *outcome);

G_END_DECLS
