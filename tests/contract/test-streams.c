/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reading, writing and closing, of either side: implicit handshakes, half closes, threads, timeouts, cancellation. */

#include <string.h>

#include "scene.h"

#define LONG_SIZE (1024 * 1024)

static void
assert_at_end (Scene *scene, GTlsConnection *side)
{
  g_autoptr (GError) error = NULL;
  char byte;

  g_assert_cmpint (scene_read (scene, side, &byte, 1, &error), ==, 0);
  g_assert_no_error (error);
}

static void
assert_eof_error (Scene *scene, GTlsConnection *side)
{
  g_autoptr (GError) error = NULL;
  char byte;

  g_assert_cmpint (scene_read (scene, side, &byte, 1, &error), ==, -1);
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_EOF);
}

static void
assert_closes (Scene *scene, gpointer stream)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (scene_close (scene, stream, &error));
  g_assert_no_error (error);
}

static void
do_not_wait (GTlsConnection *side)
{
  g_tls_session_connection_set_close_timeout (G_TLS_SESSION_CONNECTION (side), 0);
}

/* require-close-notify */

/* Each side in turn is cut off. */
static void
cut_off_is_an_error (Scene *scene)
{
  g_assert_true (g_tls_connection_get_require_close_notify (scene->client));
  scene_shake_hands_well (scene);
  scene_talk (scene);
  assert_closes (scene, scene->server_socket);
  assert_eof_error (scene, scene->client);

  scene_begin_again (scene);
  scene_shake_hands_well (scene);
  scene_talk (scene);
  assert_closes (scene, scene->client_socket);
  assert_eof_error (scene, scene->server);
}

static void
cut_off_may_be_allowed (Scene *scene)
{
  g_tls_connection_set_require_close_notify (scene->client, FALSE);
  g_assert_false (g_tls_connection_get_require_close_notify (scene->client));
  scene_shake_hands_well (scene);
  scene_talk (scene);
  assert_closes (scene, scene->server_socket);
  assert_at_end (scene, scene->client);

  scene_begin_again (scene);
  scene_shake_hands_well (scene);
  scene_talk (scene);
  g_tls_connection_set_require_close_notify (scene->server, FALSE); /* also when it is open already */
  assert_closes (scene, scene->client_socket);
  assert_at_end (scene, scene->server);
}

/* "g_io_stream_close() […] will send a close notification regardless of the setting". */
static void
close_says_so_in_any_case (Scene *scene)
{
  g_tls_connection_set_require_close_notify (scene->client, FALSE);
  do_not_wait (scene->client);
  scene_shake_hands_well (scene);
  scene_talk (scene);
  assert_closes (scene, scene->client);
  assert_at_end (scene, scene->server);
}

static void
close_after_the_peer_is_quiet (Scene *scene)
{
  do_not_wait (scene->server);
  scene_shake_hands_well (scene);
  scene_talk (scene);
  assert_closes (scene, scene->server);
  assert_closes (scene, scene->client);
}

