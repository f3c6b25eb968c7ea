/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crew.h"

#define CREW_MAX 16

static void
drain (GMainContext *context)
{
  while (g_main_context_iteration (context, FALSE))
    ;
}

/* A crew */

typedef struct
{
  CrewFunc func;
  gpointer data;
  GMutex lock;
  GCond cond;
  guint n_missing; /* threads that are not ready yet */
} Crew;

typedef struct
{
  Crew *crew;
  guint number;
} Member;

static void
wait_for_others (Crew *crew)
{
  g_mutex_lock (&crew->lock);
  if (--crew->n_missing == 0)
    g_cond_broadcast (&crew->cond);
  while (crew->n_missing > 0)
    g_cond_wait (&crew->cond, &crew->lock);
  g_mutex_unlock (&crew->lock);
}

static gpointer
work (gpointer data)
{
  Member *member = data;
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  wait_for_others (member->crew);
  member->crew->func (member->number, member->crew->data);
  drain (context);
  g_main_context_pop_thread_default (context);
  return NULL;
}

void
crew_work (guint size, CrewFunc func, gpointer data)
{
  Crew crew = { .func = func, .data = data, .n_missing = size };
  Member members[CREW_MAX];
  GThread *threads[CREW_MAX];

  g_assert_cmpuint (size, <=, CREW_MAX);
  g_mutex_init (&crew.lock);
  g_cond_init (&crew.cond);
  for (guint i = 0; i < size; i++)
    {
      members[i] = (Member){ &crew, i };
      threads[i] = g_thread_new ("crew", work, &members[i]);
    }
  for (guint i = 0; i < size; i++)
    g_thread_join (threads[i]);
  g_cond_clear (&crew.cond);
  g_mutex_clear (&crew.lock);
}

guint
crew_scale (guint count)
{
  return g_getenv ("GTLS_SESSION_SLOW") != NULL ? MAX (count / 10, 5) : count;
}

/* A looper */

struct _Looper
{
  GMainContext *context;
  GThread *thread;
  int is_over; /* atomic */
};

static gpointer
loop (gpointer data)
{
  Looper *self = data;

  g_main_context_push_thread_default (self->context);
  while (!g_atomic_int_get (&self->is_over))
    g_main_context_iteration (self->context, TRUE);
  drain (self->context);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

Looper *
looper_new (void)
{
  Looper *self = g_new0 (Looper, 1);

  self->context = g_main_context_new ();
  self->thread = g_thread_new ("looper", loop, self);
  return self;
}

void
looper_free (Looper *self)
{
  g_atomic_int_set (&self->is_over, TRUE);
  g_main_context_wakeup (self->context);
  g_thread_join (self->thread);
  g_main_context_unref (self->context);
  g_free (self);
}

gboolean
looper_is_here (Looper *self)
{
  return g_main_context_is_owner (self->context);
}

typedef struct
{
  LooperFunc func;
  gpointer data;
  GAsyncQueue *done; /* nullable: nobody waits */
} Errand;

static gboolean
run_errand (gpointer data)
{
  g_autofree Errand *errand = data;

  errand->func (errand->data);
  if (errand->done != NULL)
    g_async_queue_push (errand->done, errand->done);
  return G_SOURCE_REMOVE;
}

static void
send_errand (Looper *self, LooperFunc func, gpointer data, GAsyncQueue *done)
{
  g_autoptr (GSource) source = g_idle_source_new ();
  Errand *errand = g_new (Errand, 1);

  *errand = (Errand){ func, data, done };
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, run_errand, errand, NULL);
  g_source_attach (source, self->context);
}

void
looper_send (Looper *self, LooperFunc func, gpointer data)
{
  send_errand (self, func, data, NULL);
}

void
looper_call (Looper *self, LooperFunc func, gpointer data)
{
  GAsyncQueue *done = g_async_queue_new ();

  send_errand (self, func, data, done);
  g_async_queue_pop (done);
  g_async_queue_unref (done);
}
