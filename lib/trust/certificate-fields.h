/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <openssl/x509.h>

G_BEGIN_DECLS

/* What a certificate and its key say, in GLib's types. What is returned is the caller's; NULL where the certificate
 * does not say it in a form that can be read.
 */

GByteArray *g_tls_session_certificate_to_der (X509 *certificate);

char *g_tls_session_certificate_to_pem (X509 *certificate);

GByteArray *g_tls_session_key_to_der (EVP_PKEY *key);

char *g_tls_session_key_to_pem (EVP_PKEY *key);

char *g_tls_session_name_to_text (const X509_NAME *name);

GDateTime *g_tls_session_time_to_date (const ASN1_TIME *when);

GPtrArray *g_tls_session_list_dns_names (X509 *certificate);

GPtrArray *g_tls_session_list_ip_addresses (X509 *certificate);

G_END_DECLS
