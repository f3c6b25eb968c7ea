/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ticket-codec.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "../engine/openssl-error.h"
#include "gtls-session-error.h"
#include "secret-block.h"

/* NOTES:
 *
 * A ticket as bytes, and back.
 *
 * The format is written down byte by byte in doc/ticket-format.md; whoever changes one changes the other. In short: a
 * fixed head (magic, version, length of the whole, flags, time of receipt), then fields that each say their length,
 * then a SHA-256 of all before it. The digest finds accidents, not attackers: it has no key.
 *
 * Why the chain has a field of its own: i2d_SSL_SESSION() keeps the peer's leaf certificate but drops the rest of the
 * chain, and a resumed connection is judged by its whole chain.
 *
 * Why writing measures first: the bytes hold the session's secret. They are written once, in place, into a block of the
 * right size, so that no growing buffer leaves copies of the secret behind; the GBytes wipes that block when it is
 * freed. Reading has one leak that is not ours to mend: d2i_SSL_SESSION() of OpenSSL 3.0 decodes into a structure that
 * it frees without wiping. tests/ticket/test-memory.c watches both.
 *
 * Reading trusts nothing: lengths are held against what is left before anything is touched, and nothing is allocated by
 * a length that was read. Whether the session that came out can serve at all is asked in ticket.c, in the same way as
 * for a session that comes from a connection.
 */

#define MAGIC "GTLSTKT"
#define MAGIC_SIZE 7
#define FORMAT_VERSION 1

#define LENGTH_OFFSET 8 /* after magic and version */
#define FLAGS_OFFSET 12
#define RECEIVED_OFFSET 16
#define HEAD_SIZE 24
#define DIGEST_SIZE 32
#define SMALLEST (HEAD_SIZE + 3 * 4 + DIGEST_SIZE)
#define LARGEST 1048576 /* 1 MiB */

#define FLAG_ACCEPTED_BY_HAND (1u << 0)
#define KNOWN_FLAGS FLAG_ACCEPTED_BY_HAND

#define MAX_CHAIN_LENGTH 100
#define MAX_NAME_LENGTH 255 /* RFC 7301 section 3.1 for ALPN; more than DNS allows a host name */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509, X509_free)

void
g_tls_session_ticket_parts_clear (GTlsSessionTicketParts *parts)
{
  g_clear_pointer (&parts->session, SSL_SESSION_free);
  sk_X509_pop_free (g_steal_pointer (&parts->chain), X509_free);
  g_clear_pointer (&parts->server_name, g_free);
}

/* Whether a name from outside may become a property of a ticket: UTF-8 without
 * NUL or control characters, of 1 to 255 bytes.
 */
gboolean
g_tls_session_ticket_codec_name_is_sound (const char *name, gsize length)
{
  if (length < 1 || length > MAX_NAME_LENGTH || !g_utf8_validate_len (name, length, NULL))
    return FALSE;

  for (gsize i = 0; i < length; i++)
    if (g_ascii_iscntrl (name[i]))
      return FALSE;

  return TRUE;
}

/* Writing */

static int
chain_length (const GTlsSessionTicketParts *parts)
{
  return parts->chain != NULL ? sk_X509_num (parts->chain) : 0;
}

static gsize
measure_chain (const GTlsSessionTicketParts *parts)
{
  gsize size = 4;

  for (int i = 0; i < chain_length (parts); i++)
    {
      int der_length = i2d_X509 (sk_X509_value (parts->chain, i), NULL);

      if (der_length <= 0)
        return 0;
      size += 4 + (gsize) der_length;
    }

  return size;
}

/* How many bytes encoding takes; 0 if these parts have no encoding, because
 * OpenSSL has none or because it would be too large to be read again.
 */
gsize
g_tls_session_ticket_codec_measure (const GTlsSessionTicketParts *parts)
{
  gsize name_length = parts->server_name != NULL ? strlen (parts->server_name) : 0;
  gsize size, chain_size;
  int session_length;

  g_tls_session_openssl_clear_errors ();
  session_length = i2d_SSL_SESSION (parts->session, NULL);
  chain_size = measure_chain (parts);
  g_tls_session_openssl_clear_errors ();

  if (session_length <= 0 || chain_size == 0 || chain_length (parts) > MAX_CHAIN_LENGTH)
    return 0;

  size = HEAD_SIZE + 4 + (gsize) session_length + 4 + name_length + chain_size + DIGEST_SIZE;
  return size <= LARGEST ? size : 0;
}

