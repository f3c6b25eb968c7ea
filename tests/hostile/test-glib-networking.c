/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE /* memmem() */

/* What glib-networking had to mend, as stories about this library: CVE-2025-60018 (results of BIO_write() that nobody looked
 * at, when a certificate was imported), CVE-2026-2574 (a property read out of bounds), CVE-2026-10028 (issuers in a circle
 * kept verification busy without end).
 */

#include <string.h>
#include <sys/mman.h>

#include <openssl/x509v3.h>

#include "forge.h"
#include "paper.h"
#include "trust/certificate-private.h"
#include "trust/certificate-reader.h"
#include "trust/openssl-auto.h"
#include "trust/verify.h"

#define PLACEHOLDER "%%%%%%%%%%%%"
#define SERVER G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER

/* CVE-2025-60018 */

static void
assert_refused (const char *property, const void *data, gsize size)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (GError) error = NULL;
  gpointer certificate;

  g_byte_array_append (bytes, data, (guint) size);
  certificate = g_initable_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL, &error, property, bytes, NULL);
  g_assert_null (certificate);
  g_assert_nonnull (error);
  g_assert_true (error->domain == G_TLS_ERROR);
  assert_queue_is_empty ();
}

static void
empty_input_is_told (void)
{
  static const char *const texts[] = { "", "\n", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n" };

  assert_refused ("certificate", "", 0);
  assert_refused ("pkcs12-data", "", 0);
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (g_tls_session_certificate_new_from_pem (texts[i], -1, &error));
      g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
    }
}

