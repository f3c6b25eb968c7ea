/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Certificates out of PEM and DER, their chains and keys, and what they say. */

#include "paper.h"
#include "trust/certificate-private.h"

#include <string.h>

#include <glib/gstdio.h>

#include <openssl/err.h>
#include <openssl/pem.h>

static void
assert_refused (const char *pem, gssize length, int code)
{
  g_autoptr (GError) error = NULL;
  GTlsSessionCertificate *certificate;

  ERR_raise (ERR_LIB_USER, ERR_R_INTERNAL_ERROR); /* somebody else's, from before */
  certificate = g_tls_session_certificate_new_from_pem (pem, length, &error);
  g_assert_null (certificate);
  g_assert_error (error, G_TLS_ERROR, code);
  g_assert_null (strstr (error->message, "internal error"));
  assert_queue_is_empty ();
}

/* Reading */

static void
reads_pem_and_der (void)
{
  g_autoptr (Family) family = family_new ();
  g_autoptr (GBytes) der = forged_to_der (family->leaf);
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionCertificate) from_pem = certificate_of (family->leaf);
  g_autoptr (GTlsSessionCertificate) from_der = g_tls_session_certificate_new_from_der (der, &error);

  g_assert_no_error (error);
  assert_is (from_pem, family->leaf);
  assert_is (from_der, family->leaf);
  g_assert_null (issuer_of (from_pem));
  g_assert_null (g_tls_session_certificate_get_key (from_pem));
}

static void
gives_back_what_it_was_made_from (void)
{
  g_autoptr (Family) family = family_new ();
  g_autofree char *given = forged_to_pem (family->leaf);
  g_autoptr (GBytes) given_der = forged_to_der (family->leaf);
  g_autoptr (GTlsSessionCertificate) certificate = certificate_from (given);
  g_autoptr (GByteArray) der = NULL;
  g_autofree char *pem = NULL;

  g_object_get (certificate, "certificate", &der, "certificate-pem", &pem, NULL);
  g_assert_cmpstr (pem, ==, given);
  g_assert_cmpmem (der->data, der->len, g_bytes_get_data (given_der, NULL), g_bytes_get_size (given_der));
}

static void
is_made_from_properties (void)
{
  g_autoptr (Family) family = family_new ();
  g_autofree char *pem = forged_to_pem (family->leaf);
  g_autofree char *key = key_as_pkcs8 (family->leaf);
  g_autoptr (GTlsSessionCertificate) issuer = certificate_of (family->intermediate);
  g_autoptr (GBytes) der = forged_to_der (family->leaf);
  g_autoptr (GByteArray) der_array = g_bytes_unref_to_array (g_bytes_ref (der));
  g_autoptr (GByteArray) der_key = key_as_der (family->leaf);
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsCertificate) from_pem = g_initable_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL, &error, "issuer", issuer,
                                                         "private-key-pem", key, "certificate-pem", pem, NULL);
  g_autoptr (GTlsCertificate) from_der = NULL;

  g_assert_no_error (error);
  from_der = g_initable_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL, &error, "private-key", der_key, "certificate",
                             der_array, NULL);
  g_assert_no_error (error);

  assert_is (from_pem, family->leaf);
  assert_is (from_der, family->leaf);
  g_assert_true (issuer_of (from_pem) == G_TLS_CERTIFICATE (issuer));
  g_assert_true (g_tls_certificate_is_same (from_pem, from_der));
  g_assert_false (g_tls_certificate_is_same (from_pem, G_TLS_CERTIFICATE (issuer)));
}

