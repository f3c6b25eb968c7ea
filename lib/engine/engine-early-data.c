/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine-private.h"

#include <openssl/err.h>
#include <string.h>

#include "openssl-error.h"

/* NOTES:
 *
 * Early data (0-RTT; RFC 8446, section 2.3), of both roles. Where they are is one enum, GTlsSessionEarlyDataState.
 *
 * A client's go out with its ClientHello, under the keys of the session that it offers, before the server has said a
 * word. Whether they may is for the caller to find out first: g_tls_session_engine_explain_no_early_data() knows what
 * the session allows, and the caller, who alone knows whom it trusts, has the session's chain judged. If the server
 * refuses them, or if they could not go first, they are written as the first application data after the handshake, and
 * the handshake is not done before that: nothing else can be written in between.
 *
 * They are for one application protocol. Sent again under another one they would be nonsense at best, and RFC 8446,
 * section 4.2.10, forbids it: the handshake fails then.
 *
 * OpenSSL does not write partially here, and counts the bytes of a call again when that has to be repeated, so that a
 * ticket's permission would seem used up too soon (3.0). So they are written record by record, each when the transport
 * has the one before.
 *
 * A server's are read before the rest of the handshake, and given out when that is done and the client is accepted, never
 * before. OpenSSL's protection against replays is on: while a server takes early data, its TLS 1.3 tickets are names of
 * sessions in the SSL_CTX's cache, and each is taken out of there by the first ClientHello that offers it. The ticket's
 * age is looked at by OpenSSL as well (RFC 8446, section 8.3).
 */

#define RECORD_SIZE SSL3_RT_MAX_PLAIN_LENGTH

static void
byte_array_wipe (GByteArray *array)
{
  OPENSSL_cleanse (array->data, array->len);
  g_byte_array_unref (array);
}

/* Keeps where they are; the bytes go. */
void
g_tls_session_engine_clear_early_data (GTlsSessionEngine *self)
{
  g_clear_pointer (&self->early_data.to_send, g_bytes_unref);
  g_clear_pointer (&self->early_data.protocol, g_free);
  g_clear_pointer (&self->early_data.received, byte_array_wipe);
}

/* A client's */

static gboolean
is_listed (const char *const *protocols, const char *name, gsize length)
{
  return protocols != NULL && protocols[0] != NULL && strlen (protocols[0]) == length &&
         memcmp (protocols[0], name, length) == 0;
}

static char *
dup_protocol (SSL_SESSION *session)
{
  const unsigned char *name = NULL;
  size_t length = 0;

  SSL_SESSION_get0_alpn_selected (session, &name, &length);
  return length > 0 ? g_strndup ((const char *) name, length) : NULL;
}

/* Why @size bytes cannot be sent early with @session: a clause, owned by the caller; NULL if they can. @server_name: for
 * SNI; nullable. @alpn: the connection's; nullable.
 */
char *
g_tls_session_engine_explain_no_early_data (SSL_SESSION *session,
                                            const char *server_name,
                                            const char *const *alpn,
                                            gsize size)
{
  guint32 most = SSL_SESSION_get_max_early_data (session);
  const char *session_name = SSL_SESSION_get0_hostname (session);
  g_autofree char *protocol = dup_protocol (session);

  if (most == 0)
    return g_strdup ("the server's ticket does not permit early data");
  if (size > most)
    return g_strdup_printf ("they are %" G_GSIZE_FORMAT " bytes, and the server's ticket permits %u", size, most);
  if (session_name != NULL && g_strcmp0 (session_name, server_name) != 0)
    return g_strdup_printf ("the ticket is for the server name %s", session_name);
  if (protocol != NULL && !is_listed (alpn, protocol, strlen (protocol)))
    return g_strdup_printf (
      "the ticket is for the application protocol %s, which is not the first of this connection's", protocol);
  return NULL;
}

/* Before the handshake; the session has been set. */
void
g_tls_session_engine_plan_early_data (GTlsSessionEngine *self, const GTlsSessionEngineSettings *settings)
{
  GTlsSessionEarlyData *early = &self->early_data;

  if (settings->early_data == NULL)
    return;

  early->to_send = g_bytes_ref (settings->early_data);
  if (settings->early_data_timing == G_TLS_SESSION_EARLY_DATA_FIRST && settings->session != NULL)
    {
      early->state = G_TLS_SESSION_EARLY_DATA_TO_GO_FIRST;
      early->protocol = dup_protocol (settings->session);
      return;
    }

  early->state = G_TLS_SESSION_EARLY_DATA_TO_GO_LATE;
  early->protocol = settings->alpn != NULL ? g_strdup (settings->alpn[0]) : NULL;
}

/* The BIO takes a record and a ClientHello whole, so that no call has to be repeated. */
static GTlsSessionEngineStatus
write_first (GTlsSessionEngine *self, const guint8 *bytes, gsize count, GError **error)
{
  size_t n_written = 0;
  int result;

  g_tls_session_openssl_clear_errors ();
  result = SSL_write_early_data (self->ssl, bytes, count, &n_written);
  if (result != 1)
    return g_tls_session_engine_interpret (self, G_TLS_SESSION_OPERATION_HANDSHAKE, result, error);

  self->early_data.n_sent += n_written;
  return g_tls_session_engine_flush (self, G_TLS_SESSION_OPERATION_HANDSHAKE, error);
}

