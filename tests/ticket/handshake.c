/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "handshake.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#define SECONDS_PER_DAY 86400

/* Certificates */

static EVP_PKEY *
make_key (void)
{
  EVP_PKEY *key = EVP_EC_gen ("P-256");

  g_assert_nonnull (key);
  return key;
}

static void
set_name (X509_NAME *name, const char *text)
{
  g_assert_cmpint (X509_NAME_add_entry_by_txt (name, "CN", MBSTRING_UTF8, (const unsigned char *) text, -1, -1, 0), ==,
                   1);
}

static X509 *
make_certificate (const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
  static long serial = 1; /* atomic */
  X509 *certificate = X509_new ();

  g_assert_nonnull (certificate);
  X509_set_version (certificate, X509_VERSION_3);
  ASN1_INTEGER_set (X509_get_serialNumber (certificate), __atomic_fetch_add (&serial, 1, __ATOMIC_RELAXED));
  X509_gmtime_adj (X509_getm_notBefore (certificate), -SECONDS_PER_DAY);
  X509_gmtime_adj (X509_getm_notAfter (certificate), SECONDS_PER_DAY);
  set_name (X509_get_subject_name (certificate), name);
  X509_set_issuer_name (certificate, X509_get_subject_name (issuer != NULL ? issuer : certificate));
  X509_set_pubkey (certificate, key);
  g_assert_cmpint (X509_sign (certificate, issuer_key, EVP_sha256 ()), >, 0);
  return certificate;
}

X509 *
handshake_make_certificate (const char *name)
{
  EVP_PKEY *key = make_key ();
  X509 *certificate = make_certificate (name, key, NULL, key);

  EVP_PKEY_free (key);
  return certificate;
}

/* A chain of two: the server's certificate, and the one that issued it. */
static void
give_chain (SSL_CTX *context)
{
  EVP_PKEY *issuer_key = make_key ();
  EVP_PKEY *key = make_key ();
  X509 *issuer = make_certificate ("Test issuer", issuer_key, NULL, issuer_key);
  X509 *leaf = make_certificate (HANDSHAKE_HOST, key, issuer, issuer_key);

  g_assert_cmpint (SSL_CTX_use_certificate (context, leaf), ==, 1);
  g_assert_cmpint (SSL_CTX_use_PrivateKey (context, key), ==, 1);
  g_assert_cmpint (SSL_CTX_add1_chain_cert (context, issuer), ==, 1);

  X509_free (leaf);
  X509_free (issuer);
  EVP_PKEY_free (key);
  EVP_PKEY_free (issuer_key);
}

/* The two contexts */

static int
on_new_session (SSL *ssl, SSL_SESSION *session)
{
  GPtrArray *sessions = SSL_CTX_get_app_data (SSL_get_SSL_CTX (ssl));

  g_ptr_array_add (sessions, session);
  return 1; /* the reference is ours now */
}

