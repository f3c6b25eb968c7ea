/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <openssl/ssl.h>

#include <gio/gio.h>

G_BEGIN_DECLS

SSL_CTX *g_tls_session_context_get_client (GError **error);

SSL_CTX *g_tls_session_context_get_server (GError **error);

SSL_CTX *g_tls_session_context_new_resuming_server (GError **error);

int g_tls_session_protocol_to_openssl (GTlsProtocolVersion version);

GTlsProtocolVersion g_tls_session_protocol_from_openssl (int version);

G_END_DECLS
