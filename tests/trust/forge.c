/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "forge.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#define SECONDS_PER_DAY (24L * 60 * 60)

static void
set_dates (X509 *x509, const Order *order)
{
  gboolean by_default = order->from_day == 0 && order->to_day == 0;
  long from = (by_default ? -1 : order->from_day) * SECONDS_PER_DAY;
  long to = (by_default ? 30 : order->to_day) * SECONDS_PER_DAY;

  g_assert_nonnull (X509_gmtime_adj (X509_getm_notBefore (x509), from));
  g_assert_nonnull (X509_gmtime_adj (X509_getm_notAfter (x509), to));
}

static void
add_extension (X509 *x509, X509 *issuer, int nid, const char *value)
{
  X509V3_CTX context;
  X509_EXTENSION *extension;

  if (value == NULL)
    return;

  X509V3_set_ctx (&context, issuer, x509, NULL, NULL, 0);
  extension = X509V3_EXT_conf_nid (NULL, &context, nid, value);
  g_assert_nonnull (extension);
  g_assert_cmpint (X509_add_ext (x509, extension, -1), ==, 1);
  X509_EXTENSION_free (extension);
}

static void
set_subject (X509 *x509, const char *name)
{
  X509_NAME *subject = X509_get_subject_name (x509);

  g_assert_cmpint (X509_NAME_add_entry_by_txt (subject, "O", MBSTRING_UTF8, (const guint8 *) "Söhne, Inc", -1, -1, 0),
                   ==, 1);
  g_assert_cmpint (X509_NAME_add_entry_by_txt (subject, "CN", MBSTRING_UTF8, (const guint8 *) name, -1, -1, 0), ==, 1);
}

static EVP_PKEY *
make_key (const Order *order)
{
  if (order->key_of == NULL)
    return order->rsa_bits > 0 ? EVP_RSA_gen (order->rsa_bits) : EVP_EC_gen ("P-256");

  EVP_PKEY_up_ref (order->key_of->key);
  return order->key_of->key;
}

Forged *
forge (const Order *order, const Forged *issuer)
{
  static long serial = 1; /* atomic */
  Forged *self = g_new0 (Forged, 1);
  X509 *x509 = X509_new ();

  self->x509 = x509;
  self->key = make_key (order);
  if (issuer == NULL)
    issuer = self;

  g_assert_cmpint (X509_set_version (x509, X509_VERSION_3), ==, 1);
  g_assert_cmpint (ASN1_INTEGER_set (X509_get_serialNumber (x509), __atomic_fetch_add (&serial, 1, __ATOMIC_RELAXED)),
                   ==, 1);
  set_dates (x509, order);
  set_subject (x509, order->name);
  g_assert_cmpint (X509_set_issuer_name (x509, X509_get_subject_name (issuer->x509)), ==, 1);
  g_assert_cmpint (X509_set_pubkey (x509, self->key), ==, 1);

  add_extension (x509, issuer->x509, NID_basic_constraints, order->is_ca ? "critical,CA:TRUE" : NULL);
  if (!order->without_key_identifiers)
    {
      add_extension (x509, issuer->x509, NID_subject_key_identifier, "hash");
      add_extension (x509, issuer->x509, NID_authority_key_identifier, "keyid");
    }
  add_extension (x509, issuer->x509, NID_subject_alt_name, order->alternative_names);
  add_extension (x509, issuer->x509, NID_ext_key_usage, order->extended_key_usage);
  add_extension (x509, issuer->x509, NID_name_constraints, order->name_constraints);

  g_assert_cmpint (
    X509_sign (x509, issuer->key, EVP_get_digestbyname (order->digest != NULL ? order->digest : "SHA256")), >, 0);
  return self;
}

void
forged_free (Forged *self)
{
  X509_free (self->x509);
  EVP_PKEY_free (self->key);
  g_free (self);
}

char *
forged_to_pem (const Forged *self)
{
  BIO *bio = BIO_new (BIO_s_mem ());
  char *data;
  char *pem;
  long length;

  g_assert_cmpint (PEM_write_bio_X509 (bio, self->x509), ==, 1);
  length = BIO_get_mem_data (bio, &data);
  pem = g_strndup (data, (gsize) length);
  BIO_free (bio);
  return pem;
}

GBytes *
forged_to_der (const Forged *self)
{
  unsigned char *der = NULL;
  int length = i2d_X509 (self->x509, &der);
  GBytes *bytes;

  g_assert_cmpint (length, >, 0);
  bytes = g_bytes_new (der, (gsize) length);
  OPENSSL_free (der);
  return bytes;
}

Family *
family_new (void)
{
  Family *self = g_new0 (Family, 1);

  self->root = forge (&(Order){ .name = "Root", .is_ca = TRUE }, NULL);
  self->intermediate = forge (&(Order){ .name = "Intermediate", .is_ca = TRUE }, self->root);
  self->leaf = forge (
    &(Order){
      .name = "server.example.org",
      .alternative_names = "DNS:server.example.org,DNS:*.wild.example.org,IP:192.0.2.7,IP:2001:db8::7",
      .extended_key_usage = "serverAuth",
    },
    self->intermediate);
  return self;
}

void
family_free (Family *self)
{
  forged_free (self->root);
  forged_free (self->intermediate);
  forged_free (self->leaf);
  g_free (self);
}

STACK_OF (X509) *
stack_of (X509 *first, ...)
{
  STACK_OF (X509) *stack = sk_X509_new_null ();
  va_list list;

  va_start (list, first);
  for (X509 *x509 = first; x509 != NULL; x509 = va_arg (list, X509 *))
    {
      g_assert_cmpint (X509_up_ref (x509), ==, 1);
      g_assert_cmpint (sk_X509_push (stack, x509), >, 0);
    }
  va_end (list);
  return stack;
}

X509_STORE *
store_of (X509 *anchor)
{
  X509_STORE *store = X509_STORE_new ();

  g_assert_cmpint (X509_STORE_add_cert (store, anchor), ==, 1);
  return store;
}

void
assert_queue_is_empty (void)
{
  unsigned long code = ERR_peek_error ();

  g_assert_cmphex (code, ==, 0);
}
