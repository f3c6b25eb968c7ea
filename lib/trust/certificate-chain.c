/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "certificate-private.h"

#include "../engine/openssl-error.h"
#include "certificate-reader.h"
#include "openssl-auto.h"

/* Between GTlsCertificates that point to their issuers and OpenSSL's stacks of X509. */

static gboolean
is_signed_by (X509 *certificate, X509 *issuer)
{
  EVP_PKEY *key = X509_get0_pubkey (issuer);
  gboolean signed_by;

  g_tls_session_openssl_clear_errors ();
  signed_by = key != NULL && X509_check_issued (issuer, certificate) == X509_V_OK &&
              X509_verify (certificate, key) == 1;
  g_tls_session_openssl_clear_errors ();
  return signed_by;
}

gboolean
g_tls_session_x509_is_current (X509 *certificate)
{
  return X509_cmp_current_time (X509_get0_notBefore (certificate)) < 0 &&
         X509_cmp_current_time (X509_get0_notAfter (certificate)) > 0;
}

/* Of two that a certificate may be signed by: one of today rather than another, then the one that ends later. */
static gboolean
is_better (X509 *candidate, X509 *than)
{
  if (g_tls_session_x509_is_current (candidate) != g_tls_session_x509_is_current (than))
    return g_tls_session_x509_is_current (candidate);
  return ASN1_TIME_compare (X509_get0_notAfter (candidate), X509_get0_notAfter (than)) > 0;
}

/* Where among @candidates the issuer of @certificate is, the best if there are several; -1 if there is none. */
int
g_tls_session_chain_find_issuer (STACK_OF (X509) *candidates, X509 *certificate)
{
  int found = -1;

  for (int i = 0; i < sk_X509_num (candidates); i++)
    {
      X509 *candidate = sk_X509_value (candidates, i);

      if (is_signed_by (certificate, candidate) &&
          (found < 0 || is_better (candidate, sk_X509_value (candidates, found))))
        found = i;
    }
  return found;
}

/* Takes the issuer of @certificate out of @others; NULL if it is not among them, or is @certificate itself. */
static X509 *
take_issuer (X509Chain *others, X509 *certificate)
{
  int found = X509_self_signed (certificate, 0) == 1 ? -1 : g_tls_session_chain_find_issuer (others, certificate);

  g_tls_session_openssl_clear_errors ();
  return found >= 0 ? sk_X509_delete (others, found) : NULL;
}

/* The issuer of @certificate, the issuer's issuer and so on, as far as @others has them, taken out of there. Empty if
 * there is none, NULL without memory.
 */
STACK_OF (X509) *
g_tls_session_chain_take_issuers (STACK_OF (X509) *others, X509 *certificate)
{
  g_autoptr (X509Chain) issuers = sk_X509_new_null ();
  X509 *issuer = take_issuer (others, certificate);

  while (issuer != NULL && sk_X509_num (issuers) < G_TLS_SESSION_MAX_CHAIN_LENGTH)
    {
      if (!x509_chain_push (issuers, issuer))
        return NULL;
      issuer = take_issuer (others, issuer);
    }
  X509_free (issuer);
  return g_steal_pointer (&issuers);
}

/* A new reference, from a certificate of any backend; NULL if it is of another one and cannot be read. */
X509 *
g_tls_session_x509_from_certificate (GTlsCertificate *certificate)
{
  g_autoptr (GByteArray) der = NULL;

  if (G_TLS_SESSION_IS_CERTIFICATE (certificate))
    {
      X509 *x509 = g_tls_session_certificate_get_x509 (G_TLS_SESSION_CERTIFICATE (certificate));

      return x509 != NULL ? x509_ref (x509) : NULL;
    }

  g_object_get (certificate, "certificate", &der, NULL);
  return der != NULL ? g_tls_session_read_der_certificate (der->data, der->len, NULL) : NULL;
}

gboolean
g_tls_session_chain_contains (STACK_OF (X509) *chain, X509 *certificate)
{
  for (int i = 0; i < sk_X509_num (chain); i++)
    if (X509_cmp (sk_X509_value (chain, i), certificate) == 0)
      return TRUE;
  return FALSE;
}

/* @certificate, of any backend, and the issuers it leads to, leaf first; to be freed with its certificates. What comes a
 * second time is left out, and after 100 it ends. NULL if one of them cannot be read.
 */
STACK_OF (X509) *
g_tls_session_chain_from_certificate (GTlsCertificate *certificate)
{
  g_autoptr (X509Chain) chain = sk_X509_new_null ();

  g_return_val_if_fail (G_IS_TLS_CERTIFICATE (certificate), NULL);

  for (int i = 0; certificate != NULL && i < G_TLS_SESSION_MAX_CHAIN_LENGTH; i++)
    {
      g_autoptr (X509) x509 = g_tls_session_x509_from_certificate (certificate);

      if (x509 == NULL)
        return NULL;
      if (!g_tls_session_chain_contains (chain, x509) && !x509_chain_push (chain, g_steal_pointer (&x509)))
        return NULL;
      certificate = g_tls_certificate_get_issuer (certificate);
    }
  return g_steal_pointer (&chain);
}
