/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "paper.h"

#include "trust/certificate-private.h"
#include "trust/gtls-session-file-database.h"

#include <glib/gstdio.h>
#include <openssl/pem.h>

static char *
bio_to_string (BIO *bio)
{
  char *data;
  long length = BIO_get_mem_data (bio, &data);
  char *text = g_strndup (data, (gsize) length);

  BIO_free (bio);
  return text;
}

char *
key_as_pkcs8 (const Forged *forged)
{
  BIO *bio = BIO_new (BIO_s_mem ());

  g_assert_cmpint (PEM_write_bio_PKCS8PrivateKey (bio, forged->key, NULL, NULL, 0, NULL, NULL), ==, 1);
  return bio_to_string (bio);
}

/* PKCS #1 or SEC 1. */
char *
key_as_traditional (const Forged *forged)
{
  BIO *bio = BIO_new (BIO_s_mem ());

  g_assert_cmpint (PEM_write_bio_PrivateKey_traditional (bio, forged->key, NULL, NULL, 0, NULL, NULL), ==, 1);
  return bio_to_string (bio);
}

char *
key_as_encrypted_pkcs8 (const Forged *forged)
{
  BIO *bio = BIO_new (BIO_s_mem ());

  g_assert_cmpint (PEM_write_bio_PKCS8PrivateKey (bio, forged->key, EVP_aes_128_cbc (), "secret", 6, NULL, NULL), ==,
                   1);
  return bio_to_string (bio);
}

char *
key_as_encrypted_traditional (const Forged *forged)
{
  BIO *bio = BIO_new (BIO_s_mem ());

  g_assert_cmpint (PEM_write_bio_PrivateKey_traditional (bio, forged->key, EVP_aes_128_cbc (),
                                                         (unsigned char *) "secret", 6, NULL, NULL),
                   ==, 1);
  return bio_to_string (bio);
}

GByteArray *
key_as_der (const Forged *forged)
{
  unsigned char *der = NULL;
  int length = i2d_PrivateKey (forged->key, &der);
  GByteArray *array = g_byte_array_new ();

  g_assert_cmpint (length, >, 0);
  g_byte_array_append (array, der, (guint) length);
  OPENSSL_free (der);
  return array;
}

/* The PEM of several, one after the other; takes the texts, which end with NULL. */
char *
joined (char *first, ...)
{
  GString *text = g_string_new (NULL);
  va_list list;

  va_start (list, first);
  for (char *part = first; part != NULL; part = va_arg (list, char *))
    {
      g_string_append (text, part);
      g_free (part);
    }
  va_end (list);
  return g_string_free (text, FALSE);
}

GTlsSessionCertificate *
certificate_from (const char *pem)
{
  g_autoptr (GError) error = NULL;
  GTlsSessionCertificate *certificate = g_tls_session_certificate_new_from_pem (pem, -1, &error);

  g_assert_no_error (error);
  assert_queue_is_empty ();
  return certificate;
}

GTlsDatabase *
database_of (const char *pem)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *directory = g_dir_make_tmp ("gtls-session-XXXXXX", &error);
  g_autofree char *path = g_build_filename (directory, "root.pem", NULL);
  GTlsSessionFileDatabase *database;

  g_assert_no_error (error);
  g_file_set_contents (path, pem, -1, &error);
  g_assert_no_error (error);
  database = g_tls_session_file_database_new (path, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (g_rmdir (directory), ==, 0);
  return G_TLS_DATABASE (database);
}

GTlsSessionCertificate *
certificate_of (const Forged *forged)
{
  g_autofree char *pem = forged_to_pem (forged);

  return certificate_from (pem);
}

GTlsCertificate *
issuer_of (gpointer certificate)
{
  return g_tls_certificate_get_issuer (certificate);
}

void
assert_is (gpointer certificate, const Forged *forged)
{
  g_assert_true (G_TLS_SESSION_IS_CERTIFICATE (certificate));
  g_assert_cmpint (X509_cmp (g_tls_session_certificate_get_x509 (certificate), forged->x509), ==, 0);
}

void
write_file (const char *path, const void *data, gsize size)
{
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, data, (gssize) size, &error);
  g_assert_no_error (error);
}
