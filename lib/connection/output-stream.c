/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connection-private.h"

/* The stream knows its connection weakly: the connection owns the stream. One that is gone was closed.
 *
 * There is no flush: what a write has taken is with the base stream, or is the beginning of a record that goes first
 * with whatever is written next, and with the close.
 */

#define G_TLS_SESSION_TYPE_OUTPUT_STREAM (g_tls_session_output_stream_get_type ())
G_DECLARE_FINAL_TYPE (GTlsSessionOutputStream, g_tls_session_output_stream, G_TLS_SESSION, OUTPUT_STREAM, GOutputStream)

struct _GTlsSessionOutputStream
{
  GOutputStream parent_instance;

  GWeakRef connection;
};

static void g_tls_session_output_stream_pollable_init (GPollableOutputStreamInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (GTlsSessionOutputStream,
                               g_tls_session_output_stream,
                               G_TYPE_OUTPUT_STREAM,
                               G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_OUTPUT_STREAM,
                                                      g_tls_session_output_stream_pollable_init))

typedef struct
{
  const void *bytes;
  gsize count;
  gsize n_written;
} Writing;

static GTlsSessionConnection *
get_connection (GTlsSessionOutputStream *self, GError **error)
{
  GTlsSessionConnection *connection = g_weak_ref_get (&self->connection);

  if (connection == NULL)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "The TLS connection of this stream is gone");
  return connection;
}

static GTlsSessionEngineStatus
step_write (GTlsSessionConnection *connection, gpointer data, GError **error)
{
  Writing *writing = data;
  GTlsSessionEngineStatus status = g_tls_session_connection_step_handshake (connection, NULL, error);

  if (status != G_TLS_SESSION_ENGINE_DONE)
    return status;
  return g_tls_session_engine_write (connection->engine, writing->bytes, writing->count, &writing->n_written, error);
}

static gssize
g_tls_session_output_stream_write (GOutputStream *stream,
                                   const void *bytes,
                                   gsize count,
                                   GCancellable *cancellable,
                                   GError **error)
{
  g_autoptr (GTlsSessionConnection) connection = get_connection (G_TLS_SESSION_OUTPUT_STREAM (stream), error);
  Writing writing = { bytes, count, 0 };
  GTlsSessionStep step = { step_write, &writing, G_TLS_SESSION_LANE_WRITE };
  GTlsSessionEngineStatus status;

  if (connection == NULL || !g_tls_session_connection_run (connection, &step, -1, cancellable, &status, error))
    return -1;
  return (gssize) writing.n_written;
}

/* Ends our side: close_notify. The peer can still be read from. */

static GTlsSessionEngineStatus
step_end_write (GTlsSessionConnection *connection, gpointer data, GError **error)
{
  return g_tls_session_engine_end_write (connection->engine, error);
}

static const GTlsSessionStep end_write = { step_end_write, NULL, G_TLS_SESSION_LANE_WRITE };

static gboolean
has_nothing_to_end (GTlsSessionConnection *connection)
{
  gboolean nothing;

  if (connection == NULL)
    return TRUE;

  g_mutex_lock (&connection->lock);
  nothing = connection->life != G_TLS_SESSION_LIFE_OPEN;
  g_mutex_unlock (&connection->lock);
  return nothing;
}

static gboolean
g_tls_session_output_stream_close (GOutputStream *stream, GCancellable *cancellable, GError **error)
{
  g_autoptr (GTlsSessionConnection) connection = get_connection (G_TLS_SESSION_OUTPUT_STREAM (stream), NULL);
  GTlsSessionEngineStatus status;

  return has_nothing_to_end (connection) ||
         g_tls_session_connection_run (connection, &end_write, -1, cancellable, &status, error);
}

