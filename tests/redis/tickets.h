/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../ticket/recipe.h"
#include "ticket/gtls-session-store.h"

G_BEGIN_DECLS

typedef GTlsSessionTicket Ticket;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Ticket, g_object_unref)

/* Makes as many different tickets as one likes out of one handshake: sound ones, though no server has given them out. */
typedef struct _TicketMaker TicketMaker;

TicketMaker *ticket_maker_new (HandshakeKind kind);

void ticket_maker_free (TicketMaker *self);

GTlsSessionTicket *ticket_maker_make (TicketMaker *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TicketMaker, ticket_maker_free)

/* Calls of a store that cannot but succeed */

void put (gpointer store, const char *key, GTlsSessionTicket *ticket);

void assert_takes (gpointer store, const char *key, GTlsSessionTicket *expected);

void assert_has_none (gpointer store, const char *key);

void save (gpointer store, const char *name, const char *text);

void assert_loads (gpointer store, const char *name, const char *text);

/* @words, all of them in this order, are in the message of a G_TLS_SESSION_ERROR_STORE. */
void assert_says (const GError *error, const char *first, const char *second);

G_END_DECLS
