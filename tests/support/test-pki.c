/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-pki.h"

#include <glib/gstdio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define DAY (24 * 60 * 60)

typedef struct
{
  X509 *certificate;
  EVP_PKEY *key;
} Issued;

struct _TestPki
{
  char *directory;
  char *ca_path;
  char *other_ca_path;
  char *paths[TEST_N_CERTIFICATES];
};

static const struct
{
  const char *file;
  const char *names;
  long from;
  long until;
} wanted[TEST_N_CERTIFICATES] = {
  [TEST_CERTIFICATE_GOOD] = { "good.pem",
                              "DNS:localhost,DNS:*.wild.test,DNS:example.org,DNS:*.example.org,IP:127.0.0.1", -DAY,
                              30 * DAY },
  [TEST_CERTIFICATE_EXPIRED] = { "expired.pem", "DNS:localhost,IP:127.0.0.1", -30 * DAY, -DAY },
  [TEST_CERTIFICATE_NOT_YET_VALID] = { "not-yet-valid.pem", "DNS:localhost,IP:127.0.0.1", DAY, 30 * DAY },
  [TEST_CERTIFICATE_OTHER_NAME] = { "other-name.pem", "DNS:other.test", -DAY, 30 * DAY },
  [TEST_CERTIFICATE_STRANGER] = { "stranger.pem", "DNS:localhost,IP:127.0.0.1", -DAY, 30 * DAY },
};

static void
issued_clear (Issued *issued)
{
  X509_free (issued->certificate);
  EVP_PKEY_free (issued->key);
}

static void
add_extension (X509 *certificate, X509 *issuer, int nid, const char *value)
{
  X509V3_CTX context;
  X509_EXTENSION *extension;

  X509V3_set_ctx (&context, issuer, certificate, NULL, NULL, 0);
  extension = X509V3_EXT_conf_nid (NULL, &context, nid, value);
  g_assert_nonnull (extension);
  g_assert_cmpint (X509_add_ext (certificate, extension, -1), ==, 1);
  X509_EXTENSION_free (extension);
}

static void
set_subject (X509 *certificate, const char *common_name)
{
  X509_NAME *name = X509_get_subject_name (certificate);

  g_assert_cmpint (X509_NAME_add_entry_by_txt (name, "CN", MBSTRING_UTF8, (const guint8 *) common_name, -1, -1, 0), ==,
                   1);
}

/* @issuer is NULL for a root. @names are subject alternative names, NULL for an authority. */
static Issued
issue (const Issued *issuer, const char *common_name, const char *names, long from, long until)
{
  static long serial = 1; /* atomic */
  Issued issued = { X509_new (), EVP_EC_gen ("P-256") };
  const Issued *signer = issuer != NULL ? issuer : &issued;

  g_assert_nonnull (issued.certificate);
  g_assert_nonnull (issued.key);
  g_assert_cmpint (X509_set_version (issued.certificate, X509_VERSION_3), ==, 1);
  g_assert_cmpint (
    ASN1_INTEGER_set (X509_get_serialNumber (issued.certificate), __atomic_fetch_add (&serial, 1, __ATOMIC_RELAXED)),
    ==, 1);
  g_assert_nonnull (X509_gmtime_adj (X509_getm_notBefore (issued.certificate), from));
  g_assert_nonnull (X509_gmtime_adj (X509_getm_notAfter (issued.certificate), until));
  g_assert_cmpint (X509_set_pubkey (issued.certificate, issued.key), ==, 1);
  set_subject (issued.certificate, common_name);
  g_assert_cmpint (X509_set_issuer_name (issued.certificate,
                                         X509_get_subject_name (issuer ? issuer->certificate : issued.certificate)),
                   ==, 1);

  if (names != NULL)
    add_extension (issued.certificate, signer->certificate, NID_subject_alt_name, names);
  else
    add_extension (issued.certificate, signer->certificate, NID_basic_constraints, "critical,CA:TRUE");
  add_extension (issued.certificate, signer->certificate, NID_key_usage,
                 names != NULL ? "critical,digitalSignature" : "critical,keyCertSign,cRLSign");
  g_assert_cmpint (X509_sign (issued.certificate, signer->key, EVP_sha256 ()), >, 0);
  return issued;
}

static void
write_pem (const char *path, const Issued *leaf, X509 *intermediate)
{
  FILE *file = fopen (path, "w");

  g_assert_nonnull (file);
  g_assert_cmpint (PEM_write_X509 (file, leaf->certificate), ==, 1);
  if (intermediate != NULL)
    {
      g_assert_cmpint (PEM_write_X509 (file, intermediate), ==, 1);
      g_assert_cmpint (PEM_write_PrivateKey (file, leaf->key, NULL, NULL, 0, NULL, NULL), ==, 1);
    }
  g_assert_cmpint (fclose (file), ==, 0);
}

static void
write_servers (TestPki *self, const Issued *intermediate, const Issued *other_intermediate)
{
  for (int i = 0; i < TEST_N_CERTIFICATES; i++)
    {
      const Issued *issuer = i == TEST_CERTIFICATE_STRANGER ? other_intermediate : intermediate;
      Issued leaf = issue (issuer, "gtls-session test server", wanted[i].names, wanted[i].from, wanted[i].until);

      self->paths[i] = g_build_filename (self->directory, wanted[i].file, NULL);
      write_pem (self->paths[i], &leaf, issuer->certificate);
      issued_clear (&leaf);
    }
}

TestPki *
test_pki_new (void)
{
  TestPki *self = g_new0 (TestPki, 1);
  /* Of its own name, so that a program can trust the roots of several servers at once. */
  g_autofree char *root_name = g_strdup_printf ("gtls-session test root %08x", g_random_int ());
  Issued root = issue (NULL, root_name, NULL, -60 * DAY, 60 * DAY);
  Issued intermediate = issue (&root, "gtls-session test intermediate", NULL, -60 * DAY, 60 * DAY);
  Issued other_root = issue (NULL, "gtls-session other root", NULL, -60 * DAY, 60 * DAY);
  Issued other_intermediate = issue (&other_root, "gtls-session other intermediate", NULL, -60 * DAY, 60 * DAY);

  self->directory = g_dir_make_tmp ("gtls-session-XXXXXX", NULL);
  g_assert_nonnull (self->directory);
  self->ca_path = g_build_filename (self->directory, "ca.pem", NULL);
  self->other_ca_path = g_build_filename (self->directory, "other-ca.pem", NULL);
  write_pem (self->ca_path, &root, NULL);
  write_pem (self->other_ca_path, &other_root, NULL);
  write_servers (self, &intermediate, &other_intermediate);

  issued_clear (&root);
  issued_clear (&intermediate);
  issued_clear (&other_root);
  issued_clear (&other_intermediate);
  return self;
}

static void
remove_file (char *path)
{
  g_unlink (path);
  g_free (path);
}

void
test_pki_free (TestPki *self)
{
  for (int i = 0; i < TEST_N_CERTIFICATES; i++)
    remove_file (self->paths[i]);
  remove_file (self->ca_path);
  remove_file (self->other_ca_path);
  g_rmdir (self->directory);
  g_free (self->directory);
  g_free (self);
}

const char *
test_pki_get_ca_path (TestPki *self)
{
  return self->ca_path;
}

const char *
test_pki_get_other_ca_path (TestPki *self)
{
  return self->other_ca_path;
}

const char *
test_pki_get_path (TestPki *self, TestCertificate certificate)
{
  return self->paths[certificate];
}
