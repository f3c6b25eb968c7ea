/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "certificate-private.h"

#include "../engine/openssl-error.h"
#include "certificate-fields.h"
#include "openssl-auto.h"
#include "verify.h"

#include <string.h>

/* NOTES:
 *
 * A certificate is its X509, perhaps its key, and perhaps its issuer, which is a GTlsCertificate again. It is read when it
 * is constructed, as some programs make one by g_object_new() and never call init(); init() tells what was wrong, and reads
 * what our own constructors added meanwhile. Nothing of it changes after that, but for a key that is closed with a password: that is opened by g_tls_session_certificate_unlock(),
 * once, and stays open. The lock covers only the pointer to the open key; a wrong password costs no other thread its time.
 *
 * `issuer` links mean different things by where they come from. From a peer (new_from_chain) they say in which order it
 * sent its certificates, true or not. From data they are checked: each certificate is signed by the next, wherever in
 * the data that one stands; what signs nothing is left out. Neither is a verdict: path building starts anew in verify.c.
 */

struct _GTlsSessionCertificate
{
  GTlsCertificate parent_instance;

  X509 *x509;              /* NULL only while there was nothing sound to read */
  GTlsCertificate *issuer; /* nullable */

  GMutex lock;                      /* covers the next one */
  EVP_PKEY *key;                    /* nullable; once there, it stays */
  GTlsSessionLockedKey *locked_key; /* nullable; what the key came out of, or may come out of */
  gboolean key_is_on_token;
  char *pkcs11_uri;             /* nullable */
  char *private_key_pkcs11_uri; /* nullable */

  GTlsSessionIngredients *ingredients; /* until x509 is there */
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
 * It is made from PEM, DER or PKCS #12, by the functions here or by [ctor@GObject.Object.new] and the construct
 * properties of [class@Gio.TlsCertificate]. A PEM that holds several certificates makes a chain:
 * [property@Gio.TlsCertificate:issuer] leads on from the certificate itself to the others as far as each is signed by the
 * next. The certificate itself is the one that the private key belongs to, or the first one if there is no key.
 *
 * ```c
 * g_autoptr (GError) error = NULL;
 * g_autoptr (GTlsSessionCertificate) own = g_tls_session_certificate_new_from_file ("server.pem", &error);
 *
 * if (own == NULL)
 *   g_error ("%s", error->message);
 * g_tls_connection_set_certificate (G_TLS_CONNECTION (server_connection), G_TLS_CERTIFICATE (own));
 * ```
 *
 * A private key may be encrypted. [property@Gio.TlsCertificate:password] opens it, as it opens PKCS #12; without a
 * password the certificate is made all the same, and its key stays closed.
 *
 * PKCS #11 URIs are handed to OpenSSL, which needs a provider for them; where none is loaded they fail with
 * `G_IO_ERROR_NOT_SUPPORTED`.
 *
 * Since: 0.1
 */
G_DEFINE_FINAL_TYPE_WITH_CODE (GTlsSessionCertificate,
                               g_tls_session_certificate,
                               G_TYPE_TLS_CERTIFICATE,
                               G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, initable_iface_init))

/* Construction from properties */

static void
add_ingredient (GTlsSessionIngredients *ingredients, guint id, const GValue *value)
{
  GByteArray *bytes = G_VALUE_HOLDS_BOXED (value) ? g_value_get_boxed (value) : NULL;
  const char *text = G_VALUE_HOLDS_STRING (value) ? g_value_get_string (value) : NULL;

  switch (id)
    {
    case PROP_CERTIFICATE:
      g_tls_session_ingredients_add_der (ingredients, bytes->data, bytes->len);
      break;
    case PROP_CERTIFICATE_PEM:
      g_tls_session_ingredients_add_pem (ingredients, text, strlen (text));
      break;
    case PROP_PRIVATE_KEY:
      g_tls_session_ingredients_add_key_der (ingredients, bytes);
      break;
    case PROP_PRIVATE_KEY_PEM:
      g_tls_session_ingredients_add_key_pem (ingredients, text, strlen (text));
      g_tls_session_ingredients_require_key (ingredients);
      break;
    case PROP_PKCS12_DATA:
      ingredients->pkcs12 = g_byte_array_ref (bytes);
      break;
    case PROP_PKCS11_URI:
      ingredients->pkcs11_uri = g_strdup (text);
      break;
    case PROP_PRIVATE_KEY_PKCS11_URI:
      ingredients->private_key_pkcs11_uri = g_strdup (text);
      break;
    case PROP_PASSWORD:
      g_tls_session_ingredients_set_password (ingredients, text);
      break;
    default:
      g_assert_not_reached ();
    }
}

