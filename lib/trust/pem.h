/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <openssl/bio.h>

G_BEGIN_DECLS

/* PEM (RFC 7468, RFC 1421), block by block. What a block held is wiped when it is cleared. */
typedef struct
{
  char *label; /* "CERTIFICATE" */
  char *header;
  unsigned char *data;
  long length;
} GTlsSessionPemBlock;

typedef enum
{
  PEM_FOUND,
  PEM_END,
  PEM_BROKEN,
} GTlsSessionPemStep;

BIO *g_tls_session_pem_open (const char *data, gsize length, GError **error);

GTlsSessionPemStep g_tls_session_pem_next (BIO *bio, GTlsSessionPemBlock *block);

void g_tls_session_pem_block_clear (GTlsSessionPemBlock *block);

gboolean g_tls_session_pem_block_is_certificate (const GTlsSessionPemBlock *block);

gboolean g_tls_session_pem_block_is_key (const GTlsSessionPemBlock *block);

gboolean g_tls_session_pem_block_is_encrypted (const GTlsSessionPemBlock *block);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GTlsSessionPemBlock, g_tls_session_pem_block_clear)

G_END_DECLS
