/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "store-database.h"

G_BEGIN_DECLS

/* Which files a GTlsSessionFileStore has, and how they come to be. */

char *g_tls_session_store_files_resolve (const char *path);

gboolean g_tls_session_store_files_open (const char *path,
                                         GBytes *key,
                                         guint busy_timeout,
                                         GTlsSessionStoreDatabase **database,
                                         GTlsSessionSeal **seal,
                                         GError **error);

G_END_DECLS
