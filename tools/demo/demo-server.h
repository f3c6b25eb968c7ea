/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtls-session.h>

G_BEGIN_DECLS

/* The demo's own server on 127.0.0.1 and a free port: a GTlsSessionServerConnection for each client, and ticket keys that
 * they share. It has a thread of its own.
 */
typedef struct _DemoServer DemoServer;

/* What it says to each client, behind the tickets. */
#define DEMO_SERVER_GREETING "Welcome\n"

DemoServer *demo_server_new (GError **error);

void demo_server_free (DemoServer *self);

guint16 demo_server_get_port (DemoServer *self);

/* The root to trust. */
const char *demo_server_get_ca_path (DemoServer *self);

/* As a server does that restarts and has kept none: what was issued until now cannot be resumed any more. */
gboolean demo_server_lose_keys (DemoServer *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DemoServer, demo_server_free)

G_END_DECLS
