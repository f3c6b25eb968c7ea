/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool.h"

#include "terminal.h"

ToolExit
tool_parse (const GOptionEntry *entries,
            const char *parameters,
            const char *summary,
            const char *description,
            int *argc,
            char ***argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (parameters);
  g_autoptr (GError) error = NULL;
  const char *verb = (*argv)[0];

  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_set_summary (context, summary);
  g_option_context_set_description (context, description);
  if (g_option_context_parse (context, argc, argv, &error))
    return TOOL_EXIT_DONE;
  return tool_complain (verb, "%s", error->message);
}

ToolExit
tool_complain (const char *verb, const char *format, ...)
{
  g_autofree char *message = NULL;
  g_autofree char *clean = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  clean = terminal_clean (message);
  g_printerr ("gtls-session %s: %s; see gtls-session %s --help\n", verb, clean, verb);
  return TOOL_EXIT_USAGE;
}

ToolExit
tool_fail (const GError *error)
{
  g_autofree char *clean = terminal_clean (error->message);

  g_printerr ("gtls-session: %s\n", clean);
  return TOOL_EXIT_FAILED;
}
