/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ftp-job.h"

#include "ftp-mirror.h"
#include "ftp-transfer.h"

FtpJob *
ftp_job_new (FtpJobKind kind, const char *local, const char *remote)
{
  FtpJob *self = g_new0 (FtpJob, 1);

  self->kind = kind;
  self->local = g_strdup (local);
  self->remote = g_strdup (remote);
  self->remote_size = -1;
  self->remote_modified = -1;
  return self;
}

void
ftp_job_free (FtpJob *self)
{
  g_free (self->local);
  g_free (self->remote);
  g_free (self);
}

/* @self and @orders have to stay until the callback. */
void
ftp_job_run_async (FtpJob *self,
                   FtpControl *control,
                   FtpOrders *orders,
                   GAsyncReadyCallback callback,
                   gpointer user_data)
{
  GTask *task = g_task_new (control, NULL, callback, user_data);

  g_task_set_source_tag (task, ftp_job_run_async);
  switch (self->kind)
    {
    case FTP_JOB_GET_FILE:
      ftp_transfer_get (self, control, orders, task);
      break;
    case FTP_JOB_PUT_FILE:
      ftp_transfer_put (self, control, orders, task);
      break;
    case FTP_JOB_GET_FOLDER:
      ftp_mirror_get_folder (self, control, orders, task);
      break;
    case FTP_JOB_PUT_FOLDER:
      ftp_mirror_put_folder (self, control, orders, task);
      break;
    }
}

gboolean
ftp_job_run_finish (FtpControl *control, GAsyncResult *result, GError **error)
{
  if (g_task_propagate_boolean (G_TASK (result), error))
    return TRUE;

  ftp_control_explain (control, error);
  return FALSE;
}
