/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a store does with tickets and bytes. test-files.c has what its files are like, test-processes.c what happens
 * when many use them.
 */

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <sqlite3.h>

#include "files.h"
#include "ticket/gtls-session-error.h"

static GTlsSessionStore *
make_file_store (void)
{
  g_autofree char *path = files_new_path ();

  return G_TLS_SESSION_STORE (files_open (path));
}

static void
sessions_outlive_the_store (void)
{
  g_autofree char *path = files_new_path ();
  g_autoptr (GTlsSessionFileStore) first = files_open (path);
  g_autoptr (GTlsSessionFileStore) second = NULL;
  g_autoptr (GTlsSessionTicket) ticket = mill_make_one (HANDSHAKE_TLS_1_3, 1);
  g_autofree char *text = NULL;

  store_put (first, KEY_A, ticket);
  store_save (first, "name", "text");
  g_clear_object (&first);
  second = files_open (path);
  assert_takes (second, KEY_A, ticket);
  assert_takes_nothing (second, KEY_A);
  text = store_load (second, "name");
  g_assert_cmpstr (text, ==, "text");
  files_assert_sound (path);
}

static void
stores_of_one_file_share_it (void)
{
  g_autofree char *path = files_new_path ();
  g_autoptr (GTlsSessionFileStore) first = files_open (path);
  g_autoptr (GTlsSessionFileStore) second = files_open (path);
  g_autoptr (GTlsSessionTicket) ticket = mill_make_one (HANDSHAKE_TLS_1_3, 1);

  store_put (first, KEY_A, ticket);
  assert_takes (second, KEY_A, ticket);
  assert_takes_nothing (first, KEY_A);
}

static void
default_is_in_the_state_directory (void)
{
  g_autofree char *expected = g_build_filename (g_get_user_state_dir (), "gtls-session", "sessions.db", NULL);
  g_autoptr (GTlsSessionFileStore) store = files_open (NULL);

  g_assert_cmpstr (g_tls_session_file_store_get_path (store), ==, expected);
  g_assert_true (g_file_test (expected, G_FILE_TEST_IS_REGULAR));
}

static void
tells_its_properties (void)
{
  g_autofree char *path = files_new_path ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionFileStore)
    store = g_initable_new (G_TLS_SESSION_TYPE_FILE_STORE, NULL, &error, "path", path, "max-tickets", 5,
                            "max-tickets-per-peer", 6, "max-age", 7, "busy-timeout", 8, NULL);
  g_autofree char *told = NULL;
  guint max_tickets, max_tickets_per_peer, max_age, busy_timeout;

  g_assert_no_error (error);
  g_object_get (store, "path", &told, "max-tickets", &max_tickets, "max-tickets-per-peer", &max_tickets_per_peer,
                "max-age", &max_age, "busy-timeout", &busy_timeout, NULL);
  g_assert_cmpstr (told, ==, path);
  g_assert_cmpuint (max_tickets, ==, 5);
  g_assert_cmpuint (max_tickets_per_peer, ==, 6);
  g_assert_cmpuint (max_age, ==, 7);
  g_assert_cmpuint (busy_timeout, ==, 8);
  g_assert_cmpuint (g_tls_session_file_store_get_max_tickets (store), ==, 5);
  g_assert_cmpuint (g_tls_session_file_store_get_max_tickets_per_peer (store), ==, 6);
  g_assert_cmpuint (g_tls_session_file_store_get_max_age (store), ==, 7);
  g_assert_cmpuint (g_tls_session_file_store_get_busy_timeout (store), ==, 8);
}

/* Bounds */

static void
same_ticket_is_there_once (void)
{
  g_autofree char *path = files_new_path ();
  g_autoptr (GTlsSessionFileStore) store = files_open (path);
  g_autoptr (GTlsSessionTicket) ticket = mill_make_one (HANDSHAKE_TLS_1_3, 1);

  store_put (store, KEY_A, ticket);
  store_put (store, KEY_A, ticket);
  assert_takes (store, KEY_A, ticket);
  assert_takes_nothing (store, KEY_A);
}

static void
put_many (gpointer store, Mill *mill, guint n_keys, guint n_tickets)
{
  for (guint i = 0; i < n_tickets; i++)
    {
      g_autofree char *key = g_strdup_printf ("%u", i % n_keys);
      g_autoptr (GTlsSessionTicket) ticket = mill_make (mill, i);

      store_put (store, key, ticket);
    }
}

