/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* GTlsSessionClientConnection as a GTlsConnection: what a program that knows Gio expects of it. */

#include <string.h>
#include <sys/socket.h>

#include "client.h"

#define LONG_SIZE (4 * 1024 * 1024)

static GInputStream *
input_of (GTlsSessionHelper *helper)
{
  return g_io_stream_get_input_stream (G_IO_STREAM (client_connection (helper)));
}

static GOutputStream *
output_of (GTlsSessionHelper *helper)
{
  return g_io_stream_get_output_stream (G_IO_STREAM (client_connection (helper)));
}

static guint8 *
make_long_text (void)
{
  guint8 *text = g_malloc (LONG_SIZE);

  for (gsize i = 0; i < LONG_SIZE; i++)
    text[i] = (guint8) (i * 2654435761u >> 11);
  return text;
}

/* The handshake */

static void
handshake_tells_what_was_agreed (gconstpointer data)
{
  TestServerOptions options = { .only_tls12 = GPOINTER_TO_INT (data), .alpn = "example/1" };
  const char *const protocols[] = { "example/1", NULL };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);
  GTlsConnection *connection = client_connection (helper);
  g_autofree char *cipher = NULL;
  g_auto (TestServerRecord) record = { 0 };

  g_assert_null (g_tls_connection_get_peer_certificate (connection));
  g_assert_cmpint (g_tls_connection_get_protocol_version (connection), ==, G_TLS_PROTOCOL_VERSION_UNKNOWN);
  g_tls_connection_set_advertised_protocols (connection, protocols);
  client_handshake (helper);
  client_handshake (helper); /* once more does nothing */

  cipher = g_tls_connection_get_ciphersuite_name (connection);
  g_assert_true (g_str_has_prefix (cipher, "TLS_"));
  g_assert_cmpint (g_tls_connection_get_protocol_version (connection), ==,
                   options.only_tls12 ? G_TLS_PROTOCOL_VERSION_TLS_1_2 : G_TLS_PROTOCOL_VERSION_TLS_1_3);
  g_assert_cmpstr (g_tls_connection_get_negotiated_protocol (connection), ==, "example/1");
  g_assert_nonnull (g_tls_connection_get_peer_certificate (connection));
  g_assert_cmpint (g_tls_connection_get_peer_certificate_errors (connection), ==, 0);
  client_exchange (helper, "hello");
  client_close (helper);

  g_assert_true (test_server_wait_ended (server, 1));
  g_assert_true (test_server_get_record (server, 0, &record));
  g_assert_cmpstr (record.server_name, ==, "localhost");
  g_assert_cmpstr (record.alpn, ==, "example/1");
}

static void
address_is_not_sent_as_a_name (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_prepare_for (server, "127.0.0.1");
  g_auto (TestServerRecord) record = { 0 };

  client_handshake (helper);
  client_close (helper);
  g_assert_true (test_server_wait_ended (server, 1));
  g_assert_true (test_server_get_record (server, 0, &record));
  g_assert_cmpstr (record.server_name, ==, NULL);
}

static void
bounds_are_kept (void)
{
  TestServerOptions both = { 0 };
  TestServerOptions old = { .only_tls12 = TRUE };
  g_autoptr (TestServer) server = test_server_new (&both);
  g_autoptr (TestServer) old_server = test_server_new (&old);
  g_autoptr (GTlsSessionHelper) highest = client_prepare (server);
  g_autoptr (GTlsSessionHelper) lowest = client_prepare (old_server);
  g_autoptr (GError) error = NULL;

  g_tls_session_connection_set_maximum_protocol_version (G_TLS_SESSION_CONNECTION (client_connection (highest)),
                                                         G_TLS_PROTOCOL_VERSION_TLS_1_2);
  client_handshake (highest);
  g_assert_cmpint (g_tls_connection_get_protocol_version (client_connection (highest)), ==,
                   G_TLS_PROTOCOL_VERSION_TLS_1_2);
  client_close (highest);

  g_tls_session_connection_set_minimum_protocol_version (G_TLS_SESSION_CONNECTION (client_connection (lowest)),
                                                         G_TLS_PROTOCOL_VERSION_TLS_1_3);
  g_assert_false (g_tls_connection_handshake (client_connection (lowest), NULL, &error));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_HANDSHAKE);
}

/* RFC 7301, section 3.1 */
static void
application_protocols_have_1_to_255_bytes (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autofree char *longest = g_strnfill (255, 'x');
  g_autofree char *too_long = g_strnfill (256, 'x');
  const char *const names[] = { "", too_long, longest };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GTlsSessionHelper) helper = client_prepare (server);
      const char *const protocols[] = { "h2", names[i], NULL };
      g_autoptr (GError) error = NULL;

      g_tls_connection_set_advertised_protocols (client_connection (helper), protocols);
      if (names[i] == longest)
        {
          client_handshake (helper);
          client_close (helper);
          continue;
        }
      g_assert_false (g_tls_connection_handshake (client_connection (helper), NULL, &error));
      g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_HANDSHAKE);
      g_assert_nonnull (strstr (error->message, "1 to 255 bytes"));
    }
}

