/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What fails is told in the domain and with the code that Gio's documentation names. */

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/sslerr.h>

#include "stranger.h"

static void
assert_handshake_fails (Scene *scene, GTlsConnection *ours, GTlsConnection *place, StrangerPart part, GTlsError code)
{
  Stranger stranger = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) again = NULL;
  g_autoptr (GError) from_write = NULL;

  stranger_begin (&stranger, scene, place, part);
  g_assert_false (scene_shake_one_hand (scene, ours, NULL, &error));
  g_assert_error (error, G_TLS_ERROR, (int) code);
  stranger_end (&stranger);

  /* A connection that failed stays so. */
  g_assert_false (scene_shake_one_hand (scene, ours, NULL, &again));
  g_assert_error (again, G_TLS_ERROR, (int) code);
  g_assert_cmpint (scene_write (scene, ours, "x", 1, &from_write), ==, -1);
  g_assert_error (from_write, G_TLS_ERROR, (int) code);
}

static void
listen_once (Stranger *self)
{
  char some[4096];

  g_assert_cmpint (recv (self->fd, some, sizeof some, 0), >, 0);
}

static void
send_bytes (Stranger *self, const void *bytes, gsize size)
{
  g_assert_cmpint (send (self->fd, bytes, size, MSG_NOSIGNAL), ==, (gssize) size);
}

/* NOT_TLS */

static void
answer_in_plain_text (Stranger *self)
{
  listen_once (self);
  send_bytes (self, "220 good day\r\n", 14);
}

static void
ask_in_plain_text (Stranger *self)
{
  send_bytes (self, "EHLO client.example.org\r\n", 25);
}

static void
ask_in_http (Stranger *self)
{
  send_bytes (self, "GET / HTTP/1.1\r\n\r\n", 18);
}

static void
plain_text_is_not_tls (Scene *scene)
{
  assert_handshake_fails (scene, scene->client, scene->server, answer_in_plain_text, G_TLS_ERROR_NOT_TLS);
  scene_begin_again (scene);
  assert_handshake_fails (scene, scene->server, scene->client, ask_in_plain_text, G_TLS_ERROR_NOT_TLS);
  scene_begin_again (scene);
  assert_handshake_fails (scene, scene->server, scene->client, ask_in_http, G_TLS_ERROR_NOT_TLS);
}

/* EOF */

static void
hang_up (Stranger *self)
{
  shutdown (self->fd, SHUT_RDWR);
}

static void
hang_up_after_hello (Stranger *self)
{
  listen_once (self);
  hang_up (self);
}

static void
hang_up_amid_hello (Stranger *self)
{
  send_bytes (self, "\x16\x03\x01\x02\x00\x01", 6);
  shutdown (self->fd, SHUT_WR);
}

static void
handshake_cut_off_is_eof (Scene *scene)
{
  assert_handshake_fails (scene, scene->client, scene->server, hang_up_after_hello, G_TLS_ERROR_EOF);
  scene_begin_again (scene);
  assert_handshake_fails (scene, scene->server, scene->client, hang_up, G_TLS_ERROR_EOF);
  scene_begin_again (scene);
  assert_handshake_fails (scene, scene->server, scene->client, hang_up_amid_hello, G_TLS_ERROR_EOF);
}

static void
hang_up_amid_a_record (Stranger *self)
{
  g_assert_cmpint (SSL_do_handshake (self->ssl), ==, 1);
  send_bytes (self, "\x17\x03\x03\x01\x00some", 9);
  hang_up (self);
}

static void
record_cut_off_is_eof (Scene *scene)
{
  Stranger stranger = { 0 };
  g_autoptr (GError) error = NULL;
  char some[100];

  stranger_begin (&stranger, scene, scene->server, hang_up_amid_a_record);
  g_assert_cmpint (scene_read (scene, scene->client, some, sizeof some, &error), ==, -1);
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_EOF);
  stranger_end (&stranger);
}

/* HANDSHAKE */

static void
assert_nothing_in_common (Scene *scene)
{
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;

  scene_shake_hands (scene, &client_error, &server_error);
  g_assert_error (client_error, G_TLS_ERROR, G_TLS_ERROR_HANDSHAKE);
  g_assert_error (server_error, G_TLS_ERROR, G_TLS_ERROR_HANDSHAKE);
}

