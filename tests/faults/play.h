/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scenario.h"

G_BEGIN_DECLS

/* One connection: made, led up to the phase, hurt in it, and closed. What only a client or only a server does is its
 * PlaySide's; client-play.h and server-play.h are what others call.
 */

#define GREETING_SIZE 700
#define BULK_SIZE 40000 /* three records */
#define EARLY_SIZE 300

typedef struct _Play Play;

typedef struct
{
  /* Makes the connection over @base, which it may keep, and puts it in the Play. */
  void (*make) (Play *self, GIOStream *base);
  /* The handshake is done; nullable. */
  void (*opened) (Play *self);
  /* NULL: there is no such phase. */
  gboolean (*wait_for_ticket) (Play *self, GCancellable *cancellable, GError **error);
  /* What it knows of the connection, which is closed by now, is true. */
  void (*check) (Play *self);
} PlaySide;

struct _Play
{
  const PlaySide *side;
  gconstpointer order; /* the side's */
  const Case *this_case;
  Outcome *outcome;
  Peer *peer;
  Wire *wire;
  GObject *subject;          /* what the side made: the connection, or what holds it */
  GIOStream *stream;         /* the connection, borrowed */
  GCancellable *cancellable; /* of the operation that the fault is to meet */
  GCancellable *rescue;      /* of all others, for a hang only */
  guint n_hangs;
  guint8 *said; /* what was read */
  gsize n_said;
  guint8 *upload;
  gsize n_uploaded;
  gsize n_to_upload;
  guint n_heard_when_closed;
};

/* @peer is taken. All else is borrowed. */
void play (const PlaySide *side, gconstpointer order, Peer *peer, const Case *this_case, Outcome *outcome);

/* All that was made in plays has been freed by now; if not, that is a flaw of this outcome's. */
void play_check_nothing_is_left (Outcome *outcome);

/* For the sides */

/* @object is to be gone after the play. */
void play_watch (gpointer object);

/* The first one is what tells. */
void play_note_flaw (Play *self, const char *format, ...) G_GNUC_PRINTF (2, 3);

gboolean play_is_async (Play *self);

/* It was opened, whatever became of it later. */
gboolean play_was_open (Play *self);

G_END_DECLS