static void
handshake_async_completes (gconstpointer data)
{
  TestServerOptions options = { .only_tls12 = GPOINTER_TO_INT (data) };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) awaited = NULL;
  g_autoptr (GError) error = NULL;

  g_tls_connection_handshake_async (client_connection (helper), G_PRIORITY_DEFAULT, NULL, client_keep_result, &result);
  awaited = client_await (&result);
  g_assert_true (g_tls_connection_handshake_finish (client_connection (helper), awaited, &error));
  g_assert_no_error (error);
  client_exchange (helper, "hello");
  client_close (helper);
}

static guint
count_threads (void)
{
  g_autoptr (GDir) tasks = g_dir_open ("/proc/self/task", 0, NULL);
  guint count = 0;

  g_assert_nonnull (tasks);
  while (g_dir_read_name (tasks) != NULL)
    count++;
  return count;
}

/* With a server that never answers, so that it is under way for as long as is looked. */
static void
async_handshake_starts_no_thread (void)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_STALL };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) awaited = NULL;
  g_autoptr (GError) error = NULL;
  guint before;

  while (test_server_count_connections (server) < 1)
    g_usleep (1000);
  g_type_class_unref (g_type_class_ref (G_TYPE_TASK)); /* with which GLib starts its one worker, whoever uses it */
  before = count_threads ();
  g_tls_connection_handshake_async (client_connection (helper), G_PRIORITY_DEFAULT, cancellable, client_keep_result,
                                    &result);
  for (int i = 0; i < 20; i++)
    {
      g_assert_cmpuint (count_threads (), ==, before);
      g_main_context_iteration (NULL, FALSE);
      g_usleep (1000);
    }
  g_cancellable_cancel (cancellable);
  awaited = client_await (&result);
  g_assert_false (g_tls_connection_handshake_finish (client_connection (helper), awaited, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
sync_call_overtakes_an_async_handshake (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) awaited = NULL;
  g_autoptr (GError) error = NULL;

  g_tls_connection_handshake_async (client_connection (helper), G_PRIORITY_DEFAULT, NULL, client_keep_result, &result);
  client_exchange (helper, "hello");
  awaited = client_await (&result);
  g_assert_true (g_tls_connection_handshake_finish (client_connection (helper), awaited, &error));
  g_assert_no_error (error);
  client_close (helper);
}

/* Failures of the handshake */

static void
assert_handshake_fails (TestServer *server, gboolean async, GQuark domain, int code)
{
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);
  GTlsConnection *connection = client_connection (helper);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) again = NULL;

  if (async)
    {
      g_autoptr (GAsyncResult) awaited = NULL;

      g_tls_connection_handshake_async (connection, G_PRIORITY_DEFAULT, NULL, client_keep_result, &result);
      awaited = client_await (&result);
      g_assert_false (g_tls_connection_handshake_finish (connection, awaited, &error));
    }
  else
    {
      g_assert_false (g_tls_connection_handshake (connection, NULL, &error));
    }
  g_assert_error (error, domain, code);
  g_assert_nonnull (strstr (error->message, "localhost"));

  /* A connection that failed stays so. */
  g_assert_false (g_tls_connection_handshake (connection, NULL, &again));
  g_assert_error (again, domain, code);
}

typedef struct
{
  TestServerOptions options;
  int code; /* of G_TLS_ERROR */
} FailureCase;

static void
handshake_fails_with_words (gconstpointer data)
{
  const FailureCase *failure = data;
  g_autoptr (TestServer) server = test_server_new (&failure->options);

  assert_handshake_fails (server, FALSE, G_TLS_ERROR, failure->code);
  assert_handshake_fails (server, TRUE, G_TLS_ERROR, failure->code);

  /* Who is not trusted learns nothing more of the client: its Finished has not gone, nor a certificate of its own. */
  g_assert_true (test_server_wait_ended (server, 2));
  g_assert_cmpuint (test_server_count_handshakes (server), ==, 0);
}

static void
handshake_ends_at_the_sockets_timeout (gconstpointer data)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_STALL };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GIOStream) tcp = client_connect_tcp (server);
  g_autoptr (GTlsSessionHelper) helper = client_prepare_over (server, tcp);
  GTlsConnection *connection = client_connection (helper);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  g_socket_set_timeout (g_socket_connection_get_socket (G_SOCKET_CONNECTION (tcp)), 1);
  if (GPOINTER_TO_INT (data))
    {
      g_autoptr (GAsyncResult) awaited = NULL;

      g_tls_connection_handshake_async (connection, G_PRIORITY_DEFAULT, NULL, client_keep_result, &result);
      awaited = client_await (&result);
      g_assert_false (g_tls_connection_handshake_finish (connection, awaited, &error));
    }
  else
    {
      g_assert_false (g_tls_connection_handshake (connection, NULL, &error));
    }
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
}

static gpointer
cancel_soon (gpointer data)
{
  g_usleep (50 * 1000);
  g_cancellable_cancel (data);
  return NULL;
}

