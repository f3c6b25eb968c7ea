/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looking into a store in a file. */

#include "files.h"
#include "ticket/gtls-session-error.h"

typedef GList Listing;

static void
list_free (gpointer entries)
{
  g_list_free_full (entries, (GDestroyNotify) g_tls_session_store_entry_unref);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Listing, list_free)

static GList *
list (GTlsSessionFileStore *store)
{
  g_autoptr (GError) error = NULL;
  GList *entries = g_tls_session_file_store_list (store, &error);

  g_assert_no_error (error);
  return entries;
}

static void
assert_entry (GList *item, const char *key, GTlsSessionTicket *expected)
{
  g_autoptr (GError) error = NULL;
  GTlsSessionTicket *ticket = g_tls_session_store_entry_get_ticket (item->data, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (g_tls_session_store_entry_get_key (item->data), ==, key);
  g_assert_cmpstr (g_tls_session_ticket_get_id (ticket), ==, g_tls_session_ticket_get_id (expected));
}

static void
lists_in_order_and_takes_nothing_out (void)
{
  g_autofree char *path = files_new_path ();
  g_autoptr (GTlsSessionFileStore) store = files_open (path);
  g_autoptr (Mill) mill = mill_new (HANDSHAKE_TLS_1_3);
  g_autoptr (GTlsSessionTicket) first = mill_make (mill, 1);
  g_autoptr (GTlsSessionTicket) second = mill_make (mill, 2);
  g_autoptr (Listing) before = list (store);
  g_autoptr (Listing) entries = NULL;

  g_assert_null (before);
  store_put (store, KEY_B, first);
  store_put (store, KEY_A, second);
  entries = list (store);
  g_assert_cmpuint (g_list_length (entries), ==, 2);
  assert_entry (entries, KEY_B, first);
  assert_entry (entries->next, KEY_A, second);

  assert_takes (store, KEY_A, second);
  assert_takes (store, KEY_B, first);
}

static void
listed_ticket_can_go_to_another_store (void)
{
  g_autofree char *path = files_new_path ();
  g_autofree char *other_path = files_new_path ();
  g_autoptr (GTlsSessionFileStore) store = files_open (path);
  g_autoptr (GTlsSessionFileStore) other = files_open (other_path);
  g_autoptr (GTlsSessionTicket) ticket = mill_make_one (HANDSHAKE_TLS_1_3, 1);
  g_autoptr (Listing) entries = NULL;

  store_put (store, KEY_A, ticket);
  entries = list (store);
  store_put (other, g_tls_session_store_entry_get_key (entries->data),
             g_tls_session_store_entry_get_ticket (entries->data, NULL));
  store_remove (store, KEY_A, ticket);
  assert_takes_nothing (store, KEY_A);
  assert_takes (other, KEY_A, ticket);
}

static void
damaged_ticket_is_listed_as_such (void)
{
  g_autofree char *path = files_make_store ();
  g_autoptr (GTlsSessionFileStore) store = files_open (path);
  g_autoptr (GTlsSessionTicket) sound = mill_make_one (HANDSHAKE_TLS_1_3, 2);
  g_autoptr (Listing) entries = NULL;
  g_autoptr (GError) error = NULL;

  files_do (path, "UPDATE ticket SET content = zeroblob (1000)");
  store_put (store, KEY_B, sound);
  entries = list (store);
  g_assert_cmpuint (g_list_length (entries), ==, 2);
  g_assert_null (g_tls_session_store_entry_get_key (entries->data));
  g_assert_null (g_tls_session_store_entry_get_ticket (entries->data, &error));
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA);
  assert_entry (entries->next, KEY_B, sound);
}

/* What is listed of a ticket lives as long as the entry. */
static void
entry_outlives_its_store (void)
{
  g_autofree char *path = files_make_store ();
  g_autoptr (GTlsSessionFileStore) store = files_open (path);
  g_autoptr (Listing) entries = list (store);
  g_autoptr (GTlsSessionStoreEntry) entry = g_tls_session_store_entry_ref (entries->data);

  g_clear_object (&store);
  g_clear_pointer (&entries, list_free);
  g_assert_cmpstr (g_tls_session_store_entry_get_key (entry), ==, KEY_A);
}

int
main (int argc, char **argv)
{
  files_init (&argc, &argv);

  g_test_add_func ("/store/list/lists_in_order_and_takes_nothing_out", lists_in_order_and_takes_nothing_out);
  g_test_add_func ("/store/list/listed_ticket_can_go_to_another_store", listed_ticket_can_go_to_another_store);
  g_test_add_func ("/store/list/damaged_ticket_is_listed_as_such", damaged_ticket_is_listed_as_such);
  g_test_add_func ("/store/list/entry_outlives_its_store", entry_outlives_its_store);

  return files_run ();
}
