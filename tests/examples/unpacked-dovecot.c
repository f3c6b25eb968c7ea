/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* To be preloaded into Dovecot's processes, so that it runs where ./run has unpacked it: where it looks for its TLS
 * module is compiled into it, and no setting moves that. The place is taken to be below what UNPACKED_DOVECOT names.
 */

#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODULES "/usr/lib/dovecot/modules"

typedef DIR *OpenDir (const char *path);
typedef void *DlOpen (const char *path, int flags);

__attribute__ ((visibility ("default"))) OpenDir opendir;
__attribute__ ((visibility ("default"))) DlOpen dlopen;

static const char *
redirect (const char *path, char *buffer, size_t size)
{
  const char *top = getenv ("UNPACKED_DOVECOT");

  if (top == NULL || path == NULL || strncmp (path, MODULES, strlen (MODULES)) != 0)
    return path;
  snprintf (buffer, size, "%s%s", top, path);
  return buffer;
}

DIR *
opendir (const char *path)
{
  OpenDir *next = (OpenDir *) dlsym (RTLD_NEXT, "opendir");
  char buffer[4096];

  return next (redirect (path, buffer, sizeof buffer));
}

void *
dlopen (const char *path, int flags)
{
  DlOpen *next = (DlOpen *) dlsym (RTLD_NEXT, "dlopen");
  char buffer[4096];

  return next (redirect (path, buffer, sizeof buffer), flags);
}
