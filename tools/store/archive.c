/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "archive.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "../wipe.h"

/* NOTES:
 *
 * doc/archive-format.md has the bytes. A file that is read is not trusted: lengths are bounded, and a ticket has to be
 * one. It is not asked who wrote it, since whom it comes from is whom its user believes.
 *
 * The file is written under a name of its own and linked to the one it is to have, which fails if that is taken: so it
 * is there whole or not at all, and nothing is overwritten.
 */

#define MAGIC "gtls-session archive 1\n"
#define MAGIC_SIZE (sizeof MAGIC - 1)
#define KEY_SIZE 64 /* hexadecimal digits */
#define MAX_SIZE (256 << 20)

void
archive_item_free (ArchiveItem *self)
{
  g_free (self->key);
  g_clear_object (&self->ticket);
  g_free (self);
}

/* Writing */

static gboolean
write_all (int fd, const void *data, gsize size)
{
  const guint8 *bytes = data;

  while (size > 0)
    {
      gssize n_written = write (fd, bytes, size);

      if (n_written < 0 && errno == EINTR)
        continue;
      if (n_written < 0)
        return FALSE;
      bytes += n_written;
      size -= (gsize) n_written;
    }
  return TRUE;
}

static gboolean
write_item (int fd, ArchiveItem *item)
{
  g_autoptr (GBytes) bytes = g_tls_session_ticket_to_bytes (item->ticket);
  gsize size;
  const void *data = g_bytes_get_data (bytes, &size);
  guint32 length = GUINT32_TO_BE ((guint32) size);

  return write_all (fd, item->key, KEY_SIZE) && write_all (fd, &length, sizeof length) && write_all (fd, data, size);
}

static gboolean
write_items (int fd, GPtrArray *items)
{
  if (!write_all (fd, MAGIC, MAGIC_SIZE))
    return FALSE;
  for (guint i = 0; i < items->len; i++)
    if (!write_item (fd, g_ptr_array_index (items, i)))
      return FALSE;
  return fsync (fd) == 0;
}

static gboolean
fail (GError **error, const char *path, int system_error)
{
  g_set_error (error, G_FILE_ERROR, (int) g_file_error_from_errno (system_error),
               "The archive %s could not be written: %s", path, g_strerror (system_error));
  return FALSE;
}

gboolean
archive_write (const char *path, GPtrArray *items, GError **error)
{
  g_autofree char *temporary = g_strconcat (path, ".XXXXXX", NULL);
  int fd = g_mkstemp_full (temporary, O_RDWR | O_CLOEXEC, 0600);
  int system_error = 0;

  if (fd < 0)
    return fail (error, path, errno);
  if (!write_items (fd, items) || link (temporary, path) != 0)
    system_error = errno;
  if (close (fd) != 0 && system_error == 0)
    system_error = errno;
  if (g_unlink (temporary) != 0 && system_error == 0)
    system_error = errno;
  return system_error == 0 ? TRUE : fail (error, path, system_error);
}

/* Reading */

typedef struct
{
  const char *path;
  const guint8 *bytes;
  gsize left;
} Reader;

static gboolean
damaged (Reader *reader, GError **error, const char *reason)
{
  g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA, "The archive %s cannot be read: %s",
               reader->path, reason);
  return FALSE;
}

static const guint8 *
take (Reader *reader, gsize size)
{
  const guint8 *taken = reader->bytes;

  if (size > reader->left)
    return NULL;
  reader->bytes += size;
  reader->left -= size;
  return taken;
}

static gboolean
is_key (const guint8 *key)
{
  for (gsize i = 0; i < KEY_SIZE; i++)
    if (!g_ascii_isdigit (key[i]) && (key[i] < 'a' || key[i] > 'f'))
      return FALSE;
  return TRUE;
}

static gboolean
read_item (Reader *reader, GPtrArray *items, GError **error)
{
  const guint8 *key = take (reader, KEY_SIZE);
  const guint8 *length_bytes = key != NULL ? take (reader, sizeof (guint32)) : NULL;
  const guint8 *data;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  ArchiveItem *item;
  guint32 length;

  if (length_bytes == NULL)
    return damaged (reader, error, "it ends in the midst of a ticket");
  if (!is_key (key))
    return damaged (reader, error, "it has a key that is none");
  memcpy (&length, length_bytes, sizeof length);
  length = GUINT32_FROM_BE (length);
  data = take (reader, length);
  if (data == NULL)
    return damaged (reader, error, "it ends in the midst of a ticket");

  bytes = g_bytes_new_static (data, length); /* not kept by the ticket */
  ticket = g_tls_session_ticket_new_from_bytes (bytes, error);
  if (ticket == NULL)
    {
      g_prefix_error (error, "A ticket of the archive %s: ", reader->path);
      return FALSE;
    }
  item = g_new0 (ArchiveItem, 1);
  item->key = g_strndup ((const char *) key, KEY_SIZE);
  item->ticket = g_steal_pointer (&ticket);
  g_ptr_array_add (items, item);
  return TRUE;
}

static GPtrArray *
read_items (Reader *reader, GError **error)
{
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func ((GDestroyNotify) archive_item_free);
  const guint8 *magic = take (reader, MAGIC_SIZE);

  if (magic == NULL || memcmp (magic, MAGIC, MAGIC_SIZE) != 0)
    {
      damaged (reader, error, "it is no archive of gtls-session, or of another version");
      return NULL;
    }
  while (reader->left > 0)
    if (!read_item (reader, items, error))
      return NULL;
  return g_steal_pointer (&items);
}

GPtrArray *
archive_read (const char *path, GError **error)
{
  g_autofree char *contents = NULL;
  GStatBuf status;
  gsize size;
  Reader reader;
  GPtrArray *items;

  if (g_stat (path, &status) == 0 && status.st_size > MAX_SIZE)
    {
      g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA, "The archive %s is too large", path);
      return NULL;
    }
  if (!g_file_get_contents (path, &contents, &size, error))
    return NULL;

  reader = (Reader){ path, (const guint8 *) contents, size };
  items = read_items (&reader, error);
  wipe (contents, size);
  return items;
}
