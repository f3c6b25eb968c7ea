/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine-private.h"

#include <openssl/err.h>
#include <string.h>

#include "context.h"
#include "openssl-error.h"
#include "transport-bio.h"

/* NOTES:
 *
 * Who calls: the drivers of the connection, one call at a time, under the connection's lock. Who owns: the engine owns
 * its SSL, which owns the BIO; the transport below the BIO belongs to the connection and outlives both.
 *
 * Here: making, settings, facts. The operations: engine-handshake.c, engine-data.c, engine-close.c. What only a server
 * does: engine-server.c. Early data: engine-early-data.c. Our own certificate: engine-certificate.c. What OpenSSL's answers mean: engine-error.c.
 */

/* Making and freeing */

static GTlsSessionEngine *
engine_new (SSL_CTX *context, GTlsSessionTransport transport, GError **error)
{
  g_autoptr (GTlsSessionEngine) self = g_new0 (GTlsSessionEngine, 1);

  g_tls_session_openssl_clear_errors ();
  self->require_close_notify = TRUE;
  g_queue_init (&self->sessions);
  self->ssl = SSL_new (context);
  self->bio = self->ssl != NULL ? g_tls_session_transport_bio_new (transport) : NULL;

  if (self->bio == NULL || SSL_set_app_data (self->ssl, self) != 1)
    {
      g_autofree char *reason = g_tls_session_openssl_take_errors ();

      BIO_free (self->bio);
      g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_MISC, "OpenSSL cannot make a TLS connection: %s", reason);
      return NULL;
    }

  SSL_set_bio (self->ssl, self->bio, self->bio);
  return g_steal_pointer (&self);
}

GTlsSessionEngine *
g_tls_session_engine_new_client (GTlsSessionTransport transport, GError **error)
{
  SSL_CTX *context = g_tls_session_context_get_client (error);
  GTlsSessionEngine *self = context != NULL ? engine_new (context, transport, error) : NULL;

  if (self != NULL)
    SSL_set_connect_state (self->ssl);
  return self;
}

GTlsSessionEngine *
g_tls_session_engine_new_server (GTlsSessionTransport transport, GError **error)
{
  SSL_CTX *context = g_tls_session_context_get_server (error);
  GTlsSessionEngine *self = context != NULL ? engine_new (context, transport, error) : NULL;

  if (self != NULL)
    SSL_set_accept_state (self->ssl);
  return self;
}

/* SSL_free() makes a server forget the session of a connection on which it could not send close_notify. A fatal alert
 * has done that already, where there was one (RFC 5246, section 7.2.2).
 */
