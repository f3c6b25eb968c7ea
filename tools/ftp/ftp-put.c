/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ftp-data.h"
#include "ftp-text.h"
#include "ftp-transfer.h"

/* NOTES:
 *
 * Uploads one file. It is continued with REST before STOR, which says where the rest belongs; where a server refuses
 * that, with APPE; where it refuses that too, the file is sent from its beginning.
 *
 * Whether what is there is the beginning of this file cannot be seen. It is taken for it only if it is not older than our
 * file, as far as the server tells times. Afterwards the server is asked for the size of the whole, and if that is wrong
 * (it ignored REST, or was still writing what came before), the file is sent from its beginning as well.
 */

typedef enum
{
  WAY_RESTART,
  WAY_APPEND,
  WAY_WHOLE,
} Way;

typedef enum
{
  STEP_ASK,
  STEP_SEND,
  STEP_CHECK,
  STEP_SET_TIME,
  STEP_DONE,
} Step;

typedef struct
{
  FtpJob *job;
  FtpControl *control; /* the task's */
  FtpOrders *orders;
  char *path; /* on the server, from its root on */
  int fd;
  gint64 size;
  gint64 modified;
  FtpFacts remote;
  Way way;
  gint64 offset;  /* where this attempt begins */
  gint64 counted; /* what progress was told */
  FtpData *data;
  guint8 block[FTP_TRANSFER_BLOCK];
} Put;

static void enter (GTask *task, Step step);

static void
put_free (gpointer data)
{
  Put *self = data;

  if (self->fd >= 0)
    close (self->fd);
  g_free (self->path);
  g_free (self);
}

static void
fail (GTask *task, GError *error)
{
  Put *self = g_task_get_task_data (task);

  ftp_progress_pass_over (self->orders->progress, -self->counted);
  ftp_transfer_fail (task, error);
}

