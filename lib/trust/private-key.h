/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "password.h"

#include <openssl/evp.h>

G_BEGIN_DECLS

/* A private key, open or still closed by a password. Errors are G_TLS_ERROR_BAD_CERTIFICATE, and where a password is
 * wrong G_TLS_ERROR_BAD_CERTIFICATE_PASSWORD.
 */

typedef struct _GTlsSessionLockedKey GTlsSessionLockedKey;

/* At most one of both is there. */
typedef struct
{
  EVP_PKEY *open;
  GTlsSessionLockedKey *locked;
} GTlsSessionPrivateKey;

gboolean g_tls_session_read_pem_key (const char *data, gsize length, GTlsSessionPrivateKey *key, GError **error);

gboolean g_tls_session_read_der_key (const void *data, gsize length, GTlsSessionPrivateKey *key, GError **error);

void g_tls_session_private_key_clear (GTlsSessionPrivateKey *key);

gboolean g_tls_session_private_key_is_there (const GTlsSessionPrivateKey *key);

GTlsSessionLockedKey *g_tls_session_locked_key_new_for_token (const char *uri);

EVP_PKEY *g_tls_session_locked_key_open (const GTlsSessionLockedKey *self,
                                         GTlsSessionPassword password,
                                         GError **error);

void g_tls_session_locked_key_free (GTlsSessionLockedKey *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GTlsSessionPrivateKey, g_tls_session_private_key_clear)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GTlsSessionLockedKey, g_tls_session_locked_key_free)

G_END_DECLS
