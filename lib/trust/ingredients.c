/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ingredients.h"

#include "../engine/openssl-error.h"
#include "certificate-fields.h"
#include "certificate-reader.h"
#include "openssl-auto.h"
#include "pkcs11.h"
#include "pkcs12.h"

/* NOTES:
 *
 * Properties come one by one and in any order, so a password may come after what it opens. Each is parsed when it comes,
 * so that no copy of a key's text is kept; only what a password may be wanted for waits until all is there. What was
 * wrong waits too, until somebody can be told.
 */

GTlsSessionIngredients *
g_tls_session_ingredients_new (void)
{
  return g_new0 (GTlsSessionIngredients, 1);
}

void
g_tls_session_ingredients_free (GTlsSessionIngredients *self)
{
  g_clear_pointer (&self->certificates, x509_chain_free);
  g_tls_session_private_key_clear (&self->key);
  g_clear_pointer (&self->pkcs12, g_byte_array_unref);
  g_free (self->pkcs11_uri);
  g_free (self->private_key_pkcs11_uri);
  g_tls_session_secret_free (self->password);
  g_clear_error (&self->error);
  g_free (self);
}

/* Coming in */

static void
keep_first_error (GTlsSessionIngredients *self, GError *error)
{
  if (self->error == NULL)
    self->error = error;
  else
    g_error_free (error);
}

/* Nothing becomes of them any more. Takes @error. */
void
g_tls_session_ingredients_fail (GTlsSessionIngredients *self, GError *error)
{
  keep_first_error (self, error);
}

static void
take_certificates (GTlsSessionIngredients *self, X509Chain *certificates)
{
  g_clear_pointer (&self->certificates, x509_chain_free);
  self->certificates = certificates;
}

static gboolean
take_certificate (GTlsSessionIngredients *self, X509 *certificate, GError **error)
{
  X509Chain *chain = x509_chain_new_with (certificate);

  if (chain == NULL)
    {
      g_tls_session_openssl_set_error (error, "The certificate cannot be kept");
      return FALSE;
    }
  take_certificates (self, chain);
  return TRUE;
}

/* One certificate. */
void
g_tls_session_ingredients_add_der (GTlsSessionIngredients *self, const void *der, gsize length)
{
  GError *error = NULL;
  X509 *certificate = g_tls_session_read_der_certificate (der, length, &error);

  if (certificate == NULL || !take_certificate (self, certificate, &error))
    keep_first_error (self, error);
}

/* Any number of certificates, one at least. */
void
g_tls_session_ingredients_add_pem (GTlsSessionIngredients *self, const char *pem, gsize length)
{
  GError *error = NULL;
  X509Chain *certificates = g_tls_session_read_pem_certificates (pem, length, &error);

  if (certificates != NULL)
    take_certificates (self, certificates);
  else
    keep_first_error (self, error);
}

void
g_tls_session_ingredients_add_key_der (GTlsSessionIngredients *self, GByteArray *der)
{
  GError *error = NULL;

  g_tls_session_private_key_clear (&self->key);
  if (!g_tls_session_read_der_key (der->data, der->len, &self->key, &error))
    keep_first_error (self, error);
}

/* The first key of @pem, if there is one. */
void
g_tls_session_ingredients_add_key_pem (GTlsSessionIngredients *self, const char *pem, gsize length)
{
  GError *error = NULL;

  g_tls_session_private_key_clear (&self->key);
  if (!g_tls_session_read_pem_key (pem, length, &self->key, &error))
    keep_first_error (self, error);
}

/* It is wrong if there is no key by now. */
void
g_tls_session_ingredients_require_key (GTlsSessionIngredients *self)
{
  if (self->error == NULL && !g_tls_session_private_key_is_there (&self->key))
    self->error = g_error_new_literal (G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
                                       "There is no private key in the PEM data");
}

void
g_tls_session_ingredients_set_password (GTlsSessionIngredients *self, const char *password)
{
  g_tls_session_secret_free (self->password);
  self->password = g_strdup (password);
}

/* Putting together */

