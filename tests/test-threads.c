/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Signals come where they are expected, and two threads may use a connection at once. */

#include <string.h>

#include "client.h"

#define LONG_SIZE (8 * 1024 * 1024)

typedef struct
{
  GThread *expected_thread;
  GMainContext *expected_context;
  guint n_tickets;
  guint n_changes;
  gboolean done;
} Witness;

static void
note_place (Witness *witness)
{
  g_assert_true (g_thread_self () == witness->expected_thread);
  if (witness->expected_context != NULL)
    g_assert_true (g_main_context_is_owner (witness->expected_context));
}

static void
on_ticket (GTlsSessionHelper *helper, GTlsSessionTicket *ticket, Witness *witness)
{
  note_place (witness);
  witness->n_tickets++;
  witness->done = witness->n_tickets == 2;
}

static void
on_change (GObject *object, GParamSpec *pspec, Witness *witness)
{
  note_place (witness);
  witness->n_changes++;
}

static void
watch (GTlsSessionHelper *helper, Witness *witness)
{
  g_signal_connect (helper, "ticket-available", G_CALLBACK (on_ticket), witness);
  g_signal_connect (helper, "notify", G_CALLBACK (on_change), witness);
  g_signal_connect (client_connection (helper), "notify", G_CALLBACK (on_change), witness);
}

static gpointer
exchange_in_thread (gpointer data)
{
  client_exchange (data, "hello");
  return NULL;
}

/* Another thread does all the work, and signals come in the main context of the one that made the connection. */
static void
signals_come_home (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);
  Witness witness = { .expected_thread = g_thread_self (), .expected_context = g_main_context_default () };
  GThread *thread;

  watch (helper, &witness);
  thread = g_thread_new ("exchange", exchange_in_thread, helper);
  g_thread_join (thread);
  g_assert_cmpuint (witness.n_tickets, ==, 0);
  g_assert_cmpuint (client_count_tickets (helper), ==, 2);

  client_run_until (&witness.done);
  g_assert_cmpuint (witness.n_tickets, ==, 2);
  g_assert_cmpuint (witness.n_changes, >=, 4);
  client_close (helper);
}

typedef struct
{
  TestServer *server;
  gboolean made;
  GTlsSessionHelper *helper;
  Witness witness;
  GMutex mutex;
  GCond cond;
} Home;

static gpointer
live_in_own_context (gpointer data)
{
  Home *home = data;
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  home->helper = client_prepare (home->server);
  home->witness.expected_thread = g_thread_self ();
  home->witness.expected_context = context;
  watch (home->helper, &home->witness);

  g_mutex_lock (&home->mutex);
  home->made = TRUE;
  g_cond_signal (&home->cond);
  g_mutex_unlock (&home->mutex);

  client_run_until (&home->witness.done);
  g_main_context_pop_thread_default (context);
  return NULL;
}

/* The other way round: the connection's home is a thread with a context of its own, and this one reads. */
static void
signals_come_to_the_context_of_a_thread (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);
  Home home = { .server = server };
  GThread *thread;

  g_mutex_init (&home.mutex);
  g_cond_init (&home.cond);
  thread = g_thread_new ("home", live_in_own_context, &home);
  g_mutex_lock (&home.mutex);
  while (!home.made)
    g_cond_wait (&home.cond, &home.mutex);
  g_mutex_unlock (&home.mutex);

  client_exchange (home.helper, "hello");
  g_thread_join (thread);
  g_assert_cmpuint (home.witness.n_tickets, ==, 2);
  client_close (home.helper);
  g_object_unref (home.helper);
  g_mutex_clear (&home.mutex);
  g_cond_clear (&home.cond);
}

static void
signals_come_right_away_in_a_sync_call (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);
  Witness witness = { .expected_thread = g_thread_self () };

  watch (helper, &witness);
  client_exchange (helper, "hello");
  g_assert_cmpuint (witness.n_tickets, ==, 2);
  client_close (helper);
}

static void
copy_in_handler (GTlsSessionHelper *helper, GTlsSessionTicket *ticket, GTlsSessionHelper *next)
{
  g_autoptr (GError) error = NULL;

  g_tls_session_helper_copy_session_state (next, helper, &error);
  g_assert_no_error (error);
}

