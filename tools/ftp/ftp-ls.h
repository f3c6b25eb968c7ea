/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ftp-control.h"
#include "ftp-listing.h"

G_BEGIN_DECLS

FtpListing *ftp_ls_read (const FtpSite *site, GError **error);

void ftp_ls_print (const FtpListing *listing);

/* A member "entries" of the object that is being built. */
void ftp_ls_add_to_json (const FtpListing *listing, JsonBuilder *builder);

G_END_DECLS
