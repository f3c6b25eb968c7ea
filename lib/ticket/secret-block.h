/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Bytes of a known size that are wiped when they are freed. */
typedef struct
{
  gsize size;
  guint8 data[];
} GTlsSessionSecretBlock;

GTlsSessionSecretBlock *g_tls_session_secret_block_new (gsize size);

void g_tls_session_secret_block_free (gpointer block);

GBytes *g_tls_session_secret_block_to_bytes (GTlsSessionSecretBlock *self);

G_END_DECLS
