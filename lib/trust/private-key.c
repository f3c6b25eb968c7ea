/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "private-key.h"

#include "../engine/openssl-error.h"
#include "openssl-auto.h"
#include "pem.h"
#include "pkcs11.h"

#include <limits.h>

#include <openssl/pem.h>
#include <openssl/pkcs12.h>

/* NOTES:
 *
 * Open keys come as PKCS #8 (RFC 5958), PKCS #1 (RFC 8017) or SEC 1 (RFC 5915). Closed ones come in two forms: PKCS #8
 * has the encryption inside ("ENCRYPTED PRIVATE KEY", RFC 5958 section 3), the traditional forms have it in the header of
 * the PEM ("Proc-Type: 4,ENCRYPTED", RFC 1421), whose key derivation is a single MD5; OpenSSL reads both. A key on a
 * token that wants a PIN counts as a closed one too.
 *
 * Opening does not change the locked key, so a wrong password can be followed by another one.
 */

struct _GTlsSessionLockedKey
{
  char *uri;       /* of a key on a token; then there is nothing else */
  X509_SIG *pkcs8; /* or this */
  char *header;    /* or the header of the PEM, with the data */
  GByteArray *ciphertext;
};

static GTlsSessionLockedKey *
locked_key_new (void)
{
  return g_new0 (GTlsSessionLockedKey, 1);
}

void
g_tls_session_locked_key_free (GTlsSessionLockedKey *self)
{
  g_free (self->uri);
  X509_SIG_free (self->pkcs8);
  g_free (self->header);
  g_clear_pointer (&self->ciphertext, g_byte_array_unref);
  g_free (self);
}

GTlsSessionLockedKey *
g_tls_session_locked_key_new_for_token (const char *uri)
{
  GTlsSessionLockedKey *self = locked_key_new ();

  self->uri = g_strdup (uri);
  return self;
}

void
g_tls_session_private_key_clear (GTlsSessionPrivateKey *key)
{
  g_clear_pointer (&key->open, EVP_PKEY_free);
  g_clear_pointer (&key->locked, g_tls_session_locked_key_free);
}

gboolean
g_tls_session_private_key_is_there (const GTlsSessionPrivateKey *key)
{
  return key->open != NULL || key->locked != NULL;
}

/* Reading */

static void
set_corrupt_error (GError **error)
{
  g_autofree char *reason = g_tls_session_openssl_take_errors ();

  g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
               "The private key is corrupt or of a kind that is not known (%s)", reason);
}

static EVP_PKEY *
decode_key (const unsigned char *data, long length)
{
  const unsigned char *end = data;
  g_autoptr (EVP_PKEY) key = NULL;

  g_tls_session_openssl_clear_errors ();
  key = d2i_AutoPrivateKey (NULL, &end, length);
  if (key == NULL || end != data + length)
    return NULL;

  g_tls_session_openssl_clear_errors ();
  return g_steal_pointer (&key);
}

static GTlsSessionLockedKey *
decode_encrypted_pkcs8 (const unsigned char *data, long length)
{
  const unsigned char *end = data;
  g_autoptr (GTlsSessionLockedKey) self = locked_key_new ();

  g_tls_session_openssl_clear_errors ();
  self->pkcs8 = d2i_X509_SIG (NULL, &end, length);
  if (self->pkcs8 == NULL || end != data + length)
    return NULL;

  g_tls_session_openssl_clear_errors ();
  return g_steal_pointer (&self);
}

/* The header is looked at now, so that one which is corrupt is not taken for a wrong password later. */
static GTlsSessionLockedKey *
keep_encrypted_block (const GTlsSessionPemBlock *block)
{
  g_autofree char *header = g_strdup (block->header);
  EVP_CIPHER_INFO cipher;
  GTlsSessionLockedKey *self;

  g_tls_session_openssl_clear_errors ();
  if (PEM_get_EVP_CIPHER_INFO (header, &cipher) != 1)
    return NULL;

  self = locked_key_new ();
  self->header = g_strdup (block->header);
  self->ciphertext = g_byte_array_sized_new ((guint) block->length);
  g_byte_array_append (self->ciphertext, block->data, (guint) block->length);
  return self;
}