/* OpenSSL's BIOs count in int. The pages are never touched, for all there is no more than an address. */
static void
input_beyond_what_openssl_counts_is_told (void)
{
  gsize size = (gsize) G_MAXINT + 4096;
  void *data = mmap (NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  g_autoptr (GError) pem_error = NULL;
  g_autoptr (GError) der_error = NULL;

  g_assert_true (data != MAP_FAILED);
  g_assert_null (g_tls_session_read_pem_certificates (data, size, &pem_error));
  g_assert_error (pem_error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_assert_nonnull (strstr (pem_error->message, "too long"));
  g_assert_null (g_tls_session_read_der_certificate (data, size, &der_error));
  g_assert_error (der_error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_assert_cmpint (munmap (data, size), ==, 0);
}

/* Of a megabyte of certificates, none is lost on the way in, nor a byte of one on the way out. */
static void
large_input_comes_in_whole (void)
{
  g_autoptr (Family) family = family_new ();
  g_autoptr (GString) names = g_string_new ("DNS:a");
  g_autoptr (Forged) large = NULL;
  g_autofree char *pem = NULL;
  g_autoptr (GString) file = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  STACK_OF (X509) *read;

  for (guint i = 0; i < 4000; i++)
    g_string_append_printf (names, ",DNS:host-%u.example.org", i);
  large = forge (&(Order){ .name = "large", .alternative_names = names->str }, family->root);
  pem = forged_to_pem (large);
  while (file->len < 1024 * 1024)
    g_string_append (file, pem);

  read = g_tls_session_read_pem_certificates (file->str, file->len, &error);
  g_assert_no_error (error);
  g_assert_cmpint (sk_X509_num (read), ==, (int) (file->len / strlen (pem)));
  for (int i = 0; i < sk_X509_num (read); i++)
    {
      g_autoptr (GTlsSessionCertificate)
        certificate = g_tls_session_certificate_new_from_x509 (sk_X509_value (read, i));
      g_autofree char *again = NULL;

      g_object_get (certificate, "certificate-pem", &again, NULL);
      g_assert_cmpstr (again, ==, pem);
    }
  sk_X509_pop_free (read, X509_free);
}

/* CVE-2026-2574 */

static GTlsCertificate *
sign_and_read (Forged *forged)
{
  g_autoptr (GBytes) der = NULL;
  g_autoptr (GByteArray) bytes = NULL;
  g_autoptr (GError) error = NULL;
  GTlsCertificate *certificate;

  g_assert_cmpint (X509_sign (forged->x509, forged->key, EVP_sha256 ()), >, 0);
  der = forged_to_der (forged);
  bytes = g_bytes_unref_to_array (g_steal_pointer (&der));
  certificate = g_initable_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL, &error, "certificate", bytes, NULL);
  g_assert_no_error (error);
  return certificate;
}

static void
add_name (Forged *forged, int type, const void *bytes, int size)
{
  X509_NAME *name = X509_get_subject_name (forged->x509);

  g_assert_cmpint (X509_NAME_add_entry_by_NID (name, NID_organizationalUnitName, type, bytes, size, -1, 0), ==, 1);
}

/* What stands behind a NUL is told too, and nothing behind the end. */
static void
names_with_nul_bytes_are_told_whole (void)
{
  g_autoptr (Forged) forged = forge (&(Order){ .name = "a" }, NULL);
  g_autoptr (GTlsCertificate) certificate = NULL;
  g_autofree char *subject = NULL;

  add_name (forged, V_ASN1_UTF8STRING, "before\0behind", 13);
  certificate = sign_and_read (forged);
  subject = g_tls_certificate_get_subject_name (certificate);
  g_assert_nonnull (strstr (subject, "before"));
  g_assert_nonnull (strstr (subject, "behind"));
  g_assert_true (g_utf8_validate (subject, -1, NULL));
}

/* Two bytes a character, four bytes a character, no UTF-8: and a length that does not come out even. OpenSSL makes no such
 * names, so they are written over one that it made.
 */
static void
broken_names_are_told_or_none (void)
{
  static const struct
  {
    int type;
    const char *bytes;
    int size;
  } names[] = {
    { V_ASN1_BMPSTRING, "\0a\0", 3 },          { V_ASN1_UNIVERSALSTRING, "\0\0\0a\0\0", 6 },
    { V_ASN1_UTF8STRING, "\xff\xfe", 2 },      { V_ASN1_UTF8STRING, "\xf0\x9f\x98", 3 },
    { V_ASN1_PRINTABLESTRING, "\x1b[31m", 5 }, { V_ASN1_BMPSTRING, "\xd8\x00", 2 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (Forged) forged = forge (&(Order){ .name = "a" }, NULL);
      g_autoptr (GByteArray) der = NULL;
      g_autoptr (GTlsCertificate) certificate = NULL;
      g_autoptr (GError) error = NULL;
      g_autofree char *subject = NULL;
      guint8 *place;

      add_name (forged, V_ASN1_UTF8STRING, PLACEHOLDER, names[i].size);
      g_assert_cmpint (X509_sign (forged->x509, forged->key, EVP_sha256 ()), >, 0);
      der = g_bytes_unref_to_array (forged_to_der (forged));
      place = memmem (der->data, der->len, PLACEHOLDER, (gsize) names[i].size);
      g_assert_nonnull (place);
      place[-2] = (guint8) names[i].type; /* before the length */
      memcpy (place, names[i].bytes, (gsize) names[i].size);

      certificate = g_initable_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL, &error, "certificate", der, NULL);
      g_assert_true ((certificate == NULL) == (error != NULL));
      subject = certificate != NULL ? g_tls_certificate_get_subject_name (certificate) : NULL;
      g_assert_true (subject == NULL || g_utf8_validate (subject, -1, NULL));
      assert_queue_is_empty ();
    }
}

static void
add_alternative_name (GENERAL_NAMES *names, int type, const void *bytes, int size)
{
  GENERAL_NAME *name = GENERAL_NAME_new ();
  ASN1_STRING *string = ASN1_STRING_type_new (type == GEN_DNS ? V_ASN1_IA5STRING : V_ASN1_OCTET_STRING);

  g_assert_cmpint (ASN1_STRING_set (string, bytes, size), ==, 1);
  GENERAL_NAME_set0_value (name, type, string);
  g_assert_cmpint (sk_GENERAL_NAME_push (names, name), >, 0);
}

static gboolean
is_good_for (GTlsCertificate *certificate, const char *host)
{
  g_autoptr (GSocketConnectable) identity = g_network_address_new (host, 443);

  return (g_tls_certificate_verify (certificate, identity, certificate) & G_TLS_CERTIFICATE_BAD_IDENTITY) == 0;
}

static void
alternative_names_end_where_they_end (void)
{
  g_autoptr (Forged) forged = forge (&(Order){ .name = "a" }, NULL);
  g_autoptr (GENERAL_NAMES) names = GENERAL_NAMES_new ();
  g_autoptr (GTlsCertificate) certificate = NULL;
  g_autoptr (GPtrArray) dns_names = NULL;
  g_autoptr (GPtrArray) addresses = NULL;

  add_alternative_name (names, GEN_DNS, "good.example\0.evil.example", 26);
  add_alternative_name (names, GEN_DNS, "", 0);
  add_alternative_name (names, GEN_DNS, "last.example", 12);
  for (int size = 0; size <= 17; size++)
    add_alternative_name (names, GEN_IPADD, "0123456789abcdefg", size);
  g_assert_cmpint (X509_add1_ext_i2d (forged->x509, NID_subject_alt_name, names, 0, 0), ==, 1);
  certificate = sign_and_read (forged);

  dns_names = g_tls_certificate_get_dns_names (certificate);
  g_assert_cmpuint (dns_names->len, ==, 3);
  g_assert_cmpuint (g_bytes_get_size (dns_names->pdata[0]), ==, 26);
  g_assert_cmpuint (g_bytes_get_size (dns_names->pdata[1]), ==, 0);
  g_assert_cmpmem (g_bytes_get_data (dns_names->pdata[2], NULL), g_bytes_get_size (dns_names->pdata[2]), "last.example",
                   12);
  addresses = g_tls_certificate_get_ip_addresses (certificate);
  g_assert_cmpuint (addresses->len, ==, 2); /* of four bytes, and of sixteen */

  g_assert_false (is_good_for (certificate, "good.example"));
  g_assert_true (is_good_for (certificate, "last.example"));
}

/* What cannot be understood is no date, and no certificate is in date by it. */
static void
strange_times_are_told_or_none (void)
{
  static const char *const times[] = {
    "",
    "Z",
    "99991231235959Z",
    "00000101000000Z",
    "20261301000000Z",
    "2026",
    "20261125000000",
    "20261125000000+2500",
    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (times); i++)
    {
      g_autoptr (Forged) forged = forge (&(Order){ .name = "a" }, NULL);
      ASN1_TIME *time = X509_getm_notBefore (forged->x509);
      g_autoptr (GTlsCertificate) certificate = NULL;
      g_autoptr (GDateTime) from = NULL;
      GTlsCertificateFlags faults;

      time->type = V_ASN1_GENERALIZEDTIME;
      g_assert_cmpint (ASN1_STRING_set (time, times[i], (int) strlen (times[i])), ==, 1);
      certificate = sign_and_read (forged);
      from = g_tls_certificate_get_not_valid_before (certificate);
      faults = g_tls_certificate_verify (certificate, NULL, certificate);
      /* GLib's calendar begins with the year 1, OpenSSL's with the year 0. */
      g_assert_true (from != NULL || faults != 0 || g_str_has_prefix (times[i], "0000"));
      assert_queue_is_empty ();
    }
}

/* CVE-2026-10028 */

/* A certificate of another backend whose issuer is whatever it is told. */
typedef struct
{
  GTlsCertificate parent_instance;
  GByteArray *der;
  GTlsCertificate *issuer; /* borrowed, for it may be itself */
  guint n_asked;
} Ring;

typedef GTlsCertificateClass RingClass;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Ring, g_object_unref)

static GType ring_get_type (void);

G_DEFINE_TYPE (Ring, ring, G_TYPE_TLS_CERTIFICATE)

enum
{
  RING_PROP_CERTIFICATE = 1,
  RING_PROP_CERTIFICATE_PEM,
  RING_PROP_PRIVATE_KEY,
  RING_PROP_PRIVATE_KEY_PEM,
  RING_PROP_ISSUER,
};

static void
ring_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  Ring *self = (Ring *) object;

  if (id == RING_PROP_CERTIFICATE)
    g_value_set_boxed (value, self->der);
  else if (id == RING_PROP_ISSUER)
    {
      self->n_asked++;
      g_value_set_object (value, self->issuer);
    }
}

