/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "password.h"
#include "private-key.h"

#include <openssl/x509.h>

G_BEGIN_DECLS

gboolean g_tls_session_token_read (const char *uri,
                                   GTlsSessionPassword pin,
                                   X509 **certificate,
                                   GTlsSessionPrivateKey *key,
                                   GError **error);

gboolean g_tls_session_token_read_key (const char *uri,
                                       GTlsSessionPassword pin,
                                       GTlsSessionPrivateKey *key,
                                       GError **error);

EVP_PKEY *g_tls_session_token_open_key (const char *uri, GTlsSessionPassword pin, GError **error);

G_END_DECLS
