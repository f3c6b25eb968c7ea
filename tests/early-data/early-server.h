/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtls-session.h>

#include "test-pki.h"

G_BEGIN_DECLS

/* Our own server, in a thread that serves one connection after the other: it does the handshake, reads until the client
 * ends, and records what it got. What is set holds for clients that connect from then on (as
 * early_prepare() does).
 */

typedef struct
{
  GTlsSessionResumption resumption;
  GBytes *early_data; /* nullable */
  GByteArray *stream; /* what came as ordinary data */
  int openssl_status; /* SSL_EARLY_DATA_…: what OpenSSL says of the client's early data */
  guint client_chain; /* how many certificates the client is known by */
  char *error;        /* nullable */
} EarlyRecord;

typedef struct _EarlyServer EarlyServer;

EarlyServer *early_server_new (guint max_early_data);

void early_server_free (EarlyServer *self);

guint16 early_server_get_port (EarlyServer *self);

TestPki *early_server_get_pki (EarlyServer *self);

GTlsSessionTicketKeys *early_server_get_keys (EarlyServer *self);

void early_server_set_max_early_data (EarlyServer *self, guint size);

void early_server_lose_keys (EarlyServer *self);

void early_server_set_alpn (EarlyServer *self, const char *protocol);

/* Of what clients offer, only this group: they have to be asked for a second ClientHello. */
void early_server_set_group (EarlyServer *self, const char *name);

void early_server_set_maximum (EarlyServer *self, GTlsProtocolVersion version);

/* @ca_path: whom to trust; nullable. */
void early_server_set_authentication (EarlyServer *self, GTlsAuthenticationMode mode, const char *ca_path);

/* Waits until connection @index has ended; the record is borrowed. NULL if that takes too long. */
const EarlyRecord *early_server_get_record (EarlyServer *self, guint index);

/* The free port that it is. */
guint16 early_listen_on_loopback (GSocketListener *listener);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EarlyServer, early_server_free)

G_END_DECLS
