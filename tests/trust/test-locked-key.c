/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Private keys that a password closes. */

#include "paper.h"
#include "trust/certificate-private.h"

#include <string.h>

#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>

typedef char *(*Writer) (const Forged *forged);

static const Writer writers[] = { key_as_encrypted_pkcs8, key_as_encrypted_traditional };

static gboolean
unlock (gpointer certificate, const char *password, GError **error)
{
  gboolean unlocked = g_tls_session_certificate_unlock (certificate, (const guint8 *) password, strlen (password),
                                                        error);

  assert_queue_is_empty ();
  return unlocked;
}

static GTlsCertificate *
made_of (const char *pem, const char *key, const char *password, GError **error)
{
  GTlsCertificate *certificate = g_initable_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL, error, "password", password,
                                                 "certificate-pem", pem, "private-key-pem", key, NULL);

  assert_queue_is_empty ();
  return certificate;
}

static void
assert_open (gpointer certificate, const Forged *forged)
{
  g_autofree char *expected = key_as_pkcs8 (forged);
  g_autofree char *pem = NULL;

  g_assert_false (g_tls_session_certificate_is_locked (certificate));
  g_assert_cmpint (EVP_PKEY_eq (g_tls_session_certificate_get_key (certificate), forged->key), ==, 1);
  g_object_get (certificate, "private-key-pem", &pem, NULL);
  g_assert_cmpstr (pem, ==, expected);
}

static void
assert_closed (gpointer certificate)
{
  g_autofree char *pem = NULL;
  g_autoptr (GByteArray) der = NULL;

  g_assert_true (g_tls_session_certificate_is_locked (certificate));
  g_assert_null (g_tls_session_certificate_get_key (certificate));
  g_object_get (certificate, "private-key-pem", &pem, "private-key", &der, NULL);
  g_assert_null (pem);
  g_assert_null (der);
}

static void
the_password_opens_it_at_once (void)
{
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "a" }, NULL);
  g_autofree char *pem = forged_to_pem (leaf);

  for (guint i = 0; i < G_N_ELEMENTS (writers); i++)
    {
      g_autofree char *key = writers[i](leaf);
      g_autoptr (GError) error = NULL;
      g_autoptr (GTlsCertificate) certificate = made_of (pem, key, "secret", &error);

      g_assert_no_error (error);
      assert_open (certificate, leaf);
    }
}

static void
a_wrong_password_is_told (void)
{
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "a" }, NULL);
  g_autofree char *pem = forged_to_pem (leaf);
  const char *const wrong[] = { "Secret", "", "secret ", "sécret" };

  for (guint i = 0; i < G_N_ELEMENTS (writers) * G_N_ELEMENTS (wrong); i++)
    {
      g_autofree char *key = writers[i % G_N_ELEMENTS (writers)](leaf);
      g_autoptr (GError) error = NULL;

      g_assert_null (made_of (pem, key, wrong[i / G_N_ELEMENTS (writers)], &error));
      g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE_PASSWORD);
    }
}

static void
an_open_key_does_not_mind_a_password (void)
{
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "a" }, NULL);
  g_autofree char *pem = forged_to_pem (leaf);
  g_autofree char *key = key_as_pkcs8 (leaf);
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsCertificate) certificate = made_of (pem, key, "whatever", &error);

  g_assert_no_error (error);
  assert_open (certificate, leaf);
  g_assert_true (unlock (certificate, "whatever", &error));
  g_assert_no_error (error);
}

static void
without_a_password_it_stays_closed_until_unlocked (void)
{
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "a" }, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (writers); i++)
    {
      g_autofree char *text = joined (forged_to_pem (leaf), writers[i](leaf), NULL);
      g_autoptr (GTlsSessionCertificate) certificate = certificate_from (text);
      GError *error = NULL;

      assert_is (certificate, leaf);
      assert_closed (certificate);

      g_assert_false (unlock (certificate, "wrong", &error));
      g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE_PASSWORD);
      g_clear_error (&error);
      assert_closed (certificate);

      g_assert_true (unlock (certificate, "secret", &error));
      g_assert_no_error (error);
      assert_open (certificate, leaf);
      g_assert_true (unlock (certificate, "no matter", &error));
    }
}

static void
a_password_need_not_end_with_a_nul (void)
{
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "a" }, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (writers); i++)
    {
      g_autofree char *text = joined (forged_to_pem (leaf), writers[i](leaf), NULL);
      g_autoptr (GTlsSessionCertificate) certificate = certificate_from (text);
      const guint8 password[] = { 's', 'e', 'c', 'r', 'e', 't', 'x' };
      GError *error = NULL;

      g_assert_true (g_tls_session_certificate_unlock (certificate, password, 6, &error));
      g_assert_no_error (error);
    }
}

static void
one_without_a_key_is_not_locked (void)
{
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "a" }, NULL);
  g_autoptr (GTlsSessionCertificate) certificate = certificate_of (leaf);

  g_assert_false (g_tls_session_certificate_is_locked (certificate));
}

static void
a_key_of_another_stays_closed (void)
{
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "a" }, NULL);
  g_autoptr (Forged) other = forge (&(Order){ .name = "b" }, NULL);
  g_autofree char *text = joined (forged_to_pem (leaf), key_as_encrypted_pkcs8 (other), NULL);
  g_autoptr (GTlsSessionCertificate) certificate = certificate_from (text);
  g_autoptr (GError) error = NULL;

  g_assert_false (unlock (certificate, "secret", &error));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  assert_closed (certificate);
}

