/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* NOTES:
 *
 * Reads certificates and keys from bytes that libFuzzer makes up. The first byte of an input says what the others are:
 *
 *   0  what a file of anchors holds: PEM or DER, any number of certificates
 *   1  the PEM of a certificate, its chain and perhaps its key
 *   2  a certificate in DER
 *   3  PKCS #12, with the password "secret"
 *   4  a private key in DER
 *   5  a private key in PEM; what is closed is opened with "secret"
 *
 * What is accepted is told by every property that Gio has, is judged with itself as an anchor and without one, and comes
 * out as PEM and DER that are read again to the same.
 *
 * PKCS #12 and encrypted keys say how often a password is to be hashed, and mean it: see is_too_slow().
 */

#include <string.h>

#include <openssl/err.h>
#include <openssl/pkcs12.h>

#include "../trust/forge.h"
#include "../trust/paper.h"
#include "fuzz.h"
#include "trust/certificate-private.h"
#include "trust/certificate-reader.h"
#include "trust/openssl-auto.h"
#include "trust/private-key.h"
#include "trust/verify.h"

#define PASSWORD "secret"

const guint fuzz_n_changes = 800;

static GSocketConnectable *identity;
static GSocketConnectable *address;

/* Telling */

static void
check_text (char *text)
{
  g_assert (text == NULL || g_utf8_validate (text, -1, NULL));
  g_free (text);
}

static void
tell_lists (GTlsCertificate *certificate)
{
  g_autoptr (GPtrArray) names = g_tls_certificate_get_dns_names (certificate);
  g_autoptr (GPtrArray) addresses = g_tls_certificate_get_ip_addresses (certificate);
  gsize total = 0;

  for (guint i = 0; names != NULL && i < names->len; i++)
    {
      gsize size;
      const guint8 *bytes = g_bytes_get_data (names->pdata[i], &size);

      for (gsize at = 0; at < size; at++)
        total += bytes[at]; /* each byte is read */
    }
  for (guint i = 0; addresses != NULL && i < addresses->len; i++)
    check_text (g_inet_address_to_string (addresses->pdata[i]));
  g_assert (total < G_MAXSIZE);
}

static void
read_again (GTlsCertificate *certificate)
{
  g_autoptr (GByteArray) der = NULL;
  g_autofree char *pem = NULL;
  g_autoptr (GTlsCertificate) from_der = NULL;
  g_autoptr (GTlsCertificate) from_pem = NULL;

  g_object_get (certificate, "certificate", &der, "certificate-pem", &pem, NULL);
  g_assert (der != NULL && der->len > 0 && pem != NULL);
  from_der = g_initable_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL, NULL, "certificate", der, NULL);
  from_pem = g_initable_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL, NULL, "certificate-pem", pem, NULL);
  g_assert (from_der != NULL && g_tls_certificate_is_same (certificate, from_der));
  g_assert (from_pem != NULL && g_tls_certificate_is_same (certificate, from_pem));
}

static void
tell_key (GTlsCertificate *certificate)
{
  g_autoptr (GByteArray) der = NULL;
  g_autofree char *pem = NULL;

  g_object_get (certificate, "private-key", &der, "private-key-pem", &pem, NULL);
  g_assert ((der == NULL) == (pem == NULL));
}

static void
tell (GTlsCertificate *certificate)
{
  GDateTime *from = g_tls_certificate_get_not_valid_before (certificate);
  GDateTime *to = g_tls_certificate_get_not_valid_after (certificate);

  check_text (g_tls_certificate_get_subject_name (certificate));
  check_text (g_tls_certificate_get_issuer_name (certificate));
  g_clear_pointer (&from, g_date_time_unref);
  g_clear_pointer (&to, g_date_time_unref);
  tell_lists (certificate);
  tell_key (certificate);
  read_again (certificate);
}

/* Judging */

static void
judge_by (STACK_OF (X509) *anchors, STACK_OF (X509) *chain)
{
  g_autoptr (X509_STORE) store = g_tls_session_store_new (anchors);
  GTlsSessionPathMemory *memory;
  GTlsCertificateFlags first, second;

  if (store == NULL)
    return;

  memory = g_tls_session_path_memory_new ();
  first = g_tls_session_verify_chain (store, chain, G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER, identity, memory);
  second = g_tls_session_verify_chain (store, chain, G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER, identity, memory);
  g_assert (first == second);
  g_tls_session_path_memory_free (memory);
  (void) g_tls_session_verify_chain (store, chain, G_TLS_DATABASE_PURPOSE_AUTHENTICATE_CLIENT, address, NULL);
  (void) g_tls_session_verify_chain (store, chain, "1.2.3", NULL, NULL);
}

static void
judge (GTlsCertificate *certificate)
{
  g_autoptr (X509Chain) chain = g_tls_session_chain_from_certificate (certificate);
  g_autoptr (X509Chain) none = sk_X509_new_null ();

  g_assert (chain != NULL && none != NULL);
  judge_by (chain, chain);
  judge_by (none, chain);
  (void) g_tls_certificate_verify (certificate, identity, certificate);
}

static void
take_certificate (GTlsCertificate *certificate, GError *error)
{
  g_assert (ERR_peek_error () == 0);
  if (certificate == NULL)
    {
      g_assert (error != NULL && error->domain == G_TLS_ERROR && g_utf8_validate (error->message, -1, NULL));
      return;
    }

  g_assert (error == NULL);
  tell (certificate);
  judge (certificate);
  g_assert (ERR_peek_error () == 0);
  g_object_unref (certificate);
}

/* The ways in */

