/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ftp-control.h"

G_BEGIN_DECLS

typedef struct _FtpData FtpData;

void ftp_data_open_async (FtpControl *control,
                          const char *command,
                          gint64 offset,
                          GAsyncReadyCallback callback,
                          gpointer user_data);

FtpData *ftp_data_open_finish (FtpControl *control, GAsyncResult *result, GError **error);

GIOStream *ftp_data_get_stream (FtpData *self);

void ftp_data_close_async (FtpData *self, GError *cause, GAsyncReadyCallback callback, gpointer user_data);

gboolean ftp_data_close_finish (FtpControl *control, GAsyncResult *result, GError **error);

G_END_DECLS
