/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ftp-control.h"
#include "ftp-listing.h"

G_BEGIN_DECLS

FtpListing *ftp_ls_read (const FtpSite *site, GError **error);

void ftp_ls_print (const FtpListing *listing);

void ftp_ls_append_json (const FtpListing *listing, GString *json);

G_END_DECLS