static void
read_anchors (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (X509Chain) certificates = g_tls_session_read_certificates ((const char *) data, size, &error);

  g_assert ((certificates == NULL) == (error != NULL));
  if (certificates == NULL)
    return;

  take_certificate (G_TLS_CERTIFICATE (g_tls_session_certificate_new_from_chain (certificates)), NULL);
}

static void
read_pem (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  GTlsSessionCertificate *certificate = g_tls_session_certificate_new_from_pem ((const char *) data, (gssize) size,
                                                                                &error);

  take_certificate ((GTlsCertificate *) certificate, error);
}

static void
read_bytes (const char *property, const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  gpointer certificate;

  g_byte_array_append (bytes, data, (guint) size);
  certificate = g_initable_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL, &error, property, bytes, "password", PASSWORD,
                                NULL);
  take_certificate (certificate, error);
}

static void
take_key (GTlsSessionPrivateKey *key)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EVP_PKEY) opened = NULL;

  g_assert (key->open == NULL || key->locked == NULL);
  if (key->locked == NULL)
    return;

  opened = g_tls_session_locked_key_open (key->locked, g_tls_session_password_from_text (PASSWORD), &error);
  g_assert ((opened == NULL) == (error != NULL));
}

static void
read_key (gboolean is_pem, const guint8 *data, gsize size)
{
  g_auto (GTlsSessionPrivateKey) key = { 0 };
  g_autoptr (GError) error = NULL;
  gboolean done = is_pem ? g_tls_session_read_pem_key ((const char *) data, size, &key, &error)
                         : g_tls_session_read_der_key (data, size, &key, &error);

  g_assert (done == (error == NULL));
  take_key (&key);
  ERR_clear_error ();
}

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  identity = g_network_address_new ("server.example.org", 443);
  address = g_network_address_new ("192.0.2.7", 443);
  return 0;
}

/* Billions of rounds of hashing are a legal wish of a PKCS #12. */
static gboolean
is_too_slow (const guint8 *data, gsize size)
{
  for (gsize i = 0; i + 2 < size; i++)
    if (data[i] == V_ASN1_INTEGER && ((data[i + 1] >= 3 && data[i + 1] <= 8) || data[i + 1] >= 0x80))
      return TRUE;
  return FALSE;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  guint8 way;

  if (size == 0)
    return 0;

  way = data[0] % 6;
  data++;
  size--;
  if (way == 0)
    read_anchors (data, size);
  else if (way == 1)
    read_pem (data, size);
  else if (way == 2)
    read_bytes ("certificate", data, size);
  else if (way == 3 && !is_too_slow (data, size))
    read_bytes ("pkcs12-data", data, size);
  else if (way == 4 && !is_too_slow (data, size))
    read_key (FALSE, data, size);
  else if (way == 5)
    read_key (TRUE, data, size);
  return 0;
}

/* Seeds */

typedef struct
{
  FuzzAddSeed add;
  gpointer data;
} Sink;

static void
add (const Sink *sink, const char *name, guint8 way, gconstpointer bytes, gsize size)
{
  g_autoptr (GByteArray) seed = g_byte_array_new ();

  g_byte_array_append (seed, &way, 1);
  g_byte_array_append (seed, bytes, (guint) size);
  sink->add (sink->data, name, seed->data, seed->len);
}

static void
add_text (const Sink *sink, const char *name, guint8 way, char *text)
{
  add (sink, name, way, text, strlen (text));
  g_free (text);
}

static void
add_pkcs12 (const Sink *sink, const Family *family)
{
  STACK_OF (X509) *others = stack_of (family->intermediate->x509, family->root->x509, NULL);
  PKCS12 *container = PKCS12_create (PASSWORD, "a", family->leaf->key, family->leaf->x509, others, NID_aes_128_cbc,
                                     NID_aes_128_cbc, 16, 16, 0);
  unsigned char *der = NULL;
  int length = i2d_PKCS12 (container, &der);

  g_assert (length > 0);
  add (sink, "pkcs12", 3, der, (gsize) length);
  OPENSSL_free (der);
  PKCS12_free (container);
  sk_X509_pop_free (others, X509_free);
}

static void
add_der (const Sink *sink, const char *name, guint8 way, const Forged *forged)
{
  g_autoptr (GBytes) der = forged_to_der (forged);

  add (sink, name, way, g_bytes_get_data (der, NULL), g_bytes_get_size (der));
}

void
fuzz_make_seeds (FuzzAddSeed add_seed, gpointer data)
{
  const Sink sink = { add_seed, data };
  g_autoptr (Family) family = family_new ();
  g_autoptr (Forged) rsa = forge (
    &(Order){ .name = "rsa", .rsa_bits = 1024, .name_constraints = "permitted;DNS:example.org", .is_ca = TRUE }, NULL);
  g_autoptr (GByteArray) key = key_as_der (family->leaf);

  add_text (&sink, "anchors", 0, joined (forged_to_pem (family->root), forged_to_pem (rsa), NULL));
  add_text (
    &sink, "pem", 1,
    joined (forged_to_pem (family->leaf), key_as_pkcs8 (family->leaf), forged_to_pem (family->intermediate), NULL));
  add_text (&sink, "pem-traditional", 1, joined (key_as_traditional (rsa), forged_to_pem (rsa), NULL));
  add_der (&sink, "der-anchor", 0, family->leaf);
  add_der (&sink, "der", 2, family->leaf);
  add_der (&sink, "der-rsa", 2, rsa);
  add_pkcs12 (&sink, family);
  add (&sink, "key-der", 4, key->data, key->len);
  add_text (&sink, "key-pem", 5, key_as_pkcs8 (family->leaf));
  add_text (&sink, "key-locked", 5, key_as_encrypted_pkcs8 (family->leaf));
  add_text (&sink, "key-locked-traditional", 5, key_as_encrypted_traditional (family->leaf));
}
