/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "secret-block.h"

#include <openssl/crypto.h>

/* It is to be filled. Out of memory the program ends, as with GLib's own allocations. */
GTlsSessionSecretBlock *
g_tls_session_secret_block_new (gsize size)
{
  GTlsSessionSecretBlock *self = OPENSSL_malloc (sizeof (GTlsSessionSecretBlock) + size);

  if (self == NULL)
    g_error ("Out of memory: %" G_GSIZE_FORMAT " bytes for a secret", size);

  self->size = size;
  return self;
}

void
g_tls_session_secret_block_free (gpointer block)
{
  GTlsSessionSecretBlock *self = block;

  OPENSSL_clear_free (self, sizeof (GTlsSessionSecretBlock) + self->size);
}

/* Takes @self. The bytes are wiped when their last reference goes. */
GBytes *
g_tls_session_secret_block_to_bytes (GTlsSessionSecretBlock *self)
{
  return g_bytes_new_with_free_func (self->data, self->size, g_tls_session_secret_block_free, self);
}
