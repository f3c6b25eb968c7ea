/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connection-private.h"

/* NOTES:
 *
 * One engine, three ways to wait for it:
 *
 *   g_tls_session_connection_run()        blocks the calling thread
 *   g_tls_session_connection_run_async()  waits in the main context of a GTask
 *   g_tls_session_connection_try()        does not wait; G_IO_ERROR_WOULD_BLOCK instead
 *
 * Each calls advance(), which takes the lock, lets the step do what it can, and lets go of the lock again. After that
 * it wakes who may be concerned and announces what there is to announce. No thread is ever started.
 *
 * Lanes: see connection-private.h. The sync driver takes its lane's turn while it waits, so that no other thread takes
 * what it waits for. The two others never hold a turn; while a thread holds it they wait to be woken.
 */

/* Turns. All with the lock held. */

static GTlsSessionLane
current_lane (GTlsSessionConnection *self, const GTlsSessionStep *step)
{
  if (step->lane == G_TLS_SESSION_LANE_CLOSE || g_tls_session_connection_is_handshaken (self))
    return step->lane;
  return G_TLS_SESSION_LANE_HANDSHAKE;
}

/* Whoever waits for a ticket may have read what a reader waits for. That one then need not wait for its turn. */
static gboolean
has_stash_for (GTlsSessionConnection *self, const GTlsSessionStep *step)
{
  return step->takes_stash && g_tls_session_connection_is_handshaken (self) &&
         g_tls_session_engine_has_stash (self->engine);
}

static gboolean
lane_is_free (GTlsSessionConnection *self, const GTlsSessionStep *step)
{
  return self->turns[current_lane (self, step)] == NULL || has_stash_for (self, step);
}

/* Whoever waits for this connection looks at it again. With the lock held. A broadcast is a system call of GLib's, also
 * if nobody waits.
 */
void
g_tls_session_connection_wake_locked (GTlsSessionConnection *self)
{
  if (self->n_turn_waiters > 0)
    g_cond_broadcast (&self->turn_cond);
  for (guint i = 0; i < self->sources->len; i++)
    g_source_set_ready_time (g_ptr_array_index (self->sources, i), 0);
}

void
g_tls_session_connection_wake (GTlsSessionConnection *self)
{
  g_mutex_lock (&self->lock);
  g_tls_session_connection_wake_locked (self);
  g_mutex_unlock (&self->lock);
}

/* One step */

/* Only the close goes on once it has begun. */
static gboolean
check_life (GTlsSessionConnection *self, const GTlsSessionStep *step, GError **error)
{
  if (self->life < G_TLS_SESSION_LIFE_CLOSING || step->lane == G_TLS_SESSION_LANE_CLOSE)
    return TRUE;

  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "The TLS connection is closed");
  return FALSE;
}

static gboolean
check_initialised (GTlsSessionConnection *self, GError **error)
{
  if (self->base != NULL)
    return TRUE;

  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED,
                       "The TLS connection was not initialised; see g_initable_init()");
  return FALSE;
}

/* With the lock held, in a free lane. */
static GTlsSessionEngineStatus
take_step (GTlsSessionConnection *self, const GTlsSessionStep *step, GError **error)
{
  gboolean was_handshaken = g_tls_session_connection_is_handshaken (self);
  gboolean had_stash = g_tls_session_engine_has_stash (self->engine);
  guint n_received = self->n_received;
  GTlsSessionEngineStatus status;

  if (!check_life (self, step, error))
    return G_TLS_SESSION_ENGINE_ERROR;

  status = step->func (self, step->data, error);
  g_tls_session_connection_collect_tickets (self);

  if (was_handshaken != g_tls_session_connection_is_handshaken (self) ||
      had_stash != g_tls_session_engine_has_stash (self->engine) || n_received != self->n_received)
    g_tls_session_connection_wake_locked (self);
  return status;
}

/* Blocking */

static void
on_cancelled (GCancellable *cancellable, gpointer data)
{
  g_tls_session_connection_wake (data);
}

