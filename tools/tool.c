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

gboolean
tool_check_range (const char *what, int value, int max, char **complaint)
{
  if (value >= 1 && value <= max)
    return TRUE;
  *complaint = g_strdup_printf ("%s has to be from 1 to %d, not %d", what, max, value);
  return FALSE;
}

ToolExit
tool_complain (const char *verb, const char *format, ...)
{
  g_autofree char *clean = NULL;
  va_list args;

  va_start (args, format);
  clean = terminal_clean_format (format, args);
  va_end (args);
  g_printerr ("gtls-session %s: %s; see gtls-session %s --help\n", verb, clean, verb);
  return TOOL_EXIT_USAGE;
}

void
tool_warn (const char *format, ...)
{
  g_autofree char *clean = NULL;
  va_list args;

  va_start (args, format);
  clean = terminal_clean_format (format, args);
  va_end (args);
  g_printerr ("gtls-session: %s\n", clean);
}

ToolExit
tool_fail (const GError *error)
{
  tool_warn ("%s", error->message);
  return TOOL_EXIT_FAILED;
}