static gboolean
take_key (GTlsSessionPrivateKey *key, EVP_PKEY *open, GTlsSessionLockedKey *locked, GError **error)
{
  key->open = open;
  key->locked = locked;
  if (g_tls_session_private_key_is_there (key))
    return TRUE;

  set_corrupt_error (error);
  return FALSE;
}

static gboolean
read_key_block (const GTlsSessionPemBlock *block, GTlsSessionPrivateKey *key, GError **error)
{
  if (!g_tls_session_pem_block_is_encrypted (block))
    return take_key (key, decode_key (block->data, block->length), NULL, error);
  if (*block->header != '\0')
    return take_key (key, NULL, keep_encrypted_block (block), error);
  return take_key (key, NULL, decode_encrypted_pkcs8 (block->data, block->length), error);
}

/* The first private key of @data, into @key, which is empty. If there is none, that is no error here. */
gboolean
g_tls_session_read_pem_key (const char *data, gsize length, GTlsSessionPrivateKey *key, GError **error)
{
  g_autoptr (BIO) bio = g_tls_session_pem_open (data, length, error);
  g_auto (GTlsSessionPemBlock) block = { 0 };
  GTlsSessionPemStep step;

  if (bio == NULL)
    return FALSE;

  while ((step = g_tls_session_pem_next (bio, &block)) == PEM_FOUND)
    if (g_tls_session_pem_block_is_key (&block))
      return read_key_block (&block, key, error);

  if (step == PEM_BROKEN)
    {
      g_autofree char *reason = g_tls_session_openssl_take_errors ();

      g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, "The PEM data is corrupt or breaks off (%s)",
                   reason);
      return FALSE;
    }
  return TRUE;
}

/* @data must be the key and nothing else; into @key, which is empty. */
gboolean
g_tls_session_read_der_key (const void *data, gsize length, GTlsSessionPrivateKey *key, GError **error)
{
  long size = (long) MIN (length, LONG_MAX);
  EVP_PKEY *open = decode_key (data, size);

  return take_key (key, open, open == NULL ? decode_encrypted_pkcs8 (data, size) : NULL, error);
}

/* Opening */

static EVP_PKEY *
open_pkcs8 (const X509_SIG *pkcs8, GTlsSessionPassword password)
{
  g_autoptr (PKCS8_PRIV_KEY_INFO) info = PKCS8_decrypt (pkcs8, (const char *) password.data, (int) password.length);

  return info != NULL ? EVP_PKCS82PKEY (info) : NULL;
}

static EVP_PKEY *
decrypt_in_place (EVP_CIPHER_INFO *cipher, guint8 *data, gsize size, GTlsSessionPassword password)
{
  long length = (long) size;

  if (PEM_do_header (cipher, data, &length, g_tls_session_password_tell_pem, &password) != 1)
    return NULL;
  return decode_key (data, length);
}

static EVP_PKEY *
open_traditional (const GTlsSessionLockedKey *self, GTlsSessionPassword password)
{
  g_autofree char *header = g_strdup (self->header);
  gsize size = self->ciphertext->len;
  g_autofree guint8 *data = g_memdup2 (self->ciphertext->data, size);
  EVP_CIPHER_INFO cipher;
  EVP_PKEY *key;

  if (PEM_get_EVP_CIPHER_INFO (header, &cipher) != 1)
    return NULL;

  key = decrypt_in_place (&cipher, data, size, password);
  OPENSSL_cleanse (data, size);
  return key;
}

/* The key, to be freed; NULL if @password is wrong. Asks nobody. */
EVP_PKEY *
g_tls_session_locked_key_open (const GTlsSessionLockedKey *self, GTlsSessionPassword password, GError **error)
{
  EVP_PKEY *key = NULL;

  g_tls_session_openssl_clear_errors ();
  if (self->uri != NULL)
    return g_tls_session_token_open_key (self->uri, password, error);

  if (password.data != NULL && password.length <= INT_MAX)
    key = self->pkcs8 != NULL ? open_pkcs8 (self->pkcs8, password) : open_traditional (self, password);

  if (key == NULL)
    g_tls_session_password_set_error (error, "The private key", password);
  g_tls_session_openssl_clear_errors ();
  return key;
}