static void
write_bytes (guint8 **cursor, const void *bytes, gsize length)
{
  if (length > 0)
    memcpy (*cursor, bytes, length);
  *cursor += length;
}

static void
write_u32 (guint8 **cursor, guint32 value)
{
  value = GUINT32_TO_BE (value);
  write_bytes (cursor, &value, sizeof value);
}

static void
write_i64 (guint8 **cursor, gint64 value)
{
  value = GINT64_TO_BE (value);
  write_bytes (cursor, &value, sizeof value);
}

static void
write_head (guint8 **cursor, const GTlsSessionTicketParts *parts, gsize size)
{
  write_bytes (cursor, MAGIC, MAGIC_SIZE);
  *(*cursor)++ = FORMAT_VERSION;
  write_u32 (cursor, (guint32) size);
  write_u32 (cursor, parts->accepted_by_hand ? FLAG_ACCEPTED_BY_HAND : 0);
  write_i64 (cursor, SSL_SESSION_get_time (parts->session));
}

static gboolean
write_session (guint8 **cursor, SSL_SESSION *session)
{
  int length = i2d_SSL_SESSION (session, NULL);

  if (length <= 0)
    return FALSE;

  write_u32 (cursor, (guint32) length);
  return i2d_SSL_SESSION (session, cursor) == length;
}

static void
write_name (guint8 **cursor, const char *name)
{
  gsize length = name != NULL ? strlen (name) : 0;

  write_u32 (cursor, (guint32) length);
  write_bytes (cursor, name, length);
}

static gboolean
write_chain (guint8 **cursor, const GTlsSessionTicketParts *parts)
{
  write_u32 (cursor, (guint32) chain_length (parts));

  for (int i = 0; i < chain_length (parts); i++)
    {
      X509 *certificate = sk_X509_value (parts->chain, i);
      int length = i2d_X509 (certificate, NULL);

      if (length <= 0)
        return FALSE;

      write_u32 (cursor, (guint32) length);
      if (i2d_X509 (certificate, cursor) != length)
        return FALSE;
    }

  return TRUE;
}

static gboolean
digest (const guint8 *data, gsize length, guint8 result[DIGEST_SIZE])
{
  return EVP_Digest (data, length, result, NULL, EVP_sha256 (), NULL) == 1;
}

static gboolean
fill_block (GTlsSessionSecretBlock *block, const GTlsSessionTicketParts *parts)
{
  guint8 *cursor = block->data;

  write_head (&cursor, parts, block->size);
  if (!write_session (&cursor, parts->session))
    return FALSE;
  write_name (&cursor, parts->server_name);
  if (!write_chain (&cursor, parts))
    return FALSE;

  g_assert (cursor == block->data + block->size - DIGEST_SIZE);
  return digest (block->data, block->size - DIGEST_SIZE, cursor);
}

/* Returns: (nullable): bytes that wipe themselves when freed; %NULL if the parts
 * have no encoding.
 */
GBytes *
g_tls_session_ticket_codec_encode (const GTlsSessionTicketParts *parts)
{
  gsize size = g_tls_session_ticket_codec_measure (parts);
  GTlsSessionSecretBlock *block;
  gboolean filled;

  if (size == 0)
    return NULL;

  block = g_tls_session_secret_block_new (size);
  g_tls_session_openssl_clear_errors ();
  filled = fill_block (block, parts);
  g_tls_session_openssl_clear_errors ();

  if (!filled)
    {
      g_tls_session_secret_block_free (block);
      return NULL;
    }

  return g_tls_session_secret_block_to_bytes (block);
}

/* Reading */

typedef struct
{
  const guint8 *data;
  gsize left;
} Reader;

G_GNUC_PRINTF (2, 3)
static gboolean
fail (GError **error, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_propagate_error (error, g_error_new_valist (G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA, format, args));
  va_end (args);

  return FALSE;
}

static gboolean
fail_with_openssl (GError **error, const char *what)
{
  g_autofree char *reason = g_tls_session_openssl_take_errors ();

  return fail (error, "The session ticket is malformed: %s (%s)", what, reason);
}

