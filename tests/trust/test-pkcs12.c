/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Certificates out of PKCS #12. */

#include "paper.h"
#include "trust/certificate-private.h"

#include <string.h>

#include <glib/gstdio.h>

#include <openssl/pkcs12.h>
#include <openssl/provider.h>

/* How a container is to be made. 0 and NULL are OpenSSL's choice of today. */
typedef struct
{
  const char *password;
  int key_cipher;
  int certificate_cipher;
  gboolean without_mac;
  OSSL_LIB_CTX *library;
} Packing;

/* @key and @leaf: nullable. */
static GByteArray *
pack (const Packing *how, const Forged *key, const Forged *leaf, STACK_OF (X509) *others)
{
  PKCS12 *container = PKCS12_create_ex (
    how->password, "name", key != NULL ? key->key : NULL, leaf != NULL ? leaf->x509 : NULL, others, how->key_cipher,
    how->certificate_cipher, 2048, how->without_mac ? -1 : 2048, 0, how->library, NULL);
  GByteArray *data = g_byte_array_new ();
  unsigned char *der = NULL;
  int length = i2d_PKCS12 (container, &der);

  g_assert_cmpint (length, >, 0);
  g_byte_array_append (data, der, (guint) length);
  OPENSSL_free (der);
  PKCS12_free (container);
  sk_X509_pop_free (others, X509_free);
  return data;
}

static GByteArray *
pack_family (const Packing *how, const Family *family)
{
  return pack (how, family->leaf, family->leaf,
               stack_of (family->root->x509, family->intermediate->x509, family->leaf->x509, NULL));
}

static GTlsCertificate *
unpack (GByteArray *data, const char *password, GError **error)
{
  GTlsCertificate *certificate = g_initable_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL, error, "pkcs12-data", data,
                                                 "password", password, NULL);

  assert_queue_is_empty ();
  return certificate;
}

static void
assert_unpacks (GByteArray *data, const char *password, const Family *family)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsCertificate) certificate = unpack (data, password, &error);

  g_assert_no_error (error);
  assert_is (certificate, family->leaf);
  assert_is (issuer_of (certificate), family->intermediate);
  assert_is (issuer_of (issuer_of (certificate)), family->root);
  g_assert_null (issuer_of (issuer_of (issuer_of (certificate))));
  g_assert_cmpint (
    EVP_PKEY_eq (g_tls_session_certificate_get_key (G_TLS_SESSION_CERTIFICATE (certificate)), family->leaf->key), ==,
    1);
  g_assert_false (g_tls_session_certificate_is_locked (G_TLS_SESSION_CERTIFICATE (certificate)));
}

static void
assert_refused (GByteArray *data, const char *password, int code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (unpack (data, password, &error));
  g_assert_error (error, G_TLS_ERROR, code);
}

static void
brings_key_and_chain (void)
{
  g_autoptr (Family) family = family_new ();
  g_autoptr (GByteArray) data = pack_family (&(Packing){ .password = "secret" }, family);

  assert_unpacks (data, "secret", family);
}

static void
a_wrong_or_missing_password_is_told (void)
{
  g_autoptr (Family) family = family_new ();

  for (int without_mac = 0; without_mac <= 1; without_mac++)
    {
      g_autoptr (GByteArray)
        data = pack_family (&(Packing){ .password = "secret", .without_mac = without_mac }, family);

      assert_unpacks (data, "secret", family);
      assert_refused (data, "Secret", G_TLS_ERROR_BAD_CERTIFICATE_PASSWORD);
      assert_refused (data, "", G_TLS_ERROR_BAD_CERTIFICATE_PASSWORD);
      assert_refused (data, NULL, G_TLS_ERROR_BAD_CERTIFICATE_PASSWORD);
    }
}

static void
no_password_and_an_empty_one_are_the_same (void)
{
  g_autoptr (Family) family = family_new ();
  g_autoptr (GByteArray) none = pack_family (&(Packing){ .key_cipher = -1, .certificate_cipher = -1 }, family);
  g_autoptr (GByteArray) empty = pack_family (&(Packing){ .password = "" }, family);

  assert_unpacks (none, NULL, family);
  assert_unpacks (none, "", family);
  assert_unpacks (empty, NULL, family);
  assert_unpacks (empty, "", family);
  assert_refused (empty, "secret", G_TLS_ERROR_BAD_CERTIFICATE_PASSWORD);
}

static void
a_password_may_be_of_any_script (void)
{
  g_autoptr (Family) family = family_new ();
  g_autoptr (GByteArray) data = pack_family (&(Packing){ .password = "пароль 合言葉 é" }, family);

  assert_unpacks (data, "пароль 合言葉 é", family);
  assert_refused (data, "пароль 合言葉 e", G_TLS_ERROR_BAD_CERTIFICATE_PASSWORD);
}

