/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gtls-session-ticket.h"

G_BEGIN_DECLS

/* The peers of a store in memory: found by their key, and in the order in which they were used. One thread at a time. */

typedef struct
{
  guint number; /* the table's */
  guint n_tickets;
  GTlsSessionTicket **tickets; /* owned, the newest last; they lie behind the key */
  char key[];
} GTlsSessionPeer;

typedef struct _GTlsSessionPeerTable GTlsSessionPeerTable;

GTlsSessionPeerTable *g_tls_session_peer_table_new (void);

void g_tls_session_peer_table_free (GTlsSessionPeerTable *self);

guint g_tls_session_peer_table_get_size (GTlsSessionPeerTable *self);

GTlsSessionPeer *g_tls_session_peer_table_find (GTlsSessionPeerTable *self, const char *key);

GTlsSessionPeer *g_tls_session_peer_table_get_oldest (GTlsSessionPeerTable *self);

GTlsSessionPeer *g_tls_session_peer_table_add (GTlsSessionPeerTable *self, const char *key, guint max_tickets);

void g_tls_session_peer_table_use (GTlsSessionPeerTable *self, GTlsSessionPeer *peer);

void g_tls_session_peer_table_remove (GTlsSessionPeerTable *self, GTlsSessionPeer *peer);

void g_tls_session_peer_free (GTlsSessionPeer *peer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GTlsSessionPeer, g_tls_session_peer_free)

G_END_DECLS
