/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../store/files.h"

G_BEGIN_DECLS

/* A GTlsSessionFileStore of three tickets, and what is known of where each of them is. */

#define SHELF_N_TICKETS 3

typedef enum
{
  PLACE_OUTSIDE, /* it was never put, or is not there any more */
  PLACE_INSIDE,
  PLACE_UNSURE, /* what would have moved it has failed */
} Place;

typedef struct
{
  char *model; /* the path of a store that each case gets a copy of; NULL: there is none */
  char *directory;
  char *path;
  GTlsSessionFileStore *store; /* NULL: not open */
  GTlsSessionTicket *tickets[SHELF_N_TICKETS];
  Place places[SHELF_N_TICKETS];
} Shelf;

/* With the first two tickets in the store, if there is @with_model. */
Shelf *shelf_new (gboolean with_model);

void shelf_free (Shelf *self);

const char *shelf_key (guint which);

/* Before a case: a directory of its own. Fits Story.prepare. */
void shelf_prepare (gpointer data);

/* After it: the store works, opens again, is sound, has what it should have and leaves nothing else lying about. Fits
 * Story.look.
 */
void shelf_look (gpointer data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Shelf, shelf_free)

G_END_DECLS