static void
ticket_is_usable_in_the_handler (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);
  g_autoptr (GTlsSessionHelper) next = client_prepare (server);

  g_signal_connect (helper, "ticket-available", G_CALLBACK (copy_in_handler), next);
  client_exchange (helper, "hello");
  client_handshake (next);
  g_assert_cmpint (g_tls_session_helper_get_resumption (next), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
  client_close (next);
  client_close (helper);
}

/* Two threads */

static guint8
byte_at (gsize position)
{
  return (guint8) (position * 2654435761u >> 9);
}

static gpointer
write_long (gpointer data)
{
  g_autofree guint8 *text = g_malloc (LONG_SIZE);

  for (gsize i = 0; i < LONG_SIZE; i++)
    text[i] = byte_at (i);
  client_write (data, text, LONG_SIZE);
  return NULL;
}

static void
read_long (GTlsSessionHelper *helper)
{
  g_autofree guint8 *answer = g_malloc (LONG_SIZE);

  client_read (helper, answer, LONG_SIZE);
  for (gsize i = 0; i < LONG_SIZE; i++)
    if (answer[i] != byte_at (i))
      g_error ("Byte %" G_GSIZE_FORMAT " is wrong", i);
}

/* Both begin before the handshake is done, so that either may do it. */
static gboolean
has_ticket (GTlsSessionHelper *helper, GTlsSessionTicket *ticket)
{
  GList *tickets = g_tls_session_helper_list_tickets (helper);
  gboolean found = g_list_find (tickets, ticket) != NULL;

  g_list_free_full (tickets, g_object_unref);
  return found;
}

/* Until all that were there have been pushed out by others. */
static void
wait_for_a_flood (GTlsSessionHelper *helper)
{
  g_autoptr (GTlsSessionTicket) ticket = NULL;

  while (client_count_tickets (helper) < 32)
    g_usleep (1000);
  ticket = g_tls_session_helper_get_ticket (helper);
  while (has_ticket (helper, ticket))
    g_usleep (1000);
}

static gpointer
read_until_cancelled (gpointer data)
{
  gpointer *both = data;
  g_autoptr (GError) error = NULL;
  char byte;

  g_input_stream_read (g_io_stream_get_input_stream (both[0]), &byte, 1, both[1], &error);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  return NULL;
}

/* A server must not fill the memory of a program whose main loop does not run: what waits to be told is bounded. */
static void
flood_of_tickets_does_not_wait_to_be_told (void)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_TICKET_FLOOD };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect (server);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  gpointer both[2] = { client_connection (helper), cancellable };
  Witness witness = { .expected_thread = g_thread_self () };
  GThread *thread;

  watch (helper, &witness);
  thread = g_thread_new ("read", read_until_cancelled, both);
  wait_for_a_flood (helper);
  g_cancellable_cancel (cancellable);
  g_thread_join (thread);

  g_assert_cmpuint (witness.n_tickets, ==, 0);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  g_assert_cmpuint (witness.n_tickets, ==, 32);
}

static void
one_thread_reads_while_another_writes (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);

  for (guint i = 0; i < client_scale (10); i++)
    {
      g_autoptr (GTlsSessionHelper) helper = client_prepare (server);
      GThread *thread = g_thread_new ("write", write_long, helper);

      read_long (helper);
      g_thread_join (thread);
      client_close (helper);
    }
}

static gpointer
handshake_in_thread (gpointer data)
{
  client_handshake (data);
  return NULL;
}

static void
many_threads_shake_hands_at_once (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);

  for (guint i = 0; i < client_scale (50); i++)
    {
      g_autoptr (GTlsSessionHelper) helper = client_prepare (server);
      GThread *threads[4];

      for (guint j = 0; j < G_N_ELEMENTS (threads); j++)
        threads[j] = g_thread_new ("handshake", handshake_in_thread, helper);
      for (guint j = 0; j < G_N_ELEMENTS (threads); j++)
        g_thread_join (threads[j]);
      client_exchange (helper, "hello");
      client_close (helper);
    }
}

