/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wire.h"

#include <string.h>

/* NOTES:
 *
 * A pollable GIOStream on a Near. What has arrived is read, then comes the end or the reset, as with a socket; a wait that
 * lasts for WIRE_TIMEOUT makes the next call fail with G_IO_ERROR_TIMED_OUT, as with a socket that has a timeout.
 *
 * The streams outlive the Near in no story.
 */

typedef struct
{
  GIOStream parent_instance;
  Near *near;
  GInputStream *input;
  GOutputStream *output;
} NearStream;

typedef struct
{
  GInputStream parent_instance;
  Near *near;
  gboolean timed_out;
} NearInput;

typedef struct
{
  GOutputStream parent_instance;
  Near *near;
  gboolean timed_out;
} NearOutput;

typedef GIOStreamClass NearStreamClass;
typedef GInputStreamClass NearInputClass;
typedef GOutputStreamClass NearOutputClass;

static GType near_stream_get_type (void);
static GType near_input_get_type (void);
static GType near_output_get_type (void);
static void near_input_pollable_init (GPollableInputStreamInterface *iface);
static void near_output_pollable_init (GPollableOutputStreamInterface *iface);

G_DEFINE_TYPE (NearStream, near_stream, G_TYPE_IO_STREAM)
G_DEFINE_TYPE_WITH_CODE (NearInput,
                         near_input,
                         G_TYPE_INPUT_STREAM,
                         G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_INPUT_STREAM, near_input_pollable_init))
G_DEFINE_TYPE_WITH_CODE (NearOutput,
                         near_output,
                         G_TYPE_OUTPUT_STREAM,
                         G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_OUTPUT_STREAM, near_output_pollable_init))

/* Waiting */

static gboolean
is_readable (Near *near)
{
  return near->is_closed || near->state != NEAR_OPEN || near->to_read->len > 0;
}

static gboolean
is_writable (Near *near)
{
  return near->is_closed || near->state == NEAR_RESET || near->written->len < NEAR_CAPACITY;
}

typedef struct
{
  GSource source;
  Near *near;
  gboolean (*is_ready) (Near *near);
  gboolean *timed_out;
  gint64 deadline;
} NearSource;

static gboolean
near_source_check (GSource *source)
{
  NearSource *self = (NearSource *) source;

  if (self->is_ready (self->near))
    return TRUE;
  if (g_source_get_time (source) < self->deadline)
    return FALSE;
  *self->timed_out = TRUE;
  return TRUE;
}

static gboolean
near_source_prepare (GSource *source, int *timeout)
{
  gint64 left = ((NearSource *) source)->deadline - g_source_get_time (source);

  *timeout = (int) ((MAX (left, 0) + 999) / 1000);
  return near_source_check (source);
}

static gboolean
near_source_dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  return callback == NULL || callback (data);
}

static gboolean
near_source_closure_callback (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs near_source_funcs = {
  .prepare = near_source_prepare,
  .check = near_source_check,
  .dispatch = near_source_dispatch,
  .closure_callback = near_source_closure_callback,
};

static GSource *
near_source_new (gpointer stream,
                 Near *near,
                 gboolean (*is_ready) (Near *near),
                 gboolean *timed_out,
                 GCancellable *cancellable)
{
  g_autoptr (GSource) source = g_source_new (&near_source_funcs, sizeof (NearSource));
  NearSource *self = (NearSource *) source;

  self->near = near;
  self->is_ready = is_ready;
  self->timed_out = timed_out;
  self->deadline = g_get_monotonic_time () + WIRE_TIMEOUT * G_TIME_SPAN_SECOND;
  return g_pollable_source_new_full (stream, source, cancellable);
}

static gssize
fail (int code, const char *message, GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, code, message);
  return -1;
}

static gssize
fail_waiting (gboolean *timed_out, GError **error)
{
  if (!*timed_out)
    return fail (G_IO_ERROR_WOULD_BLOCK, "The wire would have to wait", error);
  *timed_out = FALSE;
  return fail (G_IO_ERROR_TIMED_OUT, "The wire has timed out", error);
}

/* Reading */

static gboolean
near_input_is_readable (GPollableInputStream *stream)
{
  return is_readable (((NearInput *) stream)->near);
}

static GSource *
near_input_create_source (GPollableInputStream *stream, GCancellable *cancellable)
{
  NearInput *self = (NearInput *) stream;

  return near_source_new (self, self->near, is_readable, &self->timed_out, cancellable);
}

