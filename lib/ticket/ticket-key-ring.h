/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define G_TLS_SESSION_KEY_NAME_SIZE 16
#define G_TLS_SESSION_KEY_SIZE 32

/* A key that seals tickets (RFC 5077, section 4), and opens the ones it sealed. */
typedef struct
{
  guint8 name[G_TLS_SESSION_KEY_NAME_SIZE];
  guint8 cipher_key[G_TLS_SESSION_KEY_SIZE];
  guint8 mac_key[G_TLS_SESSION_KEY_SIZE];
  gint64 retired;   /* when it sealed its last ticket, in seconds since 1970; 0: it is the one that seals */
  gboolean is_used; /* it has sealed a ticket, or somebody else may know it; not in the bytes */
} GTlsSessionTicketKey;

/* GTlsSessionTicketKey, wiped when removed. The one that seals is the first, then from the youngest to the oldest. */
GPtrArray *g_tls_session_key_ring_new (void);

gboolean g_tls_session_key_ring_rotate (GPtrArray *ring, GError **error);

void g_tls_session_key_ring_prune (GPtrArray *ring, gint64 lifetime);

GTlsSessionTicketKey *g_tls_session_key_ring_find (GPtrArray *ring, const guint8 *name);

void g_tls_session_key_ring_add (GPtrArray *ring, const GTlsSessionTicketKey *key);

GBytes *g_tls_session_key_ring_to_bytes (GPtrArray *ring, guint lifetime);

GPtrArray *g_tls_session_key_ring_from_bytes (GBytes *bytes, guint *lifetime, GError **error);

G_END_DECLS
