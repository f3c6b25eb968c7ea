/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../gtls-session-macros.h"

G_BEGIN_DECLS

#define G_TLS_SESSION_TYPE_DATABASE (g_tls_session_database_get_type ())
#define G_TLS_SESSION_DATABASE(obj) \
  (G_TYPE_CHECK_INSTANCE_CAST ((obj), G_TLS_SESSION_TYPE_DATABASE, GTlsSessionDatabase))
#define G_TLS_SESSION_IS_DATABASE(obj) (G_TYPE_CHECK_INSTANCE_TYPE ((obj), G_TLS_SESSION_TYPE_DATABASE))

typedef struct _GTlsSessionDatabase GTlsSessionDatabase;
typedef struct _GTlsSessionDatabaseClass GTlsSessionDatabaseClass;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GTlsSessionDatabase, g_object_unref)

G_TLS_SESSION_API
GType g_tls_session_database_get_type (void) G_GNUC_CONST;

G_TLS_SESSION_API
GTlsSessionDatabase *g_tls_session_database_get_system (GError **error);

G_END_DECLS
