/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "certificate-fields.h"

#include "../engine/openssl-error.h"
#include "openssl-auto.h"

#include <openssl/pem.h>

/* RFC 4514, but in the order of the certificate and with UTF-8 as it is: what GLib's GnuTLS backend shows. */
#define NAME_FLAGS (XN_FLAG_RFC2253 & ~XN_FLAG_DN_REV & ~ASN1_STRFLGS_ESC_MSB)

/* Ends what OpenSSL was asked: nothing of it stays in the queue. */
static char *
bio_to_text (BIO *bio, gboolean written)
{
  char *data = NULL;
  long length = written ? BIO_get_mem_data (bio, &data) : 0;

  g_tls_session_openssl_clear_errors ();
  return length > 0 ? g_strndup (data, (gsize) length) : NULL;
}

/* NULL if OpenSSL has no memory. */
static BIO *
new_memory_bio (const BIO_METHOD *method)
{
  BIO *bio = BIO_new (method);

  g_tls_session_openssl_clear_errors ();
  return bio;
}

/* Takes what an i2d function of OpenSSL wrote; @secret: wipes it. */
static GByteArray *
take_der (unsigned char *der, int length, gboolean secret)
{
  GByteArray *array = NULL;

  if (length > 0)
    {
      array = g_byte_array_sized_new ((guint) length);
      g_byte_array_append (array, der, (guint) length);
    }

  if (secret && length > 0)
    OPENSSL_clear_free (der, (gsize) length);
  else
    OPENSSL_free (der);
  g_tls_session_openssl_clear_errors ();
  return array;
}

GByteArray *
g_tls_session_certificate_to_der (X509 *certificate)
{
  unsigned char *der = NULL;
  int length = i2d_X509 (certificate, &der);

  return take_der (der, length, FALSE);
}

char *
g_tls_session_certificate_to_pem (X509 *certificate)
{
  g_autoptr (BIO) bio = new_memory_bio (BIO_s_mem ());
  int written = bio != NULL ? PEM_write_bio_X509 (bio, certificate) : 0;

  return bio_to_text (bio, written == 1);
}

/* PKCS #8 (RFC 5958), unencrypted. */
GByteArray *
g_tls_session_key_to_der (EVP_PKEY *key)
{
  g_autoptr (PKCS8_PRIV_KEY_INFO) info = EVP_PKEY2PKCS8 (key);
  unsigned char *der = NULL;
  int length = info != NULL ? i2d_PKCS8_PRIV_KEY_INFO (info, &der) : 0;

  return take_der (der, length, TRUE);
}

char *
g_tls_session_key_to_pem (EVP_PKEY *key)
{
  g_autoptr (BIO) bio = new_memory_bio (BIO_s_secmem ());
  int written = bio != NULL ? PEM_write_bio_PKCS8PrivateKey (bio, key, NULL, NULL, 0, NULL, NULL) : 0;

  return bio_to_text (bio, written == 1);
}

char *
g_tls_session_name_to_text (const X509_NAME *name)
{
  g_autoptr (BIO) bio = new_memory_bio (BIO_s_mem ());
  int written = bio != NULL ? X509_NAME_print_ex (bio, name, 0, NAME_FLAGS) : -1;
  g_autofree char *text = bio_to_text (bio, written >= 0);

  return text != NULL ? g_utf8_make_valid (text, -1) : NULL;
}

GDateTime *
g_tls_session_time_to_date (const ASN1_TIME *when)
{
  struct tm tm;
  int understood = ASN1_TIME_to_tm (when, &tm);

  g_tls_session_openssl_clear_errors ();
  if (understood != 1)
    return NULL;
  return g_date_time_new_utc (tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* RFC 5280 section 4.2.1.6. NULL if the certificate has none, or if it cannot be read. */
static GENERAL_NAMES *
get_alternative_names (X509 *certificate)
{
  GENERAL_NAMES *names = X509_get_ext_d2i (certificate, NID_subject_alt_name, NULL, NULL);

  g_tls_session_openssl_clear_errors ();
  return names;
}

/* Of GBytes; empty if there are none. */
GPtrArray *
g_tls_session_list_dns_names (X509 *certificate)
{
  g_autoptr (GENERAL_NAMES) names = get_alternative_names (certificate);
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);

  for (int i = 0; i < sk_GENERAL_NAME_num (names); i++)
    {
      const GENERAL_NAME *name = sk_GENERAL_NAME_value (names, i);

      if (name->type == GEN_DNS)
        g_ptr_array_add (
          list, g_bytes_new (ASN1_STRING_get0_data (name->d.dNSName), (gsize) ASN1_STRING_length (name->d.dNSName)));
    }
  return list;
}

static GInetAddress *
octets_to_address (const ASN1_OCTET_STRING *octets)
{
  const guint8 *data = ASN1_STRING_get0_data (octets);

  switch (ASN1_STRING_length (octets))
    {
    case 4:
      return g_inet_address_new_from_bytes (data, G_SOCKET_FAMILY_IPV4);
    case 16:
      return g_inet_address_new_from_bytes (data, G_SOCKET_FAMILY_IPV6);
    default:
      return NULL;
    }
}

/* Of GInetAddress; empty if there are none. */
GPtrArray *
g_tls_session_list_ip_addresses (X509 *certificate)
{
  g_autoptr (GENERAL_NAMES) names = get_alternative_names (certificate);
  GPtrArray *list = g_ptr_array_new_with_free_func (g_object_unref);

  for (int i = 0; i < sk_GENERAL_NAME_num (names); i++)
    {
      const GENERAL_NAME *name = sk_GENERAL_NAME_value (names, i);
      GInetAddress *address = name->type == GEN_IPADD ? octets_to_address (name->d.iPAddress) : NULL;

      if (address != NULL)
        g_ptr_array_add (list, address);
    }
  return list;
}
