/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ftp-password.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "../wipe.h"

#define MAX_PASSWORD_BYTES 1024

static gboolean
check (const char *password, GError **error)
{
  for (; *password != '\0'; password++)
    if (g_ascii_iscntrl (*password))
      {
        g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "The password holds control characters");
        return FALSE;
      }
  return TRUE;
}

/* The first line. */
char *
ftp_password_read_file (const char *path, GError **error)
{
  char *password;
  gsize length;

  if (!g_file_get_contents (path, &password, &length, error))
    return NULL;

  password[strcspn (password, "\r\n")] = '\0';
  if (check (password, error))
    return password;
  wipe_and_free (password);
  return NULL;
}

/* Up to the end of the line, which a terminal gives at once. A line with the character @interrupt is none. */
static char *
read_line (int terminal, char interrupt, GError **error)
{
  char line[MAX_PASSWORD_BYTES];
  char *password = NULL;
  gssize size;

  do
    size = read (terminal, line, sizeof line - 1);
  while (size < 0 && errno == EINTR);

  if (size <= 0 || memchr (line, interrupt, (gsize) size) != NULL)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "No password was given");
    }
  else
    {
      line[size] = '\0';
      line[strcspn (line, "\r\n")] = '\0';
      password = check (line, error) ? g_strdup (line) : NULL;
    }
  wipe (line, sizeof line);
  return password;
}

/* On the terminal itself, wherever standard input comes from, and without showing what is typed. A signal that would end
 * the program waits until the terminal is as it was. Ctrl-C ends the line meanwhile, and there is no password then. */
char *
ftp_password_ask (const char *user, const char *host, GError **error)
{
  g_autofree char *question = g_strdup_printf ("Password of %s at %s: ", user, host);
  int terminal = open ("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
  struct termios before, silent;
  sigset_t ending, old;
  char *password;

  if (terminal < 0 || tcgetattr (terminal, &before) != 0)
    {
      if (terminal >= 0)
        close (terminal);
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                   "There is no terminal to ask for the password of %s; --password-file names a file with it", user);
      return NULL;
    }

  sigemptyset (&ending);
  sigaddset (&ending, SIGTERM);
  sigaddset (&ending, SIGHUP);
  sigaddset (&ending, SIGTSTP);
  sigprocmask (SIG_BLOCK, &ending, &old);

  silent = before;
  silent.c_lflag &= ~(tcflag_t) (ECHO | ISIG);
  silent.c_cc[VEOL] = before.c_cc[VINTR];
  tcsetattr (terminal, TCSAFLUSH, &silent);
  (void) !write (terminal, question, strlen (question));
  password = read_line (terminal, (char) before.c_cc[VINTR], error);
  (void) !write (terminal, "\n", 1);
  tcsetattr (terminal, TCSAFLUSH, &before);

  sigprocmask (SIG_SETMASK, &old, NULL);
  close (terminal);
  return password;
}