static int
on_application_protocols (SSL *ssl,
                          const unsigned char **chosen,
                          unsigned char *length,
                          const unsigned char *offered,
                          unsigned int offered_length,
                          void *data)
{
  *chosen = offered + 1;
  *length = offered[0];
  return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *
make_context (const SSL_METHOD *method, HandshakeKind kind)
{
  SSL_CTX *context = SSL_CTX_new (method);
  int version = kind == HANDSHAKE_TLS_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;

  g_assert_nonnull (context);
  g_assert_cmpint (SSL_CTX_set_min_proto_version (context, version), ==, 1);
  g_assert_cmpint (SSL_CTX_set_max_proto_version (context, version), ==, 1);
  if (kind == HANDSHAKE_TLS_1_2_SESSION_ID)
    SSL_CTX_set_options (context, SSL_OP_NO_TICKET);
  return context;
}

const char *
handshake_kind_name (HandshakeKind kind)
{
  static const char *const names[] = { "tls-1.3", "tls-1.2-ticket", "tls-1.2-session-id" };

  return names[kind];
}

Pair *
pair_new (HandshakeKind kind)
{
  Pair *self = g_new0 (Pair, 1);

  self->kind = kind;
  self->sessions = g_ptr_array_new_with_free_func ((GDestroyNotify) SSL_SESSION_free);

  self->client_context = make_context (TLS_client_method (), kind);
  SSL_CTX_set_app_data (self->client_context, self->sessions);
  SSL_CTX_set_session_cache_mode (self->client_context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb (self->client_context, on_new_session);

  self->server_context = make_context (TLS_server_method (), kind);
  SSL_CTX_set_timeout (self->server_context, HANDSHAKE_LIFETIME);
  SSL_CTX_set_session_id_context (self->server_context, (const unsigned char *) "test", 4);
  give_chain (self->server_context);
  return self;
}

void
pair_free (Pair *self)
{
  SSL_CTX_free (self->client_context);
  SSL_CTX_free (self->server_context);
  g_ptr_array_unref (self->sessions);
  g_free (self);
}

void
pair_set_application_protocol (Pair *self, const char *protocol)
{
  g_autoptr (GString) list = g_string_new (NULL);

  g_string_append_c (list, (char) strlen (protocol));
  g_string_append (list, protocol);
  SSL_CTX_set_alpn_protos (self->client_context, (const unsigned char *) list->str, (unsigned int) list->len);
  SSL_CTX_set_alpn_select_cb (self->server_context, on_application_protocols, NULL);
}

void
pair_set_lifetime (Pair *self, long seconds)
{
  SSL_CTX_set_timeout (self->server_context, seconds);
}

void
pair_set_early_data (Pair *self, guint32 bytes)
{
  g_assert_cmpint (SSL_CTX_set_max_early_data (self->server_context, bytes), ==, 1);
}

/* The newest session, borrowed. */
SSL_SESSION *
pair_get_session (Pair *self)
{
  g_assert_cmpuint (self->sessions->len, >, 0);
  return g_ptr_array_index (self->sessions, self->sessions->len - 1);
}

/* A connection of the two */

static void
join (SSL *client, SSL *server)
{
  BIO *client_end, *server_end;

  g_assert_cmpint (BIO_new_bio_pair (&client_end, 0, &server_end, 0), ==, 1);
  SSL_set_bio (client, client_end, client_end);
  SSL_set_bio (server, server_end, server_end);
  SSL_set_connect_state (client);
  SSL_set_accept_state (server);
}

static void
step (SSL *ssl, int result)
{
  if (result <= 0)
    g_assert_cmpint (SSL_get_error (ssl, result), ==, SSL_ERROR_WANT_READ);
}

static void
shake_hands (Link *self)
{
  for (int round = 0; round < 10 && (SSL_in_init (self->client) || SSL_in_init (self->server)); round++)
    {
      step (self->client, SSL_do_handshake (self->client));
      step (self->server, SSL_do_handshake (self->server));
    }

  g_assert_true (SSL_is_init_finished (self->client));
  g_assert_true (SSL_is_init_finished (self->server));
}

/* With TLS 1.3, tickets come to a client that reads. */
static void
read_tickets (Link *self)
{
  char byte;

  step (self->client, SSL_read (self->client, &byte, 1));
}

Link *
link_new (Pair *pair, SSL_SESSION *offered)
{
  Link *self = g_new0 (Link, 1);

  self->client = SSL_new (pair->client_context);
  self->server = SSL_new (pair->server_context);
  g_assert_nonnull (self->client);
  g_assert_nonnull (self->server);
  join (self->client, self->server);
  g_assert_cmpint (SSL_set_tlsext_host_name (self->client, HANDSHAKE_HOST), ==, 1);
  if (offered != NULL)
    g_assert_cmpint (SSL_set_session (self->client, offered), ==, 1);

  shake_hands (self);
  read_tickets (self);
  return self;
}

void
link_free (Link *self)
{
  SSL_shutdown (self->client);
  SSL_shutdown (self->server);
  link_free_rudely (self);
}

/* Without close_notify: OpenSSL then takes the session to be bad. */
void
link_free_rudely (Link *self)
{
  SSL_free (self->client);
  SSL_free (self->server);
  g_free (self);
}

/* What the server showed in this handshake, borrowed; NULL if it was resumed. */
STACK_OF (X509) *
link_get_chain (Link *self)
{
  return SSL_get_peer_cert_chain (self->client);
}

/* NULL if they are not there. */
guint8 *
find_bytes (gconstpointer haystack, gsize haystack_length, gconstpointer needle, gsize needle_length)
{
  const guint8 *bytes = haystack;

  for (gsize i = 0; i + needle_length <= haystack_length; i++)
    if (memcmp (bytes + i, needle, needle_length) == 0)
      return (guint8 *) bytes + i;

  return NULL;
}
