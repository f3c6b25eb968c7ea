/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "peer.h"

#include <openssl/err.h>

#define RECORD_SIZE 16384

typedef enum
{
  PEER_READS_EARLY_DATA,
  PEER_SENDS_EARLY_DATA,
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
  gboolean is_open;
  SSL_SESSION *session; /* a client's; nullable */
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

static SSL_CTX *
context_new (const SSL_METHOD *method, const Credentials *credentials, int version)
{
  SSL_CTX *context = SSL_CTX_new (method);
  X509_STORE *store = SSL_CTX_get_cert_store (context);

  g_assert_cmpint (SSL_CTX_set_min_proto_version (context, version), ==, 1);
  g_assert_cmpint (SSL_CTX_set_max_proto_version (context, version), ==, 1);
  g_assert_cmpint (SSL_CTX_set1_groups_list (context, "X25519"), ==, 1);
  g_assert_cmpint (X509_STORE_add_cert (store, credentials->root), ==, 1);
  return context;
}

SSL_CTX *
peer_server_context_new (const Credentials *credentials,
                         int version,
                         gboolean requires_certificate,
                         guint32 max_early_data)
{
  SSL_CTX *context = context_new (TLS_server_method (), credentials, version);

  g_assert_cmpint (SSL_CTX_use_certificate (context, credentials->server), ==, 1);
  g_assert_cmpint (SSL_CTX_use_PrivateKey (context, credentials->server_key), ==, 1);
  g_assert_cmpint (SSL_CTX_set_session_id_context (context, (const unsigned char *) "faults", 6), ==, 1);
  if (requires_certificate)
    SSL_CTX_set_verify (context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);

  /* All cases offer the same tickets. */
  g_assert_cmpint (SSL_CTX_set_max_early_data (context, max_early_data), ==, 1);
  SSL_CTX_set_options (context, SSL_OP_NO_ANTI_REPLAY);
  return context;
}

/* OpenSSL marks a connection's own session as not resumable when the connection fails; so it is a copy that is kept. */
static int
on_new_session (SSL *ssl, SSL_SESSION *session)
{
  Peer *self = SSL_get_app_data (ssl);

  SSL_SESSION_free (self->session);
  self->session = SSL_SESSION_dup (session);
  g_assert_nonnull (self->session);
  return 0;
}

SSL_CTX *
peer_client_context_new (const Credentials *credentials, int version, gboolean shows_certificate)
{
  SSL_CTX *context = context_new (TLS_client_method (), credentials, version);

  SSL_CTX_set_verify (context, SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_session_cache_mode (context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb (context, on_new_session);
  if (shows_certificate)
    {
      g_assert_cmpint (SSL_CTX_use_certificate (context, credentials->client), ==, 1);
      g_assert_cmpint (SSL_CTX_use_PrivateKey (context, credentials->client_key), ==, 1);
    }
  return context;
}

static Peer *
peer_new (SSL_CTX *context)
{
  Peer *self = g_new0 (Peer, 1);

  self->ssl = SSL_new (context);
  self->from_wire = BIO_new (BIO_s_mem ());
  self->to_wire = BIO_new (BIO_s_mem ());
  SSL_set_bio (self->ssl, self->from_wire, self->to_wire);
  g_assert_cmpint (SSL_set_app_data (self->ssl, self), ==, 1);
  self->state = PEER_SHAKES_HANDS;
  self->heard = g_byte_array_new ();
  return self;
}

Peer *
peer_new_server (SSL_CTX *context)
{
  Peer *self = peer_new (context);

  SSL_set_accept_state (self->ssl);
  if (SSL_CTX_get_max_early_data (context) > 0)
    self->state = PEER_READS_EARLY_DATA;
  return self;
}

/* A copy, for the same reason. */
static void
offer_session (Peer *self, SSL_SESSION *session)
{
  SSL_SESSION *copy = SSL_SESSION_dup (session);

  g_assert_nonnull (copy);
  g_assert_cmpint (SSL_set_session (self->ssl, copy), ==, 1);
  SSL_SESSION_free (copy);
}

Peer *
peer_new_client (SSL_CTX *context, SSL_SESSION *session, gsize n_early)
{
  Peer *self = peer_new (context);

  SSL_set_connect_state (self->ssl);
  g_assert_cmpint (SSL_set_tlsext_host_name (self->ssl, SERVER_NAME), ==, 1);
  g_assert_cmpint (SSL_set1_host (self->ssl, SERVER_NAME), ==, 1);
  if (session != NULL)
    offer_session (self, session);
  if (n_early > 0)
    self->state = PEER_SENDS_EARLY_DATA;
  peer_say (self, n_early);
  return self;
}

void
peer_free (Peer *self)
{
  SSL_free (self->ssl);
  SSL_SESSION_free (self->session);
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
    {
      self->state = PEER_TALKS;
      self->is_open = TRUE;
    }
  else
    {
      look_after_failure (self, result);
    }
  return result == 1;
}

static void
make_words (Peer *self, guint8 *place, gsize size)
{
  for (gsize i = 0; i < size; i++)
    place[i] = peer_byte_said (self->n_said + i);
}

static gboolean
send_early_data (Peer *self)
{
  guint8 buffer[RECORD_SIZE];
  gsize size = self->n_to_say;
  size_t n = 0;

  g_assert_cmpuint (size, <=, sizeof buffer);
  make_words (self, buffer, size);
  g_assert_cmpint (SSL_write_early_data (self->ssl, buffer, size, &n), ==, 1);
  self->n_said = n;
  self->state = PEER_SHAKES_HANDS;
  return TRUE;
}

static gboolean
say_something (Peer *self)
{
  guint8 buffer[RECORD_SIZE];
  gsize size = MIN (self->n_to_say - self->n_said, sizeof buffer);
  size_t n = 0;

  if (size == 0)
    return FALSE;
  make_words (self, buffer, size);
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
    case PEER_SENDS_EARLY_DATA:
      return send_early_data (self);
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
  self->n_to_say = size;
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

gboolean
peer_is_open (Peer *self)
{
  return self->is_open;
}

gboolean
peer_was_resumed (Peer *self)
{
  return SSL_session_reused (self->ssl) == 1;
}

SSL_SESSION *
peer_get_session (Peer *self)
{
  return self->session;
}
