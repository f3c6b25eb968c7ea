/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine-private.h"

#include "openssl-error.h"

/* Channel bindings: what a protocol above TLS mixes into its authentication, to be sure that it is on this very
 * connection (RFC 5056).
 */

#define EXPORTER_LABEL "EXPORTER-Channel-Binding" /* RFC 9266, section 2 */
#define EXPORTER_LENGTH 32

static gboolean
set_error (GError **error, GTlsChannelBindingError code, const char *message)
{
  g_set_error_literal (error, G_TLS_CHANNEL_BINDING_ERROR, (gint) code, message);
  return FALSE;
}

/* RFC 5929, section 3: the first Finished message of the handshake. The client's, but the server's when resumed. */
static gboolean
get_unique (GTlsSessionEngine *self, GByteArray *data, GError **error)
{
  guint8 finished[EVP_MAX_MD_SIZE];
  gboolean first_is_ours = (SSL_is_server (self->ssl) == 1) == (SSL_session_reused (self->ssl) == 1);
  size_t length;

  if (SSL_version (self->ssl) >= TLS1_3_VERSION)
    return set_error (error, G_TLS_CHANNEL_BINDING_ERROR_NOT_SUPPORTED,
                      "tls-unique is not defined for TLS 1.3; tls-exporter takes its place (RFC 9266)");
  if (SSL_session_reused (self->ssl) == 1 && SSL_get_extms_support (self->ssl) != 1)
    return set_error (
      error, G_TLS_CHANNEL_BINDING_ERROR_NOT_SUPPORTED,
      "Without the extended master secret, tls-unique is not unique on a resumed session: who is in the "
      "middle of two connections can make it the same on both (RFC 7627, section 1)");

  length = first_is_ours ? SSL_get_finished (self->ssl, finished, sizeof finished)
                         : SSL_get_peer_finished (self->ssl, finished, sizeof finished);
  if (length == 0 || length > sizeof finished)
    return set_error (error, G_TLS_CHANNEL_BINDING_ERROR_GENERAL_ERROR, "OpenSSL does not know the Finished message");

  g_byte_array_append (data, finished, (guint) length);
  return TRUE;
}

/* The hash of the certificate's own signature, but SHA-256 for MD5 and SHA-1. NULL if the signature has none. */
static const EVP_MD *
digest_of_signature (X509 *certificate)
{
  int digest = NID_undef;

  if (X509_get_signature_info (certificate, &digest, NULL, NULL, NULL) != 1)
    return NULL;
  if (digest == NID_md5 || digest == NID_sha1)
    return EVP_sha256 ();
  return EVP_get_digestbynid (digest);
}

/* RFC 5929, section 4 */
static gboolean
get_end_point (X509 *server_certificate, GByteArray *data, GError **error)
{
  const EVP_MD *digest = server_certificate != NULL ? digest_of_signature (server_certificate) : NULL;
  guint8 hash[EVP_MAX_MD_SIZE];
  unsigned int length = 0;

  if (server_certificate == NULL)
    return set_error (error, G_TLS_CHANNEL_BINDING_ERROR_NOT_AVAILABLE, "The server's certificate is not known");
  if (digest == NULL)
    return set_error (error, G_TLS_CHANNEL_BINDING_ERROR_NOT_SUPPORTED,
                      "tls-server-end-point is not defined for a certificate whose signature has no hash of its own "
                      "(RFC 5929, section 4.1)");
  if (X509_digest (server_certificate, digest, hash, &length) != 1)
    return set_error (error, G_TLS_CHANNEL_BINDING_ERROR_GENERAL_ERROR, "OpenSSL cannot hash the server's certificate");

  g_byte_array_append (data, hash, length);
  return TRUE;
}

static gboolean
get_exporter (GTlsSessionEngine *self, GByteArray *data, GError **error)
{
  guint8 material[EXPORTER_LENGTH];

  if (SSL_version (self->ssl) < TLS1_3_VERSION && SSL_get_extms_support (self->ssl) != 1)
    return set_error (error, G_TLS_CHANNEL_BINDING_ERROR_NOT_SUPPORTED,
                      "Without the extended master secret, tls-exporter is not unique (RFC 9266, section 4.2)");
  if (SSL_export_keying_material (self->ssl, material, sizeof material, EXPORTER_LABEL, sizeof EXPORTER_LABEL - 1, NULL,
                                  0, 0) != 1)
    return set_error (error, G_TLS_CHANNEL_BINDING_ERROR_GENERAL_ERROR, "OpenSSL cannot export keying material");

  g_byte_array_append (data, material, sizeof material);
  OPENSSL_cleanse (material, sizeof material);
  return TRUE;
}

static gboolean
fail_unknown (GError **error)
{
  return set_error (error, G_TLS_CHANNEL_BINDING_ERROR_NOT_IMPLEMENTED, "This channel binding type is not known");
}

/* Whether there can be such a binding, on some connection. */
gboolean
g_tls_session_engine_knows_binding (GTlsChannelBindingType type, GError **error)
{
  switch (type)
    {
    case G_TLS_CHANNEL_BINDING_TLS_UNIQUE:
    case G_TLS_CHANNEL_BINDING_TLS_SERVER_END_POINT:
    case G_TLS_CHANNEL_BINDING_TLS_EXPORTER:
      return TRUE;
    default:
      return fail_unknown (error);
    }
}

static gboolean
get_binding (GTlsSessionEngine *self,
             GTlsChannelBindingType type,
             X509 *server_certificate,
             GByteArray *data,
             GError **error)
{
  switch (type)
    {
    case G_TLS_CHANNEL_BINDING_TLS_UNIQUE:
      return get_unique (self, data, error);
    case G_TLS_CHANNEL_BINDING_TLS_SERVER_END_POINT:
      return get_end_point (server_certificate, data, error);
    case G_TLS_CHANNEL_BINDING_TLS_EXPORTER:
      return get_exporter (self, data, error);
    default:
      return fail_unknown (error);
    }
}

/* Appended to @data. @server_certificate: of whichever side is the server; nullable. */
gboolean
g_tls_session_engine_get_binding (GTlsSessionEngine *self,
                                  GTlsChannelBindingType type,
                                  X509 *server_certificate,
                                  GByteArray *data,
                                  GError **error)
{
  gboolean known;

  if (self->state != G_TLS_SESSION_ENGINE_STATE_OPEN && self->state != G_TLS_SESSION_ENGINE_STATE_PEER_ENDED)
    return set_error (error, G_TLS_CHANNEL_BINDING_ERROR_INVALID_STATE,
                      "There is no channel to bind to before the handshake is done");

  g_tls_session_openssl_clear_errors ();
  known = get_binding (self, type, server_certificate, data, error);
  g_tls_session_openssl_clear_errors ();
  return known;
}