static void
rows_are_bounded (void)
{
  g_autofree char *path = files_new_path ();
  g_autoptr (GTlsSessionFileStore) store = files_open_with (path, "max-tickets", 20);
  g_autoptr (Mill) mill = mill_new (HANDSHAKE_TLS_1_3);
  g_autoptr (GTlsSessionTicket) newest = mill_make (mill, 59);
  g_autoptr (GTlsSessionTicket) oldest = mill_make (mill, 40);

  put_many (store, mill, 60, 60);
  g_assert_cmpint (files_count (path), ==, 20);
  assert_takes_nothing (store, "39");
  assert_takes (store, "40", oldest);
  assert_takes (store, "59", newest);
}

/* A few at a time, so that no put is slow, but faster than they come. */
static void
stricter_bounds_win (void)
{
  g_autofree char *path = files_new_path ();
  g_autoptr (GTlsSessionFileStore) lax = files_open_with (path, "max-tickets-per-peer", 40);
  g_autoptr (GTlsSessionFileStore) strict = files_open_with (path, "max-tickets-per-peer", 1);
  g_autoptr (Mill) mill = mill_new (HANDSHAKE_TLS_1_3);

  put_many (lax, mill, 1, 50);
  g_assert_cmpint (files_count (path), ==, 40);
  put_many (strict, mill, 1, 1);
  g_assert_cmpint (files_count (path), ==, 25);
  put_many (strict, mill, 1, 3);
  g_assert_cmpint (files_count (path), ==, 1);
}

static void
expired_rows_leave (void)
{
  g_autofree char *path = files_new_path ();
  g_autoptr (GTlsSessionFileStore) store = files_open (path);
  g_autoptr (Mill) mill = mill_new (HANDSHAKE_TLS_1_3);
  g_autoptr (GTlsSessionTicket) other = mill_make (mill, 1000);

  put_many (store, mill, 40, 40);
  files_do (path, "UPDATE ticket SET last_use = 1 WHERE number <= 30"); /* as if they were of 1970 */
  store_put (store, KEY_A, other);
  g_assert_cmpint (files_count (path), ==, 41 - 16);
  store_put (store, KEY_B, other);
  g_assert_cmpint (files_count (path), ==, 42 - 30);
}

static void
row_says_when_it_ends (void)
{
  g_autofree char *path = files_new_path ();
  g_autoptr (GTlsSessionFileStore) store = files_open_with (path, "max-age", 100);
  g_autoptr (GTlsSessionTicket) ticket = mill_make_one (HANDSHAKE_TLS_1_3, 1);
  g_autofree char *last_use = NULL;

  store_put (store, KEY_A, ticket);
  last_use = files_ask (path, "SELECT last_use FROM ticket");
  g_assert_cmpint (g_ascii_strtoll (last_use, NULL, 10), ==,
                   g_date_time_to_unix (g_tls_session_ticket_get_received (ticket)) + 100);
}

static void
taking_drops_what_is_too_old_for_it (void)
{
  g_autofree char *path = files_new_path ();
  g_autoptr (GTlsSessionFileStore) lax = files_open_with (path, "max-age", 600);
  g_autoptr (GTlsSessionFileStore) strict = files_open_with (path, "max-age", 100);
  g_autoptr (Mill) mill = mill_new_aged (HANDSHAKE_TLS_1_3, 200);

  put_many (lax, mill, 1, 5);
  g_assert_cmpint (files_count (path), ==, 5);
  assert_takes_nothing (strict, "0");
  g_assert_cmpint (files_count (path), ==, 0);
}

static void
refuses_bytes_beyond_measure (void)
{
  g_autofree char *path = files_new_path ();
  g_autoptr (GTlsSessionFileStore) store = files_open (path);
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 ((16 << 20) + 1), (16 << 20) + 1);
  g_autoptr (GError) error = NULL;

  g_assert_false (g_tls_session_store_save_bytes (G_TLS_SESSION_STORE (store), "name", bytes, &error));
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE);
}

/* Rows that somebody changed */

static void
assert_take_fails (gpointer store, const char *key, int code, const char *message)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (g_tls_session_store_take (store, key, &error));
  g_assert_error (error, G_TLS_SESSION_ERROR, code);
  if (strstr (error->message, message) == NULL)
    g_error ("\"%s\" should have said \"%s\"", error->message, message);
}

