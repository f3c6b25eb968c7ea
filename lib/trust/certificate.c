/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "certificate-private.h"

#include "../engine/openssl-error.h"
#include "certificate-fields.h"
#include "certificate-reader.h"
#include "openssl-auto.h"
#include "verify.h"

#include <string.h>

/* NOTES:
 *
 * A certificate is its X509, perhaps its key, and perhaps its issuer, which is a GTlsCertificate again; nothing of it
 * changes after init(). What was given as a property is parsed when it is set; what was wrong with it waits in
 * construct_error until init() can tell. So no copy of a key's text is kept.
 *
 * `issuer` links mean different things by where they come from. From a peer (new_from_chain) they say in which order it
 * sent its certificates, true or not. From a PEM they are checked: each certificate is signed by the next, wherever in
 * the PEM that one stands; what signs nothing is left out. Neither is a verdict: path building starts anew in verify.c.
 */

struct _GTlsSessionCertificate
{
  GTlsCertificate parent_instance;

  X509 *x509;              /* NULL only until init() */
  EVP_PKEY *key;           /* nullable */
  GTlsCertificate *issuer; /* nullable */

  X509Chain *others;       /* the further certificates of a PEM, until init() */
  GError *construct_error; /* the first thing wrong, until init() */
};

enum
{
  PROP_0,
  PROP_CERTIFICATE,
  PROP_CERTIFICATE_PEM,
  PROP_PRIVATE_KEY,
  PROP_PRIVATE_KEY_PEM,
  PROP_ISSUER,
  PROP_PKCS11_URI,
  PROP_PRIVATE_KEY_PKCS11_URI,
  PROP_PKCS12_DATA,
  PROP_PASSWORD,
  PROP_SUBJECT_NAME,
  PROP_ISSUER_NAME,
  PROP_NOT_VALID_BEFORE,
  PROP_NOT_VALID_AFTER,
  PROP_DNS_NAMES,
  PROP_IP_ADDRESSES,
  N_PROPERTIES,
};

static const char *const property_names[N_PROPERTIES] = {
  [PROP_CERTIFICATE] = "certificate",
  [PROP_CERTIFICATE_PEM] = "certificate-pem",
  [PROP_PRIVATE_KEY] = "private-key",
  [PROP_PRIVATE_KEY_PEM] = "private-key-pem",
  [PROP_ISSUER] = "issuer",
  [PROP_PKCS11_URI] = "pkcs11-uri",
  [PROP_PRIVATE_KEY_PKCS11_URI] = "private-key-pkcs11-uri",
  [PROP_PKCS12_DATA] = "pkcs12-data",
  [PROP_PASSWORD] = "password",
  [PROP_SUBJECT_NAME] = "subject-name",
  [PROP_ISSUER_NAME] = "issuer-name",
  [PROP_NOT_VALID_BEFORE] = "not-valid-before",
  [PROP_NOT_VALID_AFTER] = "not-valid-after",
  [PROP_DNS_NAMES] = "dns-names",
  [PROP_IP_ADDRESSES] = "ip-addresses",
};

static void initable_iface_init (GInitableIface *iface);

/**
 * GTlsSessionCertificate:
 *
 * A certificate (X.509, RFC 5280), perhaps with its private key and with the certificate of its issuer.
 *
 * It is made from PEM or DER, by the functions here or by [ctor@GObject.Object.new] and the construct properties of
 * [class@Gio.TlsCertificate]. A PEM that holds several certificates makes a chain: the first one is the certificate
 * itself, and [property@Gio.TlsCertificate:issuer] leads on to the others as far as each is signed by the next.
 *
 * Certificates from PKCS #12, from PKCS #11 tokens and with encrypted keys are not supported yet; setting those
 * properties fails with `G_IO_ERROR_NOT_SUPPORTED`.
 *
 * Since: 0.1
 */
