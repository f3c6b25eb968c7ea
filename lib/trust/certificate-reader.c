/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "certificate-reader.h"

#include "../engine/openssl-error.h"
#include "openssl-auto.h"
#include "pem.h"

#include <limits.h>
#include <string.h>

#include <openssl/pem.h>

/* NOTES:
 *
 * Data that breaks off, or one broken certificate among many, fails the whole: a chain or a set of anchors that lost a
 * part in silence would be a riddle later.
 */

/* OpenSSL takes a certificate whose key or extensions it cannot read, and asks no further. Of a key it asks for the
 * strength once, and counts what it has no memory to know as none.
 */
gboolean
g_tls_session_x509_is_whole (X509 *certificate)
{
  EVP_PKEY *key;
  gboolean is_whole;

  g_tls_session_openssl_clear_errors ();
  key = X509_get0_pubkey (certificate);
  is_whole = key != NULL && EVP_PKEY_get_security_bits (key) > 0 && X509_check_purpose (certificate, -1, 0) == 1;
  g_tls_session_openssl_clear_errors ();
  return is_whole;
}

static X509 *
decode_once (const unsigned char *data, long length, gboolean with_trust_settings)
{
  const unsigned char *end = data;
  g_autoptr (X509) certificate = NULL;

  g_tls_session_openssl_clear_errors ();
  certificate = with_trust_settings ? d2i_X509_AUX (NULL, &end, length) : d2i_X509 (NULL, &end, length);
  if (certificate == NULL || end != data + length)
    return NULL;

  g_tls_session_openssl_clear_errors ();
  return g_steal_pointer (&certificate);
}

/* All of @data must be the certificate. After NULL, OpenSSL's queue says why.
 *
 * If it was for want of memory that not all of it could be read, then it is read the second time, or there is no
 * certificate.
 */
static X509 *
decode_certificate (const unsigned char *data, long length, gboolean with_trust_settings)
{
  X509 *certificate = decode_once (data, length, with_trust_settings);

  if (certificate == NULL || g_tls_session_x509_is_whole (certificate))
    return certificate;

  X509_free (certificate);
  return decode_once (data, length, with_trust_settings);
}

/* Likewise, of one that OpenSSL has read elsewhere, and that is taken. */
X509 *
g_tls_session_x509_read_whole (X509 *certificate)
{
  unsigned char *der = NULL;
  int length;

  if (g_tls_session_x509_is_whole (certificate))
    return certificate;

  length = i2d_X509 (certificate, &der);
  X509_free (certificate);
  certificate = length > 0 ? decode_certificate (der, length, FALSE) : NULL;
  OPENSSL_free (der);
  return certificate;
}

static X509 *
decode_certificate_block (const GTlsSessionPemBlock *block)
{
  return decode_certificate (block->data, block->length, strcmp (block->label, PEM_STRING_X509_TRUSTED) == 0);
}

static void
set_broken_pem_error (GError **error, int n_read)
{
  g_autofree char *reason = g_tls_session_openssl_take_errors ();

  g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
               "The PEM data is corrupt or breaks off; certificates read until then: %d (%s)", n_read, reason);
}

/* Every certificate of @data, in the order found; never an empty stack. Other blocks are passed over. */
STACK_OF (X509) *
g_tls_session_read_pem_certificates (const char *data, gsize length, GError **error)
{
  g_autoptr (BIO) bio = g_tls_session_pem_open (data, length, error);
  g_autoptr (X509Chain) certificates = sk_X509_new_null ();
  g_auto (GTlsSessionPemBlock) block = { 0 };
  GTlsSessionPemStep step;

  if (bio == NULL)
    return NULL;

  while ((step = g_tls_session_pem_next (bio, &block)) == PEM_FOUND)
    {
      X509 *certificate;

      if (!g_tls_session_pem_block_is_certificate (&block))
        continue;

      certificate = decode_certificate_block (&block);
      if (certificate == NULL || !x509_chain_push (certificates, certificate))
        {
          set_broken_pem_error (error, MAX (sk_X509_num (certificates), 0));
          return NULL;
        }
    }

  if (step == PEM_BROKEN)
    {
      set_broken_pem_error (error, MAX (sk_X509_num (certificates), 0));
      return NULL;
    }

  if (sk_X509_num (certificates) <= 0)
    {
      g_set_error_literal (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
                           "There is no certificate in the PEM data (no line \"-----BEGIN CERTIFICATE-----\")");
      return NULL;
    }

  return g_steal_pointer (&certificates);
}

X509 *
g_tls_session_read_der_certificate (const void *data, gsize length, GError **error)
{
  X509 *certificate = NULL;

  if (length == 0)
    {
      g_set_error_literal (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
                           "There is no certificate in the data: it is empty");
      return NULL;
    }

  if (length <= LONG_MAX)
    certificate = decode_certificate (data, (long) length, FALSE);
  if (certificate == NULL)
    {
      g_autofree char *reason = g_tls_session_openssl_take_errors ();

      g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
                   "The data is not a certificate in PEM or DER, or is corrupt (%s)", reason);
    }
  return certificate;
}

/* GLib (2.74) reads on after a signal, but leaves open() interrupted. */
gboolean
g_tls_session_read_file (const char *path, char **contents, gsize *length, GError **error)
{
  g_autoptr (GError) failure = NULL;

  do
    g_clear_error (&failure);
  while (!g_file_get_contents (path, contents, length, &failure) &&
         g_error_matches (failure, G_FILE_ERROR, G_FILE_ERROR_INTR));

  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

gboolean
g_tls_session_looks_like_pem (const char *data, gsize length)
{
  return length <= G_MAXSSIZE && g_strstr_len (data, (gssize) length, "-----BEGIN ") != NULL;
}

/* PEM with any number of certificates, or one certificate in DER; never an empty stack. */
STACK_OF (X509) *
g_tls_session_read_certificates (const char *data, gsize length, GError **error)
{
  X509Chain *certificates;
  X509 *certificate;

  if (g_tls_session_looks_like_pem (data, length))
    return g_tls_session_read_pem_certificates (data, length, error);

  certificate = g_tls_session_read_der_certificate (data, length, error);
  if (certificate == NULL)
    return NULL;

  certificates = x509_chain_new_with (certificate);
  if (certificates == NULL)
    g_tls_session_openssl_set_error (error, "The certificate cannot be kept");
  return certificates;
}
