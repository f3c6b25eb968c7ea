/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a GTlsSessionFileStore's files are like, and what becomes of those that are not as they should be. */

#include "files.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <sqlite3.h>

#include "ticket/gtls-session-error.h"
#include "ticket/ticket-private.h"

static guint
mode_of (const char *path, const char *suffix)
{
  g_autofree char *file = files_beside (path, suffix);
  GStatBuf info;

  g_assert_cmpint (g_stat (file, &info), ==, 0);
  return info.st_mode & 07777;
}

static void
assert_private (const char *path)
{
  g_assert_cmpuint (mode_of (path, ""), ==, 0600);
  g_assert_cmpuint (mode_of (path, ".key"), ==, 0600);
  g_assert_cmpuint (mode_of (path, "-wal"), ==, 0600);
  g_assert_cmpuint (mode_of (path, "-shm"), ==, 0600);
}

/* Whatever the umask takes away or leaves. */
static void
only_the_user_can_read_them (gconstpointer data)
{
  g_autofree char *path = files_new_path ();
  g_autoptr (GTlsSessionTicket) ticket = mill_make_one (HANDSHAKE_TLS_1_3, 1);
  mode_t before = umask (GPOINTER_TO_UINT (data));
  g_autoptr (GTlsSessionFileStore) store = files_open (path);

  store_put (store, KEY_A, ticket);
  assert_private (path);
  g_clear_object (&store);
  store = files_open (path);
  store_put (store, KEY_B, ticket);
  assert_private (path);
  umask (before);
}

static guint
count_files (const char *path)
{
  g_autofree char *directory = g_path_get_dirname (path);
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  guint n_files = 0;

  g_assert_nonnull (dir);
  while (g_dir_read_name (dir) != NULL)
    n_files++;
  return n_files;
}

static void
nothing_else_is_left (void)
{
  g_autofree char *path = files_make_store ();

  g_assert_cmpuint (count_files (path), ==, 2); /* the database and its key */
}

static void
directories_are_made_private (void)
{
  g_autofree char *near_path = files_new_path ();
  g_autofree char *directory = g_path_get_dirname (near_path);
  g_autofree char *middle = g_build_filename (directory, "a", NULL);
  g_autofree char *inner = g_build_filename (middle, "b", NULL);
  g_autofree char *path = g_build_filename (inner, "sessions.db", NULL);
  mode_t before = umask (0);

  g_object_unref (files_open (path));
  umask (before);
  g_assert_cmpuint (mode_of (middle, ""), ==, 0700);
  g_assert_cmpuint (mode_of (inner, ""), ==, 0700);
}

static void
files_of_others_rights_are_refused (void)
{
  static const guint modes[] = { 0640, 0604, 0620, 0601, 0666 };
  g_autofree char *path = files_make_store ();
  g_autofree char *key = files_beside (path, ".key");

  for (gsize i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_assert_cmpint (g_chmod (path, (int) modes[i]), ==, 0);
      files_assert_left_alone (path, G_TLS_SESSION_ERROR_STORE, "others have rights to it");
      g_assert_cmpint (g_chmod (path, 0600), ==, 0);

      g_assert_cmpint (g_chmod (key, (int) modes[i]), ==, 0);
      files_assert_left_alone (path, G_TLS_SESSION_ERROR_STORE, ".key is not fit");
      g_assert_cmpint (g_chmod (key, 0600), ==, 0);
    }
  g_object_unref (files_open (path));
}

static void
what_is_no_file_is_refused (void)
{
  g_autofree char *path = files_new_path ();
  g_autofree char *below = g_build_filename (path, "sessions.db", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  files_assert_refused (path, G_TLS_SESSION_ERROR_STORE, "not a regular file");
  g_assert_cmpint (g_rmdir (path), ==, 0);

  g_assert_true (g_file_set_contents (path, "text", -1, NULL));
  g_assert_null (g_tls_session_file_store_new (below, &error));
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE);
  g_assert_nonnull (strstr (error->message, path));
}

/* What can be read in them */

static void
assert_hidden (GBytes *bytes, gconstpointer needle, gsize length)
{
  g_assert_null (find_bytes (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), needle, length));
}

static void
assert_nothing_told (GBytes *bytes, GTlsSessionTicket *ticket)
{
  SSL_SESSION *session = g_tls_session_ticket_dup_session (ticket);
  guint8 secret[SSL_MAX_MASTER_KEY_LENGTH];
  gsize secret_length = SSL_SESSION_get_master_key (session, secret, sizeof secret);
  const char *id = g_tls_session_ticket_get_id (ticket);
  const unsigned char *name;
  size_t name_length;

  SSL_SESSION_get0_ticket (session, &name, &name_length);
  assert_hidden (bytes, secret, secret_length);
  assert_hidden (bytes, name, name_length);
  assert_hidden (bytes, id, strlen (id));
  assert_hidden (bytes, KEY_A, strlen (KEY_A));
  assert_hidden (bytes, HANDSHAKE_HOST, strlen (HANDSHAKE_HOST));
  assert_hidden (bytes, "some.name.example", 17);
  assert_hidden (bytes, "some secret bytes", 17);
  SSL_SESSION_free (session);
}