/* Called with the lock held, returns with it held: waits once for another thread's turn to end. */
static gboolean
wait_for_turn (GTlsSessionConnection *self,
               const GTlsSessionStep *step,
               gint64 deadline,
               GCancellable *cancellable,
               GError **error)
{
  gboolean in_time = TRUE;
  gulong handler = 0;

  if (self->turns[current_lane (self, step)] == g_thread_self ())
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PENDING,
                           "The TLS connection is in the midst of another operation of this thread");
      return FALSE;
    }

  /* The handler takes the lock, and runs at once if it is too late already. */
  g_mutex_unlock (&self->lock);
  if (cancellable != NULL)
    handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), self, NULL);
  g_mutex_lock (&self->lock);

  self->n_turn_waiters++;
  while (in_time && !lane_is_free (self, step) && !g_cancellable_is_cancelled (cancellable))
    {
      if (deadline >= 0)
        in_time = g_cond_wait_until (&self->turn_cond, &self->lock, deadline);
      else
        g_cond_wait (&self->turn_cond, &self->lock);
    }
  self->n_turn_waiters--;

  g_mutex_unlock (&self->lock);
  g_cancellable_disconnect (cancellable, handler);
  g_mutex_lock (&self->lock);

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  if (!in_time)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "The peer did not answer in time");
  return in_time;
}

/* Without the lock, but with the lane's turn. The engine may have more to look at without the base stream. */
static gboolean
wait_for_data (GTlsSessionConnection *self, gint64 deadline, GCancellable *cancellable, GError **error)
{
  gboolean has_data;

  g_mutex_lock (&self->lock);
  has_data = g_tls_session_engine_has_data (self->engine);
  g_mutex_unlock (&self->lock);

  if (deadline >= 0 && g_get_monotonic_time () >= deadline)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "The peer did not answer in time");
      return FALSE;
    }
  return has_data || g_tls_session_base_stream_wait (self->base, G_IO_IN, deadline, cancellable, error);
}

/* What a status asks for, blocking. Without the lock, but with the lane's turn. */
static gboolean
satisfy (GTlsSessionConnection *self,
         GTlsSessionEngineStatus status,
         gint64 deadline,
         GCancellable *cancellable,
         GError **error)
{
  switch (status)
    {
    case G_TLS_SESSION_ENGINE_WANTS_READ:
      return wait_for_data (self, deadline, cancellable, error);
    case G_TLS_SESSION_ENGINE_WANTS_WRITE:
      return g_tls_session_base_stream_wait (self->base, G_IO_OUT, deadline, cancellable, error);
    case G_TLS_SESSION_ENGINE_WANTS_SESSION:
      G_TLS_SESSION_CONNECTION_GET_CLASS (self)->find_session (self);
      return TRUE;
    case G_TLS_SESSION_ENGINE_WANTS_FORECAST:
      return g_tls_session_connection_judge (self, G_TLS_SESSION_CASE_FORECAST, cancellable, error);
    case G_TLS_SESSION_ENGINE_WANTS_VERDICT:
      return g_tls_session_connection_judge (self, G_TLS_SESSION_CASE_VERDICT, cancellable, error);
    case G_TLS_SESSION_ENGINE_WANTS_CERTIFICATE:
      return g_tls_session_connection_find_certificate (self, cancellable, error);
    case G_TLS_SESSION_ENGINE_DONE:
    case G_TLS_SESSION_ENGINE_END:
    case G_TLS_SESSION_ENGINE_ERROR:
    default:
      g_return_val_if_reached (FALSE);
    }
}

static gboolean
is_answer (GTlsSessionEngineStatus status)
{
  return status == G_TLS_SESSION_ENGINE_DONE || status == G_TLS_SESSION_ENGINE_END ||
         status == G_TLS_SESSION_ENGINE_ERROR;
}

/* Steps until there is an answer, and waits in between. @deadline is in monotonic time (µs), -1 for none; the base
 * socket's own timeout holds for each wait. TRUE with DONE or END in @status.
 */
gboolean
g_tls_session_connection_run (GTlsSessionConnection *self,
                              const GTlsSessionStep *step,
                              gint64 deadline,
                              GCancellable *cancellable,
                              GTlsSessionEngineStatus *status,
                              GError **error)
{
  gboolean going_on = check_initialised (self, error);

  *status = G_TLS_SESSION_ENGINE_ERROR;
  while (going_on && !g_cancellable_set_error_if_cancelled (cancellable, error))
    {
      GTlsSessionLane lane;

      g_mutex_lock (&self->lock);
      if (!lane_is_free (self, step))
        {
          going_on = wait_for_turn (self, step, deadline, cancellable, error);
          g_mutex_unlock (&self->lock);
          continue;
        }

      *status = take_step (self, step, error);
      lane = current_lane (self, step);
      if (!is_answer (*status))
        self->turns[lane] = g_thread_self ();
      g_mutex_unlock (&self->lock);

      g_tls_session_connection_keep_tickets (self);
      g_tls_session_connection_announce (self);
      if (is_answer (*status))
        return *status != G_TLS_SESSION_ENGINE_ERROR;

      going_on = satisfy (self, *status, deadline, cancellable, error);

      g_mutex_lock (&self->lock);
      self->turns[lane] = NULL;
      g_tls_session_connection_wake_locked (self);
      g_mutex_unlock (&self->lock);
    }

  *status = G_TLS_SESSION_ENGINE_ERROR;
  return FALSE;
}

