/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <openssl/x509.h>

#include "path-memory.h"

G_BEGIN_DECLS

X509_STORE *g_tls_session_store_new (STACK_OF (X509) *anchors);

void g_tls_session_store_prepare (X509_STORE *store);

GTlsCertificateFlags g_tls_session_verify_chain (X509_STORE *store,
                                                 STACK_OF (X509) *chain,
                                                 const char *purpose,
                                                 GSocketConnectable *identity,
                                                 GTlsSessionPathMemory *memory);

gboolean g_tls_session_verify_identity (X509 *leaf, GSocketConnectable *identity);

char *g_tls_session_identity_to_name (GSocketConnectable *identity);

gboolean g_tls_session_name_is_ip (const char *name);

G_END_DECLS
