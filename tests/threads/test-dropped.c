/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Objects are let go, cancelled and closed in any thread, at any time. */

#include "client.h"
#include "crew.h"

#define ROUNDS 50

/* An object that has to be gone in the end. */
typedef GWeakRef Trace;

static void
trace (Trace *self, gpointer object)
{
  g_weak_ref_init (self, object);
}

static void
assert_gone (Trace *self)
{
  g_assert_null (g_weak_ref_get (self));
  g_weak_ref_clear (self);
}

static GInputStream *
input_of (GTlsSessionHelper *helper)
{
  return g_io_stream_get_input_stream (G_IO_STREAM (client_connection (helper)));
}

/* A source that waits */

static gboolean
on_readable (GObject *stream, gpointer data)
{
  return G_SOURCE_CONTINUE;
}

static GSource *
watch_input (GTlsSessionHelper *helper)
{
  GSource *source = g_pollable_input_stream_create_source (G_POLLABLE_INPUT_STREAM (input_of (helper)), NULL);

  g_source_set_callback (source, (GSourceFunc) (void (*) (void)) on_readable, NULL, NULL);
  return source;
}

static void
attach (gpointer source)
{
  g_source_attach (source, g_main_context_get_thread_default ());
}

static void
destroy (gpointer source)
{
  g_source_destroy (source);
  g_source_unref (source);
}

/* The source has a reference of its own; the last one goes here or there. */
static void
last_reference_goes_while_a_source_is_attached (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);

  for (guint i = 0; i < crew_scale (ROUNDS); i++)
    {
      Looper *looper = looper_new ();
      GTlsSessionHelper *helper = client_connect_with_ticket (server);
      GSource *source = watch_input (helper);
      Trace connection;

      trace (&connection, client_connection (helper));
      looper_call (looper, attach, source);
      looper_send (looper, destroy, source);
      g_object_unref (helper);
      looper_free (looper);
      assert_gone (&connection);
    }
}

/* Its own thread may be about to look at it, or to call its function. */
static void
source_is_destroyed_in_another_thread (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);

  for (guint i = 0; i < crew_scale (ROUNDS); i++)
    {
      Looper *looper = looper_new ();
      GTlsSessionHelper *helper = client_connect_with_ticket (server);
      GSource *source = watch_input (helper);
      Trace connection;

      trace (&connection, client_connection (helper));
      looper_call (looper, attach, source);
      client_write (helper, "hello", 5);
      destroy (source);
      client_close (helper);
      g_object_unref (helper);
      looper_free (looper);
      assert_gone (&connection);
    }
}

/* An operation that waits */

typedef struct
{
  Looper *looper;
  GTlsSessionHelper *helper; /* until the operation has begun */
  GCancellable *cancellable;
  char byte;
  GError *error;
} Waiting;

static void
on_read (GObject *stream, GAsyncResult *result, gpointer data)
{
  Waiting *self = data;

  g_assert_true (looper_is_here (self->looper));
  g_assert_cmpint (g_input_stream_read_finish (G_INPUT_STREAM (stream), result, &self->error), ==, -1);
}

static void
begin_read (gpointer data)
{
  Waiting *self = data;

  g_input_stream_read_async (input_of (self->helper), &self->byte, 1, G_PRIORITY_DEFAULT, self->cancellable, on_read,
                             self);
}

static void
on_waited (GObject *helper, GAsyncResult *result, gpointer data)
{
  Waiting *self = data;

  g_assert_true (looper_is_here (self->looper));
  g_assert_null (g_tls_session_helper_wait_for_ticket_finish (G_TLS_SESSION_HELPER (helper), result, &self->error));
}

static void
begin_wait (gpointer data)
{
  Waiting *self = data;

  g_tls_session_helper_wait_for_ticket_async (self->helper, -1, self->cancellable, on_waited, self);
}

static void
waiting_begin (Waiting *self, GTlsSessionHelper *helper, LooperFunc begin)
{
  *self = (Waiting){ .looper = looper_new (), .helper = helper, .cancellable = g_cancellable_new () };
  looper_call (self->looper, begin, self);
  self->helper = NULL;
}