static void
ring_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
}

static void
ring_finalize (GObject *object)
{
  g_byte_array_unref (((Ring *) object)->der);
  G_OBJECT_CLASS (ring_parent_class)->finalize (object);
}

static void
ring_class_init (RingClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->get_property = ring_get_property;
  object_class->set_property = ring_set_property;
  object_class->finalize = ring_finalize;
  g_object_class_override_property (object_class, RING_PROP_CERTIFICATE, "certificate");
  g_object_class_override_property (object_class, RING_PROP_CERTIFICATE_PEM, "certificate-pem");
  g_object_class_override_property (object_class, RING_PROP_PRIVATE_KEY, "private-key");
  g_object_class_override_property (object_class, RING_PROP_PRIVATE_KEY_PEM, "private-key-pem");
  g_object_class_override_property (object_class, RING_PROP_ISSUER, "issuer");
}

static void
ring_init (Ring *self)
{
}

static Ring *
ring_new (const Forged *forged)
{
  Ring *self = g_object_new (ring_get_type (), NULL);

  self->der = g_bytes_unref_to_array (forged_to_der (forged));
  return self;
}

static void
issuers_in_a_circle_are_left (void)
{
  g_autoptr (Family) family = family_new ();
  g_autoptr (Ring) leaf = ring_new (family->leaf);
  g_autoptr (Ring) intermediate = ring_new (family->intermediate);
  g_autoptr (GTlsCertificate) root = G_TLS_CERTIFICATE (certificate_of (family->root));
  g_autoptr (X509Chain) chain = NULL;

  leaf->issuer = G_TLS_CERTIFICATE (intermediate);
  intermediate->issuer = G_TLS_CERTIFICATE (leaf);
  chain = g_tls_session_chain_from_certificate (G_TLS_CERTIFICATE (leaf));
  g_assert_cmpint (sk_X509_num (chain), ==, 2);
  g_assert_cmpuint (leaf->n_asked + intermediate->n_asked, <=, G_TLS_SESSION_MAX_CHAIN_LENGTH);

  intermediate->issuer = G_TLS_CERTIFICATE (intermediate);
  g_clear_pointer (&chain, x509_chain_free);
  chain = g_tls_session_chain_from_certificate (G_TLS_CERTIFICATE (leaf));
  g_assert_cmpint (sk_X509_num (chain), ==, 2);
}