static void
triple_des_is_read (void)
{
  g_autoptr (Family) family = family_new ();
  g_autoptr (GByteArray) data = pack_family (&(Packing){ .password = "secret",
                                                         .key_cipher = NID_pbe_WithSHA1And3_Key_TripleDES_CBC,
                                                         .certificate_cipher = NID_pbe_WithSHA1And3_Key_TripleDES_CBC },
                                             family);

  assert_unpacks (data, "secret", family);
}

static void
rc2_is_refused_with_a_reason (void)
{
  g_autoptr (Family) family = family_new ();
  g_autoptr (GByteArray) data = NULL;
  g_autoptr (GError) error = NULL;
  OSSL_LIB_CTX *old = OSSL_LIB_CTX_new ();
  OSSL_PROVIDER *legacy = OSSL_PROVIDER_load (old, "legacy");
  OSSL_PROVIDER *current = OSSL_PROVIDER_load (old, "default");

  if (legacy == NULL)
    g_test_skip ("OpenSSL has no legacy provider here");
  else
    {
      data = pack_family (&(Packing){ .password = "secret",
                                      .key_cipher = NID_pbe_WithSHA1And3_Key_TripleDES_CBC,
                                      .certificate_cipher = NID_pbe_WithSHA1And40BitRC2_CBC,
                                      .library = old },
                          family);
      OSSL_PROVIDER_unload (legacy);

      g_assert_null (unpack (data, "secret", &error));
      g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
      g_assert_nonnull (strstr (error->message, "legacy provider"));
      assert_refused (data, "wrong", G_TLS_ERROR_BAD_CERTIFICATE_PASSWORD);
    }
  OSSL_PROVIDER_unload (current);
  OSSL_LIB_CTX_free (old);
}

/* As an OpenSSL of today sees what a later standard may bring. */
static void
an_unknown_mac_is_not_called_a_wrong_password (void)
{
  static const guint8 sha256[] = { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01 };
  g_autoptr (Family) family = family_new ();
  g_autoptr (GByteArray) data = pack_family (&(Packing){ .password = "secret" }, family);
  g_autoptr (GError) error = NULL;
  guint8 *mac = NULL;

  for (guint i = 0; i + sizeof sha256 <= data->len; i++)
    if (memcmp (data->data + i, sha256, sizeof sha256) == 0)
      mac = data->data + i;
  g_assert_nonnull (mac);
  mac[sizeof sha256 - 1] = 0x7f;

  g_assert_null (unpack (data, "secret", &error));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, "does not know"));
}

static void
garbage_is_refused (void)
{
  g_autoptr (Family) family = family_new ();
  g_autoptr (GByteArray) data = pack_family (&(Packing){ .password = "secret" }, family);
  g_autoptr (GByteArray) longer = g_byte_array_new ();
  g_autoptr (GByteArray) certificate = g_bytes_unref_to_array (forged_to_der (family->leaf));

  assert_refused (certificate, NULL, G_TLS_ERROR_BAD_CERTIFICATE);
  for (guint length = 0; length < data->len; length += 7)
    {
      g_autoptr (GByteArray) part = g_byte_array_new ();

      g_byte_array_append (part, data->data, length);
      assert_refused (part, "secret", G_TLS_ERROR_BAD_CERTIFICATE);
    }

  g_byte_array_append (longer, data->data, data->len);
  g_byte_array_append (longer, (const guint8 *) "x", 1);
  assert_refused (longer, "secret", G_TLS_ERROR_BAD_CERTIFICATE);
}

/* A changed bit anywhere is an error, the right one or another, and never a crash. */
static void
a_changed_bit_is_an_error_or_does_no_harm (void)
{
  g_autoptr (Family) family = family_new ();
  g_autoptr (GByteArray) data = pack (&(Packing){ .password = "secret" }, family->leaf, family->leaf, NULL);

  for (guint i = 0; i < data->len; i += 13)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GTlsCertificate) certificate = NULL;

      data->data[i] ^= 0x10;
      certificate = unpack (data, "secret", &error);
      data->data[i] ^= 0x10;

      g_assert_true ((certificate == NULL) == (error != NULL));
      g_assert_true (error == NULL || error->domain == G_TLS_ERROR);
    }
}

static void
certificate_and_key_must_both_be_there (void)
{
  g_autoptr (Family) family = family_new ();
  g_autoptr (GByteArray) without_key = pack (&(Packing){ .password = "secret" }, NULL, family->leaf, NULL);
  g_autoptr (GByteArray) without_certificate = pack (&(Packing){ .password = "secret" }, family->leaf, NULL, NULL);
  g_autoptr (GByteArray)
    of_another = pack (&(Packing){ .password = "secret" }, family->leaf, NULL, stack_of (family->root->x509, NULL));

  assert_refused (without_key, "secret", G_TLS_ERROR_BAD_CERTIFICATE);
  assert_refused (without_certificate, "secret", G_TLS_ERROR_BAD_CERTIFICATE);
  assert_refused (of_another, "secret", G_TLS_ERROR_BAD_CERTIFICATE);
}

