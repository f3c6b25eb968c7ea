/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtls-session.h>

G_BEGIN_DECLS

/* A store as a program might write it: it counts, and fails on demand. */

#define STUB_TYPE_STORE (stub_store_get_type ())
G_DECLARE_FINAL_TYPE (StubStore, stub_store, STUB, STORE, GObject)

typedef void (*StubStoreFunc) (StubStore *self);

struct _StubStore
{
  GObject parent_instance;

  GTlsSessionMemoryStore *inner;
  const char *failure;   /* what it fails with; NULL: it does not; "": without a reason */
  StubStoreFunc on_call; /* called in each put and take; nullable */
  gpointer data;         /* for on_call */
  GThread *called_in;    /* the thread of the last call, borrowed */
  char *last_key;
  guint n_puts;
  guint n_takes;
  guint n_removes;
};

StubStore *stub_store_new (void);

G_END_DECLS