static void
no_common_version_is_told_to_both (Scene *scene)
{
  GTlsSessionConnection *client = G_TLS_SESSION_CONNECTION (scene->client);
  GTlsSessionConnection *server = G_TLS_SESSION_CONNECTION (scene->server);
  gboolean is_old = scene->version == G_TLS_PROTOCOL_VERSION_TLS_1_2;
  GTlsProtocolVersion other = is_old ? G_TLS_PROTOCOL_VERSION_TLS_1_3 : G_TLS_PROTOCOL_VERSION_TLS_1_2;

  g_assert_cmpint (g_tls_session_connection_get_maximum_protocol_version (client), ==, scene->version);
  g_tls_session_connection_set_minimum_protocol_version (server, other);
  g_tls_session_connection_set_maximum_protocol_version (server, other);
  assert_nothing_in_common (scene);
}

static void
offer_a_cipher_of_rsa_only (Stranger *self)
{
  g_assert_cmpint (SSL_set_max_proto_version (self->ssl, TLS1_2_VERSION), ==, 1);
  g_assert_cmpint (SSL_set_cipher_list (self->ssl, "ECDHE-RSA-AES128-GCM-SHA256"), ==, 1);
  g_assert_cmpint (SSL_do_handshake (self->ssl), !=, 1);
  self->reason = stranger_take_reason ();
}

static void
no_common_cipher_is_a_handshake_error (Scene *scene)
{
  assert_handshake_fails (scene, scene->server, scene->client, offer_a_cipher_of_rsa_only, G_TLS_ERROR_HANDSHAKE);
}

static void
alert_handshake_failure (Stranger *self)
{
  listen_once (self);
  send_bytes (self, "\x15\x03\x03\x00\x02\x02\x28", 7);
}

static void
peer_that_refuses_is_a_handshake_error (Scene *scene)
{
  assert_handshake_fails (scene, scene->client, scene->server, alert_handshake_failure, G_TLS_ERROR_HANDSHAKE);
}

/* INAPPROPRIATE_FALLBACK (RFC 7507): we never fall back, so that only a server in error tells a client of ours so. */

static void
fall_back (Stranger *self)
{
  g_assert_cmpint (SSL_set_max_proto_version (self->ssl, TLS1_2_VERSION), ==, 1);
  SSL_set_mode (self->ssl, SSL_MODE_SEND_FALLBACK_SCSV);
  g_assert_cmpint (SSL_do_handshake (self->ssl), !=, 1);
  self->reason = stranger_take_reason ();
}

static void
alert_inappropriate_fallback (Stranger *self)
{
  listen_once (self);
  send_bytes (self, "\x15\x03\x03\x00\x02\x02\x56", 7);
}

static void
fallback_is_told (Scene *scene)
{
  Stranger stranger = { 0 };
  g_autoptr (GError) error = NULL;

  stranger_begin (&stranger, scene, scene->client, fall_back);
  g_assert_false (scene_shake_one_hand (scene, scene->server, NULL, &error));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_INAPPROPRIATE_FALLBACK);
  stranger_end (&stranger);
  g_assert_cmpint (stranger.reason, ==, SSL_R_TLSV1_ALERT_INAPPROPRIATE_FALLBACK);

  scene_begin_again (scene);
  assert_handshake_fails (scene, scene->client, scene->server, alert_inappropriate_fallback,
                          G_TLS_ERROR_INAPPROPRIATE_FALLBACK);
}

/* BAD_CERTIFICATE: test-verdict.c, test-certificate.c. MISC: */

static void
send_a_forged_record (Stranger *self)
{
  g_assert_cmpint (SSL_do_handshake (self->ssl), ==, 1);
  send_bytes (self, "\x17\x03\x03\x00\x20This was not enciphered by anyone", 38);
}

static void
forged_record_is_told (Scene *scene)
{
  Stranger stranger = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) from_write = NULL;
  char some[100];

  stranger_begin (&stranger, scene, scene->server, send_a_forged_record);
  g_assert_cmpint (scene_read (scene, scene->client, some, sizeof some, &error), ==, -1);
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_MISC);
  stranger_end (&stranger);

  /* Nothing of ours goes to whoever sent that, and the reason stays the same. */
  g_assert_cmpint (scene_write (scene, scene->client, "x", 1, &from_write), ==, -1);
  g_assert_error (from_write, G_TLS_ERROR, G_TLS_ERROR_MISC);
  g_assert_cmpstr (from_write->message, ==, error->message);
}

/* G_IO_ERROR */

