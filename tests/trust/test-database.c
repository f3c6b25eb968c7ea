/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The system's database and those from files. */

#include "forge.h"
#include "trust/certificate-private.h"
#include "trust/database-private.h"
#include "trust/gtls-session-file-database.h"
#include "trust/openssl-auto.h"

#include <openssl/pem.h>
#include <string.h>

#include <glib/gstdio.h>

#define SERVER G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER

/* A family, its leaf and intermediate as one certificate, and a directory with a file for anchors. */
typedef struct
{
  Family *family;
  GTlsCertificate *chain;
  char *directory;
  char *path;
} Scene;

static void
scene_set_up (Scene *scene, gconstpointer data)
{
  STACK_OF (X509) *sent;

  scene->family = family_new ();
  sent = stack_of (scene->family->leaf->x509, scene->family->intermediate->x509, NULL);
  scene->chain = G_TLS_CERTIFICATE (g_tls_session_certificate_new_from_chain (sent));
  sk_X509_pop_free (sent, X509_free);

  scene->directory = g_dir_make_tmp ("trust-XXXXXX", NULL);
  scene->path = g_build_filename (scene->directory, "anchors", NULL);
}

static void
scene_tear_down (Scene *scene, gconstpointer data)
{
  family_free (scene->family);
  g_object_unref (scene->chain);
  g_unlink (scene->path);
  g_rmdir (scene->directory);
  g_free (scene->directory);
  g_free (scene->path);
}

static void
write_file (const char *path, const void *data, gsize size)
{
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, data, (gssize) size, &error);
  g_assert_no_error (error);
}

static void
write_pem (const char *path, const Forged *one, const Forged *other, const char *more)
{
  g_autofree char *first = one != NULL ? forged_to_pem (one) : g_strdup ("");
  g_autofree char *second = other != NULL ? forged_to_pem (other) : g_strdup ("");
  g_autofree char *text = g_strconcat (first, second, more, NULL);

  write_file (path, text, strlen (text));
}

static GTlsDatabase *
open_database (Scene *scene)
{
  g_autoptr (GError) error = NULL;
  GTlsSessionFileDatabase *database = g_tls_session_file_database_new (scene->path, &error);

  g_assert_no_error (error);
  assert_queue_is_empty ();
  return G_TLS_DATABASE (database);
}

static GTlsCertificateFlags
verdict (gpointer database, GTlsCertificate *chain)
{
  g_autoptr (GError) error = NULL;
  GTlsCertificateFlags faults = g_tls_database_verify_chain (G_TLS_DATABASE (database), chain, SERVER, NULL, NULL,
                                                             G_TLS_DATABASE_VERIFY_NONE, NULL, &error);

  g_assert_no_error (error);
  assert_queue_is_empty ();
  return faults;
}

/* Files of anchors */

static void
trusts_what_is_in_its_file (Scene *scene, gconstpointer data)
{
  g_autoptr (Family) strangers = family_new ();
  g_autoptr (GTlsDatabase) database = NULL;
  g_autoptr (GTlsDatabase) other = NULL;

  write_pem (scene->path, strangers->intermediate, scene->family->root, "");
  database = open_database (scene);
  g_assert_cmphex (verdict (database, scene->chain), ==, 0);

  write_pem (scene->path, strangers->leaf, NULL, "");
  other = open_database (scene);
  g_assert_cmphex (verdict (other, scene->chain), ==, G_TLS_CERTIFICATE_UNKNOWN_CA);
  g_assert_cmphex (verdict (database, scene->chain), ==, 0);
}

static void
reads_anchors_in_der (Scene *scene, gconstpointer data)
{
  g_autoptr (GBytes) der = forged_to_der (scene->family->root);
  g_autoptr (GTlsDatabase) database = NULL;

  write_file (scene->path, g_bytes_get_data (der, NULL), g_bytes_get_size (der));
  database = open_database (scene);
  g_assert_cmphex (verdict (database, scene->chain), ==, 0);
}

static void
the_same_anchor_twice_does_no_harm (Scene *scene, gconstpointer data)
{
  g_autoptr (GTlsDatabase) database = NULL;

  write_pem (scene->path, scene->family->root, scene->family->root, "");
  database = open_database (scene);
  g_assert_cmphex (verdict (database, scene->chain), ==, 0);
}

