/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* What goes to standard output, for a program: members of an object that is being built, and the whole. */

/* @text: nullable, for null. What is not UTF-8 in it becomes U+FFFD. */
void tool_json_add_string (JsonBuilder *builder, const char *name, const char *text);

void tool_json_add_number (JsonBuilder *builder, const char *name, gint64 number);

void tool_json_add_boolean (JsonBuilder *builder, const char *name, gboolean value);

/* @date: nullable, for null. In UTC, as RFC 3339 writes it. */
void tool_json_add_date (JsonBuilder *builder, const char *name, GDateTime *date);

void tool_json_begin_object (JsonBuilder *builder, const char *name);

void tool_json_begin_array (JsonBuilder *builder, const char *name);

/* Adds one element's members, into an object that is there already. */
typedef void (*ToolJsonAddFunc) (JsonBuilder *builder, gpointer element, gpointer user_data);

/* An array of an object for each of @elements. */
void tool_json_add_objects (JsonBuilder *builder,
                            const char *name,
                            GPtrArray *elements,
                            ToolJsonAddFunc add,
                            gpointer user_data);

/* An array of strings. */
void tool_json_add_strings (JsonBuilder *builder, const char *name, const char *const *texts, gsize n_texts);

/* In UTF-8 wherever it runs, since JSON is (RFC 8259, section 8.1). */
void tool_json_print (JsonBuilder *builder);

G_END_DECLS