static gpointer
read_until_closed (gpointer data)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (client_connection (data)));
  GError *error = NULL;
  char byte;

  g_assert_cmpint (g_input_stream_read (input, &byte, 1, NULL, &error), ==, -1);
  return error;
}

static void
close_ends_a_read_in_another_thread (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect (server);
  g_autoptr (GError) error = NULL;
  GThread *thread;

  client_exchange (helper, "hello");
  thread = g_thread_new ("read", read_until_closed, helper);
  g_usleep (50 * 1000);
  client_close (helper);
  error = g_thread_join (thread);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

/* The peer says nothing and does not close, so that only our own close can end the read. */
static void
close_ends_a_read_that_nobody_answers (void)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_SILENT };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect_with_ticket (server);
  g_autoptr (GError) close_error = NULL;
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_new ("read", read_until_closed, helper);

  g_usleep (50 * 1000);
  g_tls_session_connection_set_close_timeout (G_TLS_SESSION_CONNECTION (client_connection (helper)), 50);
  g_io_stream_close (G_IO_STREAM (client_connection (helper)), NULL, &close_error);
  g_assert_error (close_error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  error = g_thread_join (thread);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

static gpointer
wait_in_thread (gpointer data)
{
  g_autoptr (GTlsSessionTicket) ticket = g_tls_session_helper_wait_for_ticket (data, 20000, NULL, NULL);

  return GINT_TO_POINTER (ticket != NULL);
}

static void
wait_and_read_in_two_threads (void)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_TICKET_ON_REQUEST };
  g_autoptr (TestServer) server = test_server_new (&options);

  for (guint i = 0; i < client_scale (50); i++)
    {
      g_autoptr (GTlsSessionHelper) helper = client_connect (server);
      GThread *thread = g_thread_new ("wait", wait_in_thread, helper);

      client_exchange (helper, "hello\n");
      client_exchange (helper, "TICKET\n");
      g_assert_true (GPOINTER_TO_INT (g_thread_join (thread)));
      client_close (helper);
    }
}

static void
tickets_can_be_copied_from_many_threads (void)
{
  TestServerOptions options = { .n_tickets = 4 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) source = client_connect_with_ticket (server);
  GTlsSessionHelper *helpers[8];
  GThread *threads[8];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      g_autoptr (GError) error = NULL;

      helpers[i] = client_prepare (server);
      g_tls_session_helper_copy_session_state (helpers[i], source, &error);
      g_assert_no_error (error);
      threads[i] = g_thread_new ("handshake", handshake_in_thread, helpers[i]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      g_thread_join (threads[i]);
      g_assert_cmpint (g_tls_session_helper_get_resumption (helpers[i]), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
      client_close (helpers[i]);
      g_object_unref (helpers[i]);
    }
  client_close (source);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/threads/signals_come_home", signals_come_home);
  g_test_add_func ("/threads/signals_come_to_the_context_of_a_thread", signals_come_to_the_context_of_a_thread);
  g_test_add_func ("/threads/signals_come_right_away_in_a_sync_call", signals_come_right_away_in_a_sync_call);
  g_test_add_func ("/threads/ticket_is_usable_in_the_handler", ticket_is_usable_in_the_handler);
  g_test_add_func ("/threads/flood_of_tickets_does_not_wait_to_be_told", flood_of_tickets_does_not_wait_to_be_told);
  g_test_add_func ("/threads/one_thread_reads_while_another_writes", one_thread_reads_while_another_writes);
  g_test_add_func ("/threads/many_threads_shake_hands_at_once", many_threads_shake_hands_at_once);
  g_test_add_func ("/threads/close_ends_a_read_in_another_thread", close_ends_a_read_in_another_thread);
  g_test_add_func ("/threads/close_ends_a_read_that_nobody_answers", close_ends_a_read_that_nobody_answers);
  g_test_add_func ("/threads/wait_and_read_in_two_threads", wait_and_read_in_two_threads);
  g_test_add_func ("/threads/tickets_can_be_copied_from_many_threads", tickets_can_be_copied_from_many_threads);
  return g_test_run ();
}
