/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connection-private.h"

/* NOTES:
 *
 * Closing loses nothing. A TLS 1.3 server sends its tickets right after the handshake. A client that only uploads never
 * reads them, and a socket that is closed with unread bytes in it sends a reset instead of a FIN, at which the server
 * throws away what it had not read yet. So:
 *
 *   1. what is left of the last record, then close_notify
 *   2. the last application data was ours: FIN, then read on until the peer's close_notify or FIN, within close-timeout
 *      it was ours, but the peer has spoken before: the same for a moment (LINGER_MS), and nothing is wrong if none comes
 *      it was the peer's: read off what has arrived, and do not wait
 *   3. close the base stream, whatever happened
 *
 * 1 and 2 are a step like any other, with a lane of its own, so that a close need not wait for a reader that waits.
 * When time is up, or the close is cancelled, what has arrived is still read off before 3.
 */

/* There are peers that leave the end of a dialogue unanswered, and programs that close in their main loop. */
#define LINGER_MS 250

typedef enum
{
  CLOSE_STAGE_END_WRITE,
  CLOSE_STAGE_DRAIN,
  CLOSE_STAGE_LINGER,
  CLOSE_STAGE_DONE,
} CloseStage;

typedef struct
{
  CloseStage stage;
} Closing;

static void
discard_arrived (GTlsSessionConnection *self)
{
  g_tls_session_engine_discard (self->engine, g_tls_session_base_stream_count_arrived (self->base));
}

/* The stage that follows once our side is at its end. */
static CloseStage
decide_what_follows (GTlsSessionConnection *self)
{
  gboolean must = g_tls_session_engine_peer_must_answer_close (self->engine);
  gboolean may = g_tls_session_engine_peer_may_answer_close (self->engine);

  if ((must || may) && self->close_timeout > 0)
    {
      g_tls_session_base_stream_end_write (self->base);
      return must ? CLOSE_STAGE_DRAIN : CLOSE_STAGE_LINGER;
    }

  discard_arrived (self);
  return CLOSE_STAGE_DONE;
}

/* DONE also with CLOSE_STAGE_LINGER still to come, which has another deadline. */
static GTlsSessionEngineStatus
step_close (GTlsSessionConnection *self, gpointer data, GError **error)
{
  Closing *closing = data;
  GTlsSessionEngineStatus status = G_TLS_SESSION_ENGINE_DONE;

  self->life = G_TLS_SESSION_LIFE_CLOSING;
  if (closing->stage == CLOSE_STAGE_END_WRITE)
    {
      status = g_tls_session_engine_end_write (self->engine, error);
      if (status == G_TLS_SESSION_ENGINE_DONE)
        closing->stage = decide_what_follows (self);
    }

  if (closing->stage == CLOSE_STAGE_DRAIN)
    {
      status = g_tls_session_engine_drain (self->engine, error);
      if (status == G_TLS_SESSION_ENGINE_END)
        closing->stage = CLOSE_STAGE_DONE;
    }
  return status;
}

static GTlsSessionEngineStatus
step_linger (GTlsSessionConnection *self, gpointer data, GError **error)
{
  Closing *closing = data;
  GTlsSessionEngineStatus status = g_tls_session_engine_drain (self->engine, error);

  if (status == G_TLS_SESSION_ENGINE_END)
    closing->stage = CLOSE_STAGE_DONE;
  return status;
}

static gint64
deadline_in (guint ms)
{
  return g_get_monotonic_time () + (gint64) ms * 1000;
}

static gint64
deadline_of_close (GTlsSessionConnection *self)
{
  return deadline_in (g_tls_session_connection_get_close_timeout (self));
}

static gint64
deadline_of_linger (GTlsSessionConnection *self)
{
  return deadline_in (MIN (LINGER_MS, g_tls_session_connection_get_close_timeout (self)));
}

