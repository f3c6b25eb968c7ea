/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What gtls-session ends with. It is documented in doc/gtls-session.1, and scripts rely on it. */
typedef enum
{
  TOOL_EXIT_DONE = 0,   /* as asked; where something was asked, the answer is yes */
  TOOL_EXIT_NO = 1,     /* the answer is no: not resumed, not verified, not there; not all of it was transferred */
  TOOL_EXIT_USAGE = 2,  /* the command line is not understood */
  TOOL_EXIT_FAILED = 3, /* it could not be done: nobody answered, no login, a file could not be read or written */
} ToolExit;

/* Takes what it knows out of the command line, behind argv[0]. TOOL_EXIT_DONE: go on. @summary may be NULL. */
ToolExit tool_parse (const GOptionEntry *entries,
                     const char *parameters,
                     const char *summary,
                     const char *description,
                     int *argc,
                     char ***argv);

/* Whether it is at least 1. @complaint: if not, what is wrong with it, in words; owned by the caller. */
gboolean tool_check_range (const char *what, int value, int max, char **complaint);

/* One line to stderr that says how to go on; returns TOOL_EXIT_USAGE. */
ToolExit tool_complain (const char *verb, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* One line to stderr, as for all that goes wrong. */
void tool_warn (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* The same; returns TOOL_EXIT_FAILED. */
ToolExit tool_fail (const GError *error);

/* The verbs. argv[0] is for messages. */

int gtls_session_tool_demo (int argc, char **argv);

int gtls_session_tool_ftp (int argc, char **argv);

int gtls_session_tool_probe (int argc, char **argv);

int gtls_session_tool_store (int argc, char **argv);

G_END_DECLS
