/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connection-private.h"

#include "../trust/database-private.h"
#include "initable.h"

/**
 * GTlsSessionConnection:
 *
 * What this library's TLS connections of either role have in common.
 *
 * It is a [class@Gio.TlsConnection] over OpenSSL and behaves as Gio documents that class. What it adds: it says what
 * became of a session that was offered ([property@GTlsSession.Connection:resumption]), it can be kept to certain
 * protocol versions, and closing it loses nothing.
 *
 * ```c
 * g_tls_session_connection_set_minimum_protocol_version (G_TLS_SESSION_CONNECTION (connection),
 *                                                        G_TLS_PROTOCOL_VERSION_TLS_1_3);
 * g_tls_session_connection_set_close_timeout (G_TLS_SESSION_CONNECTION (connection), 10000);
 * ```
 *
 * ## Closing
 *
 * When the last application data was ours, or none was sent at all, [method@Gio.IOStream.close] sends `close_notify`,
 * ends our side of the socket, and reads on until the peer's `close_notify` or FIN, at most
 * [property@GTlsSession.Connection:close-timeout]. A peer that has not answered by then may not have read everything:
 * the close then fails with %G_IO_ERROR_TIMED_OUT. In a dialogue, where it was ours but the peer has spoken before, the
 * close waits for a quarter of a second at most, and no answer is no error. When the last application data was the
 * peer's, what has arrived is read off and the close does not wait. The base stream is closed in any case. Dropping the
 * last reference to a connection that was not closed closes it the same way, which may block; close it yourself, best
 * asynchronously.
 *
 * ## Threads
 *
 * One thread may read while another one writes. Property changes and tickets are announced in the main context that was
 * thread-default when the connection was made, or right away in a call that is made from there.
 * [signal@Gio.TlsConnection::accept-certificate] is emitted in the thread whose call does the handshake, because that
 * call waits for its answer.
 *
 * No thread is started, but a [class@Gio.TlsDatabase] of another kind than this library's may do so when it is asked
 * asynchronously.
 *
 * Since: 0.1
 */

G_DEFINE_ABSTRACT_TYPE_WITH_CODE (GTlsSessionConnection,
                                  g_tls_session_connection,
                                  G_TYPE_TLS_CONNECTION,
                                  G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, g_tls_session_connection_initable_init)
                                    G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_INITABLE,
                                                           g_tls_session_connection_async_initable_init))

/* GTlsConnection */

static const GTlsSessionStep handshake = { g_tls_session_connection_step_handshake, NULL,
                                           G_TLS_SESSION_LANE_HANDSHAKE };

static gboolean
g_tls_session_connection_handshake (GTlsConnection *connection, GCancellable *cancellable, GError **error)
{
  GTlsSessionEngineStatus status;

  return g_tls_session_connection_run (G_TLS_SESSION_CONNECTION (connection), &handshake, -1, cancellable, &status,
                                       error);
}

static void
g_tls_session_connection_handshake_async (GTlsConnection *connection,
                                          int io_priority,
                                          GCancellable *cancellable,
                                          GAsyncReadyCallback callback,
                                          gpointer user_data)
{
  GTask *task = g_task_new (connection, cancellable, callback, user_data);

  g_task_set_source_tag (task, g_tls_session_connection_handshake_async);
  g_task_set_priority (task, io_priority);
  g_tls_session_connection_run_async (G_TLS_SESSION_CONNECTION (connection), &handshake, -1, task);
}

static gboolean
g_tls_session_connection_handshake_finish (GTlsConnection *connection, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, connection), FALSE);

  return g_task_propagate_int (G_TASK (result), error) >= 0;
}

static const char *
g_tls_session_connection_get_negotiated_protocol (GTlsConnection *connection)
{
  GTlsSessionConnection *self = G_TLS_SESSION_CONNECTION (connection);
  const char *protocol;

  g_mutex_lock (&self->lock);
  protocol = self->negotiated_protocol;
  g_mutex_unlock (&self->lock);
  return protocol;
}

static gboolean
g_tls_session_connection_get_binding_data (GTlsConnection *connection,
                                           GTlsChannelBindingType type,
                                           GByteArray *data,
                                           GError **error)
{
  GTlsSessionConnection *self = G_TLS_SESSION_CONNECTION (connection);
  X509 *server_certificate;
  gboolean known;

  if (data == NULL)
    return g_tls_session_engine_knows_binding (type, error);

  if (self->base == NULL)
    {
      g_set_error_literal (error, G_TLS_CHANNEL_BINDING_ERROR, G_TLS_CHANNEL_BINDING_ERROR_INVALID_STATE,
                           "The TLS connection was not initialised; see g_initable_init()");
      return FALSE;
    }

  g_mutex_lock (&self->lock);
  server_certificate = G_TLS_SESSION_CONNECTION_GET_CLASS (self)->dup_server_certificate (self);
  known = g_tls_session_engine_get_binding (self->engine, type, server_certificate, data, error);
  g_mutex_unlock (&self->lock);
  X509_free (server_certificate);
  return known;
}

/* GIOStream */

static GInputStream *
g_tls_session_connection_get_input_stream (GIOStream *stream)
{
  return G_TLS_SESSION_CONNECTION (stream)->input;
}

static GOutputStream *
g_tls_session_connection_get_output_stream (GIOStream *stream)
{
  return G_TLS_SESSION_CONNECTION (stream)->output;
}

static gboolean
g_tls_session_connection_close_stream (GIOStream *stream, GCancellable *cancellable, GError **error)
{
  return g_tls_session_connection_close (G_TLS_SESSION_CONNECTION (stream), cancellable, error);
}

