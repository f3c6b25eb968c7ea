/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "password.h"

#include "../engine/openssl-error.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

/* @text: nullable. */
GTlsSessionPassword
g_tls_session_password_from_text (const char *text)
{
  return (GTlsSessionPassword){ .data = (const guint8 *) text, .length = text != NULL ? strlen (text) : 0 };
}

/* A pem_password_cb that knows the answer. It asks nobody. */
int
g_tls_session_password_tell_pem (char *buffer, int size, int for_writing, void *data)
{
  const GTlsSessionPassword *password = data;

  if (password->data == NULL || password->length > (gsize) size)
    return -1;

  memcpy (buffer, password->data, password->length);
  return (int) password->length;
}

/* What failed first is the oldest in the queue. OpenSSL has the ciphers of the last century in a provider of their own,
 * which is not loaded unless its configuration says so.
 */
static gboolean
algorithm_is_missing (void)
{
  unsigned long code = ERR_peek_error ();
  int reason = ERR_GET_REASON (code);

  if (ERR_GET_LIB (code) == ERR_LIB_PEM)
    return reason == PEM_R_UNSUPPORTED_ENCRYPTION || reason == PEM_R_UNSUPPORTED_CIPHER;

  return ERR_GET_LIB (code) == ERR_LIB_EVP &&
         (reason == ERR_R_UNSUPPORTED || reason == EVP_R_UNSUPPORTED_ALGORITHM || reason == EVP_R_UNSUPPORTED_CIPHER ||
          reason == EVP_R_UNKNOWN_PBE_ALGORITHM || reason == EVP_R_UNSUPPORTED_KEY_DERIVATION_FUNCTION ||
          reason == EVP_R_UNSUPPORTED_PRF);
}

/* Why @what ("The private key") did not open, by OpenSSL's queue, which it empties. */
void
g_tls_session_password_set_error (GError **error, const char *what, GTlsSessionPassword password)
{
  gboolean missing = algorithm_is_missing ();
  g_autofree char *reason = g_tls_session_openssl_take_errors ();

  if (missing)
    g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
                 "%s is closed in a way that OpenSSL does not know, or knows only with its legacy provider; encrypt it "
                 "anew with AES (%s)",
                 what, reason);
  else if (password.data == NULL)
    g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE_PASSWORD, "%s needs a password, and none was given",
                 what);
  else
    g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE_PASSWORD,
                 "The password is wrong: %s did not open with it (%s)", what, reason);
}

/* @secret: nullable, ends with a NUL byte. */
void
g_tls_session_secret_free (char *secret)
{
  if (secret != NULL)
    OPENSSL_cleanse (secret, strlen (secret));
  g_free (secret);
}
