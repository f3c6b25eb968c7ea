/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* `ticket-available`, with several main contexts in several threads: each ticket is told once, and in the right thread. */

#include "client.h"
#include "crew.h"

#define N_TICKETS 4

/* Who heard of what. It has no lock, so that it orders nothing: each thread notes in a list of its own. */
typedef struct
{
  GThread *threads[2];
  GPtrArray *ids[2];
  guint n_told[2]; /* the same, atomic, without any order */
} Witness;

static void
witness_init (Witness *self, GThread *first, GThread *second)
{
  self->threads[0] = first;
  self->threads[1] = second;
  for (gsize i = 0; i < G_N_ELEMENTS (self->ids); i++)
    {
      self->ids[i] = g_ptr_array_new_with_free_func (g_free);
      self->n_told[i] = 0;
    }
}

static void
on_ticket (GTlsSessionHelper *helper, GTlsSessionTicket *ticket, Witness *self)
{
  gsize here = g_thread_self () == self->threads[0] ? 0 : 1;

  g_assert_true (g_thread_self () == self->threads[here]);
  g_ptr_array_add (self->ids[here], g_strdup (g_tls_session_ticket_get_id (ticket)));
  __atomic_add_fetch (&self->n_told[here], 1, __ATOMIC_RELAXED);
}

static guint
witness_peek (Witness *self, gsize which)
{
  return __atomic_load_n (&self->n_told[which], __ATOMIC_RELAXED);
}

/* How many tickets were told; each of them once. */
static guint
witness_count (Witness *self)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (gsize i = 0; i < G_N_ELEMENTS (self->ids); i++)
    for (guint j = 0; j < self->ids[i]->len; j++)
      g_assert_true (g_hash_table_add (seen, g_ptr_array_index (self->ids[i], j)));
  return g_hash_table_size (seen);
}

static void
witness_clear (Witness *self)
{
  for (gsize i = 0; i < G_N_ELEMENTS (self->ids); i++)
    g_clear_pointer (&self->ids[i], g_ptr_array_unref);
}

/* Several homes */

static gpointer
exchange (gpointer helper)
{
  client_exchange (helper, "hello");
  return NULL;
}

/* The tickets come in in another thread; until all have been told this one's context has to run. */
static void
hear_at_home (guint number, gpointer server)
{
  for (guint i = 0; i < crew_scale (10); i++)
    {
      g_autoptr (GTlsSessionHelper) helper = client_prepare (server);
      Witness witness;
      GThread *thread;

      witness_init (&witness, g_thread_self (), NULL);
      g_signal_connect (helper, "ticket-available", G_CALLBACK (on_ticket), &witness);
      thread = g_thread_new ("exchange", exchange, helper);
      while (witness.ids[0]->len < N_TICKETS)
        g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
      g_thread_join (thread);
      client_close (helper);
      g_assert_cmpuint (witness_count (&witness), ==, N_TICKETS);
      witness_clear (&witness);
    }
}

static void
each_thread_hears_of_its_own (void)
{
  TestServerOptions options = { .n_tickets = N_TICKETS };
  g_autoptr (TestServer) server = test_server_new (&options);

  crew_work (4, hear_at_home, server);
}

/* Tickets without end */

typedef struct
{
  GTlsSessionHelper *helper;
  GCancellable *cancellable;
  GThread *thread;
} Reader;

static gpointer
read_until_cancelled (gpointer data)
{
  Reader *self = data;
  g_autoptr (GError) error = NULL;
  char byte;

  g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (client_connection (self->helper))), &byte, 1,
                       self->cancellable, &error);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  return NULL;
}

static void
reader_begin (Reader *self, GTlsSessionHelper *helper)
{
  self->helper = helper;
  self->cancellable = g_cancellable_new ();
  self->thread = g_thread_new ("reader", read_until_cancelled, self);
}

/* A close would read on, and there is no end of what comes. */
static void
reader_end (Reader *self)
{
  g_tls_session_connection_set_close_timeout (G_TLS_SESSION_CONNECTION (client_connection (self->helper)), 1);
  g_cancellable_cancel (self->cancellable);
  g_thread_join (self->thread);
  g_object_unref (self->cancellable);
}

/* A thread brings news all the time while another tells them. */
static void
flood_is_told_while_it_goes_on (void)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_TICKET_FLOOD };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect (server);
  const guint enough = crew_scale (1000);
  Witness witness;
  Reader reader;

  witness_init (&witness, g_thread_self (), NULL);
  g_signal_connect (helper, "ticket-available", G_CALLBACK (on_ticket), &witness);
  reader_begin (&reader, helper);
  while (witness.ids[0]->len < enough)
    g_main_context_iteration (NULL, TRUE);
  reader_end (&reader);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (witness_count (&witness), >=, enough);
  witness_clear (&witness);
}

/* Home is the thread that made the connection, and the one that runs its main context as well. */

typedef struct
{
  GThread *thread;
  int is_over; /* atomic */
} Loop;

static gpointer
run_default_context (gpointer data)
{
  Loop *loop = data;

  while (!g_atomic_int_get (&loop->is_over))
    g_main_context_iteration (NULL, TRUE);
  return NULL;
}

static void
loop_end (Loop *self)
{
  g_atomic_int_set (&self->is_over, TRUE);
  g_main_context_wakeup (NULL);
  g_thread_join (self->thread);
}

/* The call fails; it tells what there is to tell all the same, as every call from home does. */
static void
call_from_home (GTlsSessionHelper *helper, GTlsSessionTicket *ticket)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (g_tls_session_helper_set_ticket (helper, ticket, &error));
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_TOO_LATE);
}

static void
two_threads_tell_at_once (void)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_TICKET_FLOOD };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect_with_ticket (server);
  g_autoptr (GTlsSessionTicket) ticket = g_tls_session_helper_get_ticket (helper);
  const guint enough = crew_scale (200);
  Loop loop = { 0 };
  Witness witness;
  Reader reader;

  loop.thread = g_thread_new ("loop", run_default_context, &loop);
  witness_init (&witness, g_thread_self (), loop.thread);
  g_signal_connect (helper, "ticket-available", G_CALLBACK (on_ticket), &witness);
  reader_begin (&reader, helper);
  while (witness_peek (&witness, 0) < enough || witness_peek (&witness, 1) < enough)
    {
      call_from_home (helper, ticket);
      g_usleep (100); /* the other one's turn */
    }
  reader_end (&reader);
  loop_end (&loop);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (witness_count (&witness), >=, 2 * enough);
  witness_clear (&witness);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/threads/announced/each_thread_hears_of_its_own", each_thread_hears_of_its_own);
  g_test_add_func ("/threads/announced/flood_is_told_while_it_goes_on", flood_is_told_while_it_goes_on);
  g_test_add_func ("/threads/announced/two_threads_tell_at_once", two_threads_tell_at_once);
  return g_test_run ();
}
