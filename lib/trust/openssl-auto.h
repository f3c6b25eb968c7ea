/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

G_BEGIN_DECLS

/* g_autoptr() for what is OpenSSL's. Included by .c files only: another floor of the house may have its own. */

typedef STACK_OF (X509) X509Chain;

/* Takes @certificate, in any case. FALSE if OpenSSL has no memory, or if there is no @chain for want of it. */
static inline gboolean
x509_chain_push (X509Chain *chain, X509 *certificate)
{
  if (chain != NULL && sk_X509_push (chain, certificate) > 0)
    return TRUE;

  X509_free (certificate);
  return FALSE;
}

/* Takes @certificate. NULL if OpenSSL has no memory. */
static inline X509Chain *
x509_chain_new_with (X509 *certificate)
{
  X509Chain *chain = sk_X509_new_null ();

  if (x509_chain_push (chain, certificate))
    return chain;

  sk_X509_free (chain);
  return NULL;
}

/* Its first certificate is the one that was at @index. */
static inline void
x509_chain_put_first (X509Chain *chain, int index)
{
  X509 *first = sk_X509_value (chain, index);

  for (int i = index; i > 0; i--)
    sk_X509_set (chain, i, sk_X509_value (chain, i - 1));
  sk_X509_set (chain, 0, first);
}

static inline X509 *
x509_ref (X509 *certificate)
{
  if (X509_up_ref (certificate) != 1)
    g_error ("OpenSSL cannot take a reference to a certificate");
  return certificate;
}

static inline void
x509_chain_free (X509Chain *chain)
{
  sk_X509_pop_free (chain, X509_free);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ASN1_OBJECT, ASN1_OBJECT_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BIO, BIO_free_all)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GENERAL_NAMES, GENERAL_NAMES_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509_NAME, X509_NAME_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509Chain, x509_chain_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509_STORE, X509_STORE_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509_STORE_CTX, X509_STORE_CTX_free)

G_END_DECLS
