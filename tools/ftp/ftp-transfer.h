/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ftp-job.h"

G_BEGIN_DECLS

/* Both take @task, which gets a boolean or the error. */

void ftp_transfer_get (FtpJob *job, FtpControl *control, FtpOrders *orders, GTask *task);

void ftp_transfer_put (FtpJob *job, FtpControl *control, FtpOrders *orders, GTask *task);

/* What both share */

#define FTP_TRANSFER_BLOCK (256 * 1024)

/* Takes both. */
void ftp_transfer_fail (GTask *task, GError *error);

void ftp_transfer_set_errno (GError **error, int code, const char *what, const char *path);

/* What the server knows of a file. */
typedef struct
{
  gint64 size;     /* -1: not known, or it does not exist */
  gint64 modified; /* the same */
} FtpFacts;

void ftp_facts_ask_async (FtpControl *control,
                          const char *path,
                          const FtpFacts *known,
                          GAsyncReadyCallback callback,
                          gpointer user_data);

gboolean ftp_facts_ask_finish (FtpControl *control, GAsyncResult *result, FtpFacts *facts, GError **error);

G_END_DECLS
