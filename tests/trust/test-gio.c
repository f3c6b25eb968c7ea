/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Gio's own functions for certificates and databases, with this library behind them. */

#include "backend.h"
#include "paper.h"
#include "token.h"
#include "trust/certificate-private.h"
#include "trust/gtls-session-file-database.h"

#include <string.h>

#include <glib/gstdio.h>

#include <openssl/pkcs12.h>

/* A family, and a directory for files. */
typedef struct
{
  Family *family;
  char *directory;
  GPtrArray *paths;
} Scene;

static void
scene_set_up (Scene *scene, gconstpointer data)
{
  scene->family = family_new ();
  scene->directory = g_dir_make_tmp ("trust-XXXXXX", NULL);
  scene->paths = g_ptr_array_new_with_free_func (g_free);
}

static void
scene_tear_down (Scene *scene, gconstpointer data)
{
  for (guint i = 0; i < scene->paths->len; i++)
    g_unlink (g_ptr_array_index (scene->paths, i));
  g_ptr_array_unref (scene->paths);
  g_rmdir (scene->directory);
  g_free (scene->directory);
  family_free (scene->family);
}

/* The scene has the path. */
static const char *
file_with (Scene *scene, const char *name, const void *data, gsize size)
{
  char *path = g_build_filename (scene->directory, name, NULL);

  g_ptr_array_add (scene->paths, path);
  write_file (path, data, size);
  return path;
}

/* Takes @text. */
static const char *
file_with_text (Scene *scene, const char *name, char *text)
{
  const char *path = file_with (scene, name, text, strlen (text));

  g_free (text);
  return path;
}

static char *
family_text (const Family *family)
{
  return joined (forged_to_pem (family->leaf), forged_to_pem (family->intermediate), forged_to_pem (family->root),
                 key_as_pkcs8 (family->leaf), NULL);
}

static void
assert_family (gpointer certificate, const Family *family)
{
  assert_is (certificate, family->leaf);
  assert_is (issuer_of (certificate), family->intermediate);
  assert_is (issuer_of (issuer_of (certificate)), family->root);
  g_assert_null (issuer_of (issuer_of (issuer_of (certificate))));
  g_assert_nonnull (g_tls_session_certificate_get_key (certificate));
}

static void
reads_pem_with_chain_and_key (Scene *scene, gconstpointer data)
{
  g_autofree char *pem = family_text (scene->family);
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsCertificate) from_text = g_tls_certificate_new_from_pem (pem, -1, &error);
  g_autoptr (GTlsCertificate) from_file = NULL;

  g_assert_no_error (error);
  assert_family (from_text, scene->family);
  from_file = g_tls_certificate_new_from_file (file_with_text (scene, "all.pem", g_steal_pointer (&pem)), &error);
  g_assert_no_error (error);
  assert_family (from_file, scene->family);
}

static void
reads_certificate_and_key_from_two_files (Scene *scene, gconstpointer data)
{
  const char *certificates = file_with_text (scene, "certificates",
                                             joined (forged_to_pem (scene->family->leaf),
                                                     forged_to_pem (scene->family->intermediate),
                                                     forged_to_pem (scene->family->root), NULL));
  const char *key = file_with_text (scene, "key", key_as_traditional (scene->family->leaf));
  const char *alone = file_with_text (scene, "alone", forged_to_pem (scene->family->leaf));
  const char *other_key = file_with_text (scene, "other-key", key_as_pkcs8 (scene->family->root));
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsCertificate) certificate = g_tls_certificate_new_from_files (certificates, key, &error);

  g_assert_no_error (error);
  assert_family (certificate, scene->family);
  g_assert_null (g_tls_certificate_new_from_files (alone, other_key, &error));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
}

/* "All certificates will be verified in the order found [...] If any certificate in the chain cannot be verified, the
 * first certificate in the file will still be returned."
 */
