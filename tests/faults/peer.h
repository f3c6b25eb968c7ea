/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "credentials.h"

#include <openssl/ssl.h>

G_BEGIN_DECLS

/* A TLS server, or client, on OpenSSL alone that waits for nothing: it is fed with bytes, and has bytes to be taken. */

/* What is the same for all connections of a server. */
SSL_CTX *peer_server_context_new (const Credentials *credentials,
                                  int version,
                                  gboolean requires_certificate,
                                  guint32 max_early_data);

/* And of a client. */
SSL_CTX *peer_client_context_new (const Credentials *credentials, int version, gboolean shows_certificate);

typedef struct _Peer Peer;

Peer *peer_new_server (SSL_CTX *context);

/* It offers @session, if that is not NULL, and says the first @n_early bytes with its ClientHello. */
Peer *peer_new_client (SSL_CTX *context, SSL_SESSION *session, gsize n_early);

void peer_free (Peer *self);

void peer_feed (Peer *self, const guint8 *bytes, gsize size);

/* Appends what it has to say. */
void peer_take (Peer *self, GByteArray *place);

/* Once its handshake is done, it goes on until it has said @size bytes in all. */
void peer_say (Peer *self, gsize size);

/* It said all it had to, and closes its socket. */
gboolean peer_has_ended (Peer *self);

/* The application data that came, early data among them. */
const GByteArray *peer_get_heard (Peer *self);

/* Its handshake is done. */
gboolean peer_is_open (Peer *self);

gboolean peer_was_resumed (Peer *self);

/* The last one that a client got; nullable, and the peer's. */
SSL_SESSION *peer_get_session (Peer *self);

/* The byte that each side says at this place of all that it says. */
guint8 peer_byte_said (gsize position);

guint8 peer_byte_heard (gsize position);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Peer, peer_free)

G_END_DECLS
