/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Single certificates out of a database. */

#include "paper.h"
#include "trust/certificate-private.h"
#include "trust/gtls-session-file-database.h"

#include <string.h>

#include <glib/gstdio.h>

#define KEYPAIR G_TLS_DATABASE_LOOKUP_KEYPAIR

/* A family whose root and intermediate are the anchors of a database, and what else of it a test needs. */
typedef struct
{
  Family *family;
  char *directory;
  char *path;
  GTlsDatabase *database;
  GTlsCertificate *leaf;
  GTlsCertificate *intermediate;
  GTlsCertificate *root;
  GByteArray *root_name;
} Scene;

static GTlsDatabase *
open_database (Scene *scene, char *pem)
{
  g_autoptr (GError) error = NULL;
  GTlsSessionFileDatabase *database;

  write_file (scene->path, pem, strlen (pem));
  g_free (pem);
  database = g_tls_session_file_database_new (scene->path, &error);
  g_assert_no_error (error);
  return G_TLS_DATABASE (database);
}

static GByteArray *
name_of (const Forged *forged)
{
  GByteArray *name = g_byte_array_new ();
  unsigned char *der = NULL;
  int length = i2d_X509_NAME (X509_get_subject_name (forged->x509), &der);

  g_byte_array_append (name, der, (guint) length);
  OPENSSL_free (der);
  return name;
}

static void
scene_set_up (Scene *scene, gconstpointer data)
{
  scene->family = family_new ();
  scene->directory = g_dir_make_tmp ("trust-XXXXXX", NULL);
  scene->path = g_build_filename (scene->directory, "anchors", NULL);
  scene->database = open_database (
    scene, joined (forged_to_pem (scene->family->root), forged_to_pem (scene->family->intermediate), NULL));
  scene->leaf = G_TLS_CERTIFICATE (certificate_of (scene->family->leaf));
  scene->intermediate = G_TLS_CERTIFICATE (certificate_of (scene->family->intermediate));
  scene->root = G_TLS_CERTIFICATE (certificate_of (scene->family->root));
  scene->root_name = name_of (scene->family->root);
}

static void
scene_tear_down (Scene *scene, gconstpointer data)
{
  assert_queue_is_empty ();
  family_free (scene->family);
  g_unlink (scene->path);
  g_rmdir (scene->directory);
  g_free (scene->directory);
  g_free (scene->path);
  g_object_unref (scene->database);
  g_object_unref (scene->leaf);
  g_object_unref (scene->intermediate);
  g_object_unref (scene->root);
  g_byte_array_unref (scene->root_name);
}

/* Handles */

static void
a_handle_leads_back_to_its_certificate (Scene *scene, gconstpointer data)
{
  g_autofree char *handle = g_tls_database_create_certificate_handle (scene->database, scene->root);
  g_autofree char *other = g_tls_database_create_certificate_handle (scene->database, scene->intermediate);
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsCertificate) found = NULL;

  g_assert_cmpstr (handle, !=, other);
  found = g_tls_database_lookup_certificate_for_handle (scene->database, handle, NULL, 0, NULL, &error);
  g_assert_no_error (error);
  assert_is (found, scene->family->root);
}

static void
a_handle_serves_another_database_of_the_same (Scene *scene, gconstpointer data)
{
  g_autofree char *handle = g_tls_database_create_certificate_handle (scene->database, scene->root);
  g_autofree char *again = NULL;
  g_autoptr (GTlsDatabase) later = open_database (scene, forged_to_pem (scene->family->root));
  g_autoptr (GTlsCertificate) found = g_tls_database_lookup_certificate_for_handle (later, handle, NULL, 0, NULL, NULL);

  assert_is (found, scene->family->root);
  again = g_tls_database_create_certificate_handle (later, found);
  g_assert_cmpstr (again, ==, handle);
  g_assert_true (g_str_has_prefix (handle, "ni:///sha-256;"));
  g_assert_cmpuint (strlen (handle), ==, strlen ("ni:///sha-256;") + 43);
}

