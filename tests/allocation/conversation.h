/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtls-session.h>

#include "papers.h"

G_BEGIN_DECLS

/* A client and a server of ours, on a pair of sockets, in one thread and one main context: what they ask of OpenSSL comes
 * in the same order each time.
 */

typedef struct
{
  const Papers *papers;
  GTlsDatabase *database;      /* the client's */
  GTlsSessionTicketKeys *keys; /* the server's */
  GTlsProtocolVersion version;
  GTlsSessionTicket *ticket;           /* what the client offers; nullable */
  GTlsCertificate *client_certificate; /* nullable; the server wants one if there is one */
  GTlsDatabase *client_database;       /* the server's, for it */
  GBytes *early_data;                  /* what is said, once more; nullable; the server's tickets permit it then */
  gboolean over_streams;               /* what TLS runs over is not known to be a plain socket */
} Parties;

typedef struct
{
  GError *client_error; /* nullable, as the next one */
  GError *server_error;
  gboolean client_opened; /* its handshake succeeded */
  gboolean server_opened;
  gboolean client_heard; /* what it had said, come back */
  gsize server_heard_on; /* bytes, after it had said that back */
  GTlsSessionResumption client_resumption;
  GTlsSessionResumption server_resumption;
  GTlsCertificateFlags client_faults; /* of the server's certificate */
  GTlsSessionTicket *ticket;          /* the newest that the client got; nullable */
} Conversation;

/* Both shake hands, the client says something, the server says it back, both close. It ends in any case: what waits
 * longer than a minute fails the test. That nothing is left of both connections is seen as well.
 */
void conversation_hold (Conversation *self, const Parties *parties);

/* A ticket for @parties, from a conversation in which nothing fails. */
GTlsSessionTicket *conversation_obtain_ticket (const Parties *parties);

/* Makes both sides, and leaves it at that; FALSE if one could not be made, and said why. */
gboolean conversation_can_begin (const Parties *parties);

/* For those who hold it themselves: two streams, and who talks over them. NULL with an error. */
void conversation_make_pair (const Parties *parties, GIOStream *ends[2]);

GTlsSessionHelper *conversation_make_client (const Parties *parties, GIOStream *base, GError **error);

GTlsConnection *conversation_make_server (const Parties *parties, GIOStream *base, GError **error);

/* What both know of the other once they are done. Each is nullable. */
void conversation_keep_facts (Conversation *self, GTlsSessionHelper *client, GTlsConnection *server);

void conversation_clear (Conversation *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Conversation, conversation_clear)

G_END_DECLS
