/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flight-record.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/core_names.h>
#include <openssl/ssl3.h>

#define HEAD_SIZE 5
#define TAG_SIZE 16

FlightRecord *
flight_record_new (guint8 type, const guint8 *content, gsize size)
{
  FlightRecord *self = g_new0 (FlightRecord, 1);

  self->type = type;
  self->content = g_byte_array_new ();
  g_byte_array_append (self->content, content, (guint) size);
  return self;
}

void
flight_record_free (gpointer record)
{
  FlightRecord *self = record;

  g_byte_array_unref (self->content);
  g_free (self);
}

/* HKDF-Expand-Label of RFC 8446, section 7.1, with an empty context. */
static void
expand (const guint8 *secret, gsize secret_size, const char *label, guint8 *out, gsize size)
{
  g_autofree char *name = g_strconcat ("tls13 ", label, NULL);
  g_autoptr (GByteArray) info = g_byte_array_new ();
  const guint8 head[] = { 0, (guint8) size, (guint8) strlen (name) };
  int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
  EVP_KDF *kdf = EVP_KDF_fetch (NULL, "HKDF", NULL);
  EVP_KDF_CTX *context = EVP_KDF_CTX_new (kdf);

  g_byte_array_append (info, head, sizeof head);
  g_byte_array_append (info, (const guint8 *) name, (guint) strlen (name));
  g_byte_array_append (info, (const guint8 *) "", 1); /* the context's length */

  {
    const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_int (OSSL_KDF_PARAM_MODE, &mode),
      OSSL_PARAM_construct_utf8_string (OSSL_KDF_PARAM_DIGEST, (char *) "SHA256", 0),
      OSSL_PARAM_construct_octet_string (OSSL_KDF_PARAM_KEY, (void *) secret, secret_size),
      OSSL_PARAM_construct_octet_string (OSSL_KDF_PARAM_INFO, info->data, info->len),
      OSSL_PARAM_construct_end (),
    };

    g_assert (EVP_KDF_derive (context, out, size, params) == 1);
  }
  EVP_KDF_CTX_free (context);
  EVP_KDF_free (kdf);
}

void
flight_keys_derive (FlightKeys *keys, const guint8 *secret, gsize size)
{
  expand (secret, size, "key", keys->key, sizeof keys->key);
  expand (secret, size, "iv", keys->iv, sizeof keys->iv);
  keys->n_opened = 0;
  keys->n_closed = 0;
}

void
flight_secret_update (guint8 *secret, gsize size)
{
  g_autofree guint8 *next = g_malloc (size);

  expand (secret, size, "traffic upd", next, size);
  memcpy (secret, next, size);
}

static void
make_nonce (const FlightKeys *keys, guint64 number, guint8 *nonce)
{
  memcpy (nonce, keys->iv, sizeof keys->iv);
  for (gsize i = 0; i < 8; i++)
    nonce[sizeof keys->iv - 1 - i] ^= (guint8) (number >> (8 * i));
}

static EVP_CIPHER_CTX *
begin (const FlightKeys *keys, guint64 number, const guint8 *head, int closing)
{
  EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new ();
  guint8 nonce[sizeof keys->iv];
  int n;

  make_nonce (keys, number, nonce);
  g_assert (EVP_CipherInit_ex2 (cipher, EVP_aes_128_gcm (), keys->key, nonce, closing, NULL) == 1);
  g_assert (EVP_CipherUpdate (cipher, NULL, &n, head, HEAD_SIZE) == 1);
  return cipher;
}

FlightRecord *
flight_keys_open (FlightKeys *keys, const guint8 *record, gsize size)
{
  gsize length = size - HEAD_SIZE - TAG_SIZE;
  g_autofree guint8 *plain = NULL;
  EVP_CIPHER_CTX *cipher;
  gboolean opened;
  int n = 0, last = 0;

  if (size < HEAD_SIZE + TAG_SIZE + 1)
    return NULL;

  plain = g_malloc (length + TAG_SIZE);
  cipher = begin (keys, keys->n_opened++, record, 0);
  opened = EVP_CipherUpdate (cipher, plain, &n, record + HEAD_SIZE, (int) length) == 1 &&
           EVP_CIPHER_CTX_ctrl (cipher, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, (void *) (record + HEAD_SIZE + length)) == 1 &&
           EVP_CipherFinal_ex (cipher, plain + n, &last) == 1;
  EVP_CIPHER_CTX_free (cipher);

  /* The type is the last byte that is not padding. */
  while (length > 0 && plain[length - 1] == 0)
    length--;
  return opened && length > 0 ? flight_record_new (plain[length - 1], plain, length - 1) : NULL;
}

void
flight_keys_close (FlightKeys *keys, const FlightRecord *record, GByteArray *out)
{
  gsize length = record->content->len + 1;
  g_autofree guint8 *closed = g_malloc (HEAD_SIZE + length + TAG_SIZE);
  g_autofree guint8 *plain = g_malloc (length);
  EVP_CIPHER_CTX *cipher;
  int n = 0, last = 0;

  if (record->content->len > 0)
    memcpy (plain, record->content->data, record->content->len);
  plain[length - 1] = record->type;

  closed[0] = SSL3_RT_APPLICATION_DATA;
  closed[1] = 3;
  closed[2] = 3;
  closed[3] = (guint8) ((length + TAG_SIZE) >> 8);
  closed[4] = (guint8) (length + TAG_SIZE);

  cipher = begin (keys, keys->n_closed++, closed, 1);
  g_assert (EVP_CipherUpdate (cipher, closed + HEAD_SIZE, &n, plain, (int) length) == 1);
  g_assert (EVP_CipherFinal_ex (cipher, closed + HEAD_SIZE + n, &last) == 1);
  g_assert (EVP_CIPHER_CTX_ctrl (cipher, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, closed + HEAD_SIZE + length) == 1);
  EVP_CIPHER_CTX_free (cipher);
  g_byte_array_append (out, closed, (guint) (HEAD_SIZE + length + TAG_SIZE));
}
