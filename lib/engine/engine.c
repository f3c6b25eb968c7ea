/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine-private.h"

#include <openssl/err.h>
#include <string.h>

#include "context.h"
#include "openssl-error.h"
#include "transport-bio.h"

/* NOTES:
 *
 * Who calls: the drivers of the connection, one call at a time, under the connection's lock. Who owns: the engine owns
 * its SSL, which owns the BIO; the transport below the BIO belongs to the connection and outlives both.
 *
 * Reading may bring application data when a ticket was looked for; it is kept in the stash, and
 * g_tls_session_engine_read() serves the stash first.
 *
 * Writing: once OpenSSL has begun to send a record it must be given the same bytes again until the record is out, even
 * if the caller has given up meanwhile (a cancelled write) and comes with other bytes. Those bytes are kept in unsent,
 * so that no record ever carries what nobody wrote. The caller that comes back with the same bytes goes on where it
 * was; one that comes with others has the old record finished first.
 *
 * A resumed handshake brings no certificate, and OpenSSL asks for no verdict then. The engine asks for one itself
 * (state JUDGING) before any application data passes.
 *
 * Sessions are duplicated as they arrive: OpenSSL marks a connection's own session as not resumable when the
 * connection fails or is cut off.
 */

#define RECORD_SIZE SSL3_RT_MAX_PLAIN_LENGTH
#define STASH_MAX (256 * 1024)
#define SESSIONS_MAX 32

static void
byte_array_wipe (GByteArray *array)
{
  OPENSSL_cleanse (array->data, array->len);
  g_byte_array_unref (array);
}

/* Making and freeing */

GTlsSessionEngine *
g_tls_session_engine_new_client (GTlsSessionTransport transport, GError **error)
{
  g_autoptr (GTlsSessionEngine) self = NULL;
  SSL_CTX *context = g_tls_session_context_get_client (error);

  if (context == NULL)
    return NULL;

  g_tls_session_openssl_clear_errors ();
  self = g_new0 (GTlsSessionEngine, 1);
  self->require_close_notify = TRUE;
  g_queue_init (&self->sessions);
  self->ssl = SSL_new (context);
  self->bio = self->ssl != NULL ? g_tls_session_transport_bio_new (transport) : NULL;

  if (self->bio == NULL || SSL_set_app_data (self->ssl, self) != 1)
    {
      g_autofree char *reason = g_tls_session_openssl_take_errors ();

      BIO_free (self->bio);
      g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_MISC, "OpenSSL cannot make a TLS connection: %s", reason);
      return NULL;
    }

  SSL_set_bio (self->ssl, self->bio, self->bio);
  SSL_set_connect_state (self->ssl);
  return g_steal_pointer (&self);
}

void
g_tls_session_engine_free (GTlsSessionEngine *self)
{
  SSL_free (self->ssl);
  sk_X509_pop_free (self->peer_chain, X509_free);
  g_queue_clear_full (&self->sessions, (GDestroyNotify) SSL_SESSION_free);
  g_clear_pointer (&self->stash, byte_array_wipe);
  g_clear_pointer (&self->unsent, byte_array_wipe);
  g_clear_error (&self->failure);
  g_free (self->peer_name);
  g_free (self);
}

GTlsSessionEngineState
g_tls_session_engine_get_state (GTlsSessionEngine *self)
{
  return self->state;
}

void
g_tls_session_engine_set_require_close_notify (GTlsSessionEngine *self, gboolean require)
{
  self->require_close_notify = require;
}

/* Settings */

static GByteArray *
encode_alpn (const char *const *protocols)
{
  g_autoptr (GByteArray) wire = g_byte_array_new ();

  for (gsize i = 0; protocols[i] != NULL; i++)
    {
      gsize length = strlen (protocols[i]);
      guint8 length_byte = (guint8) length;

      if (length == 0 || length > 255)
        return NULL;
      g_byte_array_append (wire, &length_byte, 1);
      g_byte_array_append (wire, (const guint8 *) protocols[i], length_byte);
    }
  return g_steal_pointer (&wire);
}

