/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What connections are made of, while OpenSSL runs out of memory: certificates, verdicts, tickets, ticket keys, a store. */

#include <string.h>

#include <openssl/pkcs12.h>

#include "conversation.h"
#include "paper.h"
#include "trial.h"

static Papers *papers;

/* Certificates */

static guint
count_chain (GTlsCertificate *certificate)
{
  guint n = 0;

  for (; certificate != NULL; certificate = g_tls_certificate_get_issuer (certificate))
    n++;
  return n;
}

static Outcome
read_pem (gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionCertificate) certificate = g_tls_session_certificate_new_from_pem (data, -1, &error);

  if (certificate != NULL)
    g_assert_cmpuint (count_chain (G_TLS_CERTIFICATE (certificate)), ==, 2);
  return trial_outcome (certificate != NULL, error);
}

static void
pem_is_read_or_not (void)
{
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "Leaf" }, papers->intermediate);
  g_autofree char *pem = joined (forged_to_pem (leaf), forged_to_pem (papers->intermediate), key_as_pkcs8 (leaf), NULL);

  trial_run (&(Story){ .name = "PEM", .tell = read_pem, .data = pem, .stride = 3 });
}

static Outcome
read_der (gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionCertificate) certificate = g_tls_session_certificate_new_from_der (data, &error);

  return trial_outcome (certificate != NULL, error);
}

static void
der_is_read_or_not (void)
{
  g_autoptr (GBytes) der = forged_to_der (papers->intermediate);

  trial_run (&(Story){ .name = "DER", .tell = read_der, .data = der, .stride = 3 });
}

static Outcome
read_pkcs12 (gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsCertificate) certificate = NULL;

  certificate = g_initable_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL, &error, "pkcs12-data", data, "password", "secret",
                                NULL);
  if (certificate != NULL)
    g_assert_cmpuint (count_chain (certificate), ==, 2);
  return trial_outcome (certificate != NULL, error);
}

static GByteArray *
pack (const Forged *leaf, const Forged *issuer)
{
  STACK_OF (X509) *others = stack_of (issuer->x509, NULL);
  PKCS12 *container = PKCS12_create ("secret", NULL, leaf->key, leaf->x509, others, 0, 0, 1, 1, 0);
  GByteArray *bytes = g_byte_array_new ();
  unsigned char *der = NULL;
  int length = i2d_PKCS12 (container, &der);

  g_assert_cmpint (length, >, 0);
  g_byte_array_append (bytes, der, (guint) length);
  OPENSSL_free (der);
  PKCS12_free (container);
  sk_X509_pop_free (others, X509_free);
  return bytes;
}

static void
pkcs12_is_read_or_not (void)
{
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "Leaf" }, papers->intermediate);
  g_autoptr (GByteArray) bytes = pack (leaf, papers->intermediate);

  trial_run (&(Story){ .name = "PKCS #12", .tell = read_pkcs12, .data = bytes, .stride = 3 });
}

/* Verdicts */

static GTlsCertificateFlags
judge (GTlsDatabase *database, const char *name)
{
  g_autoptr (GSocketConnectable) identity = g_network_address_new (name, 443);

  return g_tls_database_verify_chain (database, papers->server, G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER, identity,
                                      NULL, G_TLS_DATABASE_VERIFY_NONE, NULL, NULL);
}

static Outcome
judge_good_one (gpointer data)
{
  return judge (papers->database, SERVER_NAME) == 0 ? OUTCOME_SUCCESS : OUTCOME_ERROR;
}

static Outcome
judge_bad_ones (gpointer data)
{
  g_assert_cmpint (judge (papers->other_database, SERVER_NAME), !=, 0);
  g_assert_cmpint (judge (papers->database, "elsewhere.example.org"), !=, 0);
  return OUTCOME_ERROR;
}

static void
no_memory_is_no_good_verdict (void)
{
  trial_run (&(Story){ .name = "good chain", .tell = judge_good_one });
  trial_run (&(Story){ .name = "bad chains", .tell = judge_bad_ones, .whole = OUTCOME_ERROR });
}

