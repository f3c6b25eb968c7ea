/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _FtpPartial FtpPartial;

gboolean ftp_partial_is_name_of_one (const char *name);

gboolean ftp_partial_check_place (const char *path, GError **error);

FtpPartial *ftp_partial_open (const char *path, GError **error);

gint64 ftp_partial_find_rest (FtpPartial *self, gint64 size, gint64 modified);

gboolean ftp_partial_begin_at (FtpPartial *self, gint64 offset, GError **error);

gboolean ftp_partial_append (FtpPartial *self, const void *data, gsize size, GError **error);

gint64 ftp_partial_get_size (FtpPartial *self);

gboolean ftp_partial_complete (FtpPartial *self, gint64 modified, GError **error);

void ftp_partial_leave (FtpPartial *self, gint64 modified);

G_END_DECLS
