/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connection-private.h"

/* NOTES:
 *
 * The GSource by which the async driver and the pollable streams wait. It looks at the connection before each poll():
 * what has to be waited for changes while other operations make progress. It has the socket's descriptor among its own,
 * with the events that there are to wait for, perhaps none; or, over any other stream, for as long as there is something
 * to wait for in it, that stream's source as a child. (A child would do for sockets, too, but doubles the sources in the
 * main context, and the system calls by which GLib wakes it up for each change.)
 *
 * Anybody may destroy a source in any thread, even while it is being prepared, and GLib complains of a destroyed source
 * that changes what it polls. So the descriptor comes before the source is anybody else's, and stays; only a hang-up,
 * which poll() tells though no event was asked for, makes it go, for otherwise there would be no end of that.
 *
 * The connection knows all of its sources and wakes them, from any thread, by their ready time. Lock order: the
 * connection's lock, then the main context's; nothing here is called by GLib with the context's lock held.
 */

typedef struct
{
  GSource source;
  GTlsSessionConnection *connection;
  GObject *stream;             /* what a GPollableSourceFunc is called with; NULL for an operation */
  GIOCondition direction;      /* G_IO_IN or G_IO_OUT */
  gint64 deadline;             /* monotonic time in µs, -1: none */
  GIOCondition base_condition; /* what is waited for below; 0: nothing */
  GPollFD poll_fd;             /* by the socket's descriptor, if it is not -1 */
  gboolean has_hung_up;        /* the socket has, or is broken: whoever waits for it need not */
  GSource *child;              /* or else by this; nullable */
} ConnectionSource;

typedef enum
{
  G_TLS_SESSION_POLL_READY,
  G_TLS_SESSION_POLL_BASE,  /* wait for the base stream */
  G_TLS_SESSION_POLL_WOKEN, /* wait for g_tls_session_connection_wake() */
} GTlsSessionPoll;

static GTlsSessionLane
lane_of_direction (GTlsSessionConnection *self, GIOCondition direction)
{
  if (!g_tls_session_connection_is_handshaken (self))
    return G_TLS_SESSION_LANE_HANDSHAKE;
  return direction == G_IO_IN ? G_TLS_SESSION_LANE_READ : G_TLS_SESSION_LANE_WRITE;
}

static GTlsSessionPoll
poll_handshake (GTlsSessionConnection *self, GIOCondition *base_condition)
{
  if (self->question == G_TLS_SESSION_QUESTION_ASKED)
    return G_TLS_SESSION_POLL_WOKEN;
  if (self->handshake_wants == 0)
    return G_TLS_SESSION_POLL_READY;

  *base_condition = self->handshake_wants;
  return G_TLS_SESSION_POLL_BASE;
}

static GTlsSessionPoll
poll_locked (GTlsSessionConnection *self, GIOCondition direction, gboolean takes_stash, GIOCondition *base_condition)
{
  if (takes_stash && self->life == G_TLS_SESSION_LIFE_OPEN && g_tls_session_engine_has_stash (self->engine))
    return G_TLS_SESSION_POLL_READY;
  if (self->turns[lane_of_direction (self, direction)] != NULL)
    return G_TLS_SESSION_POLL_WOKEN;

  switch (self->life)
    {
    case G_TLS_SESSION_LIFE_FRESH:
      return self->question == G_TLS_SESSION_QUESTION_ASKED ? G_TLS_SESSION_POLL_WOKEN : G_TLS_SESSION_POLL_READY;
    case G_TLS_SESSION_LIFE_CLOSED:
      return G_TLS_SESSION_POLL_READY;
    case G_TLS_SESSION_LIFE_HANDSHAKING:
      return poll_handshake (self, base_condition);
    case G_TLS_SESSION_LIFE_OPEN:
    case G_TLS_SESSION_LIFE_CLOSING:
    default:
      if (direction == G_IO_IN && g_tls_session_engine_has_data (self->engine))
        return G_TLS_SESSION_POLL_READY;
      *base_condition = direction;
      return G_TLS_SESSION_POLL_BASE;
    }
}

/* What has to be waited for before an operation in @direction can make progress. What is in the engine's stash is
 * progress for a reader, and none for whoever put it there while looking for a ticket.
 */
static GTlsSessionPoll
poll_connection (GTlsSessionConnection *self,
                 GIOCondition direction,
                 gboolean takes_stash,
                 GIOCondition *base_condition)
{
  GTlsSessionPoll poll;

  if (self->base == NULL)
    return G_TLS_SESSION_POLL_READY;

  g_mutex_lock (&self->lock);
  poll = poll_locked (self, direction, takes_stash, base_condition);
  g_mutex_unlock (&self->lock);
  return poll;
}

