/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "certificate-private.h"

#include "certificate-reader.h"

#include <string.h>

#include <openssl/crypto.h>

/* Certificates out of text, bytes and files. */

static GTlsSessionCertificate *
finish (GTlsSessionCertificate *self, GError **error)
{
  g_autoptr (GTlsSessionCertificate) certificate = self;

  if (!g_initable_init (G_INITABLE (certificate), NULL, error))
    return NULL;
  return g_steal_pointer (&certificate);
}

static GTlsSessionCertificate *
new_from_pem (const char *pem, gsize length, const char *password, GError **error)
{
  GTlsSessionCertificate *self = g_object_new (G_TLS_SESSION_TYPE_CERTIFICATE, "password", password, NULL);
  GTlsSessionIngredients *ingredients = g_tls_session_certificate_get_ingredients (self);

  g_tls_session_ingredients_add_pem (ingredients, pem, length);
  g_tls_session_ingredients_add_key_pem (ingredients, pem, length);
  return finish (self, error);
}

static GTlsSessionCertificate *
new_from_der (const void *der, gsize length, GError **error)
{
  GTlsSessionCertificate *self = g_object_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL);

  g_tls_session_ingredients_add_der (g_tls_session_certificate_get_ingredients (self), der, length);
  return finish (self, error);
}

static GTlsSessionCertificate *
new_from_pkcs12 (const void *data, gsize length, const char *password, GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_sized_new ((guint) length);

  g_byte_array_append (bytes, data, (guint) length);
  return g_initable_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL, error, "pkcs12-data", bytes, "password", password, NULL);
}

/**
 * g_tls_session_certificate_new_from_pem:
 * @data: text with a certificate in it, in PEM (RFC 7468)
 * @length: the length of @data in bytes, or -1 if it ends with a NUL byte
 * @error: return location for an error
 *
 * Makes a certificate from PEM.
 *
 * If @data also holds a private key (PKCS #8, PKCS #1 or SEC 1) the certificate has that key. Of several certificates in
 * @data the one returned is the one that the key belongs to, or the first one if there is no key. The others become its
 * chain of issuers ([property@Gio.TlsCertificate:issuer]), in whatever order they stand, as long as each is signed by the
 * next; certificates that sign nothing in the chain are left out, and so are those that come twice.
 *
 * If the private key is encrypted it stays closed, and the first certificate is taken for its own;
 * [ctor@GTlsSession.Certificate.new_from_file_with_password] opens it.
 *
 * It fails with `G_TLS_ERROR_BAD_CERTIFICATE` if there is no certificate in @data, if a certificate or the key is
 * corrupt, or if the key does not belong to any certificate in it.
 *
 * Returns: (transfer full): the certificate, or %NULL with @error set
 *
 * Since: 0.1
 */
GTlsSessionCertificate *
g_tls_session_certificate_new_from_pem (const char *data, gssize length, GError **error)
{
  g_return_val_if_fail (data != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return new_from_pem (data, length < 0 ? strlen (data) : (gsize) length, NULL, error);
}

/**
 * g_tls_session_certificate_new_from_der:
 * @der: one certificate in DER (RFC 5280)
 * @error: return location for an error
 *
 * Makes a certificate from its binary form.
 *
 * It fails with `G_TLS_ERROR_BAD_CERTIFICATE` if @der is anything else than one whole certificate.
 *
 * Returns: (transfer full): the certificate, without key or issuer, or %NULL with @error set
 *
 * Since: 0.1
 */
GTlsSessionCertificate *
g_tls_session_certificate_new_from_der (GBytes *der, GError **error)
{
  const void *data;
  gsize length;

  g_return_val_if_fail (der != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  data = g_bytes_get_data (der, &length);
  return new_from_der (data, length, error);
}

/* Gio goes by the name, too. */
static gboolean
is_pkcs12_name (const char *path)
{
  return g_str_has_suffix (path, ".p12") || g_str_has_suffix (path, ".pfx");
}

static GTlsSessionCertificate *
new_from_contents (const char *path, const char *contents, gsize length, const char *password, GError **error)
{
  if (is_pkcs12_name (path))
    return new_from_pkcs12 (contents, length, password, error);
  if (g_tls_session_looks_like_pem (contents, length))
    return new_from_pem (contents, length, password, error);
  return new_from_der (contents, length, error);
}

static GTlsSessionCertificate *
new_from_file (const char *path, const char *password, GError **error)
{
  g_autofree char *contents = NULL;
  GTlsSessionCertificate *self;
  gsize length;

  if (!g_tls_session_read_file (path, &contents, &length, error))
    {
      g_prefix_error (error, "The certificate could not be read: ");
      return NULL;
    }

  self = new_from_contents (path, contents, length, password, error);
  if (self == NULL)
    g_prefix_error (error, "%s: ", path);

  OPENSSL_cleanse (contents, length); /* a key, perhaps */
  return self;
}

/**
 * g_tls_session_certificate_new_from_file:
 * @path: (type filename): a file with a certificate in it, in PEM, DER or PKCS #12
 * @error: return location for an error
 *
 * Makes a certificate from a file.
 *
 * A file in PEM may hold a chain and a private key too; see [ctor@GTlsSession.Certificate.new_from_pem]. A file whose name
 * ends in `.p12` or `.pfx` is PKCS #12, without a password or with an empty one; for another one there is
 * [ctor@GTlsSession.Certificate.new_from_file_with_password].
 *
 * It fails with an error of the domain `G_FILE_ERROR` if the file cannot be read, with
 * `G_TLS_ERROR_BAD_CERTIFICATE_PASSWORD` if it is PKCS #12 that has a password, and with `G_TLS_ERROR_BAD_CERTIFICATE` if
 * its contents are not sound.
 *
 * Returns: (transfer full): the certificate, or %NULL with @error set
 *
 * Since: 0.1
 */
GTlsSessionCertificate *
g_tls_session_certificate_new_from_file (const char *path, GError **error)
{
  g_return_val_if_fail (path != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return new_from_file (path, NULL, error);
}

/**
 * g_tls_session_certificate_new_from_file_with_password:
 * @path: (type filename): a file with a certificate and a private key in it, in PEM or PKCS #12
 * @password: what the file, or the private key in it, is encrypted with
 * @error: return location for an error
 *
 * Makes a certificate from a file that a password closes: PKCS #12 (`.p12` or `.pfx`), or PEM with an encrypted private
 * key.
 *
 * It fails with `G_TLS_ERROR_BAD_CERTIFICATE_PASSWORD` if @password is wrong, and otherwise as
 * [ctor@GTlsSession.Certificate.new_from_file] does. A password that nothing asks for does no harm.
 *
 * OpenSSL reads what was encrypted with AES or Triple DES. Old programs write PKCS #12 with RC2, which it knows only with
 * its legacy provider; without that provider such a file is `G_TLS_ERROR_BAD_CERTIFICATE`.
 *
 * Returns: (transfer full): the certificate, or %NULL with @error set
 *
 * Since: 0.1
 */
GTlsSessionCertificate *
g_tls_session_certificate_new_from_file_with_password (const char *path, const char *password, GError **error)
{
  g_return_val_if_fail (path != NULL, NULL);
  g_return_val_if_fail (password != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return new_from_file (path, password, error);
}
