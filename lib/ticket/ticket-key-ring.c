/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ticket-key-ring.h"

#include <string.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "../engine/openssl-error.h"
#include "gtls-session-error.h"
#include "secret-block.h"
#include "ticket-private.h"

/* NOTES:
 *
 * Keys that seal tickets: making, retiring, finding, and the bytes by which servers share them, which are documented in
 * doc/ticket-keys-format.md.
 */

#define MAGIC "GTLSKEY"
#define MAGIC_SIZE 7
#define FORMAT_VERSION 1
#define HEAD_SIZE 16
#define KEY_SIZE (G_TLS_SESSION_KEY_NAME_SIZE + 2 * G_TLS_SESSION_KEY_SIZE + 8)
#define DIGEST_SIZE 32
#define KEYS_MAX 64

static void
key_free (gpointer key)
{
  OPENSSL_cleanse (key, sizeof (GTlsSessionTicketKey));
  g_free (key);
}

GPtrArray *
g_tls_session_key_ring_new (void)
{
  return g_ptr_array_new_with_free_func (key_free);
}

/* Adds a copy of @key to the end. */
void
g_tls_session_key_ring_add (GPtrArray *ring, const GTlsSessionTicketKey *key)
{
  GTlsSessionTicketKey *copy = g_new0 (GTlsSessionTicketKey, 1);

  *copy = *key;
  g_ptr_array_add (ring, copy);
}

/* Rotating */

static gboolean
key_fill (GTlsSessionTicketKey *key)
{
  g_tls_session_openssl_clear_errors ();
  return RAND_bytes (key->name, sizeof key->name) == 1 &&
         RAND_priv_bytes (key->cipher_key, sizeof key->cipher_key) == 1 &&
         RAND_priv_bytes (key->mac_key, sizeof key->mac_key) == 1;
}

/* A new key seals from now on. */
gboolean
g_tls_session_key_ring_rotate (GPtrArray *ring, GError **error)
{
  GTlsSessionTicketKey *key = g_new0 (GTlsSessionTicketKey, 1);

  if (!key_fill (key))
    {
      g_autofree char *reason = g_tls_session_openssl_take_errors ();

      key_free (key);
      g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_MISC, "OpenSSL cannot make a ticket key: %s", reason);
      return FALSE;
    }

  if (ring->len > 0)
    ((GTlsSessionTicketKey *) g_ptr_array_index (ring, 0))->retired = time (NULL);
  g_ptr_array_insert (ring, 0, key);
  g_ptr_array_set_size (ring, (int) MIN (ring->len, KEYS_MAX));
  return TRUE;
}

/* Forgets keys whose last ticket is no longer good, and the oldest of those that are too many. */
void
g_tls_session_key_ring_prune (GPtrArray *ring, gint64 lifetime)
{
  gint64 now = time (NULL);

  g_ptr_array_set_size (ring, (int) MIN (ring->len, KEYS_MAX));
  for (guint i = ring->len; i > 1; i--)
    {
      const GTlsSessionTicketKey *key = g_ptr_array_index (ring, i - 1);

      if (now - key->retired > lifetime)
        g_ptr_array_remove_index (ring, i - 1);
    }
}

GTlsSessionTicketKey *
g_tls_session_key_ring_find (GPtrArray *ring, const guint8 *name)
{
  for (guint i = 0; i < ring->len; i++)
    {
      GTlsSessionTicketKey *key = g_ptr_array_index (ring, i);

      if (CRYPTO_memcmp (key->name, name, sizeof key->name) == 0)
        return key;
    }
  return NULL;
}

/* Bytes */

static guint8 *
put (guint8 *at, gconstpointer bytes, gsize size)
{
  memcpy (at, bytes, size);
  return at + size;
}

static guint8 *
put_u32 (guint8 *at, guint32 number)
{
  guint32 big = GUINT32_TO_BE (number);

  return put (at, &big, sizeof big);
}

static guint8 *
put_key (guint8 *at, const GTlsSessionTicketKey *key)
{
  guint64 retired = GUINT64_TO_BE ((guint64) key->retired);

  at = put (at, key->name, sizeof key->name);
  at = put (at, key->cipher_key, sizeof key->cipher_key);
  at = put (at, key->mac_key, sizeof key->mac_key);
  return put (at, &retired, sizeof retired);
}