/* An operation has no stream; a stream's source is one for whoever reads it. */
static GTlsSessionPoll
poll_source (ConnectionSource *self, GIOCondition *base_condition)
{
  gboolean takes_stash = self->stream != NULL && self->direction == G_IO_IN;

  return poll_connection (self->connection, self->direction, takes_stash, base_condition);
}

/* Whether a stream's operation in @direction could make progress now. */
gboolean
g_tls_session_connection_check (GTlsSessionConnection *self, GIOCondition direction)
{
  GIOCondition base_condition = 0;

  switch (poll_connection (self, direction, direction == G_IO_IN, &base_condition))
    {
    case G_TLS_SESSION_POLL_READY:
      return TRUE;
    case G_TLS_SESSION_POLL_BASE:
      return g_tls_session_base_stream_check (self->base, base_condition);
    case G_TLS_SESSION_POLL_WOKEN:
    default:
      return FALSE;
    }
}

/* Waiting for the base stream */

static void
stop_waiting_for_base (ConnectionSource *self)
{
  if (self->child != NULL && !g_source_is_destroyed (&self->source))
    g_source_remove_child_source (&self->source, self->child);
  g_clear_pointer (&self->child, g_source_unref);
  self->poll_fd.events = 0;
  self->poll_fd.revents = 0;
  self->base_condition = 0;
}

/* GLib has passed by a child that comes to be while its parent is prepared, and would not hear before the next round when
 * the child wants to be woken, or of what the child itself waits for.
 */
static gboolean
add_child (ConnectionSource *self, GIOCondition condition)
{
  if (g_source_is_destroyed (&self->source))
    return FALSE;

  self->child = g_tls_session_base_stream_create_source (self->connection->base, condition);
  g_source_add_child_source (&self->source, self->child);
  return TRUE;
}

/* For how long (ms; -1: without end) there may be a poll() now. */
static int
wait_for_base (ConnectionSource *self, GIOCondition condition)
{
  /* The program has closed the socket itself; the descriptor may be somebody else's by now. */
  if (self->poll_fd.fd >= 0 && self->poll_fd.fd != g_tls_session_base_stream_get_fd (self->connection->base))
    self->has_hung_up = TRUE;
  if (self->base_condition == condition)
    return -1;

  stop_waiting_for_base (self);
  self->base_condition = condition;
  self->poll_fd.events = (gushort) condition;
  return self->poll_fd.fd < 0 && add_child (self, condition) ? 0 : -1;
}

/* Nothing was to be waited for. */
static void
note_hang_up (ConnectionSource *self)
{
  self->has_hung_up = TRUE;
  self->poll_fd.revents = 0;
  if (!g_source_is_destroyed (&self->source))
    g_source_remove_poll (&self->source, &self->poll_fd);
}

/* GSource */

static gboolean
connection_source_prepare (GSource *source, int *timeout)
{
  ConnectionSource *self = (ConnectionSource *) source;
  GIOCondition base_condition = 0;

  *timeout = -1;
  switch (poll_source (self, &base_condition))
    {
    case G_TLS_SESSION_POLL_READY:
      stop_waiting_for_base (self);
      return TRUE;
    case G_TLS_SESSION_POLL_BASE:
      *timeout = wait_for_base (self, base_condition);
      return self->has_hung_up;
    case G_TLS_SESSION_POLL_WOKEN:
    default:
      stop_waiting_for_base (self);
      return FALSE;
    }
}

static gboolean
connection_source_check (GSource *source)
{
  ConnectionSource *self = (ConnectionSource *) source;
  GIOCondition base_condition = 0;

  if (self->poll_fd.revents != 0 && self->base_condition != 0)
    return TRUE;
  if (self->poll_fd.revents != 0)
    note_hang_up (self);
  return poll_source (self, &base_condition) == G_TLS_SESSION_POLL_READY;
}

/* A stream's reader learns of the timeout from its next non-blocking call, as with a socket. */
static void
note_timeout (ConnectionSource *self)
{
  if (self->stream == NULL || self->deadline < 0 || g_get_monotonic_time () < self->deadline ||
      g_tls_session_connection_check (self->connection, self->direction))
    return;

  g_mutex_lock (&self->connection->lock);
  self->connection->timed_out |= self->direction;
  g_mutex_unlock (&self->connection->lock);
}

