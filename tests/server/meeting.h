/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtls-session.h>

#include "papers.h"

G_BEGIN_DECLS

/* What is the same for all connections of a server. Nothing in it is owned. */
typedef struct
{
  GTlsCertificate *certificate;
  GTlsSessionTicketKeys *keys; /* nullable */
  GTlsProtocolVersion version; /* the only one */
  guint ticket_count;
  GTlsAuthenticationMode authentication_mode;
  GTlsDatabase *client_database; /* nullable */
  gint64 hello_takes;            /* seconds by which the calendar is turned on while the ClientHello is under way */
} Host;

Host host_of (const Papers *papers, GTlsSessionTicketKeys *keys, GTlsProtocolVersion version);

typedef enum
{
  ENDING_CLOSED,
  ENDING_CUT_BY_CLIENT, /* after the hello, without close_notify; the other side then fails with an error */
  ENDING_CUT_BY_SERVER,
} Ending;

/* A client of ours and a server of ours on a pair of sockets. */
typedef struct
{
  Host host;
  Ending ending;
  GTlsSessionHelper *client; /* NULL: it is somebody else's */
  GTlsSessionServerConnection *server;
  GSocket *server_socket;
  GError *client_error; /* nullable, as the next one; what ended the meeting */
  GError *server_error;
  guint n_heard; /* bytes of application data that got to the server */
} Meeting;

/* The client trusts @papers' root and wants to talk to @name; all is still to come. */
Meeting *meeting_new (const Host *host, const Papers *papers, const char *name);

/* At @fd, which is taken, with somebody else at the other end. */
Meeting *meeting_new_with_server_only (const Host *host, int fd);

void meeting_play_server (Meeting *self);

void meeting_free (Meeting *self);

GTlsConnection *meeting_get_client (Meeting *self);

/* They shake hands, say hello, and close; TRUE if that is how it went. */
gboolean meeting_try (Meeting *self);

void meeting_hold (Meeting *self);

void meeting_offer (Meeting *self, GTlsSessionTicket *ticket);

/* Both sides say that this became of the session. */
void meeting_assert (Meeting *self, GTlsSessionResumption resumption);

/* The newest ticket that the client has. */
GTlsSessionTicket *meeting_get_ticket (Meeting *self);

guint meeting_count_tickets (Meeting *self);

/* A meeting with nothing offered; its ticket. */
GTlsSessionTicket *obtain_ticket (const Host *host, const Papers *papers);

/* A meeting with @ticket offered for SERVER_NAME, of which both sides say @resumption; the ticket it brought, or NULL. */
GTlsSessionTicket *spend_ticket (const Host *host,
                                 const Papers *papers,
                                 GTlsSessionTicket *ticket,
                                 GTlsSessionResumption resumption);

GTlsSessionTicketKeys *keys_new (void);

GTlsSessionTicketKeys *keys_there_and_back (GTlsSessionTicketKeys *keys);

/* A story for TLS 1.3 and for TLS 1.2; it gets the version. */
void add_for_both_versions (const char *suite, const char *name, GTestDataFunc story);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Meeting, meeting_free)

G_END_DECLS
