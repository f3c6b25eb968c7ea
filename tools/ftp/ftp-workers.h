/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ftp-job.h"

G_BEGIN_DECLS

void ftp_workers_run (const FtpSite *site, FtpOrders *orders, guint n_workers);

G_END_DECLS