static void
assert_refused (Scene *scene, GQuark domain, int code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (g_tls_session_file_database_new (scene->path, &error));
  g_assert_error (error, domain, code);
  g_assert_nonnull (strstr (error->message, scene->path));
  assert_queue_is_empty ();
}

static void
a_file_that_is_not_sound_is_an_error (Scene *scene, gconstpointer data)
{
  g_autofree char *whole = forged_to_pem (scene->family->root);

  assert_refused (scene, G_FILE_ERROR, G_FILE_ERROR_NOENT);

  write_file (scene->path, "", 0);
  assert_refused (scene, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);

  write_file (scene->path, "nothing here\n", 13);
  assert_refused (scene, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);

  write_pem (scene->path, scene->family->root, NULL, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  assert_refused (scene, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);

  write_pem (scene->path, scene->family->root, NULL, "-----BEGIN CERTIFICATE-----\nMIIB");
  assert_refused (scene, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);

  write_file (scene->path, whole, strlen (whole) / 2);
  assert_refused (scene, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
}

static void
a_directory_is_no_file (Scene *scene, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (g_tls_session_file_database_new (scene->directory, &error));
  g_assert_nonnull (error);
  g_assert_true (error->domain == G_FILE_ERROR);
}

static void
without_a_file_nothing_is_trusted (Scene *scene, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsDatabase) database = g_initable_new (G_TLS_SESSION_TYPE_FILE_DATABASE, NULL, &error, NULL);

  g_assert_no_error (error);
  g_assert_cmphex (verdict (database, scene->chain), ==, G_TLS_CERTIFICATE_UNKNOWN_CA);
}

static void
one_never_loaded_trusts_nothing (Scene *scene, gconstpointer data)
{
  g_autoptr (GTlsDatabase) database = NULL;
  g_autoptr (GTlsDatabase) bare = g_object_new (G_TLS_SESSION_TYPE_DATABASE, NULL);

  write_pem (scene->path, scene->family->root, NULL, "");
  database = g_object_new (G_TLS_SESSION_TYPE_FILE_DATABASE, "anchors", scene->path, NULL);
  g_assert_cmphex (verdict (database, scene->chain), ==, G_TLS_CERTIFICATE_UNKNOWN_CA);
  g_assert_cmphex (verdict (bare, scene->chain), ==, G_TLS_CERTIFICATE_UNKNOWN_CA);
}

static void
another_file_takes_the_place_of_the_first (Scene *scene, gconstpointer data)
{
  g_autoptr (Family) strangers = family_new ();
  g_autofree char *second = g_build_filename (scene->directory, "second", NULL);
  g_autofree char *anchors = NULL;
  g_autoptr (GTlsDatabase) database = NULL;

  write_pem (scene->path, strangers->root, NULL, "");
  write_pem (second, scene->family->root, NULL, "");
  database = open_database (scene);
  g_assert_cmphex (verdict (database, scene->chain), !=, 0);

  g_object_set (database, "anchors", second, NULL);
  g_object_get (database, "anchors", &anchors, NULL);
  g_assert_cmpstr (anchors, ==, second);
  g_assert_cmphex (verdict (database, scene->chain), ==, 0);

  g_unlink (second);
  g_test_expect_message ("GTlsSession", G_LOG_LEVEL_WARNING, "*could not be read*nothing is trusted*");
  g_object_set (database, "anchors", second, NULL);
  g_test_assert_expected_messages ();
  g_assert_cmphex (verdict (database, scene->chain), ==, G_TLS_CERTIFICATE_UNKNOWN_CA);

  g_object_set (database, "anchors", NULL, NULL);
  g_assert_cmphex (verdict (database, scene->chain), ==, G_TLS_CERTIFICATE_UNKNOWN_CA);
}

static void
a_file_that_is_half_good_trusts_nothing (Scene *scene, gconstpointer data)
{
  g_autofree char *second = g_build_filename (scene->directory, "second", NULL);
  g_autoptr (GTlsDatabase) database = NULL;
  g_autoptr (GTlsDatabase) failed = NULL;
  g_autoptr (GError) error = NULL;

  write_pem (scene->path, scene->family->root, NULL, "");
  write_pem (second, scene->family->root, NULL, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");

  database = open_database (scene);
  g_test_expect_message ("GTlsSession", G_LOG_LEVEL_WARNING, "*nothing is trusted*");
  g_object_set (database, "anchors", second, NULL);
  g_test_assert_expected_messages ();
  g_assert_cmphex (verdict (database, scene->chain), ==, G_TLS_CERTIFICATE_UNKNOWN_CA);

  failed = g_object_new (G_TLS_SESSION_TYPE_FILE_DATABASE, "anchors", second, NULL);
  g_assert_false (g_initable_init (G_INITABLE (failed), NULL, &error));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_assert_cmphex (verdict (failed, scene->chain), ==, G_TLS_CERTIFICATE_UNKNOWN_CA);
  g_unlink (second);
}

/* Verifying */

static void
identity_and_purpose_are_judged (Scene *scene, gconstpointer data)
{
  g_autoptr (GSocketConnectable) right = g_network_address_new ("server.example.org", 443);
  g_autoptr (GSocketConnectable) wrong = g_network_address_new ("other.example.org", 443);
  g_autoptr (GTlsDatabase) database = NULL;

  write_pem (scene->path, scene->family->root, NULL, "");
  database = open_database (scene);

  g_assert_cmphex (g_tls_database_verify_chain (database, scene->chain, SERVER, right, NULL, 0, NULL, NULL), ==, 0);
  g_assert_cmphex (g_tls_database_verify_chain (database, scene->chain, SERVER, wrong, NULL, 0, NULL, NULL), ==,
                   G_TLS_CERTIFICATE_BAD_IDENTITY);
  g_assert_cmphex (g_tls_database_verify_chain (database, scene->chain, G_TLS_DATABASE_PURPOSE_AUTHENTICATE_CLIENT,
                                                right, NULL, 0, NULL, NULL),
                   ==, G_TLS_CERTIFICATE_GENERIC_ERROR);
}

static void
a_client_is_judged_as_a_client (Scene *scene, gconstpointer data)
{
  g_autoptr (Forged)
    client = forge (&(Order){ .name = "someone", .extended_key_usage = "clientAuth" }, scene->family->root);
  STACK_OF (X509) *sent = stack_of (client->x509, NULL);
  g_autoptr (GTlsSessionCertificate) certificate = g_tls_session_certificate_new_from_chain (sent);
  g_autoptr (GTlsDatabase) database = NULL;

  write_pem (scene->path, scene->family->root, NULL, "");
  database = open_database (scene);
  g_assert_cmphex (g_tls_database_verify_chain (database, G_TLS_CERTIFICATE (certificate),
                                                G_TLS_DATABASE_PURPOSE_AUTHENTICATE_CLIENT, NULL, NULL, 0, NULL, NULL),
                   ==, 0);
  g_assert_cmphex (verdict (database, G_TLS_CERTIFICATE (certificate)), ==, G_TLS_CERTIFICATE_GENERIC_ERROR);
  sk_X509_pop_free (sent, X509_free);
}

static void
a_chain_that_cannot_be_read_is_an_error (Scene *scene, gconstpointer data)
{
  g_autoptr (GTlsCertificate) unreadable = g_object_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL);
  g_autoptr (GTlsSessionDatabase) database = g_object_new (G_TLS_SESSION_TYPE_DATABASE, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmphex (
    g_tls_database_verify_chain (G_TLS_DATABASE (database), unreadable, SERVER, NULL, NULL, 0, NULL, &error), ==,
    G_TLS_CERTIFICATE_GENERIC_ERROR);
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
}

static void
a_cancelled_verification_is_an_error (Scene *scene, gconstpointer data)
{
  g_autoptr (GTlsDatabase) database = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  write_pem (scene->path, scene->family->root, NULL, "");
  database = open_database (scene);
  g_cancellable_cancel (cancellable);

  g_assert_cmphex (g_tls_database_verify_chain (database, scene->chain, SERVER, NULL, NULL, 0, cancellable, &error), ==,
                   G_TLS_CERTIFICATE_GENERIC_ERROR);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

typedef struct
{
  GTlsCertificateFlags faults;
  GError *error;
  GThread *thread;
  GMainContext *context;
  gboolean done;
} Answer;

static void
on_verified (GObject *database, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;

  answer->faults = g_tls_database_verify_chain_finish (G_TLS_DATABASE (database), result, &answer->error);
  answer->thread = g_thread_self ();
  answer->context = g_main_context_ref_thread_default ();
  answer->done = TRUE;
}

static void
wait_for (GMainContext *context, Answer *answer)
{
  while (!answer->done)
    g_main_context_iteration (context, TRUE);
}

static guint
count_threads (void)
{
  g_autoptr (GDir) tasks = g_dir_open ("/proc/self/task", 0, NULL);
  guint n = 0;

  while (tasks != NULL && g_dir_read_name (tasks) != NULL)
    n++;
  return n;
}

static void
the_asynchronous_answer_comes_later_in_the_callers_context (Scene *scene, gconstpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GTlsDatabase) database = NULL;
  Answer answer = { 0 };
  guint n_threads;

  /* The first GTask of a process starts GLib's own worker. */
  g_object_unref (g_task_new (NULL, NULL, NULL, NULL));
  n_threads = count_threads ();

  write_pem (scene->path, scene->family->root, NULL, "");
  database = open_database (scene);

  g_main_context_push_thread_default (context);
  g_tls_database_verify_chain_async (database, scene->chain, SERVER, NULL, NULL, 0, NULL, on_verified, &answer);
  g_assert_false (answer.done);
  g_assert_cmpuint (count_threads (), ==, n_threads);
  wait_for (context, &answer);
  g_main_context_pop_thread_default (context);

  g_assert_no_error (answer.error);
  g_assert_cmphex (answer.faults, ==, 0);
  g_assert_true (answer.thread == g_thread_self ());
  g_assert_true (answer.context == context);
  g_main_context_unref (answer.context);
}

static void
the_asynchronous_answer_tells_faults (Scene *scene, gconstpointer data)
{
  g_autoptr (GSocketConnectable) wrong = g_network_address_new ("other.example.org", 443);
  g_autoptr (GTlsSessionDatabase) database = g_object_new (G_TLS_SESSION_TYPE_DATABASE, NULL);
  Answer answer = { 0 };

  g_tls_database_verify_chain_async (G_TLS_DATABASE (database), scene->chain, SERVER, wrong, NULL, 0, NULL, on_verified,
                                     &answer);
  wait_for (NULL, &answer);
  g_assert_no_error (answer.error);
  g_assert_cmphex (answer.faults, ==, G_TLS_CERTIFICATE_UNKNOWN_CA | G_TLS_CERTIFICATE_BAD_IDENTITY);
  g_main_context_unref (answer.context);
}

static void
cancelled_before_or_after_the_asynchronous_call_is_cancelled (Scene *scene, gconstpointer data)
{
  g_autoptr (GTlsDatabase) database = NULL;

  write_pem (scene->path, scene->family->root, NULL, "");
  database = open_database (scene);

  for (int after = 0; after <= 1; after++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      Answer answer = { 0 };

      if (!after)
        g_cancellable_cancel (cancellable);
      g_tls_database_verify_chain_async (database, scene->chain, SERVER, NULL, NULL, 0, cancellable, on_verified,
                                         &answer);
      if (after)
        g_cancellable_cancel (cancellable);

      wait_for (NULL, &answer);
      g_assert_error (answer.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_assert_cmphex (answer.faults, ==, G_TLS_CERTIFICATE_GENERIC_ERROR);
      g_main_context_unref (answer.context);
      g_error_free (answer.error);
    }
}

static gpointer
verify_many_times (gpointer data)
{
  Scene *scene = ((gpointer *) data)[0];
  GTlsDatabase *database = ((gpointer *) data)[1];

  for (int i = 0; i < 200; i++)
    g_assert_cmphex (verdict (database, scene->chain), ==, 0);
  return NULL;
}

static void
serves_several_threads_at_once (Scene *scene, gconstpointer data)
{
  g_autoptr (GTlsDatabase) database = NULL;
  gpointer both[2] = { scene, NULL };
  GThread *threads[4];

  write_pem (scene->path, scene->family->root, NULL, "");
  database = open_database (scene);
  both[1] = database;

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("verify", verify_many_times, both);
  for (int i = 0; i < 20; i++)
    g_object_set (database, "anchors", scene->path, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

/* The system's. It is opened once, so each of these has a process of its own. */

static GTlsSessionDatabase *
get_system (void)
{
  g_autoptr (GError) error = NULL;
  GTlsSessionDatabase *database = g_tls_session_database_get_system (&error);

  g_assert_no_error (error);
  assert_queue_is_empty ();
  return database;
}

static int
count_read_certificates (GTlsSessionDatabase *database)
{
  return sk_X509_OBJECT_num (X509_STORE_get0_objects (database->store));
}

/* Gives the family's root the name that `openssl rehash` would. */
static char *
write_hashed (Scene *scene)
{
  X509 *root = scene->family->root->x509;
  unsigned long hash = X509_NAME_hash_ex (X509_get_subject_name (root), NULL, NULL, NULL);
  g_autofree char *name = g_strdup_printf ("%08lx.0", hash);
  char *path = g_build_filename (scene->directory, name, NULL);

  write_pem (path, scene->family->root, NULL, "");
  return path;
}

static void
in_a_process_of_its_own (void)
{
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
  g_test_trap_assert_passed ();
}

static void
the_system_has_one_database (Scene *scene, gconstpointer data)
{
  g_autoptr (GTlsSessionDatabase) one = get_system ();
  g_autoptr (GTlsSessionDatabase) other = get_system ();

  g_assert_true (one == other);
  g_assert_cmphex (verdict (one, scene->chain), ==, G_TLS_CERTIFICATE_UNKNOWN_CA);
}

static void
a_hashed_directory_is_not_read_whole (Scene *scene, gconstpointer data)
{
  g_autoptr (GTlsSessionDatabase) database = NULL;
  g_autofree char *path = NULL;

  if (!g_test_subprocess ())
    {
      in_a_process_of_its_own ();
      return;
    }

  path = write_hashed (scene);
  g_setenv ("SSL_CERT_DIR", scene->directory, TRUE);
  g_unsetenv ("SSL_CERT_FILE");

  database = get_system ();
  g_assert_cmpint (count_read_certificates (database), ==, 0);
  g_assert_cmphex (verdict (database, scene->chain), ==, 0);
  g_assert_cmpint (count_read_certificates (database), ==, 1);
  g_unlink (path);
}

static void
a_certificate_that_is_added_later_is_found (Scene *scene, gconstpointer data)
{
  g_autoptr (GTlsSessionDatabase) database = NULL;
  g_autofree char *path = NULL;

  if (!g_test_subprocess ())
    {
      in_a_process_of_its_own ();
      return;
    }

  g_setenv ("SSL_CERT_DIR", scene->directory, TRUE);
  g_unsetenv ("SSL_CERT_FILE");
  database = get_system ();
  g_assert_cmphex (verdict (database, scene->chain), ==, G_TLS_CERTIFICATE_UNKNOWN_CA);

  path = write_hashed (scene);
  g_assert_cmphex (verdict (database, scene->chain), ==, 0);
  g_unlink (path);
}

static void
the_file_of_the_environment_is_read (Scene *scene, gconstpointer data)
{
  g_autoptr (GTlsSessionDatabase) database = NULL;

  if (!g_test_subprocess ())
    {
      in_a_process_of_its_own ();
      return;
    }

  write_pem (scene->path, scene->family->root, NULL, "");
  g_setenv ("SSL_CERT_FILE", scene->path, TRUE);
  database = get_system ();
  g_assert_cmpint (count_read_certificates (database), ==, 0); /* not before it is needed */
  g_assert_cmphex (verdict (database, scene->chain), ==, 0);
}

static void
the_file_is_read_where_no_directory_is_named (Scene *scene, gconstpointer data)
{
  g_autoptr (GTlsSessionDatabase) database = NULL;

  if (!g_test_subprocess ())
    {
      in_a_process_of_its_own ();
      return;
    }

  write_pem (scene->path, scene->family->root, NULL, "");
  g_setenv ("SSL_CERT_DIR", "", TRUE);
  g_setenv ("SSL_CERT_FILE", scene->path, TRUE);
  database = get_system ();
  g_assert_cmphex (verdict (database, scene->chain), ==, 0);
}

/* The same certificate with a key of a kind that nobody knows. */
static void
write_with_unknown_key (const char *path, const Forged *one)
{
  static const guint8 known[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01 }; /* id-ecPublicKey */
  g_autoptr (BIO) bio = BIO_new_file (path, "w");
  g_autoptr (X509) odd = NULL;
  unsigned char *der = NULL;
  const unsigned char *at;
  int length = i2d_X509 (one->x509, &der);
  int found = 0;

  while (found + (int) sizeof known <= length && memcmp (der + found, known, sizeof known) != 0)
    found++;
  g_assert_cmpint (found + (int) sizeof known, <=, length);
  der[found + (int) sizeof known - 1] = 0x7f;
  at = der;
  odd = d2i_X509 (NULL, &at, length);
  g_assert_nonnull (odd);
  g_assert_cmpint (PEM_write_bio_X509 (bio, odd), ==, 1);
  OPENSSL_free (der);
}

/* A store is made anew for certificates that memory was short for, and not for those that are what they are. */
static void
an_anchor_that_nobody_can_read_whole_is_read_once (Scene *scene, gconstpointer data)
{
  g_autoptr (GTlsSessionDatabase) database = NULL;
  g_autoptr (X509_STORE) first = NULL;
  g_autoptr (X509_STORE) second = NULL;

  if (!g_test_subprocess ())
    {
      in_a_process_of_its_own ();
      return;
    }

  write_with_unknown_key (scene->path, scene->family->root);
  g_setenv ("SSL_CERT_DIR", scene->directory, TRUE);
  g_setenv ("SSL_CERT_FILE", scene->path, TRUE);
  database = get_system ();
  g_assert_cmphex (verdict (database, scene->chain), !=, 0);
  first = g_tls_session_database_ref_store (database);
  g_assert_cmpint (count_read_certificates (database), ==, 1);
  g_assert_cmphex (verdict (database, scene->chain), !=, 0);
  second = g_tls_session_database_ref_store (database);
  g_assert_true (first == second);
}

/* All of it or nothing, as of any file; and once it is sound, the next verdict has it. */
static void
the_file_of_the_environment_is_read_again_until_it_is_sound (Scene *scene, gconstpointer data)
{
  g_autoptr (GTlsSessionDatabase) database = NULL;

  if (!g_test_subprocess ())
    {
      in_a_process_of_its_own ();
      return;
    }

  g_setenv ("SSL_CERT_DIR", scene->directory, TRUE);
  g_setenv ("SSL_CERT_FILE", scene->path, TRUE);
  database = get_system ();
  g_assert_cmphex (verdict (database, scene->chain), ==, G_TLS_CERTIFICATE_UNKNOWN_CA);

  write_pem (scene->path, scene->family->root, NULL, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  g_assert_cmphex (verdict (database, scene->chain), ==, G_TLS_CERTIFICATE_UNKNOWN_CA);

  write_pem (scene->path, scene->family->root, NULL, "");
  g_assert_cmphex (verdict (database, scene->chain), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define STORY(name) g_test_add ("/trust/database/" #name, Scene, NULL, scene_set_up, name, scene_tear_down)
  STORY (trusts_what_is_in_its_file);
  STORY (reads_anchors_in_der);
  STORY (the_same_anchor_twice_does_no_harm);
  STORY (a_file_that_is_not_sound_is_an_error);
  STORY (a_directory_is_no_file);
  STORY (without_a_file_nothing_is_trusted);
  STORY (one_never_loaded_trusts_nothing);
  STORY (another_file_takes_the_place_of_the_first);
  STORY (a_file_that_is_half_good_trusts_nothing);
  STORY (identity_and_purpose_are_judged);
  STORY (a_client_is_judged_as_a_client);
  STORY (a_chain_that_cannot_be_read_is_an_error);
  STORY (a_cancelled_verification_is_an_error);
  STORY (the_asynchronous_answer_comes_later_in_the_callers_context);
  STORY (the_asynchronous_answer_tells_faults);
  STORY (cancelled_before_or_after_the_asynchronous_call_is_cancelled);
  STORY (serves_several_threads_at_once);
  STORY (the_system_has_one_database);
  STORY (a_hashed_directory_is_not_read_whole);
  STORY (a_certificate_that_is_added_later_is_found);
  STORY (the_file_of_the_environment_is_read);
  STORY (the_file_is_read_where_no_directory_is_named);
  STORY (an_anchor_that_nobody_can_read_whole_is_read_once);
  STORY (the_file_of_the_environment_is_read_again_until_it_is_sound);

  return g_test_run ();
}
