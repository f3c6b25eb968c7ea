/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Both are to be freed with wipe_and_free(). */

char *ftp_password_read_file (const char *path, GError **error);

char *ftp_password_ask (const char *user, const char *host, GError **error);

G_END_DECLS
