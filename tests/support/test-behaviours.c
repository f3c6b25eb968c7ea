/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-server-private.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>

#define BUFFER_SIZE (64 * 1024)

guint8
test_server_greeting_byte (gsize position)
{
  return (guint8) ('a' + position % 23);
}

/* Ends */

static void
note_error (TestPeer *peer)
{
  unsigned long code = ERR_get_error ();
  char text[256];

  ERR_error_string_n (code, text, sizeof text);
  g_free (peer->record.error);
  peer->record.error = g_strdup (code != 0 ? text : g_strerror (errno));
  ERR_clear_error ();
}

static TestEnd
end_of_read (TestPeer *peer, int result)
{
  int saved_errno = errno;

  switch (SSL_get_error (peer->ssl, result))
    {
    case SSL_ERROR_ZERO_RETURN:
      return TEST_END_CLOSE_NOTIFY;
    case SSL_ERROR_SYSCALL:
      if (saved_errno == ECONNRESET)
        return TEST_END_RESET;
      return saved_errno == 0 ? TEST_END_FIN : TEST_END_FAILED;
    case SSL_ERROR_SSL:
      if (ERR_GET_REASON (ERR_peek_error ()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
        return TEST_END_FIN;
      return TEST_END_FAILED;
    default:
      return TEST_END_FAILED;
    }
}

/* Says goodbye properly, if the client did. */
static void
answer_end (TestPeer *peer)
{
  if (peer->record.end == TEST_END_CLOSE_NOTIFY && SSL_shutdown (peer->ssl) < 0)
    note_error (peer);
  ERR_clear_error ();
}

/* Reading and writing. FALSE once the connection has ended. */

static gboolean
receive (TestPeer *peer, guint8 *buffer, gsize size, gsize *n_read)
{
  int result;

  ERR_clear_error ();
  errno = 0;
  *n_read = 0;
  result = SSL_read_ex (peer->ssl, buffer, size, n_read);
  if (result == 1)
    {
      peer->record.n_received += *n_read;
      g_checksum_update (peer->checksum, buffer, (gssize) *n_read);
      return TRUE;
    }

  peer->record.end = end_of_read (peer, result);
  if (peer->record.end == TEST_END_FAILED)
    note_error (peer);
  return FALSE;
}

static gboolean
transmit (TestPeer *peer, const guint8 *bytes, gsize size)
{
  gsize n_written;

  ERR_clear_error ();
  if (size == 0 || SSL_write_ex (peer->ssl, bytes, size, &n_written) == 1)
    return TRUE;

  peer->record.end = errno == ECONNRESET || errno == EPIPE ? TEST_END_RESET : TEST_END_FAILED;
  note_error (peer);
  return FALSE;
}

static gboolean
send_ticket (TestPeer *peer)
{
  if (SSL_new_session_ticket (peer->ssl) == 1 && SSL_do_handshake (peer->ssl) == 1)
    return TRUE;

  peer->record.end = TEST_END_FAILED;
  note_error (peer);
  return FALSE;
}

static gboolean
greet (TestPeer *peer)
{
  gsize size = peer->options->greeting_size > 0 ? peer->options->greeting_size : 1000;
  g_autofree guint8 *greeting = g_malloc (size);

  for (gsize i = 0; i < size; i++)
    greeting[i] = test_server_greeting_byte (i);
  return transmit (peer, greeting, size);
}

static gboolean
prepare_answer (TestPeer *peer, const guint8 *bytes, gsize size)
{
  static const char request[] = "TICKET\n";

  if (peer->options->behaviour == TEST_BEHAVIOUR_KEY_UPDATE)
    return SSL_key_update (peer->ssl, SSL_KEY_UPDATE_REQUESTED) == 1;
  if (peer->options->behaviour == TEST_BEHAVIOUR_TICKET_ON_REQUEST && size == strlen (request) &&
      memcmp (bytes, request, size) == 0)
    return send_ticket (peer);
  return TRUE;
}

/* Behaviours */

static void
echo (TestPeer *peer)
{
  g_autofree guint8 *buffer = g_malloc (BUFFER_SIZE);
  gsize n_read;

  while (receive (peer, buffer, BUFFER_SIZE, &n_read))
    if (!prepare_answer (peer, buffer, n_read) || !transmit (peer, buffer, n_read))
      return;
  answer_end (peer);
}

static void
go_on_after_greeting (TestPeer *peer)
{
  g_atomic_int_inc (peer->n_greeted);
  g_usleep (peer->options->read_delay_ms * 1000);
  echo (peer);
}

static void
wait_until_it_may_read (TestPeer *peer)
{
  g_usleep (peer->options->read_delay_ms * 1000);
  while (peer->options->may_read != NULL && !g_atomic_int_get (peer->options->may_read))
    g_usleep (1000);
}

static void
sink (TestPeer *peer)
{
  g_autofree guint8 *buffer = g_malloc (BUFFER_SIZE);
  guint64 next_pause = BUFFER_SIZE;
  gsize n_read;

  wait_until_it_may_read (peer);
  while (receive (peer, buffer, BUFFER_SIZE, &n_read))
    if (peer->options->pause_ms > 0 && peer->record.n_received >= next_pause)
      {
        g_usleep (peer->options->pause_ms * 1000);
        next_pause = peer->record.n_received + BUFFER_SIZE;
      }
  answer_end (peer);
}

static void
wait_until_gone (TestPeer *peer)
{
  guint8 *buffer = g_malloc (BUFFER_SIZE);
  ssize_t n;

  /* Underneath TLS: nothing is deciphered and nothing answered. */
  do
    n = recv (peer->fd, buffer, BUFFER_SIZE, 0);
  while (n > 0);
  peer->record.end = n == 0 ? TEST_END_FIN : TEST_END_RESET;
  g_free (buffer);
}

static void
stay_silent (TestPeer *peer)
{
  while (!g_atomic_int_get (peer->stopping))
    g_usleep (5 * 1000);
  peer->record.end = TEST_END_OURS;
}

static void
flood (TestPeer *peer)
{
  g_autofree guint8 *buffer = g_malloc0 (BUFFER_SIZE);

  while (!g_atomic_int_get (peer->stopping) && transmit (peer, buffer, BUFFER_SIZE))
    ;
}

static void
flood_with_tickets (TestPeer *peer)
{
  while (!g_atomic_int_get (peer->stopping) && send_ticket (peer))
    ;
}

static void
send_garbage (TestPeer *peer)
{
  static const char garbage[] = "\x17\x03\x03\x00\x20This was not enciphered by anyone";

  if (send (peer->fd, garbage, sizeof garbage - 1, MSG_NOSIGNAL) < 0)
    peer->record.error = g_strdup (g_strerror (errno));
  peer->record.end = TEST_END_OURS;
}

static void
echo_once (TestPeer *peer)
{
  g_autofree guint8 *buffer = g_malloc (BUFFER_SIZE);
  const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
  gsize n_read;

  if (!receive (peer, buffer, BUFFER_SIZE, &n_read) || !transmit (peer, buffer, n_read))
    return;
  if (peer->options->behaviour == TEST_BEHAVIOUR_RESET)
    g_assert_cmpint (setsockopt (peer->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), ==, 0);
  if (peer->options->behaviour == TEST_BEHAVIOUR_FAREWELL)
    g_assert_cmpint (SSL_shutdown (peer->ssl), >=, 0);
  peer->record.end = TEST_END_OURS;
}

void
test_behave (TestPeer *peer)
{
  switch (peer->options->behaviour)
    {
    case TEST_BEHAVIOUR_SINK:
      sink (peer);
      break;
    case TEST_BEHAVIOUR_GREET:
      if (greet (peer))
        go_on_after_greeting (peer);
      break;
    case TEST_BEHAVIOUR_GREET_THEN_TICKET:
      if (greet (peer) && send_ticket (peer))
        go_on_after_greeting (peer);
      break;
    case TEST_BEHAVIOUR_GREET_THEN_SILENT:
      if (greet (peer))
        stay_silent (peer);
      break;
    case TEST_BEHAVIOUR_SILENT:
      stay_silent (peer);
      break;
    case TEST_BEHAVIOUR_FLOOD:
      flood (peer);
      break;
    case TEST_BEHAVIOUR_TICKET_FLOOD:
      flood_with_tickets (peer);
      break;
    case TEST_BEHAVIOUR_GARBAGE:
      send_garbage (peer);
      break;
    case TEST_BEHAVIOUR_ABRUPT:
    case TEST_BEHAVIOUR_RESET:
    case TEST_BEHAVIOUR_FAREWELL:
      echo_once (peer);
      break;
    case TEST_BEHAVIOUR_STALL:
      wait_until_gone (peer);
      break;
    case TEST_BEHAVIOUR_ECHO:
    case TEST_BEHAVIOUR_TICKET_ON_REQUEST:
    case TEST_BEHAVIOUR_KEY_UPDATE:
    case TEST_BEHAVIOUR_NOT_TLS:
    case TEST_BEHAVIOUR_DECLINE:
    case TEST_N_BEHAVIOURS:
    default:
      echo (peer);
      break;
    }
}
