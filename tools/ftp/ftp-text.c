/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ftp-text.h"

#include <string.h>

/* What servers send, and what is sent to them: numbers, times, and text that a terminal or JSON can bear. */

#define TIME_DIGITS 14

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

/* Text for a person's terminal; what is not UTF-8, or would not be shown as it stands, becomes \xNN. */
char *
ftp_text_printable (const char *text)
{
  GString *printable = g_string_new (NULL);

  while (*text != '\0')
    {
      gunichar character = g_utf8_get_char_validated (text, -1);
      gboolean is_valid = character != (gunichar) -1 && character != (gunichar) -2;
      gsize length = is_valid ? (gsize) (g_utf8_next_char (text) - text) : 1;

      if (is_valid && is_harmless (character))
        g_string_append_len (printable, text, (gssize) length);
      else
        for (gsize i = 0; i < length; i++)
          g_string_append_printf (printable, "\\x%02x", (guint8) text[i]);
      text += length;
    }
  return g_string_free (printable, FALSE);
}

/* A string of JSON (RFC 8259), quotes included. Bytes that are not UTF-8 cannot stand in it; U+FFFD does for them. */
void
ftp_text_append_json (GString *json, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  g_string_append_c (json, '"');
  for (const char *at = valid; *at != '\0'; at++)
    {
      if (*at == '"' || *at == '\\')
        g_string_append_printf (json, "\\%c", *at);
      else if ((guint8) *at < 0x20 || *at == 0x7f)
        g_string_append_printf (json, "\\u%04x", (guint8) *at);
      else
        g_string_append_c (json, *at);
    }
  g_string_append_c (json, '"');
}

/* Digits only, and not more than fit. */
gboolean
ftp_text_parse_number (const char *text, gsize length, gint64 *number)
{
  gint64 result = 0;

  if (length == 0)
    return FALSE;

  for (gsize i = 0; i < length; i++)
    {
      int digit = g_ascii_digit_value (text[i]);

      if (digit < 0 || result > (G_MAXINT64 - digit) / 10)
        return FALSE;
      result = result * 10 + digit;
    }
  *number = result;
  return TRUE;
}

/* YYYYMMDDHHMMSS in UTC, perhaps with a fraction, which is cut off (RFC 3659, section 2.3), as seconds since 1970. */
gboolean
ftp_text_parse_time (const char *text, gsize length, gint64 *seconds)
{
  static const gsize widths[] = { 4, 2, 2, 2, 2, 2 };
  gint64 fields[G_N_ELEMENTS (widths)];
  gint64 fraction;
  g_autoptr (GDateTime) time = NULL;

  if (length < TIME_DIGITS)
    return FALSE;
  if (length > TIME_DIGITS && (text[TIME_DIGITS] != '.' ||
                               !ftp_text_parse_number (text + TIME_DIGITS + 1, length - TIME_DIGITS - 1, &fraction)))
    return FALSE;

  for (gsize i = 0; i < G_N_ELEMENTS (widths); text += widths[i], i++)
    if (!ftp_text_parse_number (text, widths[i], &fields[i]))
      return FALSE;

  /* A leap second is told as one; GDateTime knows none. */
  time = g_date_time_new_utc ((int) fields[0], (int) fields[1], (int) fields[2], (int) fields[3], (int) fields[4],
                              (double) MIN (fields[5], 59));
  if (time == NULL || fields[5] > 60)
    return FALSE;
  *seconds = g_date_time_to_unix (time);
  return TRUE;
}

/* The same the other way round. Returns NULL for a time beyond the year 9999. */
char *
ftp_text_format_time (gint64 seconds)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (seconds);

  return time != NULL ? g_date_time_format (time, "%Y%m%d%H%M%S") : NULL;
}