static void
assert_key_is_read (Forged *forged, char *key_text)
{
  g_autofree char *certificate_first = joined (forged_to_pem (forged), g_strdup (key_text), NULL);
  g_autofree char *key_first = joined (key_text, forged_to_pem (forged), NULL);
  g_autoptr (GTlsSessionCertificate) one = certificate_from (certificate_first);
  g_autoptr (GTlsSessionCertificate) other = certificate_from (key_first);
  g_autofree char *expected = key_as_pkcs8 (forged);
  g_autofree char *pem = NULL;
  g_autoptr (GByteArray) der = NULL;
  const guint8 *end;
  EVP_PKEY *key;

  g_assert_cmpint (EVP_PKEY_eq (g_tls_session_certificate_get_key (one), forged->key), ==, 1);
  g_assert_cmpint (EVP_PKEY_eq (g_tls_session_certificate_get_key (other), forged->key), ==, 1);

  /* Gio: "When this property is read, the output format will be unencrypted PKCS #8." */
  g_object_get (one, "private-key-pem", &pem, "private-key", &der, NULL);
  g_assert_cmpstr (pem, ==, expected);
  end = der->data;
  key = d2i_PrivateKey (EVP_PKEY_get_base_id (forged->key), NULL, &end, der->len);
  g_assert_cmpint (EVP_PKEY_eq (key, forged->key), ==, 1);
  EVP_PKEY_free (key);
  g_assert_nonnull (strstr (pem, "BEGIN PRIVATE KEY"));
}

static void
reads_keys_of_every_form (void)
{
  g_autoptr (Forged) ec = forge (&(Order){ .name = "a" }, NULL);
  g_autoptr (Forged) rsa = forge (&(Order){ .name = "a", .rsa_bits = 2048 }, NULL);

  assert_key_is_read (ec, key_as_pkcs8 (ec));
  assert_key_is_read (ec, key_as_traditional (ec));
  assert_key_is_read (rsa, key_as_pkcs8 (rsa));
  assert_key_is_read (rsa, key_as_traditional (rsa));
}

static void
a_key_of_another_is_refused (void)
{
  g_autoptr (Family) family = family_new ();
  g_autofree char *text = joined (forged_to_pem (family->leaf), key_as_pkcs8 (family->root), NULL);

  assert_refused (text, -1, G_TLS_ERROR_BAD_CERTIFICATE);
}

static void
data_without_a_certificate_is_refused (void)
{
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "a" }, NULL);
  g_autofree char *key = key_as_pkcs8 (leaf);

  assert_refused ("", -1, G_TLS_ERROR_BAD_CERTIFICATE);
  assert_refused ("", 0, G_TLS_ERROR_BAD_CERTIFICATE);
  assert_refused ("not a certificate at all", -1, G_TLS_ERROR_BAD_CERTIFICATE);
  assert_refused (key, -1, G_TLS_ERROR_BAD_CERTIFICATE);
  assert_refused ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", -1, G_TLS_ERROR_BAD_CERTIFICATE);
  assert_refused ("-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n", -1, G_TLS_ERROR_BAD_CERTIFICATE);
}

static void
data_that_breaks_off_is_refused (void)
{
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "a" }, NULL);
  g_autofree char *pem = forged_to_pem (leaf);
  g_autoptr (GBytes) der = forged_to_der (leaf);
  gssize length = (gssize) strlen (pem) - 1; /* the last line end may be missing */

  for (gssize i = 0; i < length; i++)
    assert_refused (pem, i, G_TLS_ERROR_BAD_CERTIFICATE);

  for (gsize i = 0; i < g_bytes_get_size (der); i++)
    {
      g_autoptr (GBytes) part = g_bytes_new_from_bytes (der, 0, i);
      g_autoptr (GError) error = NULL;

      g_assert_null (g_tls_session_certificate_new_from_der (part, &error));
      g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
      assert_queue_is_empty ();
    }
}

static void
der_with_more_behind_it_is_refused (void)
{
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "a" }, NULL);
  g_autoptr (GByteArray) data = g_bytes_unref_to_array (forged_to_der (leaf));
  g_autoptr (GBytes) der = NULL;
  g_autoptr (GError) error = NULL;

  g_byte_array_append (data, (const guint8 *) "x", 1);
  der = g_byte_array_free_to_bytes (g_steal_pointer (&data));
  g_assert_null (g_tls_session_certificate_new_from_der (der, &error));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
}

static void
one_broken_certificate_spoils_the_chain (void)
{
  g_autoptr (Family) family = family_new ();
  g_autofree char *text = joined (forged_to_pem (family->leaf),
                                  g_strdup ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
                                  forged_to_pem (family->intermediate), NULL);

  assert_refused (text, -1, G_TLS_ERROR_BAD_CERTIFICATE);
}