static GTlsSessionEngineStatus
send_first (GTlsSessionEngine *self, GError **error)
{
  GTlsSessionEarlyData *early = &self->early_data;
  gsize size;
  const guint8 *bytes = g_bytes_get_data (early->to_send, &size);
  GTlsSessionEngineStatus status;

  early->state = G_TLS_SESSION_EARLY_DATA_GOING_FIRST;
  status = g_tls_session_engine_flush (self, G_TLS_SESSION_OPERATION_HANDSHAKE, error);
  while (status == G_TLS_SESSION_ENGINE_DONE && early->n_sent < size)
    status = write_first (self, bytes + early->n_sent, MIN (size - early->n_sent, RECORD_SIZE), error);

  if (status == G_TLS_SESSION_ENGINE_DONE)
    early->state = G_TLS_SESSION_EARLY_DATA_GONE_FIRST;
  return status;
}

/* The handshake is done, as far as OpenSSL is concerned: what the server said to early data is known. */
void
g_tls_session_engine_note_early_data_answer (GTlsSessionEngine *self)
{
  if (self->early_data.state != G_TLS_SESSION_EARLY_DATA_GONE_FIRST)
    return;

  if (SSL_get_early_data_status (self->ssl) != SSL_EARLY_DATA_ACCEPTED)
    {
      self->early_data.state = G_TLS_SESSION_EARLY_DATA_REFUSED;
      self->early_data.n_sent = 0;
      return;
    }

  self->early_data.state = G_TLS_SESSION_EARLY_DATA_ACCEPTED;
  self->last_speaker = G_TLS_SESSION_SPEAKER_US;
  g_tls_session_engine_clear_early_data (self);
}

static const char *
name_protocol (const char *protocol)
{
  return protocol != NULL ? protocol : "no application protocol";
}

static gboolean
check_protocol (GTlsSessionEngine *self, GError **error)
{
  g_autofree char *chosen = g_tls_session_engine_dup_application_protocol (self);
  const char *meant = self->early_data.protocol;
  gboolean was_refused = self->early_data.state == G_TLS_SESSION_EARLY_DATA_REFUSED;

  if (g_strcmp0 (chosen, meant) == 0 || (!was_refused && chosen == NULL))
    return TRUE;

  g_tls_session_engine_fail (
    self,
    g_error_new (G_TLS_ERROR, G_TLS_ERROR_HANDSHAKE, "The early data were not sent: they are for %s, and %s chose %s%s",
                 name_protocol (meant), self->peer_name != NULL ? self->peer_name : "the server",
                 name_protocol (chosen), was_refused ? " and refused them" : ""),
    error);
  return FALSE;
}

/* A write that failed would leave a gap before whatever is written next. */
static GTlsSessionEngineStatus
fail_for_good (GTlsSessionEngine *self, GError *failure, GError **error)
{
  if (self->state != G_TLS_SESSION_ENGINE_STATE_FAILED)
    return g_tls_session_engine_fail (self, failure, error);

  g_error_free (failure);
  return g_tls_session_engine_answer_failure (self, error);
}

static GTlsSessionEngineStatus
write_on (GTlsSessionEngine *self, GError **error)
{
  GTlsSessionEarlyData *early = &self->early_data;
  gsize size;
  const guint8 *bytes = g_bytes_get_data (early->to_send, &size);
  GTlsSessionEngineStatus status = G_TLS_SESSION_ENGINE_DONE;
  GError *failure = NULL;

  while (status == G_TLS_SESSION_ENGINE_DONE && early->n_sent < size)
    {
      gsize n = 0;

      status = g_tls_session_engine_write (self, bytes + early->n_sent, size - early->n_sent, &n, &failure);
      early->n_sent += n;
    }

  if (status == G_TLS_SESSION_ENGINE_ERROR)
    return fail_for_good (self, failure, error);
  if (status != G_TLS_SESSION_ENGINE_DONE)
    return status;

  early->state = early->state == G_TLS_SESSION_EARLY_DATA_GOING_AGAIN ? G_TLS_SESSION_EARLY_DATA_GONE_AGAIN
                                                                      : G_TLS_SESSION_EARLY_DATA_GONE_LATE;
  g_tls_session_engine_clear_early_data (self);
  return G_TLS_SESSION_ENGINE_DONE;
}

