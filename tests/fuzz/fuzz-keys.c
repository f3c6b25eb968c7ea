/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* NOTES:
 *
 * Reads ticket keys, as a server does from what its fleet shares, from bytes that libFuzzer makes up. The first byte of an
 * input says how the others are put before the library:
 *
 *   0  as they are
 *   1  as whole keys, of which magic, version, count, checksum and length are set right
 *   2  the same, and then merged into a ring of a server's own, which is what a store's bytes come to
 *
 * Whatever is accepted is written and read again to the same, rotates, and merges; what comes out of that can be read by
 * the next server.
 */

#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "fuzz.h"
#include "ticket/gtls-session-error.h"
#include "ticket/ticket-keys-private.h"
#include "ticket/ticket-private.h"

#define HEAD_SIZE 16
#define COUNT_OFFSET 12
#define KEY_SIZE 88
#define KEYS_MAX 64
#define DIGEST_SIZE 32

const guint fuzz_n_changes = 500;

static GBytes *
wrap (const guint8 *data, gsize size)
{
  guint count = (guint) CLAMP ((size + KEY_SIZE - 5) / KEY_SIZE, 1, KEYS_MAX);
  gsize length = HEAD_SIZE + (gsize) count * KEY_SIZE;
  g_autofree guint8 *bytes = g_malloc0 (length + DIGEST_SIZE);
  guint32 count_on_wire = GUINT32_TO_BE (count);

  memcpy (bytes, "GTLSKEY\x01", 8);
  memcpy (bytes + 8, data, MIN (size, 4));
  memcpy (bytes + COUNT_OFFSET, &count_on_wire, sizeof count_on_wire);
  if (size > 4)
    memcpy (bytes + HEAD_SIZE, data + 4, MIN (size - 4, length - HEAD_SIZE));
  g_assert (EVP_Digest (bytes, length, bytes + length, NULL, EVP_sha256 (), NULL) == 1);
  return g_bytes_new (bytes, length + DIGEST_SIZE);
}

static GTlsSessionTicketKeys *
read_keys (GBytes *bytes)
{
  g_autoptr (GError) error = NULL;
  GTlsSessionTicketKeys *keys = g_tls_session_ticket_keys_new_from_bytes (bytes, &error);

  g_assert (ERR_peek_error () == 0);
  g_assert ((keys == NULL) == (error != NULL));
  if (keys == NULL)
    {
      g_assert (g_error_matches (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA));
      g_assert (g_utf8_validate (error->message, -1, NULL));
    }
  return keys;
}

/* The next server that reads them gets the same. */
static void
assert_goes_on (GTlsSessionTicketKeys *keys)
{
  g_autoptr (GBytes) bytes = g_tls_session_ticket_keys_to_bytes (keys);
  g_autoptr (GTlsSessionTicketKeys) again = read_keys (bytes);
  g_autoptr (GBytes) bytes_again = NULL;

  g_assert (again != NULL);
  bytes_again = g_tls_session_ticket_keys_to_bytes (again);
  g_assert (g_bytes_equal (bytes, bytes_again));
}

static void
rotate (GTlsSessionTicketKeys *keys)
{
  g_autoptr (GError) error = NULL;
  gboolean rotated = g_tls_session_ticket_keys_rotate (keys, &error);

  g_assert (rotated && error == NULL);
  assert_goes_on (keys);
}

static void
merge (GBytes *bytes)
{
  g_autoptr (GTlsSessionTicketKeys) own = g_tls_session_ticket_keys_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) merged = NULL;
  g_autoptr (GBytes) merged_again = NULL;

  g_assert (own != NULL);
  rotate (own);
  merged = g_tls_session_ticket_keys_merge (own, bytes, g_get_real_time () / G_USEC_PER_SEC, &error);
  g_assert ((merged == NULL) == (error != NULL));
  if (merged == NULL)
    return;

  assert_goes_on (own);
  merged_again = g_tls_session_ticket_keys_merge (own, merged, g_get_real_time () / G_USEC_PER_SEC, &error);
  g_assert (merged_again != NULL);
  rotate (own);
}

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  return 0;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GTlsSessionTicketKeys) keys = NULL;

  if (size == 0)
    return 0;

  bytes = data[0] % 3 == 0 ? g_bytes_new (data + 1, size - 1) : wrap (data + 1, size - 1);
  if (data[0] % 3 == 2)
    {
      merge (bytes);
      return 0;
    }

  keys = read_keys (bytes);
  if (keys != NULL)
    {
      assert_goes_on (keys);
      g_assert (g_tls_session_ticket_keys_get_lifetime (keys) >= 1);
      g_assert (g_tls_session_ticket_keys_get_lifetime (keys) <= G_TLS_SESSION_TICKET_MAX_LIFETIME);
      rotate (keys);
    }
  return 0;
}

/* Seeds */

static void
add_way (FuzzAddSeed add, gpointer data, const char *name, guint8 way, const guint8 *bytes, gsize size)
{
  g_autoptr (GByteArray) seed = g_byte_array_new ();

  g_byte_array_append (seed, &way, 1);
  g_byte_array_append (seed, bytes, (guint) size);
  add (data, name, seed->data, seed->len);
}

static void
add_ring (FuzzAddSeed add, gpointer data, guint n_keys)
{
  g_autoptr (GTlsSessionTicketKeys) keys = g_tls_session_ticket_keys_new (NULL);
  g_autoptr (GBytes) bytes = NULL;
  const guint8 *content;

  for (guint i = 1; i < n_keys; i++)
    g_assert (g_tls_session_ticket_keys_rotate (keys, NULL));
  bytes = g_tls_session_ticket_keys_to_bytes (keys);
  content = g_bytes_get_data (bytes, NULL);

  for (guint8 way = 0; way < 3; way++)
    {
      g_autofree char *name = g_strdup_printf ("%u-keys-%u", n_keys, way);
      g_autoptr (GByteArray) inner = g_byte_array_new ();

      g_byte_array_append (inner, content + 8, 4);
      g_byte_array_append (inner, content + HEAD_SIZE, (guint) g_bytes_get_size (bytes) - HEAD_SIZE - DIGEST_SIZE);
      if (way == 0)
        add_way (add, data, name, way, content, g_bytes_get_size (bytes));
      else
        add_way (add, data, name, way, inner->data, inner->len);
    }
}

void
fuzz_make_seeds (FuzzAddSeed add, gpointer data)
{
  add_ring (add, data, 1);
  add_ring (add, data, 3);
  add_ring (add, data, KEYS_MAX);
}