/* Tickets, keys, stores */

/* In the process that tells the cases, for the same reason as in test-handshakes.c. */
static GTlsSessionTicket *ticket;

static void
obtain_ticket (gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionTicketKeys) keys = g_tls_session_ticket_keys_new (&error);
  Parties parties = {
    .papers = papers, .database = papers->database, .keys = keys, .version = G_TLS_PROTOCOL_VERSION_TLS_1_3
  };

  g_assert_no_error (error);
  ticket = conversation_obtain_ticket (&parties);
}

static GBytes *ticket_bytes;

static void
obtain_ticket_bytes (gpointer data)
{
  obtain_ticket (data);
  ticket_bytes = g_tls_session_ticket_to_bytes (ticket);
}

static Outcome
import_ticket (gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionTicket) imported = g_tls_session_ticket_new_from_bytes (ticket_bytes, &error);

  return trial_outcome (imported != NULL, error);
}

static void
ticket_is_imported_or_not (void)
{
  trial_run (&(Story){ .name = "ticket import", .prepare = obtain_ticket_bytes, .tell = import_ticket, .stride = 7 });
}

/* A file store refuses to be carried into another process, so each case opens its own. */
static Outcome
keep_and_take (gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionStore) store = (GTlsSessionStore *) g_tls_session_file_store_new (data, &error);
  g_autoptr (GTlsSessionTicket) taken = NULL;

  if (store == NULL)
    return trial_outcome (FALSE, error);
  if (g_tls_session_store_put (store, "key", ticket, &error))
    taken = g_tls_session_store_take (store, "key", &error);
  if (taken != NULL)
    g_assert_cmpstr (g_tls_session_ticket_get_id (taken), ==, g_tls_session_ticket_get_id (ticket));
  g_tls_session_store_clear (store, NULL);
  return taken != NULL ? OUTCOME_SUCCESS : OUTCOME_ERROR;
}

static void
store_gives_back_what_it_was_given_or_nothing (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *directory = g_dir_make_tmp ("gtls-session-XXXXXX", &error);
  g_autofree char *path = g_build_filename (directory, "sessions", NULL);

  g_assert_no_error (error);
  trial_run (
    &(Story){ .name = "file store", .prepare = obtain_ticket, .tell = keep_and_take, .data = path, .stride = 29 });
}

static Outcome
make_and_rotate (gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionTicketKeys) keys = g_tls_session_ticket_keys_new_from_bytes (data, &error);

  return trial_outcome (keys != NULL && g_tls_session_ticket_keys_rotate (keys, &error), error);
}

static void
ticket_keys_are_made_or_not (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionTicketKeys) keys = g_tls_session_ticket_keys_new (&error);
  g_autoptr (GBytes) bytes = g_tls_session_ticket_keys_to_bytes (keys);

  trial_run (&(Story){ .name = "ticket keys", .tell = make_and_rotate, .data = bytes, .stride = 101 });
}

int
main (int argc, char **argv)
{
  int result;

  allocator_install ();
  g_test_init (&argc, &argv, NULL);
  trial_init ();
  papers = papers_new ();

  g_test_add_func ("/allocation/material/pem_is_read_or_not", pem_is_read_or_not);
  g_test_add_func ("/allocation/material/der_is_read_or_not", der_is_read_or_not);
  g_test_add_func ("/allocation/material/pkcs12_is_read_or_not", pkcs12_is_read_or_not);
  g_test_add_func ("/allocation/material/no_memory_is_no_good_verdict", no_memory_is_no_good_verdict);
  g_test_add_func ("/allocation/material/ticket_is_imported_or_not", ticket_is_imported_or_not);
  g_test_add_func ("/allocation/material/store_gives_back_what_it_was_given_or_nothing",
                   store_gives_back_what_it_was_given_or_nothing);
  g_test_add_func ("/allocation/material/ticket_keys_are_made_or_not", ticket_keys_are_made_or_not);
  result = g_test_run ();

  papers_free (papers);
  return result;
}