static void
nobody_learns_with_whom_sessions_are (void)
{
  g_autofree char *path = files_new_path ();
  g_autofree char *wal = files_beside (path, "-wal");
  g_autoptr (GTlsSessionFileStore) store = files_open (path);
  g_autoptr (GTlsSessionTicket) ticket = mill_make_one (HANDSHAKE_TLS_1_3, 1);
  g_autoptr (GBytes) wal_bytes = NULL, bytes = NULL;

  store_put (store, KEY_A, ticket);
  store_save (store, "some.name.example", "some secret bytes");
  wal_bytes = files_read (wal);
  g_assert_cmpuint (g_bytes_get_size (wal_bytes), >, 4096);
  assert_nothing_told (wal_bytes, ticket);

  g_clear_object (&store);
  g_assert_cmpint (files_count (path), ==, 1);
  bytes = files_read (path);
  assert_nothing_told (bytes, ticket);
}

/* Not even sealed. */
static void
what_left_is_overwritten (void)
{
  g_autofree char *path = files_make_store ();
  g_autofree char *wal = files_beside (path, "-wal");
  g_autofree char *hex = files_ask (path, "SELECT hex (substr (content, 1, 200)) FROM ticket");
  g_autoptr (GTlsSessionFileStore) store = files_open (path);
  g_autoptr (GBytes) before = files_read (path);
  g_autoptr (GBytes) after = NULL, wal_after = NULL;
  guint8 content[200];

  for (gsize i = 0; i < sizeof content; i++)
    content[i] = (guint8) (g_ascii_xdigit_value (hex[2 * i]) << 4 | g_ascii_xdigit_value (hex[2 * i + 1]));
  g_assert_nonnull (find_bytes (g_bytes_get_data (before, NULL), g_bytes_get_size (before), content, sizeof content));

  store_clear (store);
  after = files_read (path);
  wal_after = files_read (wal);
  assert_hidden (after, content, sizeof content);
  assert_hidden (wal_after, content, sizeof content);
}

/* Files that are damaged */

static void
damage (const char *path, gsize offset, gsize length, guint8 filling)
{
  gsize size;
  guint8 *data = g_bytes_unref_to_data (files_read (path), &size);
  g_autoptr (GBytes) bytes = NULL;

  g_assert_cmpuint (offset, <, size);
  memset (data + offset, filling, MIN (length, size - offset));
  bytes = g_bytes_new_take (data, size);
  files_write (path, bytes);
}

static void
beginning_that_is_damaged_is_refused (void)
{
  g_autofree char *path = files_make_store ();

  damage (path, 0, 1, 'X');
  files_assert_left_alone (path, G_TLS_SESSION_ERROR_BAD_DATA, "not an SQLite file, or its beginning is damaged");
}

static void
schema_that_is_damaged_is_refused (void)
{
  g_autofree char *path = files_make_store ();

  damage (path, 100, 3996, 0xff);
  files_assert_left_alone (path, G_TLS_SESSION_ERROR_BAD_DATA, "is damaged");
}

static void
file_that_is_cut_off_is_refused (void)
{
  g_autofree char *path = files_make_store ();
  g_autoptr (GBytes) whole = files_read (path);
  const gsize sizes[] = { 0, 1, 99, 100, 4095, 4096, 8192, g_bytes_get_size (whole) - 4096 };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GBytes) part = g_bytes_new_from_bytes (whole, 0, sizes[i]);

      files_write (path, part);
      files_assert_left_alone (path, G_TLS_SESSION_ERROR_BAD_DATA, sizes[i] < 100 ? "too short" : "is damaged");
    }
  files_write (path, whole);
  g_object_unref (files_open (path));
}

static void
table_that_is_missing_is_told (void)
{
  g_autofree char *path = files_make_store ();

  files_do (path, "DROP TABLE bytes");
  files_assert_left_alone (path, G_TLS_SESSION_ERROR_STORE, "no such table");
}

static void
proof_that_is_missing_is_told (void)
{
  g_autofree char *path = files_make_store ();

  files_do (path, "DELETE FROM proof");
  files_assert_left_alone (path, G_TLS_SESSION_ERROR_BAD_DATA, "does not say what key");
}

