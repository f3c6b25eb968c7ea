/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

G_BEGIN_DECLS

/* g_autoptr() for what is OpenSSL's. Included by .c files only: another floor of the house may have its own.
 *
 * Where OpenSSL has no memory left the program ends, as it does with GLib's own allocations.
 */

typedef STACK_OF (X509) X509Chain;

static inline X509Chain *
x509_chain_new (void)
{
  X509Chain *chain = sk_X509_new_null ();

  if (chain == NULL)
    g_error ("OpenSSL has no memory left for a chain of certificates");
  return chain;
}

/* Takes @certificate. */
static inline void
x509_chain_push (X509Chain *chain, X509 *certificate)
{
  if (sk_X509_push (chain, certificate) <= 0)
    g_error ("OpenSSL has no memory left for a chain of certificates");
}

/* Takes @certificate. */
static inline void
x509_chain_unshift (X509Chain *chain, X509 *certificate)
{
  if (sk_X509_unshift (chain, certificate) <= 0)
    g_error ("OpenSSL has no memory left for a chain of certificates");
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
