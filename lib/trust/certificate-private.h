/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gtls-session-certificate.h"
#include "ingredients.h"

#include <openssl/x509.h>

G_BEGIN_DECLS

/* More certificates than this are not followed: no chain in use comes near it, and a cycle must end. */
#define G_TLS_SESSION_MAX_CHAIN_LENGTH 100

GTlsSessionCertificate *g_tls_session_certificate_new_from_x509 (X509 *x509);

GTlsSessionCertificate *g_tls_session_certificate_new_from_chain (STACK_OF (X509) *chain);

X509 *g_tls_session_certificate_get_x509 (GTlsSessionCertificate *self);

EVP_PKEY *g_tls_session_certificate_get_key (GTlsSessionCertificate *self);

gboolean g_tls_session_certificate_is_locked (GTlsSessionCertificate *self);

gboolean g_tls_session_certificate_unlock (GTlsSessionCertificate *self,
                                           const guint8 *password,
                                           gsize length,
                                           GError **error);

GTlsSessionIngredients *g_tls_session_certificate_get_ingredients (GTlsSessionCertificate *self);

X509 *g_tls_session_x509_from_certificate (GTlsCertificate *certificate);

gboolean g_tls_session_x509_is_current (X509 *certificate);

STACK_OF (X509) *g_tls_session_chain_from_certificate (GTlsCertificate *certificate);

gboolean g_tls_session_chain_contains (STACK_OF (X509) *chain, X509 *certificate);

gboolean g_tls_session_there_is_memory (void);

gboolean g_tls_session_chain_find_issuer (STACK_OF (X509) *candidates, X509 *certificate, int *found);

STACK_OF (X509) *g_tls_session_chain_take_issuers (STACK_OF (X509) *others, X509 *certificate);

G_END_DECLS