static void
succeed (GTask *task, const char *what)
{
  Put *self = g_task_get_task_data (task);

  ftp_progress_file_is_over (self->orders->progress, what, self->path);
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

/* Afterwards: is all of it there, and with its time? */

static void
on_time_set (GObject *control, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  Put *self = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (FtpReply) reply = ftp_control_command_finish (FTP_CONTROL (control), result, &error);

  if (reply == NULL)
    {
      fail (task, error);
      return;
    }
  /* The file is there. That it has another time is told by what a later mirror does not pass over. */
  if (!ftp_reply_is (reply, 2))
    ftp_control_set_feature (self->control, FTP_FEATURE_MFMT | FTP_FEATURE_MDTM_SETS, FALSE);
  enter (task, STEP_DONE);
}

static void
set_time (GTask *task)
{
  Put *self = g_task_get_task_data (task);
  gboolean has_mfmt = ftp_control_has_feature (self->control, FTP_FEATURE_MFMT);
  g_autofree char *time = ftp_text_format_time (self->modified);
  g_autofree char *command = g_strdup_printf ("%s %s %s", has_mfmt ? "MFMT" : "MDTM", time, self->path);

  if (time != NULL && (has_mfmt || ftp_control_has_feature (self->control, FTP_FEATURE_MDTM_SETS)))
    ftp_control_command_async (self->control, command, on_time_set, task);
  else
    enter (task, STEP_DONE);
}

static void
on_checked (GObject *control, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  Put *self = g_task_get_task_data (task);
  gint64 expected = self->counted; /* what was there counts, too */
  FtpFacts facts;
  GError *error = NULL;

  if (!ftp_facts_ask_finish (FTP_CONTROL (control), result, &facts, &error))
    {
      fail (task, error);
      return;
    }
  if (facts.size >= 0 && facts.size != expected && self->offset > 0)
    {
      self->way = WAY_WHOLE;
      enter (task, STEP_SEND);
      return;
    }
  if (facts.size >= 0 && facts.size != expected)
    {
      g_set_error (&error, G_IO_ERROR, G_IO_ERROR_FAILED,
                   "%" G_GINT64_FORMAT " bytes were sent, and the file on the server has %" G_GINT64_FORMAT, expected,
                   facts.size);
      fail (task, error);
      return;
    }
  enter (task, STEP_SET_TIME);
}

/* Sending */

static void
on_closed (GObject *control, GAsyncResult *result, gpointer data)
{
  GError *error = NULL;

  if (ftp_data_close_finish (FTP_CONTROL (control), result, &error))
    enter (data, STEP_CHECK);
  else
    fail (data, error);
}

static void send_on (GTask *task);

static void
on_block_sent (GObject *stream, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  Put *self = g_task_get_task_data (task);
  GError *error = NULL;
  gsize size;

  ftp_control_touch (self->control);
  if (!g_output_stream_write_all_finish (G_OUTPUT_STREAM (stream), result, &size, &error))
    {
      ftp_data_close_async (g_steal_pointer (&self->data), error, on_closed, task);
      return;
    }

  self->counted += (gint64) size;
  self->orders->tally->bytes += size;
  ftp_progress_add_bytes (self->orders->progress, size);
  send_on (task);
}

static void
send_on (GTask *task)
{
  Put *self = g_task_get_task_data (task);
  GError *error = NULL;
  gssize size;

  do
    size = read (self->fd, self->block, sizeof self->block);
  while (size < 0 && errno == EINTR);

  if (size > 0)
    {
      g_output_stream_write_all_async (g_io_stream_get_output_stream (ftp_data_get_stream (self->data)), self->block,
                                       (gsize) size, G_PRIORITY_DEFAULT, ftp_control_get_cancellable (self->control),
                                       on_block_sent, task);
      return;
    }
  if (size < 0)
    ftp_transfer_set_errno (&error, errno, "read", self->job->local);
  ftp_data_close_async (g_steal_pointer (&self->data), error, on_closed, task);
}

static void
on_opened (GObject *control, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  Put *self = g_task_get_task_data (task);
  GError *error = NULL;

  self->data = ftp_data_open_finish (FTP_CONTROL (control), result, &error);
  if (self->data != NULL)
    {
      send_on (task);
    }
  else if (self->way != WAY_WHOLE && !ftp_control_is_broken (self->control))
    {
      g_error_free (error);
      self->way++;
      enter (task, STEP_SEND);
    }
  else
    {
      fail (task, error);
    }
}

static void
begin (GTask *task)
{
  Put *self = g_task_get_task_data (task);
  g_autofree char *command = g_strconcat (self->way == WAY_APPEND ? "APPE " : "STOR ", self->path, NULL);
  GError *error = NULL;

  if (self->way == WAY_WHOLE)
    self->offset = 0;
  ftp_progress_pass_over (self->orders->progress, self->offset - self->counted);
  self->counted = self->offset;
  if (lseek (self->fd, self->offset, SEEK_SET) < 0)
    {
      ftp_transfer_set_errno (&error, errno, "read", self->job->local);
      fail (task, error);
      return;
    }
  ftp_data_open_async (self->control, command, self->way == WAY_RESTART ? self->offset : 0, on_opened, task);
}

/* Deciding */

static gboolean
server_sets_times (Put *self)
{
  return ftp_control_has_feature (self->control, FTP_FEATURE_MFMT) ||
         ftp_control_has_feature (self->control, FTP_FEATURE_MDTM_SETS);
}

/* Where times cannot be set, what is on the server is from when it was sent. */
static gboolean
is_same (Put *self)
{
  if (self->remote.size != self->size)
    return FALSE;
  return self->remote.modified < 0 || self->remote.modified == self->modified ||
         (!server_sets_times (self) && self->remote.modified > self->modified);
}

static gboolean
goes_on (Put *self)
{
  return self->orders->goes_on || self->job->tries > 0;
}

static void
on_facts (GObject *control, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  Put *self = g_task_get_task_data (task);
  gboolean is_newer;
  GError *error = NULL;

  if (!ftp_facts_ask_finish (FTP_CONTROL (control), result, &self->remote, &error))
    {
      fail (task, error);
      return;
    }

  is_newer = self->remote.modified < 0 || self->remote.modified >= self->modified;
  if (self->orders->passes_same && is_same (self))
    {
      self->orders->tally->files_same++;
      ftp_progress_pass_over (self->orders->progress, self->size);
      succeed (task, "same");
      return;
    }
  if (goes_on (self) && is_newer && self->remote.size > 0 && self->remote.size <= self->size)
    {
      self->offset = self->remote.size;
      self->way = ftp_control_has_feature (self->control, FTP_FEATURE_REST) ? WAY_RESTART : WAY_APPEND;
    }
  enter (task, STEP_SEND);
}

/* Only what a decision hangs on is asked. */
static void
ask (GTask *task)
{
  Put *self = g_task_get_task_data (task);
  gboolean is_new = self->orders->passes_same && !self->job->remote_exists && self->job->tries == 0;

  self->remote = (FtpFacts){ self->job->remote_size, self->job->remote_modified };
  if (self->job->tries > 0)
    self->remote = (FtpFacts){ -1, -1 };
  if (is_new || !(self->orders->passes_same || goes_on (self)))
    enter (task, STEP_SEND);
  else
    ftp_facts_ask_async (self->control, self->path, &self->remote, on_facts, task);
}

static void
enter (GTask *task, Step step)
{
  static const FtpFacts only_size = { -1, 0 };
  Put *self = g_task_get_task_data (task);

  switch (step)
    {
    case STEP_ASK:
      ask (task);
      break;
    case STEP_SEND:
      begin (task);
      break;
    case STEP_CHECK:
      ftp_facts_ask_async (self->control, self->path, &only_size, on_checked, task);
      break;
    case STEP_SET_TIME:
      set_time (task);
      break;
    case STEP_DONE:
      self->orders->tally->files_done++;
      self->orders->tally->files_continued += self->offset > 0;
      succeed (task, self->offset > 0 ? "continued" : "sent");
      break;
    }
}

static gboolean
open_local (Put *self, GError **error)
{
  struct stat status;

  self->fd = open (self->job->local, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (self->fd < 0 || fstat (self->fd, &status) != 0)
    {
      ftp_transfer_set_errno (error, errno, "read", self->job->local);
      return FALSE;
    }
  if (!S_ISREG (status.st_mode))
    {
      ftp_transfer_set_errno (error, S_ISDIR (status.st_mode) ? EISDIR : EINVAL, "read", self->job->local);
      return FALSE;
    }
  self->size = status.st_size;
  self->modified = status.st_mtime;
  return TRUE;
}

void
ftp_transfer_put (FtpJob *job, FtpControl *control, FtpOrders *orders, GTask *task)
{
  Put *self = g_new0 (Put, 1);
  GError *error = NULL;

  self->job = job;
  self->control = control;
  self->orders = orders;
  self->path = ftp_control_resolve (control, job->remote);
  self->way = WAY_WHOLE;
  g_task_set_task_data (task, self, put_free);
  if (open_local (self, &error))
    enter (task, STEP_ASK);
  else
    fail (task, error);
}