static void
handshake_can_be_cancelled (gconstpointer data)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_STALL };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);
  GTlsConnection *connection = client_connection (helper);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_new ("cancel", cancel_soon, cancellable);

  if (GPOINTER_TO_INT (data))
    {
      g_autoptr (GAsyncResult) awaited = NULL;

      g_tls_connection_handshake_async (connection, G_PRIORITY_DEFAULT, cancellable, client_keep_result, &result);
      awaited = client_await (&result);
      g_assert_false (g_tls_connection_handshake_finish (connection, awaited, &error));
    }
  else
    {
      g_assert_false (g_tls_connection_handshake (connection, cancellable, &error));
    }
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);
}

/* Reading and writing */

static void
both_ways_at_once (GTlsSessionHelper *helper)
{
  g_autofree guint8 *text = make_long_text ();
  g_autofree guint8 *answer = g_malloc0 (LONG_SIZE);
  g_autoptr (GAsyncResult) write_result = NULL;
  g_autoptr (GAsyncResult) read_result = NULL;
  g_autoptr (GAsyncResult) written = NULL;
  g_autoptr (GAsyncResult) read = NULL;
  g_autoptr (GError) error = NULL;
  gsize n;

  g_input_stream_read_all_async (input_of (helper), answer, LONG_SIZE, G_PRIORITY_DEFAULT, NULL, client_keep_result,
                                 &read_result);
  g_output_stream_write_all_async (output_of (helper), text, LONG_SIZE, G_PRIORITY_DEFAULT, NULL, client_keep_result,
                                   &write_result);
  written = client_await (&write_result);
  read = client_await (&read_result);
  g_output_stream_write_all_finish (output_of (helper), written, &n, &error);
  g_assert_no_error (error);
  g_input_stream_read_all_finish (input_of (helper), read, &n, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (text, LONG_SIZE, answer, n);
}

static void
long_text_goes_both_ways_at_once (gconstpointer data)
{
  TestServerOptions options = { .behaviour = (TestBehaviour) GPOINTER_TO_INT (data) };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);

  both_ways_at_once (helper);
  client_close (helper);
}

/* Over streams that are not a socket's own: GSimpleIOStream hides the socket. */
static void
works_over_any_pollable_stream (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GIOStream) tcp = client_connect_tcp (server);
  g_autoptr (GIOStream)
    simple = g_simple_io_stream_new (g_io_stream_get_input_stream (tcp), g_io_stream_get_output_stream (tcp));
  g_autoptr (GTlsSessionHelper) helper = client_prepare_over (server, simple);

  client_exchange (helper, "hello");
  both_ways_at_once (helper);
  client_close (helper);
}

static void
refuses_a_stream_that_is_not_pollable (void)
{
  g_autoptr (GInputStream) input = g_memory_input_stream_new ();
  g_autoptr (GOutputStream) output = g_memory_output_stream_new_resizable ();
  g_autoptr (GConverter) converter = G_CONVERTER (g_charset_converter_new ("UTF-8", "UTF-8", NULL));
  g_autoptr (GInputStream) buffered = g_buffered_input_stream_new (input);
  g_autoptr (GIOStream) stream = g_simple_io_stream_new (buffered, output);
  g_autoptr (GError) error = NULL;

  g_assert_null (g_tls_session_client_connection_new (stream, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
}

static void
non_blocking_calls_would_block (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect (server);
  GPollableInputStream *input = G_POLLABLE_INPUT_STREAM (input_of (helper));
  GPollableOutputStream *output = G_POLLABLE_OUTPUT_STREAM (output_of (helper));
  g_autoptr (GError) error = NULL;
  char answer[5];

  while (g_pollable_input_stream_read_nonblocking (input, answer, sizeof answer, NULL, &error) < 0 &&
         client_count_tickets (helper) < 2)
    {
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
      g_clear_error (&error);
    }
  g_clear_error (&error);
  g_assert_false (g_pollable_input_stream_is_readable (input));
  g_assert_true (g_pollable_output_stream_is_writable (output));
  g_assert_cmpint (g_pollable_output_stream_write_nonblocking (output, "hello", 5, NULL, &error), ==, 5);
  g_assert_no_error (error);
  client_read (helper, answer, sizeof answer);
  g_assert_cmpmem (answer, sizeof answer, "hello", 5);
  client_close (helper);
}

static gboolean
note_ready (GObject *stream, gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_REMOVE;
}

static void
source_fires_for_the_implicit_handshake (void)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_GREET };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);
  GPollableInputStream *input = G_POLLABLE_INPUT_STREAM (input_of (helper));
  gssize n = -1;

  while (n < 0)
    {
      g_autoptr (GSource) source = g_pollable_input_stream_create_source (input, NULL);
      g_autoptr (GError) error = NULL;
      gboolean ready = FALSE;
      char some[100];

      g_source_set_callback (source, G_SOURCE_FUNC (note_ready), &ready, NULL);
      g_source_attach (source, NULL);
      client_run_until (&ready);
      n = g_pollable_input_stream_read_nonblocking (input, some, sizeof some, NULL, &error);
      if (n < 0)
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
    }
  client_close (helper);
}

static gboolean
note_ready_by_closure (GObject *stream, gboolean *ready)
{
  g_assert_true (G_IS_POLLABLE_INPUT_STREAM (stream));
  *ready = TRUE;
  return G_SOURCE_REMOVE;
}

