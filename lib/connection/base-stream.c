/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base-stream.h"

#include "../engine/openssl-error.h"
#include "../engine/socket-transport.h"

/* NOTES:
 *
 * A socket connection is taken for a plain socket only if it is of exactly one of Gio's own types: a subclass may put
 * something of its own between the socket and its streams, as GTcpWrapperConnection does.
 *
 * Another stream may be TLS as well, as to a proxy. Both connections then have the same queue of OpenSSL's errors, and
 * one is in the midst of an operation when the other is called: a handshake that has failed sends its alert first.
 *
 * Everything here may be called from any thread; nothing here has state that changes.
 */

/* How much a close throws away, unread, from a stream that cannot tell how much has arrived. */
#define DISCARD_UNTOLD (1024 * 1024)

struct _GTlsSessionBaseStream
{
  GSocket *socket;             /* NULL unless the stream is a plain socket; borrowed from the stream */
  GPollableInputStream *input; /* borrowed likewise */
  GPollableOutputStream *output;
  GIOStream *stream;
};

static gboolean
is_plain_socket (GIOStream *stream)
{
  GType type = G_OBJECT_TYPE (stream);

  return type == G_TYPE_SOCKET_CONNECTION || type == G_TYPE_TCP_CONNECTION || type == G_TYPE_UNIX_CONNECTION;
}

static gboolean
is_pollable (GIOStream *stream)
{
  GInputStream *input = g_io_stream_get_input_stream (stream);
  GOutputStream *output = g_io_stream_get_output_stream (stream);

  return G_IS_POLLABLE_INPUT_STREAM (input) && G_IS_POLLABLE_OUTPUT_STREAM (output) &&
         g_pollable_input_stream_can_poll (G_POLLABLE_INPUT_STREAM (input)) &&
         g_pollable_output_stream_can_poll (G_POLLABLE_OUTPUT_STREAM (output));
}

GTlsSessionBaseStream *
g_tls_session_base_stream_new (GIOStream *stream, GError **error)
{
  GTlsSessionBaseStream *self;

  if (stream == NULL)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                           "A TLS connection needs a stream to run over; base-io-stream is not set");
      return NULL;
    }

  if (!is_plain_socket (stream) && !is_pollable (stream))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                   "TLS cannot run over a %s: its streams are not pollable (GPollableInputStream, "
                   "GPollableOutputStream)",
                   G_OBJECT_TYPE_NAME (stream));
      return NULL;
    }

  self = g_new0 (GTlsSessionBaseStream, 1);
  self->stream = g_object_ref (stream);
  if (is_plain_socket (stream))
    {
      self->socket = g_socket_connection_get_socket (G_SOCKET_CONNECTION (stream));
    }
  else
    {
      self->input = G_POLLABLE_INPUT_STREAM (g_io_stream_get_input_stream (stream));
      self->output = G_POLLABLE_OUTPUT_STREAM (g_io_stream_get_output_stream (stream));
    }
  return self;
}

void
g_tls_session_base_stream_free (GTlsSessionBaseStream *self)
{
  g_object_unref (self->stream);
  g_free (self);
}

/* The transport over a pollable stream */