G_DEFINE_FINAL_TYPE_WITH_CODE (GTlsSessionCertificate,
                               g_tls_session_certificate,
                               G_TYPE_TLS_CERTIFICATE,
                               G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, initable_iface_init))

/* Construction from properties */

static void
keep_first_error (GTlsSessionCertificate *self, GError *error)
{
  if (self->construct_error == NULL)
    self->construct_error = error;
  else
    g_error_free (error);
}

static void
take_certificate (GTlsSessionCertificate *self, X509 *certificate)
{
  g_clear_pointer (&self->x509, X509_free);
  self->x509 = certificate;
}

/* Takes @certificates, which are not empty: the first is ours. */
static void
take_certificates (GTlsSessionCertificate *self, X509Chain *certificates)
{
  take_certificate (self, sk_X509_shift (certificates));
  g_clear_pointer (&self->others, x509_chain_free);
  self->others = certificates;
}

static void
set_certificate_der (GTlsSessionCertificate *self, GByteArray *der)
{
  GError *error = NULL;
  X509 *certificate = g_tls_session_read_der_certificate (der->data, der->len, &error);

  if (certificate != NULL)
    take_certificate (self, certificate);
  else
    keep_first_error (self, error);
}

static void
set_certificate_pem (GTlsSessionCertificate *self, const char *pem)
{
  GError *error = NULL;
  X509Chain *certificates = g_tls_session_read_pem_certificates (pem, strlen (pem), &error);

  if (certificates != NULL)
    take_certificates (self, certificates);
  else
    keep_first_error (self, error);
}

static void
set_key_der (GTlsSessionCertificate *self, GByteArray *der)
{
  GError *error = NULL;

  g_clear_pointer (&self->key, EVP_PKEY_free);
  self->key = g_tls_session_read_der_key (der->data, der->len, &error);
  if (self->key == NULL)
    keep_first_error (self, error);
}

static void
set_key_pem (GTlsSessionCertificate *self, const char *pem)
{
  GError *error = NULL;

  g_clear_pointer (&self->key, EVP_PKEY_free);
  if (!g_tls_session_read_pem_key (pem, strlen (pem), &self->key, &error))
    keep_first_error (self, error);
  else if (self->key == NULL)
    keep_first_error (
      self, g_error_new_literal (G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, "There is no private key in the PEM data"));
}

static void
refuse (GTlsSessionCertificate *self, const char *what)
{
  keep_first_error (self, g_error_new (G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                                       "%s are not supported yet; give the certificate as PEM or DER, its key "
                                       "unencrypted",
                                       what));
}

static void
g_tls_session_certificate_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GTlsSessionCertificate *self = G_TLS_SESSION_CERTIFICATE (object);

  /* A construct property that was not given */
  if (g_value_peek_pointer (value) == NULL)
    return;

  switch (id)
    {
    case PROP_CERTIFICATE:
      set_certificate_der (self, g_value_get_boxed (value));
      break;
    case PROP_CERTIFICATE_PEM:
      set_certificate_pem (self, g_value_get_string (value));
      break;
    case PROP_PRIVATE_KEY:
      set_key_der (self, g_value_get_boxed (value));
      break;
    case PROP_PRIVATE_KEY_PEM:
      set_key_pem (self, g_value_get_string (value));
      break;
    case PROP_ISSUER:
      g_set_object (&self->issuer, g_value_get_object (value));
      break;
    case PROP_PKCS11_URI:
    case PROP_PRIVATE_KEY_PKCS11_URI:
      refuse (self, "PKCS #11 URIs");
      break;
    case PROP_PKCS12_DATA:
      refuse (self, "PKCS #12 files");
      break;
    case PROP_PASSWORD:
      refuse (self, "Certificates and keys with a password");
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static gboolean
key_fits (X509 *certificate, EVP_PKEY *key)
{
  int fits;

  g_tls_session_openssl_clear_errors ();
  fits = X509_check_private_key (certificate, key);
  g_tls_session_openssl_clear_errors ();
  return fits == 1;
}

static void
link_issuers (GTlsSessionCertificate *self)
{
  g_autoptr (X509Chain) issuers = g_tls_session_chain_take_issuers (self->others, self->x509);

  if (sk_X509_num (issuers) > 0)
    self->issuer = G_TLS_CERTIFICATE (g_tls_session_certificate_new_from_chain (issuers));
}

static gboolean
g_tls_session_certificate_init_from_properties (GInitable *initable, GCancellable *cancellable, GError **error)
{
  GTlsSessionCertificate *self = G_TLS_SESSION_CERTIFICATE (initable);

  if (self->construct_error != NULL)
    {
      g_propagate_error (error, g_error_copy (self->construct_error));
      return FALSE;
    }

  if (self->x509 == NULL)
    {
      g_set_error_literal (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
                           "There is no certificate: neither \"certificate\" nor \"certificate-pem\" was given");
      return FALSE;
    }

  if (self->key != NULL && !key_fits (self->x509, self->key))
    {
      g_autofree char *subject = g_tls_session_name_to_text (X509_get_subject_name (self->x509));

      g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
                   "The private key does not belong to the certificate of \"%s\"", subject != NULL ? subject : "");
      return FALSE;
    }

  if (self->others != NULL && self->issuer == NULL)
    link_issuers (self);
  g_clear_pointer (&self->others, x509_chain_free);
  return TRUE;
}

