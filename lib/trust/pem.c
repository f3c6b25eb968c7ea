/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pem.h"

#include "../engine/openssl-error.h"

#include <limits.h>
#include <string.h>

#include <gio/gio.h>

#include <openssl/err.h>
#include <openssl/pem.h>

/* NOTES:
 *
 * PEM is read block by block, and each block by its label, instead of with PEM_read_bio_X509() and
 * PEM_read_bio_PrivateKey(): those ask for a password on the terminal when a key is encrypted, and their errors do not
 * tell "there is none" from "there is one, and it is broken".
 *
 * Blocks may hold keys, so they are read with PEM_FLAG_SECURE: OpenSSL then wipes what it frees, also where it has no
 * secure heap.
 */

#define PEM_FLAGS (PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE)

void
g_tls_session_pem_block_clear (GTlsSessionPemBlock *block)
{
  if (block->label != NULL)
    OPENSSL_secure_clear_free (block->label, strlen (block->label));
  if (block->header != NULL)
    OPENSSL_secure_clear_free (block->header, strlen (block->header));
  if (block->data != NULL)
    OPENSSL_secure_clear_free (block->data, block->length);
  *block = (GTlsSessionPemBlock){ 0 };
}

gboolean
g_tls_session_pem_block_is_certificate (const GTlsSessionPemBlock *block)
{
  return strcmp (block->label, PEM_STRING_X509) == 0 || strcmp (block->label, PEM_STRING_X509_OLD) == 0 ||
         strcmp (block->label, PEM_STRING_X509_TRUSTED) == 0;
}

gboolean
g_tls_session_pem_block_is_key (const GTlsSessionPemBlock *block)
{
  return g_str_has_suffix (block->label, "PRIVATE KEY");
}

/* RFC 1421 section 4.6.1.1 ("Proc-Type: 4,ENCRYPTED") and RFC 7468 section 11. */
gboolean
g_tls_session_pem_block_is_encrypted (const GTlsSessionPemBlock *block)
{
  return strcmp (block->label, PEM_STRING_PKCS8) == 0 || strstr (block->header, "ENCRYPTED") != NULL;
}

/* To be freed with BIO_free_all(). */
BIO *
g_tls_session_pem_open (const char *data, gsize length, GError **error)
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
    g_tls_session_openssl_set_error (error, "The PEM data cannot be read");
  return bio;
}

/* After PEM_BROKEN, OpenSSL's queue says why. */
GTlsSessionPemStep
g_tls_session_pem_next (BIO *bio, GTlsSessionPemBlock *block)
{
  unsigned long code;

  g_tls_session_pem_block_clear (block);
  g_tls_session_openssl_clear_errors ();
  if (PEM_read_bio_ex (bio, &block->label, &block->header, &block->data, &block->length, PEM_FLAGS) == 1)
    return PEM_FOUND;

  code = ERR_peek_last_error ();
  if (ERR_GET_LIB (code) != ERR_LIB_PEM || ERR_GET_REASON (code) != PEM_R_NO_START_LINE)
    return PEM_BROKEN;

  g_tls_session_openssl_clear_errors ();
  return PEM_END;
}
