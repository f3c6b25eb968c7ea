/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* NOTES:
 *
 * Reads tickets from bytes that libFuzzer makes up. The first byte says how the others are put before the library:
 *
 *   0  as they are
 *   1  as a whole ticket, whose magic, version, length and checksum are set right: the fuzzer would not guess them, and
 *      everything worth finding lies behind them
 *   2  as the session's field of an otherwise sound ticket: mutations that change its length go on being readable
 *
 * Whatever is accepted must then do all that a ticket does: tell, be written and read again to the same bytes, and be
 * put into a ClientHello. A session that OpenSSL chokes on only there would be ours to refuse.
 */

#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "../ticket/handshake.h"
#include "fuzz.h"
#include "ticket/gtls-session-error.h"
#include "ticket/ticket-private.h"

#define HEAD_SIZE 24
#define RECEIVED_OFFSET 16
#define DIGEST_SIZE 32

const guint fuzz_n_changes = 1000;

static SSL_CTX *context;

static void
append_u32 (GByteArray *array, guint32 value)
{
  value = GUINT32_TO_BE (value);
  g_byte_array_append (array, (const guint8 *) &value, sizeof value);
}

static GBytes *
seal (GByteArray *array)
{
  guint32 length = GUINT32_TO_BE (array->len + DIGEST_SIZE);
  guint8 digest[DIGEST_SIZE];

  memcpy (array->data, "GTLSTKT\x01", 8);
  memcpy (array->data + 8, &length, 4);
  g_assert (EVP_Digest (array->data, array->len, digest, NULL, EVP_sha256 (), NULL) == 1);
  g_byte_array_append (array, digest, sizeof digest);
  return g_byte_array_free_to_bytes (array);
}

static GBytes *
wrap_whole (const guint8 *data, gsize size)
{
  GByteArray *array = g_byte_array_new ();

  g_byte_array_append (array, data, size);
  if (size < HEAD_SIZE)
    {
      g_byte_array_set_size (array, HEAD_SIZE);
      memset (array->data + size, 0, HEAD_SIZE - size);
    }
  return seal (array);
}

static GBytes *
wrap_session (const guint8 *data, gsize size)
{
  GByteArray *array = g_byte_array_new ();
  const guint8 *end = data;
  SSL_SESSION *session = d2i_SSL_SESSION (NULL, &end, (long) size);
  gint64 received = session != NULL ? SSL_SESSION_get_time (session) : 0;

  SSL_SESSION_free (session);
  ERR_clear_error ();

  g_byte_array_set_size (array, HEAD_SIZE);
  memset (array->data, 0, HEAD_SIZE);
  received = GINT64_TO_BE (received);
  memcpy (array->data + RECEIVED_OFFSET, &received, sizeof received);
  append_u32 (array, size);
  g_byte_array_append (array, data, size);
  append_u32 (array, 0);
  append_u32 (array, 0);
  return seal (array);
}

static void
tell (GTlsSessionTicket *ticket)
{
  static const char *const names[] = { "server-name", "application-protocol" };

  g_assert (g_tls_session_ticket_get_protocol_version (ticket) != G_TLS_PROTOCOL_VERSION_UNKNOWN);
  g_assert (g_tls_session_ticket_get_ciphersuite_name (ticket) != NULL);
  g_assert (g_tls_session_ticket_get_lifetime (ticket) >= 1 && g_tls_session_ticket_get_lifetime (ticket) <= 604800);
  g_assert (
    g_date_time_compare (g_tls_session_ticket_get_received (ticket), g_tls_session_ticket_get_expires (ticket)) < 0);
  g_assert (strlen (g_tls_session_ticket_get_id (ticket)) == 16);
  (void) g_tls_session_ticket_is_usable (ticket);

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *name = NULL;

      g_object_get (ticket, names[i], &name, NULL);
      g_assert (name == NULL || (*name != '\0' && g_utf8_validate (name, -1, NULL)));
    }
}

static void
write_and_read (GTlsSessionTicket *ticket)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_tls_session_ticket_to_bytes (ticket);
  g_autoptr (GTlsSessionTicket) again = g_tls_session_ticket_new_from_bytes (bytes, &error);
  g_autoptr (GBytes) bytes_again = NULL;

  g_assert_no_error (error);
  bytes_again = g_tls_session_ticket_to_bytes (again);
  g_assert (g_bytes_equal (bytes, bytes_again));
  g_assert_cmpstr (g_tls_session_ticket_get_id (ticket), ==, g_tls_session_ticket_get_id (again));
}