/* Damage beyond the schema shows only when one gets there. Never is a ticket given out that is not the one put. */
static void
damage_anywhere_is_an_answer (void)
{
  g_autofree char *path = files_make_store ();
  g_autoptr (GBytes) whole = files_read (path);
  gsize size = g_bytes_get_size (whole);
  guint n_opened = 0, n_refused = 0, n_given = 0;

  for (gsize page = 0; page < size; page += 4096)
    {
      g_autoptr (GTlsSessionFileStore) store = NULL;
      g_autoptr (GTlsSessionTicket) ticket = NULL;
      g_autoptr (GError) error = NULL;

      files_write (path, whole);
      damage (path, page, 4096, 0x5a);
      store = g_tls_session_file_store_new (path, &error);
      if (store != NULL)
        ticket = g_tls_session_store_take (G_TLS_SESSION_STORE (store), KEY_A, &error);
      n_opened += store != NULL;
      n_refused += error != NULL;
      n_given += ticket != NULL;
      if (error != NULL)
        g_assert_cmpint (error->domain, ==, G_TLS_SESSION_ERROR);
      g_assert_true (error == NULL || ticket == NULL);
    }
  g_test_message ("Of %u damaged files %u could be opened, %u gave an error, %u the ticket", (guint) (size / 4096),
                  n_opened, n_refused, n_given);
  g_assert_cmpuint (n_opened, >, 0);
  g_assert_cmpuint (n_refused, >, 2);
}

/* Files that are not ours */

static void
text_file_is_left_alone (void)
{
  g_autofree char *path = files_new_path ();
  g_autofree char *text = g_strnfill (10000, 'a');

  g_assert_true (g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  files_assert_left_alone (path, G_TLS_SESSION_ERROR_BAD_DATA, "is no session store"); /* and no key is made */
}

/* The given key, so that there is no question of one beside the file. */
static void
assert_left_alone_with_key (const char *path, guint8 filling, const char *message)
{
  guint8 key[32];
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GBytes) before = files_read (path);
  g_autoptr (GBytes) after = NULL;
  g_autoptr (GError) error = NULL;
  guint n_files = count_files (path);

  memset (key, filling, sizeof key);
  bytes = g_bytes_new (key, sizeof key);
  g_assert_null (g_tls_session_file_store_new_with_key (path, bytes, &error));
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA);
  if (strstr (error->message, message) == NULL)
    g_error ("\"%s\" should have said \"%s\"", error->message, message);
  after = files_read (path);
  g_assert_true (g_bytes_equal (before, after));
  g_assert_cmpuint (count_files (path), ==, n_files);
}

static void
other_applications_database_is_left_alone (void)
{
  g_autofree char *path = files_new_path ();

  files_do (path, "CREATE TABLE ticket (number INTEGER); INSERT INTO ticket VALUES (1)");
  g_assert_cmpint (g_chmod (path, 0600), ==, 0);
  assert_left_alone_with_key (path, 1, "of another application");
}

/* It is in the midst of its work: neither its WAL nor the lock on it is touched. */
static void
other_applications_open_database_is_left_alone (void)
{
  g_autofree char *path = files_new_path ();
  g_autofree char *wal = files_beside (path, "-wal");
  g_autoptr (GBytes) wal_before = NULL, wal_after = NULL;
  sqlite3 *other;

  g_assert_cmpint (sqlite3_open (path, &other), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (other,
                                 "PRAGMA journal_mode = WAL; CREATE TABLE a (b);"
                                 "BEGIN IMMEDIATE; INSERT INTO a VALUES (1)",
                                 NULL, NULL, NULL),
                   ==, SQLITE_OK);
  g_assert_cmpint (g_chmod (path, 0600), ==, 0);
  wal_before = files_read (wal);
  assert_left_alone_with_key (path, 1, "of another application");
  wal_after = files_read (wal);
  g_assert_true (g_bytes_equal (wal_before, wal_after));
  g_assert_cmpint (sqlite3_exec (other, "COMMIT", NULL, NULL, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_close (other), ==, SQLITE_OK);
}

static void
newer_format_is_left_alone (void)
{
  g_autofree char *path = files_make_store ();

  files_do (path, "PRAGMA user_version = 2; DROP TABLE ticket; PRAGMA journal_mode = DELETE");
  files_assert_left_alone (path, G_TLS_SESSION_ERROR_BAD_DATA, "is of format 2");
}

/* Keys */

static GBytes *
make_key (guint8 filling, gsize size)
{
  guint8 *key = g_malloc (size + 1); /* never NULL */

  memset (key, filling, size);
  return g_bytes_new_take (key, size);
}

static void
program_brings_the_key (void)
{
  g_autofree char *path = files_new_path ();
  g_autofree char *key_path = files_beside (path, ".key");
  g_autoptr (GBytes) key = make_key (1, 32);
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionFileStore) store = g_tls_session_file_store_new_with_key (path, key, &error);
  g_autoptr (GTlsSessionTicket) ticket = mill_make_one (HANDSHAKE_TLS_1_3, 1);

  g_assert_no_error (error);
  store_put (store, KEY_A, ticket);
  g_clear_object (&store);
  g_assert_false (g_file_test (key_path, G_FILE_TEST_EXISTS));

  assert_left_alone_with_key (path, 2, "has another key");
  files_assert_left_alone (path, G_TLS_SESSION_ERROR_STORE, ".key");

  store = g_tls_session_file_store_new_with_key (path, key, &error);
  g_assert_no_error (error);
  assert_takes (store, KEY_A, ticket);
}

