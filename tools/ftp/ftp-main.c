/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <locale.h>
#include <signal.h>

#include "ftp-tool.h"

/* Until there is the command itself. */
int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  signal (SIGPIPE, SIG_IGN);
  g_set_prgname ("gtls-session ftp");
  return gtls_session_tool_ftp (argc - 1, argv + 1);
}
