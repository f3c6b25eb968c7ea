/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ftp-tally.h"

#include "ftp-text.h"

FtpTally *
ftp_tally_new (void)
{
  FtpTally *self = g_new0 (FtpTally, 1);

  self->failures = g_ptr_array_new_with_free_func (g_free);
  return self;
}

void
ftp_tally_free (FtpTally *self)
{
  g_ptr_array_unref (self->failures);
  g_free (self->why_not_resumed);
  g_free (self);
}

void
ftp_tally_fail (FtpTally *self, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_ptr_array_add (self->failures, g_strdup_vprintf (format, args));
  va_end (args);
}

int
ftp_tally_get_exit_code (const FtpTally *self)
{
  return self->failures->len > 0 || self->is_interrupted ? 1 : 0;
}

static void
append_count (GString *text, guint count, const char *format)
{
  if (count > 0)
    g_string_append_printf (text, format, count);
}

char *
ftp_tally_to_text (const FtpTally *self, double seconds)
{
  GString *text = g_string_new (self->is_interrupted ? "Interrupted; --continue goes on from here. " : NULL);
  g_autofree char *size = g_format_size (self->bytes);

  g_string_append_printf (text, "%u %s transferred", self->files_done, self->files_done == 1 ? "file" : "files");
  append_count (text, self->files_continued, " (%u of them continued)");
  append_count (text, self->files_same, ", %u were the same already");
  append_count (text, self->links_skipped, ", %u that are neither files nor folders left out");
  append_count (text, self->failures->len, ", %u failed");
  g_string_append_printf (text,
                          "; %s in %.1f s.\n%u of %u data connections resumed the TLS session of their control "
                          "connection (of which there %s %u).",
                          size, seconds, self->resumed, self->data_connections, self->connections == 1 ? "was" : "were",
                          self->connections);
  if (self->why_not_resumed != NULL)
    g_string_append_printf (text, "\nThe first that did not: %s", self->why_not_resumed);
  return g_string_free (text, FALSE);
}

/* The members of an object, without its braces. */
void
ftp_tally_append_json (const FtpTally *self, double seconds, GString *json)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append_printf (json,
                          "\"files\": {\"transferred\": %u, \"continued\": %u, \"same\": %u, \"skipped\": %u}, "
                          "\"bytes\": %" G_GUINT64_FORMAT ", \"seconds\": %s, "
                          "\"control_connections\": %u, \"data_connections\": %u, \"resumed\": %u, "
                          "\"interrupted\": %s, \"failures\": [",
                          self->files_done, self->files_continued, self->files_same, self->links_skipped, self->bytes,
                          g_ascii_formatd (number, sizeof number, "%.3f", seconds), self->connections,
                          self->data_connections, self->resumed, self->is_interrupted ? "true" : "false");
  for (guint i = 0; i < self->failures->len; i++)
    {
      if (i > 0)
        g_string_append (json, ", ");
      ftp_text_append_json (json, g_ptr_array_index (self->failures, i));
    }
  g_string_append_c (json, ']');
  if (self->why_not_resumed != NULL)
    {
      g_string_append (json, ", \"why_not_resumed\": ");
      ftp_text_append_json (json, self->why_not_resumed);
    }
}
