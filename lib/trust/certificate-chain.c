/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "certificate-private.h"

#include "../engine/openssl-error.h"
#include "certificate-reader.h"
#include "openssl-auto.h"

/* Between GTlsCertificates that point to their issuers and OpenSSL's stacks of X509. */

typedef enum
{
  IS_NOT_SIGNED,
  IS_SIGNED,
  IS_UNKNOWN, /* there was no memory to look */
} Signed;

static gboolean
check_signature (X509 *certificate, X509 *issuer)
{
  EVP_PKEY *key = X509_get0_pubkey (issuer);

  return key != NULL && X509_check_issued (issuer, certificate) == X509_V_OK && X509_verify (certificate, key) == 1;
}

gboolean
g_tls_session_there_is_memory (void)
{
  void *probe = OPENSSL_malloc (1);

  OPENSSL_free (probe);
  return probe != NULL;
}

/* OpenSSL has one answer for a signature that is wrong and for one that it had no memory to check, and does not always
 * say so in its queue. So a no is believed when it comes twice, and there is memory behind it. Twice is seldom: mostly it
 * is because of the name.
 */
static Signed
is_signed_by (X509 *certificate, X509 *issuer)
{
  gboolean is_signed;

  if (X509_NAME_cmp (X509_get_subject_name (issuer), X509_get_issuer_name (certificate)) != 0)
    return IS_NOT_SIGNED;

  g_tls_session_openssl_clear_errors ();
  is_signed = check_signature (certificate, issuer) || check_signature (certificate, issuer);
  g_tls_session_openssl_clear_errors ();
  if (is_signed)
    return IS_SIGNED;
  return g_tls_session_there_is_memory () ? IS_NOT_SIGNED : IS_UNKNOWN;
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

/* Where among @candidates the issuer of @certificate is, the best if there are several; -1 if there is none. FALSE if
 * there was no memory to know.
 */
gboolean
g_tls_session_chain_find_issuer (STACK_OF (X509) *candidates, X509 *certificate, int *found)
{
  *found = -1;

  for (int i = 0; i < sk_X509_num (candidates); i++)
    {
      X509 *candidate = sk_X509_value (candidates, i);
      Signed is_signed = is_signed_by (certificate, candidate);

      if (is_signed == IS_UNKNOWN)
        return FALSE;
      if (is_signed == IS_SIGNED && (*found < 0 || is_better (candidate, sk_X509_value (candidates, *found))))
        *found = i;
    }
  return TRUE;
}

/* Takes the issuer of @certificate out of @others; NULL if it is not among them, or is @certificate itself. FALSE if there
 * was no memory to know.
 */
static gboolean
take_issuer (X509Chain *others, X509 *certificate, X509 **issuer)
{
  gboolean is_its_own = X509_self_signed (certificate, 0) == 1;
  int found;

  g_tls_session_openssl_clear_errors ();
  *issuer = NULL;
  if (is_its_own)
    return TRUE;
  if (!g_tls_session_chain_find_issuer (others, certificate, &found))
    return FALSE;
  if (found >= 0)
    *issuer = sk_X509_delete (others, found);
  return TRUE;
}

/* The issuer of @certificate, the issuer's issuer and so on, as far as @others has them, taken out of there. Empty if
 * there is none, NULL without memory.
 */
STACK_OF (X509) *
g_tls_session_chain_take_issuers (STACK_OF (X509) *others, X509 *certificate)
{
  g_autoptr (X509Chain) issuers = sk_X509_new_null ();
  X509 *issuer = NULL;

  if (issuers == NULL)
    return NULL;

  while (sk_X509_num (issuers) < G_TLS_SESSION_MAX_CHAIN_LENGTH)
    {
      if (!take_issuer (others, certificate, &issuer))
        return NULL;
      if (issuer == NULL)
        break;
      if (!x509_chain_push (issuers, issuer))
        return NULL;
      certificate = issuer;
    }
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
