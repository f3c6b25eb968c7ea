/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "test-pki.h"

G_BEGIN_DECLS

/* A TLS server that shakes hands as one should, and then says what its test wants, record by record: it knows its keys and
 * closes records itself (TLS 1.3, TLS_AES_128_GCM_SHA256). It serves any number of connections, one after the other, on
 * 127.0.0.1 and a free port, in a thread.
 */

typedef struct _HostileServer HostileServer;

/* Called for each connection once hands are shaken, in the server's thread; FALSE of the functions below means that the
 * client is gone.
 */
typedef void (*HostileBehaviour) (HostileServer *self, gpointer data);

HostileServer *hostile_server_new (HostileBehaviour behave, gpointer data);

void hostile_server_free (HostileServer *self);

guint16 hostile_server_get_port (HostileServer *self);

const char *hostile_server_get_ca_path (HostileServer *self);

guint hostile_server_count_resumed (HostileServer *self);

/* For behaviours */

gboolean hostile_send (HostileServer *self, guint8 type, gconstpointer content, gsize size);

gboolean hostile_send_data (HostileServer *self, const char *text);

gboolean hostile_send_ticket (HostileServer *self, guint32 lifetime, const guint8 *ticket, gsize size);

gboolean hostile_send_key_update (HostileServer *self, gboolean asks_for_one);

gboolean hostile_send_close_notify (HostileServer *self);

/* Underneath TLS */
gboolean hostile_send_bytes (HostileServer *self, gconstpointer bytes, gsize size);

/* Until the client ends its side, or @n_bytes of it have come, enciphered as they are. */
gsize hostile_receive (HostileServer *self, gsize n_bytes);

gboolean hostile_is_stopping (HostileServer *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HostileServer, hostile_server_free)

G_END_DECLS
