/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <openssl/ssl.h>

G_BEGIN_DECLS

gboolean g_tls_session_memo_store (SSL_SESSION *session, STACK_OF (X509) *chain);

gboolean g_tls_session_memo_exists (SSL_SESSION *session);

gint64 g_tls_session_memo_get_age (SSL_SESSION *session);

STACK_OF (X509) *g_tls_session_memo_load_chain (SSL_SESSION *session);

G_END_DECLS