static void
strangers_have_no_handle (Scene *scene, gconstpointer data)
{
  g_autoptr (Family) strangers = family_new ();
  g_autoptr (GTlsSessionCertificate) stranger = certificate_of (strangers->root);
  g_autoptr (GTlsCertificate) unreadable = g_object_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL);
  g_autoptr (GTlsDatabase) empty = g_object_new (G_TLS_SESSION_TYPE_DATABASE, NULL);

  g_assert_null (g_tls_database_create_certificate_handle (scene->database, scene->leaf));
  g_assert_null (g_tls_database_create_certificate_handle (scene->database, G_TLS_CERTIFICATE (stranger)));
  g_assert_null (g_tls_database_create_certificate_handle (scene->database, unreadable));
  g_assert_null (g_tls_database_create_certificate_handle (empty, scene->root));
}

static void
a_handle_of_nothing_finds_nothing (Scene *scene, gconstpointer data)
{
  g_autofree char *handle = g_tls_database_create_certificate_handle (scene->database, scene->root);
  g_autoptr (GTlsDatabase) without = open_database (scene, forged_to_pem (scene->family->intermediate));
  const char *const handles[] = { "", "x", "ni:///sha-256;", "ni:///sha-256;AAAA" };
  GError *error = NULL;

  g_assert_null (g_tls_database_lookup_certificate_for_handle (without, handle, NULL, 0, NULL, &error));
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (handles); i++)
    {
      g_assert_null (g_tls_database_lookup_certificate_for_handle (scene->database, handles[i], NULL, 0, NULL, &error));
      g_assert_no_error (error);
    }
}

/* Issuers */

static GTlsCertificate *
issuer_in (GTlsDatabase *database, gpointer certificate)
{
  g_autoptr (GError) error = NULL;
  GTlsCertificate *issuer = g_tls_database_lookup_certificate_issuer (database, certificate, NULL, 0, NULL, &error);

  g_assert_no_error (error);
  return issuer;
}

static void
finds_the_issuer_and_links_nothing (Scene *scene, gconstpointer data)
{
  g_autoptr (GTlsCertificate) intermediate = issuer_in (scene->database, scene->leaf);
  g_autoptr (GTlsCertificate) root = issuer_in (scene->database, intermediate);
  g_autoptr (GTlsCertificate) itself = issuer_in (scene->database, root);

  assert_is (intermediate, scene->family->intermediate);
  assert_is (root, scene->family->root);
  assert_is (itself, scene->family->root);
  g_assert_null (g_tls_certificate_get_issuer (scene->leaf));
  g_assert_null (g_tls_certificate_get_issuer (intermediate));
}

static void
a_namesake_is_no_issuer (Scene *scene, gconstpointer data)
{
  const Order ca_order = { .name = "CA", .is_ca = TRUE, .without_key_identifiers = TRUE };
  g_autoptr (Forged) ca = forge (&ca_order, NULL);
  g_autoptr (Forged) namesake = forge (&ca_order, NULL);
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "a", .without_key_identifiers = TRUE }, ca);
  g_autoptr (GTlsSessionCertificate) certificate = certificate_of (leaf);
  g_autoptr (GTlsDatabase) without = open_database (scene, forged_to_pem (namesake));
  g_autoptr (GTlsDatabase) with = open_database (scene, joined (forged_to_pem (namesake), forged_to_pem (ca), NULL));
  g_autoptr (GTlsCertificate) found = issuer_in (with, certificate);

  g_assert_null (issuer_in (without, certificate));
  assert_is (found, ca);
}