/* Nobody knows then whether the peer has read it. */
static void
close_after_the_peer_is_an_error_where_something_may_be_lost (Scene *scene)
{
  g_autoptr (GError) error = NULL;

  do_not_wait (scene->client);
  scene_shake_hands_well (scene);
  scene_talk (scene);
  assert_closes (scene, scene->client);
  g_assert_false (scene_close (scene, scene->server, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE);
  g_assert_true (g_io_stream_is_closed (G_IO_STREAM (scene->server_socket)));
}

static void
close_before_the_handshake_is_quiet (Scene *scene)
{
  assert_closes (scene, scene->client);
  assert_closes (scene, scene->server);
}

static void
close_after_a_failed_handshake_is_quiet (Scene *scene)
{
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;

  g_tls_connection_set_database (scene->client, NULL);
  scene_shake_hands (scene, &client_error, &server_error);
  g_assert_error (client_error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  assert_closes (scene, scene->client);
  assert_closes (scene, scene->server);
}

/* Half closes */

static void
closing_the_output_leaves_the_input (Scene *scene)
{
  for (int i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = NULL;
      GTlsConnection *first = i == 0 ? scene->client : scene->server;
      GTlsConnection *second = i == 0 ? scene->server : scene->client;

      do_not_wait (second);
      scene_shake_hands_well (scene);
      scene_talk (scene);
      assert_closes (scene, scene_output (first));
      assert_at_end (scene, second);
      g_assert_cmpint (scene_write (scene, first, "x", 1, &error), ==, -1);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
      scene_say (scene, second, first, "a last word");
      scene_say (scene, second, first, "and another one");
      assert_closes (scene, second);
      assert_at_end (scene, first);
      assert_closes (scene, first);
      scene_begin_again (scene);
    }
}

static void
closing_the_input_leaves_the_output (Scene *scene)
{
  g_autoptr (GError) error = NULL;
  char byte;

  do_not_wait (scene->client);
  scene_shake_hands_well (scene);
  scene_talk (scene);
  assert_closes (scene, scene_input (scene->client));
  g_assert_cmpint (scene_read (scene, scene->client, &byte, 1, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  scene_say (scene, scene->client, scene->server, "I can still speak");
  assert_closes (scene, scene->client);
  assert_at_end (scene, scene->server);
}

static void
closing_both_streams_leaves_the_connection (Scene *scene)
{
  do_not_wait (scene->client);
  scene_shake_hands_well (scene);
  scene_talk (scene);
  assert_closes (scene, scene_output (scene->client));
  assert_closes (scene, scene_input (scene->client));
  g_assert_false (g_io_stream_is_closed (G_IO_STREAM (scene->client)));
  g_assert_false (g_io_stream_is_closed (G_IO_STREAM (scene->client_socket)));
  assert_at_end (scene, scene->server);
  assert_closes (scene, scene->client);
  g_assert_true (g_io_stream_is_closed (G_IO_STREAM (scene->client_socket)));
}

/* Implicit handshakes */

static gpointer
read_five_in_thread (gpointer side)
{
  g_autoptr (GError) error = NULL;
  char *word = g_malloc0 (6);
  gsize n = 0;

  g_input_stream_read_all (scene_input (side), word, 5, &n, NULL, &error);
  g_assert_no_error (error);
  return word;
}

static void
assert_implicit (Scene *scene, GTlsConnection *writer, GTlsConnection *reader)
{
  GThread *thread = g_thread_new ("reader", read_five_in_thread, reader);
  g_autoptr (GError) error = NULL;
  g_autofree char *word = NULL;

  g_assert_cmpint (scene_write (scene, writer, "hello", 5, &error), ==, 5);
  g_assert_no_error (error);
  word = g_thread_join (thread);
  g_assert_cmpstr (word, ==, "hello");
  g_assert_cmpint (g_tls_connection_get_protocol_version (writer), ==, scene->version);
  g_assert_nonnull (g_tls_connection_get_peer_certificate (scene->client));
}

static void
reading_and_writing_shake_hands (Scene *scene)
{
  assert_implicit (scene, scene->client, scene->server);
  scene_begin_again (scene);
  assert_implicit (scene, scene->server, scene->client);
}

static void
async_reading_and_writing_shake_hands (Scene *scene)
{
  g_autoptr (GAsyncResult) read_result = NULL;
  g_autoptr (GAsyncResult) write_result = NULL;
  g_autoptr (GAsyncResult) read = NULL;
  g_autoptr (GAsyncResult) written = NULL;
  g_autoptr (GError) error = NULL;
  char word[5];

  g_input_stream_read_async (scene_input (scene->client), word, 5, G_PRIORITY_DEFAULT, NULL, client_keep_result,
                             &read_result);
  g_output_stream_write_async (scene_output (scene->server), "hello", 5, G_PRIORITY_DEFAULT, NULL, client_keep_result,
                               &write_result);
  written = client_await (&write_result);
  read = client_await (&read_result);
  g_assert_cmpint (g_output_stream_write_finish (scene_output (scene->server), written, &error), ==, 5);
  g_assert_no_error (error);
  g_assert_cmpint (g_input_stream_read_finish (scene_input (scene->client), read, &error), ==, 5);
  g_assert_no_error (error);
  g_assert_cmpmem (word, 5, "hello", 5);
}

static void
implicit_handshake_that_fails_is_told (Scene *scene)
{
  GThread *thread = g_thread_new ("server", scene_shake_in_thread, scene->server);
  g_autoptr (GError) server_error = NULL;
  g_autoptr (GError) from_write = NULL;
  g_autoptr (GError) from_read = NULL;
  char byte;

  g_tls_connection_set_database (scene->client, NULL);
  g_assert_cmpint (scene_write (scene, scene->client, "secret", 6, &from_write), ==, -1);
  g_assert_error (from_write, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_assert_cmpint (scene_read (scene, scene->client, &byte, 1, &from_read), ==, -1);
  g_assert_error (from_read, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  server_error = g_thread_join (thread);
  g_assert_error (server_error, G_TLS_ERROR, G_TLS_ERROR_HANDSHAKE);
}

/* Several operations at once */

static void
sync_calls_go_on_beside_an_async_read (Scene *scene)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) awaited = NULL;
  g_autoptr (GError) error = NULL;
  char word[5];
  char heard[5];

  scene_shake_hands_well (scene);
  g_input_stream_read_async (scene_input (scene->client), word, 5, G_PRIORITY_DEFAULT, NULL, client_keep_result,
                             &result);
  g_assert_true (g_tls_connection_handshake (scene->client, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (g_output_stream_write (scene_output (scene->client), "hello", 5, NULL, &error), ==, 5);
  g_assert_no_error (error);
  g_assert_cmpint (g_input_stream_read (scene_input (scene->server), heard, 5, NULL, &error), ==, 5);
  g_assert_no_error (error);
  g_assert_cmpint (g_output_stream_write (scene_output (scene->server), heard, 5, NULL, &error), ==, 5);
  g_assert_no_error (error);
  awaited = client_await (&result);
  g_assert_cmpint (g_input_stream_read_finish (scene_input (scene->client), awaited, &error), ==, 5);
  g_assert_no_error (error);
  g_assert_cmpmem (word, 5, "hello", 5);
}

static void
sync_call_overtakes_an_async_handshake_of_a_server (Scene *scene)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) awaited = NULL;
  GThread *thread = g_thread_new ("client", scene_shake_in_thread, scene->client);
  g_autoptr (GError) error = NULL;

  g_tls_connection_handshake_async (scene->server, G_PRIORITY_DEFAULT, NULL, client_keep_result, &result);
  g_assert_true (g_tls_connection_handshake (scene->server, NULL, &error));
  g_assert_no_error (error);
  g_assert_no_error ((GError *) g_thread_join (thread));
  awaited = client_await (&result);
  g_assert_true (g_tls_connection_handshake_finish (scene->server, awaited, &error));
  g_assert_no_error (error);
  scene_talk (scene);
}

static guint8
byte_at (gsize position)
{
  return (guint8) (position * 2654435761u >> 11);
}

static gpointer
write_long (gpointer side)
{
  g_autofree guint8 *bytes = g_malloc (LONG_SIZE);
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < LONG_SIZE; i++)
    bytes[i] = byte_at (i);
  g_output_stream_write_all (scene_output (side), bytes, LONG_SIZE, NULL, NULL, &error);
  g_assert_no_error (error);
  return NULL;
}

static gpointer
read_long (gpointer side)
{
  g_autofree guint8 *bytes = g_malloc (LONG_SIZE);
  g_autoptr (GError) error = NULL;
  gsize n = 0;

  g_input_stream_read_all (scene_input (side), bytes, LONG_SIZE, &n, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, LONG_SIZE);
  for (gsize i = 0; i < LONG_SIZE; i++)
    g_assert_cmpuint (bytes[i], ==, byte_at (i));
  return NULL;
}

/* The handshake is implicit, and begun by all four at once. */
static void
two_threads_of_each_side_read_and_write (Scene *scene)
{
  GThread *threads[] = {
    g_thread_new ("client writes", write_long, scene->client),
    g_thread_new ("client reads", read_long, scene->client),
    g_thread_new ("server writes", write_long, scene->server),
    g_thread_new ("server reads", read_long, scene->server),
  };

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

/* Streams that are held longer than their connection */

static void
streams_outlive_their_connection (Scene *scene)
{
  g_autoptr (GInputStream) input = g_object_ref (scene_input (scene->client));
  g_autoptr (GOutputStream) output = g_object_ref (scene_output (scene->client));
  g_autoptr (GError) error = NULL;
  char byte;

  scene_shake_hands_well (scene);
  scene_talk (scene);
  scene_begin_again (scene); /* lets go of it */
  g_assert_cmpint (g_input_stream_read (input, &byte, 1, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_cmpint (g_output_stream_write (output, "x", 1, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_true (g_output_stream_close (output, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (g_input_stream_close (input, NULL, &error));
  g_assert_no_error (error);
}

static void
operation_keeps_its_connection (Scene *scene)
{
  g_autoptr (GInputStream) input = g_object_ref (scene_input (scene->client));
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) awaited = NULL;
  g_autoptr (GError) error = NULL;
  char word[5];

  scene_shake_hands_well (scene);
  g_input_stream_read_async (input, word, 5, G_PRIORITY_DEFAULT, NULL, client_keep_result, &result);
  g_clear_object (&scene->client);
  g_assert_cmpint (g_output_stream_write (scene_output (scene->server), "hello", 5, NULL, &error), ==, 5);
  g_assert_no_error (error);
  awaited = client_await (&result);
  g_assert_cmpint (g_input_stream_read_finish (input, awaited, &error), ==, 5);
  g_assert_no_error (error);
}

/* Timeouts of the socket */

static void
set_timeout (GSocketConnection *base)
{
  g_socket_set_timeout (g_socket_connection_get_socket (base), 1);
}

static void
handshake_ends_at_the_sockets_timeout (Scene *scene)
{
  g_autoptr (GError) error = NULL;

  set_timeout (scene->server_socket);
  g_assert_false (scene_shake_one_hand (scene, scene->server, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
}

static void
read_ends_at_the_sockets_timeout (Scene *scene)
{
  g_autoptr (GError) error = NULL;
  char byte;

  scene_shake_hands_well (scene);
  set_timeout (scene->server_socket);
  g_assert_cmpint (scene_read (scene, scene->server, &byte, 1, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  scene_talk (scene);
}

static void
write_ends_at_the_sockets_timeout (Scene *scene)
{
  g_autofree char *block = g_malloc0 (16384);
  g_autoptr (GError) error = NULL;

  scene_shake_hands_well (scene);
  set_timeout (scene->server_socket);
  while (scene_write (scene, scene->server, block, 16384, &error) > 0)
    ;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
}

/* Cancellation */

static void
what_is_cancelled_ahead_does_not_begin (Scene *scene)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  char byte;

  g_cancellable_cancel (cancellable);
  g_assert_false (scene_shake_one_hand (scene, scene->client, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_cmpint (g_input_stream_read (scene_input (scene->client), &byte, 1, cancellable, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_cmpint (g_output_stream_write (scene_output (scene->client), "x", 1, cancellable, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  scene_shake_hands_well (scene);
  scene_talk (scene);
}

static gpointer
cancel_soon (gpointer cancellable)
{
  g_usleep (20 * 1000);
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
read_can_be_cancelled (Scene *scene)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  GThread *thread;
  char byte;

  scene_shake_hands_well (scene);
  thread = g_thread_new ("cancel", cancel_soon, cancellable);
  if (scene->manner == SCENE_ASYNC)
    {
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (GAsyncResult) awaited = NULL;

      g_input_stream_read_async (scene_input (scene->server), &byte, 1, G_PRIORITY_DEFAULT, cancellable,
                                 client_keep_result, &result);
      awaited = client_await (&result);
      g_assert_cmpint (g_input_stream_read_finish (scene_input (scene->server), awaited, &error), ==, -1);
    }
  else
    {
      g_assert_cmpint (g_input_stream_read (scene_input (scene->server), &byte, 1, cancellable, &error), ==, -1);
    }
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);
  scene_talk (scene);
}

static void
handshake_that_was_cancelled_can_go_on (Scene *scene)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GThread *thread = g_thread_new ("cancel", cancel_soon, cancellable);
  g_autoptr (GError) error = NULL;

  g_assert_false (scene_shake_one_hand (scene, scene->client, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);
  scene_shake_hands_well (scene);
  scene_talk (scene);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define STORY(name) scene_add_story ("/contract/streams/" #name, name)
#define BLOCKING(name) scene_add_blocking_story ("/contract/streams/" #name, name)
  STORY (cut_off_is_an_error);
  STORY (cut_off_may_be_allowed);
  STORY (close_says_so_in_any_case);
  STORY (close_after_the_peer_is_quiet);
  STORY (close_after_the_peer_is_an_error_where_something_may_be_lost);
  STORY (close_before_the_handshake_is_quiet);
  STORY (close_after_a_failed_handshake_is_quiet);
  STORY (closing_the_output_leaves_the_input);
  STORY (closing_the_input_leaves_the_output);
  STORY (closing_both_streams_leaves_the_connection);
  STORY (reading_and_writing_shake_hands);
  BLOCKING (async_reading_and_writing_shake_hands);
  STORY (implicit_handshake_that_fails_is_told);
  BLOCKING (sync_calls_go_on_beside_an_async_read);
  BLOCKING (sync_call_overtakes_an_async_handshake_of_a_server);
  BLOCKING (two_threads_of_each_side_read_and_write);
  BLOCKING (streams_outlive_their_connection);
  BLOCKING (operation_keeps_its_connection);
  STORY (handshake_ends_at_the_sockets_timeout);
  STORY (read_ends_at_the_sockets_timeout);
  STORY (write_ends_at_the_sockets_timeout);
  STORY (what_is_cancelled_ahead_does_not_begin);
  STORY (read_can_be_cancelled);
  STORY (handshake_that_was_cancelled_can_go_on);

  return g_test_run ();
}
