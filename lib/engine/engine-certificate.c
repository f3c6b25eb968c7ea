/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine-private.h"

#include "openssl-error.h"

/* NOTES:
 *
 * Our own certificate: a server's, or a client's where the server asks for one. OpenSSL calls on_certificate() when it
 * needs it; the first time that pauses the handshake (WANTS_CERTIFICATE), and the caller brings it, or says that there
 * is none. It may take its time: a person may be asked.
 */

/* Negative pauses the handshake, 0 ends it. */
int
g_tls_session_engine_on_certificate (SSL *ssl, void *data)
{
  GTlsSessionEngine *self = SSL_get_app_data (ssl);

  if (self == NULL)
    return 0;

  switch (self->own_certificate)
    {
    case G_TLS_SESSION_OWN_CERTIFICATE_GIVEN:
      return 1;
    case G_TLS_SESSION_OWN_CERTIFICATE_NONE:
      return SSL_is_server (ssl) ? 0 : 1;
    case G_TLS_SESSION_OWN_CERTIFICATE_UNASKED:
    case G_TLS_SESSION_OWN_CERTIFICATE_ASKED:
    default:
      self->own_certificate = G_TLS_SESSION_OWN_CERTIFICATE_ASKED;
      return -1;
    }
}

/* FALSE if OpenSSL does not take it; the handshake has then failed. */
gboolean
g_tls_session_engine_set_certificate (GTlsSessionEngine *self,
                                      X509 *certificate,
                                      EVP_PKEY *private_key,
                                      STACK_OF (X509) *intermediates,
                                      GError **error)
{
  g_autofree char *reason = NULL;

  if (self->own_certificate != G_TLS_SESSION_OWN_CERTIFICATE_ASKED)
    return TRUE;

  g_tls_session_openssl_clear_errors ();
  if (SSL_use_certificate (self->ssl, certificate) == 1 && SSL_use_PrivateKey (self->ssl, private_key) == 1 &&
      SSL_set1_chain (self->ssl, intermediates) == 1)
    {
      self->own_certificate = G_TLS_SESSION_OWN_CERTIFICATE_GIVEN;
      return TRUE;
    }

  reason = g_tls_session_openssl_take_errors ();
  g_tls_session_engine_fail (self,
                             g_error_new (G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
                                          "The connection's own certificate cannot be used: %s", reason),
                             error);
  return FALSE;
}

/* A client then goes on without, and @reason, which is taken and may be NULL, is told if the server insists. */
void
g_tls_session_engine_set_no_certificate (GTlsSessionEngine *self, GError *reason)
{
  g_autoptr (GError) owned = reason;

  if (self->own_certificate != G_TLS_SESSION_OWN_CERTIFICATE_ASKED)
    return;

  self->own_certificate = G_TLS_SESSION_OWN_CERTIFICATE_NONE;
  g_clear_error (&self->no_certificate_reason);
  self->no_certificate_reason = g_steal_pointer (&owned);
}

static GByteArray *
encode_name (const X509_NAME *name)
{
  unsigned char *der = NULL;
  int length = i2d_X509_NAME (name, &der);
  GByteArray *bytes;

  if (length < 0)
    return NULL;

  bytes = g_byte_array_sized_new ((guint) length);
  g_byte_array_append (bytes, der, (guint) length);
  OPENSSL_free (der);
  return bytes;
}

/* The authorities that the server named when it asked for a certificate: GByteArray, each a distinguished name in DER.
 * Owned by the caller.
 */
GList *
g_tls_session_engine_list_accepted_cas (GTlsSessionEngine *self)
{
  const STACK_OF (X509_NAME) *names = SSL_get0_peer_CA_list (self->ssl);
  GList *list = NULL;

  for (int i = sk_X509_NAME_num (names) - 1; i >= 0; i--)
    {
      GByteArray *bytes = encode_name (sk_X509_NAME_value (names, i));

      if (bytes != NULL)
        list = g_list_prepend (list, bytes);
    }
  g_tls_session_openssl_clear_errors ();
  return list;
}