static void
key_of_other_length_is_refused (void)
{
  g_autofree char *path = files_new_path ();

  for (gsize size = 0; size <= 64; size += 16)
    {
      g_autoptr (GBytes) key = make_key (1, size);
      g_autoptr (GError) error = NULL;

      if (size == 32)
        continue;
      g_assert_null (g_tls_session_file_store_new_with_key (path, key, &error));
      g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA);
      g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
    }
}

static void
lost_key_is_told (void)
{
  g_autofree char *path = files_make_store ();
  g_autofree char *key = files_beside (path, ".key");

  g_assert_cmpint (g_unlink (key), ==, 0);
  files_assert_left_alone (path, G_TLS_SESSION_ERROR_STORE, "if it is lost, remove the store");
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_object_unref (files_open (path)); /* as it says */
}

static void
changed_key_is_told (void)
{
  g_autofree char *path = files_make_store ();
  g_autofree char *key = files_beside (path, ".key");
  g_autoptr (GBytes) whole = files_read (key);
  g_autoptr (GBytes) part = g_bytes_new_from_bytes (whole, 0, 31);
  g_autoptr (GBytes) more = make_key (1, 33);

  files_write (key, part);
  files_assert_left_alone (path, G_TLS_SESSION_ERROR_BAD_DATA, "it has 31 bytes, not 32");
  files_write (key, more);
  files_assert_left_alone (path, G_TLS_SESSION_ERROR_BAD_DATA, "it has 33 bytes, not 32");
  files_write (key, whole);
  damage (key, 7, 1, 0);
  damage (key, 8, 1, 1);
  files_assert_left_alone (path, G_TLS_SESSION_ERROR_BAD_DATA, "has another key");
}

int
main (int argc, char **argv)
{
  files_init (&argc, &argv);

  g_test_add_data_func ("/store/files/only_the_user_can_read_them/umask-000", GUINT_TO_POINTER (0),
                        only_the_user_can_read_them);
  g_test_add_data_func ("/store/files/only_the_user_can_read_them/umask-777", GUINT_TO_POINTER (0777),
                        only_the_user_can_read_them);
  g_test_add_func ("/store/files/nothing_else_is_left", nothing_else_is_left);
  g_test_add_func ("/store/files/directories_are_made_private", directories_are_made_private);
  g_test_add_func ("/store/files/files_of_others_rights_are_refused", files_of_others_rights_are_refused);
  g_test_add_func ("/store/files/what_is_no_file_is_refused", what_is_no_file_is_refused);
  g_test_add_func ("/store/files/nobody_learns_with_whom_sessions_are", nobody_learns_with_whom_sessions_are);
  g_test_add_func ("/store/files/what_left_is_overwritten", what_left_is_overwritten);
  g_test_add_func ("/store/files/beginning_that_is_damaged_is_refused", beginning_that_is_damaged_is_refused);
  g_test_add_func ("/store/files/schema_that_is_damaged_is_refused", schema_that_is_damaged_is_refused);
  g_test_add_func ("/store/files/file_that_is_cut_off_is_refused", file_that_is_cut_off_is_refused);
  g_test_add_func ("/store/files/table_that_is_missing_is_told", table_that_is_missing_is_told);
  g_test_add_func ("/store/files/proof_that_is_missing_is_told", proof_that_is_missing_is_told);
  g_test_add_func ("/store/files/damage_anywhere_is_an_answer", damage_anywhere_is_an_answer);
  g_test_add_func ("/store/files/text_file_is_left_alone", text_file_is_left_alone);
  g_test_add_func ("/store/files/other_applications_database_is_left_alone", other_applications_database_is_left_alone);
  g_test_add_func ("/store/files/other_applications_open_database_is_left_alone",
                   other_applications_open_database_is_left_alone);
  g_test_add_func ("/store/files/newer_format_is_left_alone", newer_format_is_left_alone);
  g_test_add_func ("/store/files/program_brings_the_key", program_brings_the_key);
  g_test_add_func ("/store/files/key_of_other_length_is_refused", key_of_other_length_is_refused);
  g_test_add_func ("/store/files/lost_key_is_told", lost_key_is_told);
  g_test_add_func ("/store/files/changed_key_is_told", changed_key_is_told);

  return files_run ();
}