static gboolean
set_alpn (SSL *ssl, const char *const *protocols)
{
  g_autoptr (GByteArray) wire = protocols != NULL ? encode_alpn (protocols) : g_byte_array_new ();

  if (wire == NULL)
    {
      ERR_raise_data (ERR_LIB_USER, ERR_R_PASSED_INVALID_ARGUMENT,
                      "an application protocol's name has 1 to 255 bytes (RFC 7301, section 3.1)");
      return FALSE;
    }

  /* Here 0 means success. */
  return wire->len == 0 || SSL_set_alpn_protos (ssl, wire->data, wire->len) == 0;
}

static gboolean
set_versions (SSL *ssl, GTlsProtocolVersion minimum, GTlsProtocolVersion maximum)
{
  int lowest = g_tls_session_protocol_to_openssl (minimum);
  int highest = g_tls_session_protocol_to_openssl (maximum);

  return (lowest == 0 || SSL_set_min_proto_version (ssl, lowest) == 1) &&
         (highest == 0 || SSL_set_max_proto_version (ssl, highest) == 1);
}

static gboolean
set_own_certificate (SSL *ssl, const GTlsSessionEngineSettings *settings)
{
  if (settings->certificate == NULL)
    return TRUE;

  return SSL_use_certificate (ssl, settings->certificate) == 1 &&
         (settings->private_key == NULL || SSL_use_PrivateKey (ssl, settings->private_key) == 1) &&
         (settings->intermediates == NULL || SSL_set1_chain (ssl, settings->intermediates) == 1);
}

gboolean
g_tls_session_engine_configure (GTlsSessionEngine *self, const GTlsSessionEngineSettings *settings, GError **error)
{
  g_free (self->peer_name);
  self->peer_name = g_strdup (settings->peer_name);
  self->require_close_notify = settings->require_close_notify;
  g_tls_session_openssl_clear_errors ();

  if (set_versions (self->ssl, settings->minimum, settings->maximum) && set_alpn (self->ssl, settings->alpn) &&
      (settings->server_name == NULL || SSL_set_tlsext_host_name (self->ssl, settings->server_name) == 1) &&
      (settings->session == NULL || SSL_set_session (self->ssl, settings->session) == 1) &&
      set_own_certificate (self->ssl, settings))
    return TRUE;

  {
    g_autofree char *reason = g_tls_session_openssl_take_errors ();

    g_tls_session_engine_fail (self,
                               g_error_new (G_TLS_ERROR, G_TLS_ERROR_HANDSHAKE,
                                            "The TLS handshake with %s could not be prepared: %s",
                                            settings->peer_name != NULL ? settings->peer_name : "the peer", reason),
                               error);
    return FALSE;
  }
}

/* The handshake */

static void
keep_peer_chain (GTlsSessionEngine *self, X509_STORE_CTX *context)
{
  STACK_OF (X509) *chain = X509_STORE_CTX_get0_untrusted (context);

  if (self->peer_chain == NULL && chain != NULL)
    self->peer_chain = X509_chain_up_ref (chain);
}

static int
x509_error_of_faults (GTlsCertificateFlags faults)
{
  if ((faults & G_TLS_CERTIFICATE_UNKNOWN_CA) != 0)
    return X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
  if ((faults & G_TLS_CERTIFICATE_EXPIRED) != 0)
    return X509_V_ERR_CERT_HAS_EXPIRED;
  if ((faults & G_TLS_CERTIFICATE_NOT_ACTIVATED) != 0)
    return X509_V_ERR_CERT_NOT_YET_VALID;
  if ((faults & G_TLS_CERTIFICATE_REVOKED) != 0)
    return X509_V_ERR_CERT_REVOKED;
  if ((faults & G_TLS_CERTIFICATE_BAD_IDENTITY) != 0)
    return X509_V_ERR_HOSTNAME_MISMATCH;
  return X509_V_ERR_CERT_REJECTED;
}

/* OpenSSL asks what we think of the peer's chain: first for us to ask the caller, then, called again, for the verdict.
 * The error set here becomes the alert that the peer gets.
 */
