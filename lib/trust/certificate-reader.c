/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "certificate-reader.h"

#include "../engine/openssl-error.h"
#include "openssl-auto.h"

#include <limits.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

/* NOTES:
 *
 * PEM is read block by block, and each block by its label, instead of with PEM_read_bio_X509() and
 * PEM_read_bio_PrivateKey(): those ask for a password on the terminal when a key is encrypted, and their errors do not
 * tell "there is none" from "there is one, and it is broken".
 *
 * Data that breaks off, or one broken certificate among many, fails the whole: a chain or a set of anchors that lost a
 * part in silence would be a riddle later.
 *
 * Blocks may hold keys, so they are read with PEM_FLAG_SECURE: OpenSSL then wipes what it frees, also where it has no
 * secure heap.
 */

#define PEM_FLAGS (PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE)

typedef struct
{
  char *label; /* "CERTIFICATE" */
  char *header;
  unsigned char *data;
  long length;
} PemBlock;

static void
pem_block_clear (PemBlock *block)
{
  if (block->label != NULL)
    OPENSSL_secure_clear_free (block->label, strlen (block->label));
  if (block->header != NULL)
    OPENSSL_secure_clear_free (block->header, strlen (block->header));
  if (block->data != NULL)
    OPENSSL_secure_clear_free (block->data, block->length);
  *block = (PemBlock){ 0 };
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PemBlock, pem_block_clear)

static gboolean
is_certificate (const PemBlock *block)
{
  return strcmp (block->label, PEM_STRING_X509) == 0 || strcmp (block->label, PEM_STRING_X509_OLD) == 0 ||
         strcmp (block->label, PEM_STRING_X509_TRUSTED) == 0;
}

static gboolean
is_key (const PemBlock *block)
{
  return g_str_has_suffix (block->label, "PRIVATE KEY");
}

/* RFC 1421 section 4.6.1.1 ("Proc-Type: 4,ENCRYPTED") and RFC 7468 section 11. */
static gboolean
is_encrypted (const PemBlock *block)
{
  return strcmp (block->label, PEM_STRING_PKCS8) == 0 || strstr (block->header, "ENCRYPTED") != NULL;
}

typedef enum
{
  PEM_FOUND,
  PEM_END,
  PEM_BROKEN,
} PemStep;

/* After PEM_BROKEN, OpenSSL's queue says why. */
static PemStep
next_block (BIO *bio, PemBlock *block)
{
  unsigned long code;

  pem_block_clear (block);
  g_tls_session_openssl_clear_errors ();
  if (PEM_read_bio_ex (bio, &block->label, &block->header, &block->data, &block->length, PEM_FLAGS) == 1)
    return PEM_FOUND;

  code = ERR_peek_last_error ();
  if (ERR_GET_LIB (code) != ERR_LIB_PEM || ERR_GET_REASON (code) != PEM_R_NO_START_LINE)
    return PEM_BROKEN;

  g_tls_session_openssl_clear_errors ();
  return PEM_END;
}

static BIO *
open_data (const char *data, gsize length, GError **error)
{
  BIO *bio;

  if (length > INT_MAX)
    {
      g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
                   "The PEM data is too long to be read (%" G_GSIZE_FORMAT " bytes)", length);
      return NULL;
    }

  bio = BIO_new_mem_buf (length > 0 ? data : "", (int) length);
  if (bio == NULL)
    g_error ("OpenSSL has no memory left for a BIO");
  return bio;
}

/* All of @data must be the certificate. After NULL, OpenSSL's queue says why. */
static X509 *
decode_certificate (const unsigned char *data, long length, gboolean with_trust_settings)
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

static X509 *
decode_certificate_block (const PemBlock *block)
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
  g_autoptr (BIO) bio = open_data (data, length, error);
  g_autoptr (X509Chain) certificates = x509_chain_new ();
  g_auto (PemBlock) block = { 0 };
  PemStep step;

  if (bio == NULL)
    return NULL;

  while ((step = next_block (bio, &block)) == PEM_FOUND)
    {
      X509 *certificate;

      if (!is_certificate (&block))
        continue;

      certificate = decode_certificate_block (&block);
      if (certificate == NULL)
        {
          set_broken_pem_error (error, sk_X509_num (certificates));
          return NULL;
        }
      x509_chain_push (certificates, certificate);
    }

  if (step == PEM_BROKEN)
    {
      set_broken_pem_error (error, sk_X509_num (certificates));
      return NULL;
    }

  if (sk_X509_num (certificates) == 0)
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

gboolean
g_tls_session_looks_like_pem (const char *data, gsize length)
{
  return length <= G_MAXSSIZE && g_strstr_len (data, (gssize) length, "-----BEGIN ") != NULL;
}

/* PEM with any number of certificates, or one certificate in DER; never an empty stack. */
STACK_OF (X509) *
g_tls_session_read_certificates (const char *data, gsize length, GError **error)
{
  g_autoptr (X509) certificate = NULL;
  g_autoptr (X509Chain) certificates = NULL;

  if (g_tls_session_looks_like_pem (data, length))
    return g_tls_session_read_pem_certificates (data, length, error);

  certificate = g_tls_session_read_der_certificate (data, length, error);
  if (certificate == NULL)
    return NULL;

  certificates = x509_chain_new ();
  x509_chain_push (certificates, g_steal_pointer (&certificate));
  return g_steal_pointer (&certificates);
}

static EVP_PKEY *
decode_key (const unsigned char *data, long length, GError **error)
{
  const unsigned char *end = data;
  g_autoptr (EVP_PKEY) key = NULL;

  g_tls_session_openssl_clear_errors ();
  key = d2i_AutoPrivateKey (NULL, &end, length);
  if (key == NULL || end != data + length)
    {
      g_autofree char *reason = g_tls_session_openssl_take_errors ();

      g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
                   "The private key is corrupt or of a kind that is not known (%s)", reason);
      return NULL;
    }

  g_tls_session_openssl_clear_errors ();
  return g_steal_pointer (&key);
}

EVP_PKEY *
g_tls_session_read_der_key (const void *data, gsize length, GError **error)
{
  return decode_key (data, (long) MIN (length, LONG_MAX), error);
}

static EVP_PKEY *
read_key_block (const PemBlock *block, GError **error)
{
  if (!is_encrypted (block))
    return decode_key (block->data, block->length, error);

  g_set_error_literal (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE_PASSWORD,
                       "The private key is encrypted, and keys with a password are not supported yet");
  return NULL;
}

/* The first private key of @data: PKCS #8 (RFC 5958), PKCS #1 (RFC 8017) or SEC 1 (RFC 5915), unencrypted. If there is
 * none, that is no error here: TRUE with a NULL key.
 */
gboolean
g_tls_session_read_pem_key (const char *data, gsize length, EVP_PKEY **key, GError **error)
{
  g_autoptr (BIO) bio = open_data (data, length, error);
  g_auto (PemBlock) block = { 0 };
  PemStep step;

  *key = NULL;
  if (bio == NULL)
    return FALSE;

  while ((step = next_block (bio, &block)) == PEM_FOUND)
    if (is_key (&block))
      {
        *key = read_key_block (&block, error);
        return *key != NULL;
      }

  if (step == PEM_BROKEN)
    {
      g_autofree char *reason = g_tls_session_openssl_take_errors ();

      g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, "The PEM data is corrupt or breaks off (%s)",
                   reason);
      return FALSE;
    }
  return TRUE;
}