static gboolean
read_pkcs12 (GTlsSessionIngredients *self, GTlsSessionPassword password, GError **error)
{
  X509Chain *certificates;
  EVP_PKEY *key;

  if (!g_tls_session_read_pkcs12 (self->pkcs12->data, self->pkcs12->len, password, &certificates, &key, error))
    return FALSE;

  take_certificates (self, certificates);
  g_tls_session_private_key_clear (&self->key);
  self->key.open = key;
  return TRUE;
}

static gboolean
read_token (GTlsSessionIngredients *self, GTlsSessionPassword pin, GError **error)
{
  X509 *certificate;

  if (!g_tls_session_token_read (self->pkcs11_uri, pin, &certificate, &self->key, error))
    return FALSE;

  if (!take_certificate (self, certificate, error))
    return FALSE;
  self->key_is_on_token = g_tls_session_private_key_is_there (&self->key);
  return TRUE;
}

static gboolean
read_token_key (GTlsSessionIngredients *self, GTlsSessionPassword pin, GError **error)
{
  self->key_is_on_token = TRUE;
  return g_tls_session_token_read_key (self->private_key_pkcs11_uri, pin, &self->key, error);
}

static gboolean
unlock_key (GTlsSessionIngredients *self, GTlsSessionPassword password, GError **error)
{
  self->key.open = g_tls_session_locked_key_open (self->key.locked, password, error);
  if (self->key.open == NULL)
    return FALSE;

  g_clear_pointer (&self->key.locked, g_tls_session_locked_key_free);
  return TRUE;
}

static gboolean
read_what_waited (GTlsSessionIngredients *self, GError **error)
{
  GTlsSessionPassword password = g_tls_session_password_from_text (self->password);

  if (self->pkcs12 != NULL && !read_pkcs12 (self, password, error))
    return FALSE;
  if (self->pkcs11_uri != NULL && !read_token (self, password, error))
    return FALSE;
  if (self->private_key_pkcs11_uri != NULL && !read_token_key (self, password, error))
    return FALSE;
  if (self->key.locked != NULL && password.data != NULL && !self->key_is_on_token)
    return unlock_key (self, password, error);
  return TRUE;
}

gboolean
g_tls_session_key_fits (X509 *certificate, EVP_PKEY *key)
{
  int fits;

  g_tls_session_openssl_clear_errors ();
  fits = X509_check_private_key (certificate, key);
  g_tls_session_openssl_clear_errors ();
  return fits == 1;
}

gboolean
g_tls_session_check_key_fits (X509 *certificate, EVP_PKEY *key, GError **error)
{
  g_autofree char *subject = NULL;

  if (g_tls_session_key_fits (certificate, key))
    return TRUE;

  subject = g_tls_session_name_to_text (X509_get_subject_name (certificate));
  g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
               "The private key does not belong to the certificate of \"%s\"", subject != NULL ? subject : "");
  return FALSE;
}

/* Puts the certificate that the key belongs to before the others. While the key is closed, the first is taken for it. */
static void
put_leaf_first (X509Chain *certificates, EVP_PKEY *key)
{
  for (int i = 0; key != NULL && i < sk_X509_num (certificates); i++)
    if (g_tls_session_key_fits (sk_X509_value (certificates, i), key))
      {
        x509_chain_put_first (certificates, i);
        return;
      }
}

/* Whether anything came in that a certificate may be read from. */
gboolean
g_tls_session_ingredients_have_certificate (GTlsSessionIngredients *self)
{
  return self->certificates != NULL || self->pkcs12 != NULL || self->pkcs11_uri != NULL;
}

/* Brings all that came in into `certificates` and `key`. If it failed it fails again, without asking a token again. */
gboolean
g_tls_session_ingredients_prepare (GTlsSessionIngredients *self, GError **error)
{
  if (self->error == NULL)
    read_what_waited (self, &self->error);
  if (self->error != NULL)
    {
      g_propagate_error (error, g_error_copy (self->error));
      return FALSE;
    }

  if (self->certificates == NULL)
    {
      g_set_error_literal (
        error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
        "There is no certificate: neither \"certificate\" nor \"certificate-pem\", \"pkcs12-data\" or "
        "\"pkcs11-uri\" was given");
      return FALSE;
    }

  put_leaf_first (self->certificates, self->key.open);
  return self->key.open == NULL ||
         g_tls_session_check_key_fits (sk_X509_value (self->certificates, 0), self->key.open, error);
}
