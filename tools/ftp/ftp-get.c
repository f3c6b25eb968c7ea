/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/stat.h>

#include "ftp-data.h"
#include "ftp-partial.h"
#include "ftp-transfer.h"

/* Downloads one file: asks what it is, passes over it or finds where to go on, reads, and puts it in its place. */

typedef struct
{
  FtpJob *job;
  FtpControl *control; /* the task's */
  FtpOrders *orders;
  char *path; /* on the server, from its root on */
  FtpFacts facts;
  FtpPartial *partial;
  gint64 offset; /* where this attempt begins */
  FtpData *data;
  guint8 block[FTP_TRANSFER_BLOCK];
} Get;

static void
get_free (gpointer data)
{
  Get *self = data;

  g_free (self->path);
  g_free (self);
}

static void
fail (GTask *task, GError *error)
{
  Get *self = g_task_get_task_data (task);

  if (self->partial != NULL)
    {
      ftp_progress_pass_over (self->orders->progress, -ftp_partial_get_size (self->partial));
      ftp_partial_leave (g_steal_pointer (&self->partial), self->facts.modified);
    }
  ftp_transfer_fail (task, error);
}

static void
succeed (GTask *task, const char *what)
{
  Get *self = g_task_get_task_data (task);

  ftp_progress_file_is_over (self->orders->progress, what, self->path);
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

static void
complete (GTask *task)
{
  Get *self = g_task_get_task_data (task);
  gint64 size = ftp_partial_get_size (self->partial);
  GError *error = NULL;

  if (self->facts.size >= 0 && size != self->facts.size)
    {
      g_set_error (&error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT,
                   "The server said that the file has %" G_GINT64_FORMAT " bytes, and it came to %" G_GINT64_FORMAT,
                   self->facts.size, size);
      fail (task, error);
      return;
    }
  if (!ftp_partial_complete (g_steal_pointer (&self->partial), self->facts.modified, &error))
    {
      ftp_progress_pass_over (self->orders->progress, -size);
      fail (task, error);
      return;
    }

  self->orders->tally->files_done++;
  self->orders->tally->files_continued += self->offset > 0;
  succeed (task, self->offset > 0 ? "continued" : "got");
}

/* Reading */

static void
on_closed (GObject *control, GAsyncResult *result, gpointer data)
{
  GError *error = NULL;

  if (ftp_data_close_finish (FTP_CONTROL (control), result, &error))
    complete (data);
  else
    fail (data, error);
}

static void on_block (GObject *stream, GAsyncResult *result, gpointer data);

static void
read_on (GTask *task)
{
  Get *self = g_task_get_task_data (task);

  g_input_stream_read_async (g_io_stream_get_input_stream (ftp_data_get_stream (self->data)), self->block,
                             sizeof self->block, G_PRIORITY_DEFAULT, ftp_control_get_cancellable (self->control),
                             on_block, task);
}

static void
on_block (GObject *stream, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  Get *self = g_task_get_task_data (task);
  GError *error = NULL;
  gssize size = g_input_stream_read_finish (G_INPUT_STREAM (stream), result, &error);

  ftp_control_touch (self->control);
  if (size > 0 && ftp_partial_append (self->partial, self->block, (gsize) size, &error))
    {
      self->orders->tally->bytes += (guint64) size;
      ftp_progress_add_bytes (self->orders->progress, (guint64) size);
      read_on (task);
      return;
    }
  ftp_data_close_async (g_steal_pointer (&self->data), error, on_closed, task);
}

static void
on_opened (GObject *control, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  Get *self = g_task_get_task_data (task);
  GError *error = NULL;

  self->data = ftp_data_open_finish (FTP_CONTROL (control), result, &error);
  if (self->data != NULL)
    read_on (task);
  else
    fail (task, error);
}

/* Deciding */

static gboolean
is_same (Get *self)
{
  struct stat status;

  return lstat (self->job->local, &status) == 0 && S_ISREG (status.st_mode) && self->facts.size == status.st_size &&
         (self->facts.modified < 0 || self->facts.modified == status.st_mtime);
}

static gboolean
may_go_on (Get *self)
{
  return (self->orders->goes_on || self->job->tries > 0) && ftp_control_has_feature (self->control, FTP_FEATURE_REST);
}

static void
begin (GTask *task)
{
  Get *self = g_task_get_task_data (task);
  g_autofree char *command = g_strconcat ("RETR ", self->path, NULL);
  GError *error = NULL;

  self->partial = ftp_partial_open (self->job->local, &error);
  if (self->partial == NULL)
    {
      fail (task, error);
      return;
    }
  if (may_go_on (self))
    self->offset = ftp_partial_find_rest (self->partial, self->facts.size, self->facts.modified);
  if (!ftp_partial_begin_at (self->partial, self->offset, &error))
    {
      fail (task, error);
      return;
    }

  ftp_progress_pass_over (self->orders->progress, self->offset);
  if (self->offset > 0 && self->offset == self->facts.size)
    complete (task);
  else
    ftp_data_open_async (self->control, command, self->offset, on_opened, task);
}

static void
on_facts (GObject *control, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  Get *self = g_task_get_task_data (task);
  GError *error = NULL;

  if (!ftp_facts_ask_finish (FTP_CONTROL (control), result, &self->facts, &error))
    {
      fail (task, error);
      return;
    }

  if (self->job->remote_size < 0)
    ftp_progress_expect_bytes (self->orders->progress, self->facts.size);
  self->job->remote_size = self->facts.size; /* known, if it is tried once more */
  if (self->orders->passes_same && is_same (self))
    {
      self->orders->tally->files_same++;
      ftp_progress_pass_over (self->orders->progress, self->facts.size);
      succeed (task, "same");
      return;
    }
  begin (task);
}

void
ftp_transfer_get (FtpJob *job, FtpControl *control, FtpOrders *orders, GTask *task)
{
  Get *self = g_new0 (Get, 1);

  self->job = job;
  self->control = control;
  self->orders = orders;
  self->path = ftp_control_resolve (control, job->remote);
  self->facts = (FtpFacts){ job->remote_size, job->remote_modified };
  g_task_set_task_data (task, self, get_free);
  ftp_facts_ask_async (control, self->path, &self->facts, on_facts, task);
}