/* As bindings set it. */
static void
source_calls_a_closure_with_its_stream (void)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_GREET };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect (server);
  g_autoptr (GSource)
    source = g_pollable_input_stream_create_source (G_POLLABLE_INPUT_STREAM (input_of (helper)), NULL);
  gboolean ready = FALSE;
  char byte;

  g_source_set_closure (source, g_cclosure_new (G_CALLBACK (note_ready_by_closure), &ready, NULL));
  g_source_attach (source, NULL);
  client_run_until (&ready);
  client_read (helper, &byte, 1);
  g_assert_true (g_source_is_destroyed (source));
  client_close (helper);
}

static void
read_ends_at_the_sockets_timeout (gconstpointer data)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GIOStream) tcp = client_connect_tcp (server);
  g_autoptr (GTlsSessionHelper) helper = client_prepare_over (server, tcp);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  char byte;

  client_exchange (helper, "hello");
  g_socket_set_timeout (g_socket_connection_get_socket (G_SOCKET_CONNECTION (tcp)), 1);
  if (GPOINTER_TO_INT (data))
    {
      g_autoptr (GAsyncResult) awaited = NULL;

      g_input_stream_read_async (input_of (helper), &byte, 1, G_PRIORITY_DEFAULT, NULL, client_keep_result, &result);
      awaited = client_await (&result);
      g_assert_cmpint (g_input_stream_read_finish (input_of (helper), awaited, &error), ==, -1);
    }
  else
    {
      g_assert_cmpint (g_input_stream_read (input_of (helper), &byte, 1, NULL, &error), ==, -1);
    }
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  client_exchange (helper, "still in order");
  client_close (helper);
}

static void
assert_received (TestServer *server, const GChecksum *expected, const GChecksum *or_else)
{
  g_auto (TestServerRecord) record = { 0 };

  g_assert_true (test_server_wait_ended (server, 1));
  g_assert_true (test_server_get_record (server, 0, &record));
  if (g_strcmp0 (record.sha256, g_checksum_get_string ((GChecksum *) or_else)) != 0)
    g_assert_cmpstr (record.sha256, ==, g_checksum_get_string ((GChecksum *) expected));
}

/* A write that was cancelled in the midst of a record must not make the next one send its bytes. */
static void
cancelled_write_leaves_the_stream_whole (void)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_SINK, .read_delay_ms = 300 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect (server);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GChecksum) sent = g_checksum_new (G_CHECKSUM_SHA256);
  g_autoptr (GChecksum) sent_and_begun = NULL;
  g_autofree guint8 *block = g_malloc (16384);
  GThread *thread = g_thread_new ("cancel", cancel_soon, cancellable);
  g_autoptr (GError) error = NULL;

  /* Each block is of one letter; the peer does not read yet, so that soon the socket takes no more. */
  for (guint8 letter = 'a'; error == NULL; letter = letter == 'z' ? 'a' : letter + 1)
    {
      gssize n;

      memset (block, letter, 16384);
      n = g_output_stream_write (output_of (helper), block, 16384, cancellable, &error);
      if (n > 0)
        g_checksum_update (sent, block, n);
    }
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);

  /* The record of the cancelled block was begun, and then has to be finished as it was; or it was not begun. */
  sent_and_begun = g_checksum_copy (sent);
  g_checksum_update (sent_and_begun, block, 16384);

  memset (block, '!', 16384);
  client_write (helper, block, 16384);
  g_checksum_update (sent, block, 16384);
  g_checksum_update (sent_and_begun, block, 16384);
  client_close (helper);
  assert_received (server, sent_and_begun, sent);
}

/* Blocks of a letter each that are many records, to a peer that does not read yet, until the socket takes no more and the
 * write is cancelled. What was written of the last one is the result.
 */
#define MANY_RECORDS 80000

static gsize
write_letters_until_cancelled (GTlsSessionHelper *helper, guint8 *block, GChecksum *sent)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GThread *thread = g_thread_new ("cancel", cancel_soon, cancellable);
  g_autoptr (GError) error = NULL;
  gsize n = 0;

  for (guint8 letter = 'a'; error == NULL; letter = letter == 'z' ? 'a' : letter + 1)
    {
      memset (block, letter, MANY_RECORDS);
      g_output_stream_write_all (output_of (helper), block, MANY_RECORDS, &n, cancellable, &error);
      g_checksum_update (sent, block, (gssize) n);
    }
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);
  g_assert_cmpuint (n, <, MANY_RECORDS);
  return n;
}

/* Other bytes come behind the records that were begun, which go out whole. */
static void
cancelled_write_of_many_records_leaves_the_stream_whole (void)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_SINK, .read_delay_ms = 300 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect (server);
  g_autoptr (GChecksum) sent = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guint8 *block = g_malloc (MANY_RECORDS);
  g_auto (TestServerRecord) record = { 0 };
  guint8 last[16384];
  gsize rest = MANY_RECORDS - write_letters_until_cancelled (helper, block, sent);
  gboolean is_one_of_them = FALSE;

  memset (last, '!', sizeof last);
  client_write (helper, last, sizeof last);
  client_close (helper);

  g_assert_true (test_server_wait_ended (server, 1));
  g_assert_true (test_server_get_record (server, 0, &record));
  for (gsize begun = 0; begun <= 4 && !is_one_of_them; begun++)
    {
      g_autoptr (GChecksum) expected = g_checksum_copy (sent);

      g_checksum_update (expected, block, (gssize) MIN (begun * 16384, rest));
      g_checksum_update (expected, last, sizeof last);
      is_one_of_them = g_str_equal (record.sha256, g_checksum_get_string (expected));
    }
  g_assert_true (is_one_of_them);
}

