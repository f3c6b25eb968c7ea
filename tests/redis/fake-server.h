/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What listens on a port of 127.0.0.1 and is no Redis server. */

typedef enum
{
  FAKE_ANSWERS,  /* sends what it was told to at every question */
  FAKE_SILENT,   /* never sends anything */
  FAKE_DRIPS,    /* sends a digit of a number without end now and then */
  FAKE_FLOODS,   /* sends a status without end as fast as it can */
  FAKE_HANGS_UP, /* closes the connection without having read */
} FakeHabit;

typedef struct _FakeServer FakeServer;

FakeServer *fake_server_new (FakeHabit habit, const void *answer, gsize size);

void fake_server_free (FakeServer *self);

char *fake_server_make_uri (FakeServer *self, const char *scheme);

/* How many connections it has accepted. */
guint fake_server_count (FakeServer *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FakeServer, fake_server_free)

G_END_DECLS