static void
properties_without_a_certificate_are_refused (void)
{
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "a" }, NULL);
  g_autofree char *pem = forged_to_pem (leaf);
  g_autofree char *key = key_as_pkcs8 (leaf);
  GError *error = NULL;

  g_assert_null (g_initable_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL, &error, NULL));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_clear_error (&error);

  g_assert_null (g_initable_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL, &error, "private-key-pem", key, NULL));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_clear_error (&error);

  g_assert_null (g_initable_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL, &error, "certificate-pem", pem,
                                 "private-key-pem", "no key", NULL));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_clear_error (&error);
}

static void
it_may_be_initialised_twice_and_cancelled (void)
{
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "a" }, NULL);
  g_autofree char *pem = forged_to_pem (leaf);
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  g_autoptr (GTlsSessionCertificate) certificate = certificate_of (leaf);
  g_autoptr (GError) error = NULL;

  g_assert_true (g_initable_init (G_INITABLE (certificate), NULL, &error));
  g_assert_no_error (error);
  assert_is (certificate, leaf);

  g_cancellable_cancel (cancelled);
  g_assert_null (g_initable_new (G_TLS_SESSION_TYPE_CERTIFICATE, cancelled, &error, "certificate-pem", pem, NULL));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* Gio has them so: what can be read is what a certificate says, and what opens it cannot. */
static void
a_password_and_pkcs12_data_cannot_be_read (void)
{
  g_autoptr (GTypeClass) class = g_type_class_ref (G_TLS_SESSION_TYPE_CERTIFICATE);
  const char *const secret[] = { "password", "pkcs12-data" };

  for (guint i = 0; i < G_N_ELEMENTS (secret); i++)
    g_assert_false (g_object_class_find_property (G_OBJECT_CLASS (class), secret[i])->flags & G_PARAM_READABLE);
}

static void
one_never_initialised_is_harmless (void)
{
  g_autoptr (GTlsCertificate) certificate = g_object_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL);
  g_autoptr (GByteArray) der = NULL;
  g_autofree char *name = g_tls_certificate_get_subject_name (certificate);

  g_object_get (certificate, "certificate", &der, NULL);
  g_assert_null (der);
  g_assert_null (name);
  g_assert_null (g_tls_session_chain_from_certificate (certificate));
  g_assert_cmphex (g_tls_certificate_verify (certificate, NULL, NULL), ==, G_TLS_CERTIFICATE_GENERIC_ERROR);
}

/* Gio's contract is g_initable_new(), but there are programs that do without, and other backends let them. */
static void
one_never_initialised_is_what_it_was_made_of (void)
{
  g_autoptr (Family) family = family_new ();
  g_autofree char *pem = forged_to_pem (family->leaf);
  g_autofree char *key = key_as_pkcs8 (family->leaf);
  g_autoptr (GTlsSessionCertificate) issuer = certificate_of (family->intermediate);
  g_autoptr (GTlsSessionCertificate) certificate = g_object_new (G_TLS_SESSION_TYPE_CERTIFICATE, "issuer", issuer,
                                                                 "private-key-pem", key, "certificate-pem", pem, NULL);
  g_autoptr (GError) error = NULL;

  assert_is (certificate, family->leaf);
  g_assert_true (issuer_of (certificate) == G_TLS_CERTIFICATE (issuer));
  g_assert_nonnull (g_tls_session_certificate_get_key (certificate));

  g_assert_true (g_initable_init (G_INITABLE (certificate), NULL, &error));
  g_assert_no_error (error);
  assert_is (certificate, family->leaf);
}