static void
what_is_no_chain_gives_the_first (Scene *scene, gconstpointer data)
{
  g_autofree char *pem = joined (forged_to_pem (scene->family->leaf), forged_to_pem (scene->family->root), NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsCertificate) certificate = g_tls_certificate_new_from_pem (pem, -1, &error);

  g_assert_no_error (error);
  assert_is (certificate, scene->family->leaf);
  g_assert_null (issuer_of (certificate));
}

static void
duplicates_and_extras_do_not_break_the_chain (Scene *scene, gconstpointer data)
{
  g_autoptr (Forged) extra = forge (&(Order){ .name = "extra" }, NULL);
  Family *family = scene->family;
  g_autofree char *pem = joined (forged_to_pem (family->leaf), forged_to_pem (family->leaf), forged_to_pem (extra),
                                 forged_to_pem (family->root), forged_to_pem (family->intermediate),
                                 forged_to_pem (family->root), NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsCertificate) certificate = g_tls_certificate_new_from_pem (pem, -1, &error);
  g_autoptr (GTlsSessionCertificate) root = certificate_of (family->root);

  g_assert_no_error (error);
  assert_is (certificate, family->leaf);
  g_assert_cmphex (g_tls_certificate_verify (certificate, NULL, G_TLS_CERTIFICATE (root)), ==, 0);
}

static void
broken_pem_is_refused (Scene *scene, gconstpointer data)
{
  GError *error = NULL;

  g_assert_null (g_tls_certificate_new_from_pem ("", -1, &error));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_clear_error (&error);
  g_assert_null (
    g_tls_certificate_new_from_pem ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", -1, &error));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_clear_error (&error);
}

/* Gio itself refuses an encrypted key in PKCS #8, before it asks any backend. The old form gets through. */
static void
an_encrypted_key_in_the_old_form_waits (Scene *scene, gconstpointer data)
{
  Family *family = scene->family;
  g_autofree char *pem = joined (forged_to_pem (family->leaf), key_as_encrypted_traditional (family->leaf), NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsCertificate) certificate = g_tls_certificate_new_from_pem (pem, -1, &error);

  g_assert_no_error (error);
  g_assert_true (g_tls_session_certificate_is_locked (G_TLS_SESSION_CERTIFICATE (certificate)));
}

static void
lists_the_certificates_of_a_file (Scene *scene, gconstpointer data)
{
  Family *family = scene->family;
  const char *path = file_with_text (
    scene, "list",
    joined (forged_to_pem (family->root), forged_to_pem (family->leaf), forged_to_pem (family->root), NULL));
  const char *empty = file_with (scene, "empty", "nothing", 7);
  g_autoptr (GError) error = NULL;
  GList *list = g_tls_certificate_list_new_from_file (path, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (g_list_length (list), ==, 3);
  assert_is (g_list_nth_data (list, 0), family->root);
  assert_is (g_list_nth_data (list, 1), family->leaf);
  assert_is (g_list_nth_data (list, 2), family->root);
  g_list_free_full (list, g_object_unref);

  g_assert_null (g_tls_certificate_list_new_from_file (empty, &error));
  g_assert_no_error (error);
}

static void
reads_pkcs12 (Scene *scene, gconstpointer data)
{
  Family *family = scene->family;
  STACK_OF (X509) *others = stack_of (family->root->x509, family->intermediate->x509, NULL);
  PKCS12 *container = PKCS12_create ("secret", NULL, family->leaf->key, family->leaf->x509, others, 0, 0, 0, 0, 0);
  unsigned char *der = NULL;
  int length = i2d_PKCS12 (container, &der);
  const char *path = file_with (scene, "mine.p12", der, (gsize) length);
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsCertificate) from_data = g_tls_certificate_new_from_pkcs12 (der, (gsize) length, "secret", &error);
  g_autoptr (GTlsCertificate) from_file = NULL;

  g_assert_no_error (error);
  assert_family (from_data, family);
  from_file = g_tls_certificate_new_from_file_with_password (path, "secret", &error);
  g_assert_no_error (error);
  assert_family (from_file, family);

  g_assert_null (g_tls_certificate_new_from_file (path, &error));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE_PASSWORD);
  g_clear_error (&error);
  g_assert_null (g_tls_certificate_new_from_pkcs12 (der, 20, "secret", &error));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);

  OPENSSL_free (der);
  PKCS12_free (container);
  sk_X509_pop_free (others, X509_free);
}

