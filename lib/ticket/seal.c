/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "seal.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "../engine/openssl-error.h"
#include "gtls-session-error.h"
#include "secret-block.h"

/* NOTES:
 *
 * From a store's key of 32 bytes two others are derived (HMAC-SHA-256 of a label): one for the names, one for the
 * contents. A name becomes HMAC-SHA-256 of itself, so that what is written down is no list of the servers somebody has
 * visited, and cannot be checked against a list of guesses either. A content becomes
 *
 *   format (1 byte: 1)  nonce (12 bytes, random)  ciphertext  tag (16 bytes)
 *
 * by AES-256-GCM. The place where it lies is authenticated with it, so that one content cannot be put in the place of
 * another. A random nonce is good for 2^32 contents under one key (NIST SP 800-38D, section 8.3); a store of sessions
 * that live for ten minutes stays far below.
 *
 * What is derived does not change after it was made: any thread may use it.
 */

#define FORMAT 1
#define NONCE_SIZE 12
#define TAG_SIZE 16
#define OVERHEAD (1 + NONCE_SIZE + TAG_SIZE)
#define NAME_LABEL "gtls-session store names v1"
#define CONTENT_LABEL "gtls-session store contents v1"

struct _GTlsSessionSeal
{
  guint8 name_key[G_TLS_SESSION_SEAL_KEY_SIZE];
  guint8 content_key[G_TLS_SESSION_SEAL_KEY_SIZE];
};

static void
set_openssl_error (GError **error, const char *what)
{
  g_autofree char *reason = g_tls_session_openssl_take_errors ();

  g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE, "%s: %s", what, reason);
}

static gboolean
hmac (const guint8 *key, const void *data, gsize size, guint8 *out)
{
  size_t length = 0;

  g_tls_session_openssl_clear_errors ();
  return EVP_Q_mac (NULL, "HMAC", NULL, "SHA256", NULL, key, G_TLS_SESSION_SEAL_KEY_SIZE, data, size, out,
                    G_TLS_SESSION_SEAL_KEY_SIZE, &length) != NULL &&
         length == G_TLS_SESSION_SEAL_KEY_SIZE;
}

/* A new random key for a store. */
GBytes *
g_tls_session_seal_make_key (GError **error)
{
  GTlsSessionSecretBlock *block = g_tls_session_secret_block_new (G_TLS_SESSION_SEAL_KEY_SIZE);

  g_tls_session_openssl_clear_errors ();
  if (RAND_priv_bytes (block->data, G_TLS_SESSION_SEAL_KEY_SIZE) == 1)
    return g_tls_session_secret_block_to_bytes (block);

  set_openssl_error (error, "No key could be made for the session store");
  g_tls_session_secret_block_free (block);
  return NULL;
}

/* @key has G_TLS_SESSION_SEAL_KEY_SIZE bytes. */
GTlsSessionSeal *
g_tls_session_seal_new (GBytes *key, GError **error)
{
  g_autoptr (GTlsSessionSeal) self = NULL;
  gsize size;
  const guint8 *bytes = g_bytes_get_data (key, &size);

  if (size != G_TLS_SESSION_SEAL_KEY_SIZE)
    {
      g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA,
                   "The key of a session store has %d bytes, not %" G_GSIZE_FORMAT, G_TLS_SESSION_SEAL_KEY_SIZE, size);
      return NULL;
    }

  self = g_new0 (GTlsSessionSeal, 1);
  if (hmac (bytes, NAME_LABEL, strlen (NAME_LABEL), self->name_key) &&
      hmac (bytes, CONTENT_LABEL, strlen (CONTENT_LABEL), self->content_key))
    return g_steal_pointer (&self);

  set_openssl_error (error, "The session store's key cannot be used");
  return NULL;
}

void
g_tls_session_seal_free (GTlsSessionSeal *self)
{
  OPENSSL_cleanse (self, sizeof *self);
  g_free (self);
}

/* What stands for @name where others can read it: 64 hexadecimal digits. */
char *
g_tls_session_seal_hash_name (GTlsSessionSeal *self, const char *name, GError **error)
{
  guint8 digest[G_TLS_SESSION_SEAL_KEY_SIZE];
  GString *text;

  if (!hmac (self->name_key, name, strlen (name), digest))
    {
      set_openssl_error (error, "A name in the session store could not be hashed");
      return NULL;
    }

  text = g_string_sized_new (2 * sizeof digest);
  for (gsize i = 0; i < sizeof digest; i++)
    g_string_append_printf (text, "%02x", digest[i]);
  return g_string_free (text, FALSE);
}