static void
digest_of (const guint8 *bytes, gsize size, guint8 *digest)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize length = DIGEST_SIZE;

  g_checksum_update (checksum, bytes, (gssize) size);
  g_checksum_get_digest (checksum, digest, &length);
}

/* The bytes are wiped when their last reference goes. */
GBytes *
g_tls_session_key_ring_to_bytes (GPtrArray *ring, guint lifetime)
{
  gsize size = HEAD_SIZE + (gsize) ring->len * KEY_SIZE + DIGEST_SIZE;
  GTlsSessionSecretBlock *block = g_tls_session_secret_block_new (size);
  guint8 version = FORMAT_VERSION;
  guint8 *at;

  at = put (block->data, MAGIC, MAGIC_SIZE);
  at = put (at, &version, 1);
  at = put_u32 (at, lifetime);
  at = put_u32 (at, ring->len);
  for (guint i = 0; i < ring->len; i++)
    at = put_key (at, g_ptr_array_index (ring, i));
  digest_of (block->data, size - DIGEST_SIZE, at);
  return g_tls_session_secret_block_to_bytes (block);
}

static guint32
get_u32 (const guint8 *at)
{
  guint32 big;

  memcpy (&big, at, sizeof big);
  return GUINT32_FROM_BE (big);
}

static GTlsSessionTicketKey *
get_key (const guint8 *at)
{
  GTlsSessionTicketKey *key = g_new0 (GTlsSessionTicketKey, 1);
  guint64 retired;

  memcpy (key->name, at, sizeof key->name);
  at += sizeof key->name;
  memcpy (key->cipher_key, at, sizeof key->cipher_key);
  at += sizeof key->cipher_key;
  memcpy (key->mac_key, at, sizeof key->mac_key);
  at += sizeof key->mac_key;
  memcpy (&retired, at, sizeof retired);
  key->retired = (gint64) GUINT64_FROM_BE (retired);
  key->is_used = TRUE;
  return key;
}

/* What is wrong with the bytes; NULL if nothing is that shows before the keys are read. */
static const char *
find_flaw (const guint8 *data, gsize size)
{
  guint8 digest[DIGEST_SIZE];

  if (size < HEAD_SIZE + KEY_SIZE + DIGEST_SIZE || memcmp (data, MAGIC, MAGIC_SIZE) != 0)
    return "they do not begin like ticket keys";
  if (data[MAGIC_SIZE] > FORMAT_VERSION)
    return "they are of a newer format";
  if (data[MAGIC_SIZE] != FORMAT_VERSION)
    return "there is no such format";
  if (get_u32 (data + 12) > KEYS_MAX || size != HEAD_SIZE + (gsize) get_u32 (data + 12) * KEY_SIZE + DIGEST_SIZE)
    return "they have another length than they say";

  digest_of (data, size - DIGEST_SIZE, digest);
  if (memcmp (digest, data + size - DIGEST_SIZE, DIGEST_SIZE) != 0)
    return "they are damaged: the checksum does not match";
  if (get_u32 (data + 8) < 1 || get_u32 (data + 8) > G_TLS_SESSION_TICKET_MAX_LIFETIME)
    return "their tickets' lifetime is not between a second and a week";
  return NULL;
}

/* The first key seals, and only the first. */
static gboolean
is_sound (GPtrArray *ring)
{
  for (guint i = 0; i < ring->len; i++)
    {
      const GTlsSessionTicketKey *key = g_ptr_array_index (ring, i);

      if ((i == 0) != (key->retired == 0) || key->retired < 0)
        return FALSE;
    }
  return ring->len > 0;
}

static GPtrArray *
fail_bad_data (const char *flaw, GError **error)
{
  g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA, "The bytes are no ticket keys: %s", flaw);
  return NULL;
}

GPtrArray *
g_tls_session_key_ring_from_bytes (GBytes *bytes, guint *lifetime, GError **error)
{
  g_autoptr (GPtrArray) ring = g_tls_session_key_ring_new ();
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  const char *flaw = find_flaw (data, size);

  if (flaw != NULL)
    return fail_bad_data (flaw, error);

  for (const guint8 *at = data + HEAD_SIZE; at < data + size - DIGEST_SIZE; at += KEY_SIZE)
    g_ptr_array_add (ring, get_key (at));
  if (!is_sound (ring))
    return fail_bad_data ("they do not say which key seals", error);

  *lifetime = get_u32 (data + 8);
  return g_steal_pointer (&ring);
}
