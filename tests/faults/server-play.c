/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "server-play.h"

#include <string.h>

static const ServerOrder *
order_of (Play *self)
{
  return self->order;
}

static GTlsSessionServerConnection *
server_of (Play *self)
{
  return G_TLS_SESSION_SERVER_CONNECTION (self->stream);
}

/* A server is asked about every certificate. */
static gboolean
on_accept_certificate (GTlsConnection *server, GTlsCertificate *certificate, GTlsCertificateFlags faults, gpointer data)
{
  return faults == 0;
}

static void
make_server (Play *self, GIOStream *base)
{
  const ServerOrder *order = self->order;
  g_autoptr (GError) error = NULL;
  GTlsSessionServerConnection *server = g_tls_session_server_connection_new (base, order->certificate, &error);

  g_assert_no_error (error);
  self->subject = G_OBJECT (server);
  self->stream = G_IO_STREAM (server);
  g_object_set (server, "ticket-keys", order->keys, "max-early-data", order->max_early_data, "minimum-protocol-version",
                order->version, "maximum-protocol-version", order->version, NULL);
  if (order->client_database == NULL)
    return;

  g_object_set (server, "database", order->client_database, "authentication-mode", G_TLS_AUTHENTICATION_REQUESTED,
                NULL);
  g_signal_connect (server, "accept-certificate", G_CALLBACK (on_accept_certificate), NULL);
}

/* They come before the stream. */
static void
take_early_data (Play *self)
{
  g_autoptr (GBytes) bytes = g_tls_session_server_connection_dup_early_data (server_of (self));
  gsize size = bytes != NULL ? g_bytes_get_size (bytes) : 0;

  if (size != (order_of (self)->early_data ? EARLY_SIZE : 0))
    play_note_flaw (self, "%" G_GSIZE_FORMAT " bytes of early data came", size);
  else if (size > 0)
    memcpy (self->said, g_bytes_get_data (bytes, NULL), size);
  self->n_said = size;
}

/* Nothing of a client's is given out, and nothing is told to it, before the handshake is done. */
static void
check_closed (Play *self)
{
  g_autoptr (GBytes) early_data = g_tls_session_server_connection_dup_early_data (server_of (self));

  if (self->n_said > 0 || early_data != NULL)
    play_note_flaw (self, "it gave out bytes of a client's that it never shook hands with");
  if (peer_get_heard (self->peer)->len > 0)
    play_note_flaw (self, "it told %u bytes to a client that it never shook hands with",
                    peer_get_heard (self->peer)->len);
}

/* Both sides say the same of the session. */
static void
check_resumption (Play *self)
{
  GTlsSessionResumption resumption;

  g_object_get (self->stream, "resumption", &resumption, NULL);
  if (resumption != order_of (self)->resumption)
    play_note_flaw (self, "resumption is %d", resumption);
  if (peer_is_open (self->peer) && peer_was_resumed (self->peer) != (resumption == G_TLS_SESSION_RESUMPTION_RESUMED))
    play_note_flaw (self, "resumption is %d, and the client thinks otherwise", resumption);
}

static void
check_certificate (Play *self)
{
  GTlsCertificate *certificate = g_tls_connection_get_peer_certificate (G_TLS_CONNECTION (self->stream));
  GTlsCertificate *expected = order_of (self)->client;

  if ((certificate != NULL) != (expected != NULL) ||
      (expected != NULL && !g_tls_certificate_is_same (certificate, expected)))
    play_note_flaw (self, "it knows its client by another certificate");
}

/* Who opens has had the client's Finished. With TLS 1.2 and a full handshake the client's comes before the server's. */
static void
check_open (Play *self)
{
  if (self->this_case->shape != SHAPE_TLS12 && !peer_is_open (self->peer))
    play_note_flaw (self, "it is open, and its client's handshake is not done");
  check_resumption (self);
  check_certificate (self);
}

static void
keep_a_ticket (Play *self)
{
  SSL_SESSION *session = peer_get_session (self->peer);
  unsigned char *der = NULL;
  int size;

  if (session == NULL)
    return;
  size = i2d_SSL_SESSION (session, &der);
  g_assert_cmpint (size, >, 0);
  self->outcome->ticket = g_bytes_new (der, (gsize) size);
  OPENSSL_free (der);
}

static void
check_server (Play *self)
{
  if (play_was_open (self))
    check_open (self);
  else
    check_closed (self);
  keep_a_ticket (self);
}

static const PlaySide server_side = {
  .make = make_server,
  .opened = take_early_data,
  .check = check_server,
};

void
server_play (const ServerOrder *order, const Case *this_case, Outcome *outcome)
{
  Peer *peer = peer_new_client (order->context, order->session, order->early_data ? EARLY_SIZE : 0);

  play (&server_side, order, peer, this_case, outcome);
}
