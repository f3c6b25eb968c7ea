/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* For LD_PRELOAD, below libsoup's test programs.
 *
 * Their soup_test_server_get_uri() waits for the server's thread with a mutex on its stack, and may have returned before
 * that thread has locked it (libsoup 3.2). The thread then locks what happens to lie there, waits forever, and every
 * later request to the server times out, with any TLS backend. Here such a mutex is cleared only after the other thread
 * has unlocked it.
 */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <glib.h>

#define EXPORTED __attribute__ ((visibility ("default")))
#define FRAME_MAX 4096 /* bytes, of a caller */

typedef void (*MutexFunc) (GMutex *mutex);

EXPORTED void g_mutex_init (GMutex *mutex);
EXPORTED void g_mutex_unlock (GMutex *mutex);
EXPORTED void g_mutex_clear (GMutex *mutex);

static GMutex *watched; /* the mutex on the main thread's stack; all of it atomic */
static gpointer owner;  /* a thread */
static int unlocked_by_other;

static MutexFunc
find_real (const char *name)
{
  return (MutexFunc) dlsym (RTLD_NEXT, name);
}

void
g_mutex_init (GMutex *mutex)
{
  if ((gsize) mutex - (gsize) __builtin_frame_address (0) < FRAME_MAX)
    {
      g_atomic_int_set (&unlocked_by_other, 0);
      g_atomic_pointer_set (&owner, g_thread_self ());
      g_atomic_pointer_set (&watched, mutex);
    }
  find_real ("g_mutex_init") (mutex);
}

void
g_mutex_unlock (GMutex *mutex)
{
  static MutexFunc real;

  if (real == NULL)
    real = find_real ("g_mutex_unlock");
  real (mutex);
  if (mutex == g_atomic_pointer_get (&watched) && g_thread_self () != g_atomic_pointer_get (&owner))
    g_atomic_int_set (&unlocked_by_other, 1);
}

void
g_mutex_clear (GMutex *mutex)
{
  if (mutex == g_atomic_pointer_get (&watched))
    {
      while (!g_atomic_int_get (&unlocked_by_other))
        g_usleep (1000);
      g_atomic_pointer_set (&watched, NULL);
    }
  find_real ("g_mutex_clear") (mutex);
}
