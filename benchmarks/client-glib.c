/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Modes: sync; and async, in which each operation goes through the main loop. */

#include "client-glib.h"

#include <string.h>

static guint16 port;
static gboolean is_async;
static GObject *current;
static GTlsConnection *connection;
static GInputStream *input;
static GOutputStream *output;
static GObject *previous;

static void
prepare (const BenchServer *server)
{
  port = server->port;
  is_async = strcmp (server->mode, "async") == 0;
  bench_backend.prepare (server->ca_path);
}

/* One that no connection had before; the server's certificate is good for it. */
static GSocketConnectable *
other_identity (void)
{
  static guint n;
  g_autofree char *name = g_strdup_printf ("n%u.wild.test", n++);

  return g_network_address_new (name, port);
}

GObject *
bench_glib_create (GObject *source)
{
  g_autoptr (GSocket) socket = g_socket_new_from_fd (bench_connect (port), NULL);
  g_autoptr (GSocketConnection) base = NULL;
  g_autoptr (GSocketConnectable) identity = NULL;

  if (socket == NULL)
    bench_fail ("there is no socket");
  if (bench_backend.resumes_by_itself && source == NULL)
    identity = other_identity ();
  else
    identity = g_network_address_new ("localhost", port);
  base = g_socket_connection_factory_create_connection (socket);
  return bench_backend.create (G_IO_STREAM (base), identity, source);
}

/* An operation that goes through the main loop, and its result. */

static GAsyncResult *result;

static void
on_done (GObject *source, GAsyncResult *done, gpointer data)
{
  result = g_object_ref (done);
}

static GAsyncResult *
wait_for_result (void)
{
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return g_steal_pointer (&result);
}

static gboolean
handshake (void)
{
  g_autoptr (GAsyncResult) done = NULL;

  if (!is_async)
    return g_tls_connection_handshake (connection, NULL, NULL);
  g_tls_connection_handshake_async (connection, G_PRIORITY_DEFAULT, NULL, on_done, NULL);
  done = wait_for_result ();
  return g_tls_connection_handshake_finish (connection, done, NULL);
}

static void
open_connection (bool resume)
{
  GObject *source = resume && previous != NULL ? previous : NULL;

  current = bench_glib_create (source);
  connection = bench_backend.get_connection (current);
  input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  output = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  if (!handshake ())
    bench_fail ("the handshake failed");
}

static size_t
write_bytes (const char *bytes, size_t size)
{
  g_autoptr (GAsyncResult) done = NULL;
  gssize n;

  if (is_async)
    {
      g_output_stream_write_async (output, bytes, size, G_PRIORITY_DEFAULT, NULL, on_done, NULL);
      done = wait_for_result ();
      n = g_output_stream_write_finish (output, done, NULL);
    }
  else
    n = g_output_stream_write (output, bytes, size, NULL, NULL);

  if (n <= 0)
    bench_fail ("nothing could be written");
  return (size_t) n;
}

static size_t
read_bytes (char *bytes, size_t size)
{
  g_autoptr (GAsyncResult) done = NULL;
  gssize n;

  if (is_async)
    {
      g_input_stream_read_async (input, bytes, size, G_PRIORITY_DEFAULT, NULL, on_done, NULL);
      done = wait_for_result ();
      n = g_input_stream_read_finish (input, done, NULL);
    }
  else
    n = g_input_stream_read (input, bytes, size, NULL, NULL);

  if (n <= 0)
    bench_fail ("nothing could be read");
  return (size_t) n;
}

static void
close_connection (void)
{
  g_autoptr (GAsyncResult) done = NULL;
  GIOStream *stream = G_IO_STREAM (connection);
  GList *sources;
  gboolean closed;

  if (is_async)
    {
      g_io_stream_close_async (stream, G_PRIORITY_DEFAULT, NULL, on_done, NULL);
      done = wait_for_result ();
      closed = g_io_stream_close_finish (stream, done, NULL);
    }
  else
    closed = g_io_stream_close (stream, NULL, NULL);
  if (!closed)
    bench_fail ("it did not close");

  sources = bench_backend.gather (current);
  g_clear_object (&previous);
  if (sources != NULL)
    previous = g_object_ref (sources->data);
  g_list_free_full (sources, g_object_unref);
  g_clear_object (&current);
}

const BenchClient bench_client = {
  .prepare = prepare,
  .open = open_connection,
  .write = write_bytes,
  .read = read_bytes,
  .close = close_connection,
  .crowd = bench_glib_crowd,
};