int
g_tls_session_engine_on_verify (X509_STORE_CTX *context, void *data)
{
  SSL *ssl = X509_STORE_CTX_get_ex_data (context, SSL_get_ex_data_X509_STORE_CTX_idx ());
  GTlsSessionEngine *self = ssl != NULL ? SSL_get_app_data (ssl) : NULL;

  if (self == NULL)
    return 0;

  keep_peer_chain (self, context);

  switch (self->verdict)
    {
    case G_TLS_SESSION_VERDICT_ACCEPT:
      X509_STORE_CTX_set_error (context, X509_V_OK);
      return 1;
    case G_TLS_SESSION_VERDICT_REJECT:
      X509_STORE_CTX_set_error (context, x509_error_of_faults (self->verdict_faults));
      return 0;
    case G_TLS_SESSION_VERDICT_NONE:
    case G_TLS_SESSION_VERDICT_ASKED:
    default:
      self->verdict = G_TLS_SESSION_VERDICT_ASKED;
      return SSL_set_retry_verify (ssl) == 1 ? 1 : 0;
    }
}

static GTlsSessionEngineStatus
reject_resumed (GTlsSessionEngine *self, GError **error)
{
  /* The peer learns that we leave; there is nothing to do for us if it cannot be told. */
  SSL_shutdown (self->ssl);
  g_tls_session_openssl_clear_errors ();
  return g_tls_session_engine_fail_rejected (self, error);
}

static GTlsSessionEngineStatus
judge_resumed (GTlsSessionEngine *self, GError **error)
{
  switch (self->verdict)
    {
    case G_TLS_SESSION_VERDICT_ACCEPT:
      self->state = G_TLS_SESSION_ENGINE_STATE_OPEN;
      return G_TLS_SESSION_ENGINE_DONE;
    case G_TLS_SESSION_VERDICT_REJECT:
      return reject_resumed (self, error);
    case G_TLS_SESSION_VERDICT_NONE:
    case G_TLS_SESSION_VERDICT_ASKED:
    default:
      self->verdict = G_TLS_SESSION_VERDICT_ASKED;
      self->state = G_TLS_SESSION_ENGINE_STATE_JUDGING;
      return G_TLS_SESSION_ENGINE_WANTS_VERDICT;
    }
}

static GTlsSessionEngineStatus
step_handshake (GTlsSessionEngine *self, GError **error)
{
  int result;

  if (self->verdict == G_TLS_SESSION_VERDICT_ASKED)
    return G_TLS_SESSION_ENGINE_WANTS_VERDICT;

  self->state = G_TLS_SESSION_ENGINE_STATE_HANDSHAKING;
  g_tls_session_openssl_clear_errors ();
  result = SSL_do_handshake (self->ssl);

  if (result != 1)
    return g_tls_session_engine_interpret (self, G_TLS_SESSION_OPERATION_HANDSHAKE, result, error);

  /* No peer without a certificate that somebody judged gets past here. */
  if (SSL_session_reused (self->ssl) || self->verdict != G_TLS_SESSION_VERDICT_ACCEPT)
    return judge_resumed (self, error);

  self->state = G_TLS_SESSION_ENGINE_STATE_OPEN;
  return G_TLS_SESSION_ENGINE_DONE;
}

GTlsSessionEngineStatus
g_tls_session_engine_handshake (GTlsSessionEngine *self, GError **error)
{
  GTlsSessionEngineStatus status;

  switch (self->state)
    {
    case G_TLS_SESSION_ENGINE_STATE_FRESH:
    case G_TLS_SESSION_ENGINE_STATE_HANDSHAKING:
      status = step_handshake (self, error);
      g_tls_session_transport_bio_release_buffer (self->bio);
      return status;
    case G_TLS_SESSION_ENGINE_STATE_JUDGING:
      return judge_resumed (self, error);
    case G_TLS_SESSION_ENGINE_STATE_FAILED:
      return g_tls_session_engine_answer_failure (self, error);
    case G_TLS_SESSION_ENGINE_STATE_OPEN:
    case G_TLS_SESSION_ENGINE_STATE_PEER_ENDED:
    default:
      return G_TLS_SESSION_ENGINE_DONE;
    }
}

