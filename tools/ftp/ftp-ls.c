/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ftp-ls.h"

#include <string.h>

#include "../terminal.h"
#include "ftp-folder.h"

/* Lists a folder for a person, or for a program. */

typedef struct
{
  FtpControl *control;
  GMainLoop *loop;
  FtpListing *listing;
  GError *error;
} Ls;

static void
on_left (GObject *control, GAsyncResult *result, gpointer data)
{
  Ls *self = data;

  g_main_loop_quit (self->loop);
}

static void
leave (Ls *self)
{
  ftp_control_quit_async (self->control, on_left, self);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  const FtpEntry *const *first = a, *const *second = b;

  return strcmp ((*first)->name, (*second)->name);
}

static void
on_folder (GObject *control, GAsyncResult *result, gpointer data)
{
  Ls *self = data;

  self->listing = ftp_folder_read_finish (self->control, result, &self->error);
  ftp_control_explain (self->control, &self->error);
  if (self->listing != NULL)
    g_ptr_array_sort (self->listing->entries, compare_names);
  leave (self);
}

static void
on_opened (GObject *control, GAsyncResult *result, gpointer data)
{
  Ls *self = data;
  g_autofree char *path = NULL;

  if (!ftp_control_open_finish (self->control, result, &self->error))
    {
      leave (self);
      return;
    }
  path = ftp_control_resolve (self->control, ftp_control_get_site (self->control)->url->path);
  ftp_folder_read_async (self->control, path, on_folder, self);
}

FtpListing *
ftp_ls_read (const FtpSite *site, GError **error)
{
  Ls self = { .control = ftp_control_new (site), .loop = g_main_loop_new (NULL, FALSE) };

  ftp_control_open_async (self.control, on_opened, &self);
  g_main_loop_run (self.loop);

  g_main_loop_unref (self.loop);
  g_object_unref (self.control);
  if (self.error != NULL)
    g_propagate_error (error, self.error);
  return self.listing;
}

static const char *
name_kind (FtpEntryKind kind)
{
  static const char *const names[] = { "file", "folder", "link", "other" };

  return names[kind];
}

static GDateTime *
time_of (const FtpEntry *entry)
{
  return entry->modified >= 0 ? g_date_time_new_from_unix_utc (entry->modified) : NULL;
}

/* Times are UTC; to the minute, as LIST tells no more. */
void
ftp_ls_print (const FtpListing *listing)
{
  for (guint i = 0; i < listing->entries->len; i++)
    {
      const FtpEntry *entry = g_ptr_array_index (listing->entries, i);
      g_autoptr (GDateTime) time = time_of (entry);
      g_autofree char *name = terminal_clean (entry->name);
      g_autofree char *time_text = time != NULL ? g_date_time_format (time, "%Y-%m-%d %H:%M") : g_strdup ("");
      g_autofree char *size = entry->size >= 0 && entry->kind == FTP_ENTRY_FILE
                                ? g_strdup_printf ("%" G_GINT64_FORMAT, entry->size)
                                : g_strdup ("");

      g_autofree char *line = g_strdup_printf ("%-6s %14s  %-16s  %s\n", name_kind (entry->kind), size, time_text,
                                               name);

      terminal_write (line);
    }
}

static void
add_entry (JsonBuilder *builder, gpointer element, gpointer user_data)
{
  const FtpEntry *entry = element;
  g_autoptr (GDateTime) time = time_of (entry);

  tool_json_add_string (builder, "name", entry->name);
  tool_json_add_string (builder, "kind", name_kind (entry->kind));
  if (entry->kind == FTP_ENTRY_FILE && entry->size >= 0)
    tool_json_add_number (builder, "size", entry->size);
  if (time != NULL)
    {
      tool_json_add_date (builder, "modified", time);
      tool_json_add_boolean (builder, "modified_is_exact", entry->modified_is_exact);
    }
}

void
ftp_ls_add_to_json (const FtpListing *listing, JsonBuilder *builder)
{
  tool_json_add_objects (builder, "entries", listing->entries, add_entry, NULL);
}