/* The peer has been accepted: what could not go first goes now. */
GTlsSessionEngineStatus
g_tls_session_engine_send_late_early_data (GTlsSessionEngine *self, GError **error)
{
  GTlsSessionEarlyDataState *state = &self->early_data.state;

  switch (*state)
    {
    case G_TLS_SESSION_EARLY_DATA_REFUSED:
    case G_TLS_SESSION_EARLY_DATA_TO_GO_LATE:
      if (!check_protocol (self, error))
        return G_TLS_SESSION_ENGINE_ERROR;
      *state = *state == G_TLS_SESSION_EARLY_DATA_REFUSED ? G_TLS_SESSION_EARLY_DATA_GOING_AGAIN
                                                          : G_TLS_SESSION_EARLY_DATA_GOING_LATE;
      return write_on (self, error);
    case G_TLS_SESSION_EARLY_DATA_GOING_AGAIN:
    case G_TLS_SESSION_EARLY_DATA_GOING_LATE:
      return write_on (self, error);
    default:
      return G_TLS_SESSION_ENGINE_DONE;
    }
}

/* Some or all of them have left, and it is not known what became of them. */
gboolean
g_tls_session_engine_may_early_data_have_arrived (GTlsSessionEngine *self)
{
  switch (self->early_data.state)
    {
    case G_TLS_SESSION_EARLY_DATA_GOING_FIRST:
    case G_TLS_SESSION_EARLY_DATA_GONE_FIRST:
    case G_TLS_SESSION_EARLY_DATA_GOING_AGAIN:
    case G_TLS_SESSION_EARLY_DATA_GOING_LATE:
      return TRUE;
    default:
      return FALSE;
    }
}

/* A server's */

static int
on_may_take_early_data (SSL *ssl, void *data)
{
  GTlsSessionEngine *self = SSL_get_app_data (ssl);
  SSL_SESSION *session = SSL_get_session (ssl);

  return self != NULL && session != NULL && SSL_SESSION_get_max_early_data (session) <= self->early_data.most;
}

/* @most: 0 for none. FALSE with OpenSSL's queue saying why. */
gboolean
g_tls_session_engine_accept_early_data (GTlsSessionEngine *self, guint32 most)
{
  self->early_data.most = most;
  if (most == 0)
    return TRUE;

  self->early_data.state = G_TLS_SESSION_EARLY_DATA_RECEIVING;
  SSL_set_allow_early_data_cb (self->ssl, on_may_take_early_data, NULL);
  return SSL_set_max_early_data (self->ssl, most) == 1;
}

static void
keep_received (GTlsSessionEngine *self, const guint8 *bytes, gsize count)
{
  if (self->early_data.received == NULL)
    self->early_data.received = g_byte_array_sized_new (self->early_data.most); /* growing would leave copies */
  g_byte_array_append (self->early_data.received, bytes, (guint) count);
}

/* OpenSSL ends the handshake with a client that sends more than its ticket permits. */
static GTlsSessionEngineStatus
receive (GTlsSessionEngine *self, GError **error)
{
  guint8 *record = g_malloc (RECORD_SIZE);
  int result;

  do
    {
      size_t n_read = 0;

      g_tls_session_openssl_clear_errors ();
      result = SSL_read_early_data (self->ssl, record, RECORD_SIZE, &n_read);
      if (result == SSL_READ_EARLY_DATA_SUCCESS)
        keep_received (self, record, n_read);
    }
  while (result == SSL_READ_EARLY_DATA_SUCCESS);

  OPENSSL_cleanse (record, RECORD_SIZE);
  g_free (record);
  /* The call that brings the end of early data reads on, and answers FINISH though what it read then ended the handshake.
   * Another call would fail without a reason.
   */
  if (result == SSL_READ_EARLY_DATA_ERROR || ERR_peek_error () != 0)
    return g_tls_session_engine_interpret (self, G_TLS_SESSION_OPERATION_HANDSHAKE, 0, error);

  self->early_data.state = G_TLS_SESSION_EARLY_DATA_RECEIVED;
  if (self->early_data.received != NULL)
    self->last_speaker = G_TLS_SESSION_SPEAKER_PEER;
  return G_TLS_SESSION_ENGINE_DONE;
}

static void
wipe_and_free (gpointer array)
{
  byte_array_wipe (array);
}

/* What a server received, owned by the caller; NULL if that is nothing, and before the client has been accepted. The
 * bytes are wiped when they are freed.
 */
GBytes *
g_tls_session_engine_take_early_data (GTlsSessionEngine *self)
{
  GByteArray *received;

  if (self->state != G_TLS_SESSION_ENGINE_STATE_OPEN || self->early_data.received == NULL)
    return NULL;

  received = g_steal_pointer (&self->early_data.received);
  return g_bytes_new_with_free_func (received->data, received->len, wipe_and_free, received);
}

/* Both: what comes before the rest of the handshake */

GTlsSessionEngineStatus
g_tls_session_engine_pass_early_data (GTlsSessionEngine *self, GError **error)
{
  switch (self->early_data.state)
    {
    case G_TLS_SESSION_EARLY_DATA_TO_GO_FIRST:
    case G_TLS_SESSION_EARLY_DATA_GOING_FIRST:
      return send_first (self, error);
    case G_TLS_SESSION_EARLY_DATA_RECEIVING:
      return receive (self, error);
    default:
      return G_TLS_SESSION_ENGINE_DONE;
    }
}

GTlsSessionEarlyDataState
g_tls_session_engine_get_early_data_state (GTlsSessionEngine *self)
{
  return self->early_data.state;
}