static void
initable_iface_init (GInitableIface *iface)
{
  iface->init = g_tls_session_certificate_init_from_properties;
}

/* Reading it */

static void
get_key_property (GTlsSessionCertificate *self, guint id, GValue *value)
{
  if (self->key == NULL)
    return;

  if (id == PROP_PRIVATE_KEY)
    g_value_take_boxed (value, g_tls_session_key_to_der (self->key));
  else
    g_value_take_string (value, g_tls_session_key_to_pem (self->key));
}

static void
get_certificate_property (X509 *x509, guint id, GValue *value)
{
  switch (id)
    {
    case PROP_CERTIFICATE:
      g_value_take_boxed (value, g_tls_session_certificate_to_der (x509));
      break;
    case PROP_CERTIFICATE_PEM:
      g_value_take_string (value, g_tls_session_certificate_to_pem (x509));
      break;
    case PROP_SUBJECT_NAME:
      g_value_take_string (value, g_tls_session_name_to_text (X509_get_subject_name (x509)));
      break;
    case PROP_ISSUER_NAME:
      g_value_take_string (value, g_tls_session_name_to_text (X509_get_issuer_name (x509)));
      break;
    case PROP_NOT_VALID_BEFORE:
      g_value_take_boxed (value, g_tls_session_time_to_date (X509_get0_notBefore (x509)));
      break;
    case PROP_NOT_VALID_AFTER:
      g_value_take_boxed (value, g_tls_session_time_to_date (X509_get0_notAfter (x509)));
      break;
    case PROP_DNS_NAMES:
      g_value_take_boxed (value, g_tls_session_list_dns_names (x509));
      break;
    case PROP_IP_ADDRESSES:
      g_value_take_boxed (value, g_tls_session_list_ip_addresses (x509));
      break;
    default:
      g_assert_not_reached ();
    }
}

static void
g_tls_session_certificate_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GTlsSessionCertificate *self = G_TLS_SESSION_CERTIFICATE (object);

  switch (id)
    {
    case PROP_PRIVATE_KEY:
    case PROP_PRIVATE_KEY_PEM:
      get_key_property (self, id, value);
      break;
    case PROP_ISSUER:
      g_value_set_object (value, self->issuer);
      break;
    case PROP_PKCS11_URI:
    case PROP_PRIVATE_KEY_PKCS11_URI:
      break;
    default:
      if (self->x509 != NULL)
        get_certificate_property (self->x509, id, value);
    }
}

