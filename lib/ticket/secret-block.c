/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "secret-block.h"

#include <openssl/crypto.h>

/* It is to be filled. */
GTlsSessionSecretBlock *
g_tls_session_secret_block_new (gsize size)
{
  GTlsSessionSecretBlock *self = g_malloc (sizeof (GTlsSessionSecretBlock) + size);

  self->size = size;
  return self;
}

void
g_tls_session_secret_block_free (gpointer block)
{
  GTlsSessionSecretBlock *self = block;

  OPENSSL_cleanse (self, sizeof (GTlsSessionSecretBlock) + self->size);
  g_free (self);
}

/* Takes @self. The bytes are wiped when their last reference goes. */
GBytes *
g_tls_session_secret_block_to_bytes (GTlsSessionSecretBlock *self)
{
  return g_bytes_new_with_free_func (self->data, self->size, g_tls_session_secret_block_free, self);
}
