/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <openssl/x509.h>

G_BEGIN_DECLS

/* Remembers which chains led to an anchor, so that the signatures along the way need not be checked again. */

typedef struct _GTlsSessionPathMemory GTlsSessionPathMemory;

GTlsSessionPathMemory *g_tls_session_path_memory_new (void);

void g_tls_session_path_memory_free (GTlsSessionPathMemory *self);

gboolean g_tls_session_path_memory_knows (GTlsSessionPathMemory *self,
                                          X509_STORE *store,
                                          STACK_OF (X509) *chain,
                                          int purpose);

void g_tls_session_path_memory_note (GTlsSessionPathMemory *self,
                                     X509_STORE *store,
                                     STACK_OF (X509) *chain,
                                     int purpose,
                                     STACK_OF (X509) *path);

G_END_DECLS