/* @error is what lingering ended with. TRUE, and it is freed, if that was for want of an answer. */
static gboolean
is_answer_missed (GError **error)
{
  if (!g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    return FALSE;

  g_clear_error (error);
  return TRUE;
}

static void
explain_failure (GTlsSessionConnection *self, const Closing *closing, GError **error)
{
  guint timeout_ms = g_tls_session_connection_get_close_timeout (self);

  if (error == NULL || *error == NULL)
    return;

  if (closing->stage == CLOSE_STAGE_END_WRITE && g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    {
      g_clear_error (error);
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                   "The peer did not take what was sent within %u ms (close-timeout); some of it is lost", timeout_ms);
    }
  else if (g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    {
      g_clear_error (error);
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                   "The peer did not end its side of the TLS connection within %u ms (close-timeout); "
                   "it may not have read everything that was sent",
                   timeout_ms);
    }
  else if (closing->stage == CLOSE_STAGE_DRAIN || closing->stage == CLOSE_STAGE_LINGER)
    {
      g_prefix_error (error, "The peer may not have read everything that was sent: ");
    }
}

static gboolean
somebody_waits (GTlsSessionConnection *self)
{
  for (guint i = 0; i < G_TLS_SESSION_N_LANES; i++)
    if (self->turns[i] != NULL)
      return TRUE;
  return FALSE;
}

/* Nothing more comes or goes; the base stream can be closed. */
static void
end_life (GTlsSessionConnection *self, const Closing *closing)
{
  g_mutex_lock (&self->lock);
  if (closing->stage != CLOSE_STAGE_DONE)
    discard_arrived (self);
  g_tls_session_engine_cut (self->engine);
  self->life = G_TLS_SESSION_LIFE_CLOSED;
  if (somebody_waits (self))
    g_tls_session_base_stream_wake_waiters (self->base);
  g_mutex_unlock (&self->lock);

  g_tls_session_connection_wake (self);
}

/* Blocking */

static gboolean
linger (GTlsSessionConnection *self, Closing *closing, GCancellable *cancellable, GError **error)
{
  GTlsSessionStep step = { step_linger, closing, G_TLS_SESSION_LANE_CLOSE };
  GTlsSessionEngineStatus status;
  GError *local_error = NULL;

  if (g_tls_session_connection_run (self, &step, deadline_of_linger (self), cancellable, &status, &local_error) ||
      is_answer_missed (&local_error))
    return TRUE;

  g_propagate_error (error, local_error);
  return FALSE;
}

gboolean
g_tls_session_connection_close (GTlsSessionConnection *self, GCancellable *cancellable, GError **error)
{
  Closing closing = { CLOSE_STAGE_END_WRITE };
  GTlsSessionStep step = { step_close, &closing, G_TLS_SESSION_LANE_CLOSE };
  GTlsSessionEngineStatus status;
  gboolean closed;

  if (self->base == NULL)
    return TRUE;

  closed = g_tls_session_connection_run (self, &step, deadline_of_close (self), cancellable, &status, error);
  if (closed && closing.stage == CLOSE_STAGE_LINGER)
    closed = linger (self, &closing, cancellable, error);
  if (!closed)
    explain_failure (self, &closing, error);
  end_life (self, &closing);

  /* Not cancellable: a descriptor must not be left open. The first error is the one that tells. */
  return g_io_stream_close (self->base_io_stream, NULL, closed ? error : NULL) && closed;
}

/* In a main context */

typedef struct
{
  Closing closing;
  gboolean is_lingering;
  GTask *task;   /* the caller's */
  GError *error; /* what the TLS part ended with */
} AsyncClose;

static void
on_base_closed (GObject *base, GAsyncResult *result, gpointer data)
{
  AsyncClose *self = data;
  g_autoptr (GTask) task = self->task;
  GError *error = self->error;

  g_io_stream_close_finish (G_IO_STREAM (base), result, error == NULL ? &error : NULL);
  g_free (self);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
}

static void on_tls_closed (GObject *object, GAsyncResult *result, gpointer data);

static void
close_tls_async (AsyncClose *self, GTlsSessionConnection *connection, GTlsSessionStepFunc func, gint64 deadline)
{
  GTlsSessionStep step = { func, &self->closing, G_TLS_SESSION_LANE_CLOSE };
  GTask *run_task = g_task_new (connection, g_task_get_cancellable (self->task), on_tls_closed, self);

  g_task_set_source_tag (run_task, g_tls_session_connection_close_async);
  g_task_set_priority (run_task, g_task_get_priority (self->task));
  g_tls_session_connection_run_async (connection, &step, deadline, run_task);
}

/* Once at the end of the close, and once more after lingering if there is any. */
static void
on_tls_closed (GObject *object, GAsyncResult *result, gpointer data)
{
  GTlsSessionConnection *connection = G_TLS_SESSION_CONNECTION (object);
  AsyncClose *self = data;
  gboolean lingered = self->is_lingering;

  if (g_task_propagate_int (G_TASK (result), &self->error) < 0)
    {
      if (!lingered || !is_answer_missed (&self->error))
        explain_failure (connection, &self->closing, &self->error);
    }
  else if (!lingered && self->closing.stage == CLOSE_STAGE_LINGER)
    {
      self->is_lingering = TRUE;
      close_tls_async (self, connection, step_linger, deadline_of_linger (connection));
      return;
    }

  end_life (connection, &self->closing);
  g_io_stream_close_async (connection->base_io_stream, g_task_get_priority (self->task), NULL, on_base_closed, self);
}

/* @task is taken; it gets a boolean or the error. */
void
g_tls_session_connection_close_async (GTlsSessionConnection *self, GTask *task)
{
  AsyncClose *close;

  if (self->base == NULL)
    {
      g_task_return_boolean (task, TRUE);
      g_object_unref (task);
      return;
    }

  close = g_new0 (AsyncClose, 1);
  close->task = task;
  close_tls_async (close, self, step_close, deadline_of_close (self));
}
