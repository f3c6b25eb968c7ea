/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine-private.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>

#include "openssl-error.h"
#include "transport-bio.h"

/* NOTES:
 *
 * What OpenSSL's answer to a call means to us, and how it is said.
 *
 * Failures are of two kinds. A lasting one (bad record, failed verification, a reset while reading) puts the engine
 * into the state FAILED, and every later operation answers the same. The others leave the engine as it is: a peer that
 * ended its side without close_notify can still be written to, and what a peer said before it stopped to listen can
 * still be read.
 */

static const char *
name_of_operation (GTlsSessionOperation operation)
{
  switch (operation)
    {
    case G_TLS_SESSION_OPERATION_HANDSHAKE:
      return "The TLS handshake with";
    case G_TLS_SESSION_OPERATION_READ:
      return "Reading over TLS from";
    case G_TLS_SESSION_OPERATION_WRITE:
      return "Writing over TLS to";
    case G_TLS_SESSION_OPERATION_CLOSE:
    default:
      return "Closing the TLS connection to";
    }
}

static const char *
name_of_peer (GTlsSessionEngine *self)
{
  return self->peer_name != NULL ? self->peer_name : "the peer";
}

/* Reasons are numbered anew in each of OpenSSL's libraries: one of libcrypto's, as of a malformed certificate, is none
 * here.
 */
static int
reason_of (unsigned long code)
{
  return ERR_GET_LIB (code) == ERR_LIB_SSL ? ERR_GET_REASON (code) : 0;
}

/* Not once it has chosen a cipher, or we one for it: what comes then was damaged on its way. */
static gboolean
is_not_tls (GTlsSessionEngine *self, int reason)
{
  if (SSL_get_pending_cipher (self->ssl) != NULL)
    return FALSE;

  switch (reason)
    {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
      return TRUE;
    default:
      return FALSE;
    }
}

/* TLS 1.3 has an alert for it. Before, a server that misses a certificate says no more than that it failed. */
static gboolean
is_certificate_required (GTlsSessionEngine *self, int reason)
{
  switch (reason)
    {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return TRUE;
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return !SSL_is_server (self->ssl) && self->own_certificate == G_TLS_SESSION_OWN_CERTIFICATE_NONE;
    default:
      return FALSE;
    }
}

/* What the peer has to say against our certificate. In TLS 1.3 a client hears of it when its handshake is long done, at
 * its first read.
 */
static gboolean
is_own_certificate_refused (int reason)
{
  switch (reason)
    {
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
      return TRUE;
    default:
      return FALSE;
    }
}

static GTlsError
code_of_reason (GTlsSessionEngine *self, GTlsSessionOperation operation, int reason)
{
  if (operation == G_TLS_SESSION_OPERATION_HANDSHAKE && is_not_tls (self, reason))
    return G_TLS_ERROR_NOT_TLS;
  if (is_certificate_required (self, reason))
    return G_TLS_ERROR_CERTIFICATE_REQUIRED;
  /* A client is to show another one, as far as programs understand it. */
  if (is_own_certificate_refused (reason))
    return SSL_is_server (self->ssl) ? G_TLS_ERROR_HANDSHAKE : G_TLS_ERROR_CERTIFICATE_REQUIRED;

  switch (reason)
    {
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      return G_TLS_ERROR_BAD_CERTIFICATE;
    case SSL_R_TLSV1_ALERT_INAPPROPRIATE_FALLBACK:
    case SSL_R_INAPPROPRIATE_FALLBACK:
      return G_TLS_ERROR_INAPPROPRIATE_FALLBACK;
    default:
      return operation == G_TLS_SESSION_OPERATION_HANDSHAKE ? G_TLS_ERROR_HANDSHAKE : G_TLS_ERROR_MISC;
    }
}

static const struct
{
  GTlsCertificateFlags flag;
  const char *words;
} fault_words[] = {
  { G_TLS_CERTIFICATE_UNKNOWN_CA, "its issuer is not trusted" },
  { G_TLS_CERTIFICATE_BAD_IDENTITY, "it is for another name" },
  { G_TLS_CERTIFICATE_NOT_ACTIVATED, "it is not valid yet" },
  { G_TLS_CERTIFICATE_EXPIRED, "it has expired" },
  { G_TLS_CERTIFICATE_REVOKED, "it is revoked" },
  { G_TLS_CERTIFICATE_INSECURE, "its algorithms are not secure" },
  { G_TLS_CERTIFICATE_GENERIC_ERROR, "it is not valid" },
};

/* Without a name that a certificate can be for, it is not the certificate that is to be looked at. */
static const char *
words_for_fault (GTlsSessionEngine *self, gsize i)
{
  if (fault_words[i].flag == G_TLS_CERTIFICATE_BAD_IDENTITY && self->peer_name == NULL)
    return "the connection has no server identity to compare it with, or one that is no name";
  return fault_words[i].words;
}

