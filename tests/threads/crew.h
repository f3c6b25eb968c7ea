/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Threads that begin at the same moment, each with a main context of its own as its default. */

typedef void (*CrewFunc) (guint number, gpointer data);

/* Calls @func in @size threads, with numbers from 0, and returns when all are done. */
void crew_work (guint size, CrewFunc func, gpointer data);

/* @count, or a tenth of it, and five at least, where everything is slow. */
guint crew_scale (guint count);

/* A thread that runs a main loop, whose context is its default. */
typedef struct _Looper Looper;

typedef void (*LooperFunc) (gpointer data);

Looper *looper_new (void);

/* Everything that was sent there has been done then. */
void looper_free (Looper *self);

gboolean looper_is_here (Looper *self);

/* Has @func called there, and does not wait for it. */
void looper_send (Looper *self, LooperFunc func, gpointer data);

/* The same, and waits. */
void looper_call (Looper *self, LooperFunc func, gpointer data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Looper, looper_free)

G_END_DECLS
