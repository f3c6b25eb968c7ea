/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* NOTES:
 *
 * Twenty thousand cases, many of which end with a timeout, cannot wait for real seconds; and what happens must not depend
 * on how fast the machine is. So time stands still here, and passes only where a thread waits and nothing can come.
 *
 * Everything that waits, GLib's main loop and a blocking socket alike, waits in poll() and looks at CLOCK_MONOTONIC. A
 * function of a program, if it is visible outside it, goes before one of the same name in a shared library; so these two
 * are the library's and GLib's, too. Whoever would wait here lets the peer and the wire move first. Only when nothing
 * moves any more the clock is turned on by as much as the wait would have taken. One that has no end would last for ever:
 * that is a hang, and it is found at once.
 *
 * Other threads, and this one off the stage, wait as ever.
 */

#define _GNU_SOURCE /* RTLD_NEXT, ppoll() */

#include "stage.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

#define NS_PER_S 1000000000

typedef int (*PollFunc) (struct pollfd *fds, nfds_t n, int timeout);
typedef int (*ClockFunc) (clockid_t clock, struct timespec *place);

static __thread StageMove current_move; /* NULL: off the stage */
static __thread StageHang current_hang;
static __thread gpointer current_data;

static gint64 now_ns; /* 0 until somebody asks; atomic, as GLib's own threads ask as well */

/* Threads may look it up at the same time; all find the same. */
static gpointer
find_next (gpointer *found, const char *name)
{
  gpointer func = g_atomic_pointer_get (found);

  if (func == NULL)
    {
      func = dlsym (RTLD_NEXT, name);
      g_atomic_pointer_set (found, func);
    }
  return func;
}

static int
real_poll (struct pollfd *fds, nfds_t n, int timeout)
{
  static gpointer found;
  PollFunc func = (PollFunc) find_next (&found, "poll");

  return func (fds, n, timeout);
}

static int
real_clock (clockid_t clock, struct timespec *place)
{
  static gpointer found;
  ClockFunc func = (ClockFunc) find_next (&found, "clock_gettime");

  return func (clock, place);
}

__attribute__ ((visibility ("default"))) int
clock_gettime (clockid_t clock, struct timespec *place)
{
  gint64 now, began = 0;

  if (clock != CLOCK_MONOTONIC)
    return real_clock (clock, place);

  now = __atomic_load_n (&now_ns, __ATOMIC_SEQ_CST);
  if (now == 0)
    {
      real_clock (clock, place);
      now = (gint64) place->tv_sec * NS_PER_S + place->tv_nsec;
      if (!__atomic_compare_exchange_n (&now_ns, &began, now, FALSE, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        now = began;
    }
  place->tv_sec = now / NS_PER_S;
  place->tv_nsec = now % NS_PER_S;
  return 0;
}

static int
interrupted (void)
{
  errno = EINTR;
  return -1;
}

/* @timeout_ns: -1 is for ever. */
static int
wait_on_stage (struct pollfd *fds, nfds_t n, gint64 timeout_ns)
{
  int ready = real_poll (fds, n, 0);

  if (ready != 0 || timeout_ns == 0)
    return ready;

  /* What moved may be seen by others than poll(); so they all look again. */
  if (current_move (current_data))
    {
      ready = real_poll (fds, n, 0);
      return ready != 0 ? ready : interrupted ();
    }

  if (timeout_ns < 0)
    {
      current_hang (current_data);
      return interrupted ();
    }
  __atomic_add_fetch (&now_ns, timeout_ns, __ATOMIC_SEQ_CST);
  return 0;
}

__attribute__ ((visibility ("default"))) int
poll (struct pollfd *fds, nfds_t n, int timeout)
{
  if (current_move == NULL)
    return real_poll (fds, n, timeout);
  return wait_on_stage (fds, n, timeout < 0 ? -1 : (gint64) timeout * 1000000);
}

/* Later GLibs wait with this one. */
__attribute__ ((visibility ("default"))) int
ppoll (struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
  gint64 ns = timeout == NULL ? -1 : (gint64) timeout->tv_sec * NS_PER_S + timeout->tv_nsec;

  if (current_move == NULL)
    return real_poll (fds, n, ns < 0 ? -1 : (int) ((ns + 999999) / 1000000));
  return wait_on_stage (fds, n, ns);
}

void
stage_enter (StageMove move, StageHang hang, gpointer data)
{
  current_hang = hang;
  current_data = data;
  current_move = move;
}

void
stage_leave (void)
{
  current_move = NULL;
}