static void
closed_is_closed (Scene *scene)
{
  g_autoptr (GError) error = NULL;
  char byte;

  g_tls_session_connection_set_close_timeout (G_TLS_SESSION_CONNECTION (scene->client), 0);
  scene_shake_hands_well (scene);
  g_assert_true (scene_close (scene, scene->client, &error));
  g_assert_no_error (error);
  g_assert_true (g_io_stream_is_closed (G_IO_STREAM (scene->client_socket)));
  g_assert_true (scene_close (scene, scene->client, &error)); /* once more does nothing */
  g_assert_no_error (error);

  g_assert_cmpint (scene_read (scene, scene->client, &byte, 1, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_cmpint (scene_write (scene, scene->client, "x", 1, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_false (scene_shake_one_hand (scene, scene->client, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

static void
closed_below_is_closed (Scene *scene)
{
  g_autoptr (GError) error = NULL;
  char byte;

  scene_shake_hands_well (scene);
  g_assert_true (g_io_stream_close (G_IO_STREAM (scene->client_socket), NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (scene_write (scene, scene->client, "x", 1, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_cmpint (scene_read (scene, scene->client, &byte, 1, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

static void
peer_that_is_gone_cannot_be_written_to (Scene *scene)
{
  g_autoptr (GError) error = NULL;

  scene_shake_hands_well (scene);
  scene_talk (scene);
  g_assert_true (g_io_stream_close (G_IO_STREAM (scene->server_socket), NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (scene_write (scene, scene->client, "x", 1, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE);
}

/* It went without reading what was sent to it, which is a reset. */
static void
peer_that_reset_cannot_be_read_from (Scene *scene)
{
  g_autoptr (GError) error = NULL;
  char byte;

  scene_shake_hands_well (scene);
  scene_talk (scene);
  g_assert_cmpint (scene_write (scene, scene->client, "unread", 6, &error), ==, 6);
  g_assert_no_error (error);
  g_assert_true (g_io_stream_close (G_IO_STREAM (scene->server_socket), NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (scene_read (scene, scene->client, &byte, 1, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED);
}

/* Gio itself keeps two operations of one stream apart. */
static void
second_read_of_a_stream_is_pending (Scene *scene)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) awaited = NULL;
  g_autoptr (GError) error = NULL;
  char byte;
  char other;

  scene_shake_hands_well (scene);
  g_input_stream_read_async (scene_input (scene->client), &byte, 1, G_PRIORITY_DEFAULT, NULL, client_keep_result,
                             &result);
  g_assert_cmpint (g_input_stream_read (scene_input (scene->client), &other, 1, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
  g_clear_error (&error);
  g_assert_cmpint (scene_write (scene, scene->server, "x", 1, &error), ==, 1);
  awaited = client_await (&result);
  g_assert_cmpint (g_input_stream_read_finish (scene_input (scene->client), awaited, &error), ==, 1);
  g_assert_no_error (error);
}

static gboolean
shake_hands_again (GTlsConnection *connection, GTlsCertificate *certificate, GTlsCertificateFlags errors, gpointer data)
{
  g_autoptr (GError) error = NULL;
  guint *n_asked = data;

  (*n_asked)++;
  g_assert_false (g_tls_connection_handshake (connection, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
  return TRUE;
}

/* A handler that uses the connection would wait for itself. */
static void
handshake_within_a_handshake_is_pending (Scene *scene)
{
  guint n_asked = 0;

  g_tls_connection_set_database (scene->client, NULL);
  g_signal_connect (scene->client, "accept-certificate", G_CALLBACK (shake_hands_again), &n_asked);
  scene_shake_hands_well (scene);
  g_assert_cmpuint (n_asked, ==, 1);
  scene_talk (scene);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define STORY(name) scene_add_story ("/contract/failures/" #name, name)
  STORY (plain_text_is_not_tls);
  STORY (handshake_cut_off_is_eof);
  STORY (record_cut_off_is_eof);
  STORY (no_common_version_is_told_to_both);
  STORY (no_common_cipher_is_a_handshake_error);
  STORY (peer_that_refuses_is_a_handshake_error);
  STORY (fallback_is_told);
  STORY (forged_record_is_told);
  STORY (closed_is_closed);
  STORY (closed_below_is_closed);
  STORY (peer_that_is_gone_cannot_be_written_to);
  STORY (peer_that_reset_cannot_be_read_from);
  STORY (second_read_of_a_stream_is_pending);
  scene_add_blocking_story ("/contract/failures/handshake_within_a_handshake_is_pending",
                            handshake_within_a_handshake_is_pending);

  return g_test_run ();
}
