/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tsan-glib.h"

/* A main context's lock orders what is done to a source, and the context's thread takes that lock before each look at
 * it. So the functions of each source get what its users did before they attached it, woke it, or dropped it. The context
 * has a reference of its own while it looks at a source, so whoever finalizes that gets what its functions did.
 */

typedef struct
{
  GSourceFuncs watched; /* what GLib gets, at the same address */
  GSourceFuncs *own;
} WatchedFuncs;

static GSourceFuncs *
own_funcs (GSource *source)
{
  return ((WatchedFuncs *) source->source_funcs)->own;
}

static gboolean
watched_prepare (GSource *source, int *timeout)
{
  gboolean is_ready;

  tell_acquire (source);
  is_ready = own_funcs (source)->prepare (source, timeout);
  tell_release (source);
  return is_ready;
}

static gboolean
watched_check (GSource *source)
{
  gboolean is_ready;

  tell_acquire (source);
  is_ready = own_funcs (source)->check (source);
  tell_release (source);
  return is_ready;
}

static gboolean
watched_dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  gboolean again;

  tell_acquire (source);
  again = own_funcs (source)->dispatch (source, callback, data);
  tell_release (source);
  return again;
}

static void
watched_finalize (GSource *source)
{
  tell_acquire (source);
  own_funcs (source)->finalize (source);
}

static GMutex watched_lock;
static GHashTable *watched_funcs; /* WatchedFuncs, by the own ones; kept for good */

static GSourceFuncs *
watch_funcs (GSourceFuncs *own)
{
  WatchedFuncs *funcs;

  g_mutex_lock (&watched_lock);
  if (watched_funcs == NULL)
    watched_funcs = g_hash_table_new (NULL, NULL);
  funcs = g_hash_table_lookup (watched_funcs, own);
  if (funcs == NULL)
    {
      funcs = g_new (WatchedFuncs, 1);
      funcs->watched = *own;
      funcs->own = own;
      funcs->watched.prepare = own->prepare != NULL ? watched_prepare : NULL;
      funcs->watched.check = own->check != NULL ? watched_check : NULL;
      funcs->watched.dispatch = watched_dispatch;
      funcs->watched.finalize = own->finalize != NULL ? watched_finalize : NULL;
      g_hash_table_insert (watched_funcs, own, funcs);
    }
  g_mutex_unlock (&watched_lock);
  return &funcs->watched;
}

GSource *
g_source_new (GSourceFuncs *funcs, guint size)
{
  FIND_REAL (g_source_new);

  return real (watch_funcs (funcs), size);
}

guint
g_source_attach (GSource *source, GMainContext *context)
{
  FIND_REAL (g_source_attach);

  tell_release (source);
  return real (source, context);
}

void
g_source_set_ready_time (GSource *source, gint64 ready_time)
{
  FIND_REAL (g_source_set_ready_time);

  tell_release (source);
  real (source, ready_time);
}

void
g_source_destroy (GSource *source)
{
  FIND_REAL (g_source_destroy);

  tell_release (source);
  real (source);
}

void
g_source_unref (GSource *source)
{
  FIND_REAL (g_source_unref);

  tell_release (source);
  tell_acquire (source);
  real (source);
}

/* GLib's own kinds of sources are made within GLib, where nobody can step between. Their callbacks are all of one kind. */

static gboolean
make_call (gpointer data)
{
  TsanCall *call = data;
  gboolean again;

  tell_acquire (call);
  again = call->func (call->data);
  tell_release (call);
  return again;
}

static void
free_call (gpointer data)
{
  TsanCall *call = data;

  tell_acquire (call);
  if (call->notify != NULL)
    call->notify (call->data);
  g_free (call);
}

static TsanCall *
new_call (GSourceFunc func, gpointer data, GDestroyNotify notify)
{
  TsanCall *call = g_new (TsanCall, 1);

  call->func = func;
  call->data = data;
  call->notify = notify;
  tell_release (call);
  return call;
}

void
g_source_set_callback (GSource *source, GSourceFunc func, gpointer data, GDestroyNotify notify)
{
  FIND_REAL (g_source_set_callback);

  tell_release (source);
  if (func != NULL && (source->source_funcs == &g_idle_funcs || source->source_funcs == &g_timeout_funcs))
    real (source, make_call, new_call (func, data, notify), free_call);
  else
    real (source, func, data, notify);
}

guint
g_idle_add_full (int priority, GSourceFunc func, gpointer data, GDestroyNotify notify)
{
  FIND_REAL (g_idle_add_full);

  return real (priority, make_call, new_call (func, data, notify), free_call);
}

guint
g_timeout_add_full (int priority, guint interval, GSourceFunc func, gpointer data, GDestroyNotify notify)
{
  FIND_REAL (g_timeout_add_full);

  return real (priority, interval, make_call, new_call (func, data, notify), free_call);
}

void
g_main_context_invoke_full (GMainContext *context, int priority, GSourceFunc func, gpointer data, GDestroyNotify notify)
{
  FIND_REAL (g_main_context_invoke_full);

  real (context, priority, make_call, new_call (func, data, notify), free_call);
}

/* What is pushed to a pool of threads, of which Gio has one for its tasks. */

typedef struct
{
  GFunc func;
  gpointer user_data;
} PoolCall;

static void
work (gpointer data, gpointer user_data)
{
  PoolCall *call = user_data;

  tell_acquire (data);
  call->func (data, call->user_data);
}

GThreadPool *
g_thread_pool_new (GFunc func, gpointer user_data, int max_threads, gboolean exclusive, GError **error)
{
  FIND_REAL (g_thread_pool_new);
  PoolCall *call = g_new (PoolCall, 1);

  call->func = func;
  call->user_data = user_data;
  return real (work, call, max_threads, exclusive, error);
}

gboolean
g_thread_pool_push (GThreadPool *pool, gpointer data, GError **error)
{
  FIND_REAL (g_thread_pool_push);

  tell_release (data);
  return real (pool, data, error);
}

/* What is handed on in a queue of GLib's own. */

void
g_async_queue_push (GAsyncQueue *queue, gpointer data)
{
  FIND_REAL (g_async_queue_push);

  tell_release (queue);
  real (queue, data);
}

gpointer
g_async_queue_pop (GAsyncQueue *queue)
{
  FIND_REAL (g_async_queue_pop);
  gpointer data = real (queue);

  tell_acquire (queue);
  return data;
}