static void
rows_do_not_change_places (void)
{
  g_autofree char *path = files_new_path ();
  g_autoptr (GTlsSessionFileStore) store = files_open (path);
  g_autoptr (Mill) mill = mill_new (HANDSHAKE_TLS_1_3);
  g_autoptr (GTlsSessionTicket) good = mill_make (mill, 1);
  g_autoptr (GTlsSessionTicket) moved = mill_make (mill, 2);

  store_put (store, KEY_A, good);
  store_put (store, KEY_B, moved);
  files_do (path, "UPDATE ticket SET peer = (SELECT peer FROM ticket WHERE number = 1) WHERE number = 2");
  assert_takes_nothing (store, KEY_B);
  assert_take_fails (store, KEY_A, G_TLS_SESSION_ERROR_BAD_DATA, "for another place");
  assert_takes (store, KEY_A, good); /* the other one is gone */
}

static void
single_use_cannot_be_taken_off_a_row (void)
{
  g_autofree char *path = files_make_store ();
  g_autoptr (GTlsSessionFileStore) store = files_open (path);

  files_do (path, "UPDATE ticket SET single_use = 0");
  assert_take_fails (store, KEY_A, G_TLS_SESSION_ERROR_BAD_DATA, "was removed");
  g_assert_cmpint (files_count (path), ==, 0);
}

static void
bytes_do_not_change_places (void)
{
  g_autofree char *path = files_new_path ();
  g_autoptr (GTlsSessionFileStore) store = files_open (path);
  g_autoptr (GError) error = NULL;

  store_save (store, "one", "first");
  store_save (store, "two", "second");
  files_do (path, "UPDATE bytes SET content = (SELECT content FROM bytes LIMIT 1)");
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GBytes) bytes = g_tls_session_store_load_bytes (G_TLS_SESSION_STORE (store), i == 0 ? "one" : "two",
                                                                 error == NULL ? &error : NULL);

      g_assert_true (bytes == NULL || error == NULL || i == 1);
    }
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA);
}

static void
columns_of_other_types_are_bad_data (void)
{
  static const char *const changes[] = {
    "UPDATE ticket SET content = ''",           "UPDATE ticket SET content = 7",
    "UPDATE ticket SET content = zeroblob (0)", "UPDATE ticket SET content = zeroblob (1000)",
    "UPDATE ticket SET id = zeroblob (0)",      "UPDATE ticket SET single_use = 'no'",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (changes); i++)
    {
      g_autofree char *path = files_make_store ();
      g_autoptr (GTlsSessionFileStore) store = files_open (path);

      files_do (path, changes[i]);
      assert_take_fails (store, KEY_A, G_TLS_SESSION_ERROR_BAD_DATA, "was removed");
      assert_takes_nothing (store, KEY_A);
    }
}

/* Locks */

static void
do_with (sqlite3 *connection, const char *text)
{
  g_assert_cmpint (sqlite3_exec (connection, text, NULL, NULL, NULL), ==, SQLITE_OK);
}

static void
locked_past_the_limit_is_told (void)
{
  g_autofree char *path = files_make_store ();
  g_autoptr (GTlsSessionFileStore) store = files_open_with (path, "busy-timeout", 50);
  g_autoptr (GTlsSessionTicket) ticket = mill_make_one (HANDSHAKE_TLS_1_3, 2);
  g_autoptr (GError) error = NULL;
  sqlite3 *other;

  g_assert_cmpint (sqlite3_open (path, &other), ==, SQLITE_OK);
  do_with (other, "BEGIN IMMEDIATE");
  assert_take_fails (store, KEY_A, G_TLS_SESSION_ERROR_STORE, "locked: others kept it for longer than 50 ms");
  g_assert_false (g_tls_session_store_put (G_TLS_SESSION_STORE (store), KEY_A, ticket, &error));
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE);
  do_with (other, "ROLLBACK");
  g_assert_cmpint (sqlite3_close (other), ==, SQLITE_OK);

  store_put (store, KEY_A, ticket);
  assert_takes (store, KEY_A, ticket);
}

static gpointer
roll_back_soon (gpointer connection)
{
  g_usleep (G_USEC_PER_SEC / 10);
  do_with (connection, "ROLLBACK");
  return NULL;
}

static void
waits_for_a_lock (void)
{
  g_autofree char *path = files_make_store ();
  g_autoptr (GTlsSessionFileStore) store = files_open_with (path, "busy-timeout", 60000);
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  sqlite3 *other;
  GThread *thread;

  g_assert_cmpint (sqlite3_open (path, &other), ==, SQLITE_OK);
  do_with (other, "BEGIN IMMEDIATE");
  thread = g_thread_new ("holder", roll_back_soon, other);
  ticket = store_take (store, KEY_A);
  g_assert_nonnull (ticket);
  g_thread_join (thread);
  g_assert_cmpint (sqlite3_close (other), ==, SQLITE_OK);
}

