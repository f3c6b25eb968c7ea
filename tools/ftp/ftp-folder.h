/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ftp-control.h"
#include "ftp-listing.h"

G_BEGIN_DECLS

void ftp_folder_read_async (FtpControl *control, const char *path, GAsyncReadyCallback callback, gpointer user_data);

FtpListing *ftp_folder_read_finish (FtpControl *control, GAsyncResult *result, GError **error);

G_END_DECLS