static void
g_tls_session_output_stream_close_async (GOutputStream *stream,
                                         int io_priority,
                                         GCancellable *cancellable,
                                         GAsyncReadyCallback callback,
                                         gpointer user_data)
{
  g_autoptr (GTlsSessionConnection) connection = get_connection (G_TLS_SESSION_OUTPUT_STREAM (stream), NULL);
  g_autoptr (GTask) task = g_task_new (stream, cancellable, callback, user_data);

  g_task_set_source_tag (task, g_tls_session_output_stream_close_async);
  g_task_set_priority (task, io_priority);
  if (has_nothing_to_end (connection))
    g_task_return_int (task, G_TLS_SESSION_ENGINE_DONE);
  else
    g_tls_session_connection_run_async (connection, &end_write, -1, g_steal_pointer (&task));
}

static gboolean
g_tls_session_output_stream_close_finish (GOutputStream *stream, GAsyncResult *result, GError **error)
{
  return g_task_propagate_int (G_TASK (result), error) >= 0;
}

/* GPollableOutputStream */

static gboolean
g_tls_session_output_stream_is_writable (GPollableOutputStream *stream)
{
  g_autoptr (GTlsSessionConnection) connection = get_connection (G_TLS_SESSION_OUTPUT_STREAM (stream), NULL);

  return connection == NULL || g_tls_session_connection_check (connection, G_IO_OUT);
}

static gssize
g_tls_session_output_stream_write_nonblocking (GPollableOutputStream *stream,
                                               const void *bytes,
                                               gsize count,
                                               GError **error)
{
  g_autoptr (GTlsSessionConnection) connection = get_connection (G_TLS_SESSION_OUTPUT_STREAM (stream), error);
  Writing writing = { bytes, count, 0 };
  GTlsSessionStep step = { step_write, &writing, G_TLS_SESSION_LANE_WRITE };
  GTlsSessionEngineStatus status;

  if (connection == NULL || !g_tls_session_connection_try (connection, &step, NULL, &status, error))
    return -1;
  return (gssize) writing.n_written;
}

static GSource *
g_tls_session_output_stream_create_source (GPollableOutputStream *stream, GCancellable *cancellable)
{
  g_autoptr (GTlsSessionConnection) connection = get_connection (G_TLS_SESSION_OUTPUT_STREAM (stream), NULL);

  return g_tls_session_connection_stream_source_new (connection, stream, G_IO_OUT, cancellable);
}

static void
g_tls_session_output_stream_pollable_init (GPollableOutputStreamInterface *iface)
{
  iface->is_writable = g_tls_session_output_stream_is_writable;
  iface->write_nonblocking = g_tls_session_output_stream_write_nonblocking;
  iface->create_source = g_tls_session_output_stream_create_source;
}

/* GObject */

static void
g_tls_session_output_stream_finalize (GObject *object)
{
  g_weak_ref_clear (&G_TLS_SESSION_OUTPUT_STREAM (object)->connection);
  G_OBJECT_CLASS (g_tls_session_output_stream_parent_class)->finalize (object);
}

static void
g_tls_session_output_stream_class_init (GTlsSessionOutputStreamClass *class)
{
  GOutputStreamClass *stream_class = G_OUTPUT_STREAM_CLASS (class);

  G_OBJECT_CLASS (class)->finalize = g_tls_session_output_stream_finalize;
  stream_class->write_fn = g_tls_session_output_stream_write;
  stream_class->close_fn = g_tls_session_output_stream_close;
  stream_class->close_async = g_tls_session_output_stream_close_async;
  stream_class->close_finish = g_tls_session_output_stream_close_finish;
}

static void
g_tls_session_output_stream_init (GTlsSessionOutputStream *self)
{
  g_weak_ref_init (&self->connection, NULL);
}

GOutputStream *
g_tls_session_output_stream_new (GTlsSessionConnection *connection)
{
  GTlsSessionOutputStream *self = g_object_new (G_TLS_SESSION_TYPE_OUTPUT_STREAM, NULL);

  g_weak_ref_set (&self->connection, connection);
  return G_OUTPUT_STREAM (self);
}
