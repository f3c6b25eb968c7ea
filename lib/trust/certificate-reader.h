/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <openssl/x509.h>

G_BEGIN_DECLS

/* As g_file_get_contents(), also where a signal interrupts it. */
gboolean g_tls_session_read_file (const char *path, char **contents, gsize *length, GError **error);

/* From bytes to certificates. Errors are G_TLS_ERROR_BAD_CERTIFICATE; what is returned is the caller's. */

STACK_OF (X509) *g_tls_session_read_pem_certificates (const char *data, gsize length, GError **error);

X509 *g_tls_session_read_der_certificate (const void *data, gsize length, GError **error);

STACK_OF (X509) *g_tls_session_read_certificates (const char *data, gsize length, GError **error);

gboolean g_tls_session_looks_like_pem (const char *data, gsize length);

gboolean g_tls_session_x509_is_whole (X509 *certificate);

X509 *g_tls_session_x509_read_whole (X509 *certificate);

G_END_DECLS