static void
locked_while_opening_is_told (void)
{
  g_autofree char *path = files_make_store ();
  g_autoptr (GError) error = NULL;
  sqlite3 *other;

  g_assert_cmpint (sqlite3_open (path, &other), ==, SQLITE_OK);
  do_with (other, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; UPDATE ticket SET last_use = last_use; COMMIT");
  g_assert_null (g_initable_new (G_TLS_SESSION_TYPE_FILE_STORE, NULL, &error, "path", path, "busy-timeout", 20, NULL));
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE);
  g_assert_nonnull (strstr (error->message, "locked"));
  g_assert_cmpint (sqlite3_close (other), ==, SQLITE_OK);
  g_object_unref (files_open (path));
}

/* Circumstances */

static void
assert_all_fail (GTlsSessionStore *store, const char *message)
{
  g_autoptr (GTlsSessionTicket) ticket = mill_make_one (HANDSHAKE_TLS_1_3, 1);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("text", 4);
  GError *errors[6] = { NULL };

  g_assert_false (g_tls_session_store_put (store, KEY_A, ticket, &errors[0]));
  g_assert_null (g_tls_session_store_take (store, KEY_A, &errors[1]));
  g_assert_false (g_tls_session_store_remove (store, KEY_A, ticket, &errors[2]));
  g_assert_false (g_tls_session_store_clear (store, &errors[3]));
  g_assert_false (g_tls_session_store_save_bytes (store, "name", bytes, &errors[4]));
  g_assert_null (g_tls_session_store_load_bytes (store, "name", &errors[5]));
  for (gsize i = 0; i < G_N_ELEMENTS (errors); i++)
    {
      g_assert_true (errors[i] != NULL && errors[i]->domain == G_TLS_SESSION_ERROR);
      if (strstr (errors[i]->message, message) == NULL)
        g_error ("\"%s\" should have said \"%s\"", errors[i]->message, message);
      g_error_free (errors[i]);
    }
}

static void
nothing_works_before_init (void)
{
  g_autofree char *path = files_new_path ();
  g_autoptr (GTlsSessionFileStore) store = g_object_new (G_TLS_SESSION_TYPE_FILE_STORE, "path", path, NULL);
  g_autoptr (GTlsSessionTicket) ticket = mill_make_one (HANDSHAKE_TLS_1_3, 1);
  g_autoptr (GError) error = NULL;

  assert_all_fail (G_TLS_SESSION_STORE (store), "not open");
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));

  for (guint i = 0; i < 2; i++) /* a second time does nothing */
    {
      g_assert_true (g_initable_init (G_INITABLE (store), NULL, &error));
      g_assert_no_error (error);
    }
  store_put (store, KEY_A, ticket);
  assert_takes (store, KEY_A, ticket);
}

static void
nothing_works_after_init_failed (void)
{
  g_autofree char *path = files_make_store ();
  g_autoptr (GTlsSessionFileStore) store = g_object_new (G_TLS_SESSION_TYPE_FILE_STORE, "path", path, NULL);
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_chmod (path, 0644), ==, 0);
  g_assert_false (g_initable_init (G_INITABLE (store), NULL, &error));
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE);
  assert_all_fail (G_TLS_SESSION_STORE (store), "not open");

  g_assert_cmpint (g_chmod (path, 0600), ==, 0);
  g_clear_error (&error);
  g_assert_true (g_initable_init (G_INITABLE (store), NULL, &error));
  g_assert_no_error (error);
  ticket = store_take (store, KEY_A);
  g_assert_nonnull (ticket);
}

/* What the child inherited of SQLite it must not close, which valgrind would call a leak: so it says that all went well by
 * the signal that it ends with.
 */
static void
nothing_works_in_a_forked_child (void)
{
  g_autofree char *path = files_make_store ();
  g_autoptr (GTlsSessionFileStore) store = files_open (path);
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  pid_t child = fork ();
  int status;

  if (child == 0)
    {
      assert_all_fail (G_TLS_SESSION_STORE (store), "fork()");
      g_assert_false (g_initable_init (G_INITABLE (store), NULL, NULL)); /* nor does this open it */
      assert_all_fail (G_TLS_SESSION_STORE (store), "fork()");
      g_object_unref (store);
      kill (getpid (), SIGKILL);
    }

  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
  ticket = store_take (store, KEY_A);
  g_assert_nonnull (ticket);
  g_clear_object (&store);
  files_assert_sound (path);
}

static void
file_that_became_newer_is_left_alone (void)
{
  g_autofree char *path = files_make_store ();
  g_autoptr (GTlsSessionFileStore) store = files_open (path);

  files_do (path, "PRAGMA user_version = 2");
  assert_all_fail (G_TLS_SESSION_STORE (store), "is of format 2");
  g_assert_cmpint (files_count (path), ==, 1);
}

