/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* wait_for_ticket(): TLS 1.3 delivers tickets only to a client that reads, and no application data may be lost on it. */

#include <string.h>

#include "client.h"

#define GREETING_SIZE 40000

static void
assert_is_greeting (const guint8 *bytes, gsize size)
{
  for (gsize i = 0; i < size; i++)
    g_assert_cmpuint (bytes[i], ==, test_server_greeting_byte (i));
}

static void
wait_returns_a_ticket_at_once_if_there_is_one (void)
{
  TestServerOptions options = { .only_tls12 = TRUE };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect (server);
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionTicket) ticket = g_tls_session_helper_wait_for_ticket (helper, 0, NULL, &error);

  g_assert_no_error (error);
  g_assert_nonnull (ticket);
  client_close (helper);
}

static void
wait_returns_what_came_before_the_close (void)
{
  TestServerOptions options = { .only_tls13 = TRUE };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect_with_ticket (server);
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GTlsSessionTicket) same = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) awaited = NULL;
  g_autoptr (GError) error = NULL;

  client_close (helper);
  ticket = g_tls_session_helper_wait_for_ticket (helper, 0, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (ticket);

  g_tls_session_helper_wait_for_ticket_async (helper, 0, NULL, client_keep_result, &result);
  g_assert_null (result);
  awaited = client_await (&result);
  same = g_tls_session_helper_wait_for_ticket_finish (helper, awaited, &error);
  g_assert_no_error (error);
  g_assert_true (same == ticket);
}

static void
wait_shakes_hands_if_need_be (void)
{
  TestServerOptions options = { .only_tls13 = TRUE };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect_with_ticket (server);

  g_assert_cmpint (g_tls_connection_get_protocol_version (client_connection (helper)), ==,
                   G_TLS_PROTOCOL_VERSION_TLS_1_3);
  client_close (helper);
}

static gboolean
note_ready (GObject *stream, gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_REMOVE;
}

static void
wait_until_source_fires (GPollableInputStream *input)
{
  g_autoptr (GSource) source = g_pollable_input_stream_create_source (input, NULL);
  gboolean ready = FALSE;

  g_source_set_callback (source, G_SOURCE_FUNC (note_ready), &ready, NULL);
  g_source_attach (source, NULL);
  client_run_until (&ready);
}

static void
wait_keeps_application_data (void)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_GREET_THEN_TICKET, .greeting_size = GREETING_SIZE };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect_with_ticket (server);
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (client_connection (helper)));
  g_autofree guint8 *greeting = g_malloc (GREETING_SIZE);

  /* The whole greeting came before the ticket, so all of it can be read without waiting. */
  g_assert_true (g_pollable_input_stream_is_readable (G_POLLABLE_INPUT_STREAM (input)));
  wait_until_source_fires (G_POLLABLE_INPUT_STREAM (input));
  client_read (helper, greeting, 1);
  client_read (helper, greeting + 1, GREETING_SIZE - 1);
  assert_is_greeting (greeting, GREETING_SIZE);
  client_exchange (helper, "and on it goes");
  client_close (helper);
}

static void
wait_async_keeps_application_data (void)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_GREET_THEN_TICKET, .greeting_size = GREETING_SIZE };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);
  g_autofree guint8 *greeting = g_malloc (GREETING_SIZE);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) awaited = NULL;
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GError) error = NULL;

  g_tls_session_helper_wait_for_ticket_async (helper, 10000, NULL, client_keep_result, &result);
  awaited = client_await (&result);
  ticket = g_tls_session_helper_wait_for_ticket_finish (helper, awaited, &error);
  g_assert_no_error (error);
  g_assert_nonnull (ticket);
  client_read (helper, greeting, GREETING_SIZE);
  assert_is_greeting (greeting, GREETING_SIZE);
  client_close (helper);
}

static void
wait_does_not_take_from_a_pending_read (void)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_GREET_THEN_TICKET, .greeting_size = GREETING_SIZE };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect (server);
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (client_connection (helper)));
  g_autofree guint8 *greeting = g_malloc (GREETING_SIZE);
  g_autoptr (GAsyncResult) read_result = NULL;
  g_autoptr (GAsyncResult) wait_result = NULL;
  g_autoptr (GAsyncResult) read_awaited = NULL;
  g_autoptr (GAsyncResult) wait_awaited = NULL;
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GError) error = NULL;
  gsize n_read = 0;

  g_input_stream_read_all_async (input, greeting, GREETING_SIZE, G_PRIORITY_DEFAULT, NULL, client_keep_result,
                                 &read_result);
  g_tls_session_helper_wait_for_ticket_async (helper, 10000, NULL, client_keep_result, &wait_result);

  wait_awaited = client_await (&wait_result);
  ticket = g_tls_session_helper_wait_for_ticket_finish (helper, wait_awaited, &error);
  g_assert_no_error (error);
  g_assert_nonnull (ticket);

  read_awaited = client_await (&read_result);
  g_assert_true (g_input_stream_read_all_finish (input, read_awaited, &n_read, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_read, ==, GREETING_SIZE);
  assert_is_greeting (greeting, GREETING_SIZE);
  client_close (helper);
}

