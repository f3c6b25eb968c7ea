/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean ftp_text_parse_number (const char *text, gsize length, gint64 *number);

gboolean ftp_text_parse_time (const char *text, gsize length, gint64 *seconds);

char *ftp_text_format_time (gint64 seconds);

G_END_DECLS