static void
file_that_was_removed_is_told (void)
{
  g_autofree char *path = files_make_store ();
  g_autoptr (GTlsSessionFileStore) store = files_open (path);

  g_assert_cmpint (g_unlink (path), ==, 0);
  assert_all_fail (G_TLS_SESSION_STORE (store), "moved or removed");
}

/* SQLite would take what is written there for the new file's. */
static void
rest_of_a_removed_file_is_not_taken_over (void)
{
  g_autofree char *path = files_make_store ();
  g_autofree char *wal = files_beside (path, "-wal");
  g_autoptr (GTlsSessionFileStore) store = files_open (path);
  g_autoptr (GTlsSessionFileStore) other = NULL;
  g_autoptr (GTlsSessionTicket) ticket = mill_make_one (HANDSHAKE_TLS_1_3, 2);

  store_put (store, KEY_A, ticket);
  g_assert_true (g_file_test (wal, G_FILE_TEST_EXISTS));
  g_assert_cmpint (g_unlink (path), ==, 0);
  files_assert_left_alone (path, G_TLS_SESSION_ERROR_STORE, "-wal");

  g_assert_cmpint (g_unlink (wal), ==, 0);
  other = files_open (path);
  assert_takes_nothing (other, KEY_A);
  g_clear_object (&store);
  store_put (other, KEY_A, ticket);
  assert_takes (other, KEY_A, ticket);
}

static void
cancelled_init_makes_nothing (void)
{
  g_autofree char *path = files_new_path ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  g_cancellable_cancel (cancellable);
  g_assert_null (g_initable_new (G_TLS_SESSION_TYPE_FILE_STORE, cancellable, &error, "path", path, NULL));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

int
main (int argc, char **argv)
{
  files_init (&argc, &argv);

  contract_add ("file", make_file_store);
  g_test_add_func ("/store/file/sessions_outlive_the_store", sessions_outlive_the_store);
  g_test_add_func ("/store/file/stores_of_one_file_share_it", stores_of_one_file_share_it);
  g_test_add_func ("/store/file/default_is_in_the_state_directory", default_is_in_the_state_directory);
  g_test_add_func ("/store/file/tells_its_properties", tells_its_properties);
  g_test_add_func ("/store/file/same_ticket_is_there_once", same_ticket_is_there_once);
  g_test_add_func ("/store/file/rows_are_bounded", rows_are_bounded);
  g_test_add_func ("/store/file/stricter_bounds_win", stricter_bounds_win);
  g_test_add_func ("/store/file/expired_rows_leave", expired_rows_leave);
  g_test_add_func ("/store/file/row_says_when_it_ends", row_says_when_it_ends);
  g_test_add_func ("/store/file/taking_drops_what_is_too_old_for_it", taking_drops_what_is_too_old_for_it);
  g_test_add_func ("/store/file/refuses_bytes_beyond_measure", refuses_bytes_beyond_measure);
  g_test_add_func ("/store/file/rows_do_not_change_places", rows_do_not_change_places);
  g_test_add_func ("/store/file/single_use_cannot_be_taken_off_a_row", single_use_cannot_be_taken_off_a_row);
  g_test_add_func ("/store/file/bytes_do_not_change_places", bytes_do_not_change_places);
  g_test_add_func ("/store/file/columns_of_other_types_are_bad_data", columns_of_other_types_are_bad_data);
  g_test_add_func ("/store/file/locked_past_the_limit_is_told", locked_past_the_limit_is_told);
  g_test_add_func ("/store/file/waits_for_a_lock", waits_for_a_lock);
  g_test_add_func ("/store/file/locked_while_opening_is_told", locked_while_opening_is_told);
  g_test_add_func ("/store/file/nothing_works_before_init", nothing_works_before_init);
  g_test_add_func ("/store/file/nothing_works_after_init_failed", nothing_works_after_init_failed);
  g_test_add_func ("/store/file/nothing_works_in_a_forked_child", nothing_works_in_a_forked_child);
  g_test_add_func ("/store/file/file_that_became_newer_is_left_alone", file_that_became_newer_is_left_alone);
  g_test_add_func ("/store/file/file_that_was_removed_is_told", file_that_was_removed_is_told);
  g_test_add_func ("/store/file/rest_of_a_removed_file_is_not_taken_over", rest_of_a_removed_file_is_not_taken_over);
  g_test_add_func ("/store/file/cancelled_init_makes_nothing", cancelled_init_makes_nothing);

  return files_run ();
}