static GTlsSessionTransportStatus
status_from_result (gssize n, GError *local_error, gsize *n_done, GError **error)
{
  if (n >= 0)
    {
      *n_done = (gsize) n;
      return G_TLS_SESSION_TRANSPORT_DONE;
    }

  if (g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    {
      g_error_free (local_error);
      return G_TLS_SESSION_TRANSPORT_WOULD_BLOCK;
    }

  g_propagate_error (error, local_error);
  return G_TLS_SESSION_TRANSPORT_ERROR;
}

static GTlsSessionTransportStatus
stream_read (gpointer data, void *buffer, gsize size, gsize *n_read, GError **error)
{
  GTlsSessionBaseStream *self = data;
  GArray *held = g_tls_session_openssl_hold_errors ();
  GError *local_error = NULL;
  gssize n = g_pollable_input_stream_read_nonblocking (self->input, buffer, size, NULL, &local_error);
  GTlsSessionTransportStatus status = status_from_result (n, local_error, n_read, error);

  g_tls_session_openssl_put_back_errors (held);
  return n == 0 ? G_TLS_SESSION_TRANSPORT_END : status;
}

static GTlsSessionTransportStatus
stream_write (gpointer data, const void *bytes, gsize size, gsize *n_written, GError **error)
{
  GTlsSessionBaseStream *self = data;
  GArray *held = g_tls_session_openssl_hold_errors ();
  GError *local_error = NULL;
  gssize n = g_pollable_output_stream_write_nonblocking (self->output, bytes, size, NULL, &local_error);

  g_tls_session_openssl_put_back_errors (held);
  return status_from_result (n, local_error, n_written, error);
}

static const GTlsSessionTransportFuncs stream_transport_funcs = { stream_read, stream_write };

GTlsSessionTransport
g_tls_session_base_stream_get_transport (GTlsSessionBaseStream *self)
{
  if (self->socket != NULL)
    return g_tls_session_socket_transport (self->socket);
  return (GTlsSessionTransport){ &stream_transport_funcs, self };
}

/* Readiness */

gboolean
g_tls_session_base_stream_check (GTlsSessionBaseStream *self, GIOCondition condition)
{
  if (self->socket != NULL)
    return g_socket_condition_check (self->socket, condition) != 0;
  if (condition == G_IO_IN)
    return g_pollable_input_stream_is_readable (self->input);
  return g_pollable_output_stream_is_writable (self->output);
}

static GSource *
new_source (GTlsSessionBaseStream *self, GIOCondition condition)
{
  if (self->socket != NULL)
    return g_socket_create_source (self->socket, condition, NULL);
  if (condition == G_IO_IN)
    return g_pollable_input_stream_create_source (self->input, NULL);
  return g_pollable_output_stream_create_source (self->output, NULL);
}

/* The descriptor to wait for with poll(); -1 if there is none, and a source of the stream's has to do. */
int
g_tls_session_base_stream_get_fd (GTlsSessionBaseStream *self)
{
#ifdef G_OS_UNIX
  if (self->socket != NULL && !g_socket_is_closed (self->socket))
    return g_socket_get_fd (self->socket);
#endif
  return -1;
}

/* A source that is ready when the stream is. It is for being another's child: its callback does nothing. */
GSource *
g_tls_session_base_stream_create_source (GTlsSessionBaseStream *self, GIOCondition condition)
{
  GSource *source = new_source (self, condition);

  g_source_set_dummy_callback (source);
  return source;
}

/* Fits GPollableSourceFunc and GCancellableSourceFunc. */
static gboolean
end_wait (gpointer object, gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_REMOVE;
}

static gboolean
end_wait_at_deadline (gpointer data)
{
  return end_wait (NULL, data);
}

static gboolean
wait_pollable (GTlsSessionBaseStream *self,
               GIOCondition condition,
               gint64 deadline,
               GCancellable *cancellable,
               GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GSource) ready_source = new_source (self, condition);
  gboolean fired = FALSE;

  g_source_set_callback (ready_source, G_SOURCE_FUNC (end_wait), &fired, NULL);
  g_source_attach (ready_source, context);
  if (cancellable != NULL)
    {
      g_autoptr (GSource) cancel_source = g_cancellable_source_new (cancellable);

      g_source_set_callback (cancel_source, G_SOURCE_FUNC (end_wait), &fired, NULL);
      g_source_attach (cancel_source, context);
    }
  if (deadline >= 0)
    {
      g_autoptr (GSource) deadline_source = g_timeout_source_new (0);

      g_source_set_ready_time (deadline_source, deadline);
      g_source_set_callback (deadline_source, end_wait_at_deadline, &fired, NULL);
      g_source_attach (deadline_source, context);
    }

  while (!fired)
    g_main_context_iteration (context, TRUE);

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  if (deadline >= 0 && g_get_monotonic_time () >= deadline && !g_tls_session_base_stream_check (self, condition))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "The peer did not answer in time");
      return FALSE;
    }
  return TRUE;
}

/* Blocks until @condition or @deadline (monotonic time in µs; -1: none but the socket's own timeout). */
gboolean
g_tls_session_base_stream_wait (GTlsSessionBaseStream *self,
                                GIOCondition condition,
                                gint64 deadline,
                                GCancellable *cancellable,
                                GError **error)
{
  gint64 left = -1;

  if (self->socket == NULL)
    return wait_pollable (self, condition, deadline, cancellable, error);

  if (deadline >= 0)
    left = MAX (deadline - g_get_monotonic_time (), 0);
  return g_socket_condition_timed_wait (self->socket, condition, left, cancellable, error);
}

/* The socket's own timeout in µs; -1 if it has none. */
gint64
g_tls_session_base_stream_get_timeout (GTlsSessionBaseStream *self)
{
  guint seconds = self->socket != NULL ? g_socket_get_timeout (self->socket) : 0;

  return seconds > 0 ? (gint64) seconds * G_USEC_PER_SEC : -1;
}

/* Closing */

/* How many bytes have arrived and were not read. */
gsize
g_tls_session_base_stream_count_arrived (GTlsSessionBaseStream *self)
{
  gssize n;

  if (self->socket == NULL)
    return DISCARD_UNTOLD;

  n = g_socket_get_available_bytes (self->socket);
  return n > 0 ? (gsize) n : 0;
}

/* Sends a FIN where there is such a thing; elsewhere close_notify has to do. */
void
g_tls_session_base_stream_end_write (GTlsSessionBaseStream *self)
{
  /* It fails only on a socket that is not connected any more, which the drain that follows finds out. */
  if (self->socket != NULL)
    g_socket_shutdown (self->socket, FALSE, TRUE, NULL);
}

/* Makes threads that still wait for the socket return, before it is closed under them. */
void
g_tls_session_base_stream_wake_waiters (GTlsSessionBaseStream *self)
{
  if (self->socket != NULL)
    g_socket_shutdown (self->socket, TRUE, TRUE, NULL);
}