void
g_tls_session_engine_set_verdict (GTlsSessionEngine *self, gboolean accepted, GTlsCertificateFlags faults)
{
  if (self->verdict != G_TLS_SESSION_VERDICT_ASKED)
    return;

  self->verdict = accepted ? G_TLS_SESSION_VERDICT_ACCEPT : G_TLS_SESSION_VERDICT_REJECT;
  self->verdict_faults = faults;
}

/* Reading */

static gsize
read_stash (GTlsSessionEngine *self, void *buffer, gsize count)
{
  gsize n = MIN (count, self->stash->len - self->stash_start);

  memcpy (buffer, self->stash->data + self->stash_start, n);
  self->stash_start += n;
  if (self->stash_start == self->stash->len)
    {
      g_clear_pointer (&self->stash, byte_array_wipe);
      self->stash_start = 0;
    }
  return n;
}

static GTlsSessionEngineStatus
read_record (GTlsSessionEngine *self, void *buffer, gsize count, gsize *n_read, GError **error)
{
  int result;

  *n_read = 0;
  g_tls_session_openssl_clear_errors ();
  result = SSL_read_ex (self->ssl, buffer, count, n_read);

  if (result != 1)
    return g_tls_session_engine_interpret (self, G_TLS_SESSION_OPERATION_READ, result, error);

  self->last_speaker = G_TLS_SESSION_SPEAKER_PEER;
  return G_TLS_SESSION_ENGINE_DONE;
}

/* Reads on while that costs no system call. What comes in the way of that shows again at the next call. */
static void
read_more_records (GTlsSessionEngine *self, guint8 *buffer, gsize count, gsize *n_read)
{
  GTlsSessionEngineStatus status = G_TLS_SESSION_ENGINE_DONE;

  while (status == G_TLS_SESSION_ENGINE_DONE && *n_read < count &&
         (SSL_pending (self->ssl) > 0 || g_tls_session_transport_bio_has_read_ahead (self->bio)))
    {
      gsize n = 0;

      status = read_record (self, buffer + *n_read, count - *n_read, &n, NULL);
      *n_read += n;
    }
}

/* DONE with at least one byte unless @count is 0. The handshake has been done. */
GTlsSessionEngineStatus
g_tls_session_engine_read (GTlsSessionEngine *self, void *buffer, gsize count, gsize *n_read, GError **error)
{
  GTlsSessionEngineStatus status;

  *n_read = 0;
  if (count == 0)
    return G_TLS_SESSION_ENGINE_DONE;

  if (self->stash != NULL)
    {
      *n_read = read_stash (self, buffer, count);
      return G_TLS_SESSION_ENGINE_DONE;
    }

  if (self->state == G_TLS_SESSION_ENGINE_STATE_FAILED)
    return g_tls_session_engine_answer_failure (self, error);
  if (self->state == G_TLS_SESSION_ENGINE_STATE_PEER_ENDED)
    return G_TLS_SESSION_ENGINE_END;

  status = read_record (self, buffer, count, n_read, error);
  if (status == G_TLS_SESSION_ENGINE_DONE)
    read_more_records (self, buffer, count, n_read);

  g_tls_session_transport_bio_release_buffer (self->bio);
  return status;
}

static GTlsSessionEngineStatus
stash_record (GTlsSessionEngine *self, GError **error)
{
  gsize stashed = self->stash != NULL ? self->stash->len : 0;
  gsize n_read = 0;
  GTlsSessionEngineStatus status;
  guint8 *record;

  if (stashed - self->stash_start >= STASH_MAX)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
                   "No session ticket came before %u KiB of application data; read them, then look again",
                   STASH_MAX / 1024);
      return G_TLS_SESSION_ENGINE_ERROR;
    }

  record = g_malloc (RECORD_SIZE);
  status = read_record (self, record, RECORD_SIZE, &n_read, error);
  if (n_read > 0)
    {
      if (self->stash == NULL)
        self->stash = g_byte_array_new ();
      g_byte_array_append (self->stash, record, (guint) n_read);
      OPENSSL_cleanse (record, n_read);
    }
  g_free (record);
  return status;
}

