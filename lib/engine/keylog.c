/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#ifdef G_OS_UNIX
#include <unistd.h>
#else
#include <io.h>
#endif

#include "environment.h"

/* SSLKEYLOGFILE, as Wireshark, curl and the browsers know it: the file gets every connection's secrets, a line each,
 * so that a capture can be read. The file is opened once, when the first context is made.
 */

#ifndef O_CLOEXEC
#define O_CLOEXEC 0
#endif

static int keylog_fd = -1;

static void
open_keylog (void)
{
  const char *path = g_tls_session_getenv ("SSLKEYLOGFILE");

  if (path == NULL || *path == '\0')
    return;

  keylog_fd = g_open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (keylog_fd < 0)
    g_warning ("SSLKEYLOGFILE names %s, which cannot be opened: %s", path, g_strerror (errno));
}

/* One write() a line, so that lines of several threads and processes do not mix. */
static void
write_line (const SSL *ssl, const char *line)
{
  g_autofree char *text = g_strconcat (line, "\n", NULL);
  gsize size = strlen (text);

  if (write (keylog_fd, text, size) != (gssize) size)
    g_warning ("A line could not be written to the file that SSLKEYLOGFILE names: %s", g_strerror (errno));

  OPENSSL_cleanse (text, size);
}

void
g_tls_session_keylog_install (SSL_CTX *context)
{
  static gsize opened;

  if (g_once_init_enter (&opened))
    {
      open_keylog ();
      g_once_init_leave (&opened, 1);
    }

  if (keylog_fd >= 0)
    SSL_CTX_set_keylog_callback (context, write_line);
}
