/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "path-memory.h"

#include "certificate-private.h"
#include "openssl-auto.h"

/* NOTES:
 *
 * A resumed connection is judged as a full one is, with the chain that its ticket carries. What takes time in that is
 * checking signatures: two thirds of what a resumed handshake costs beside it (measured by benchmarks/handshakes.c). They do
 * not change. So a database remembers the path from a chain's leaf to an anchor, if it was good, together with the trust
 * store that it was found in. Everything else is looked at again each time: here, that no certificate of the path is out
 * of date; by the caller, the identity, and what the program says to faults.
 *
 * What is remembered is found by the SHA-256 of the whole chain and the purpose. Only good paths are; a bad chain is
 * judged anew every time. A number of chains is kept at most, and the memory begins anew when it is full: a peer that
 * shows ever new chains cannot fill it. The lock covers all of it.
 */

#define REMEMBERED_MAX 256

typedef struct
{
  X509_STORE *store;
  X509Chain *path;
} Entry;

struct _GTlsSessionPathMemory
{
  GMutex lock;
  GHashTable *entries; /* Entry, by the digest of a chain */
};

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  X509_STORE_free (entry->store);
  sk_X509_pop_free (entry->path, X509_free);
  g_free (entry);
}

GTlsSessionPathMemory *
g_tls_session_path_memory_new (void)
{
  GTlsSessionPathMemory *self = g_new0 (GTlsSessionPathMemory, 1);

  g_mutex_init (&self->lock);
  self->entries = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, entry_free);
  return self;
}

void
g_tls_session_path_memory_free (GTlsSessionPathMemory *self)
{
  g_hash_table_unref (self->entries);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* NULL if OpenSSL fails. */
static char *
digest_chain (STACK_OF (X509) *chain, int purpose)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);

  g_checksum_update (checksum, (const guchar *) &purpose, sizeof purpose);
  for (int i = 0; i < sk_X509_num (chain); i++)
    {
      guint8 digest[EVP_MAX_MD_SIZE];
      unsigned int length;

      if (X509_digest (sk_X509_value (chain, i), EVP_sha256 (), digest, &length) != 1)
        return NULL;
      g_checksum_update (checksum, digest, length);
    }
  return g_strdup (g_checksum_get_string (checksum));
}

static gboolean
is_current (X509Chain *path)
{
  for (int i = 0; i < sk_X509_num (path); i++)
    if (!g_tls_session_x509_is_current (sk_X509_value (path, i)))
      return FALSE;
  return TRUE;
}

/* Whether @chain led to an anchor of @store once, by a path that is still of today. */
gboolean
g_tls_session_path_memory_knows (GTlsSessionPathMemory *self, X509_STORE *store, STACK_OF (X509) *chain, int purpose)
{
  g_autofree char *digest = digest_chain (chain, purpose);
  Entry *entry;
  gboolean known;

  if (digest == NULL)
    return FALSE;

  g_mutex_lock (&self->lock);
  entry = g_hash_table_lookup (self->entries, digest);
  known = entry != NULL && entry->store == store && is_current (entry->path);
  g_mutex_unlock (&self->lock);
  return known;
}

/* @chain led to an anchor of @store by @path: leaf first, the anchor last. */
void
g_tls_session_path_memory_note (GTlsSessionPathMemory *self,
                                X509_STORE *store,
                                STACK_OF (X509) *chain,
                                int purpose,
                                STACK_OF (X509) *path)
{
  char *digest = digest_chain (chain, purpose);
  X509Chain *own_path = X509_chain_up_ref (path);
  Entry *entry;

  if (digest == NULL || own_path == NULL || X509_STORE_up_ref (store) != 1)
    {
      sk_X509_pop_free (own_path, X509_free);
      g_free (digest);
      return;
    }

  entry = g_new0 (Entry, 1);
  entry->store = store;
  entry->path = own_path;

  g_mutex_lock (&self->lock);
  if (g_hash_table_size (self->entries) >= REMEMBERED_MAX)
    g_hash_table_remove_all (self->entries);
  g_hash_table_replace (self->entries, digest, entry);
  g_mutex_unlock (&self->lock);
}
