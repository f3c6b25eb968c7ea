/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "transport.h"

G_BEGIN_DECLS

GTlsSessionTransport g_tls_session_socket_transport (GSocket *socket);

G_END_DECLS