static void
init_tells_what_was_wrong_before (void)
{
  g_autoptr (Family) family = family_new ();
  g_autofree char *pem = forged_to_pem (family->leaf);
  g_autofree char *key = key_as_pkcs8 (family->intermediate);
  g_autoptr (GTlsSessionCertificate)
    certificate = g_object_new (G_TLS_SESSION_TYPE_CERTIFICATE, "private-key-pem", key, "certificate-pem", pem, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (g_tls_session_certificate_get_x509 (certificate));
  g_assert_false (g_initable_init (G_INITABLE (certificate), NULL, &error));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  assert_queue_is_empty ();
}

static void
reads_files (void)
{
  g_autoptr (Family) family = family_new ();
  g_autofree char *directory = g_dir_make_tmp ("trust-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (directory, "certificate", NULL);
  g_autofree char *pem = joined (key_as_pkcs8 (family->leaf), forged_to_pem (family->leaf),
                                 forged_to_pem (family->intermediate), NULL);
  g_autoptr (GBytes) der = forged_to_der (family->root);
  g_autoptr (GTlsSessionCertificate) from_pem = NULL;
  g_autoptr (GTlsSessionCertificate) from_der = NULL;
  GError *error = NULL;

  write_file (path, pem, strlen (pem));
  from_pem = g_tls_session_certificate_new_from_file (path, &error);
  g_assert_no_error (error);
  assert_is (from_pem, family->leaf);
  assert_is (issuer_of (from_pem), family->intermediate);
  g_assert_nonnull (g_tls_session_certificate_get_key (from_pem));

  write_file (path, g_bytes_get_data (der, NULL), g_bytes_get_size (der));
  from_der = g_tls_session_certificate_new_from_file (path, &error);
  g_assert_no_error (error);
  assert_is (from_der, family->root);

  write_file (path, "", 0);
  g_assert_null (g_tls_session_certificate_new_from_file (path, &error));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_assert_nonnull (strstr (error->message, path));
  g_clear_error (&error);

  g_unlink (path);
  g_assert_null (g_tls_session_certificate_new_from_file (path, &error));
  g_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
  g_clear_error (&error);

  g_rmdir (directory);
}

/* What it says */

static void
tells_names_dates_and_addresses (void)
{
  g_autoptr (Family) family = family_new ();
  g_autoptr (GTlsSessionCertificate) certificate = certificate_of (family->leaf);
  GTlsCertificate *tls = G_TLS_CERTIFICATE (certificate);
  g_autofree char *subject = g_tls_certificate_get_subject_name (tls);
  g_autofree char *issuer = g_tls_certificate_get_issuer_name (tls);
  g_autoptr (GDateTime) from = g_tls_certificate_get_not_valid_before (tls);
  g_autoptr (GDateTime) to = g_tls_certificate_get_not_valid_after (tls);
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autoptr (GPtrArray) names = g_tls_certificate_get_dns_names (tls);
  g_autoptr (GPtrArray) addresses = g_tls_certificate_get_ip_addresses (tls);
  g_autoptr (GBytes) name = g_bytes_new_static ("*.wild.example.org", strlen ("*.wild.example.org"));
  g_autofree char *address = NULL;

  g_assert_cmpstr (subject, ==, "O=Söhne\\, Inc,CN=server.example.org");
  g_assert_cmpstr (issuer, ==, "O=Söhne\\, Inc,CN=Intermediate");
  g_assert_cmpint (g_date_time_difference (now, from) / G_TIME_SPAN_MINUTE, ==, 24 * 60);
  g_assert_cmpint ((g_date_time_difference (to, now) + G_TIME_SPAN_MINUTE) / G_TIME_SPAN_DAY, ==, 30);

  g_assert_cmpuint (names->len, ==, 2);
  g_assert_true (g_bytes_equal (g_ptr_array_index (names, 1), name));

  g_assert_cmpuint (addresses->len, ==, 2);
  address = g_inet_address_to_string (g_ptr_array_index (addresses, 1));
  g_assert_cmpstr (address, ==, "2001:db8::7");
}

static void
has_no_names_where_there_are_none (void)
{
  g_autoptr (Family) family = family_new ();
  g_autoptr (GTlsSessionCertificate) certificate = certificate_of (family->root);
  g_autoptr (GPtrArray) names = g_tls_certificate_get_dns_names (G_TLS_CERTIFICATE (certificate));
  g_autoptr (GPtrArray) addresses = g_tls_certificate_get_ip_addresses (G_TLS_CERTIFICATE (certificate));
  g_autofree char *uri = NULL;
  g_autofree char *key = NULL;

  g_object_get (certificate, "pkcs11-uri", &uri, "private-key-pem", &key, NULL);
  g_assert_cmpuint (names->len, ==, 0);
  g_assert_cmpuint (addresses->len, ==, 0);
  g_assert_null (uri);
  g_assert_null (key);
}

/* Verifying one against another */

static void
verifies_against_a_ca (void)
{
  g_autoptr (Family) family = family_new ();
  g_autoptr (Family) strangers = family_new ();
  g_autofree char *pem = joined (forged_to_pem (family->leaf), forged_to_pem (family->intermediate), NULL);
  g_autoptr (GTlsSessionCertificate) certificate = certificate_from (pem);
  g_autoptr (GTlsSessionCertificate) bare = certificate_of (family->leaf);
  g_autoptr (GTlsSessionCertificate) root = certificate_of (family->root);
  g_autoptr (GTlsSessionCertificate) stranger = certificate_of (strangers->root);
  g_autoptr (GSocketConnectable) right = g_network_address_new ("server.example.org", 443);
  g_autoptr (GSocketConnectable) wrong = g_network_address_new ("other.example.org", 443);
  GTlsCertificate *tls = G_TLS_CERTIFICATE (certificate);

  g_assert_cmphex (g_tls_certificate_verify (tls, right, G_TLS_CERTIFICATE (root)), ==, 0);
  g_assert_cmphex (g_tls_certificate_verify (tls, wrong, G_TLS_CERTIFICATE (root)), ==, G_TLS_CERTIFICATE_BAD_IDENTITY);
  g_assert_cmphex (g_tls_certificate_verify (tls, right, G_TLS_CERTIFICATE (stranger)), !=, 0);
  g_assert_cmphex (g_tls_certificate_verify (G_TLS_CERTIFICATE (bare), NULL, G_TLS_CERTIFICATE (root)), ==,
                   G_TLS_CERTIFICATE_UNKNOWN_CA);
}

static void
without_a_ca_all_else_is_verified (void)
{
  g_autoptr (Forged) expired = forge (&(Order){ .name = "a", .from_day = -9, .to_day = -1 }, NULL);
  g_autoptr (Family) family = family_new ();
  g_autoptr (GTlsSessionCertificate) sound = certificate_of (family->leaf);
  g_autoptr (GTlsSessionCertificate) old = certificate_of (expired);
  g_autoptr (GSocketConnectable) wrong = g_network_address_new ("other.example.org", 443);

  g_assert_cmphex (g_tls_certificate_verify (G_TLS_CERTIFICATE (sound), NULL, NULL), ==, 0);
  g_assert_cmphex (g_tls_certificate_verify (G_TLS_CERTIFICATE (sound), wrong, NULL), ==,
                   G_TLS_CERTIFICATE_BAD_IDENTITY);
  g_assert_cmphex (g_tls_certificate_verify (G_TLS_CERTIFICATE (old), NULL, NULL), ==, G_TLS_CERTIFICATE_EXPIRED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define STORY(name) g_test_add_func ("/trust/certificate/" #name, name)
  STORY (reads_pem_and_der);
  STORY (gives_back_what_it_was_made_from);
  STORY (is_made_from_properties);
  STORY (reads_keys_of_every_form);
  STORY (a_key_of_another_is_refused);
  STORY (data_without_a_certificate_is_refused);
  STORY (data_that_breaks_off_is_refused);
  STORY (der_with_more_behind_it_is_refused);
  STORY (one_broken_certificate_spoils_the_chain);
  STORY (properties_without_a_certificate_are_refused);
  STORY (it_may_be_initialised_twice_and_cancelled);
  STORY (a_password_and_pkcs12_data_cannot_be_read);
  STORY (one_never_initialised_is_harmless);
  STORY (one_never_initialised_is_what_it_was_made_of);
  STORY (init_tells_what_was_wrong_before);
  STORY (reads_files);
  STORY (tells_names_dates_and_addresses);
  STORY (has_no_names_where_there_are_none);
  STORY (verifies_against_a_ca);
  STORY (without_a_ca_all_else_is_verified);

  return g_test_run ();
}
