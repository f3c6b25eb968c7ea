/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

char *ftp_password_read_file (const char *path, GError **error);

char *ftp_password_ask (const char *user, const char *host, GError **error);

void ftp_password_free (char *password);

G_END_DECLS