static guint32
peek_u32 (const guint8 *data)
{
  guint32 value;

  memcpy (&value, data, sizeof value);
  return GUINT32_FROM_BE (value);
}

static gint64
peek_i64 (const guint8 *data)
{
  gint64 value;

  memcpy (&value, data, sizeof value);
  return GINT64_FROM_BE (value);
}

static gboolean
read_u32 (Reader *reader, guint32 *value)
{
  if (reader->left < 4)
    return FALSE;

  *value = peek_u32 (reader->data);
  reader->data += 4;
  reader->left -= 4;
  return TRUE;
}

static gboolean
read_field (Reader *reader, Reader *field)
{
  guint32 length;

  if (!read_u32 (reader, &length) || length > reader->left)
    return FALSE;

  *field = (Reader){ reader->data, length };
  reader->data += length;
  reader->left -= length;
  return TRUE;
}

static gboolean
check_magic (const guint8 *data, gsize size, GError **error)
{
  if (size == 0)
    return fail (error, "There is no session ticket: no bytes are there");

  if (memcmp (data, MAGIC, MIN (size, MAGIC_SIZE)) != 0)
    return fail (error, "The bytes are not a session ticket of this library: they do not begin with \"" MAGIC "\"");

  return TRUE;
}

static gboolean
check_version (const guint8 *data, gsize size, GError **error)
{
  guint8 version;

  if (size <= MAGIC_SIZE)
    return fail (error, "The session ticket is truncated: %" G_GSIZE_FORMAT " bytes are there", size);

  version = data[MAGIC_SIZE];
  if (version > FORMAT_VERSION)
    return fail (error, "The session ticket has the newer format version %u; this library reads up to version %u",
                 version, FORMAT_VERSION);
  if (version < FORMAT_VERSION)
    return fail (error, "The session ticket is damaged: there is no format version %u", version);

  return TRUE;
}

static gboolean
check_length (const guint8 *data, gsize size, GError **error)
{
  guint32 length;

  if (size < FLAGS_OFFSET)
    return fail (error, "The session ticket is truncated: %" G_GSIZE_FORMAT " bytes are there", size);

  length = peek_u32 (data + LENGTH_OFFSET);
  if (length < SMALLEST || length > LARGEST)
    return fail (error, "The session ticket is damaged: it claims to be %u bytes long, and a ticket has %u to %u",
                 length, SMALLEST, LARGEST);
  if (size < length)
    return fail (error, "The session ticket is truncated: %" G_GSIZE_FORMAT " of its %u bytes are there", size, length);
  if (size > length)
    return fail (error, "The session ticket of %u bytes is followed by %" G_GSIZE_FORMAT " that do not belong to it",
                 length, size - length);

  return TRUE;
}

static gboolean
check_digest (const guint8 *data, gsize size, GError **error)
{
  guint8 found[DIGEST_SIZE];

  if (!digest (data, size - DIGEST_SIZE, found))
    return fail_with_openssl (error, "its checksum cannot be computed");

  if (memcmp (data + size - DIGEST_SIZE, found, DIGEST_SIZE) != 0)
    return fail (error, "The session ticket is damaged: its checksum is wrong");

  return TRUE;
}

static gboolean
check_envelope (const guint8 *data, gsize size, GError **error)
{
  return check_magic (data, size, error) && check_version (data, size, error) && check_length (data, size, error) &&
         check_digest (data, size, error);
}

/* check_length() saw that the head is there. */
static gboolean
read_head (const guint8 *data, GTlsSessionTicketParts *parts, gint64 *received, GError **error)
{
  guint32 flags = peek_u32 (data + FLAGS_OFFSET);

  if ((flags & ~KNOWN_FLAGS) != 0)
    return fail (error, "The session ticket is malformed: it has unknown flags (0x%08x)", flags);

  parts->accepted_by_hand = (flags & FLAG_ACCEPTED_BY_HAND) != 0;
  *received = peek_i64 (data + RECEIVED_OFFSET);
  return TRUE;
}

