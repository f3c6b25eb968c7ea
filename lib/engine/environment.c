/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "environment.h"

#ifdef __linux__
#include <sys/auxv.h>
#elif defined G_OS_UNIX
#include <unistd.h>
#endif

/* A program that runs with rights its caller has not must neither trust nor write what its caller's environment says. */
static gboolean
environment_is_trusted (void)
{
#ifdef __linux__
  return getauxval (AT_SECURE) == 0; /* file capabilities included */
#elif defined __APPLE__ || defined __FreeBSD__ || defined __NetBSD__ || defined __OpenBSD__
  return issetugid () == 0; /* also where it has given its rights up since */
#elif defined G_OS_UNIX
  return getuid () == geteuid () && getgid () == getegid ();
#else
  return TRUE;
#endif
}

/* NULL where it is not set, or set by somebody who has no say here. */
const char *
g_tls_session_getenv (const char *name)
{
  return environment_is_trusted () ? g_getenv (name) : NULL;
}