static void
wait_ends_when_too_much_data_comes (void)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_GREET_THEN_TICKET, .greeting_size = 1024 * 1024 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);
  g_autofree guint8 *greeting = g_malloc (options.greeting_size);
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (g_tls_session_helper_wait_for_ticket (helper, 10000, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_clear_error (&error);

  client_read (helper, greeting, options.greeting_size);
  assert_is_greeting (greeting, options.greeting_size);
  ticket = g_tls_session_helper_wait_for_ticket (helper, 10000, NULL, &error);
  g_assert_no_error (error);
  client_close (helper);
}

static void
wait_times_out (void)
{
  TestServerOptions options = { .only_tls13 = TRUE, .no_tickets = TRUE };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect (server);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) awaited = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) async_error = NULL;

  g_assert_null (g_tls_session_helper_wait_for_ticket (helper, 50, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_nonnull (strstr (error->message, "within 50 ms"));

  g_tls_session_helper_wait_for_ticket_async (helper, 50, NULL, client_keep_result, &result);
  awaited = client_await (&result);
  g_assert_null (g_tls_session_helper_wait_for_ticket_finish (helper, awaited, &async_error));
  g_assert_error (async_error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);

  client_exchange (helper, "still in order");
  client_close (helper);
}

static gpointer
cancel_soon (gpointer data)
{
  g_usleep (50 * 1000);
  g_cancellable_cancel (data);
  return NULL;
}

static void
wait_can_be_cancelled (void)
{
  TestServerOptions options = { .only_tls13 = TRUE, .no_tickets = TRUE };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect (server);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) awaited = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) async_error = NULL;
  GThread *thread = g_thread_new ("cancel", cancel_soon, cancellable);

  g_assert_null (g_tls_session_helper_wait_for_ticket (helper, -1, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);

  g_cancellable_reset (cancellable);
  thread = g_thread_new ("cancel", cancel_soon, cancellable);
  g_tls_session_helper_wait_for_ticket_async (helper, -1, cancellable, client_keep_result, &result);
  awaited = client_await (&result);
  g_assert_null (g_tls_session_helper_wait_for_ticket_finish (helper, awaited, &async_error));
  g_assert_error (async_error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);

  client_exchange (helper, "still in order");
  client_close (helper);
}

static void
wait_tells_that_no_ticket_can_come (void)
{
  TestServerOptions options = { .only_tls12 = TRUE, .tls12 = TEST_TLS12_NOTHING };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);
  g_autoptr (GError) error = NULL;

  g_assert_null (g_tls_session_helper_wait_for_ticket (helper, -1, NULL, &error));
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_NO_TICKET);
  client_close (helper);
}

static void
wait_gets_a_ticket_that_is_sent_late (void)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_TICKET_ON_REQUEST };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect (server);
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GError) error = NULL;
  char answer[7];

  client_exchange (helper, "no ticket yet\n");
  g_assert_cmpuint (client_count_tickets (helper), ==, 0);
  client_write (helper, "TICKET\n", 7);
  ticket = g_tls_session_helper_wait_for_ticket (helper, 10000, NULL, &error);
  g_assert_no_error (error);
  client_read (helper, answer, sizeof answer);
  g_assert_cmpmem (answer, sizeof answer, "TICKET\n", 7);
  client_close (helper);
}

static gpointer
read_a_byte (gpointer helper)
{
  char byte = 0;

  client_read (helper, &byte, 1);
  return GINT_TO_POINTER (byte);
}

/* Whoever waits for what another thread waits for keeps to its own time, and takes nothing from it. */
static void
wait_times_out_behind_a_reader (void)
{
  TestServerOptions options = { .only_tls13 = TRUE, .no_tickets = TRUE };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect (server);
  GPollableInputStream *input = G_POLLABLE_INPUT_STREAM (
    g_io_stream_get_input_stream (G_IO_STREAM (client_connection (helper))));
  GThread *reader = g_thread_new ("reader", read_a_byte, helper);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) awaited = NULL;
  g_autoptr (GError) error = NULL;
  char byte;

  g_usleep (50 * 1000); /* so that it waits, most likely */
  g_assert_false (g_pollable_input_stream_is_readable (input));
  g_assert_cmpint (g_pollable_input_stream_read_nonblocking (input, &byte, 1, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  g_clear_error (&error);
  g_assert_null (g_tls_session_helper_wait_for_ticket (helper, 50, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&error);
  g_tls_session_helper_wait_for_ticket_async (helper, 50, NULL, client_keep_result, &result);
  awaited = client_await (&result);
  g_assert_null (g_tls_session_helper_wait_for_ticket_finish (helper, awaited, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);

  client_write (helper, "x", 1);
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (reader)), ==, 'x');
  client_close (helper);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/wait/returns_a_ticket_at_once_if_there_is_one", wait_returns_a_ticket_at_once_if_there_is_one);
  g_test_add_func ("/wait/returns_what_came_before_the_close", wait_returns_what_came_before_the_close);
  g_test_add_func ("/wait/shakes_hands_if_need_be", wait_shakes_hands_if_need_be);
  g_test_add_func ("/wait/keeps_application_data", wait_keeps_application_data);
  g_test_add_func ("/wait/async_keeps_application_data", wait_async_keeps_application_data);
  g_test_add_func ("/wait/does_not_take_from_a_pending_read", wait_does_not_take_from_a_pending_read);
  g_test_add_func ("/wait/ends_when_too_much_data_comes", wait_ends_when_too_much_data_comes);
  g_test_add_func ("/wait/times_out", wait_times_out);
  g_test_add_func ("/wait/times_out_behind_a_reader", wait_times_out_behind_a_reader);
  g_test_add_func ("/wait/can_be_cancelled", wait_can_be_cancelled);
  g_test_add_func ("/wait/tells_that_no_ticket_can_come", wait_tells_that_no_ticket_can_come);
  g_test_add_func ("/wait/gets_a_ticket_that_is_sent_late", wait_gets_a_ticket_that_is_sent_late);
  return g_test_run ();
}
