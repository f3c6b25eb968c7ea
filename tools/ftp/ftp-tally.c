/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ftp-tally.h"

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

ToolExit
ftp_tally_get_exit (const FtpTally *self)
{
  if (self->failures->len == 0 && !self->is_interrupted)
    return TOOL_EXIT_DONE;
  return self->logins > 0 || self->is_interrupted ? TOOL_EXIT_NO : TOOL_EXIT_FAILED;
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
  g_string_append_printf (text, "; %s in %.1f s.", size, seconds);
  if (self->data_connections > 0)
    g_string_append_printf (text,
                            "\n%u of %u data connections resumed the TLS session of their control connection (of which "
                            "there %s %u).",
                            self->resumed, self->data_connections, self->connections == 1 ? "was" : "were",
                            self->connections);
  if (self->why_not_resumed != NULL)
    g_string_append_printf (text, "\nThe first that did not: %s", self->why_not_resumed);
  return g_string_free (text, FALSE);
}

static void
add_files (const FtpTally *self, JsonBuilder *builder)
{
  tool_json_begin_object (builder, "files");
  tool_json_add_number (builder, "transferred", self->files_done);
  tool_json_add_number (builder, "continued", self->files_continued);
  tool_json_add_number (builder, "same", self->files_same);
  tool_json_add_number (builder, "skipped", self->links_skipped);
  json_builder_end_object (builder);
}

void
ftp_tally_add_to_json (const FtpTally *self, double seconds, JsonBuilder *builder)
{
  add_files (self, builder);
  tool_json_add_number (builder, "bytes", (gint64) self->bytes);
  json_builder_set_member_name (builder, "seconds");
  json_builder_add_double_value (builder, seconds);
  tool_json_add_number (builder, "control_connections", self->connections);
  tool_json_add_number (builder, "data_connections", self->data_connections);
  tool_json_add_number (builder, "resumed", self->resumed);
  if (self->why_not_resumed != NULL)
    tool_json_add_string (builder, "why_not_resumed", self->why_not_resumed);
  tool_json_add_boolean (builder, "interrupted", self->is_interrupted);
  tool_json_add_strings (builder, "failures", (const char *const *) self->failures->pdata, self->failures->len);
}
