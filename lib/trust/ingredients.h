/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "private-key.h"

#include <gio/gio.h>
#include <openssl/x509.h>

G_BEGIN_DECLS

/* What a certificate is to be made of, as it comes in, in any order; and from it, what it is. */
typedef struct
{
  STACK_OF (X509) *certificates; /* nullable; after g_tls_session_ingredients_prepare() leaf first, not empty */
  GTlsSessionPrivateKey key;
  gboolean key_is_on_token;

  GByteArray *pkcs12;           /* nullable */
  char *pkcs11_uri;             /* nullable */
  char *private_key_pkcs11_uri; /* nullable */
  char *password;               /* nullable, secret */
  GError *error;                /* nullable: the first thing wrong */
} GTlsSessionIngredients;

GTlsSessionIngredients *g_tls_session_ingredients_new (void);

void g_tls_session_ingredients_free (GTlsSessionIngredients *self);

void g_tls_session_ingredients_add_der (GTlsSessionIngredients *self, const void *der, gsize length);

void g_tls_session_ingredients_add_pem (GTlsSessionIngredients *self, const char *pem, gsize length);

void g_tls_session_ingredients_add_key_der (GTlsSessionIngredients *self, GByteArray *der);

void g_tls_session_ingredients_add_key_pem (GTlsSessionIngredients *self, const char *pem, gsize length);

void g_tls_session_ingredients_require_key (GTlsSessionIngredients *self);

void g_tls_session_ingredients_set_password (GTlsSessionIngredients *self, const char *password);

gboolean g_tls_session_ingredients_have_certificate (GTlsSessionIngredients *self);

void g_tls_session_ingredients_fail (GTlsSessionIngredients *self, GError *error);

gboolean g_tls_session_ingredients_prepare (GTlsSessionIngredients *self, GError **error);

gboolean g_tls_session_key_fits (X509 *certificate, EVP_PKEY *key);

gboolean g_tls_session_check_key_fits (X509 *certificate, EVP_PKEY *key, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GTlsSessionIngredients, g_tls_session_ingredients_free)

G_END_DECLS
