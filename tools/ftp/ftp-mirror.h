/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ftp-job.h"

G_BEGIN_DECLS

/* Both take @task, which gets a boolean or the error. */

void ftp_mirror_get_folder (FtpJob *job, FtpControl *control, FtpOrders *orders, GTask *task);

void ftp_mirror_put_folder (FtpJob *job, FtpControl *control, FtpOrders *orders, GTask *task);

G_END_DECLS