/* Work is counted, not timed: how often OpenSSL asks whether one certificate issued another. */

static guint n_questions;
static X509_STORE_CTX_check_issued_fn really_check_issued;

static int
count_question (X509_STORE_CTX *context, X509 *certificate, X509 *issuer)
{
  n_questions++;
  return really_check_issued (context, certificate, issuer);
}

/* Of a @chain that leads nowhere; frees it. */
static guint
count_work (X509 *anchor, X509Chain *chain)
{
  g_autoptr (X509Chain) anchors = stack_of (anchor, NULL);
  g_autoptr (X509_STORE) store = g_tls_session_store_new (anchors);

  really_check_issued = X509_STORE_get_check_issued (store);
  if (really_check_issued == NULL)
    {
      g_autoptr (X509_STORE_CTX) context = X509_STORE_CTX_new ();

      g_assert_cmpint (X509_STORE_CTX_init (context, store, NULL, NULL), ==, 1);
      really_check_issued = X509_STORE_CTX_get_check_issued (context);
    }
  X509_STORE_set_check_issued (store, count_question);

  n_questions = 0;
  g_assert_cmphex (g_tls_session_verify_chain (store, chain, SERVER, NULL, NULL), !=, 0);
  g_assert_cmpuint (n_questions, >, 0);
  g_test_message ("%u questions for a chain of %d", n_questions, sk_X509_num (chain));
  x509_chain_free (chain);
  return n_questions;
}

/* Twenty authorities, each of which has signed each other; a leaf of one of them; and no way out. */
static void
a_mesh_of_hundreds_takes_bounded_work (void)
{
  g_autoptr (Forged) root = forge (&(Order){ .name = "Root", .is_ca = TRUE }, NULL);
  g_autoptr (GPtrArray) authorities = g_ptr_array_new_with_free_func ((GDestroyNotify) forged_free);
  g_autoptr (Forged) leaf = NULL;
  X509Chain *chain = NULL;
  guint n = g_getenv ("GTLS_SESSION_SLOW") != NULL ? 8 : 20;

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = g_strdup_printf ("Authority %u", i);

      g_ptr_array_add (authorities, forge (&(Order){ .name = name, .is_ca = TRUE }, NULL));
    }
  leaf = forge (&(Order){ .name = "leaf" }, authorities->pdata[0]);
  chain = stack_of (leaf->x509, NULL);
  for (guint i = 0; i < n; i++)
    for (guint j = 0; j < n; j++)
      if (i != j)
        {
          g_autofree char *name = g_strdup_printf ("Authority %u", i);
          g_autoptr (Forged) crossed = forge (&(Order){ .name = name, .is_ca = TRUE, .key_of = authorities->pdata[i] },
                                              authorities->pdata[j]);

          x509_chain_push (chain, x509_ref (crossed->x509));
        }

  {
    guint n_certificates = (guint) sk_X509_num (chain);

    /* Some twenty paths of twenty storeys, each of which is looked for among all. */
    g_assert_cmpuint (count_work (root->x509, chain), <, 2 * 20 * 20 * n_certificates);
  }
}

