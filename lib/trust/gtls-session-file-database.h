/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gtls-session-database.h"

G_BEGIN_DECLS

#define G_TLS_SESSION_TYPE_FILE_DATABASE (g_tls_session_file_database_get_type ())
#define G_TLS_SESSION_FILE_DATABASE(obj) \
  (G_TYPE_CHECK_INSTANCE_CAST ((obj), G_TLS_SESSION_TYPE_FILE_DATABASE, GTlsSessionFileDatabase))
#define G_TLS_SESSION_IS_FILE_DATABASE(obj) (G_TYPE_CHECK_INSTANCE_TYPE ((obj), G_TLS_SESSION_TYPE_FILE_DATABASE))

typedef struct _GTlsSessionFileDatabase GTlsSessionFileDatabase;
typedef struct _GTlsSessionFileDatabaseClass GTlsSessionFileDatabaseClass;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GTlsSessionFileDatabase, g_object_unref)

G_TLS_SESSION_API
GType g_tls_session_file_database_get_type (void) G_GNUC_CONST;

G_TLS_SESSION_API
GTlsSessionFileDatabase *g_tls_session_file_database_new (const char *anchors, GError **error);

G_END_DECLS
