/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine-private.h"

#include <string.h>

#include "openssl-error.h"
#include "session-memo.h"

/* NOTES:
 *
 * What only a server does, most of it called by OpenSSL.
 *
 * A session is resumed only in the scope in which it began: which certificate, which authentication mode, and the name
 * that the client asked for. OpenSSL compares such a scope, its "session id context", for tickets and session ids alike,
 * so it is set at the ClientHello, before OpenSSL looks for a session. The certificate may depend on the name; so the
 * handshake pauses for it (WANTS_CERTIFICATE) at the ClientHello too, and not only when OpenSSL needs it, which is after
 * that, and for a resumed session never.
 */

#define NAME_TYPE_HOST 0                   /* RFC 6066, section 3 */
#define SESSION_AGE_MAX (7 * 24 * 60 * 60) /* seconds since the full handshake (RFC 8446, section 4.6.1) */

static guint
get_u16 (const unsigned char *bytes)
{
  return (guint) bytes[0] << 8 | bytes[1];
}

/* The host name in a server_name extension: a list's length (2), a type (1), the name's length (2), the name. OpenSSL
 * parses it again, and refuses a ClientHello in which it is malformed.
 */
static char *
parse_server_name (const unsigned char *extension, size_t length)
{
  size_t name_length;

  if (length < 5 || extension[2] != NAME_TYPE_HOST)
    return NULL;

  name_length = get_u16 (extension + 3);
  if (name_length == 0 || name_length > TLSEXT_MAXLEN_host_name || name_length > length - 5 ||
      memchr (extension + 5, 0, name_length) != NULL ||
      !g_utf8_validate ((const char *) extension + 5, (gssize) name_length, NULL))
    return NULL;
  return g_ascii_strdown ((const char *) extension + 5, (gssize) name_length);
}

static char *
read_requested_name (SSL *ssl)
{
  const unsigned char *extension = NULL;
  size_t length = 0;

  if (SSL_client_hello_get0_ext (ssl, TLSEXT_TYPE_server_name, &extension, &length) != 1)
    return NULL;
  return parse_server_name (extension, length);
}

static gboolean
has_extension (SSL *ssl, unsigned int type)
{
  const unsigned char *extension = NULL;
  size_t length = 0;

  return SSL_client_hello_get0_ext (ssl, type, &extension, &length) == 1 && length > 0;
}

/* A session id means a session only from a client that does not speak TLS 1.3: others send one in any case (RFC 8446,
 * appendix D.4).
 */
static gboolean
offers_session (SSL *ssl)
{
  const unsigned char *id = NULL;

  return has_extension (ssl, TLSEXT_TYPE_psk) || has_extension (ssl, TLSEXT_TYPE_session_ticket) ||
         (SSL_client_hello_get0_session_id (ssl, &id) > 0 && !has_extension (ssl, TLSEXT_TYPE_supported_versions));
}

static gboolean
add_certificate (GChecksum *checksum, X509 *certificate)
{
  unsigned char *der = NULL;
  int length = certificate != NULL ? i2d_X509 (certificate, &der) : 0;

  if (length > 0)
    g_checksum_update (checksum, der, length);
  OPENSSL_free (der);
  return length >= 0;
}

static gboolean
set_scope (GTlsSessionEngine *self)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 digest[SSL_MAX_SID_CTX_LENGTH];
  gsize length = sizeof digest;
  const guint8 mode = (guint8) self->authentication;

  g_checksum_update (checksum, &mode, 1);
  if (!add_certificate (checksum, SSL_get_certificate (self->ssl)))
    return FALSE;
  if (self->requested_name != NULL)
    g_checksum_update (checksum, (const guchar *) self->requested_name, -1);
  g_checksum_get_digest (checksum, digest, &length);
  return SSL_set_session_id_context (self->ssl, digest, (unsigned int) length) == 1;
}

int
g_tls_session_engine_on_client_hello (SSL *ssl, int *alert, void *data)
{
  GTlsSessionEngine *self = SSL_get_app_data (ssl);

  *alert = SSL_AD_INTERNAL_ERROR;
  if (self == NULL)
    return SSL_CLIENT_HELLO_ERROR;

  g_free (self->requested_name);
  self->requested_name = read_requested_name (ssl);
  self->was_offered_session = offers_session (ssl);
  if (g_tls_session_engine_on_certificate (ssl, NULL) < 0)
    return SSL_CLIENT_HELLO_RETRY;
  return set_scope (self) ? SSL_CLIENT_HELLO_SUCCESS : SSL_CLIENT_HELLO_ERROR;
}

/* Every name is taken: which certificate it gets is the program's matter. */
int
g_tls_session_engine_on_server_name (SSL *ssl, int *alert, void *data)
{
  return SSL_TLSEXT_ERR_OK;
}

