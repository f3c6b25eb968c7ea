/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The keys are Ed25519's, whose signatures are all of one size, and the serial numbers are small: each handshake then has
 * as many bytes as the last, and the n-th byte is the same one in each run.
 */

#include "credentials.h"

#include <gtls-session.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "paper.h"

#define DAY (24 * 60 * 60) /* s */

static void
add_extension (X509 *x509, int nid, const char *value)
{
  X509V3_CTX context;
  X509_EXTENSION *extension;

  X509V3_set_ctx (&context, NULL, x509, NULL, NULL, 0);
  extension = X509V3_EXT_conf_nid (NULL, &context, nid, value);
  g_assert_nonnull (extension);
  g_assert_cmpint (X509_add_ext (x509, extension, -1), ==, 1);
  X509_EXTENSION_free (extension);
}

/* NULL for @issuer: itself. */
static X509 *
issue (const char *name, int serial, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
  X509 *x509 = X509_new ();
  X509_NAME *subject = X509_get_subject_name (x509);

  g_assert_cmpint (X509_set_version (x509, X509_VERSION_3), ==, 1);
  ASN1_INTEGER_set (X509_get_serialNumber (x509), serial);
  X509_gmtime_adj (X509_getm_notBefore (x509), -DAY);
  X509_gmtime_adj (X509_getm_notAfter (x509), 30 * DAY);
  X509_NAME_add_entry_by_txt (subject, "CN", MBSTRING_UTF8, (const unsigned char *) name, -1, -1, 0);
  X509_set_issuer_name (x509, issuer != NULL ? X509_get_subject_name (issuer) : subject);
  X509_set_pubkey (x509, key);
  if (issuer == NULL)
    add_extension (x509, NID_basic_constraints, "critical,CA:TRUE");
  else
    add_extension (x509, NID_subject_alt_name, "DNS:" SERVER_NAME);
  g_assert_cmpint (X509_sign (x509, issuer_key, NULL), >, 0);
  return x509;
}

static char *
write_pem (gboolean (*write) (BIO *bio, gpointer what), gpointer what)
{
  BIO *bio = BIO_new (BIO_s_mem ());
  char *data;
  long size;
  char *pem;

  g_assert_true (write (bio, what));
  size = BIO_get_mem_data (bio, &data);
  pem = g_strndup (data, (gsize) size);
  BIO_free (bio);
  return pem;
}

static gboolean
write_x509 (BIO *bio, gpointer x509)
{
  return PEM_write_bio_X509 (bio, x509) == 1;
}

static gboolean
write_key (BIO *bio, gpointer key)
{
  return PEM_write_bio_PrivateKey (bio, key, NULL, NULL, 0, NULL, NULL) == 1;
}

GTlsCertificate *
credentials_dup_certificate (X509 *x509, EVP_PKEY *key)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *certificate_pem = write_pem (write_x509, x509);
  g_autofree char *key_pem = write_pem (write_key, key);
  g_autofree char *pem = g_strconcat (certificate_pem, key_pem, NULL);
  GTlsCertificate *certificate = g_initable_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL, &error, "certificate-pem", pem,
                                                 "private-key-pem", key_pem, NULL);

  g_assert_no_error (error);
  return certificate;
}

static GTlsDatabase *
trust (X509 *root)
{
  g_autofree char *pem = write_pem (write_x509, root);

  return database_of (pem);
}

Credentials *
credentials_new (void)
{
  Credentials *self = g_new0 (Credentials, 1);

  self->root_key = EVP_PKEY_Q_keygen (NULL, NULL, "ED25519");
  self->server_key = EVP_PKEY_Q_keygen (NULL, NULL, "ED25519");
  self->client_key = EVP_PKEY_Q_keygen (NULL, NULL, "ED25519");
  self->root = issue ("Root", 1, self->root_key, NULL, self->root_key);
  self->server = issue ("Server", 2, self->server_key, self->root, self->root_key);
  self->client = issue ("Client", 3, self->client_key, self->root, self->root_key);
  self->database = trust (self->root);
  return self;
}

void
credentials_free (Credentials *self)
{
  X509_free (self->root);
  X509_free (self->server);
  X509_free (self->client);
  EVP_PKEY_free (self->root_key);
  EVP_PKEY_free (self->server_key);
  EVP_PKEY_free (self->client_key);
  g_object_unref (self->database);
  g_free (self);
}
