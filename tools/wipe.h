/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

/* So that no compiler finds it useless before free(). explicit_bzero() is not everywhere. */
static inline void
wipe (void *data, gsize size)
{
  volatile guint8 *bytes = data;

  for (gsize i = 0; i < size; i++)
    bytes[i] = 0;
}

/* @text: nullable. */
static inline void
wipe_and_free (gpointer text)
{
  if (text != NULL)
    wipe (text, strlen (text));
  g_free (text);
}

G_END_DECLS
