/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ftp-text.h"

/* What servers send, and what is sent to them: numbers and times. */

#define TIME_DIGITS 14

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
