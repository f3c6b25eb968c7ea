/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine-private.h"

#include "openssl-error.h"
#include "session-memo.h"
#include "transport-bio.h"

/* NOTES:
 *
 * The handshake, and what OpenSSL calls us for: a verdict, and new sessions.
 *
 * A client's handshake pauses for the verdict on the server's chain. A server's cannot (SSL_set_retry_verify() is for
 * clients only), and a verdict after the handshake could not become an alert any more; so a server calls its judge in
 * the midst of the step.
 *
 * A resumed handshake brings no certificate, and OpenSSL asks for no verdict then. The engine asks for one itself
 * (state JUDGING) before any application data passes. No connection gets to OPEN without a verdict, but that of a
 * server whose client showed no certificate and need not.
 *
 * Sessions are duplicated as they arrive: OpenSSL marks a connection's own session as not resumable when the
 * connection fails or is cut off.
 */

#define SESSIONS_MAX 32

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

static void
call_judge (GTlsSessionEngine *self)
{
  self->verdict = G_TLS_SESSION_VERDICT_ASKED;
  g_clear_error (&self->judge_error);
  if (self->judge == NULL || !self->judge (self->judge_data, &self->judge_error) ||
      self->verdict == G_TLS_SESSION_VERDICT_ASKED)
    self->verdict = G_TLS_SESSION_VERDICT_REJECT;

  /* The program's code runs in there. What it leaves would be taken for OpenSSL's own, and end the handshake. */
  g_tls_session_openssl_clear_errors ();
}

/* The session is to bring the client's chain along when it is resumed. */
static int
accept_chain (GTlsSessionEngine *self, X509_STORE_CTX *context)
{
  X509_STORE_CTX_set_error (context, X509_V_OK);
  return !SSL_is_server (self->ssl) || g_tls_session_memo_store (SSL_get_session (self->ssl), self->peer_chain);
}

/* OpenSSL asks what we think of the peer's chain: a client's handshake first for us to ask the caller, then, called
 * again, for the verdict. The error set here becomes the alert that the peer gets.
 */
