/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool-json.h"

#include "terminal.h"

void
tool_json_add_string (JsonBuilder *builder, const char *name, const char *text)
{
  g_autofree char *valid = text != NULL ? g_utf8_make_valid (text, -1) : NULL;

  json_builder_set_member_name (builder, name);
  if (valid != NULL)
    json_builder_add_string_value (builder, valid);
  else
    json_builder_add_null_value (builder);
}

void
tool_json_add_number (JsonBuilder *builder, const char *name, gint64 number)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, number);
}

void
tool_json_add_boolean (JsonBuilder *builder, const char *name, gboolean value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_boolean_value (builder, value);
}

void
tool_json_add_date (JsonBuilder *builder, const char *name, GDateTime *date)
{
  g_autoptr (GDateTime) utc = date != NULL ? g_date_time_to_utc (date) : NULL;
  g_autofree char *text = utc != NULL ? g_date_time_format (utc, "%Y-%m-%dT%H:%M:%SZ") : NULL;

  tool_json_add_string (builder, name, text);
}

void
tool_json_begin_object (JsonBuilder *builder, const char *name)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_object (builder);
}

void
tool_json_begin_array (JsonBuilder *builder, const char *name)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
}

void
tool_json_add_objects (JsonBuilder *builder,
                       const char *name,
                       GPtrArray *elements,
                       ToolJsonAddFunc add,
                       gpointer user_data)
{
  tool_json_begin_array (builder, name);
  for (guint i = 0; i < elements->len; i++)
    {
      json_builder_begin_object (builder);
      add (builder, g_ptr_array_index (elements, i), user_data);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

void
tool_json_add_strings (JsonBuilder *builder, const char *name, const char *const *texts, gsize n_texts)
{
  tool_json_begin_array (builder, name);
  for (gsize i = 0; i < n_texts; i++)
    {
      g_autofree char *valid = g_utf8_make_valid (texts[i], -1);

      json_builder_add_string_value (builder, valid);
    }
  json_builder_end_array (builder);
}

void
tool_json_print (JsonBuilder *builder)
{
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *text = json_to_string (root, TRUE);

  terminal_write (text);
  terminal_write ("\n");
}
