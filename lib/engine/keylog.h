/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <openssl/ssl.h>

#include <glib.h>

G_BEGIN_DECLS

void g_tls_session_keylog_install (SSL_CTX *context);

G_END_DECLS
