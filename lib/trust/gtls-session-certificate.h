/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../gtls-session-macros.h"

G_BEGIN_DECLS

#define G_TLS_SESSION_TYPE_CERTIFICATE (g_tls_session_certificate_get_type ())

G_TLS_SESSION_API
G_DECLARE_FINAL_TYPE (GTlsSessionCertificate, g_tls_session_certificate, G_TLS_SESSION, CERTIFICATE, GTlsCertificate)

G_TLS_SESSION_API
GTlsSessionCertificate *g_tls_session_certificate_new_from_pem (const char *data, gssize length, GError **error);

G_TLS_SESSION_API
GTlsSessionCertificate *g_tls_session_certificate_new_from_der (GBytes *der, GError **error);

G_TLS_SESSION_API
GTlsSessionCertificate *g_tls_session_certificate_new_from_file (const char *path, GError **error);

G_TLS_SESSION_API
GTlsSessionCertificate *g_tls_session_certificate_new_from_file_with_password (const char *path,
                                                                               const char *password,
                                                                               GError **error);

G_END_DECLS
