/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtls-session.h>

G_BEGIN_DECLS

/* A file of tickets with their keys, to carry them from one store to another; doc/archive-format.md documents it. Who
 * can read it can resume the sessions that are in it.
 */

typedef struct
{
  char *key;
  GTlsSessionTicket *ticket;
} ArchiveItem;

void archive_item_free (ArchiveItem *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ArchiveItem, archive_item_free)

/* @items: of ArchiveItem. Makes the file with mode 0600, whole or not at all; one that is there is left alone. */
gboolean archive_write (const char *path, GPtrArray *items, GError **error);

/* Of ArchiveItem; NULL with an error. */
GPtrArray *archive_read (const char *path, GError **error);

G_END_DECLS