/* Not blocking */

static void
set_would_block (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "The TLS connection would have to wait");
}

/* A step that is not to wait. FALSE: another thread waits in the lane. */
static gboolean
advance (GTlsSessionConnection *self, const GTlsSessionStep *step, GTlsSessionEngineStatus *status, GError **error)
{
  gboolean is_free;

  g_mutex_lock (&self->lock);
  is_free = lane_is_free (self, step);
  if (is_free)
    *status = take_step (self, step, error);
  g_mutex_unlock (&self->lock);

  g_tls_session_connection_keep_tickets (self);
  g_tls_session_connection_announce (self);
  return is_free;
}

static gboolean
take_timed_out (GTlsSessionConnection *self, GIOCondition condition)
{
  gboolean timed_out;

  g_mutex_lock (&self->lock);
  timed_out = (self->timed_out & condition) != 0;
  self->timed_out &= ~condition;
  g_mutex_unlock (&self->lock);
  return timed_out;
}

static gboolean
is_question (GTlsSessionEngineStatus status)
{
  return status == G_TLS_SESSION_ENGINE_WANTS_SESSION || status == G_TLS_SESSION_ENGINE_WANTS_FORECAST ||
         status == G_TLS_SESSION_ENGINE_WANTS_VERDICT || status == G_TLS_SESSION_ENGINE_WANTS_CERTIFICATE;
}

static GTlsSessionAnswered
ask (GTlsSessionConnection *self,
     GTlsSessionEngineStatus question,
     GCancellable *cancellable,
     GTlsSessionAnsweredFunc answered,
     gpointer data)
{
  if (question == G_TLS_SESSION_ENGINE_WANTS_SESSION)
    {
      G_TLS_SESSION_CONNECTION_GET_CLASS (self)->find_session (self);
      return G_TLS_SESSION_ANSWERED_NOW;
    }
  if (question == G_TLS_SESSION_ENGINE_WANTS_FORECAST)
    return g_tls_session_connection_judge_async (self, G_TLS_SESSION_CASE_FORECAST, cancellable, answered, data);
  if (question == G_TLS_SESSION_ENGINE_WANTS_VERDICT)
    return g_tls_session_connection_judge_async (self, G_TLS_SESSION_CASE_VERDICT, cancellable, answered, data);
  return g_tls_session_connection_find_certificate_async (self, cancellable, answered, data);
}

static void
wake_when_answered (GTlsSessionConnection *self, GError *error, gpointer data)
{
  /* A database that failed is asked again by the operation that comes next, which then reports its error. */
  g_clear_error (&error);
  g_tls_session_connection_wake (self);
}

/* For the non-blocking calls of pollable streams. TRUE with DONE or END in @status; otherwise an error, perhaps
 * G_IO_ERROR_WOULD_BLOCK.
 */
gboolean
g_tls_session_connection_try (GTlsSessionConnection *self,
                              const GTlsSessionStep *step,
                              GCancellable *cancellable,
                              GTlsSessionEngineStatus *status,
                              GError **error)
{
  GIOCondition direction = step->lane == G_TLS_SESSION_LANE_READ ? G_IO_IN : G_IO_OUT;

  *status = G_TLS_SESSION_ENGINE_ERROR;
  if (!check_initialised (self, error) || g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;

  if (take_timed_out (self, direction))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "The peer did not answer in time");
      return FALSE;
    }

  do
    if (!advance (self, step, status, error))
      {
        set_would_block (error);
        return FALSE;
      }
  while (is_question (*status) && ask (self, *status, NULL, wake_when_answered, NULL) == G_TLS_SESSION_ANSWERED_NOW);

  if (!is_answer (*status))
    set_would_block (error);
  return *status == G_TLS_SESSION_ENGINE_DONE || *status == G_TLS_SESSION_ENGINE_END;
}

/* In a main context */

typedef struct
{
  GTlsSessionConnection *connection;
  GTlsSessionStep step;
  gint64 deadline;
  gint64 wait_until; /* when the present wait has taken too long; -1: never */
  GTask *task;
  GError *answer_error; /* a question could not be answered */
} AsyncRun;

static void go_on (AsyncRun *run);

static void
finish_run (AsyncRun *run, GTlsSessionEngineStatus status, GError *error)
{
  g_autoptr (GTask) task = run->task;

  g_object_unref (run->connection);
  g_free (run);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_int (task, status);
}