int
g_tls_session_engine_on_verify (X509_STORE_CTX *context, void *data)
{
  SSL *ssl = X509_STORE_CTX_get_ex_data (context, SSL_get_ex_data_X509_STORE_CTX_idx ());
  GTlsSessionEngine *self = ssl != NULL ? SSL_get_app_data (ssl) : NULL;

  if (self == NULL)
    return 0;

  keep_peer_chain (self, context);
  if (SSL_is_server (ssl))
    call_judge (self);

  switch (self->verdict)
    {
    case G_TLS_SESSION_VERDICT_ACCEPT:
      return accept_chain (self, context);
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

/* What a resumed session says of the client, to its server. */
static void
recall_client_chain (GTlsSessionEngine *self)
{
  if (self->peer_chain == NULL)
    self->peer_chain = g_tls_session_memo_load_chain (SSL_get_session (self->ssl));
  g_tls_session_openssl_clear_errors ();
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
call_openssl (GTlsSessionEngine *self, GError **error)
{
  GTlsSessionEngineStatus status = g_tls_session_engine_pass_early_data (self, error);
  int result;

  if (status != G_TLS_SESSION_ENGINE_DONE)
    return status;

  g_tls_session_openssl_clear_errors ();
  result = SSL_do_handshake (self->ssl);
  return result == 1 ? G_TLS_SESSION_ENGINE_DONE
                     : g_tls_session_engine_interpret (self, G_TLS_SESSION_OPERATION_HANDSHAKE, result, error);
}

/* OpenSSL's step, and then what it wrote has to be out: the peer is not going to answer before. */
static GTlsSessionEngineStatus
shake_hands (GTlsSessionEngine *self, GError **error)
{
  GTlsSessionEngineStatus status = call_openssl (self, error);

  if (status != G_TLS_SESSION_ENGINE_DONE && status != G_TLS_SESSION_ENGINE_WANTS_READ)
    return status;

  {
    GTlsSessionEngineStatus flushed = g_tls_session_engine_flush (self, G_TLS_SESSION_OPERATION_HANDSHAKE, error);

    return flushed == G_TLS_SESSION_ENGINE_DONE ? status : flushed;
  }
}

static gboolean
has_other_ticket (SSL_SESSION *session, GBytes *ticket)
{
  const unsigned char *data = NULL;
  size_t length = 0;
  g_autoptr (GBytes) current = NULL;

  SSL_SESSION_get0_ticket (session, &data, &length);
  current = g_bytes_new_static (data, length);
  return length > 0 && !g_bytes_equal (current, ticket);
}

/* A server that resumes a TLS 1.2 session may send another ticket for it, to be used from now on (RFC 5077, section
 * 3.3). OpenSSL does not report that one as a new session.
 */
static void
keep_renewed_ticket (GTlsSessionEngine *self)
{
  SSL_SESSION *session = SSL_get_session (self->ssl);

  if (SSL_version (self->ssl) < TLS1_3_VERSION && has_other_ticket (session, self->offered_ticket))
    g_tls_session_engine_on_new_session (self->ssl, session);
}

/* No peer without a certificate that somebody judged gets past here, but a client from which none was required. */
static gboolean
needs_verdict (GTlsSessionEngine *self)
{
  if (SSL_is_server (self->ssl) && !g_tls_session_engine_has_client_certificate (self))
    return self->authentication == G_TLS_AUTHENTICATION_REQUIRED;
  return SSL_session_reused (self->ssl) || self->verdict != G_TLS_SESSION_VERDICT_ACCEPT;
}

static GTlsSessionEngineStatus
step_handshake (GTlsSessionEngine *self, GError **error)
{
  GTlsSessionEngineStatus status;

  if (self->verdict == G_TLS_SESSION_VERDICT_ASKED)
    return G_TLS_SESSION_ENGINE_WANTS_VERDICT;
  if (self->own_certificate == G_TLS_SESSION_OWN_CERTIFICATE_ASKED)
    return G_TLS_SESSION_ENGINE_WANTS_CERTIFICATE;

  self->state = G_TLS_SESSION_ENGINE_STATE_HANDSHAKING;
  status = shake_hands (self, error);
  if (status != G_TLS_SESSION_ENGINE_DONE)
    return status;

  g_tls_session_engine_note_early_data_answer (self);
  if (SSL_session_reused (self->ssl) && SSL_is_server (self->ssl))
    recall_client_chain (self);
  else if (SSL_session_reused (self->ssl))
    keep_renewed_ticket (self);
  if (needs_verdict (self))
    return judge_resumed (self, error);

  self->state = G_TLS_SESSION_ENGINE_STATE_OPEN;
  return G_TLS_SESSION_ENGINE_DONE;
}

static GTlsSessionEngineStatus
advance_handshake (GTlsSessionEngine *self, GError **error)
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

GTlsSessionEngineStatus
g_tls_session_engine_handshake (GTlsSessionEngine *self, GError **error)
{
  GTlsSessionEngineStatus status = advance_handshake (self, error);

  return status == G_TLS_SESSION_ENGINE_DONE ? g_tls_session_engine_send_late_early_data (self, error) : status;
}

/* FALSE: there is one already, or none was asked for; this one does not count. */
gboolean
g_tls_session_engine_set_verdict (GTlsSessionEngine *self, gboolean accepted, GTlsCertificateFlags faults)
{
  if (self->verdict != G_TLS_SESSION_VERDICT_ASKED)
    return FALSE;

  self->verdict = accepted ? G_TLS_SESSION_VERDICT_ACCEPT : G_TLS_SESSION_VERDICT_REJECT;
  self->verdict_faults = faults;
  return TRUE;
}

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
