/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "private-file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "gtls-session-error.h"

/* NOTES:
 *
 * Several programs may make the same file at the same time, and each of them may be killed at any point. So a file is
 * made under a name of its own, and gets the one it is known by with link(), which fails if there is such a file: what
 * is found under that name is whole, and all see the same. A program that is killed before leaves a file of six random
 * letters more in its name behind, which nobody ever reads.
 *
 * Modes are set by fchmod(), since what open() and mkdir() are told is cut by the umask.
 *
 * A program may get signals at any time; what they interrupt is done again.
 */

#define PRIVATE_MODE 0600
#define OTHERS_BITS (S_IRWXG | S_IRWXO)

static gboolean
fail (GError **error, const char *what, const char *path, int code)
{
  g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE, "%s %s: %s", what, path, g_strerror (code));
  return FALSE;
}

/* For the file @path; what is missing of the directories above it gets mode 0700. */
gboolean
g_tls_session_private_file_make_directory (const char *path, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (path);

  if (g_mkdir_with_parents (directory, S_IRWXU) == 0)
    return TRUE;
  return fail (error, "Could not make the directory", directory, errno);
}

/* Takes @fd. */
static gboolean
fill_and_close (const char *temporary, int fd, GTlsSessionPrivateFileFill fill, gpointer data, GError **error)
{
  gboolean filled = fchmod (fd, PRIVATE_MODE) == 0 || fail (error, "Could not set the mode of", temporary, errno);

  filled = filled && fill (temporary, fd, data, error);
  if (g_close (fd, NULL) || !filled)
    return filled;
  return fail (error, "Could not write the file", temporary, errno);
}

/* Under @path with six letters behind it; -1 with the reason in errno. */
static int
open_temporary (const char *path, char **temporary)
{
  int fd;

  *temporary = NULL;
  do
    {
      g_free (*temporary);
      *temporary = g_strconcat (path, ".XXXXXX", NULL);
      fd = g_mkstemp_full (*temporary, O_RDWR | O_CLOEXEC, PRIVATE_MODE);
    }
  while (fd < 0 && errno == EINTR);
  return fd;
}

/* Leaves a file that is there already, be it that another program just made it. It is closed before others can see it,
 * because to close it would take away the locks that another thread has got on it since. */
gboolean
g_tls_session_private_file_create (const char *path, GTlsSessionPrivateFileFill fill, gpointer data, GError **error)
{
  g_autofree char *temporary = NULL;
  int fd = open_temporary (path, &temporary);
  gboolean created;

  if (fd < 0)
    return fail (error, "Could not make the file", temporary, errno);

  created = fill_and_close (temporary, fd, fill, data, error);
  if (created && link (temporary, path) != 0 && errno != EEXIST)
    created = fail (error, "Could not make the file", path, errno);
  (void) unlink (temporary); /* to leave it would harm nobody */
  return created;
}

static gboolean
check_stat (const struct stat *info, const char *path, GError **error)
{
  g_autofree char *flaw = NULL;

  if (!S_ISREG (info->st_mode))
    flaw = g_strdup ("it is not a regular file");
  else if (info->st_uid != geteuid ())
    flaw = g_strdup ("it belongs to another user");
  else if ((info->st_mode & OTHERS_BITS) != 0)
    flaw = g_strdup_printf ("others have rights to it (mode %04o); if nobody has abused them, take them away with "
                            "chmod 600, else remove the file",
                            (guint) (info->st_mode & 07777));

  if (flaw != NULL)
    g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE,
                 "The file %s is not fit to keep sessions in: %s", path, flaw);
  return flaw == NULL;
}

/* Says by the name alone, without opening the file: see the notes of store-database.c. */
GTlsSessionPrivateFileState
g_tls_session_private_file_check (const char *path, GError **error)
{
  struct stat info;

  if (stat (path, &info) == 0)
    return check_stat (&info, path, error) ? G_TLS_SESSION_PRIVATE_FILE_SOUND : G_TLS_SESSION_PRIVATE_FILE_UNFIT;
  if (errno == ENOENT)
    return G_TLS_SESSION_PRIVATE_FILE_ABSENT;
  fail (error, "Could not look at the file", path, errno);
  return G_TLS_SESSION_PRIVATE_FILE_UNFIT;
}

/* -1: an error, in errno */
static gssize
read_fully (int fd, guint8 *bytes, gsize size)
{
  gsize n_read = 0;

  while (n_read < size)
    {
      gssize n = read (fd, bytes + n_read, size - n_read);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return -1;
      if (n == 0)
        break;
      n_read += (gsize) n;
    }
  return (gssize) n_read;
}

static int
open_for_reading (const char *path)
{
  int fd;

  do
    fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO would let us wait */
  while (fd < 0 && errno == EINTR);
  return fd;
}

static gboolean
read_from (int fd, const char *path, guint8 *bytes, gsize size, GError **error)
{
  struct stat info;
  gssize n_read;

  if (fstat (fd, &info) != 0)
    return fail (error, "Could not look at the file", path, errno);
  if (!check_stat (&info, path, error))
    return FALSE;

  n_read = read_fully (fd, bytes, size);
  if (n_read < 0)
    return fail (error, "Could not read the file", path, errno);
  if ((gsize) n_read == size && info.st_size == (goffset) size)
    return TRUE;

  g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA,
               "The file %s is damaged: it has %" G_GINT64_FORMAT " bytes, not %" G_GSIZE_FORMAT, path,
               (gint64) info.st_size, size);
  return FALSE;
}

/* Fills @bytes, whose @size has to be the file's. */
gboolean
g_tls_session_private_file_read (const char *path, guint8 *bytes, gsize size, GError **error)
{
  int fd = open_for_reading (path);
  gboolean succeeded;

  if (fd < 0)
    return fail (error, "Could not open the file", path, errno);

  succeeded = read_from (fd, path, bytes, size, error);
  (void) close (fd);
  return succeeded;
}

/* Writes all of it, and onto the disk; else the reason is in errno. */
gboolean
g_tls_session_private_file_write (int fd, const guint8 *bytes, gsize size)
{
  gsize n_written = 0;
  int result;

  while (n_written < size)
    {
      gssize n = write (fd, bytes + n_written, size - n_written);

      if (n < 0 && errno != EINTR)
        return FALSE;
      if (n > 0)
        n_written += (gsize) n;
    }

  do
    result = fsync (fd);
  while (result != 0 && errno == EINTR);
  return result == 0;
}