static gboolean
on_source_ready (gpointer object, gpointer data)
{
  AsyncRun *run = data;

  /* Freeing the run drops its references; the source holds one of its own to the connection. */
  go_on (run);
  return G_SOURCE_REMOVE;
}

static gint64
earlier (gint64 a, gint64 b)
{
  if (a < 0 || b < 0)
    return MAX (a, b);
  return MIN (a, b);
}

static gint64
deadline_of_wait (GTlsSessionConnection *self, gint64 deadline)
{
  gint64 timeout = g_tls_session_base_stream_get_timeout (self->base);

  return earlier (deadline, timeout < 0 ? -1 : g_get_monotonic_time () + timeout);
}

static void
wait_for_source (AsyncRun *run, GTlsSessionEngineStatus status)
{
  GIOCondition direction = status == G_TLS_SESSION_ENGINE_WANTS_WRITE ? G_IO_OUT : G_IO_IN;
  g_autoptr (GSource) source = NULL;

  run->wait_until = deadline_of_wait (run->connection, run->deadline);
  source = g_tls_session_connection_source_new (run->connection, NULL, direction, run->wait_until,
                                                g_task_get_cancellable (run->task));
  g_source_set_static_name (source, "gtls-session operation");
  g_source_set_priority (source, g_task_get_priority (run->task));
  g_source_set_callback (source, G_SOURCE_FUNC (on_source_ready), run, NULL);
  g_source_attach (source, g_task_get_context (run->task));
}

static gboolean
go_on_answered (gpointer data)
{
  AsyncRun *run = data;

  if (run->answer_error != NULL)
    finish_run (run, G_TLS_SESSION_ENGINE_ERROR, g_steal_pointer (&run->answer_error));
  else
    go_on (run);
  return G_SOURCE_REMOVE;
}

/* Called from wherever the program answers, perhaps with a lock of its own held that the operation's callback takes, as
 * libsoup does. So the operation goes on from the main loop.
 */
static void
on_answered (GTlsSessionConnection *self, GError *error, gpointer data)
{
  AsyncRun *run = data;
  g_autoptr (GSource) source = g_idle_source_new ();

  run->answer_error = error;
  g_source_set_static_name (source, "gtls-session answered");
  g_source_set_priority (source, g_task_get_priority (run->task));
  g_source_set_callback (source, go_on_answered, run, NULL);
  g_source_attach (source, g_task_get_context (run->task));
}

static gboolean
has_waited_too_long (AsyncRun *run)
{
  return run->wait_until >= 0 && g_get_monotonic_time () >= run->wait_until;
}

static GTlsSessionEngineStatus
take_async_step (AsyncRun *run, GError **error)
{
  GTlsSessionEngineStatus status;

  if (g_cancellable_set_error_if_cancelled (g_task_get_cancellable (run->task), error))
    return G_TLS_SESSION_ENGINE_ERROR;

  /* Where another thread waits in the lane, all there is to do is to be woken. */
  if (!advance (run->connection, &run->step, &status, error))
    status = G_TLS_SESSION_ENGINE_WANTS_READ;

  if (!is_answer (status) && has_waited_too_long (run))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "The peer did not answer in time");
      return G_TLS_SESSION_ENGINE_ERROR;
    }
  return status;
}

static void
go_on (AsyncRun *run)
{
  GTlsSessionAnswered answered = G_TLS_SESSION_ANSWERED_NOW;
  GTlsSessionEngineStatus status = G_TLS_SESSION_ENGINE_ERROR;
  GError *error = NULL;

  while (answered == G_TLS_SESSION_ANSWERED_NOW)
    {
      status = take_async_step (run, &error);
      if (!is_question (status))
        break;
      answered = ask (run->connection, status, g_task_get_cancellable (run->task), on_answered, run);
    }

  if (is_answer (status))
    finish_run (run, status, error);
  else if (answered != G_TLS_SESSION_ANSWERED_LATER)
    wait_for_source (run, status);
}

/* As g_tls_session_connection_run(), for a GTask that gets the status as an int, or the error. @task is taken. */
void
g_tls_session_connection_run_async (GTlsSessionConnection *self,
                                    const GTlsSessionStep *step,
                                    gint64 deadline,
                                    GTask *task)
{
  AsyncRun *run;
  GError *error = NULL;

  if (!check_initialised (self, &error))
    {
      g_task_return_error (task, error);
      g_object_unref (task);
      return;
    }

  run = g_new0 (AsyncRun, 1);
  run->connection = g_object_ref (self);
  run->step = *step;
  run->deadline = deadline;
  run->wait_until = -1;
  run->task = task;
  go_on (run);
}