static gboolean
read_session (Reader *reader, gint64 received, GTlsSessionTicketParts *parts, GError **error)
{
  Reader field;
  const guint8 *end;

  if (!read_field (reader, &field))
    return fail (error, "The session ticket is malformed: its session does not fit in it");

  end = field.data;
  parts->session = d2i_SSL_SESSION (NULL, &end, (long) field.left);
  if (parts->session == NULL)
    return fail_with_openssl (error, "OpenSSL cannot read its session");
  if (end != field.data + field.left)
    return fail (error, "The session ticket is malformed: more than a session is in the session's field");
  if (SSL_SESSION_get_time (parts->session) != received)
    return fail (error, "The session ticket is malformed: it contradicts its session about the time of its receipt");

  return TRUE;
}

static gboolean
read_server_name (Reader *reader, GTlsSessionTicketParts *parts, GError **error)
{
  Reader field;

  if (!read_field (reader, &field))
    return fail (error, "The session ticket is malformed: its server name does not fit in it");
  if (field.left == 0)
    return TRUE;
  if (!g_tls_session_ticket_codec_name_is_sound ((const char *) field.data, field.left))
    return fail (error, "The session ticket is malformed: its server name is not printable UTF-8 of at most %u bytes",
                 MAX_NAME_LENGTH);

  parts->server_name = g_strndup ((const char *) field.data, field.left);
  return TRUE;
}

static X509 *
read_certificate (Reader *reader, GError **error)
{
  g_autoptr (X509) certificate = NULL;
  Reader field;
  const guint8 *end;

  if (!read_field (reader, &field))
    {
      fail (error, "The session ticket is malformed: a certificate does not fit in it");
      return NULL;
    }

  end = field.data;
  certificate = d2i_X509 (NULL, &end, (long) field.left);
  if (certificate == NULL)
    {
      fail_with_openssl (error, "OpenSSL cannot read a certificate of its chain");
      return NULL;
    }
  if (end != field.data + field.left)
    {
      fail (error, "The session ticket is malformed: more than a certificate is in a certificate's field");
      return NULL;
    }

  return g_steal_pointer (&certificate);
}

static gboolean
read_chain (Reader *reader, GTlsSessionTicketParts *parts, GError **error)
{
  guint32 count;

  if (!read_u32 (reader, &count))
    return fail (error, "The session ticket is malformed: its chain does not fit in it");
  if (count > MAX_CHAIN_LENGTH)
    return fail (error,
                 "The session ticket is malformed: it claims a chain of %u certificates, and at most %u are read",
                 count, MAX_CHAIN_LENGTH);
  if (count == 0)
    return TRUE;

  parts->chain = sk_X509_new_null ();
  if (parts->chain == NULL)
    return fail_with_openssl (error, "no chain can be made");

  for (guint32 i = 0; i < count; i++)
    {
      g_autoptr (X509) certificate = read_certificate (reader, error);

      if (certificate == NULL)
        return FALSE;
      if (sk_X509_push (parts->chain, certificate) <= 0)
        return fail_with_openssl (error, "no chain can be made");
      (void) g_steal_pointer (&certificate);
    }

  return TRUE;
}

static gboolean
check_leaf (const GTlsSessionTicketParts *parts, GError **error)
{
  X509 *peer = SSL_SESSION_get0_peer (parts->session);

  if (peer == NULL || parts->chain == NULL || X509_cmp (peer, sk_X509_value (parts->chain, 0)) == 0)
    return TRUE;

  return fail (error, "The session ticket is malformed: its chain does not begin with the certificate of its session");
}

static gboolean
read_parts (const guint8 *data, gsize size, GTlsSessionTicketParts *parts, GError **error)
{
  Reader reader = { data + HEAD_SIZE, size - HEAD_SIZE - DIGEST_SIZE };
  gint64 received = 0;

  if (!read_head (data, parts, &received, error) || !read_session (&reader, received, parts, error) ||
      !read_server_name (&reader, parts, error) || !read_chain (&reader, parts, error))
    return FALSE;

  if (reader.left > 0)
    return fail (error, "The session ticket is malformed: %" G_GSIZE_FORMAT " bytes follow its last field",
                 reader.left);

  return check_leaf (parts, error);
}

/* Fills @parts, which the caller clears whatever comes back. */
gboolean
g_tls_session_ticket_codec_decode (GBytes *bytes, GTlsSessionTicketParts *parts, GError **error)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  gboolean read;

  g_tls_session_openssl_clear_errors ();
  read = check_envelope (data, size, error) && read_parts (data, size, parts, error);
  g_tls_session_openssl_clear_errors ();

  return read;
}