GBytes *
g_tls_session_seal_join (const char *text, GBytes *bytes)
{
  gsize text_size = strlen (text) + 1;
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  GTlsSessionSecretBlock *block = g_tls_session_secret_block_new (text_size + size);

  memcpy (block->data, text, text_size);
  if (size > 0)
    memcpy (block->data + text_size, data, size);
  return g_tls_session_secret_block_to_bytes (block);
}

typedef EVP_CIPHER_CTX CipherContext;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CipherContext, EVP_CIPHER_CTX_free)

static gboolean
encrypt (GTlsSessionSeal *self, guint8 *out, const guint8 *content, int size, const char *place)
{
  g_autoptr (CipherContext) context = EVP_CIPHER_CTX_new ();
  guint8 *nonce = out + 1;
  guint8 *text = nonce + NONCE_SIZE;
  int length;

  out[0] = FORMAT;
  return context != NULL && RAND_bytes (nonce, NONCE_SIZE) == 1 &&
         EVP_EncryptInit_ex2 (context, EVP_aes_256_gcm (), self->content_key, nonce, NULL) == 1 &&
         EVP_EncryptUpdate (context, NULL, &length, (const guint8 *) place, (int) strlen (place)) == 1 &&
         EVP_EncryptUpdate (context, text, &length, content, size) == 1 &&
         EVP_EncryptFinal_ex (context, text + length, &length) == 1 &&
         EVP_CIPHER_CTX_ctrl (context, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, text + size) == 1;
}

/* @place is authenticated with @content, and has to be the same when it is opened. */
GBytes *
g_tls_session_seal_close (GTlsSessionSeal *self, GBytes *content, const char *place, GError **error)
{
  gsize size;
  const guint8 *bytes = g_bytes_get_data (content, &size);
  g_autofree guint8 *sealed = NULL;

  g_return_val_if_fail (size <= G_MAXINT - OVERHEAD, NULL);

  sealed = g_malloc (size + OVERHEAD);
  g_tls_session_openssl_clear_errors ();
  if (encrypt (self, sealed, bytes, (int) size, place))
    return g_bytes_new_take (g_steal_pointer (&sealed), size + OVERHEAD);

  set_openssl_error (error, "The content could not be sealed for the session store");
  return NULL;
}

static gboolean
decrypt (GTlsSessionSeal *self, guint8 *out, const guint8 *sealed, int size, const char *place)
{
  g_autoptr (CipherContext) context = EVP_CIPHER_CTX_new ();
  guint8 tag[TAG_SIZE];
  const guint8 *nonce = sealed + 1;
  const guint8 *text = nonce + NONCE_SIZE;
  int length;

  memcpy (tag, text + size, TAG_SIZE);
  return context != NULL && EVP_DecryptInit_ex2 (context, EVP_aes_256_gcm (), self->content_key, nonce, NULL) == 1 &&
         EVP_DecryptUpdate (context, NULL, &length, (const guint8 *) place, (int) strlen (place)) == 1 &&
         EVP_DecryptUpdate (context, out, &length, text, size) == 1 &&
         EVP_CIPHER_CTX_ctrl (context, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag) == 1 &&
         EVP_DecryptFinal_ex (context, out + length, &length) == 1;
}

/* The bytes are wiped when their last reference goes. BAD_DATA: they were not sealed with this key for this place. */
GBytes *
g_tls_session_seal_open (GTlsSessionSeal *self, GBytes *sealed, const char *place, GError **error)
{
  gsize size;
  const guint8 *bytes = g_bytes_get_data (sealed, &size);
  GTlsSessionSecretBlock *block;

  if (size < OVERHEAD || size > G_MAXINT || bytes[0] != FORMAT)
    {
      g_set_error_literal (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA,
                           "A content of the session store is damaged, or of a newer format");
      return NULL;
    }

  block = g_tls_session_secret_block_new (size - OVERHEAD);
  g_tls_session_openssl_clear_errors ();
  if (decrypt (self, block->data, bytes, (int) block->size, place))
    return g_tls_session_secret_block_to_bytes (block);

  g_tls_session_openssl_clear_errors ();
  g_tls_session_secret_block_free (block);
  g_set_error_literal (
    error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA,
    "A content of the session store is damaged, or was sealed with another key or for another place");
  return NULL;
}
