/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* GInitable and GAsyncInitable of both roles' connections. */

void g_tls_session_connection_initable_init (GInitableIface *iface);

void g_tls_session_connection_async_initable_init (GAsyncInitableIface *iface);

G_END_DECLS
