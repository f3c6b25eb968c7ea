/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ftp-partial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ftp-transfer.h"

/* NOTES:
 *
 * A file that is being downloaded. It lies beside the file that it will be, under another name, and takes its place when
 * it is whole; so a file under its own name is never half of one.
 *
 * One that is broken off gets the time that the file has on the server. When it is continued, that time must be the
 * same: else the file was changed on the server meanwhile, and the two halves would not fit. A partial file of a program
 * that was killed has another time, and is begun anew.
 *
 * No link is followed: neither one in the place of the partial file nor one in the place of the whole. Nothing but a
 * file gives way to the whole one, for root's rename() would put it in the place of /dev/null as well.
 */

#define PREFIX "."
#define SUFFIX ".gtls-session-part"

struct _FtpPartial
{
  int fd;
  char *path;
  char *partial_path;
  gint64 size;
};

gboolean
ftp_partial_is_name_of_one (const char *name)
{
  return g_str_has_prefix (name, PREFIX) && g_str_has_suffix (name, SUFFIX);
}

static void
ftp_partial_free (FtpPartial *self)
{
  if (self->fd >= 0)
    close (self->fd);
  g_free (self->path);
  g_free (self->partial_path);
  g_free (self);
}

/* Whether a file may come to @path: one that is there, and a link to one, or to nothing, gives way. */
gboolean
ftp_partial_check_place (const char *path, GError **error)
{
  g_autofree char *name = g_filename_display_name (path);
  struct stat status;

  if (stat (path, &status) != 0 || S_ISREG (status.st_mode))
    return TRUE;

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE,
               "%s is there already and is not a file, so no file is put in its place", name);
  return FALSE;
}

/* For the file at @path, with what was left of it before. */
FtpPartial *
ftp_partial_open (const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);
  FtpPartial *self;
  struct stat status;
  int code;

  if (!ftp_partial_check_place (path, error))
    return NULL;

  self = g_new0 (FtpPartial, 1);
  self->path = g_strdup (path);
  self->partial_path = g_strconcat (folder, "/" PREFIX, name, SUFFIX, NULL);
  self->fd = open (self->partial_path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
  if (self->fd >= 0 && fstat (self->fd, &status) == 0 && S_ISREG (status.st_mode))
    return self;

  code = self->fd < 0 ? errno : EINVAL;
  ftp_transfer_set_errno (error, code, "written", self->partial_path);
  ftp_partial_free (self);
  return NULL;
}

/* How much of a file of this size and time, each of which may be -1 for not known, is there already. */
gint64
ftp_partial_find_rest (FtpPartial *self, gint64 size, gint64 modified)
{
  struct stat status;

  if (fstat (self->fd, &status) != 0 || (size >= 0 && status.st_size > size) ||
      (modified >= 0 && status.st_mtime != modified))
    return 0;
  return status.st_size;
}

/* What is behind @offset is thrown away. */
gboolean
ftp_partial_begin_at (FtpPartial *self, gint64 offset, GError **error)
{
  self->size = offset;
  if (ftruncate (self->fd, offset) == 0 && lseek (self->fd, offset, SEEK_SET) == offset)
    return TRUE;

  ftp_transfer_set_errno (error, errno, "written", self->partial_path);
  return FALSE;
}

gboolean
ftp_partial_append (FtpPartial *self, const void *data, gsize size, GError **error)
{
  const guint8 *bytes = data;

  while (size > 0)
    {
      gssize written = write (self->fd, bytes, size);

      if (written < 0 && errno == EINTR)
        continue;
      if (written < 0)
        {
          ftp_transfer_set_errno (error, errno, "written", self->partial_path);
          return FALSE;
        }
      bytes += written;
      size -= (gsize) written;
      self->size += written;
    }
  return TRUE;
}

gint64
ftp_partial_get_size (FtpPartial *self)
{
  return self->size;
}

static gboolean
set_time (FtpPartial *self, gint64 modified)
{
  struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = modified } };

  return modified < 0 || futimens (self->fd, times) == 0;
}

static gboolean
close_file (FtpPartial *self)
{
  int fd = self->fd;

  self->fd = -1;
  return close (fd) == 0;
}

/* It is whole: it gets its time and its name. @self is gone. */
gboolean
ftp_partial_complete (FtpPartial *self, gint64 modified, GError **error)
{
  gboolean is_complete = set_time (self, modified) && close_file (self) && rename (self->partial_path, self->path) == 0;

  if (!is_complete)
    ftp_transfer_set_errno (error, errno, "written", self->path);
  ftp_partial_free (self);
  return is_complete;
}

/* It is broken off. @self is gone. */
void
ftp_partial_leave (FtpPartial *self, gint64 modified)
{
  struct stat status;

  /* That its time cannot be set means that it will be begun anew. */
  set_time (self, modified);
  if (fstat (self->fd, &status) == 0 && status.st_size == 0)
    unlink (self->partial_path);
  ftp_partial_free (self);
}