static void
an_issuer_of_today_goes_first (Scene *scene, gconstpointer data)
{
  g_autoptr (Forged) now = forge (&(Order){ .name = "CA", .is_ca = TRUE }, NULL);
  g_autoptr (Forged)
    before = forge (&(Order){ .name = "CA", .is_ca = TRUE, .from_day = -9, .to_day = -1, .key_of = now }, NULL);
  g_autoptr (Forged)
    later = forge (&(Order){ .name = "CA", .is_ca = TRUE, .from_day = 1, .to_day = 99, .key_of = now }, NULL);
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "a" }, now);
  g_autoptr (GTlsSessionCertificate) certificate = certificate_of (leaf);
  g_autoptr (GTlsDatabase)
    one = open_database (scene, joined (forged_to_pem (before), forged_to_pem (now), forged_to_pem (later), NULL));
  g_autoptr (GTlsDatabase)
    other = open_database (scene, joined (forged_to_pem (later), forged_to_pem (now), forged_to_pem (before), NULL));
  g_autoptr (GTlsDatabase) old = open_database (scene, forged_to_pem (before));
  g_autoptr (GTlsCertificate) first = issuer_in (one, certificate);
  g_autoptr (GTlsCertificate) second = issuer_in (other, certificate);
  g_autoptr (GTlsCertificate) last_resort = issuer_in (old, certificate);

  assert_is (first, now);
  assert_is (second, now);
  assert_is (last_resort, before);
}

static void
the_issuer_of_what_cannot_be_read_is_an_error (Scene *scene, gconstpointer data)
{
  g_autoptr (GTlsCertificate) unreadable = g_object_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (g_tls_database_lookup_certificate_issuer (scene->database, unreadable, NULL, 0, NULL, &error));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
}

/* What an issuer issued */

static void
assert_issued_by_root (GList *list, Scene *scene)
{
  gboolean has_root = FALSE, has_intermediate = FALSE;

  g_assert_cmpuint (g_list_length (list), ==, 2);
  for (GList *item = list; item != NULL; item = item->next)
    {
      has_root |= g_tls_certificate_is_same (item->data, scene->root);
      has_intermediate |= g_tls_certificate_is_same (item->data, scene->intermediate);
    }
  g_assert_true (has_root && has_intermediate);
  g_list_free_full (list, g_object_unref);
}

static void
lists_what_an_issuer_issued (Scene *scene, gconstpointer data)
{
  g_autoptr (GByteArray) name = name_of (scene->family->leaf);
  g_autoptr (GByteArray) intermediate = name_of (scene->family->intermediate);
  GError *error = NULL;
  GList *list = g_tls_database_lookup_certificates_issued_by (scene->database, scene->root_name, NULL, 0, NULL, &error);

  g_assert_no_error (error);
  assert_issued_by_root (list, scene);
  g_assert_null (g_tls_database_lookup_certificates_issued_by (scene->database, name, NULL, 0, NULL, &error));
  g_assert_no_error (error);
  g_assert_null (g_tls_database_lookup_certificates_issued_by (scene->database, intermediate, NULL, 0, NULL, &error));
  g_assert_no_error (error);
}