/* Without @trusted_ca everything is judged but whose word the chain rests on, as Gio documents. */
static GTlsCertificateFlags
g_tls_session_certificate_verify (GTlsCertificate *certificate,
                                  GSocketConnectable *identity,
                                  GTlsCertificate *trusted_ca)
{
  g_autoptr (X509Chain) chain = g_tls_session_chain_from_certificate (certificate);
  g_autoptr (X509Chain) anchors = NULL;
  g_autoptr (X509_STORE) store = NULL;
  X509 *anchor;

  if (chain == NULL)
    return G_TLS_CERTIFICATE_GENERIC_ERROR;

  if (trusted_ca == NULL)
    return g_tls_session_verify_chain (NULL, chain, NULL, identity) & ~G_TLS_CERTIFICATE_UNKNOWN_CA;

  anchors = x509_chain_new ();
  anchor = g_tls_session_x509_from_certificate (trusted_ca);
  if (anchor != NULL)
    x509_chain_push (anchors, anchor);
  store = g_tls_session_store_new (anchors);
  return g_tls_session_verify_chain (store, chain, NULL, identity);
}

static void
g_tls_session_certificate_finalize (GObject *object)
{
  GTlsSessionCertificate *self = G_TLS_SESSION_CERTIFICATE (object);

  g_clear_pointer (&self->x509, X509_free);
  g_clear_pointer (&self->key, EVP_PKEY_free);
  g_clear_pointer (&self->others, x509_chain_free);
  g_clear_object (&self->issuer);
  g_clear_error (&self->construct_error);

  G_OBJECT_CLASS (g_tls_session_certificate_parent_class)->finalize (object);
}

static void
g_tls_session_certificate_class_init (GTlsSessionCertificateClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->set_property = g_tls_session_certificate_set_property;
  object_class->get_property = g_tls_session_certificate_get_property;
  object_class->finalize = g_tls_session_certificate_finalize;
  G_TLS_CERTIFICATE_CLASS (class)->verify = g_tls_session_certificate_verify;

  for (guint id = PROP_0 + 1; id < N_PROPERTIES; id++)
    g_object_class_override_property (object_class, id, property_names[id]);
}

static void
g_tls_session_certificate_init (GTlsSessionCertificate *self)
{
}

/* Making one from data */

static GTlsSessionCertificate *
finish (GTlsSessionCertificate *self, GError **error)
{
  g_autoptr (GTlsSessionCertificate) certificate = self;

  if (!g_initable_init (G_INITABLE (certificate), NULL, error))
    return NULL;
  return g_steal_pointer (&certificate);
}

/**
 * g_tls_session_certificate_new_from_pem:
 * @data: text with a certificate in it, in PEM (RFC 7468)
 * @length: the length of @data in bytes, or -1 if it ends with a NUL byte
 * @error: return location for an error
 *
 * Makes a certificate from PEM.
 *
 * The first certificate in @data is the one returned. Any further ones become its chain of issuers
 * ([property@Gio.TlsCertificate:issuer]), in whatever order they stand, as long as each is signed by the next;
 * certificates that sign nothing in the chain are left out.
 *
 * If @data also holds a private key (PKCS #8, PKCS #1 or SEC 1, not encrypted) the certificate has that key.
 *
 * It fails with `G_TLS_ERROR_BAD_CERTIFICATE` if there is no certificate in @data, if a certificate or the key is
 * corrupt, or if the key does not belong to the certificate, and with `G_TLS_ERROR_BAD_CERTIFICATE_PASSWORD` if the key
 * is encrypted.
 *
 * Returns: (transfer full): the certificate, or %NULL with @error set
 *
 * Since: 0.1
 */
