/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "peer.h"

#include <openssl/err.h>

#define RECORD_SIZE 16384

typedef enum
{
  PEER_READS_EARLY_DATA,
  PEER_SHAKES_HANDS,
  PEER_TALKS,
  PEER_ENDED,
} PeerState;

struct _Peer
{
  SSL *ssl;
  BIO *from_wire; /* both are the SSL's */
  BIO *to_wire;
  PeerState state;
  gsize n_said;
  gsize n_to_say;
  GByteArray *heard;
};

guint8
peer_byte_said (gsize position)
{
  return (guint8) (position * 31 + (position >> 8) * 7 + 3);
}

guint8
peer_byte_heard (gsize position)
{
  return (guint8) (position * 17 + (position >> 8) * 5 + 101);
}

SSL_CTX *
peer_context_new (const Credentials *credentials, int version, gboolean requires_certificate, guint32 max_early_data)
{
  SSL_CTX *context = SSL_CTX_new (TLS_server_method ());
  X509_STORE *store = SSL_CTX_get_cert_store (context);

  g_assert_cmpint (SSL_CTX_set_min_proto_version (context, version), ==, 1);
  g_assert_cmpint (SSL_CTX_set_max_proto_version (context, version), ==, 1);
  g_assert_cmpint (SSL_CTX_use_certificate (context, credentials->server), ==, 1);
  g_assert_cmpint (SSL_CTX_use_PrivateKey (context, credentials->server_key), ==, 1);
  g_assert_cmpint (SSL_CTX_set1_groups_list (context, "X25519"), ==, 1);
  g_assert_cmpint (SSL_CTX_set_session_id_context (context, (const unsigned char *) "faults", 6), ==, 1);
  g_assert_cmpint (X509_STORE_add_cert (store, credentials->root), ==, 1);
  if (requires_certificate)
    SSL_CTX_set_verify (context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);

  /* All cases offer the same tickets. */
  g_assert_cmpint (SSL_CTX_set_max_early_data (context, max_early_data), ==, 1);
  SSL_CTX_set_options (context, SSL_OP_NO_ANTI_REPLAY);
  return context;
}

Peer *
peer_new (SSL_CTX *context)
{
  Peer *self = g_new0 (Peer, 1);

  self->ssl = SSL_new (context);
  self->from_wire = BIO_new (BIO_s_mem ());
  self->to_wire = BIO_new (BIO_s_mem ());
  SSL_set_bio (self->ssl, self->from_wire, self->to_wire);
  SSL_set_accept_state (self->ssl);
  self->state = SSL_CTX_get_max_early_data (context) > 0 ? PEER_READS_EARLY_DATA : PEER_SHAKES_HANDS;
  self->heard = g_byte_array_new ();
  return self;
}

void
peer_free (Peer *self)
{
  SSL_free (self->ssl);
  g_byte_array_unref (self->heard);
  g_free (self);
}

/* What an SSL_… call that did not succeed means. An alert has been said, if there is one to say. */
static void
look_after_failure (Peer *self, int result)
{
  int why = SSL_get_error (self->ssl, result);

  ERR_clear_error ();
  if (why == SSL_ERROR_ZERO_RETURN)
    SSL_shutdown (self->ssl);
  if (why != SSL_ERROR_WANT_READ)
    self->state = PEER_ENDED;
  ERR_clear_error ();
}

static gboolean
read_early_data (Peer *self)
{
  guint8 buffer[RECORD_SIZE];
  size_t n = 0;
  int result = SSL_read_early_data (self->ssl, buffer, sizeof buffer, &n);

  g_byte_array_append (self->heard, buffer, (guint) n);
  if (result == SSL_READ_EARLY_DATA_FINISH)
    self->state = PEER_SHAKES_HANDS;
  if (result == SSL_READ_EARLY_DATA_ERROR)
    look_after_failure (self, result);
  return result != SSL_READ_EARLY_DATA_ERROR;
}

static gboolean
shake_hands (Peer *self)
{
  int result = SSL_do_handshake (self->ssl);

  if (result == 1)
    self->state = PEER_TALKS;
  else
    look_after_failure (self, result);
  return result == 1;
}

static gboolean
say_something (Peer *self)
{
  guint8 buffer[RECORD_SIZE];
  gsize size = MIN (self->n_to_say - self->n_said, sizeof buffer);
  size_t n = 0;

  if (size == 0)
    return FALSE;
  for (gsize i = 0; i < size; i++)
    buffer[i] = peer_byte_said (self->n_said + i);
  /* The memory takes everything. */
  g_assert_cmpint (SSL_write_ex (self->ssl, buffer, size, &n), ==, 1);
  self->n_said += n;
  return TRUE;
}

static gboolean
hear_something (Peer *self)
{
  guint8 buffer[RECORD_SIZE];
  size_t n = 0;
  int result = SSL_read_ex (self->ssl, buffer, sizeof buffer, &n);

  g_byte_array_append (self->heard, buffer, (guint) n);
  if (result != 1)
    look_after_failure (self, result);
  return result == 1;
}

static gboolean
step (Peer *self)
{
  switch (self->state)
    {
    case PEER_READS_EARLY_DATA:
      return read_early_data (self);
    case PEER_SHAKES_HANDS:
      return shake_hands (self);
    case PEER_TALKS:
      return say_something (self) || hear_something (self);
    case PEER_ENDED:
    default:
      return FALSE;
    }
}

void
peer_feed (Peer *self, const guint8 *bytes, gsize size)
{
  if (self->state == PEER_ENDED)
    return;
  g_assert_cmpint (BIO_write (self->from_wire, bytes, (int) size), ==, (int) size);
  while (step (self))
    ;
}

void
peer_say (Peer *self, gsize size)
{
  self->n_to_say += size;
  while (step (self))
    ;
}

void
peer_take (Peer *self, GByteArray *place)
{
  char *data;
  long size = BIO_get_mem_data (self->to_wire, &data);

  g_byte_array_append (place, (const guint8 *) data, (guint) size);
  (void) BIO_reset (self->to_wire);
}

gboolean
peer_has_ended (Peer *self)
{
  return self->state == PEER_ENDED;
}

const GByteArray *
peer_get_heard (Peer *self)
{
  return self->heard;
}