/* Reads until a session has arrived that g_tls_session_engine_take_session() has not given out yet. Application data
 * that comes in the way is kept for g_tls_session_engine_read().
 */
GTlsSessionEngineStatus
g_tls_session_engine_look_for_ticket (GTlsSessionEngine *self, GError **error)
{
  GTlsSessionEngineStatus status = G_TLS_SESSION_ENGINE_DONE;

  if (self->state == G_TLS_SESSION_ENGINE_STATE_FAILED)
    return g_tls_session_engine_answer_failure (self, error);
  if (self->state == G_TLS_SESSION_ENGINE_STATE_PEER_ENDED)
    return G_TLS_SESSION_ENGINE_END;

  while (status == G_TLS_SESSION_ENGINE_DONE && g_queue_is_empty (&self->sessions))
    status = stash_record (self, error);

  g_tls_session_transport_bio_release_buffer (self->bio);
  if (g_queue_is_empty (&self->sessions))
    return status;

  if (status == G_TLS_SESSION_ENGINE_ERROR)
    g_clear_error (error);
  return G_TLS_SESSION_ENGINE_DONE;
}

/* Application data was read while a ticket was looked for. */
gboolean
g_tls_session_engine_has_stash (GTlsSessionEngine *self)
{
  return self->stash != NULL;
}

/* Something has been read from the transport that may be application data. */
gboolean
g_tls_session_engine_has_data (GTlsSessionEngine *self)
{
  return SSL_pending (self->ssl) > 0 ||
         g_tls_session_transport_bio_has_read_ahead (self->bio);
}

/* Writing */

static void
keep_unsent (GTlsSessionEngine *self, const guint8 *bytes, gsize count)
{
  if (self->unsent != NULL)
    return;

  self->unsent = g_byte_array_sized_new ((guint) count);
  g_byte_array_append (self->unsent, bytes, (guint) count);
}

static GTlsSessionEngineStatus
write_record (GTlsSessionEngine *self, const guint8 *bytes, gsize count, GError **error)
{
  gsize n_written = 0;
  int result;

  g_tls_session_openssl_clear_errors ();
  result = SSL_write_ex (self->ssl, bytes, count, &n_written);
  if (result == 1)
    {
      /* At most a record's size was given, so the whole of it went. */
      g_assert (n_written == count);
      return G_TLS_SESSION_ENGINE_DONE;
    }

  {
    GTlsSessionEngineStatus status
      = g_tls_session_engine_interpret (self, G_TLS_SESSION_OPERATION_WRITE, result, error);

    if (status == G_TLS_SESSION_ENGINE_WANTS_WRITE)
      keep_unsent (self, bytes, count);
    return status;
  }
}

/* Finishes the record that OpenSSL has begun to send. */
GTlsSessionEngineStatus
g_tls_session_engine_flush_unsent (GTlsSessionEngine *self, GError **error)
{
  GTlsSessionEngineStatus status;

  if (self->unsent == NULL)
    return G_TLS_SESSION_ENGINE_DONE;

  status = write_record (self, self->unsent->data, self->unsent->len, error);
  if (status == G_TLS_SESSION_ENGINE_DONE)
    g_clear_pointer (&self->unsent, byte_array_wipe);
  return status;
}

/* How many of @bytes are those whose record is under way. */
static gsize
count_begun (GTlsSessionEngine *self, const guint8 *bytes, gsize count)
{
  if (self->unsent == NULL || self->unsent->len > count || memcmp (bytes, self->unsent->data, self->unsent->len) != 0)
    return 0;
  return self->unsent->len;
}

static GTlsSessionEngineStatus
answer_write_ended (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED,
                       "Our side of the TLS connection has been ended; nothing more can be written");
  return G_TLS_SESSION_ENGINE_ERROR;
}