static void
cancelled_write_of_many_records_can_be_gone_on_with (void)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_SINK, .read_delay_ms = 300 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect (server);
  g_autoptr (GChecksum) sent = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guint8 *block = g_malloc (MANY_RECORDS);
  gsize n = write_letters_until_cancelled (helper, block, sent);

  client_write (helper, block + n, MANY_RECORDS - n);
  g_checksum_update (sent, block + n, (gssize) (MANY_RECORDS - n));
  client_close (helper);
  assert_received (server, sent, sent);
}

/* What a write tells of is with the socket, and arrives though the connection is cut off right behind it. */
static void
what_is_told_as_written_has_gone (void)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_SINK, .read_delay_ms = 300 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GIOStream) tcp = client_connect_tcp (server);
  g_autoptr (GTlsSessionHelper) helper = client_prepare_over (server, tcp);
  g_autofree guint8 *block = g_malloc0 (MANY_RECORDS);
  GPollableOutputStream *output = G_POLLABLE_OUTPUT_STREAM (output_of (helper));
  g_auto (TestServerRecord) record = { 0 };
  g_autoptr (GError) error = NULL;
  guint64 told = 0;

  client_write (helper, block, 1); /* and with that the handshake is done */
  for (gssize n = 1; n > 0; n = g_pollable_output_stream_write_nonblocking (output, block, MANY_RECORDS, NULL, &error))
    told += (guint64) n;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  g_assert_true (g_socket_shutdown (g_socket_connection_get_socket (G_SOCKET_CONNECTION (tcp)), FALSE, TRUE, NULL));

  g_assert_true (test_server_wait_ended (server, 1));
  g_assert_true (test_server_get_record (server, 0, &record));
  g_assert_cmpuint (record.n_received, >=, told);
}

static GIOStream *
connect_with_send_buffer (TestServer *server, gint size)
{
  GIOStream *tcp = client_connect_tcp (server);
  GSocket *socket = g_socket_connection_get_socket (G_SOCKET_CONNECTION (tcp));
  g_autoptr (GError) error = NULL;

  g_socket_set_option (socket, SOL_SOCKET, SO_SNDBUF, size, &error);
  g_assert_no_error (error);
  return tcp;
}

/* A write that was short has more under way than it told of; whoever goes on with less must not send that twice. */
static void
smaller_write_after_a_short_one_repeats_nothing (void)
{
  static gint may_read;
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_SINK, .may_read = &may_read };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GIOStream) tcp = connect_with_send_buffer (server, 65536);
  g_autoptr (GTlsSessionHelper) helper = client_prepare_over (server, tcp);
  g_autoptr (GChecksum) sent = g_checksum_new (G_CHECKSUM_SHA256);
  GPollableOutputStream *output = G_POLLABLE_OUTPUT_STREAM (output_of (helper));
  gsize size = 64 * MANY_RECORDS;
  g_autofree guint8 *text = g_malloc (size);
  guint n_short = 0;

  client_handshake (helper);
  for (gsize i = 0; i < size; i++)
    text[i] = (guint8) (i * 31 / 7);
  for (gsize at = 0; at < size;)
    {
      g_autoptr (GError) error = NULL;
      gsize wanted = MIN (n_short % 2 == 0 ? MANY_RECORDS : 1000, size - at);
      gssize n = g_pollable_output_stream_write_nonblocking (output, text + at, wanted, NULL, &error);

      while (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        {
          g_clear_error (&error);
          g_atomic_int_set (&may_read, 1);
          g_usleep (1000);
          n = g_pollable_output_stream_write_nonblocking (output, text + at, wanted, NULL, &error);
        }
      g_assert_no_error (error);
      n_short += (gsize) n < wanted || n_short % 2 == 1;
      at += (gsize) n;
    }
  g_assert_cmpuint (n_short, >=, 2);
  g_checksum_update (sent, text, (gssize) size);
  client_close (helper);
  assert_received (server, sent, sent);
}

static void
read_in_a_flood_of_tickets_can_be_cancelled (gconstpointer data)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_TICKET_FLOOD };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect (server);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_new ("cancel", cancel_soon, cancellable);
  char byte;

  if (GPOINTER_TO_INT (data))
    {
      g_autoptr (GAsyncResult) awaited = NULL;

      g_input_stream_read_async (input_of (helper), &byte, 1, G_PRIORITY_DEFAULT, cancellable, client_keep_result,
                                 &result);
      awaited = client_await (&result);
      g_assert_cmpint (g_input_stream_read_finish (input_of (helper), awaited, &error), ==, -1);
    }
  else
    {
      g_assert_cmpint (g_input_stream_read (input_of (helper), &byte, 1, cancellable, &error), ==, -1);
    }
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);
  g_assert_cmpuint (client_count_tickets (helper), <=, 32);
}

