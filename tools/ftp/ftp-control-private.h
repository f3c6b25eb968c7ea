/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ftp-control.h"

/* What ftp-login.c needs of a control connection. */

G_BEGIN_DECLS

void ftp_control_connect_async (FtpControl *self, GAsyncReadyCallback callback, gpointer user_data);

void ftp_control_start_tls_async (FtpControl *self, GAsyncReadyCallback callback, gpointer user_data);

gboolean ftp_control_step_finish (FtpControl *self, GAsyncResult *result, GError **error);

void ftp_control_set_home (FtpControl *self, const char *home);

void ftp_control_set_features (FtpControl *self, FtpFeatures features);

G_END_DECLS