/* DONE with at least one byte unless @count is 0: as many records as the transport takes. */
GTlsSessionEngineStatus
g_tls_session_engine_write (GTlsSessionEngine *self,
                            const void *bytes,
                            gsize count,
                            gsize *n_written,
                            GError **error)
{
  gsize begun = count_begun (self, bytes, count);
  GTlsSessionEngineStatus status;

  *n_written = 0;
  if (self->state == G_TLS_SESSION_ENGINE_STATE_FAILED)
    return g_tls_session_engine_answer_failure (self, error);
  if (self->close_notify != G_TLS_SESSION_CLOSE_NOTIFY_UNSENT)
    return answer_write_ended (error);

  status = g_tls_session_engine_flush_unsent (self, error);
  if (status == G_TLS_SESSION_ENGINE_DONE)
    *n_written = begun;

  while (status == G_TLS_SESSION_ENGINE_DONE && *n_written < count)
    {
      gsize chunk = MIN (count - *n_written, RECORD_SIZE);

      status = write_record (self, (const guint8 *) bytes + *n_written, chunk, *n_written == 0 ? error : NULL);
      if (status == G_TLS_SESSION_ENGINE_DONE)
        *n_written += chunk;
    }

  if (*n_written == 0)
    return status;

  self->last_speaker = G_TLS_SESSION_SPEAKER_US;
  return G_TLS_SESSION_ENGINE_DONE;
}

/* Facts */

gboolean
g_tls_session_engine_was_resumed (GTlsSessionEngine *self)
{
  return SSL_session_reused (self->ssl) == 1;
}

/* UNKNOWN before the handshake is done. */
GTlsProtocolVersion
g_tls_session_engine_get_protocol_version (GTlsSessionEngine *self)
{
  if (!SSL_is_init_finished (self->ssl))
    return G_TLS_PROTOCOL_VERSION_UNKNOWN;
  return g_tls_session_protocol_from_openssl (SSL_version (self->ssl));
}

/* The name IANA gives it; NULL before the handshake. The string is static. */
const char *
g_tls_session_engine_get_ciphersuite_name (GTlsSessionEngine *self)
{
  const SSL_CIPHER *cipher = SSL_get_current_cipher (self->ssl);

  return cipher != NULL ? SSL_CIPHER_standard_name (cipher) : NULL;
}

/* NULL if none was negotiated. */
char *
g_tls_session_engine_dup_application_protocol (GTlsSessionEngine *self)
{
  const unsigned char *name = NULL;
  unsigned int length = 0;

  SSL_get0_alpn_selected (self->ssl, &name, &length);
  return length > 0 ? g_strndup ((const char *) name, length) : NULL;
}

/* Borrowed; NULL if the peer sent none, as in a resumed handshake. */
STACK_OF (X509) * g_tls_session_engine_get_peer_chain (GTlsSessionEngine *self)
{
  return self->peer_chain;
}

/* Tickets */

int
g_tls_session_engine_on_new_session (SSL *ssl, SSL_SESSION *session)
{
  GTlsSessionEngine *self = SSL_get_app_data (ssl);
  SSL_SESSION *copy;

  if (self == NULL)
    return 0;

  copy = SSL_SESSION_dup (session);
  if (copy == NULL)
    {
      g_tls_session_openssl_clear_errors ();
      g_warning ("A session ticket was lost: OpenSSL could not duplicate it");
      return 0;
    }

  g_queue_push_tail (&self->sessions, copy);
  if (g_queue_get_length (&self->sessions) > SESSIONS_MAX)
    SSL_SESSION_free (g_queue_pop_head (&self->sessions));
  return 0; /* OpenSSL keeps its reference */
}

/* The oldest session that arrived and was not taken yet, owned by the caller; NULL if there is none, and before the
 * peer has been judged.
 */
SSL_SESSION *
g_tls_session_engine_take_session (GTlsSessionEngine *self)
{
  if (self->state != G_TLS_SESSION_ENGINE_STATE_OPEN && self->state != G_TLS_SESSION_ENGINE_STATE_PEER_ENDED)
    return NULL;
  return g_queue_pop_head (&self->sessions);
}
