/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ftp-mirror.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "ftp-folder.h"
#include "ftp-partial.h"
#include "../terminal.h"
#include "ftp-transfer.h"

/* NOTES:
 *
 * Mirrors one folder: makes it on the other side, and adds a job for each file and folder in it. Whichever control
 * connection is free takes the next one.
 *
 * Downwards, names come from the server; ftp-listing.c lets none through that leads out of the folder. No link is
 * followed on this side either: a folder of the mirror has to be a folder, except the first one, which the user named.
 * What a server calls a link is left out, because where it leads to is the server's business, perhaps in a circle.
 * Nothing is ever deleted.
 */

#define MAX_DEPTH 100

typedef struct
{
  FtpJob *job;
  FtpControl *control; /* the task's */
  FtpOrders *orders;
  char *path;      /* on the server, from its root on */
  GError *refusal; /* what the server said about making it */
} Mirroring;

static void
mirroring_free (gpointer data)
{
  Mirroring *self = data;

  g_free (self->path);
  g_clear_error (&self->refusal);
  g_free (self);
}

static Mirroring *
mirroring_begin (FtpJob *job, FtpControl *control, FtpOrders *orders, GTask *task)
{
  Mirroring *self = g_new0 (Mirroring, 1);

  self->job = job;
  self->control = control;
  self->orders = orders;
  self->path = ftp_control_resolve (control, job->remote);
  g_task_set_task_data (task, self, mirroring_free);
  return self;
}

static void
succeed (GTask *task)
{
  Mirroring *self = g_task_get_task_data (task);

  self->orders->tally->folders_done++;
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

static char *
join (const char *folder, const char *name)
{
  return g_strconcat (folder, g_str_has_suffix (folder, "/") ? "" : "/", name, NULL);
}

static void
complain (Mirroring *self, const char *what)
{
  g_autofree char *folder = terminal_clean (self->path);
  g_autofree char *sentence = g_strdup_printf ("In %s %s", folder, what);

  ftp_tally_fail (self->orders->tally, "%s", sentence);
  ftp_progress_complain (self->orders->progress, sentence);
}

static void
add_job (Mirroring *self, FtpJobKind kind, const char *name, const FtpEntry *remote)
{
  g_autofree char *local = join (self->job->local, name);
  g_autofree char *path = join (self->path, name);
  FtpJob *job = ftp_job_new (kind, local, path);

  job->depth = self->job->depth + 1;
  job->remote_exists = remote != NULL;
  job->remote_size = remote != NULL ? remote->size : -1;
  job->remote_modified = remote != NULL && remote->modified_is_exact ? remote->modified : -1;
  g_queue_push_tail (self->orders->jobs, job);
}

static gboolean
check_depth (Mirroring *self, GError **error)
{
  if (self->job->depth <= MAX_DEPTH)
    return TRUE;

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FILENAME_TOO_LONG, "The folders are more than %d deep", MAX_DEPTH);
  return FALSE;
}

/* Downwards */

static gboolean
make_local_folder (Mirroring *self, GError **error)
{
  const char *path = self->job->local;
  struct stat status;

  if (self->job->depth == 0)
    {
      if (g_mkdir_with_parents (path, 0777) == 0)
        return TRUE;
    }
  else if (mkdir (path, 0777) == 0 || (errno == EEXIST && lstat (path, &status) == 0 && S_ISDIR (status.st_mode)))
    {
      return TRUE;
    }

  ftp_transfer_set_errno (error, errno, "made a folder", path);
  return FALSE;
}

static void
take_entry (Mirroring *self, const FtpEntry *entry)
{
  switch (entry->kind)
    {
    case FTP_ENTRY_FILE:
      if (ftp_partial_is_name_of_one (entry->name))
        {
          complain (self, "is a file with the name of one of our partial files; it is left out");
          break;
        }
      add_job (self, FTP_JOB_GET_FILE, entry->name, entry);
      ftp_progress_expect_file (self->orders->progress, entry->size);
      break;
    case FTP_ENTRY_FOLDER:
      add_job (self, FTP_JOB_GET_FOLDER, entry->name, entry);
      break;
    case FTP_ENTRY_LINK:
    case FTP_ENTRY_OTHER:
      self->orders->tally->links_skipped++;
      break;
    }
}