GTlsSessionCertificate *
g_tls_session_certificate_new_from_pem (const char *data, gssize length, GError **error)
{
  g_autoptr (GTlsSessionCertificate) self = NULL;
  X509Chain *certificates;
  gsize size;

  g_return_val_if_fail (data != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  size = length < 0 ? strlen (data) : (gsize) length;
  certificates = g_tls_session_read_pem_certificates (data, size, error);
  if (certificates == NULL)
    return NULL;

  self = g_object_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL);
  take_certificates (self, certificates);
  if (!g_tls_session_read_pem_key (data, size, &self->key, error))
    return NULL;

  return finish (g_steal_pointer (&self), error);
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
  g_autoptr (GTlsSessionCertificate) self = NULL;
  const void *data;
  gsize length;
  X509 *certificate;

  g_return_val_if_fail (der != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  data = g_bytes_get_data (der, &length);
  certificate = g_tls_session_read_der_certificate (data, length, error);
  if (certificate == NULL)
    return NULL;

  self = g_object_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL);
  take_certificate (self, certificate);
  return finish (g_steal_pointer (&self), error);
}

static GTlsSessionCertificate *
new_from_contents (const char *contents, gsize length, GError **error)
{
  g_autoptr (GBytes) der = NULL;

  if (g_tls_session_looks_like_pem (contents, length))
    return g_tls_session_certificate_new_from_pem (contents, (gssize) length, error);

  der = g_bytes_new_static (contents, length);
  return g_tls_session_certificate_new_from_der (der, error);
}

/**
 * g_tls_session_certificate_new_from_file:
 * @path: (type filename): a file with a certificate in it, in PEM or DER
 * @error: return location for an error
 *
 * Makes a certificate from a file.
 *
 * A file in PEM may hold a chain and a private key too; see [ctor@GTlsSession.Certificate.new_from_pem].
 *
 * It fails with an error of the domain `G_FILE_ERROR` if the file cannot be read, with `G_IO_ERROR_NOT_SUPPORTED` if its
 * name ends in `.p12` or `.pfx` (PKCS #12), and as [ctor@GTlsSession.Certificate.new_from_pem] does if its contents are
 * not sound.
 *
 * Returns: (transfer full): the certificate, or %NULL with @error set
 *
 * Since: 0.1
 */
GTlsSessionCertificate *
g_tls_session_certificate_new_from_file (const char *path, GError **error)
{
  g_autofree char *contents = NULL;
  GTlsSessionCertificate *self;
  gsize length;

  g_return_val_if_fail (path != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (g_str_has_suffix (path, ".p12") || g_str_has_suffix (path, ".pfx"))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                   "PKCS #12 files are not supported yet: %s; convert it to PEM", path);
      return NULL;
    }

  if (!g_file_get_contents (path, &contents, &length, error))
    {
      g_prefix_error (error, "The certificate could not be read: ");
      return NULL;
    }

  self = new_from_contents (contents, length, error);
  if (self == NULL)
    g_prefix_error (error, "%s: ", path);

  OPENSSL_cleanse (contents, length); /* a key, perhaps */
  return self;
}

/* For the rest of the library */

/* The certificates of @chain, leaf first, as one certificate with its issuers in the order given. @chain is not empty.
 */
GTlsSessionCertificate *
g_tls_session_certificate_new_from_chain (STACK_OF (X509) *chain)
{
  g_autoptr (GTlsSessionCertificate) certificate = NULL;

  g_return_val_if_fail (sk_X509_num (chain) > 0, NULL);

  for (int i = sk_X509_num (chain) - 1; i >= 0; i--)
    {
      GTlsSessionCertificate *issuer = g_steal_pointer (&certificate);

      certificate = g_object_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL);
      certificate->x509 = x509_ref (sk_X509_value (chain, i));
      certificate->issuer = (GTlsCertificate *) issuer;
    }
  return g_steal_pointer (&certificate);
}

/* Borrowed; NULL only for one that was never initialised. */
X509 *
g_tls_session_certificate_get_x509 (GTlsSessionCertificate *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_CERTIFICATE (self), NULL);

  return self->x509;
}

/* Borrowed, nullable. */
EVP_PKEY *
g_tls_session_certificate_get_key (GTlsSessionCertificate *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_CERTIFICATE (self), NULL);

  return self->key;
}