/* Our preference decides. Where nothing is in common the handshake goes on without, as Gio documents. */
int
g_tls_session_engine_on_alpn (SSL *ssl,
                              const unsigned char **chosen,
                              unsigned char *chosen_length,
                              const unsigned char *offered,
                              unsigned int offered_length,
                              void *data)
{
  GTlsSessionEngine *self = SSL_get_app_data (ssl);
  unsigned char *name = NULL;

  if (self == NULL || self->alpn == NULL ||
      SSL_select_next_proto (&name, chosen_length, self->alpn->data, self->alpn->len, offered, offered_length) !=
        OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;

  *chosen = name;
  return SSL_TLSEXT_ERR_OK;
}

/* Where a ticket is but the name of a session that we keep (engine-early-data.c), on_open_ticket() is not asked: the
 * lifetime itself has to end a week after the full handshake.
 */
static void
bound_lifetime (SSL_SESSION *session)
{
  gint64 left = SESSION_AGE_MAX - g_tls_session_memo_get_age (session);

  if (SSL_SESSION_get_timeout (session) > left)
    SSL_SESSION_set_timeout (session, (long) MAX (left, 1));
}

/* 0 ends the handshake. */
int
g_tls_session_engine_on_make_ticket (SSL *ssl, void *data)
{
  SSL_SESSION *session = SSL_get_session (ssl);

  if (session == NULL || (!g_tls_session_memo_exists (session) && !g_tls_session_memo_store (session, NULL)))
    return 0;

  bound_lifetime (session);
  return 1;
}

/* A session that is refused is followed by a full handshake, and a new ticket. */
SSL_TICKET_RETURN
g_tls_session_engine_on_open_ticket (SSL *ssl,
                                     SSL_SESSION *session,
                                     const unsigned char *key_name,
                                     size_t key_name_length,
                                     SSL_TICKET_STATUS status,
                                     void *data)
{
  gboolean opened = status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW;

  if (!opened || session == NULL || g_tls_session_memo_get_age (session) > SESSION_AGE_MAX)
    return SSL_TICKET_RETURN_IGNORE_RENEW;
  return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

static int
verify_mode_of (GTlsAuthenticationMode mode)
{
  switch (mode)
    {
    case G_TLS_AUTHENTICATION_REQUESTED:
      return SSL_VERIFY_PEER;
    case G_TLS_AUTHENTICATION_REQUIRED:
      return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    case G_TLS_AUTHENTICATION_NONE:
    default:
      return SSL_VERIFY_NONE;
    }
}

static gboolean
set_accepted_cas (SSL *ssl, STACK_OF (X509_NAME) *names)
{
  STACK_OF (X509_NAME) *copy = names != NULL ? SSL_dup_CA_list (names) : sk_X509_NAME_new_null ();

  if (copy == NULL)
    return FALSE;

  SSL_set_client_CA_list (ssl, copy);
  return TRUE;
}

/* An SSL keeps the SSL_CTX that it was made with for its sessions, so another SSL_CTX takes another SSL. */
static gboolean
move_to_context (GTlsSessionEngine *self, SSL_CTX *context)
{
  SSL *ssl = SSL_new (context);

  if (ssl == NULL || SSL_set_app_data (ssl, self) != 1 || BIO_up_ref (self->bio) != 1)
    {
      SSL_free (ssl);
      return FALSE;
    }

  SSL_set_bio (ssl, self->bio, self->bio);
  SSL_set_accept_state (ssl);
  SSL_free (self->ssl);
  self->ssl = ssl;
  return TRUE;
}

/* FALSE with OpenSSL's queue saying why. Comes before all other settings. */
gboolean
g_tls_session_engine_configure_server (GTlsSessionEngine *self, const GTlsSessionEngineSettings *settings)
{
  if (settings->context != NULL && !move_to_context (self, settings->context))
    return FALSE;
  if (settings->context != NULL && SSL_set_num_tickets (self->ssl, settings->ticket_count) != 1)
    return FALSE;

  self->authentication = settings->authentication;
  self->judge = settings->judge;
  self->judge_data = settings->judge_data;
  SSL_set_verify (self->ssl, verify_mode_of (settings->authentication), NULL);
  return set_accepted_cas (self->ssl, settings->accepted_cas) &&
         g_tls_session_engine_accept_early_data (self, settings->context != NULL ? settings->max_early_data : 0);
}

/* Facts */

/* The name that the client asked for (SNI), in lower case; NULL if it asked for none, and before its ClientHello. */
const char *
g_tls_session_engine_get_requested_name (GTlsSessionEngine *self)
{
  return self->requested_name;
}

/* Whether the client's ClientHello offered a session. */
gboolean
g_tls_session_engine_was_offered_session (GTlsSessionEngine *self)
{
  return self->was_offered_session;
}

gboolean
g_tls_session_engine_has_client_certificate (GTlsSessionEngine *self)
{
  return SSL_get0_peer_certificate (self->ssl) != NULL;
}
