/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Files that only their user can read, and that are there whole or not at all. */

gboolean g_tls_session_private_file_make_directory (const char *path, GError **error);

/* Fills a file under the name it is given; another program cannot know that name. */
typedef gboolean (*GTlsSessionPrivateFileFill) (const char *path, int fd, gpointer data, GError **error);

gboolean g_tls_session_private_file_create (const char *path,
                                            GTlsSessionPrivateFileFill fill,
                                            gpointer data,
                                            GError **error);

typedef enum
{
  G_TLS_SESSION_PRIVATE_FILE_ABSENT,
  G_TLS_SESSION_PRIVATE_FILE_SOUND,
  G_TLS_SESSION_PRIVATE_FILE_UNFIT, /* with an error */
} GTlsSessionPrivateFileState;

GTlsSessionPrivateFileState g_tls_session_private_file_check (const char *path, GError **error);

gboolean g_tls_session_private_file_read (const char *path, guint8 *bytes, gsize size, GError **error);

gboolean g_tls_session_private_file_write (int fd, const guint8 *bytes, gsize size);

G_END_DECLS
