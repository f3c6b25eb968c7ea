/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine-private.h"

#include "openssl-error.h"
#include "transport-bio.h"

/* NOTES:
 *
 * The engine's part of the closing rule (doc/ARCHITECTURE.md, "Closing"). The connection's part is in
 * lib/connection/close.c, which calls in this order: end_write, then either drain or discard.
 */

#define RECORDS_AT_ONCE 64

/* Whether what we sent last may still be on its way, so that closing has to wait for the peer's own end. A connection
 * on which nobody spoke counts as ours: an empty upload is an upload, and TLS 1.3 tickets lie unread in its socket.
 */
gboolean
g_tls_session_engine_peer_must_answer_close (GTlsSessionEngine *self)
{
  return self->state == G_TLS_SESSION_ENGINE_STATE_OPEN &&
         (self->last_speaker == G_TLS_SESSION_SPEAKER_US || self->last_speaker == G_TLS_SESSION_SPEAKER_NOBODY);
}

/* What we sent last belongs to a dialogue. The peer has read before, and no ticket of the handshake's lies unread any
 * more; but there are peers that never answer the end of a dialogue, as libsoup's HTTP/2 server.
 */
gboolean
g_tls_session_engine_peer_may_answer_close (GTlsSessionEngine *self)
{
  return self->state == G_TLS_SESSION_ENGINE_STATE_OPEN && self->last_speaker == G_TLS_SESSION_SPEAKER_US_AFTER_PEER;
}

/* The peer has gone, and took nothing of ours with it: nobody is left to be told of an end. */
static GTlsSessionEngineStatus
forgive_absence (GTlsSessionEngine *self, GTlsSessionEngineStatus status, GError *failure, GError **error)
{
  if (status == G_TLS_SESSION_ENGINE_ERROR && self->last_speaker == G_TLS_SESSION_SPEAKER_PEER &&
      g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE))
    {
      g_error_free (failure);
      return G_TLS_SESSION_ENGINE_DONE;
    }

  if (failure != NULL)
    g_propagate_error (error, failure);
  return status;
}

static GTlsSessionEngineStatus
send_close_notify (GTlsSessionEngine *self, GError **error)
{
  int result;

  /* Once the alert is out, SSL_shutdown() would begin to read. */
  if (self->close_notify == G_TLS_SESSION_CLOSE_NOTIFY_SENT)
    return G_TLS_SESSION_ENGINE_DONE;

  self->close_notify = G_TLS_SESSION_CLOSE_NOTIFY_BEGUN;
  g_tls_session_openssl_clear_errors ();
  result = SSL_shutdown (self->ssl);
  if (result < 0)
    return g_tls_session_engine_interpret (self, G_TLS_SESSION_OPERATION_CLOSE, result, error);

  self->close_notify = G_TLS_SESSION_CLOSE_NOTIFY_SENT;
  return g_tls_session_engine_flush (self, G_TLS_SESSION_OPERATION_CLOSE, error);
}

/* Sends what is left of the last record, then close_notify. Nothing can be written after that. */
GTlsSessionEngineStatus
g_tls_session_engine_end_write (GTlsSessionEngine *self, GError **error)
{
  GTlsSessionEngineStatus status;
  GError *failure = NULL;

  switch (self->state)
    {
    case G_TLS_SESSION_ENGINE_STATE_OPEN:
    case G_TLS_SESSION_ENGINE_STATE_PEER_ENDED:
      status = g_tls_session_engine_flush (self, G_TLS_SESSION_OPERATION_CLOSE, &failure);
      if (status == G_TLS_SESSION_ENGINE_DONE)
        status = send_close_notify (self, &failure);
      return forgive_absence (self, status, failure, error);
    case G_TLS_SESSION_ENGINE_STATE_FRESH:
    case G_TLS_SESSION_ENGINE_STATE_HANDSHAKING:
    case G_TLS_SESSION_ENGINE_STATE_JUDGING:
    case G_TLS_SESSION_ENGINE_STATE_FAILED:
    default:
      return G_TLS_SESSION_ENGINE_DONE; /* there is no session whose end could be told */
    }
}

/* Reads on until the peer has ended its side; what it still sends is thrown away, except for tickets. It answers
 * WANTS_READ now and then even if there is more, for the driver to look after the deadline and the cancellable.
 */
GTlsSessionEngineStatus
g_tls_session_engine_drain (GTlsSessionEngine *self, GError **error)
{
  GTlsSessionEngineStatus status = G_TLS_SESSION_ENGINE_DONE;
  g_autofree guint8 *scratch = NULL;

  if (self->state != G_TLS_SESSION_ENGINE_STATE_OPEN)
    return G_TLS_SESSION_ENGINE_END;

  scratch = g_malloc (SSL3_RT_MAX_PLAIN_LENGTH);
  for (int i = 0; i < RECORDS_AT_ONCE && status == G_TLS_SESSION_ENGINE_DONE; i++)
    {
      size_t n_read = 0;
      int result;

      g_tls_session_openssl_clear_errors ();
      result = SSL_read_ex (self->ssl, scratch, SSL3_RT_MAX_PLAIN_LENGTH, &n_read);
      OPENSSL_cleanse (scratch, n_read);
      if (result != 1)
        status = g_tls_session_engine_interpret (self, G_TLS_SESSION_OPERATION_CLOSE, result, error);
    }

  g_tls_session_transport_bio_release_buffer (self->bio);
  return status == G_TLS_SESSION_ENGINE_DONE ? G_TLS_SESSION_ENGINE_WANTS_READ : status;
}

/* Throws away up to @most bytes that have arrived, undeciphered, so that no unread byte makes a reset of the close. */
void
g_tls_session_engine_discard (GTlsSessionEngine *self, gsize most)
{
  gsize n_discarded;

  /* Why it stopped does not matter: whatever comes now, the socket is about to be closed. */
  (void) g_tls_session_transport_bio_discard (self->bio, most, &n_discarded);
}

/* The transport is about to be closed, and is not used any more. */
void
g_tls_session_engine_cut (GTlsSessionEngine *self)
{
  g_tls_session_transport_bio_cut (self->bio);
}