static void
waiting_end (Waiting *self, int code)
{
  looper_free (self->looper);
  g_assert_error (self->error, G_IO_ERROR, code);
  g_clear_error (&self->error);
  g_object_unref (self->cancellable);
}

/* Blocking calls */

typedef struct
{
  GTlsSessionHelper *helper;
  GCancellable *cancellable;
} Blocking;

static gpointer
read_until_cancelled (gpointer data)
{
  Blocking *self = data;
  g_autoptr (GError) error = NULL;
  char byte;

  g_assert_cmpint (g_input_stream_read (input_of (self->helper), &byte, 1, self->cancellable, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  return NULL;
}

static gpointer
wait_until_cancelled (gpointer data)
{
  Blocking *self = data;
  g_autoptr (GError) error = NULL;

  g_assert_null (g_tls_session_helper_wait_for_ticket (self->helper, -1, self->cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  return NULL;
}

/* Two that want to read: one of them waits for the server, and the other for its turn. */
static void
blocking_calls_are_cancelled_in_another_thread (void)
{
  static const GThreadFunc calls[] = { read_until_cancelled, wait_until_cancelled };
  TestServerOptions options = { .no_tickets = TRUE };
  g_autoptr (TestServer) server = test_server_new (&options);

  for (guint i = 0; i < crew_scale (ROUNDS); i++)
    {
      g_autoptr (GTlsSessionHelper) helper = client_connect (server);
      Blocking blocking[G_N_ELEMENTS (calls)];
      GThread *threads[G_N_ELEMENTS (calls)];

      for (gsize j = 0; j < G_N_ELEMENTS (calls); j++)
        {
          blocking[j] = (Blocking){ helper, g_cancellable_new () };
          threads[j] = g_thread_new ("blocking", calls[j], &blocking[j]);
        }
      g_usleep (i * 100);
      for (gsize j = G_N_ELEMENTS (calls); j > 0; j--)
        {
          g_cancellable_cancel (blocking[j - 1].cancellable);
          g_thread_join (threads[j - 1]);
          g_object_unref (blocking[j - 1].cancellable);
        }
      client_exchange (helper, "hello");
      client_close (helper);
    }
}

static void
cancel (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
}

/* What waits keeps the connection, and may be the last that does. It is cancelled in its own thread: GLib 2.74 may leak
 * the source of a GCancellable that is finished while another thread cancels that.
 */
static void
let_go_and_cancelled_while_an_operation_waits (void)
{
  static const LooperFunc operations[] = { begin_read, begin_wait };
  TestServerOptions options = { .no_tickets = TRUE };
  g_autoptr (TestServer) server = test_server_new (&options);

  for (guint i = 0; i < crew_scale (ROUNDS); i++)
    {
      GTlsSessionHelper *helper = client_connect (server);
      Waiting waiting;
      Trace connection;

      trace (&connection, client_connection (helper));
      waiting_begin (&waiting, helper, operations[i % G_N_ELEMENTS (operations)]);
      looper_send (waiting.looper, cancel, waiting.cancellable);
      g_object_unref (helper);
      waiting_end (&waiting, G_IO_ERROR_CANCELLED);
      assert_gone (&connection);
    }
}

static void
closed_in_another_thread_while_a_read_waits (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);

  for (guint i = 0; i < crew_scale (2 * ROUNDS); i++)
    {
      g_autoptr (GTlsSessionHelper) helper = client_connect_with_ticket (server);
      Waiting waiting;

      waiting_begin (&waiting, helper, begin_read);
      client_close (helper);
      waiting_end (&waiting, G_IO_ERROR_CLOSED);
    }
}

/* A signal that is on its way */

typedef struct
{
  TestServer *server;
  Looper *looper;
  GTlsSessionHelper *helper;
  guint n_told;
} Listener;

static void
on_ticket (GTlsSessionHelper *helper, GTlsSessionTicket *ticket, Listener *self)
{
  g_assert_true (looper_is_here (self->looper));
  g_assert_cmpuint (client_count_tickets (helper), >, 0);
  self->n_told++;
}

static void
make_helper (gpointer data)
{
  Listener *self = data;

  self->helper = client_prepare (self->server);
  g_signal_connect (self->helper, "ticket-available", G_CALLBACK (on_ticket), self);
}

/* The last reference goes in this thread, or, if the signal is being emitted, in that of the signal. */
static void
helper_is_let_go_while_a_signal_is_on_its_way (void)
{
  TestServerOptions options = { .n_tickets = 8 };
  g_autoptr (TestServer) server = test_server_new (&options);

  for (guint i = 0; i < crew_scale (2 * ROUNDS); i++)
    {
      Listener listener = { .server = server, .looper = looper_new () };
      g_autoptr (GTlsConnection) connection = NULL;
      Trace helper;

      looper_call (listener.looper, make_helper, &listener);
      trace (&helper, listener.helper);
      connection = g_object_ref (client_connection (listener.helper));
      client_exchange (listener.helper, "hello");
      g_clear_object (&listener.helper);

      looper_free (listener.looper);
      assert_gone (&helper);
      g_assert_cmpuint (listener.n_told, <=, 8);
      g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
    }
}

/* Two helpers of one connection. While the first is told of a ticket, the second is let go in another thread. */
typedef struct
{
  Listener first;
  Listener second;
  GAsyncQueue *to_other;
  GAsyncQueue *from_other;
} Pair;

static void
let_other_go (GTlsSessionHelper *helper, GTlsSessionTicket *ticket, Pair *self)
{
  g_async_queue_push (self->to_other, self);
  g_async_queue_pop (self->from_other);
}

static void
make_two_helpers (gpointer data)
{
  Pair *self = data;

  make_helper (&self->first);
  g_signal_connect (self->first.helper, "ticket-available", G_CALLBACK (let_other_go), self);
  self->second.helper = g_tls_session_helper_new (G_TLS_CLIENT_CONNECTION (client_connection (self->first.helper)));
  g_signal_connect (self->second.helper, "ticket-available", G_CALLBACK (on_ticket), &self->second);
}

static void
helper_is_let_go_when_its_turn_to_be_told_comes (void)
{
  TestServerOptions options = { .n_tickets = 1 };
  g_autoptr (TestServer) server = test_server_new (&options);
  Looper *looper = looper_new ();
  Pair pair = { .first = { .server = server, .looper = looper },
                .second = { .looper = looper },
                .to_other = g_async_queue_new (),
                .from_other = g_async_queue_new () };
  Trace second;

  looper_call (looper, make_two_helpers, &pair);
  trace (&second, pair.second.helper);
  client_exchange (pair.first.helper, "hello");
  g_async_queue_pop (pair.to_other);
  g_object_unref (pair.second.helper);
  g_async_queue_push (pair.from_other, &pair);

  looper_free (looper);
  assert_gone (&second);
  g_assert_cmpuint (pair.first.n_told, ==, 1);
  g_assert_cmpuint (pair.second.n_told, ==, 1);
  client_close (pair.first.helper);
  g_object_unref (pair.first.helper);
  g_async_queue_unref (pair.to_other);
  g_async_queue_unref (pair.from_other);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/threads/dropped/last_reference_goes_while_a_source_is_attached",
                   last_reference_goes_while_a_source_is_attached);
  g_test_add_func ("/threads/dropped/source_is_destroyed_in_another_thread", source_is_destroyed_in_another_thread);
  g_test_add_func ("/threads/dropped/blocking_calls_are_cancelled_in_another_thread",
                   blocking_calls_are_cancelled_in_another_thread);
  g_test_add_func ("/threads/dropped/let_go_and_cancelled_while_an_operation_waits",
                   let_go_and_cancelled_while_an_operation_waits);
  g_test_add_func ("/threads/dropped/closed_in_another_thread_while_a_read_waits",
                   closed_in_another_thread_while_a_read_waits);
  g_test_add_func ("/threads/dropped/helper_is_let_go_while_a_signal_is_on_its_way",
                   helper_is_let_go_while_a_signal_is_on_its_way);
  g_test_add_func ("/threads/dropped/helper_is_let_go_when_its_turn_to_be_told_comes",
                   helper_is_let_go_when_its_turn_to_be_told_comes);
  return g_test_run ();
}
