/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "terminal.h"

/* A character that shows itself and does nothing else: no escape sequences, nothing that turns the line around. */
static gboolean
is_harmless (gunichar character)
{
  switch (g_unichar_type (character))
    {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_SURROGATE:
    case G_UNICODE_UNASSIGNED:
    case G_UNICODE_PRIVATE_USE:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
      return FALSE;
    default:
      return TRUE;
    }
}

char *
terminal_clean (const char *text)
{
  GString *clean = g_string_new (NULL);

  while (*text != '\0')
    {
      gunichar character = g_utf8_get_char_validated (text, -1);
      gboolean is_valid = character != (gunichar) -1 && character != (gunichar) -2;
      gsize length = is_valid ? (gsize) (g_utf8_next_char (text) - text) : 1;

      if (is_valid && is_harmless (character))
        g_string_append_len (clean, text, (gssize) length);
      else
        for (gsize i = 0; i < length; i++)
          g_string_append_printf (clean, "\\x%02x", (guint8) text[i]);
      text += length;
    }
  return g_string_free (clean, FALSE);
}

char *
terminal_clean_format (const char *format, va_list args)
{
  g_autofree char *text = g_strdup_vprintf (format, args);

  return terminal_clean (text);
}
