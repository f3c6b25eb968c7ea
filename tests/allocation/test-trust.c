/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is trusted while OpenSSL runs out of memory, and what it trusts when memory is back. */

#include <glib/gstdio.h>
#include <string.h>

#include "paper.h"
#include "papers.h"
#include "trial.h"
#include "trust/database-private.h"
#include "trust/verify.h"

static Papers *papers;
static char *directory;

static GTlsCertificateFlags
judge (gpointer database, GTlsCertificate *chain)
{
  return g_tls_database_verify_chain (G_TLS_DATABASE (database), chain, G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER,
                                      NULL, NULL, G_TLS_DATABASE_VERIFY_NONE, NULL, NULL);
}

static char *
write_pem (const char *name, const Forged *first, const Forged *second)
{
  g_autofree char *pem = joined (forged_to_pem (first), forged_to_pem (second), NULL);
  char *path = g_build_filename (directory, name, NULL);

  write_file (path, pem, strlen (pem));
  return path;
}

/* The system's certificates are read once in a process. Where memory was short then, they are read again. */

static Outcome
judge_by_the_system (gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionDatabase) system_database = g_tls_session_database_get_system (&error);

  g_assert_true ((system_database != NULL) == (error == NULL));
  if (system_database == NULL)
    return OUTCOME_ERROR;
  return judge (system_database, papers->server) == 0 ? OUTCOME_SUCCESS : OUTCOME_ERROR;
}

static void
the_systems_file_is_read_again (void)
{
  g_autofree char *path = write_pem ("certificates.pem", papers->stranger, papers->root);

  g_setenv ("SSL_CERT_DIR", "/nonexistent", TRUE);
  g_setenv ("SSL_CERT_FILE", path, TRUE);
  trial_run (&(Story){ .name = "system's file", .tell = judge_by_the_system, .from_cold = TRUE, .stride = 3 });
  g_unlink (path);
}

static void
the_systems_directory_is_looked_into_again (void)
{
  unsigned long hash = X509_NAME_hash_ex (X509_get_subject_name (papers->root->x509), NULL, NULL, NULL);
  g_autofree char *name = g_strdup_printf ("%08lx.0", hash);
  g_autofree char *pem = forged_to_pem (papers->root);
  g_autofree char *path = g_build_filename (directory, name, NULL);

  write_file (path, pem, strlen (pem));
  g_setenv ("SSL_CERT_DIR", directory, TRUE);
  g_unsetenv ("SSL_CERT_FILE");
  trial_run (&(Story){ .name = "system's directory", .tell = judge_by_the_system, .from_cold = TRUE, .stride = 3 });
  g_unlink (path);
}

/* Of several anchors of one name the one that signed is taken; without memory to find it, none is. */

typedef struct
{
  X509_STORE *store;
  STACK_OF (X509) *chain;
} Namesakes;

static Outcome
judge_among_namesakes (gpointer data)
{
  const Namesakes *self = data;
  GTlsCertificateFlags faults = g_tls_session_verify_chain (self->store, self->chain,
                                                            G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER, NULL, NULL);

  return faults == 0 ? OUTCOME_SUCCESS : OUTCOME_ERROR;
}

static void
the_anchor_that_signed_is_taken_or_none (void)
{
  const Order order = { .name = "CA", .is_ca = TRUE, .without_key_identifiers = TRUE };
  g_autoptr (Forged) one = forge (&order, NULL);
  g_autoptr (Forged) other = forge (&order, NULL);
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "Leaf", .without_key_identifiers = TRUE }, other);
  STACK_OF (X509) *anchors = stack_of (one->x509, other->x509, NULL);
  Namesakes namesakes = { g_tls_session_store_new (anchors), stack_of (leaf->x509, NULL) };

  trial_run (&(Story){ .name = "namesakes", .tell = judge_among_namesakes, .data = &namesakes });
  X509_STORE_free (namesakes.store);
  sk_X509_pop_free (namesakes.chain, X509_free);
  sk_X509_pop_free (anchors, X509_free);
}

/* Databases from files, and what is looked up in them. Nothing is left out for want of memory: there is an error then. */

static Outcome
open_file (gpointer path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionFileDatabase) database = g_tls_session_file_database_new (path, &error);

  if (database != NULL)
    {
      allocator_disarm (); /* what was opened is whole */
      g_assert_cmpint (judge (database, papers->server), ==, 0);
    }
  return trial_outcome (database != NULL, error);
}

