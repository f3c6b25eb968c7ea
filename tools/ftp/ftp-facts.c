/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "ftp-transfer.h"

/* Asks the server for a file's size and time (RFC 3659), as far as it has commands for it. That it does not tell is no
 * failure, only that the connection breaks.
 */

typedef struct
{
  char *path;
  FtpFacts facts;
  gboolean asked_for_time;
} Asking;

static void
asking_free (gpointer data)
{
  Asking *self = data;

  g_free (self->path);
  g_free (self);
}

static void on_reply (GObject *object, GAsyncResult *result, gpointer data);

static void
ask (GTask *task, const char *verb)
{
  Asking *self = g_task_get_task_data (task);
  g_autofree char *command = g_strdup_printf ("%s %s", verb, self->path);

  ftp_control_command_async (g_task_get_source_object (task), command, on_reply, task);
}

static void
ask_for_time (GTask *task)
{
  Asking *self = g_task_get_task_data (task);

  if (!self->asked_for_time && self->facts.modified < 0 &&
      ftp_control_has_feature (g_task_get_source_object (task), FTP_FEATURE_MDTM))
    {
      self->asked_for_time = TRUE;
      ask (task, "MDTM");
      return;
    }
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

static void
on_reply (GObject *object, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  Asking *self = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (FtpReply) reply = ftp_control_command_finish (FTP_CONTROL (object), result, &error);

  if (reply == NULL)
    {
      ftp_transfer_fail (task, error);
      return;
    }

  if (reply->code == 213 && self->asked_for_time && !ftp_reply_parse_time (reply, &self->facts.modified))
    self->facts.modified = -1;
  else if (reply->code == 213 && !self->asked_for_time && !ftp_reply_parse_size (reply, &self->facts.size))
    self->facts.size = -1;
  ask_for_time (task);
}

/* What is @known already is not asked. */
void
ftp_facts_ask_async (FtpControl *control,
                     const char *path,
                     const FtpFacts *known,
                     GAsyncReadyCallback callback,
                     gpointer user_data)
{
  GTask *task = g_task_new (control, NULL, callback, user_data);
  Asking *self = g_new0 (Asking, 1);

  self->path = g_strdup (path);
  self->facts = *known;
  g_task_set_source_tag (task, ftp_facts_ask_async);
  g_task_set_task_data (task, self, asking_free);
  if (self->facts.size < 0 && ftp_control_has_feature (control, FTP_FEATURE_SIZE))
    ask (task, "SIZE");
  else
    ask_for_time (task);
}

gboolean
ftp_facts_ask_finish (FtpControl *control, GAsyncResult *result, FtpFacts *facts, GError **error)
{
  Asking *self = g_task_get_task_data (G_TASK (result));

  *facts = self->facts;
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
ftp_transfer_fail (GTask *task, GError *error)
{
  g_task_return_error (task, error);
  g_object_unref (task);
}

void
ftp_transfer_set_errno (GError **error, int code, const char *what, const char *path)
{
  g_autofree char *name = g_filename_display_name (path);

  g_set_error (error, G_IO_ERROR, (int) g_io_error_from_errno (code), "%s cannot be %s: %s", name, what,
               g_strerror (code));
}