static void
files_are_known_by_their_names (void)
{
  g_autoptr (Family) family = family_new ();
  g_autofree char *directory = g_dir_make_tmp ("trust-XXXXXX", NULL);
  const char *const names[] = { "mine.p12", "mine.pfx" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (directory, names[i], NULL);
      g_autoptr (GByteArray) closed = pack_family (&(Packing){ .password = "secret" }, family);
      g_autoptr (GByteArray) open = pack_family (&(Packing){ .password = "" }, family);
      g_autoptr (GTlsSessionCertificate) with = NULL;
      g_autoptr (GTlsSessionCertificate) without = NULL;
      GError *error = NULL;

      write_file (path, open->data, open->len);
      without = g_tls_session_certificate_new_from_file (path, &error);
      g_assert_no_error (error);
      assert_is (without, family->leaf);

      write_file (path, closed->data, closed->len);
      with = g_tls_session_certificate_new_from_file_with_password (path, "secret", &error);
      g_assert_no_error (error);
      assert_is (with, family->leaf);
      g_assert_null (g_tls_session_certificate_new_from_file (path, &error));
      g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE_PASSWORD);
      g_assert_nonnull (strstr (error->message, path));
      g_clear_error (&error);
      g_unlink (path);
    }
  g_rmdir (directory);
}

static void
a_file_with_an_encrypted_key_opens_with_its_password (void)
{
  g_autoptr (Family) family = family_new ();
  g_autofree char *directory = g_dir_make_tmp ("trust-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (directory, "mine.pem", NULL);
  g_autofree char *text = joined (forged_to_pem (family->root), key_as_encrypted_pkcs8 (family->leaf),
                                  forged_to_pem (family->leaf), NULL);
  g_autoptr (GTlsSessionCertificate) certificate = NULL;
  GError *error = NULL;

  write_file (path, text, strlen (text));
  certificate = g_tls_session_certificate_new_from_file_with_password (path, "secret", &error);
  g_assert_no_error (error);
  assert_is (certificate, family->leaf);
  g_assert_null (g_tls_session_certificate_new_from_file_with_password (path, "wrong", &error));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE_PASSWORD);
  g_clear_error (&error);

  g_unlink (path);
  g_rmdir (directory);
}

static void
what_the_openssl_command_makes_is_read (void)
{
  g_autoptr (Family) family = family_new ();
  g_autofree char *directory = g_dir_make_tmp ("trust-XXXXXX", NULL);
  g_autofree char *pem_path = g_build_filename (directory, "all.pem", NULL);
  g_autofree char *path = g_build_filename (directory, "all.p12", NULL);
  g_autofree char *pem = joined (key_as_pkcs8 (family->leaf), forged_to_pem (family->leaf),
                                 forged_to_pem (family->intermediate), forged_to_pem (family->root), NULL);
  const char *const command[] = { "openssl", "pkcs12", "-export",  "-in",         pem_path,
                                  "-out",    path,     "-passout", "pass:secret", NULL };
  g_autoptr (GTlsSessionCertificate) certificate = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  write_file (pem_path, pem, strlen (pem));
  g_spawn_sync (NULL, (char **) command, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, &error);
  if (g_error_matches (error, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT))
    g_test_skip ("there is no openssl command");
  else
    {
      g_assert_no_error (error);
      g_assert_cmpint (status, ==, 0);
      certificate = g_tls_session_certificate_new_from_file_with_password (path, "secret", &error);
      g_assert_no_error (error);
      assert_is (certificate, family->leaf);
      assert_is (issuer_of (issuer_of (certificate)), family->root);
    }

  g_unlink (path);
  g_unlink (pem_path);
  g_rmdir (directory);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define STORY(name) g_test_add_func ("/trust/pkcs12/" #name, name)
  STORY (brings_key_and_chain);
  STORY (a_wrong_or_missing_password_is_told);
  STORY (no_password_and_an_empty_one_are_the_same);
  STORY (a_password_may_be_of_any_script);
  STORY (triple_des_is_read);
  STORY (rc2_is_refused_with_a_reason);
  STORY (an_unknown_mac_is_not_called_a_wrong_password);
  STORY (garbage_is_refused);
  STORY (a_changed_bit_is_an_error_or_does_no_harm);
  STORY (certificate_and_key_must_both_be_there);
  STORY (files_are_known_by_their_names);
  STORY (a_file_with_an_encrypted_key_opens_with_its_password);
  STORY (what_the_openssl_command_makes_is_read);

  return g_test_run ();
}