static gboolean
get_tls_unique (GTlsSessionHelper *helper, GError **error)
{
  g_autoptr (GByteArray) data = g_byte_array_new ();

  return g_tls_connection_get_channel_binding_data (client_connection (helper), G_TLS_CHANNEL_BINDING_TLS_UNIQUE, data,
                                                    error);
}

/* The triple handshake: without the extended master secret somebody in the middle brings two connections to the same
 * Finished messages when both resume (RFC 7627, section 1).
 */
static void
tls_unique_is_unique_when_resumed (void)
{
  TestServerOptions options = { .only_tls12 = TRUE, .no_extended_master_secret = TRUE };
  g_autoptr (TestServer) old_server = test_server_new (&options);
  g_autoptr (TestServer) server = test_server_new (&(TestServerOptions){ .only_tls12 = TRUE });
  g_autoptr (GTlsSessionHelper) first = client_connect (old_server);
  g_autoptr (GTlsSessionHelper) resumed = client_resume (old_server, first);
  g_autoptr (GTlsSessionHelper) other = client_connect (server);
  g_autoptr (GTlsSessionHelper) other_resumed = client_resume (server, other);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_tls_session_helper_get_resumption (resumed), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
  g_assert_cmpint (g_tls_session_helper_get_resumption (other_resumed), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
  g_assert_true (get_tls_unique (first, NULL));
  g_assert_true (get_tls_unique (other_resumed, NULL));
  g_assert_false (get_tls_unique (resumed, &error));
  g_assert_error (error, G_TLS_CHANNEL_BINDING_ERROR, G_TLS_CHANNEL_BINDING_ERROR_NOT_SUPPORTED);

  client_close (first);
  client_close (resumed);
  client_close (other);
  client_close (other_resumed);
}

static void
truncation_is_told (void)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_ABRUPT };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) strict = client_connect (server);
  g_autoptr (GTlsSessionHelper) lenient = client_prepare (server);
  g_autoptr (GError) error = NULL;
  char byte;

  client_exchange (strict, "hello");
  g_assert_cmpint (g_input_stream_read (input_of (strict), &byte, 1, NULL, &error), ==, -1);
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_EOF);
  g_clear_error (&error);

  g_tls_connection_set_require_close_notify (client_connection (lenient), FALSE);
  client_exchange (lenient, "hello");
  g_assert_cmpint (g_input_stream_read (input_of (lenient), &byte, 1, NULL, &error), ==, 0);
  g_assert_no_error (error);
}

/* A write of no byte at all would be one without end for a program that writes until all is written. */
static void
writing_to_a_peer_that_left_fails (void)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_FAREWELL };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect (server);
  GPollableOutputStream *output = G_POLLABLE_OUTPUT_STREAM (output_of (helper));
  g_autoptr (GError) error = NULL;
  gssize n = 1;
  char byte;

  client_exchange (helper, "hello");
  g_assert_cmpint (g_input_stream_read (input_of (helper), &byte, 1, NULL, &error), ==, 0);
  g_assert_no_error (error);

  /* The first ones still get to the kernel, which learns by a reset that the socket is gone. */
  while (n == 1)
    n = g_pollable_output_stream_write_nonblocking (output, "x", 1, NULL, &error);
  g_assert_cmpint (n, ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED);
  g_clear_error (&error);
  g_assert_cmpint (g_pollable_output_stream_write_nonblocking (output, "x", 1, NULL, &error), ==, -1);
  g_assert_nonnull (error);
}

