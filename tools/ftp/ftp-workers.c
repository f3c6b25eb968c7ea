/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ftp-workers.h"

#include <glib-unix.h>
#include <signal.h>

#include "../terminal.h"

/* NOTES:
 *
 * FTP does one transfer a control connection, so several at once need several of them. Each is a worker; all of them live
 * in one main loop, without threads, and take their jobs from one queue. A worker is started when there is a job that
 * nobody is free for.
 *
 * A worker whose connection breaks leaves, its job goes back to the queue to be continued, twice at most, and another
 * worker comes. A server that lets in fewer than we would like gets fewer; if it lets in none, every job has failed.
 *
 * SIGINT and SIGTERM cancel everything; each transfer leaves behind what --continue needs. The second one kills.
 */

#define MAX_RETRIES 2

typedef enum
{
  WORKER_OPENING,
  WORKER_FREE,
  WORKER_BUSY,
  WORKER_LEAVING,
} WorkerState;

typedef struct
{
  const FtpSite *site;
  FtpOrders *orders;
  guint limit;
  GPtrArray *workers; /* of Worker */
  GMainLoop *loop;
  guint signals[2];
} Crew;

typedef struct
{
  Crew *crew;
  WorkerState state;
  FtpControl *control;
  FtpJob *job;
} Worker;

static void schedule (Crew *self);

static void
worker_free (gpointer data)
{
  Worker *self = data;

  g_object_unref (self->control);
  g_free (self);
}

static guint
count (Crew *self, WorkerState state)
{
  guint n = 0;

  for (guint i = 0; i < self->workers->len; i++)
    n += ((Worker *) g_ptr_array_index (self->workers, i))->state == state;
  return n;
}

static gboolean
is_interrupted (Crew *self)
{
  return self->orders->tally->is_interrupted;
}

static void
complain (Crew *self, const char *about, const char *message)
{
  g_autofree char *printable = terminal_clean (about);
  g_autofree char *sentence = g_strdup_printf ("%s: %s", printable, message);

  ftp_tally_fail (self->orders->tally, "%s", sentence);
  ftp_progress_complain (self->orders->progress, sentence);
}

/* Leaving */

static void
on_left (GObject *control, GAsyncResult *result, gpointer data)
{
  Worker *self = data;
  Crew *crew = self->crew;

  g_ptr_array_remove (crew->workers, self);
  schedule (crew);
}

static void
leave (Worker *self)
{
  self->state = WORKER_LEAVING;
  ftp_control_quit_async (self->control, on_left, self);
}

/* Working */

static void
job_has_failed (Worker *self, GError *error)
{
  Crew *crew = self->crew;
  FtpJob *job = g_steal_pointer (&self->job);

  if (!is_interrupted (crew) && ftp_control_is_broken (self->control) && job->tries < MAX_RETRIES)
    {
      job->tries++;
      g_queue_push_head (crew->orders->jobs, job);
      return;
    }
  if (!is_interrupted (crew))
    complain (crew, job->remote, error->message);
  ftp_job_free (job);
}

static void
on_job_done (GObject *control, GAsyncResult *result, gpointer data)
{
  Worker *self = data;
  Crew *crew = self->crew;
  g_autoptr (GError) error = NULL;

  if (!ftp_job_run_finish (self->control, result, &error))
    job_has_failed (self, error);
  g_clear_pointer (&self->job, ftp_job_free);

  ftp_control_rest (self->control);
  self->state = WORKER_FREE;
  if (ftp_control_is_broken (self->control))
    leave (self);
  schedule (crew);
}

static void
work (Worker *self)
{
  self->state = WORKER_BUSY;
  self->job = g_queue_pop_head (self->crew->orders->jobs);
  ftp_job_run_async (self->job, self->control, self->crew->orders, on_job_done, self);
}

/* Coming */

static void
give_up_jobs (Crew *self, const char *message)
{
  FtpJob *job;

  while ((job = g_queue_pop_head (self->orders->jobs)) != NULL)
    {
      if (!is_interrupted (self))
        complain (self, *job->remote != '\0' ? job->remote : self->site->url->host, message);
      ftp_job_free (job);
    }
}

static void
on_opened (GObject *control, GAsyncResult *result, gpointer data)
{
  Worker *self = data;
  Crew *crew = self->crew;
  g_autoptr (GError) error = NULL;

  ftp_control_rest (self->control);
  if (ftp_control_open_finish (self->control, result, &error))
    {
      self->state = WORKER_FREE;
      schedule (crew);
      return;
    }

  leave (self);
  crew->limit = crew->workers->len - count (crew, WORKER_LEAVING);
  if (crew->limit == 0)
    give_up_jobs (crew, error->message);
  schedule (crew);
}

static void
hire (Crew *self)
{
  Worker *worker = g_new0 (Worker, 1);

  worker->crew = self;
  worker->state = WORKER_OPENING;
  worker->control = ftp_control_new (self->site);
  g_ptr_array_add (self->workers, worker);
  ftp_control_open_async (worker->control, on_opened, worker);
}

/* Who does what. Called whenever something has changed. */

static Worker *
find_free (Crew *self)
{
  for (guint i = 0; i < self->workers->len; i++)
    {
      Worker *worker = g_ptr_array_index (self->workers, i);

      if (worker->state == WORKER_FREE)
        return worker;
    }
  return NULL;
}

static gboolean
needs_another (Crew *self)
{
  guint n_leaving = count (self, WORKER_LEAVING);

  return self->workers->len - n_leaving < self->limit &&
         count (self, WORKER_OPENING) < g_queue_get_length (self->orders->jobs);
}

static void
schedule (Crew *self)
{
  Worker *worker;

  while (!g_queue_is_empty (self->orders->jobs) && (worker = find_free (self)) != NULL)
    work (worker);
  while (needs_another (self))
    hire (self);

  /* A job that is still being done may bring more. */
  if (g_queue_is_empty (self->orders->jobs) && count (self, WORKER_BUSY) == 0)
    while ((worker = find_free (self)) != NULL)
      leave (worker);
  if (self->workers->len == 0)
    g_main_loop_quit (self->loop);
}

static gboolean
on_interrupt (gpointer data)
{
  Crew *self = data;

  self->orders->tally->is_interrupted = TRUE;
  give_up_jobs (self, NULL);
  for (guint i = 0; i < self->workers->len; i++)
    ftp_control_cancel (((Worker *) g_ptr_array_index (self->workers, i))->control);
  /* Both go, so that the next one does what signals do. */
  for (gsize i = 0; i < G_N_ELEMENTS (self->signals); i++)
    g_clear_handle_id (&self->signals[i], g_source_remove);
  schedule (self);
  return G_SOURCE_REMOVE;
}

/* Does the jobs of @orders, and those that come of them, with @n_workers control connections at most. What came of them
 * is in the tally. */
void
ftp_workers_run (const FtpSite *site, FtpOrders *orders, guint n_workers)
{
  Crew self = { .site = site, .orders = orders, .limit = n_workers };

  self.loop = g_main_loop_new (NULL, FALSE);
  self.workers = g_ptr_array_new_with_free_func (worker_free);
  self.signals[0] = g_unix_signal_add (SIGINT, on_interrupt, &self);
  self.signals[1] = g_unix_signal_add (SIGTERM, on_interrupt, &self);

  schedule (&self);
  g_main_loop_run (self.loop);

  for (gsize i = 0; i < G_N_ELEMENTS (self.signals); i++)
    g_clear_handle_id (&self.signals[i], g_source_remove);
  g_ptr_array_unref (self.workers);
  g_main_loop_unref (self.loop);
}
