/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* gtls-session, the command: a table of verbs. */

#include <gtls-session.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "terminal.h"
#include "tool.h"

typedef struct
{
  const char *name;
  int (*run) (int argc, char **argv);
  const char *what;
} Verb;

static const Verb verbs[] = {
  { "probe", gtls_session_tool_probe, "Ask a server whether it resumes sessions, and how" },
  { "ftp", gtls_session_tool_ftp, "List, fetch and send files with FTP over TLS" },
  { "store", gtls_session_tool_store, "Look into the file that keeps sessions" },
  { "demo", gtls_session_tool_demo, "See a session's life, with a server of its own" },
};

static int
help (void)
{
  terminal_line (TERMINAL_TITLE, "gtls-session VERB [OPTION…]");
  g_print ("\nTLS session resumption, asked, used and shown.\n\n");
  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
    terminal_field (verbs[i].name, TERMINAL_PLAIN, "%s", verbs[i].what);
  g_print ("\nTo begin with:\n"
           "  gtls-session demo                                what resumption is, in four lines\n"
           "  gtls-session probe example.org                   does this server resume?\n"
           "  gtls-session probe --starttls smtp mx.example.org\n"
           "  gtls-session VERB --help                         a verb's options, with examples\n"
           "\n"
           "Exit status: 0 as asked; 1 the answer is no (not resumed, not verified); 2 the command line is not\n"
           "understood; 3 it could not be done. More is in the manual page, gtls-session(1).\n");
  return TOOL_EXIT_DONE;
}

static int
run_verb (int argc, char **argv)
{
  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
    if (g_str_equal (argv[0], verbs[i].name))
      {
        g_autofree char *name = g_strconcat ("gtls-session ", verbs[i].name, NULL);

        g_set_prgname (name); /* for the usage line that GOption writes */
        return verbs[i].run (argc, argv);
      }

  tool_warn ("there is no verb '%s'; see gtls-session --help", argv[0]);
  return TOOL_EXIT_USAGE;
}

static int
run (int argc, char **argv)
{
  if (argc < 2)
    {
      tool_warn ("a verb is missing; see gtls-session --help");
      return TOOL_EXIT_USAGE;
    }
  if (g_str_equal (argv[1], "--help") || g_str_equal (argv[1], "-h") || g_str_equal (argv[1], "help"))
    return help ();
  if (g_str_equal (argv[1], "--version"))
    {
      g_print ("gtls-session %s\n", GTLS_SESSION_TOOL_VERSION);
      return TOOL_EXIT_DONE;
    }
  return run_verb (argc - 1, argv + 1);
}

/* An answer that did not get out is none. GOption ends the program by itself after --help, so this is asked at exit. */
static void
check_output (void)
{
  int code = terminal_finish ();

  if (code == 0)
    return;

  /* A reader that has left, as head does, wants no more; that needs no words. */
  if (code != EPIPE)
    tool_warn ("Standard output cannot be written: %s", g_strerror (code));
  _exit (TOOL_EXIT_FAILED);
}

/* What was started with a standard stream closed would give its number to the next file or socket that is opened, and
 * then write its words in there. What takes the number here can be read from, or written to, just as little as a closed
 * one.
 */
static void
occupy_closed_streams (void)
{
  static const int unfit_modes[] = { O_WRONLY, O_RDONLY, O_RDONLY };

  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++)
    if (fcntl (stream, F_GETFD) < 0 && open ("/dev/null", unfit_modes[stream]) != stream)
      _exit (TOOL_EXIT_FAILED);
}

int
main (int argc, char **argv)
{
  occupy_closed_streams ();
  setlocale (LC_ALL, "");
  signal (SIGPIPE, SIG_IGN); /* a peer that is gone is an error like others */
  signal (SIGXFSZ, SIG_IGN); /* and so is a file that may not grow (ulimit -f) */
  terminal_init ();

  atexit (check_output);
  return run (argc, argv);
}
