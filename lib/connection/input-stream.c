/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connection-private.h"

/* The stream knows its connection weakly: the connection owns the stream. One that is gone was closed. */

#define G_TLS_SESSION_TYPE_INPUT_STREAM (g_tls_session_input_stream_get_type ())
G_DECLARE_FINAL_TYPE (GTlsSessionInputStream, g_tls_session_input_stream, G_TLS_SESSION, INPUT_STREAM, GInputStream)

struct _GTlsSessionInputStream
{
  GInputStream parent_instance;

  GWeakRef connection;
};

static void g_tls_session_input_stream_pollable_init (GPollableInputStreamInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (GTlsSessionInputStream,
                               g_tls_session_input_stream,
                               G_TYPE_INPUT_STREAM,
                               G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_INPUT_STREAM,
                                                      g_tls_session_input_stream_pollable_init))

typedef struct
{
  void *buffer;
  gsize count;
  gsize n_read;
} Reading;

static GTlsSessionConnection *
get_connection (GTlsSessionInputStream *self, GError **error)
{
  GTlsSessionConnection *connection = g_weak_ref_get (&self->connection);

  if (connection == NULL)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "The TLS connection of this stream is gone");
  return connection;
}

static GTlsSessionEngineStatus
step_read (GTlsSessionConnection *connection, gpointer data, GError **error)
{
  Reading *reading = data;
  GTlsSessionEngineStatus status = g_tls_session_connection_step_handshake (connection, NULL, error);

  if (status != G_TLS_SESSION_ENGINE_DONE)
    return status;
  return g_tls_session_engine_read (connection->engine, reading->buffer, reading->count, &reading->n_read, error);
}

static gssize
g_tls_session_input_stream_read (GInputStream *stream,
                                 void *buffer,
                                 gsize count,
                                 GCancellable *cancellable,
                                 GError **error)
{
  g_autoptr (GTlsSessionConnection) connection = get_connection (G_TLS_SESSION_INPUT_STREAM (stream), error);
  Reading reading = { buffer, count, 0 };
  GTlsSessionStep step = { step_read, &reading, G_TLS_SESSION_LANE_READ, .takes_stash = TRUE };
  GTlsSessionEngineStatus status;

  if (connection == NULL || !g_tls_session_connection_run (connection, &step, -1, cancellable, &status, error))
    return -1;
  return (gssize) reading.n_read;
}

/* Closing this stream by itself says nothing to the peer; TLS has no word for it. GInputStream refuses later reads. */
static gboolean
g_tls_session_input_stream_close (GInputStream *stream, GCancellable *cancellable, GError **error)
{
  return TRUE;
}

static void
g_tls_session_input_stream_close_async (GInputStream *stream,
                                        int io_priority,
                                        GCancellable *cancellable,
                                        GAsyncReadyCallback callback,
                                        gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (stream, cancellable, callback, user_data);

  g_task_set_source_tag (task, g_tls_session_input_stream_close_async);
  g_task_set_priority (task, io_priority);
  g_task_return_boolean (task, TRUE);
}

static gboolean
g_tls_session_input_stream_close_finish (GInputStream *stream, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* GPollableInputStream */

static gboolean
g_tls_session_input_stream_is_readable (GPollableInputStream *stream)
{
  g_autoptr (GTlsSessionConnection) connection = get_connection (G_TLS_SESSION_INPUT_STREAM (stream), NULL);

  return connection == NULL || g_tls_session_connection_check (connection, G_IO_IN);
}

static gssize
g_tls_session_input_stream_read_nonblocking (GPollableInputStream *stream, void *buffer, gsize count, GError **error)
{
  g_autoptr (GTlsSessionConnection) connection = get_connection (G_TLS_SESSION_INPUT_STREAM (stream), error);
  Reading reading = { buffer, count, 0 };
  GTlsSessionStep step = { step_read, &reading, G_TLS_SESSION_LANE_READ, .takes_stash = TRUE };
  GTlsSessionEngineStatus status;

  if (connection == NULL || !g_tls_session_connection_try (connection, &step, NULL, &status, error))
    return -1;
  return (gssize) reading.n_read;
}

static GSource *
g_tls_session_input_stream_create_source (GPollableInputStream *stream, GCancellable *cancellable)
{
  g_autoptr (GTlsSessionConnection) connection = get_connection (G_TLS_SESSION_INPUT_STREAM (stream), NULL);

  return g_tls_session_connection_stream_source_new (connection, stream, G_IO_IN, cancellable);
}

static void
g_tls_session_input_stream_pollable_init (GPollableInputStreamInterface *iface)
{
  iface->is_readable = g_tls_session_input_stream_is_readable;
  iface->read_nonblocking = g_tls_session_input_stream_read_nonblocking;
  iface->create_source = g_tls_session_input_stream_create_source;
}

/* GObject */

static void
g_tls_session_input_stream_finalize (GObject *object)
{
  g_weak_ref_clear (&G_TLS_SESSION_INPUT_STREAM (object)->connection);
  G_OBJECT_CLASS (g_tls_session_input_stream_parent_class)->finalize (object);
}

static void
g_tls_session_input_stream_class_init (GTlsSessionInputStreamClass *class)
{
  GInputStreamClass *stream_class = G_INPUT_STREAM_CLASS (class);

  G_OBJECT_CLASS (class)->finalize = g_tls_session_input_stream_finalize;
  stream_class->read_fn = g_tls_session_input_stream_read;
  stream_class->close_fn = g_tls_session_input_stream_close;
  stream_class->close_async = g_tls_session_input_stream_close_async;
  stream_class->close_finish = g_tls_session_input_stream_close_finish;
}

static void
g_tls_session_input_stream_init (GTlsSessionInputStream *self)
{
  g_weak_ref_init (&self->connection, NULL);
}

GInputStream *
g_tls_session_input_stream_new (GTlsSessionConnection *connection)
{
  GTlsSessionInputStream *self = g_object_new (G_TLS_SESSION_TYPE_INPUT_STREAM, NULL);

  g_weak_ref_set (&self->connection, connection);
  return G_INPUT_STREAM (self);
}