static void
a_file_is_opened_or_not (void)
{
  g_autofree char *path = write_pem ("anchors.pem", papers->stranger, papers->root);

  trial_run (&(Story){ .name = "file of anchors", .tell = open_file, .data = path, .stride = 3 });
  g_unlink (path);
}

static Outcome
find_issuer (gpointer certificate)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsCertificate) issuer = NULL;

  issuer = g_tls_database_lookup_certificate_issuer (papers->database, certificate, NULL, 0, NULL, &error);
  if (issuer != NULL)
    assert_is (issuer, papers->root);
  return trial_outcome (issuer != NULL, error);
}

static Outcome
list_issued (gpointer name)
{
  g_autoptr (GError) error = NULL;
  GList *found = g_tls_database_lookup_certificates_issued_by (papers->database, name, NULL, 0, NULL, &error);
  guint n_found = g_list_length (found);

  g_list_free_full (found, g_object_unref);
  return trial_outcome (n_found == 1, error);
}

static Outcome
find_handle (gpointer handle)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsCertificate) found = NULL;

  found = g_tls_database_lookup_certificate_for_handle (papers->database, handle, NULL, 0, NULL, &error);
  return trial_outcome (found != NULL, error);
}

static GByteArray *
name_of (const Forged *forged)
{
  GByteArray *bytes = g_byte_array_new ();
  unsigned char *der = NULL;
  int length = i2d_X509_NAME (X509_get_subject_name (forged->x509), &der);

  g_assert_cmpint (length, >, 0);
  g_byte_array_append (bytes, der, (guint) length);
  OPENSSL_free (der);
  return bytes;
}

static void
lookups_find_or_fail (void)
{
  g_autoptr (GTlsSessionCertificate) intermediate = certificate_of (papers->intermediate);
  g_autoptr (GTlsSessionCertificate) root = certificate_of (papers->root);
  g_autoptr (GByteArray) name = name_of (papers->root);
  g_autofree char *handle = g_tls_database_create_certificate_handle (papers->database, G_TLS_CERTIFICATE (root));

  trial_run (&(Story){ .name = "issuer looked up", .tell = find_issuer, .data = intermediate });
  trial_run (&(Story){ .name = "issued by the root", .tell = list_issued, .data = name });
  trial_run (&(Story){ .name = "handle looked up", .tell = find_handle, .data = handle });
}

/* g_tls_certificate_verify() makes a store for its one anchor. */
static Outcome
verify_by_hand (gpointer trusted)
{
  GTlsCertificateFlags faults = g_tls_certificate_verify (papers->server, NULL, trusted);

  return faults == 0 ? OUTCOME_SUCCESS : OUTCOME_ERROR;
}

static Outcome
verify_a_stranger_by_hand (gpointer trusted)
{
  g_assert_cmpint (g_tls_certificate_verify (papers->server, NULL, trusted), !=, 0);
  return OUTCOME_ERROR;
}

static void
one_anchor_is_trusted_or_none (void)
{
  g_autoptr (GTlsSessionCertificate) root = certificate_of (papers->root);
  g_autoptr (GTlsSessionCertificate) stranger = certificate_of (papers->stranger);

  trial_run (&(Story){ .name = "one anchor", .tell = verify_by_hand, .data = root, .stride = 3 });
  trial_run (&(Story){ .name = "another anchor",
                       .tell = verify_a_stranger_by_hand,
                       .data = stranger,
                       .stride = 3,
                       .whole = OUTCOME_ERROR });
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int result;

  allocator_install ();
  g_test_init (&argc, &argv, NULL);
  trial_init ();
  papers = papers_new ();
  directory = g_dir_make_tmp ("gtls-session-XXXXXX", &error);
  g_assert_no_error (error);

  g_test_add_func ("/allocation/trust/the_systems_file_is_read_again", the_systems_file_is_read_again);
  g_test_add_func ("/allocation/trust/the_systems_directory_is_looked_into_again",
                   the_systems_directory_is_looked_into_again);
  g_test_add_func ("/allocation/trust/the_anchor_that_signed_is_taken_or_none",
                   the_anchor_that_signed_is_taken_or_none);
  g_test_add_func ("/allocation/trust/a_file_is_opened_or_not", a_file_is_opened_or_not);
  g_test_add_func ("/allocation/trust/lookups_find_or_fail", lookups_find_or_fail);
  g_test_add_func ("/allocation/trust/one_anchor_is_trusted_or_none", one_anchor_is_trusted_or_none);
  result = g_test_run ();

  g_rmdir (directory);
  g_free (directory);
  papers_free (papers);
  return result;
}
