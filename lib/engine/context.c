/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "context.h"

#include "engine-private.h"
#include "keylog.h"
#include "openssl-error.h"

/* NOTES:
 *
 * One SSL_CTX serves every client connection of the process, and one every server connection that resumes no sessions:
 * making one costs more than a resumed handshake does. A server that resumes sessions has the SSL_CTX of its
 * GTlsSessionTicketKeys, with all others that use the same keys. What differs between connections (protocol bounds,
 * ALPN, server name, certificate) is set on the SSL. Trust is not OpenSSL's business here: its verification callback
 * brings the connection's verdict.
 *
 * OpenSSL's session cache stays empty on the client's side: each new session goes to the engine whose handshake brought
 * it. On the server's side it keeps what TLS 1.2 resumes by session id.
 */

/* What a client's chain may measure: it goes into the tickets it is given. */
#define CLIENT_CHAIN_MAX (32 * 1024)
#define SERVER_SESSIONS_MAX 4096

static gboolean
forbid_deprecated_versions (SSL_CTX *context)
{
  /* RFC 8996. The system's configuration may ask for more than that, and then gets it. */
  return SSL_CTX_get_min_proto_version (context) >= TLS1_2_VERSION ||
         SSL_CTX_set_min_proto_version (context, TLS1_2_VERSION) == 1;
}

static SSL_CTX *
new_context (const SSL_METHOD *method)
{
  SSL_CTX *context = SSL_CTX_new (method);

  if (context == NULL)
    return NULL;

  if (!forbid_deprecated_versions (context))
    {
      SSL_CTX_free (context);
      return NULL;
    }

  SSL_CTX_set_mode (context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  /* A peer that sends tickets without end must not keep SSL_read() from returning. */
  SSL_CTX_clear_mode (context, SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_options (context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_cert_verify_callback (context, g_tls_session_engine_on_verify, NULL);
  SSL_CTX_set_cert_cb (context, g_tls_session_engine_on_certificate, NULL);
  g_tls_session_keylog_install (context);
  return context;
}

static SSL_CTX *
new_client_context (void)
{
  SSL_CTX *context = new_context (TLS_client_method ());

  if (context == NULL)
    return NULL;

  SSL_CTX_set_session_cache_mode (context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb (context, g_tls_session_engine_on_new_session);
  SSL_CTX_set_verify (context, SSL_VERIFY_PEER, NULL);
  return context;
}

static SSL_CTX *
new_server_context (void)
{
  SSL_CTX *context = new_context (TLS_server_method ());

  if (context == NULL)
    return NULL;

  SSL_CTX_set_dh_auto (context, 1);
  SSL_CTX_set_max_cert_list (context, CLIENT_CHAIN_MAX);
  /* Early data that are refused are passed by. How many there are may have been another server's promise. */
  SSL_CTX_set_recv_max_early_data (context, G_TLS_SESSION_EARLY_DATA_MAX);
  SSL_CTX_set_client_hello_cb (context, g_tls_session_engine_on_client_hello, NULL);
  SSL_CTX_set_tlsext_servername_callback (context, g_tls_session_engine_on_server_name);
  SSL_CTX_set_alpn_select_cb (context, g_tls_session_engine_on_alpn, NULL);
  if (SSL_CTX_set_session_ticket_cb (context, g_tls_session_engine_on_make_ticket, g_tls_session_engine_on_open_ticket,
                                     NULL) == 1)
    return context;

  SSL_CTX_free (context);
  return NULL;
}

/* Without keys that outlive a connection a ticket would be a promise that nobody can keep. */
static SSL_CTX *
new_forgetful_server_context (void)
{
  SSL_CTX *context = new_server_context ();

  if (context == NULL)
    return NULL;

  SSL_CTX_set_session_cache_mode (context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options (context, SSL_OP_NO_TICKET);
  if (SSL_CTX_set_num_tickets (context, 0) == 1)
    return context;

  SSL_CTX_free (context);
  return NULL;
}

static void
set_error (const char *role, GError **error)
{
  g_autofree char *reason = g_tls_session_openssl_take_errors ();

  g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_MISC, "OpenSSL cannot be set up as a TLS %s: %s", role, reason);
}

/* A failure is not kept: the next call tries again. */
static SSL_CTX *
get_shared (SSL_CTX **shared, SSL_CTX *(*make) (void), const char *role, GError **error)
{
  static GMutex mutex;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&mutex);

  if (*shared == NULL)
    {
      g_tls_session_openssl_clear_errors ();
      *shared = make ();
    }

  if (*shared == NULL)
    set_error (role, error);
  return *shared;
}

/* The client context of the process, borrowed. */
SSL_CTX *
g_tls_session_context_get_client (GError **error)
{
  static SSL_CTX *client_context;

  return get_shared (&client_context, new_client_context, "client", error);
}

/* The process's context for servers that resume no sessions, borrowed. */
SSL_CTX *
g_tls_session_context_get_server (GError **error)
{
  static SSL_CTX *server_context;

  return get_shared (&server_context, new_forgetful_server_context, "server", error);
}

/* A context for servers that resume each other's sessions, owned by the caller, who gives it the keys. */
SSL_CTX *
g_tls_session_context_new_resuming_server (GError **error)
{
  SSL_CTX *context;

  g_tls_session_openssl_clear_errors ();
  context = new_server_context ();
  if (context == NULL)
    {
      set_error ("server", error);
      return NULL;
    }

  SSL_CTX_set_session_cache_mode (context, SSL_SESS_CACHE_SERVER);
  SSL_CTX_sess_set_cache_size (context, SERVER_SESSIONS_MAX);
  return context;
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