static void
on_folder_to_get (GObject *control, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  Mirroring *self = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (FtpListing) listing = ftp_folder_read_finish (FTP_CONTROL (control), result, &error);

  if (listing == NULL || !make_local_folder (self, &error))
    {
      ftp_transfer_fail (task, error);
      return;
    }

  for (guint i = 0; i < listing->refused->len; i++)
    complain (self, g_ptr_array_index (listing->refused, i));
  for (guint i = 0; i < listing->entries->len; i++)
    take_entry (self, g_ptr_array_index (listing->entries, i));
  succeed (task);
}

void
ftp_mirror_get_folder (FtpJob *job, FtpControl *control, FtpOrders *orders, GTask *task)
{
  Mirroring *self = mirroring_begin (job, control, orders, task);
  GError *error = NULL;

  if (check_depth (self, &error))
    ftp_folder_read_async (control, self->path, on_folder_to_get, task);
  else
    ftp_transfer_fail (task, error);
}

/* Upwards */

/* The entries, which stay the listing's, by name. */
static GHashTable *
index_entries (const FtpListing *listing)
{
  GHashTable *entries = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; listing != NULL && i < listing->entries->len; i++)
    {
      FtpEntry *entry = g_ptr_array_index (listing->entries, i);

      g_hash_table_insert (entries, entry->name, entry);
    }
  return entries;
}

static void
take_local (Mirroring *self, const char *name, const FtpEntry *remote)
{
  g_autofree char *path = join (self->job->local, name);
  struct stat status;

  if (lstat (path, &status) != 0)
    {
      GError *error = NULL;

      ftp_transfer_set_errno (&error, errno, "read", path);
      complain (self, error->message);
      g_error_free (error);
    }
  else if (S_ISREG (status.st_mode) && !ftp_partial_is_name_of_one (name))
    {
      add_job (self, FTP_JOB_PUT_FILE, name, remote);
      ftp_progress_expect_file (self->orders->progress, status.st_size);
    }
  else if (S_ISDIR (status.st_mode))
    {
      add_job (self, FTP_JOB_PUT_FOLDER, name, remote);
    }
  else
    {
      self->orders->tally->links_skipped++;
    }
}

/* @listing is NULL for a folder that is new on the server. */
static void
take_local_folder (GTask *task, const FtpListing *listing)
{
  Mirroring *self = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (GDir) folder = g_dir_open (self->job->local, 0, &error);
  g_autoptr (GHashTable) remote = index_entries (listing);
  const char *name;

  if (folder == NULL)
    {
      ftp_transfer_fail (task, error);
      return;
    }
  while ((name = g_dir_read_name (folder)) != NULL)
    take_local (self, name, g_hash_table_lookup (remote, name));
  succeed (task);
}

static void
on_folder_to_put_into (GObject *control, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  Mirroring *self = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (FtpListing) listing = ftp_folder_read_finish (FTP_CONTROL (control), result, &error);

  if (listing == NULL)
    {
      if (self->refusal != NULL)
        g_prefix_error (&error, "%s; ", self->refusal->message);
      ftp_transfer_fail (task, error);
      return;
    }
  take_local_folder (task, listing);
}

static void
on_folder_made (GObject *control, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  Mirroring *self = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (FtpReply) reply = ftp_control_command_finish (FTP_CONTROL (control), result, &error);

  if (reply == NULL)
    ftp_transfer_fail (task, error);
  else if (ftp_reply_expect (reply, 2, "to make the folder", &self->refusal))
    take_local_folder (task, NULL);
  else
    ftp_folder_read_async (self->control, self->path, on_folder_to_put_into, task); /* it may be there */
}

void
ftp_mirror_put_folder (FtpJob *job, FtpControl *control, FtpOrders *orders, GTask *task)
{
  Mirroring *self = mirroring_begin (job, control, orders, task);
  g_autofree char *command = g_strconcat ("MKD ", self->path, NULL);
  GError *error = NULL;

  if (!check_depth (self, &error))
    ftp_transfer_fail (task, error);
  else if (job->remote_exists || strcmp (self->path, "/") == 0)
    ftp_folder_read_async (control, self->path, on_folder_to_put_into, task);
  else
    ftp_control_command_async (control, command, on_folder_made, task);
}