static void
free_ssl_and_keep_session (SSL *ssl)
{
  if (ssl == NULL)
    return;

  SSL_set_shutdown (ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free (ssl);
}

void
g_tls_session_engine_free (GTlsSessionEngine *self)
{
  free_ssl_and_keep_session (self->ssl);
  sk_X509_pop_free (self->peer_chain, X509_free);
  g_queue_clear_full (&self->sessions, (GDestroyNotify) SSL_SESSION_free);
  g_tls_session_engine_clear_data (self);
  g_tls_session_engine_clear_early_data (self);
  g_clear_error (&self->failure);
  g_clear_error (&self->no_certificate_reason);
  g_clear_error (&self->judge_error);
  g_clear_pointer (&self->alpn, g_byte_array_unref);
  g_clear_pointer (&self->offered_ticket, g_bytes_unref);
  g_free (self->requested_name);
  g_free (self->peer_name);
  g_free (self);
}

GTlsSessionEngineState
g_tls_session_engine_get_state (GTlsSessionEngine *self)
{
  return self->state;
}

void
g_tls_session_engine_set_require_close_notify (GTlsSessionEngine *self, gboolean require)
{
  self->require_close_notify = require;
}

/* Settings */

static GByteArray *
encode_alpn (const char *const *protocols)
{
  g_autoptr (GByteArray) wire = g_byte_array_new ();

  for (gsize i = 0; protocols[i] != NULL; i++)
    {
      gsize length = strlen (protocols[i]);
      guint8 length_byte = (guint8) length;

      if (length == 0 || length > 255)
        return NULL;
      g_byte_array_append (wire, &length_byte, 1);
      g_byte_array_append (wire, (const guint8 *) protocols[i], length_byte);
    }
  return g_steal_pointer (&wire);
}

static gboolean
set_alpn (GTlsSessionEngine *self, const char *const *protocols)
{
  g_clear_pointer (&self->alpn, g_byte_array_unref);
  if (protocols == NULL || protocols[0] == NULL)
    return TRUE;

  self->alpn = encode_alpn (protocols);
  if (self->alpn == NULL)
    {
      ERR_raise_data (ERR_LIB_USER, ERR_R_PASSED_INVALID_ARGUMENT,
                      "an application protocol's name has 1 to 255 bytes (RFC 7301, section 3.1)");
      return FALSE;
    }

  /* Here 0 means success. */
  return SSL_is_server (self->ssl) || SSL_set_alpn_protos (self->ssl, self->alpn->data, self->alpn->len) == 0;
}

static gboolean
set_versions (SSL *ssl, GTlsProtocolVersion minimum, GTlsProtocolVersion maximum)
{
  int lowest = g_tls_session_protocol_to_openssl (minimum);
  int highest = g_tls_session_protocol_to_openssl (maximum);

  /* No program can agree to what RFC 8996 forbids. */
  return (lowest < TLS1_2_VERSION || SSL_set_min_proto_version (ssl, lowest) == 1) &&
         (highest == 0 || SSL_set_max_proto_version (ssl, highest) == 1);
}

static gboolean
offer_session (GTlsSessionEngine *self, SSL_SESSION *session)
{
  const unsigned char *ticket = NULL;
  size_t length = 0;

  SSL_SESSION_get0_ticket (session, &ticket, &length);
  g_clear_pointer (&self->offered_ticket, g_bytes_unref);
  self->offered_ticket = g_bytes_new (ticket, length);
  return SSL_set_session (self->ssl, session) == 1;
}

static gboolean
configure_client (GTlsSessionEngine *self, const GTlsSessionEngineSettings *settings)
{
  return (settings->server_name == NULL || SSL_set_tlsext_host_name (self->ssl, settings->server_name) == 1) &&
         (settings->session == NULL || offer_session (self, settings->session));
}

static gboolean
configure_role (GTlsSessionEngine *self, const GTlsSessionEngineSettings *settings)
{
  return SSL_is_server (self->ssl) ? g_tls_session_engine_configure_server (self, settings)
                                   : configure_client (self, settings);
}

gboolean
g_tls_session_engine_configure (GTlsSessionEngine *self, const GTlsSessionEngineSettings *settings, GError **error)
{
  g_free (self->peer_name);
  self->peer_name = g_strdup (settings->peer_name);
  self->require_close_notify = settings->require_close_notify;
  g_tls_session_openssl_clear_errors ();

  if (configure_role (self, settings) && set_versions (self->ssl, settings->minimum, settings->maximum) &&
      set_alpn (self, settings->alpn))
    {
      g_tls_session_engine_plan_early_data (self, settings);
      return TRUE;
    }

  {
    g_autofree char *reason = g_tls_session_openssl_take_errors ();

    g_tls_session_engine_fail (self,
                               g_error_new (G_TLS_ERROR, G_TLS_ERROR_HANDSHAKE,
                                            "The TLS handshake with %s could not be prepared: %s",
                                            settings->peer_name != NULL ? settings->peer_name : "the peer", reason),
                               error);
    return FALSE;
  }
}

/* Facts */

gboolean
g_tls_session_engine_was_resumed (GTlsSessionEngine *self)
{
  return SSL_session_reused (self->ssl) == 1;
}

/* UNKNOWN before the handshake is done. */
GTlsProtocolVersion
g_tls_session_engine_get_protocol_version (GTlsSessionEngine *self)
{
  if (!SSL_is_init_finished (self->ssl))
    return G_TLS_PROTOCOL_VERSION_UNKNOWN;
  return g_tls_session_protocol_from_openssl (SSL_version (self->ssl));
}

/* The name IANA gives it; NULL before the handshake. The string is static. */
const char *
g_tls_session_engine_get_ciphersuite_name (GTlsSessionEngine *self)
{
  const SSL_CIPHER *cipher = SSL_get_current_cipher (self->ssl);

  return cipher != NULL ? SSL_CIPHER_standard_name (cipher) : NULL;
}

/* NULL if none was negotiated. */
char *
g_tls_session_engine_dup_application_protocol (GTlsSessionEngine *self)
{
  const unsigned char *name = NULL;
  unsigned int length = 0;

  SSL_get0_alpn_selected (self->ssl, &name, &length);
  return length > 0 ? g_strndup ((const char *) name, length) : NULL;
}

/* Borrowed; NULL if the peer sent none. Of a resumed session only a server knows it: its ticket brought it back. */
STACK_OF (X509) *
g_tls_session_engine_get_peer_chain (GTlsSessionEngine *self)
{
  return self->peer_chain;
}

/* Tickets */

/* The oldest session that arrived and was not taken yet, owned by the caller; NULL if there is none, and before the
 * peer has been accepted. One that came right before the connection failed is as good as any other.
 */
SSL_SESSION *
g_tls_session_engine_take_session (GTlsSessionEngine *self)
{
  return self->verdict == G_TLS_SESSION_VERDICT_ACCEPT ? g_queue_pop_head (&self->sessions) : NULL;
}