static char *
describe_faults (GTlsSessionEngine *self, GTlsCertificateFlags faults)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (fault_words); i++)
    if ((faults & fault_words[i].flag) != 0)
      g_ptr_array_add (words, (gpointer) words_for_fault (self, i));

  if (words->len == 0)
    g_ptr_array_add (words, (gpointer) "it was not accepted");
  g_ptr_array_add (words, NULL);
  return g_strjoinv (", ", (char **) words->pdata);
}

static GError *
error_of_rejection (GTlsSessionEngine *self)
{
  g_autofree char *faults = describe_faults (self, self->verdict_faults);

  if (self->judge_error != NULL)
    return g_error_copy (self->judge_error);
  return g_error_new (G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, "The certificate of %s is unacceptable: %s",
                      name_of_peer (self), faults);
}

static GError *
error_of_missing_certificate (GTlsSessionEngine *self, GTlsSessionOperation operation, const char *text)
{
  if (self->no_certificate_reason != NULL)
    return g_error_copy (self->no_certificate_reason);

  if (!SSL_is_server (self->ssl))
    return g_error_new (G_TLS_ERROR, G_TLS_ERROR_CERTIFICATE_REQUIRED,
                        "%s %s failed: the server requires a certificate, and this connection has none (%s)",
                        name_of_operation (operation), name_of_peer (self), text);

  if (self->own_certificate == G_TLS_SESSION_OWN_CERTIFICATE_NONE)
    return g_error_new (G_TLS_ERROR, G_TLS_ERROR_HANDSHAKE, "%s %s failed: this server has no certificate",
                        name_of_operation (operation), name_of_peer (self));
  return g_error_new (G_TLS_ERROR, G_TLS_ERROR_CERTIFICATE_REQUIRED,
                      "%s %s failed: the client showed no certificate, and this server requires one",
                      name_of_operation (operation), name_of_peer (self));
}

/* Takes what is in OpenSSL's queue. */
static GError *
error_of_queue (GTlsSessionEngine *self, GTlsSessionOperation operation)
{
  int reason = reason_of (ERR_peek_error ());
  g_autofree char *text = g_tls_session_openssl_take_errors ();
  GTlsError code = code_of_reason (self, operation, reason);

  if (code == G_TLS_ERROR_BAD_CERTIFICATE && self->verdict == G_TLS_SESSION_VERDICT_REJECT)
    return error_of_rejection (self);

  if (is_own_certificate_refused (reason))
    return g_error_new (G_TLS_ERROR, (gint) code, "%s %s failed: it does not accept this connection's certificate (%s)",
                        name_of_operation (operation), name_of_peer (self), text);

  if (code == G_TLS_ERROR_CERTIFICATE_REQUIRED || reason == SSL_R_CERT_CB_ERROR)
    return error_of_missing_certificate (self, operation, text);

  if (code == G_TLS_ERROR_NOT_TLS)
    return g_error_new (G_TLS_ERROR, code, "%s %s failed: the answer is not TLS (%s)", name_of_operation (operation),
                        name_of_peer (self), text);

  return g_error_new (G_TLS_ERROR, (gint) code, "%s %s failed: %s", name_of_operation (operation), name_of_peer (self),
                      text);
}

GTlsSessionEngineStatus
g_tls_session_engine_answer_failure (GTlsSessionEngine *self, GError **error)
{
  if (error != NULL)
    *error = g_error_copy (self->failure);
  return G_TLS_SESSION_ENGINE_ERROR;
}

/* For a caller that wonders whether it may send them again. */
static void
tell_of_early_data (GTlsSessionEngine *self, GError *failure)
{
  char *message;

  if (!g_tls_session_engine_may_early_data_have_arrived (self))
    return;

  message = g_strdup_printf ("%s (early data had been sent and may have arrived)", failure->message);
  g_free (failure->message);
  failure->message = message;
}

/* @failure is taken. */
GTlsSessionEngineStatus
g_tls_session_engine_fail (GTlsSessionEngine *self, GError *failure, GError **error)
{
  tell_of_early_data (self, failure);
  g_tls_session_engine_clear_early_data (self);
  g_clear_error (&self->failure);
  self->failure = failure;
  self->state = G_TLS_SESSION_ENGINE_STATE_FAILED;
  return g_tls_session_engine_answer_failure (self, error);
}

/* The verdict on a resumed session's chain came after the handshake; OpenSSL has nothing to say about it. */
GTlsSessionEngineStatus
g_tls_session_engine_fail_rejected (GTlsSessionEngine *self, GError **error)
{
  return g_tls_session_engine_fail (self, error_of_rejection (self), error);
}

