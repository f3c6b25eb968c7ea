/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "files.h"

#include <string.h>

#include <glib/gstdio.h>
#include <sqlite3.h>

#include "ticket/gtls-session-error.h"

/* G_TEST_OPTION_ISOLATE_DIRS would leak a dozen strings in each case. */
static char *state_directory;

void
files_init (int *argc, char ***argv)
{
  g_autoptr (GError) error = NULL;

  state_directory = g_dir_make_tmp ("gtls-session-store-XXXXXX", &error);
  g_assert_no_error (error);
  g_setenv ("XDG_STATE_HOME", state_directory, TRUE);
  g_test_init (argc, argv, NULL);
}

static void
remove_below (const char *path)
{
  GDir *dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      remove_below (child);
    }
  g_clear_pointer (&dir, g_dir_close);
  g_remove (path);
}

int
files_run (void)
{
  int status = g_test_run ();

  remove_below (state_directory);
  g_clear_pointer (&state_directory, g_free);
  return status;
}

char *
files_new_path (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *directory = NULL;
  g_autofree char *template = g_build_filename (g_get_user_state_dir (), "store-XXXXXX", NULL);

  g_assert_cmpint (g_mkdir_with_parents (g_get_user_state_dir (), 0700), ==, 0);
  directory = g_strdup (g_mkdtemp (template));
  g_assert_nonnull (directory);
  return g_build_filename (directory, "sessions.db", NULL);
}

GTlsSessionFileStore *
files_open (const char *path)
{
  g_autoptr (GError) error = NULL;
  GTlsSessionFileStore *store = g_tls_session_file_store_new (path, &error);

  g_assert_no_error (error);
  g_assert_nonnull (store);
  return store;
}

GTlsSessionFileStore *
files_open_with (const char *path, const char *property, guint value)
{
  g_autoptr (GError) error = NULL;
  GTlsSessionFileStore *store = g_initable_new (G_TLS_SESSION_TYPE_FILE_STORE, NULL, &error, "path", path, property,
                                                value, NULL);

  g_assert_no_error (error);
  g_assert_nonnull (store);
  return store;
}

char *
files_make_store (void)
{
  g_autofree char *path = files_new_path ();
  g_autoptr (GTlsSessionFileStore) store = files_open (path);
  g_autoptr (GTlsSessionTicket) ticket = mill_make_one (HANDSHAKE_TLS_1_3, 1);

  store_put (store, KEY_A, ticket);
  return g_steal_pointer (&path);
}

void
files_assert_refused (const char *path, int code, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionFileStore) store = g_tls_session_file_store_new (path, &error);

  g_assert_null (store);
  g_assert_error (error, G_TLS_SESSION_ERROR, code);
  if (strstr (error->message, message) == NULL || strstr (error->message, path) == NULL)
    g_error ("\"%s\" should have said \"%s\" of \"%s\"", error->message, message, path);
}

/* The directory's files, by name. */
static GHashTable *
read_directory (const char *path)
{
  g_autofree char *directory = g_path_get_dirname (path);
  GHashTable *files = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *name;

  g_assert_nonnull (dir);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *file = g_build_filename (directory, name, NULL);

      g_hash_table_insert (files, g_strdup (name), files_read (file));
    }
  return files;
}

void
files_assert_left_alone (const char *path, int code, const char *message)
{
  g_autoptr (GHashTable) before = read_directory (path);
  g_autoptr (GHashTable) after = NULL;
  GHashTableIter iter;
  gpointer name, bytes;

  files_assert_refused (path, code, message);
  after = read_directory (path);
  g_assert_cmpuint (g_hash_table_size (after), ==, g_hash_table_size (before));
  g_hash_table_iter_init (&iter, before);
  while (g_hash_table_iter_next (&iter, &name, &bytes))
    {
      GBytes *now = g_hash_table_lookup (after, name);

      g_assert_nonnull (now);
      g_assert_true (g_bytes_equal (now, bytes));
    }
}

static sqlite3 *
open_sqlite (const char *path)
{
  sqlite3 *connection = NULL;

  g_assert_cmpint (sqlite3_open_v2 (path, &connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL), ==,
                   SQLITE_OK);
  g_assert_cmpint (sqlite3_busy_timeout (connection, 60000), ==, SQLITE_OK);
  return connection;
}

char *
files_ask (const char *path, const char *text)
{
  sqlite3 *connection = open_sqlite (path);
  sqlite3_stmt *statement = NULL;
  char *answer;

  g_assert_cmpint (sqlite3_prepare_v2 (connection, text, -1, &statement, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_step (statement), ==, SQLITE_ROW);
  answer = g_strdup ((const char *) sqlite3_column_text (statement, 0));
  g_assert_cmpint (sqlite3_finalize (statement), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_close (connection), ==, SQLITE_OK);
  return answer;
}

void
files_do (const char *path, const char *text)
{
  sqlite3 *connection = open_sqlite (path);
  char *message = NULL;

  if (sqlite3_exec (connection, text, NULL, NULL, &message) != SQLITE_OK)
    g_error ("SQLite cannot do \"%s\": %s", text, message);
  g_assert_cmpint (sqlite3_close (connection), ==, SQLITE_OK);
}

gint64
files_count (const char *path)
{
  g_autofree char *answer = files_ask (path, "SELECT count(*) FROM ticket");

  return g_ascii_strtoll (answer, NULL, 10);
}

void
files_assert_sound (const char *path)
{
  g_autofree char *answer = files_ask (path, "PRAGMA integrity_check");

  g_assert_cmpstr (answer, ==, "ok");
}

GBytes *
files_read (const char *path)
{
  g_autoptr (GError) error = NULL;
  char *contents;
  gsize size;

  g_file_get_contents (path, &contents, &size, &error);
  g_assert_no_error (error);
  return g_bytes_new_take (contents, size);
}

/* In the same file, not another one of its name. */
void
files_write (const char *path, GBytes *bytes)
{
  FILE *file = g_fopen (path, "we");
  gsize size = g_bytes_get_size (bytes);

  g_assert_nonnull (file);
  g_assert_cmpuint (fwrite (g_bytes_get_data (bytes, NULL), 1, size, file), ==, size);
  g_assert_cmpint (fclose (file), ==, 0);
}

char *
files_beside (const char *path, const char *suffix)
{
  return g_strconcat (path, suffix, NULL);
}