static void
output_can_be_closed_by_itself (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect (server);
  g_autoptr (GError) error = NULL;
  char answer[5];
  char byte;

  client_write (helper, "hello", 5);
  g_assert_true (g_output_stream_close (output_of (helper), NULL, &error));
  g_assert_no_error (error);
  client_read (helper, answer, sizeof answer);
  g_assert_cmpint (g_input_stream_read (input_of (helper), &byte, 1, NULL, &error), ==, 0);
  g_assert_cmpint (g_output_stream_write (output_of (helper), "x", 1, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_cmpint (
    g_pollable_output_stream_write_nonblocking (G_POLLABLE_OUTPUT_STREAM (output_of (helper)), "x", 1, NULL, &error),
    ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  client_close (helper);
}

static void
stream_outlives_its_connection (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);
  GTlsSessionHelper *helper = client_connect (server);
  g_autoptr (GInputStream) input = g_object_ref (input_of (helper));
  g_autoptr (GError) error = NULL;
  char byte;

  client_exchange (helper, "hello");
  g_object_unref (helper);
  g_assert_cmpint (g_input_stream_read (input, &byte, 1, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

static void
uninitialised_connection_does_not_crash (void)
{
  g_autoptr (GTlsConnection) connection = g_object_new (G_TLS_SESSION_TYPE_CLIENT_CONNECTION, NULL);
  GIOStream *stream = G_IO_STREAM (connection);
  g_autoptr (GError) error = NULL;
  char byte;

  g_assert_false (g_tls_connection_handshake (connection, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED);
  g_clear_error (&error);
  g_assert_cmpint (g_input_stream_read (g_io_stream_get_input_stream (stream), &byte, 1, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED);
  g_clear_error (&error);
  g_assert_false (g_initable_init (G_INITABLE (connection), NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
}

static void
uninitialised_connection_does_not_crash_async (void)
{
  g_autoptr (GTlsConnection) connection = g_object_new (G_TLS_SESSION_TYPE_CLIENT_CONNECTION, NULL);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) shaken = NULL;
  g_autoptr (GAsyncResult) closed = NULL;
  g_autoptr (GByteArray) binding = g_byte_array_new ();
  g_autoptr (GError) error = NULL;

  g_assert_false (
    g_tls_connection_get_channel_binding_data (connection, G_TLS_CHANNEL_BINDING_TLS_UNIQUE, binding, &error));
  g_assert_error (error, G_TLS_CHANNEL_BINDING_ERROR, G_TLS_CHANNEL_BINDING_ERROR_INVALID_STATE);
  g_clear_error (&error);

  g_tls_connection_handshake_async (connection, G_PRIORITY_DEFAULT, NULL, client_keep_result, &result);
  shaken = client_await (&result);
  g_assert_false (g_tls_connection_handshake_finish (connection, shaken, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED);
  g_clear_error (&error);

  g_io_stream_close_async (G_IO_STREAM (connection), G_PRIORITY_DEFAULT, NULL, client_keep_result, &result);
  closed = client_await (&result);
  g_assert_true (g_io_stream_close_finish (G_IO_STREAM (connection), closed, &error));
  g_assert_no_error (error);
}

static GTlsConnection *
make_async (GIOStream *base, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) awaited = NULL;
  g_autoptr (GObject) source = NULL;

  g_async_initable_new_async (G_TLS_SESSION_TYPE_CLIENT_CONNECTION, G_PRIORITY_DEFAULT, NULL, client_keep_result,
                              &result, "base-io-stream", base, NULL);
  awaited = client_await (&result);
  source = g_async_result_get_source_object (awaited);
  return (GTlsConnection *) g_async_initable_new_finish (G_ASYNC_INITABLE (source), awaited, error);
}

static void
connection_can_be_made_asynchronously (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GIOStream) tcp = client_connect_tcp (server);
  g_autoptr (GTlsConnection) connection = NULL;
  g_autoptr (GTlsConnection) none = NULL;
  g_autoptr (GError) error = NULL;

  connection = make_async (tcp, &error);
  g_assert_no_error (error);
  g_assert_true (G_IS_TLS_CLIENT_CONNECTION (connection));
  g_assert_true (g_initable_init (G_INITABLE (connection), NULL, &error)); /* once more does nothing */
  g_assert_no_error (error);

  none = make_async (NULL, &error);
  g_assert_null (none);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
}

int
main (int argc, char **argv)
{
  static const FailureCase not_tls = { { .behaviour = TEST_BEHAVIOUR_NOT_TLS }, G_TLS_ERROR_NOT_TLS };
  static const FailureCase declined = { { .behaviour = TEST_BEHAVIOUR_DECLINE }, G_TLS_ERROR_EOF };
  static const FailureCase expired = { { .certificate = TEST_CERTIFICATE_EXPIRED }, G_TLS_ERROR_BAD_CERTIFICATE };
  static const FailureCase too_early = { { .certificate = TEST_CERTIFICATE_NOT_YET_VALID },
                                         G_TLS_ERROR_BAD_CERTIFICATE };
  static const FailureCase other_name = { { .certificate = TEST_CERTIFICATE_OTHER_NAME }, G_TLS_ERROR_BAD_CERTIFICATE };
  static const FailureCase stranger = { { .certificate = TEST_CERTIFICATE_STRANGER }, G_TLS_ERROR_BAD_CERTIFICATE };
  static const FailureCase stranger_tls12 = { { .certificate = TEST_CERTIFICATE_STRANGER, .only_tls12 = TRUE },
                                              G_TLS_ERROR_BAD_CERTIFICATE };

  g_test_init (&argc, &argv, NULL);

  g_test_add_data_func ("/connection/tls1.3/handshake_tells_what_was_agreed", GINT_TO_POINTER (FALSE),
                        handshake_tells_what_was_agreed);
  g_test_add_data_func ("/connection/tls1.2/handshake_tells_what_was_agreed", GINT_TO_POINTER (TRUE),
                        handshake_tells_what_was_agreed);
  g_test_add_func ("/connection/address_is_not_sent_as_a_name", address_is_not_sent_as_a_name);
  g_test_add_func ("/connection/bounds_are_kept", bounds_are_kept);
  g_test_add_func ("/connection/application_protocols_have_1_to_255_bytes", application_protocols_have_1_to_255_bytes);
  g_test_add_data_func ("/connection/tls1.3/handshake_async_completes", GINT_TO_POINTER (FALSE),
                        handshake_async_completes);
  g_test_add_data_func ("/connection/tls1.2/handshake_async_completes", GINT_TO_POINTER (TRUE),
                        handshake_async_completes);
  g_test_add_func ("/connection/async_handshake_starts_no_thread", async_handshake_starts_no_thread);
  g_test_add_func ("/connection/sync_call_overtakes_an_async_handshake", sync_call_overtakes_an_async_handshake);

  g_test_add_data_func ("/connection/handshake_fails_where_it_is_not_tls", &not_tls, handshake_fails_with_words);
  g_test_add_data_func ("/connection/handshake_fails_where_it_is_declined", &declined, handshake_fails_with_words);
  g_test_add_data_func ("/connection/handshake_fails_with_an_expired_certificate", &expired,
                        handshake_fails_with_words);
  g_test_add_data_func ("/connection/handshake_fails_with_a_certificate_of_tomorrow", &too_early,
                        handshake_fails_with_words);
  g_test_add_data_func ("/connection/handshake_fails_with_another_name", &other_name, handshake_fails_with_words);
  g_test_add_data_func ("/connection/tls1.3/handshake_fails_with_a_stranger", &stranger, handshake_fails_with_words);
  g_test_add_data_func ("/connection/tls1.2/handshake_fails_with_a_stranger", &stranger_tls12,
                        handshake_fails_with_words);
  g_test_add_data_func ("/connection/handshake_ends_at_the_sockets_timeout", GINT_TO_POINTER (FALSE),
                        handshake_ends_at_the_sockets_timeout);
  g_test_add_data_func ("/connection/handshake_async_ends_at_the_sockets_timeout", GINT_TO_POINTER (TRUE),
                        handshake_ends_at_the_sockets_timeout);
  g_test_add_data_func ("/connection/handshake_can_be_cancelled", GINT_TO_POINTER (FALSE), handshake_can_be_cancelled);
  g_test_add_data_func ("/connection/handshake_async_can_be_cancelled", GINT_TO_POINTER (TRUE),
                        handshake_can_be_cancelled);

  g_test_add_data_func ("/connection/long_text_goes_both_ways_at_once", GINT_TO_POINTER (TEST_BEHAVIOUR_ECHO),
                        long_text_goes_both_ways_at_once);
  g_test_add_data_func ("/connection/key_updates_go_unnoticed", GINT_TO_POINTER (TEST_BEHAVIOUR_KEY_UPDATE),
                        long_text_goes_both_ways_at_once);
  g_test_add_func ("/connection/works_over_any_pollable_stream", works_over_any_pollable_stream);
  g_test_add_func ("/connection/refuses_a_stream_that_is_not_pollable", refuses_a_stream_that_is_not_pollable);
  g_test_add_func ("/connection/non_blocking_calls_would_block", non_blocking_calls_would_block);
  g_test_add_func ("/connection/source_fires_for_the_implicit_handshake", source_fires_for_the_implicit_handshake);
  g_test_add_func ("/connection/source_calls_a_closure_with_its_stream", source_calls_a_closure_with_its_stream);
  g_test_add_data_func ("/connection/read_ends_at_the_sockets_timeout", GINT_TO_POINTER (FALSE),
                        read_ends_at_the_sockets_timeout);
  g_test_add_data_func ("/connection/read_async_ends_at_the_sockets_timeout", GINT_TO_POINTER (TRUE),
                        read_ends_at_the_sockets_timeout);
  g_test_add_func ("/connection/cancelled_write_leaves_the_stream_whole", cancelled_write_leaves_the_stream_whole);
  g_test_add_func ("/connection/cancelled_write_of_many_records_leaves_the_stream_whole",
                   cancelled_write_of_many_records_leaves_the_stream_whole);
  g_test_add_func ("/connection/cancelled_write_of_many_records_can_be_gone_on_with",
                   cancelled_write_of_many_records_can_be_gone_on_with);
  g_test_add_func ("/connection/what_is_told_as_written_has_gone", what_is_told_as_written_has_gone);
  g_test_add_func ("/connection/smaller_write_after_a_short_one_repeats_nothing",
                   smaller_write_after_a_short_one_repeats_nothing);
  g_test_add_data_func ("/connection/read_in_a_flood_of_tickets_can_be_cancelled", GINT_TO_POINTER (FALSE),
                        read_in_a_flood_of_tickets_can_be_cancelled);
  g_test_add_data_func ("/connection/read_async_in_a_flood_of_tickets_can_be_cancelled", GINT_TO_POINTER (TRUE),
                        read_in_a_flood_of_tickets_can_be_cancelled);
  g_test_add_func ("/connection/tls_unique_is_unique_when_resumed", tls_unique_is_unique_when_resumed);
  g_test_add_func ("/connection/truncation_is_told", truncation_is_told);
  g_test_add_func ("/connection/writing_to_a_peer_that_left_fails", writing_to_a_peer_that_left_fails);
  g_test_add_func ("/connection/output_can_be_closed_by_itself", output_can_be_closed_by_itself);
  g_test_add_func ("/connection/stream_outlives_its_connection", stream_outlives_its_connection);
  g_test_add_func ("/connection/uninitialised_connection_does_not_crash", uninitialised_connection_does_not_crash);
  g_test_add_func ("/connection/uninitialised_connection_does_not_crash_async",
                   uninitialised_connection_does_not_crash_async);
  g_test_add_func ("/connection/connection_can_be_made_asynchronously", connection_can_be_made_asynchronously);
  return g_test_run ();
}
