/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../gtls-session-macros.h"

G_BEGIN_DECLS

#define G_TLS_SESSION_TYPE_BACKEND (g_tls_session_backend_get_type ())
#define G_TLS_SESSION_BACKEND(obj) (G_TYPE_CHECK_INSTANCE_CAST ((obj), G_TLS_SESSION_TYPE_BACKEND, GTlsSessionBackend))
#define G_TLS_SESSION_IS_BACKEND(obj) (G_TYPE_CHECK_INSTANCE_TYPE ((obj), G_TLS_SESSION_TYPE_BACKEND))

typedef struct _GTlsSessionBackend GTlsSessionBackend;
typedef struct _GTlsSessionBackendClass GTlsSessionBackendClass;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GTlsSessionBackend, g_object_unref)

G_TLS_SESSION_API
GType g_tls_session_backend_get_type (void) G_GNUC_CONST;

G_TLS_SESSION_API
gboolean g_tls_session_backend_install (GError **error);

G_END_DECLS