static void
g_tls_session_certificate_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GTlsSessionCertificate *self = G_TLS_SESSION_CERTIFICATE (object);

  /* A construct property that was not given */
  if (g_value_peek_pointer (value) == NULL)
    return;

  if (id == PROP_ISSUER)
    g_set_object (&self->issuer, g_value_get_object (value));
  else if (id < PROP_SUBJECT_NAME)
    add_ingredient (self->ingredients, id, value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static gboolean
link_issuers (GTlsSessionCertificate *self, X509 *leaf, X509Chain *others, GError **error)
{
  g_autoptr (X509Chain) issuers = g_tls_session_chain_take_issuers (others, leaf);

  if (issuers == NULL)
    {
      g_set_error_literal (error, G_TLS_ERROR, G_TLS_ERROR_MISC,
                           "There is no memory to check who signed the certificate");
      return FALSE;
    }
  if (sk_X509_num (issuers) > 0)
    self->issuer = G_TLS_CERTIFICATE (g_tls_session_certificate_new_from_chain (issuers));
  return TRUE;
}

/* Without its issuers it would be another certificate, so then there is none. */
static gboolean
take_prepared (GTlsSessionCertificate *self, GTlsSessionIngredients *prepared, GError **error)
{
  g_autoptr (X509) leaf = sk_X509_shift (prepared->certificates);

  if (self->issuer == NULL && !link_issuers (self, leaf, prepared->certificates, error))
    return FALSE;

  self->x509 = g_steal_pointer (&leaf);
  self->key = g_steal_pointer (&prepared->key.open);
  self->locked_key = g_steal_pointer (&prepared->key.locked);
  self->key_is_on_token = prepared->key_is_on_token;
  self->pkcs11_uri = g_steal_pointer (&prepared->pkcs11_uri);
  self->private_key_pkcs11_uri = g_steal_pointer (&prepared->private_key_pkcs11_uri);
  return TRUE;
}

static gboolean
read_ingredients (GTlsSessionCertificate *self, GError **error)
{
  GError *failure = NULL;

  if (self->ingredients == NULL)
    return TRUE; /* it has been done */
  if (!g_tls_session_ingredients_prepare (self->ingredients, error))
    return FALSE;

  if (!take_prepared (self, self->ingredients, &failure))
    {
      g_propagate_error (error, g_error_copy (failure));
      g_tls_session_ingredients_fail (self->ingredients, failure);
      return FALSE;
    }
  g_clear_pointer (&self->ingredients, g_tls_session_ingredients_free);
  return TRUE;
}

static void
g_tls_session_certificate_constructed (GObject *object)
{
  GTlsSessionCertificate *self = G_TLS_SESSION_CERTIFICATE (object);

  G_OBJECT_CLASS (g_tls_session_certificate_parent_class)->constructed (object);

  if (g_tls_session_ingredients_have_certificate (self->ingredients))
    read_ingredients (self, NULL); /* init() tells */
}

static gboolean
g_tls_session_certificate_init_from_properties (GInitable *initable, GCancellable *cancellable, GError **error)
{
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  return read_ingredients (G_TLS_SESSION_CERTIFICATE (initable), error);
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
  EVP_PKEY *key = g_tls_session_certificate_get_key (self);

  if (key == NULL || self->key_is_on_token)
    return;

  if (id == PROP_PRIVATE_KEY)
    g_value_take_boxed (value, g_tls_session_key_to_der (key));
  else
    g_value_take_string (value, g_tls_session_key_to_pem (key));
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
      g_value_set_string (value, self->pkcs11_uri);
      break;
    case PROP_PRIVATE_KEY_PKCS11_URI:
      g_value_set_string (value, self->private_key_pkcs11_uri);
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
    return g_tls_session_verify_chain (NULL, chain, NULL, identity, NULL) & ~G_TLS_CERTIFICATE_UNKNOWN_CA;

  /* Without an anchor, for whatever reason, nothing is trusted. */
  anchor = g_tls_session_x509_from_certificate (trusted_ca);
  anchors = anchor != NULL ? x509_chain_new_with (anchor) : NULL;
  store = g_tls_session_store_new (anchors);
  return g_tls_session_verify_chain (store, chain, NULL, identity, NULL);
}

static void
g_tls_session_certificate_finalize (GObject *object)
{
  GTlsSessionCertificate *self = G_TLS_SESSION_CERTIFICATE (object);

  g_clear_pointer (&self->x509, X509_free);
  g_clear_pointer (&self->key, EVP_PKEY_free);
  g_clear_pointer (&self->locked_key, g_tls_session_locked_key_free);
  g_clear_object (&self->issuer);
  g_free (self->pkcs11_uri);
  g_free (self->private_key_pkcs11_uri);
  g_clear_pointer (&self->ingredients, g_tls_session_ingredients_free);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (g_tls_session_certificate_parent_class)->finalize (object);
}

static void
g_tls_session_certificate_class_init (GTlsSessionCertificateClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->set_property = g_tls_session_certificate_set_property;
  object_class->get_property = g_tls_session_certificate_get_property;
  object_class->constructed = g_tls_session_certificate_constructed;
  object_class->finalize = g_tls_session_certificate_finalize;
  G_TLS_CERTIFICATE_CLASS (class)->verify = g_tls_session_certificate_verify;

  for (guint id = PROP_0 + 1; id < N_PROPERTIES; id++)
    g_object_class_override_property (object_class, id, property_names[id]);
}

static void
g_tls_session_certificate_init (GTlsSessionCertificate *self)
{
  g_mutex_init (&self->lock);
  self->ingredients = g_tls_session_ingredients_new ();
}

/* For the rest of the library */

/* @x509 by itself. */
GTlsSessionCertificate *
g_tls_session_certificate_new_from_x509 (X509 *x509)
{
  GTlsSessionCertificate *self = g_object_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL);

  g_clear_pointer (&self->ingredients, g_tls_session_ingredients_free);
  self->x509 = x509_ref (x509);
  return self;
}

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

      certificate = g_tls_session_certificate_new_from_x509 (sk_X509_value (chain, i));
      certificate->issuer = (GTlsCertificate *) issuer;
    }
  return g_steal_pointer (&certificate);
}

