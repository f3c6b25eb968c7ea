/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "forge.h"

G_BEGIN_DECLS

/* What is forged, on paper: keys and certificates as text, as files, and as the objects that are read from them. Texts are
 * the caller's.
 */

char *key_as_pkcs8 (const Forged *forged);

char *key_as_traditional (const Forged *forged);

/* Closed with the password "secret". */
char *key_as_encrypted_pkcs8 (const Forged *forged);

char *key_as_encrypted_traditional (const Forged *forged);

GByteArray *key_as_der (const Forged *forged);

/* One after the other; takes the texts, which end with NULL. */
char *joined (char *first, ...) G_GNUC_NULL_TERMINATED;

void write_file (const char *path, const void *data, gsize size);

GTlsSessionCertificate *certificate_from (const char *pem);

GTlsSessionCertificate *certificate_of (const Forged *forged);

/* Trusts what is in @pem, and nobody else. */
GTlsDatabase *database_of (const char *pem);

GTlsCertificate *issuer_of (gpointer certificate);

void assert_is (gpointer certificate, const Forged *forged);

G_END_DECLS
