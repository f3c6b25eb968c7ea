/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shelf.h"

#include <glib/gstdio.h>

#include "kernel.h"
#include "ticket/gtls-session-store-entry.h"

#define KEY_OF_GUEST "a key that is used for a moment only"

const char *
shelf_key (guint which)
{
  static const char *const keys[SHELF_N_TICKETS] = { KEY_A, KEY_B, "another key" };

  return keys[which];
}

static void
copy_file (const char *from, const char *to)
{
  g_autoptr (GBytes) bytes = files_read (from);

  files_write (to, bytes);
  g_assert_cmpint (g_chmod (to, 0600), ==, 0);
}

static void
clear_directory (Shelf *self)
{
  g_autoptr (GDir) dir = g_dir_open (self->directory, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (self->directory, name, NULL);

      g_assert_cmpint (g_unlink (path), ==, 0);
    }
  g_rmdir (self->directory);
}

static void
copy_model (Shelf *self)
{
  g_autofree char *model_key = files_beside (self->model, ".key");
  g_autofree char *key = files_beside (self->path, ".key");

  g_assert_cmpint (g_mkdir (self->directory, 0700), ==, 0);
  copy_file (self->model, self->path);
  copy_file (model_key, key);
}

Shelf *
shelf_new (gboolean with_model)
{
  Shelf *self = g_new0 (Shelf, 1);
  g_autofree char *path = files_new_path ();
  g_autofree char *parent = g_path_get_dirname (path);

  self->directory = g_build_filename (parent, "case", NULL);
  self->path = g_build_filename (self->directory, "sessions.db", NULL);
  for (guint i = 0; i < SHELF_N_TICKETS; i++)
    self->tickets[i] = mill_make_one (HANDSHAKE_TLS_1_3, i + 1);

  if (with_model)
    {
      g_autoptr (GTlsSessionFileStore) store = files_open (path);

      store_put (store, shelf_key (0), self->tickets[0]);
      store_put (store, shelf_key (1), self->tickets[1]);
      self->model = g_steal_pointer (&path);
    }
  return self;
}

void
shelf_free (Shelf *self)
{
  for (guint i = 0; i < SHELF_N_TICKETS; i++)
    g_object_unref (self->tickets[i]);
  g_free (self->model);
  g_free (self->directory);
  g_free (self->path);
  g_free (self);
}

void
shelf_prepare (gpointer data)
{
  Shelf *self = data;

  clear_directory (self); /* of a case that ended its process */
  for (guint i = 0; i < SHELF_N_TICKETS; i++)
    self->places[i] = self->model != NULL && i < 2 ? PLACE_INSIDE : PLACE_OUTSIDE;
  if (self->model != NULL)
    copy_model (self);
}

/* What came of it */

static guint
which_is (Shelf *self, GTlsSessionStoreEntry *entry)
{
  g_autoptr (GError) error = NULL;
  GTlsSessionTicket *ticket = g_tls_session_store_entry_get_ticket (entry, &error);
  const char *key = g_tls_session_store_entry_get_key (entry);

  g_assert_no_error (error);
  for (guint i = 0; i < SHELF_N_TICKETS; i++)
    if (g_str_equal (key, shelf_key (i)))
      {
        g_assert_cmpstr (g_tls_session_ticket_get_id (ticket), ==, g_tls_session_ticket_get_id (self->tickets[i]));
        return i;
      }
  g_error ("The store has a ticket for \"%s\"", key);
}

static void
check_places (Shelf *self)
{
  g_autoptr (GTlsSessionFileStore) store = files_open (self->path);
  g_autoptr (GError) error = NULL;
  GList *entries = g_tls_session_file_store_list (store, &error);
  gboolean found[SHELF_N_TICKETS] = { FALSE };

  g_assert_no_error (error);
  for (GList *node = entries; node != NULL; node = node->next)
    {
      guint which = which_is (self, node->data);

      g_assert_false (found[which]);
      found[which] = TRUE;
    }
  g_list_free_full (entries, (GDestroyNotify) g_tls_session_store_entry_unref);

  for (guint i = 0; i < SHELF_N_TICKETS; i++)
    if (self->places[i] != PLACE_UNSURE)
      g_assert_cmpint (found[i], ==, self->places[i] == PLACE_INSIDE);
}

/* Whatever failed, it is over. */
static void
check_works_again (Shelf *self)
{
  GTlsSessionTicket *ticket = self->tickets[0];

  store_put (self->store, KEY_OF_GUEST, ticket);
  assert_takes (self->store, KEY_OF_GUEST, ticket);
}

static gboolean
is_of_store (const char *name)
{
  return g_str_equal (name, "sessions.db") || g_str_equal (name, "sessions.db.key") ||
         g_str_equal (name, "sessions.db-wal") || g_str_equal (name, "sessions.db-shm");
}

static void
check_tidiness (Shelf *self)
{
  g_autoptr (GDir) dir = g_dir_open (self->directory, 0, NULL);
  const char *name;

  if (kernel_has_failed () && kernel_get_call () == CALL_UNLINK)
    return; /* nobody can tidy up where nothing can be removed */
  g_assert_nonnull (dir);
  while ((name = g_dir_read_name (dir)) != NULL)
    if (!is_of_store (name))
      g_error ("%s is left behind", name);
}

void
shelf_look (gpointer data)
{
  Shelf *self = data;

  if (self->store != NULL)
    check_works_again (self);
  g_clear_object (&self->store);

  check_places (self);
  files_assert_sound (self->path);
  check_tidiness (self);
  clear_directory (self);
}