static void
pkcs11_uris_need_a_provider (Scene *scene, gconstpointer data)
{
  Token token = { .forged = scene->family->leaf };
  g_autoptr (GTlsCertificate) certificate = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (g_tls_certificate_new_from_pkcs11_uris ("pkcs11:id=%01", NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);

  token_insert (&token);
  certificate = g_tls_certificate_new_from_pkcs11_uris ("pkcs11:type=cert", "pkcs11:type=private", &error);
  g_assert_no_error (error);
  assert_is (certificate, scene->family->leaf);
  g_assert_nonnull (g_tls_session_certificate_get_key (G_TLS_SESSION_CERTIFICATE (certificate)));
  g_clear_object (&certificate);
  token_remove ();
}

/* "The raw DER byte data of the two certificates are checked for equality." */
static void
the_same_is_the_same_with_key_and_issuer_or_without (Scene *scene, gconstpointer data)
{
  g_autofree char *pem = family_text (scene->family);
  g_autoptr (GTlsCertificate) whole = g_tls_certificate_new_from_pem (pem, -1, NULL);
  g_autoptr (GTlsSessionCertificate) bare = certificate_of (scene->family->leaf);
  g_autoptr (GTlsSessionCertificate) other = certificate_of (scene->family->root);

  g_assert_true (g_tls_certificate_is_same (whole, G_TLS_CERTIFICATE (bare)));
  g_assert_true (g_tls_certificate_is_same (G_TLS_CERTIFICATE (bare), whole));
  g_assert_false (g_tls_certificate_is_same (whole, G_TLS_CERTIFICATE (other)));
}

static void
opens_a_file_of_anchors (Scene *scene, gconstpointer data)
{
  const char *path = file_with_text (scene, "anchors", forged_to_pem (scene->family->root));
  g_autofree char *pem = family_text (scene->family);
  g_autoptr (GTlsCertificate) certificate = g_tls_certificate_new_from_pem (pem, -1, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsDatabase) database = g_tls_file_database_new (path, &error);
  g_autofree char *anchors = NULL;

  g_assert_no_error (error);
  g_assert_true (G_TLS_SESSION_IS_FILE_DATABASE (database));
  g_object_get (database, "anchors", &anchors, NULL);
  g_assert_cmpstr (anchors, ==, path);
  g_assert_cmphex (g_tls_database_verify_chain (database, certificate, G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER, NULL,
                                                NULL, 0, NULL, &error),
                   ==, 0);
  g_assert_no_error (error);

  g_assert_null (g_tls_file_database_new ("/nowhere/anchors", &error));
  g_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
}

static void
the_default_database_is_the_systems (Scene *scene, gconstpointer data)
{
  g_autoptr (GTlsDatabase) database = g_tls_backend_get_default_database (g_tls_backend_get_default ());
  g_autoptr (GTlsSessionDatabase) system = g_tls_session_database_get_system (NULL);

  g_assert_true (database == G_TLS_DATABASE (system));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  become_the_backend_of_gio ();

#define STORY(name) g_test_add ("/trust/gio/" #name, Scene, NULL, scene_set_up, name, scene_tear_down)
  STORY (reads_pem_with_chain_and_key);
  STORY (reads_certificate_and_key_from_two_files);
  STORY (what_is_no_chain_gives_the_first);
  STORY (duplicates_and_extras_do_not_break_the_chain);
  STORY (broken_pem_is_refused);
  STORY (an_encrypted_key_in_the_old_form_waits);
  STORY (lists_the_certificates_of_a_file);
  STORY (reads_pkcs12);
  STORY (pkcs11_uris_need_a_provider);
  STORY (the_same_is_the_same_with_key_and_issuer_or_without);
  STORY (opens_a_file_of_anchors);
  STORY (the_default_database_is_the_systems);

  return g_test_run ();
}