static void
restart_deadline (ConnectionSource *self)
{
  gint64 timeout = g_tls_session_base_stream_get_timeout (self->connection->base);

  self->deadline = timeout < 0 ? -1 : g_get_monotonic_time () + timeout;
  g_source_set_ready_time (&self->source, self->deadline);
}

static gboolean
connection_source_dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  ConnectionSource *self = (ConnectionSource *) source;
  GPollableSourceFunc func = (GPollableSourceFunc) (void (*) (void)) callback;
  gboolean again;

  note_timeout (self);
  g_source_set_ready_time (source, -1);
  if (func == NULL)
    return G_SOURCE_REMOVE;
  if (self->stream == NULL)
    g_source_destroy (source); /* an operation waits once; left alone, GLib would let it poll once more, and wake up */

  again = func (self->stream, data);
  if (again && !g_source_is_destroyed (source))
    restart_deadline (self);
  return again;
}

static void
connection_source_dispose (GSource *source)
{
  ConnectionSource *self = (ConnectionSource *) source;

  g_mutex_lock (&self->connection->lock);
  g_ptr_array_remove_fast (self->connection->sources, source);
  g_mutex_unlock (&self->connection->lock);
}

static void
connection_source_finalize (GSource *source)
{
  ConnectionSource *self = (ConnectionSource *) source;

  g_clear_pointer (&self->child, g_source_unref);
  g_clear_object (&self->stream);
  g_clear_object (&self->connection);
}

static gboolean
connection_source_closure_callback (gpointer stream, gpointer data)
{
  g_auto (GValue) result = G_VALUE_INIT;
  g_auto (GValue) parameter = G_VALUE_INIT;

  g_value_init (&result, G_TYPE_BOOLEAN);
  g_value_init (&parameter, G_TYPE_OBJECT);
  g_value_set_object (&parameter, stream);
  g_closure_invoke (data, &result, 1, &parameter, NULL);
  return g_value_get_boolean (&result);
}

static GSourceFuncs connection_source_funcs = {
  .prepare = connection_source_prepare,
  .check = connection_source_check,
  .dispatch = connection_source_dispatch,
  .finalize = connection_source_finalize,
  .closure_callback = (GSourceFunc) (void (*) (void)) connection_source_closure_callback,
};

static void
add_cancellable (GSource *source, GCancellable *cancellable)
{
  g_autoptr (GSource) cancel_source = NULL;

  if (cancellable == NULL)
    return;

  cancel_source = g_cancellable_source_new (cancellable);
  g_source_set_dummy_callback (cancel_source);
  g_source_add_child_source (source, cancel_source);
}

/* Ready when an operation in @direction can make progress, when @cancellable is cancelled, when the connection is
 * woken, or at @deadline. Its callback is a GPollableSourceFunc, called with @stream (nullable).
 */
GSource *
g_tls_session_connection_source_new (GTlsSessionConnection *self,
                                     gpointer stream,
                                     GIOCondition direction,
                                     gint64 deadline,
                                     GCancellable *cancellable)
{
  GSource *source = g_source_new (&connection_source_funcs, sizeof (ConnectionSource));
  ConnectionSource *connection_source = (ConnectionSource *) source;

  connection_source->connection = g_object_ref (self);
  connection_source->stream = stream != NULL ? g_object_ref (stream) : NULL;
  connection_source->direction = direction;
  connection_source->deadline = deadline;
  g_source_set_static_name (source, "gtls-session connection");
  g_source_set_dispose_function (source, connection_source_dispose);
  g_source_set_ready_time (source, deadline);
  add_cancellable (source, cancellable);
  connection_source->poll_fd.fd = g_tls_session_base_stream_get_fd (self->base);
  if (connection_source->poll_fd.fd >= 0)
    g_source_add_poll (source, &connection_source->poll_fd);

  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->sources, source);
  g_mutex_unlock (&self->lock);
  return source;
}

/* A source for a pollable stream. @self may be NULL: the connection is gone, and the source is ready at once, so that
 * the stream's next call can say so.
 */
GSource *
g_tls_session_connection_stream_source_new (GTlsSessionConnection *self,
                                            gpointer stream,
                                            GIOCondition direction,
                                            GCancellable *cancellable)
{
  gint64 timeout;

  if (self == NULL || self->base == NULL)
    {
      GSource *source = g_pollable_source_new_full (stream, NULL, cancellable);

      g_source_set_ready_time (source, 0);
      return source;
    }

  timeout = g_tls_session_base_stream_get_timeout (self->base);
  return g_tls_session_connection_source_new (self, stream, direction,
                                              timeout < 0 ? -1 : g_get_monotonic_time () + timeout, cancellable);
}