/* Each one issued by itself in name, and by the next in truth. */
static void
self_issued_loops_take_bounded_work (void)
{
  g_autoptr (Forged) root = forge (&(Order){ .name = "Root", .is_ca = TRUE }, NULL);
  g_autoptr (GPtrArray) loop = g_ptr_array_new_with_free_func ((GDestroyNotify) forged_free);
  const Order order = { .name = "Same", .is_ca = TRUE, .without_key_identifiers = TRUE };
  g_autoptr (Forged) leaf = NULL;
  X509Chain *chain;
  guint n = g_getenv ("GTLS_SESSION_SLOW") != NULL ? 20 : 200;

  g_ptr_array_add (loop, forge (&order, NULL));
  for (guint i = 1; i < n; i++)
    g_ptr_array_add (loop, forge (&order, loop->pdata[i - 1]));
  leaf = forge (&(Order){ .name = "leaf", .without_key_identifiers = TRUE }, loop->pdata[n - 1]);
  chain = stack_of (leaf->x509, NULL);
  for (guint i = 0; i < n; i++)
    x509_chain_push (chain, x509_ref (((Forged *) loop->pdata[i])->x509));
  g_assert_cmpuint (count_work (root->x509, chain), <, 20 * 101 * (n + 1));
}

/* Two names that take turns: each certificate has many rivals, and each path that leaves one out is as long as the others.
 * What counts is how many signatures that makes us check; a certificate is asked for its issuer before each.
 */
static void
two_names_in_turns_take_bounded_work (void)
{
  g_autoptr (Forged) root = forge (&(Order){ .name = "Root", .is_ca = TRUE }, NULL);
  g_autoptr (GPtrArray) storeys = g_ptr_array_new_with_free_func ((GDestroyNotify) forged_free);
  X509Chain *chain = sk_X509_new_null ();
  const guint n = 40;

  for (guint i = 0; i < n; i++)
    {
      const Order order = { .name = i % 2 == 0 ? "A" : "B", .is_ca = TRUE, .without_key_identifiers = TRUE };

      g_ptr_array_add (storeys, forge (&order, i == 0 ? root : storeys->pdata[i - 1]));
      g_assert_cmpint (sk_X509_unshift (chain, x509_ref (((Forged *) storeys->pdata[i])->x509)), >, 0);
    }
  X509_free (sk_X509_pop (chain)); /* the way to the root */
  /* A path of sixteen issuers, and 64 certificates and one path more in others; each asked of some. */
  g_assert_cmpuint (count_work (root->x509, chain), <, (17 + 64 + 17) * 6);
}

/* A chain as long as none is: followed so far and no further, and never trusted by its length. */
static void
a_chain_without_measure_takes_bounded_work (void)
{
  g_autoptr (Forged) root = forge (&(Order){ .name = "Root", .is_ca = TRUE }, NULL);
  g_autoptr (GPtrArray) storeys = g_ptr_array_new_with_free_func ((GDestroyNotify) forged_free);
  X509Chain *chain = sk_X509_new_null ();
  guint n = g_getenv ("GTLS_SESSION_SLOW") != NULL ? 150 : 300;

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = g_strdup_printf ("Storey %u", i);

      g_ptr_array_add (storeys, forge (&(Order){ .name = name, .is_ca = TRUE }, i == 0 ? root : storeys->pdata[i - 1]));
      g_assert_cmpint (sk_X509_unshift (chain, x509_ref (((Forged *) storeys->pdata[i])->x509)), >, 0);
    }
  g_assert_cmpuint (count_work (root->x509, chain), <, 2 * 101 * (n + 1));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define STORY(cve, name) g_test_add_func ("/hostile/" cve "/" #name, name)
  STORY ("cve-2025-60018", empty_input_is_told);
  STORY ("cve-2025-60018", input_beyond_what_openssl_counts_is_told);
  STORY ("cve-2025-60018", large_input_comes_in_whole);
  STORY ("cve-2026-2574", names_with_nul_bytes_are_told_whole);
  STORY ("cve-2026-2574", broken_names_are_told_or_none);
  STORY ("cve-2026-2574", alternative_names_end_where_they_end);
  STORY ("cve-2026-2574", strange_times_are_told_or_none);
  STORY ("cve-2026-10028", issuers_in_a_circle_are_left);
  STORY ("cve-2026-10028", a_mesh_of_hundreds_takes_bounded_work);
  STORY ("cve-2026-10028", self_issued_loops_take_bounded_work);
  STORY ("cve-2026-10028", two_names_in_turns_take_bounded_work);
  STORY ("cve-2026-10028", a_chain_without_measure_takes_bounded_work);
  return g_test_run ();
}