static GTlsSessionEngineStatus
answer_end (GTlsSessionEngine *self, GTlsSessionOperation operation, GError **error)
{
  if (operation == G_TLS_SESSION_OPERATION_HANDSHAKE)
    return g_tls_session_engine_fail (self,
                                      g_error_new (G_TLS_ERROR, G_TLS_ERROR_EOF,
                                                   "The TLS handshake with %s failed: the peer closed the connection",
                                                   name_of_peer (self)),
                                      error);

  /* At a close of our own, a FIN is as good an answer as close_notify is. */
  if (operation == G_TLS_SESSION_OPERATION_CLOSE || !self->require_close_notify)
    {
      self->state = G_TLS_SESSION_ENGINE_STATE_PEER_ENDED;
      return G_TLS_SESSION_ENGINE_END;
    }

  g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_EOF,
               "%s ended the connection without a close_notify alert: data may be missing (RFC 8446, section 6.1)",
               self->peer_name != NULL ? self->peer_name : "The peer");
  return G_TLS_SESSION_ENGINE_ERROR;
}

static GTlsSessionEngineStatus
answer_transport (GTlsSessionEngine *self, GTlsSessionOperation operation, GError **error)
{
  GError *failure = g_tls_session_transport_bio_take_error (self->bio);

  /* A write has no end to meet. */
  if (failure == NULL && operation != G_TLS_SESSION_OPERATION_WRITE && g_tls_session_transport_bio_at_end (self->bio))
    return answer_end (self, operation, error);

  /* Behind a record that the transport has refused OpenSSL puts no other one, and does not ask it again. */
  if (failure == NULL)
    failure = g_tls_session_transport_bio_dup_last_error (self->bio);
  if (failure == NULL)
    failure = g_error_new_literal (G_TLS_ERROR, G_TLS_ERROR_MISC, "OpenSSL gives no reason");
  g_prefix_error (&failure, "%s %s failed: ", name_of_operation (operation), name_of_peer (self));

  if (operation == G_TLS_SESSION_OPERATION_HANDSHAKE || operation == G_TLS_SESSION_OPERATION_READ)
    return g_tls_session_engine_fail (self, failure, error);

  g_propagate_error (error, failure);
  return G_TLS_SESSION_ENGINE_ERROR;
}

/* @result is what an SSL_… call other than a success returned. */
GTlsSessionEngineStatus
g_tls_session_engine_interpret (GTlsSessionEngine *self, GTlsSessionOperation operation, int result, GError **error)
{
  switch (SSL_get_error (self->ssl, result))
    {
    case SSL_ERROR_WANT_READ:
      return G_TLS_SESSION_ENGINE_WANTS_READ;
    case SSL_ERROR_WANT_WRITE:
      return G_TLS_SESSION_ENGINE_WANTS_WRITE;
    case SSL_ERROR_WANT_RETRY_VERIFY:
      return G_TLS_SESSION_ENGINE_WANTS_VERDICT;
    case SSL_ERROR_WANT_X509_LOOKUP:
    case SSL_ERROR_WANT_CLIENT_HELLO_CB:
      return G_TLS_SESSION_ENGINE_WANTS_CERTIFICATE;
    case SSL_ERROR_ZERO_RETURN:
      /* OpenSSL says so of a write that failed, too, once the peer's close_notify has come. */
      if (operation == G_TLS_SESSION_OPERATION_WRITE)
        return answer_transport (self, operation, error);
      if (operation == G_TLS_SESSION_OPERATION_HANDSHAKE)
        return answer_end (self, operation, error);
      self->state = G_TLS_SESSION_ENGINE_STATE_PEER_ENDED;
      return G_TLS_SESSION_ENGINE_END;
    case SSL_ERROR_SYSCALL:
      g_tls_session_openssl_clear_errors ();
      return answer_transport (self, operation, error);
    default:
      return g_tls_session_engine_fail (self, error_of_queue (self, operation), error);
    }
}

/* What it means that the transport answered so to a flush. */
GTlsSessionEngineStatus
g_tls_session_engine_interpret_flush (GTlsSessionEngine *self,
                                      GTlsSessionOperation operation,
                                      GTlsSessionTransportStatus status,
                                      GError **error)
{
  switch (status)
    {
    case G_TLS_SESSION_TRANSPORT_DONE:
      return G_TLS_SESSION_ENGINE_DONE;
    case G_TLS_SESSION_TRANSPORT_WOULD_BLOCK:
      return G_TLS_SESSION_ENGINE_WANTS_WRITE;
    case G_TLS_SESSION_TRANSPORT_END:
    case G_TLS_SESSION_TRANSPORT_ERROR:
    default:
      return answer_transport (self, operation, error);
    }
}
