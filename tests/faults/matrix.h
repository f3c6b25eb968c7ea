/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "expectation.h"

G_BEGIN_DECLS

/* What differs between the matrix of a client and that of a server. */
typedef struct
{
  const char *name;    /* of the tests */
  const char *heading; /* of the table on the manual's page */
  guint places;        /* of each direction's bytes, for each kind of fault in each group */
  guint n_promised;    /* cases, at least */
  gboolean (*has_group) (const Case *like);
  const Expectation *expectation;
} Matrix;

/* The test program; its argument is the manual's page. */
int matrix_main (const Matrix *self, int argc, char **argv);

/* Peers, certificates, stores, keys and tickets for all cases; each program has one kind of it. */
typedef struct _Scenery Scenery;

Scenery *scenery_new (void);

void scenery_free (Scenery *self);

/* Plays one case. It is up to the caller to judge what the phase ended with. */
void scenery_play (Scenery *self, const Case *this_case, Outcome *outcome);

/* After the @nth case of its kind and unit in a group: tickets that a client got are good, whatever became of their
 * connection, and so on. NULL, or what is wrong, owned by the caller.
 */
char *scenery_look_after_case (Scenery *self, const Case *this_case, const Outcome *outcome, guint nth);

/* After all cases of a group: what they shared is unharmed; likewise. */
char *scenery_look_after_group (Scenery *self, const Case *like);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Scenery, scenery_free)

G_END_DECLS
