/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <openssl/ssl.h>

G_BEGIN_DECLS

/* A TLS client and a TLS server of OpenSSL's own, talking through memory: real sessions without a socket. */

typedef enum
{
  HANDSHAKE_TLS_1_3,
  HANDSHAKE_TLS_1_2_TICKET,
  HANDSHAKE_TLS_1_2_SESSION_ID,
  N_HANDSHAKE_KINDS
} HandshakeKind;

#define HANDSHAKE_LIFETIME 3000 /* s, what the server says its tickets are good for */
#define HANDSHAKE_HOST "server.example"
#define HANDSHAKE_PROTOCOL "h2"

/* Kept for as long as its sessions are to be resumed: it has the server's ticket keys, or its cache. */
typedef struct
{
  HandshakeKind kind;
  SSL_CTX *client_context;
  SSL_CTX *server_context;
  GPtrArray *sessions; /* SSL_SESSION, what the client's callback was given */
} Pair;

typedef struct
{
  SSL *client;
  SSL *server;
} Link;

const char *handshake_kind_name (HandshakeKind kind);

Pair *pair_new (HandshakeKind kind);
void pair_free (Pair *self);
void pair_set_application_protocol (Pair *self, const char *protocol);
void pair_set_lifetime (Pair *self, long seconds);
void pair_set_early_data (Pair *self, guint32 bytes);
SSL_SESSION *pair_get_session (Pair *self);

Link *link_new (Pair *pair, SSL_SESSION *offered);
void link_free (Link *self);
void link_free_rudely (Link *self);
STACK_OF (X509) *link_get_chain (Link *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Pair, pair_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Link, link_free)

X509 *handshake_make_certificate (const char *name);

guint8 *find_bytes (gconstpointer haystack, gsize haystack_length, gconstpointer needle, gsize needle_length);

G_END_DECLS
