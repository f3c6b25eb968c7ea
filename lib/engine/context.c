/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "context.h"

#include "engine-private.h"
#include "keylog.h"
#include "openssl-error.h"

/* NOTES:
 *
 * One SSL_CTX serves every client connection of the process: making one costs more than a resumed handshake does.
 * What differs between connections (protocol bounds, ALPN, server name, certificate) is set on the SSL. Trust is not
 * OpenSSL's business here: its verification callback pauses the handshake, and the connection brings the verdict.
 *
 * OpenSSL's own session cache stays empty. Each new session goes to the engine whose handshake brought it.
 */

static gboolean
forbid_deprecated_versions (SSL_CTX *context)
{
  /* RFC 8996. The system's configuration may ask for more than that, and then gets it. */
  return SSL_CTX_get_min_proto_version (context) >= TLS1_2_VERSION ||
         SSL_CTX_set_min_proto_version (context, TLS1_2_VERSION) == 1;
}

static SSL_CTX *
new_client_context (void)
{
  SSL_CTX *context = SSL_CTX_new (TLS_client_method ());

  if (context == NULL)
    return NULL;

  if (!forbid_deprecated_versions (context))
    {
      SSL_CTX_free (context);
      return NULL;
    }

  SSL_CTX_set_mode (context,
                    SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  /* A peer that sends tickets without end must not keep SSL_read() from returning. */
  SSL_CTX_clear_mode (context, SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_options (context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode (context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb (context, g_tls_session_engine_on_new_session);
  SSL_CTX_set_verify (context, SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_cert_verify_callback (context, g_tls_session_engine_on_verify, NULL);
  g_tls_session_keylog_install (context);
  return context;
}

/* The client context of the process, borrowed. A failure is not kept: the next call tries again. */
SSL_CTX *
g_tls_session_context_get_client (GError **error)
{
  static GMutex mutex;
  static SSL_CTX *client_context;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&mutex);

  if (client_context == NULL)
    {
      g_tls_session_openssl_clear_errors ();
      client_context = new_client_context ();
    }

  if (client_context == NULL)
    {
      g_autofree char *reason = g_tls_session_openssl_take_errors ();

      g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_MISC, "OpenSSL cannot be set up as a TLS client: %s", reason);
    }

  return client_context;
}

/* 0, "no bound", for what is not a TLS version. */
int
g_tls_session_protocol_to_openssl (GTlsProtocolVersion version)
{
  switch (version)
    {
    case G_TLS_PROTOCOL_VERSION_TLS_1_0:
      return TLS1_VERSION;
    case G_TLS_PROTOCOL_VERSION_TLS_1_1:
      return TLS1_1_VERSION;
    case G_TLS_PROTOCOL_VERSION_TLS_1_2:
      return TLS1_2_VERSION;
    case G_TLS_PROTOCOL_VERSION_TLS_1_3:
      return TLS1_3_VERSION;
    case G_TLS_PROTOCOL_VERSION_UNKNOWN:
    case G_TLS_PROTOCOL_VERSION_SSL_3_0:
    case G_TLS_PROTOCOL_VERSION_DTLS_1_0:
    case G_TLS_PROTOCOL_VERSION_DTLS_1_2:
    default:
      return 0;
    }
}

GTlsProtocolVersion
g_tls_session_protocol_from_openssl (int version)
{
  switch (version)
    {
    case TLS1_VERSION:
      return G_TLS_PROTOCOL_VERSION_TLS_1_0;
    case TLS1_1_VERSION:
      return G_TLS_PROTOCOL_VERSION_TLS_1_1;
    case TLS1_2_VERSION:
      return G_TLS_PROTOCOL_VERSION_TLS_1_2;
    case TLS1_3_VERSION:
      return G_TLS_PROTOCOL_VERSION_TLS_1_3;
    default:
      return G_TLS_PROTOCOL_VERSION_UNKNOWN;
    }
}