static gssize
near_input_read_nonblocking (GPollableInputStream *stream, void *buffer, gsize count, GError **error)
{
  NearInput *self = (NearInput *) stream;
  Near *near = self->near;
  gsize n = MIN (count, near->to_read->len);

  if (near->is_closed)
    return fail (G_IO_ERROR_CLOSED, "The wire is closed", error);
  if (n > 0)
    {
      memcpy (buffer, near->to_read->data, n);
      g_byte_array_remove_range (near->to_read, 0, (guint) n);
      return (gssize) n;
    }
  if (near->state == NEAR_RESET)
    return fail (G_IO_ERROR_CONNECTION_CLOSED, "The wire was reset by the peer", error);
  return near->state == NEAR_ENDED ? 0 : fail_waiting (&self->timed_out, error);
}

static void
near_input_pollable_init (GPollableInputStreamInterface *iface)
{
  iface->is_readable = near_input_is_readable;
  iface->create_source = near_input_create_source;
  iface->read_nonblocking = near_input_read_nonblocking;
}

static void
near_input_class_init (NearInputClass *class)
{
}

static void
near_input_init (NearInput *self)
{
}

/* Writing */

static gboolean
near_output_is_writable (GPollableOutputStream *stream)
{
  return is_writable (((NearOutput *) stream)->near);
}

static GSource *
near_output_create_source (GPollableOutputStream *stream, GCancellable *cancellable)
{
  NearOutput *self = (NearOutput *) stream;

  return near_source_new (self, self->near, is_writable, &self->timed_out, cancellable);
}

static gssize
near_output_write_nonblocking (GPollableOutputStream *stream, const void *bytes, gsize count, GError **error)
{
  NearOutput *self = (NearOutput *) stream;
  Near *near = self->near;
  gsize n = MIN (count, NEAR_CAPACITY - MIN (near->written->len, NEAR_CAPACITY));

  if (near->is_closed)
    return fail (G_IO_ERROR_CLOSED, "The wire is closed", error);
  if (near->state == NEAR_RESET)
    return fail (G_IO_ERROR_CONNECTION_CLOSED, "The wire is gone", error);
  if (n == 0)
    return fail_waiting (&self->timed_out, error);
  g_byte_array_append (near->written, bytes, (guint) n);
  return (gssize) n;
}

static void
near_output_pollable_init (GPollableOutputStreamInterface *iface)
{
  iface->is_writable = near_output_is_writable;
  iface->create_source = near_output_create_source;
  iface->write_nonblocking = near_output_write_nonblocking;
}

static void
near_output_class_init (NearOutputClass *class)
{
}

static void
near_output_init (NearOutput *self)
{
}

/* Both */

static GInputStream *
near_stream_get_input_stream (GIOStream *stream)
{
  return ((NearStream *) stream)->input;
}

static GOutputStream *
near_stream_get_output_stream (GIOStream *stream)
{
  return ((NearStream *) stream)->output;
}

static gboolean
near_stream_close (GIOStream *stream, GCancellable *cancellable, GError **error)
{
  ((NearStream *) stream)->near->is_closed = TRUE;
  return TRUE;
}

static void
near_stream_close_async (GIOStream *stream,
                         int io_priority,
                         GCancellable *cancellable,
                         GAsyncReadyCallback callback,
                         gpointer data)
{
  g_autoptr (GTask) task = g_task_new (stream, cancellable, callback, data);

  g_task_set_priority (task, io_priority);
  g_task_return_boolean (task, near_stream_close (stream, NULL, NULL));
}

static gboolean
near_stream_close_finish (GIOStream *stream, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
near_stream_finalize (GObject *object)
{
  NearStream *self = (NearStream *) object;

  g_object_unref (self->input);
  g_object_unref (self->output);
  G_OBJECT_CLASS (near_stream_parent_class)->finalize (object);
}

static void
near_stream_class_init (NearStreamClass *class)
{
  G_OBJECT_CLASS (class)->finalize = near_stream_finalize;
  class->get_input_stream = near_stream_get_input_stream;
  class->get_output_stream = near_stream_get_output_stream;
  class->close_fn = near_stream_close;
  class->close_async = near_stream_close_async;
  class->close_finish = near_stream_close_finish;
}

static void
near_stream_init (NearStream *self)
{
}

GIOStream *
near_stream_new (Near *near)
{
  NearStream *self = g_object_new (near_stream_get_type (), NULL);
  NearInput *input = g_object_new (near_input_get_type (), NULL);
  NearOutput *output = g_object_new (near_output_get_type (), NULL);

  self->near = input->near = output->near = near;
  self->input = G_INPUT_STREAM (input);
  self->output = G_OUTPUT_STREAM (output);
  return G_IO_STREAM (self);
}
