/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "password.h"

#include <openssl/x509.h>

G_BEGIN_DECLS

gboolean g_tls_session_read_pkcs12 (const void *data,
                                    gsize length,
                                    GTlsSessionPassword password,
                                    STACK_OF (X509) **certificates,
                                    EVP_PKEY **key,
                                    GError **error);

G_END_DECLS
