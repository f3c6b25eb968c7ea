/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../ticket/gtls-session-store.h"
#include "circumstances.h"
#include "gtls-session-client-connection.h"

G_BEGIN_DECLS

/* Automatic resumption: what a client takes from its session store, and puts there. */

typedef enum
{
  G_TLS_SESSION_LOOKUP_TO_DO,
  G_TLS_SESSION_LOOKUP_DONE,
} GTlsSessionLookup;

typedef struct
{
  GTlsSessionStore *store; /* nullable */
  gboolean enabled;
  GTlsSessionLookup lookup;
  char *key;      /* that of the lookup; NULL: there was none */
  char *why_none; /* why nothing was found: a clause; nullable */
  char *failure;  /* what went wrong when a ticket was to be kept: a clause; nullable */

  GTlsSessionCircumstances handshake; /* those of the ClientHello; empty: there were none to keep a ticket under */
  char *home;                         /* their key; nullable */
} GTlsSessionClientStoring;

/* With the connection's lock held. */

GTlsSessionClientStoring *g_tls_session_client_connection_get_storing (GTlsSessionClientConnection *self);

void g_tls_session_client_storing_clear (GTlsSessionClientStoring *storing);

gboolean g_tls_session_client_connection_wants_session (GTlsSessionClientConnection *self);

void g_tls_session_client_connection_note_circumstances (GTlsSessionClientConnection *self);

gboolean g_tls_session_client_connection_is_in_circumstances (GTlsSessionClientConnection *self);

char *g_tls_session_client_connection_find_home (GTlsSessionClientConnection *self);

/* Without it. */

void g_tls_session_client_connection_find_session (GTlsSessionClientConnection *self);

void g_tls_session_client_connection_keep_ticket (GTlsSessionClientConnection *self, GTlsSessionTicket *ticket);

void g_tls_session_client_connection_forget_ticket (GTlsSessionClientConnection *self, GTlsSessionTicket *ticket);

G_END_DECLS
