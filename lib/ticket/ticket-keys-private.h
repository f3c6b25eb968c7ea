/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <openssl/ssl.h>

#include "gtls-session-ticket-keys.h"

G_BEGIN_DECLS

SSL_CTX *g_tls_session_ticket_keys_get_context (GTlsSessionTicketKeys *self);

GBytes *g_tls_session_ticket_keys_merge (GTlsSessionTicketKeys *self, GBytes *bytes, gint64 saved, GError **error);

G_END_DECLS
