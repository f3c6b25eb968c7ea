/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* NOTES:
 *
 * The library and OpenSSL ask the C library's time() for the date (later OpenSSLs, gettimeofday()). A function of a
 * program, if it is visible outside it, goes before one of the same name in a shared library; so this program's answers
 * are theirs. Waits and timeouts read another clock, the monotonic one, and are left alone.
 */

#include "calendar.h"

#include <openssl/ssl.h>
#include <sys/time.h>
#include <time.h>

static gint64 ahead; /* seconds; atomic */

static gint64
get_ahead (void)
{
  return __atomic_load_n (&ahead, __ATOMIC_SEQ_CST);
}

void
calendar_advance (gint64 seconds)
{
  __atomic_add_fetch (&ahead, seconds, __ATOMIC_SEQ_CST);
}

__attribute__ ((visibility ("default"))) time_t
time (time_t *place)
{
  struct timespec now;
  time_t seconds;

  clock_gettime (CLOCK_REALTIME, &now);
  seconds = now.tv_sec + (time_t) get_ahead ();
  if (place != NULL)
    *place = seconds;
  return seconds;
}

__attribute__ ((visibility ("default"))) int
gettimeofday (struct timeval *restrict place, void *restrict zone)
{
  struct timespec now;

  clock_gettime (CLOCK_REALTIME, &now);
  place->tv_sec = now.tv_sec + (time_t) get_ahead ();
  place->tv_usec = now.tv_nsec / 1000;
  return 0;
}

gint64
calendar_now (void)
{
  return time (NULL);
}

void
calendar_check (void)
{
  SSL_SESSION *before = SSL_SESSION_new ();
  SSL_SESSION *after;

  calendar_advance (1000);
  after = SSL_SESSION_new ();
  g_assert_cmpint (SSL_SESSION_get_time (after), >=, SSL_SESSION_get_time (before) + 1000);
  SSL_SESSION_free (before);
  SSL_SESSION_free (after);
}
