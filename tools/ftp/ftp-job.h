/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ftp-control.h"
#include "ftp-progress.h"

G_BEGIN_DECLS

typedef enum
{
  FTP_JOB_GET_FILE,
  FTP_JOB_PUT_FILE,
  FTP_JOB_GET_FOLDER,
  FTP_JOB_PUT_FOLDER,
} FtpJobKind;

/* What one control connection does at a time. */
typedef struct
{
  FtpJobKind kind;
  char *local;
  char *remote;           /* as ftp_control_resolve() takes it */
  gint64 remote_size;     /* as a listing told; -1: not told */
  gint64 remote_modified; /* as a listing told exactly, else -1 */
  gboolean remote_exists; /* as a listing told */
  guint depth;            /* of folders below the first one */
  guint tries;
} FtpJob;

FtpJob *ftp_job_new (FtpJobKind kind, const char *local, const char *remote);

void ftp_job_free (FtpJob *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FtpJob, ftp_job_free)

/* How it is done. */
typedef struct
{
  gboolean goes_on;     /* --continue: complete what was broken off */
  gboolean passes_same; /* leave what is the same in size and time */
  FtpProgress *progress;
  FtpTally *tally;
  GQueue *jobs; /* of FtpJob; a folder's job adds those of what is in it */
} FtpOrders;

void ftp_job_run_async (FtpJob *self,
                        FtpControl *control,
                        FtpOrders *orders,
                        GAsyncReadyCallback callback,
                        gpointer user_data);

gboolean ftp_job_run_finish (FtpControl *control, GAsyncResult *result, GError **error);

G_END_DECLS
