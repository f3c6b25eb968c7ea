/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ftp-folder.h"

#include "ftp-data.h"
#include "ftp-transfer.h"

/* NOTES:
 *
 * Reads a folder of the server. The folder is changed to before, because servers take what is behind LIST for options or
 * patterns. MLSD where the server has it. Else LIST, and first with -a, because without it most servers leave out names
 * that begin with a dot, and a mirror would lack them silently. A server that does not know -a may answer with an empty
 * listing; so only an answer that shows "." counts, and otherwise LIST is asked without.
 */

#define BLOCK (64 * 1024)
#define MAX_LISTING_BYTES (64 * 1024 * 1024)

typedef enum
{
  WAY_MLSD,
  WAY_LIST_ALL,
  WAY_LIST,
} Way;

typedef struct
{
  FtpControl *control; /* the task's */
  Way way;
  FtpData *data;
  GByteArray *bytes;
  guint8 block[BLOCK];
} Reading;

static void try_way (GTask *task, Way way);

static void
reading_free (gpointer data)
{
  Reading *self = data;

  g_byte_array_unref (self->bytes);
  g_free (self);
}

static void
succeed (GTask *task)
{
  Reading *self = g_task_get_task_data (task);
  FtpListingFormat format = self->way == WAY_MLSD ? FTP_LISTING_MLSD : FTP_LISTING_LIST;
  FtpListing *listing = ftp_listing_parse (format, (const char *) self->bytes->data, self->bytes->len,
                                           g_get_real_time () / G_USEC_PER_SEC);

  if (self->way == WAY_LIST_ALL && !listing->shows_hidden)
    {
      ftp_listing_free (listing);
      try_way (task, WAY_LIST);
      return;
    }
  g_task_return_pointer (task, listing, (GDestroyNotify) ftp_listing_free);
  g_object_unref (task);
}

static void
fail_or_try_next (GTask *task, GError *error)
{
  Reading *self = g_task_get_task_data (task);

  if (self->way == WAY_LIST || ftp_control_is_broken (self->control))
    {
      ftp_transfer_fail (task, error);
      return;
    }
  g_error_free (error);
  try_way (task, self->way + 1);
}

static void
on_closed (GObject *control, GAsyncResult *result, gpointer data)
{
  GError *error = NULL;

  if (ftp_data_close_finish (FTP_CONTROL (control), result, &error))
    succeed (data);
  else
    fail_or_try_next (data, error);
}

static void on_block (GObject *stream, GAsyncResult *result, gpointer data);

static void
read_on (GTask *task)
{
  Reading *self = g_task_get_task_data (task);

  g_input_stream_read_async (g_io_stream_get_input_stream (ftp_data_get_stream (self->data)), self->block, BLOCK,
                             G_PRIORITY_DEFAULT, ftp_control_get_cancellable (self->control), on_block, task);
}

static void
on_block (GObject *stream, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  Reading *self = g_task_get_task_data (task);
  GError *error = NULL;
  gssize size = g_input_stream_read_finish (G_INPUT_STREAM (stream), result, &error);

  ftp_control_touch (self->control);
  if (size > 0 && self->bytes->len + (gsize) size > MAX_LISTING_BYTES)
    {
      error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "The server's listing is too long to be true");
      ftp_control_set_broken (self->control); /* it may have no end */
    }
  if (size <= 0 || error != NULL)
    {
      ftp_data_close_async (g_steal_pointer (&self->data), error, on_closed, task);
      return;
    }

  g_byte_array_append (self->bytes, self->block, (guint) size);
  read_on (task);
}

static void
on_opened (GObject *control, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  Reading *self = g_task_get_task_data (task);
  GError *error = NULL;

  self->data = ftp_data_open_finish (FTP_CONTROL (control), result, &error);
  if (self->data != NULL)
    read_on (task);
  else
    fail_or_try_next (task, error);
}

static void
try_way (GTask *task, Way way)
{
  static const char *const commands[] = { "MLSD", "LIST -a", "LIST" };
  Reading *self = g_task_get_task_data (task);

  self->way = way;
  g_byte_array_set_size (self->bytes, 0);
  ftp_data_open_async (self->control, commands[way], 0, on_opened, task);
}

static void
on_folder_changed (GObject *control, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  Reading *self = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (FtpReply) reply = ftp_control_command_finish (FTP_CONTROL (control), result, &error);

  if (reply == NULL || !ftp_reply_expect (reply, 2, "to change to the folder", &error))
    ftp_transfer_fail (task, error);
  else
    try_way (task, ftp_control_has_feature (self->control, FTP_FEATURE_MLST) ? WAY_MLSD : WAY_LIST_ALL);
}

/* @path is from the root on: see ftp_control_resolve(). */
void
ftp_folder_read_async (FtpControl *control, const char *path, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (control, NULL, callback, user_data);
  Reading *self = g_new0 (Reading, 1);
  g_autofree char *command = g_strconcat ("CWD ", path, NULL);

  self->control = control;
  self->bytes = g_byte_array_new ();
  g_task_set_source_tag (task, ftp_folder_read_async);
  g_task_set_task_data (task, self, reading_free);
  ftp_control_command_async (control, command, on_folder_changed, task);
}

FtpListing *
ftp_folder_read_finish (FtpControl *control, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
