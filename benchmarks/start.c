/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* bench-start CERTIFICATES|- PROGRAM ARGUMENT…: becomes PROGRAM, which finds in $BENCH_BEGAN the time at which it was
 * started, on CLOCK_MONOTONIC.
 *
 * CERTIFICATES: a directory that PROGRAM, and it alone, shall find at /etc/ssl/certs, where all TLS libraries look for
 * what the system trusts. That takes a mount namespace: of root's, or of a user that may have a user namespace.
 */

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#define SYSTEM_CERTIFICATES "/etc/ssl/certs"

static void
fail (const char *what)
{
  perror (what);
  exit (1);
}

static void
write_file (const char *path, const char *text)
{
  FILE *file = fopen (path, "w");

  if (file == NULL || fputs (text, file) < 0 || fclose (file) != 0)
    fail (path);
}

static void
enter_namespace (void)
{
  uid_t user = getuid ();
  gid_t group = getgid ();
  char map[64];

  if (unshare (CLONE_NEWNS) == 0)
    return;
  if (unshare (CLONE_NEWUSER | CLONE_NEWNS) != 0)
    fail ("unshare");
  write_file ("/proc/self/setgroups", "deny");
  snprintf (map, sizeof map, "%u %u 1", user, user);
  write_file ("/proc/self/uid_map", map);
  snprintf (map, sizeof map, "%u %u 1", group, group);
  write_file ("/proc/self/gid_map", map);
}

static void
put_certificates (const char *path)
{
  enter_namespace ();
  if (mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
    fail ("mount namespace");
  if (mount (path, SYSTEM_CERTIFICATES, NULL, MS_BIND, NULL) != 0)
    fail (SYSTEM_CERTIFICATES);
}

int
main (int argc, char **argv)
{
  struct timespec now;
  char began[64];

  if (argc < 3)
    {
      fprintf (stderr, "usage: bench-start CERTIFICATES|- PROGRAM ARGUMENT…\n");
      return 1;
    }
  if (strcmp (argv[1], "-") != 0)
    put_certificates (argv[1]);

  clock_gettime (CLOCK_MONOTONIC, &now);
  snprintf (began, sizeof began, "%lld.%09ld", (long long) now.tv_sec, now.tv_nsec);
  setenv ("BENCH_BEGAN", began, 1);
  execvp (argv[2], argv + 2);
  fail (argv[2]);
}
