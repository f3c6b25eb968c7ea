/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Many connections at once in the default main context. Each is resumed by what another one left: tickets are handed on,
 * for a store keeps no ten thousand of one server.
 */

#include "client-glib.h"

#define N_AT_ONCE 200 /* while there is nothing to resume by */

static GQueue sources = G_QUEUE_INIT;
static guint n_open;

typedef struct
{
  BenchCrowd *crowd;
  GObject *object;
  GTlsConnection *connection;
  char byte;
} Visitor;

static void
leave (Visitor *self, gboolean well)
{
  GList *gathered = well ? bench_backend.gather (self->object) : NULL;

  self->crowd->n_failed += !well;
  n_open--;
  for (GList *one = gathered; one != NULL; one = one->next)
    g_queue_push_tail (&sources, one->data);
  g_list_free (gathered);
  g_object_unref (self->object);
  g_free (self);
}

static void
on_closed (GObject *connection, GAsyncResult *result, gpointer data)
{
  leave (data, g_io_stream_close_finish (G_IO_STREAM (connection), result, NULL));
}

static void
on_read (GObject *input, GAsyncResult *result, gpointer data)
{
  Visitor *self = data;

  if (g_input_stream_read_finish (G_INPUT_STREAM (input), result, NULL) != 1)
    {
      leave (self, FALSE);
      return;
    }
  self->crowd->n_resumed += self->byte == BENCH_RESUMED;
  g_io_stream_close_async (G_IO_STREAM (self->connection), G_PRIORITY_DEFAULT, NULL, on_closed, self);
}

static void
on_written (GObject *output, GAsyncResult *result, gpointer data)
{
  Visitor *self = data;

  if (g_output_stream_write_finish (G_OUTPUT_STREAM (output), result, NULL) != 1)
    {
      leave (self, FALSE);
      return;
    }
  g_input_stream_read_async (g_io_stream_get_input_stream (G_IO_STREAM (self->connection)), &self->byte, 1,
                             G_PRIORITY_DEFAULT, NULL, on_read, self);
}

static void
on_handshaken (GObject *connection, GAsyncResult *result, gpointer data)
{
  Visitor *self = data;

  if (!g_tls_connection_handshake_finish (G_TLS_CONNECTION (connection), result, NULL))
    {
      leave (self, FALSE);
      return;
    }
  g_output_stream_write_async (g_io_stream_get_output_stream (G_IO_STREAM (self->connection)), &self->byte, 1,
                               G_PRIORITY_DEFAULT, NULL, on_written, self);
}

static Visitor *
come (BenchCrowd *crowd, gboolean resume)
{
  g_autoptr (GObject) source = resume ? g_queue_pop_head (&sources) : NULL;
  Visitor *self = g_new0 (Visitor, 1);

  if (resume && source == NULL)
    bench_fail ("there is no ticket for each of the crowd");
  self->crowd = crowd;
  self->object = bench_glib_create (source);
  self->connection = bench_backend.get_connection (self->object);
  self->byte = resume ? BENCH_HELLO : BENCH_WANTS_TICKETS;
  n_open++;
  return self;
}

/* All are connected before the first begins its handshake. */
static void
run_round (guint n, gboolean resume, BenchCrowd *crowd)
{
  g_autofree Visitor **visitors = g_new (Visitor *, n);

  for (guint i = 0; i < n; i++)
    visitors[i] = come (crowd, resume);
  for (guint i = 0; i < n; i++)
    g_tls_connection_handshake_async (visitors[i]->connection, G_PRIORITY_DEFAULT, NULL, on_handshaken, visitors[i]);
  while (n_open > 0)
    g_main_context_iteration (NULL, TRUE);
}

void
bench_glib_crowd (unsigned n, unsigned rounds, BenchCrowd *crowd)
{
  BenchCrowd first = { 0 };

  while (sources.length < n)
    run_round (MIN (n, N_AT_ONCE), FALSE, &first);

  crowd->cpu_us = bench_cpu_us ();
  crowd->seconds = bench_seconds ();
  for (unsigned i = 0; i < rounds; i++)
    run_round (n, TRUE, crowd);
  crowd->cpu_us = bench_cpu_us () - crowd->cpu_us;
  crowd->seconds = bench_seconds () - crowd->seconds;
}
