/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../ticket/gtls-session-ticket.h"

G_BEGIN_DECLS

/* The tickets that one connection received, oldest first. It has no lock; its connection's covers it. */

/* A server that sends tickets without end does not fill the memory: the oldest go. */
#define G_TLS_SESSION_TICKETS_MAX 32

typedef struct _GTlsSessionTicketShelf GTlsSessionTicketShelf;

GTlsSessionTicketShelf *g_tls_session_ticket_shelf_new (void);

void g_tls_session_ticket_shelf_free (GTlsSessionTicketShelf *self);

void g_tls_session_ticket_shelf_add (GTlsSessionTicketShelf *self, GTlsSessionTicket *ticket);

GTlsSessionTicket *g_tls_session_ticket_shelf_pick (GTlsSessionTicketShelf *self);

gboolean g_tls_session_ticket_shelf_has_unused (GTlsSessionTicketShelf *self);

gboolean g_tls_session_ticket_shelf_is_empty (GTlsSessionTicketShelf *self);

GList *g_tls_session_ticket_shelf_list (GTlsSessionTicketShelf *self);

typedef void (*GTlsSessionTicketFunc) (GObject *observer, GTlsSessionTicket *ticket);

void g_tls_session_ticket_shelf_observe (GTlsSessionTicketShelf *self, GObject *observer, GTlsSessionTicketFunc func);

GPtrArray *g_tls_session_ticket_shelf_list_observers (GTlsSessionTicketShelf *self);

typedef struct
{
  GObject *object; /* owned */
  GTlsSessionTicketFunc func;
} GTlsSessionTicketObserver;

G_END_DECLS
