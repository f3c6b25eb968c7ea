/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../ticket/recipe.h"
#include "ticket/gtls-session-ticket.h"

G_BEGIN_DECLS

/* Makes any number of different tickets of one handshake, as quickly as they can be read. */

typedef struct
{
  Recipe *recipe;
  guint8 *name; /* the place in the session's DER of what the ticket is told apart by */
} Mill;

Mill *mill_new (HandshakeKind kind);

/* @age in seconds, since the handshake. */
Mill *mill_new_aged (HandshakeKind kind, gint64 age);

void mill_free (Mill *self);

/* The same for the same @number. */
GTlsSessionTicket *mill_make (Mill *self, guint number);

/* A single ticket, for those who need no more. */
GTlsSessionTicket *mill_make_one (HandshakeKind kind, guint number);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Mill, mill_free)

G_END_DECLS