/* Up to the point where the server would have to answer. */
static void
offer (GTlsSessionTicket *ticket)
{
  SSL_SESSION *session = g_tls_session_ticket_dup_session (ticket);
  SSL *ssl = SSL_new (context);

  g_assert (session != NULL && ssl != NULL);
  SSL_set_bio (ssl, BIO_new (BIO_s_mem ()), BIO_new (BIO_s_mem ()));
  SSL_set_connect_state (ssl);
  SSL_set_tlsext_host_name (ssl, "server.example");
  SSL_SESSION_set_time (session, (long) (g_get_real_time () / G_USEC_PER_SEC)); /* too old a ticket is not offered */
  if (SSL_set_session (ssl, session) == 1)
    (void) SSL_do_handshake (ssl);

  SSL_free (ssl);
  SSL_SESSION_free (session);
  ERR_clear_error ();
}

static void
read_ticket (GBytes *bytes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionTicket) ticket = g_tls_session_ticket_new_from_bytes (bytes, &error);

  g_assert (ERR_peek_error () == 0);
  if (ticket == NULL)
    {
      g_assert (g_error_matches (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA));
      g_assert (g_utf8_validate (error->message, -1, NULL));
      return;
    }

  g_assert (error == NULL);
  tell (ticket);
  write_and_read (ticket);
  offer (ticket);
}

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  context = SSL_CTX_new (TLS_client_method ());
  g_assert (context != NULL);
  SSL_CTX_set_security_level (context, 0);
  SSL_CTX_set_min_proto_version (context, 0);
  return 0;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = NULL;

  if (size == 0)
    return 0;

  switch (data[0] % 3)
    {
    case 0:
      bytes = g_bytes_new (data + 1, size - 1);
      break;
    case 1:
      bytes = wrap_whole (data + 1, size - 1);
      break;
    default:
      bytes = wrap_session (data + 1, size - 1);
    }

  read_ticket (bytes);
  return 0;
}

/* Seeds: real tickets of each kind, in each of the ways they are read */

typedef struct
{
  FuzzAddSeed add;
  gpointer data;
} Sink;

static void
add_seed (const Sink *sink, const char *name, guint8 way, gconstpointer data, gsize size)
{
  g_autoptr (GByteArray) seed = g_byte_array_new ();

  g_byte_array_append (seed, &way, 1);
  g_byte_array_append (seed, data, size);
  sink->add (sink->data, name, seed->data, seed->len);
}

static void
add_seeds (const Sink *sink, HandshakeKind kind, gboolean with_everything)
{
  g_autoptr (Pair) pair = pair_new (kind);
  g_autoptr (Link) link = NULL;
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autofree guint8 *der = NULL;
  guint8 *end;
  int der_length;

  if (with_everything)
    pair_set_application_protocol (pair, HANDSHAKE_PROTOCOL);
  link = link_new (pair, NULL);
  ticket = g_tls_session_ticket_new (pair_get_session (pair), with_everything ? link_get_chain (link) : NULL,
                                     with_everything ? HANDSHAKE_HOST : NULL, with_everything);
  bytes = g_tls_session_ticket_to_bytes (ticket);

  der_length = i2d_SSL_SESSION (pair_get_session (pair), NULL);
  der = end = g_malloc (der_length);
  i2d_SSL_SESSION (pair_get_session (pair), &end);

  for (guint8 way = 0; way < 3; way++)
    {
      g_autofree char *name = g_strdup_printf ("%s-%s-%u", handshake_kind_name (kind),
                                               with_everything ? "whole" : "bare", way);

      if (way == 2)
        add_seed (sink, name, way, der, der_length);
      else
        add_seed (sink, name, way, g_bytes_get_data (bytes, NULL),
                  g_bytes_get_size (bytes) - (way == 1 ? DIGEST_SIZE : 0));
    }
}

void
fuzz_make_seeds (FuzzAddSeed add, gpointer data)
{
  const Sink sink = { add, data };

  for (HandshakeKind kind = 0; kind < N_HANDSHAKE_KINDS; kind++)
    {
      add_seeds (&sink, kind, TRUE);
      add_seeds (&sink, kind, FALSE);
    }
}