/* Borrowed; NULL only for one that was made by g_object_new() of nothing sound. */
X509 *
g_tls_session_certificate_get_x509 (GTlsSessionCertificate *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_CERTIFICATE (self), NULL);

  return self->x509;
}

/* Borrowed. NULL if there is none, or if it is locked. */
EVP_PKEY *
g_tls_session_certificate_get_key (GTlsSessionCertificate *self)
{
  EVP_PKEY *key;

  g_return_val_if_fail (G_TLS_SESSION_IS_CERTIFICATE (self), NULL);

  g_mutex_lock (&self->lock);
  key = self->key;
  g_mutex_unlock (&self->lock);
  return key;
}

/* Whether there is a private key that waits for its password. */
gboolean
g_tls_session_certificate_is_locked (GTlsSessionCertificate *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_CERTIFICATE (self), FALSE);

  return self->locked_key != NULL && g_tls_session_certificate_get_key (self) == NULL;
}

static EVP_PKEY *
open_own_key (GTlsSessionCertificate *self, GTlsSessionPassword password, GError **error)
{
  g_autoptr (EVP_PKEY) key = g_tls_session_locked_key_open (self->locked_key, password, error);

  if (key == NULL || !g_tls_session_check_key_fits (self->x509, key, error))
    return NULL;
  return g_steal_pointer (&key);
}

/* Opens the private key; nothing is to be done if there is none, or if it is open. From any thread; it may take as long
 * as the key's encryption was meant to take, or a token takes.
 *
 * @password: not NULL, @length bytes. It is G_TLS_ERROR_BAD_CERTIFICATE_PASSWORD if it is wrong, and another one may be
 * tried.
 */
gboolean
g_tls_session_certificate_unlock (GTlsSessionCertificate *self, const guint8 *password, gsize length, GError **error)
{
  EVP_PKEY *key;

  g_return_val_if_fail (G_TLS_SESSION_IS_CERTIFICATE (self), FALSE);
  g_return_val_if_fail (password != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!g_tls_session_certificate_is_locked (self))
    return TRUE;

  key = open_own_key (self, (GTlsSessionPassword){ .data = password, .length = length }, error);
  if (key == NULL)
    return FALSE;

  g_mutex_lock (&self->lock);
  if (self->key == NULL)
    self->key = g_steal_pointer (&key);
  g_mutex_unlock (&self->lock);
  EVP_PKEY_free (key); /* another thread was first */
  return TRUE;
}

/* Borrowed, and only while there is no certificate yet: what the certificate is to be made of. */
GTlsSessionIngredients *
g_tls_session_certificate_get_ingredients (GTlsSessionCertificate *self)
{
  return self->ingredients;
}