static void
g_tls_session_connection_close_stream_async (GIOStream *stream,
                                             int io_priority,
                                             GCancellable *cancellable,
                                             GAsyncReadyCallback callback,
                                             gpointer user_data)
{
  GTask *task = g_task_new (stream, cancellable, callback, user_data);

  g_task_set_source_tag (task, g_tls_session_connection_close_stream_async);
  g_task_set_priority (task, io_priority);
  g_tls_session_connection_close_async (G_TLS_SESSION_CONNECTION (stream), task);
}

static gboolean
g_tls_session_connection_close_stream_finish (GIOStream *stream, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, stream), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/* What the handshake asks for */

/* FALSE if something has been asked already, and not been answered yet. */
gboolean
g_tls_session_connection_begin_question (GTlsSessionConnection *self)
{
  gboolean begun;

  g_mutex_lock (&self->lock);
  begun = self->question == G_TLS_SESSION_QUESTION_NONE;
  if (begun)
    self->question = G_TLS_SESSION_QUESTION_ASKED;
  g_mutex_unlock (&self->lock);
  return begun;
}

void
g_tls_session_connection_end_question (GTlsSessionConnection *self)
{
  g_mutex_lock (&self->lock);
  self->question = G_TLS_SESSION_QUESTION_NONE;
  g_tls_session_connection_wake_locked (self);
  g_mutex_unlock (&self->lock);
}

/* Making and freeing */

/* For the subclass's GInitable. */
gboolean
g_tls_session_connection_init_base (GTlsSessionConnection *self, GError **error)
{
  g_autoptr (GTlsSessionBaseStream) base = g_tls_session_base_stream_new (self->base_io_stream, error);

  if (base == NULL)
    return FALSE;

  self->engine = G_TLS_SESSION_CONNECTION_GET_CLASS (self)->create_engine (
    g_tls_session_base_stream_get_transport (base), error);
  if (self->engine == NULL)
    return FALSE;

  g_tls_session_engine_set_require_close_notify (self->engine, self->require_close_notify);
  self->base = g_steal_pointer (&base);
  return TRUE;
}

/* Who drops the last reference listens no more, and a garbage collector that drops it must not be called back. */
static void
fall_silent (GTlsSessionConnection *self)
{
  GMainContext *context;

  g_mutex_lock (&self->lock);
  context = g_steal_pointer (&self->context);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&context, g_main_context_unref);
}

static void
g_tls_session_connection_dispose (GObject *object)
{
  fall_silent (G_TLS_SESSION_CONNECTION (object));
  G_OBJECT_CLASS (g_tls_session_connection_parent_class)->dispose (object); /* closes */
}

static void
g_tls_session_connection_finalize (GObject *object)
{
  GTlsSessionConnection *self = G_TLS_SESSION_CONNECTION (object);

  g_clear_pointer (&self->engine, g_tls_session_engine_free);
  g_clear_pointer (&self->base, g_tls_session_base_stream_free);
  g_clear_object (&self->base_io_stream);
  g_clear_object (&self->input);
  g_clear_object (&self->output);
  g_clear_pointer (&self->home, g_thread_unref);
  g_clear_object (&self->database);
  g_clear_object (&self->interaction);
  g_clear_object (&self->certificate);
  g_clear_object (&self->shown_certificate);
  g_clear_object (&self->peer_certificate);
  g_clear_pointer (&self->advertised_protocols, g_strfreev);
  g_clear_pointer (&self->negotiated_protocol, g_free);
  g_clear_pointer (&self->shelf, g_tls_session_ticket_shelf_free);
  g_queue_clear_full (&self->tickets_to_keep, g_object_unref);
  g_queue_clear_full (&self->new_tickets, g_object_unref);
  g_clear_pointer (&self->changed, g_ptr_array_unref);
  g_clear_pointer (&self->sources, g_ptr_array_unref);
  g_cond_clear (&self->turn_cond);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (g_tls_session_connection_parent_class)->finalize (object);
}

static void
g_tls_session_connection_class_init (GTlsSessionConnectionClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GIOStreamClass *stream_class = G_IO_STREAM_CLASS (class);
  GTlsConnectionClass *tls_class = G_TLS_CONNECTION_CLASS (class);

  object_class->dispose = g_tls_session_connection_dispose;
  object_class->finalize = g_tls_session_connection_finalize;

  stream_class->get_input_stream = g_tls_session_connection_get_input_stream;
  stream_class->get_output_stream = g_tls_session_connection_get_output_stream;
  stream_class->close_fn = g_tls_session_connection_close_stream;
  stream_class->close_async = g_tls_session_connection_close_stream_async;
  stream_class->close_finish = g_tls_session_connection_close_stream_finish;

  tls_class->handshake = g_tls_session_connection_handshake;
  tls_class->handshake_async = g_tls_session_connection_handshake_async;
  tls_class->handshake_finish = g_tls_session_connection_handshake_finish;
  tls_class->get_binding_data = g_tls_session_connection_get_binding_data;
  tls_class->get_negotiated_protocol = g_tls_session_connection_get_negotiated_protocol;

  g_tls_session_connection_install_properties (object_class);
}

static void
g_tls_session_connection_init (GTlsSessionConnection *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->turn_cond);
  g_queue_init (&self->tickets_to_keep);
  g_queue_init (&self->new_tickets);
  self->changed = g_ptr_array_new ();
  self->sources = g_ptr_array_new ();
  self->shelf = g_tls_session_ticket_shelf_new ();
  self->context = g_main_context_ref_thread_default ();
  self->home = g_thread_ref (g_thread_self ());
  self->input = g_tls_session_input_stream_new (self);
  self->output = g_tls_session_output_stream_new (self);
  self->database = g_tls_session_database_get_default ();
  self->require_close_notify = TRUE;
  self->close_timeout = G_TLS_SESSION_DEFAULT_CLOSE_TIMEOUT;
}