static void
der_may_be_encrypted_too (void)
{
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "a" }, NULL);
  g_autofree char *pem = forged_to_pem (leaf);
  BIO *bio = BIO_new (BIO_s_mem ());
  g_autoptr (GByteArray) der = g_byte_array_new ();
  g_autoptr (GTlsCertificate) certificate = NULL;
  g_autoptr (GError) error = NULL;
  char *data;
  long length;

  g_assert_cmpint (i2d_PKCS8PrivateKey_bio (bio, leaf->key, EVP_aes_256_cbc (), "secret", 6, NULL, NULL), ==, 1);
  length = BIO_get_mem_data (bio, &data);
  g_byte_array_append (der, (const guint8 *) data, (guint) length);
  BIO_free (bio);

  certificate = g_initable_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL, &error, "certificate-pem", pem, "private-key",
                                der, NULL);
  g_assert_no_error (error);
  assert_closed (certificate);
  g_assert_true (unlock (certificate, "secret", &error));
  assert_open (certificate, leaf);
}

static void
one_that_is_corrupt_is_refused_before_any_password (void)
{
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "a" }, NULL);
  g_autofree char *pem = forged_to_pem (leaf);
  const char *const keys[] = {
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n",
    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC\n\nMAA=\n"
    "-----END RSA PRIVATE KEY-----\n",
    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: ROT13,00\n\nMAA=\n"
    "-----END RSA PRIVATE KEY-----\n",
  };

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (made_of (pem, keys[i], NULL, &error));
      g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
    }
}

/* The key under a cipher that only the legacy provider has; NULL if there is no such provider here. */
static char *
key_under_an_old_cipher (const Forged *forged)
{
  OSSL_LIB_CTX *old = OSSL_LIB_CTX_new ();
  OSSL_PROVIDER *legacy = OSSL_PROVIDER_load (old, "legacy");
  OSSL_PROVIDER *current = OSSL_PROVIDER_load (old, "default");
  PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8 (forged->key);
  X509_SIG *closed = legacy != NULL ? PKCS8_encrypt_ex (NID_pbe_WithSHA1And40BitRC2_CBC, NULL, "secret", 6, NULL, 0,
                                                        2048, info, old, NULL)
                                    : NULL;
  BIO *bio = BIO_new (BIO_s_mem ());
  char *text = NULL;
  char *data;
  long length;

  if (closed != NULL)
    {
      g_assert_cmpint (PEM_write_bio_PKCS8 (bio, closed), ==, 1);
      length = BIO_get_mem_data (bio, &data);
      text = g_strndup (data, (gsize) length);
    }

  BIO_free (bio);
  X509_SIG_free (closed);
  PKCS8_PRIV_KEY_INFO_free (info);
  if (legacy != NULL)
    OSSL_PROVIDER_unload (legacy);
  OSSL_PROVIDER_unload (current);
  OSSL_LIB_CTX_free (old);
  return text;
}

static void
assert_cipher_is_missing (const char *pem, const char *key)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (made_of (pem, key, "secret", &error));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_assert_nonnull (strstr (error->message, "legacy provider"));
}

static void
an_old_cipher_is_not_called_a_wrong_password (void)
{
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "a" }, NULL);
  g_autofree char *pem = forged_to_pem (leaf);
  g_autofree char *old = key_under_an_old_cipher (leaf);

  assert_cipher_is_missing (
    pem, "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-CBC,0123456789ABCDEF\n\nMAAAAAAAAAA=\n"
         "-----END RSA PRIVATE KEY-----\n");
  if (old == NULL)
    g_test_skip ("OpenSSL has no legacy provider here");
  else
    assert_cipher_is_missing (pem, old);
}

static gpointer
unlock_in_a_thread (gpointer certificate)
{
  return GINT_TO_POINTER (unlock (certificate, "secret", NULL));
}

static void
threads_may_unlock_at_once (void)
{
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "a" }, NULL);
  g_autofree char *text = joined (forged_to_pem (leaf), key_as_encrypted_pkcs8 (leaf), NULL);
  g_autoptr (GTlsSessionCertificate) certificate = certificate_from (text);
  GThread *threads[8];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("unlock", unlock_in_a_thread, certificate);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_assert_true (GPOINTER_TO_INT (g_thread_join (threads[i])));
  assert_open (certificate, leaf);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define STORY(name) g_test_add_func ("/trust/locked-key/" #name, name)
  STORY (the_password_opens_it_at_once);
  STORY (a_wrong_password_is_told);
  STORY (an_open_key_does_not_mind_a_password);
  STORY (without_a_password_it_stays_closed_until_unlocked);
  STORY (a_password_need_not_end_with_a_nul);
  STORY (one_without_a_key_is_not_locked);
  STORY (a_key_of_another_stays_closed);
  STORY (der_may_be_encrypted_too);
  STORY (one_that_is_corrupt_is_refused_before_any_password);
  STORY (an_old_cipher_is_not_called_a_wrong_password);
  STORY (threads_may_unlock_at_once);

  return g_test_run ();
}