static void
a_name_that_is_none_is_an_error (Scene *scene, gconstpointer data)
{
  g_autoptr (GByteArray) empty = g_byte_array_new ();
  GError *error = NULL;

  g_assert_null (g_tls_database_lookup_certificates_issued_by (scene->database, empty, NULL, 0, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);

  g_byte_array_append (scene->root_name, (const guint8 *) "x", 1);
  g_assert_null (
    g_tls_database_lookup_certificates_issued_by (scene->database, scene->root_name, NULL, 0, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
}

/* All three */

static void
none_of_them_has_a_key (Scene *scene, gconstpointer data)
{
  g_autofree char *handle = g_tls_database_create_certificate_handle (scene->database, scene->root);
  GError *error = NULL;

  g_assert_null (g_tls_database_lookup_certificate_for_handle (scene->database, handle, NULL, KEYPAIR, NULL, &error));
  g_assert_no_error (error);
  g_assert_null (g_tls_database_lookup_certificate_issuer (scene->database, scene->leaf, NULL, KEYPAIR, NULL, &error));
  g_assert_no_error (error);
  g_assert_null (
    g_tls_database_lookup_certificates_issued_by (scene->database, scene->root_name, NULL, KEYPAIR, NULL, &error));
  g_assert_no_error (error);
}

static void
an_empty_database_has_none (Scene *scene, gconstpointer data)
{
  g_autoptr (GTlsDatabase) empty = g_object_new (G_TLS_SESSION_TYPE_DATABASE, NULL);
  g_autofree char *handle = g_tls_database_create_certificate_handle (scene->database, scene->root);
  GError *error = NULL;

  g_assert_null (g_tls_database_lookup_certificate_for_handle (empty, handle, NULL, 0, NULL, &error));
  g_assert_null (issuer_in (empty, scene->leaf));
  g_assert_null (g_tls_database_lookup_certificates_issued_by (empty, scene->root_name, NULL, 0, NULL, &error));
  g_assert_no_error (error);
}

static void
assert_cancelled (GError **error)
{
  g_assert_error (*error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (error);
}

static void
cancelled_lookups_are_cancelled (Scene *scene, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autofree char *handle = g_tls_database_create_certificate_handle (scene->database, scene->root);
  GError *error = NULL;

  g_cancellable_cancel (cancellable);
  g_assert_null (g_tls_database_lookup_certificate_for_handle (scene->database, handle, NULL, 0, cancellable, &error));
  assert_cancelled (&error);
  g_assert_null (g_tls_database_lookup_certificate_issuer (scene->database, scene->leaf, NULL, 0, cancellable, &error));
  assert_cancelled (&error);
  g_assert_null (
    g_tls_database_lookup_certificates_issued_by (scene->database, scene->root_name, NULL, 0, cancellable, &error));
  assert_cancelled (&error);
}

/* The asynchronous forms */

static void
on_answered (GObject *database, GAsyncResult *result, gpointer data)
{
  *(GAsyncResult **) data = g_object_ref (result);
}

static GAsyncResult *
wait_for (GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return *result;
}

/* Begins all three lookups, and tells their ends. */
typedef struct
{
  GAsyncResult *by_handle;
  GAsyncResult *issuer;
  GAsyncResult *issued;
} Answers;

static void
ask_all (Scene *scene, GCancellable *cancellable, Answers *answers)
{
  g_autofree char *handle = g_tls_database_create_certificate_handle (scene->database, scene->root);

  g_tls_database_lookup_certificate_for_handle_async (scene->database, handle, NULL, 0, cancellable, on_answered,
                                                      &answers->by_handle);
  g_tls_database_lookup_certificate_issuer_async (scene->database, scene->leaf, NULL, 0, cancellable, on_answered,
                                                  &answers->issuer);
  g_tls_database_lookup_certificates_issued_by_async (scene->database, scene->root_name, NULL, 0, cancellable,
                                                      on_answered, &answers->issued);
  g_assert_null (answers->by_handle);
}

static void
answers_clear (Answers *answers)
{
  g_object_unref (answers->by_handle);
  g_object_unref (answers->issuer);
  g_object_unref (answers->issued);
}

static void
the_asynchronous_lookups_find_the_same (Scene *scene, gconstpointer data)
{
  Answers answers = { 0 };
  g_autoptr (GTlsCertificate) by_handle = NULL;
  g_autoptr (GTlsCertificate) issuer = NULL;
  GError *error = NULL;
  GList *issued;

  ask_all (scene, NULL, &answers);
  by_handle = g_tls_database_lookup_certificate_for_handle_finish (scene->database, wait_for (&answers.by_handle),
                                                                   &error);
  g_assert_no_error (error);
  assert_is (by_handle, scene->family->root);

  issuer = g_tls_database_lookup_certificate_issuer_finish (scene->database, wait_for (&answers.issuer), &error);
  g_assert_no_error (error);
  assert_is (issuer, scene->family->intermediate);

  issued = g_tls_database_lookup_certificates_issued_by_finish (scene->database, wait_for (&answers.issued), &error);
  g_assert_no_error (error);
  assert_issued_by_root (issued, scene);
  answers_clear (&answers);
}

static void
cancelled_asynchronous_lookups_are_cancelled (Scene *scene, gconstpointer data)
{
  for (int after = 0; after <= 1; after++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      Answers answers = { 0 };
      GError *error = NULL;

      if (!after)
        g_cancellable_cancel (cancellable);
      ask_all (scene, cancellable, &answers);
      if (after)
        g_cancellable_cancel (cancellable);

      g_assert_null (
        g_tls_database_lookup_certificate_for_handle_finish (scene->database, wait_for (&answers.by_handle), &error));
      assert_cancelled (&error);
      g_assert_null (
        g_tls_database_lookup_certificate_issuer_finish (scene->database, wait_for (&answers.issuer), &error));
      assert_cancelled (&error);
      g_assert_null (
        g_tls_database_lookup_certificates_issued_by_finish (scene->database, wait_for (&answers.issued), &error));
      assert_cancelled (&error);
      answers_clear (&answers);
    }
}

/* The system's, whose directories are not read before. It is opened once, so this has a process of its own. */
static void
the_directories_of_the_system_are_looked_through (Scene *scene, gconstpointer data)
{
  X509 *root = scene->family->root->x509;
  g_autofree char *name = NULL;
  g_autofree char *path = NULL;
  g_autofree char *pem = forged_to_pem (scene->family->root);
  g_autofree char *handle = NULL;
  g_autoptr (GTlsSessionDatabase) database = NULL;
  g_autoptr (GTlsCertificate) by_handle = NULL;
  g_autoptr (GTlsCertificate) issuer = NULL;
  g_autoptr (GError) error = NULL;
  GList *issued;

  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
      g_test_trap_assert_passed ();
      return;
    }

  name = g_strdup_printf ("%08lx.0", X509_NAME_hash_ex (X509_get_subject_name (root), NULL, NULL, NULL));
  path = g_build_filename (scene->directory, name, NULL);
  write_file (path, pem, strlen (pem));
  g_setenv ("SSL_CERT_DIR", scene->directory, TRUE);
  g_unsetenv ("SSL_CERT_FILE");

  handle = g_tls_database_create_certificate_handle (scene->database, scene->root);
  database = g_tls_session_database_get_system (&error);
  g_assert_no_error (error);
  by_handle = g_tls_database_lookup_certificate_for_handle (G_TLS_DATABASE (database), handle, NULL, 0, NULL, NULL);
  assert_is (by_handle, scene->family->root);
  issuer = issuer_in (G_TLS_DATABASE (database), scene->intermediate);
  assert_is (issuer, scene->family->root);
  issued = g_tls_database_lookup_certificates_issued_by (G_TLS_DATABASE (database), scene->root_name, NULL, 0, NULL,
                                                         NULL);
  g_assert_cmpuint (g_list_length (issued), ==, 1);
  g_list_free_full (issued, g_object_unref);
  g_unlink (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define STORY(name) g_test_add ("/trust/lookup/" #name, Scene, NULL, scene_set_up, name, scene_tear_down)
  STORY (a_handle_leads_back_to_its_certificate);
  STORY (a_handle_serves_another_database_of_the_same);
  STORY (strangers_have_no_handle);
  STORY (a_handle_of_nothing_finds_nothing);
  STORY (finds_the_issuer_and_links_nothing);
  STORY (a_namesake_is_no_issuer);
  STORY (an_issuer_of_today_goes_first);
  STORY (the_issuer_of_what_cannot_be_read_is_an_error);
  STORY (lists_what_an_issuer_issued);
  STORY (a_name_that_is_none_is_an_error);
  STORY (none_of_them_has_a_key);
  STORY (an_empty_database_has_none);
  STORY (cancelled_lookups_are_cancelled);
  STORY (the_asynchronous_lookups_find_the_same);
  STORY (cancelled_asynchronous_lookups_are_cancelled);
  STORY (the_directories_of_the_system_are_looked_through);

  return g_test_run ();
}
