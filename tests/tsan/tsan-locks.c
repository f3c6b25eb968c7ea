/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tsan-glib.h"

/* sanitizer/tsan_interface.h */
typedef enum
{
  FLAG_TRY = 1 << 4,
  FLAG_FAILED = 1 << 5,
} Flags;

static void
begin_lock (gpointer lock, unsigned flags)
{
  if (__tsan_mutex_pre_lock != NULL)
    __tsan_mutex_pre_lock (lock, flags);
}

static void
end_lock (gpointer lock, unsigned flags)
{
  if (__tsan_mutex_post_lock != NULL)
    __tsan_mutex_post_lock (lock, flags, 1);
}

static void
begin_unlock (gpointer lock)
{
  if (__tsan_mutex_pre_unlock != NULL)
    __tsan_mutex_pre_unlock (lock, 0);
}

static void
end_unlock (gpointer lock)
{
  if (__tsan_mutex_post_unlock != NULL)
    __tsan_mutex_post_unlock (lock, 0);
}

void
g_mutex_lock (GMutex *mutex)
{
  FIND_REAL (g_mutex_lock);

  begin_lock (mutex, 0);
  real (mutex);
  end_lock (mutex, 0);
}

gboolean
g_mutex_trylock (GMutex *mutex)
{
  FIND_REAL (g_mutex_trylock);
  gboolean locked;

  begin_lock (mutex, FLAG_TRY);
  locked = real (mutex);
  end_lock (mutex, locked ? FLAG_TRY : FLAG_TRY | FLAG_FAILED);
  return locked;
}

void
g_mutex_unlock (GMutex *mutex)
{
  FIND_REAL (g_mutex_unlock);

  begin_unlock (mutex);
  real (mutex);
  end_unlock (mutex);
}

void
g_mutex_clear (GMutex *mutex)
{
  FIND_REAL (g_mutex_clear);

  if (__tsan_mutex_destroy != NULL)
    __tsan_mutex_destroy (mutex, 0);
  real (mutex);
}

/* GRecMutex and GRWLock are made of pthread_mutex_t and pthread_rwlock_t, which ThreadSanitizer knows. */

/* A wait gives the lock back and takes it again; the condition itself orders nothing beyond that. */

void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  FIND_REAL (g_cond_wait);

  begin_unlock (mutex);
  end_unlock (mutex);
  real (cond, mutex);
  begin_lock (mutex, 0);
  end_lock (mutex, 0);
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  FIND_REAL (g_cond_wait_until);
  gboolean in_time;

  begin_unlock (mutex);
  end_unlock (mutex);
  in_time = real (cond, mutex, end_time);
  begin_lock (mutex, 0);
  end_lock (mutex, 0);
  return in_time;
}

/* The fast path is inline in the caller, an atomic read of the same address. */

gboolean (g_once_init_enter) (volatile void *location)
{
  FIND_REAL (g_once_init_enter);
  gboolean is_first = real (location);

  if (!is_first)
    tell_acquire ((gconstpointer) location);
  return is_first;
}

void (g_once_init_leave) (volatile void *location, gsize result)
{
  FIND_REAL (g_once_init_leave);

  tell_release ((gconstpointer) location);
  real (location, result);
}
