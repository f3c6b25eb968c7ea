/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "peer-table.h"

#include <string.h>

/* NOTES:
 *
 * A hash table with chains and a list in the order of use, both by number in one array. With many peers, what costs time
 * is memory that no cache of the processor holds. So all that is gone through in search of a peer, and the neighbours in
 * the list, lie together in few pages, 28 bytes a peer. Of the peers, which are scattered, only the one that is wanted
 * is touched: two lines of a cache, as long as it has three tickets at the most.
 */

#define NONE G_MAXUINT
#define FIRST_ROOM 16
#define CACHE_LINE 64 /* bytes, on most processors; elsewhere nothing is wrong but the time */

#ifdef __GNUC__
#define PREFETCH(address) __builtin_prefetch (address)
#else
#define PREFETCH(address)
#endif

typedef struct
{
  guint hash;
  guint next;  /* of the same bucket, or of those that are free */
  guint newer; /* in the order of use */
  guint older;
  GTlsSessionPeer *peer; /* owned */
} Entry;

struct _GTlsSessionPeerTable
{
  guint n_peers;
  guint room; /* how many entries there are, and as many buckets */
  Entry *entries;
  guint *buckets; /* the first entry of each */
  guint free;     /* the first free entry */
  guint newest;
  guint oldest;
};

GTlsSessionPeerTable *
g_tls_session_peer_table_new (void)
{
  GTlsSessionPeerTable *self = g_new0 (GTlsSessionPeerTable, 1);

  self->free = NONE;
  self->newest = NONE;
  self->oldest = NONE;
  return self;
}

void
g_tls_session_peer_table_free (GTlsSessionPeerTable *self)
{
  for (guint i = self->newest; i != NONE; i = self->entries[i].older)
    g_tls_session_peer_free (self->entries[i].peer);
  g_free (self->entries);
  g_free (self->buckets);
  g_free (self);
}

guint
g_tls_session_peer_table_get_size (GTlsSessionPeerTable *self)
{
  return self->n_peers;
}

/* What points from the entry @number to its older neighbour; of NONE, which is newer than all, to the newest. */
static guint *
older_of (GTlsSessionPeerTable *self, guint number)
{
  return number != NONE ? &self->entries[number].older : &self->newest;
}

static guint *
newer_of (GTlsSessionPeerTable *self, guint number)
{
  return number != NONE ? &self->entries[number].newer : &self->oldest;
}

static void
add_to_order (GTlsSessionPeerTable *self, guint number)
{
  self->entries[number].newer = NONE;
  self->entries[number].older = self->newest;
  *newer_of (self, self->newest) = number;
  self->newest = number;
}

static void
remove_from_order (GTlsSessionPeerTable *self, guint number)
{
  *older_of (self, self->entries[number].newer) = self->entries[number].older;
  *newer_of (self, self->entries[number].older) = self->entries[number].newer;
}

/* Buckets */

/* Multiplied by 2^32 divided by the golden ratio, the upper bits depend on all of them; see Knuth, The Art of Computer
 * Programming, section 6.4. */
static guint *
bucket_of (GTlsSessionPeerTable *self, guint hash)
{
  guint32 spread = (guint32) hash * 2654435769u;

  return &self->buckets[(guint64) spread * self->room >> 32];
}

static void
add_to_bucket (GTlsSessionPeerTable *self, guint number)
{
  guint *bucket = bucket_of (self, self->entries[number].hash);

  self->entries[number].next = *bucket;
  *bucket = number;
}

static void
remove_from_bucket (GTlsSessionPeerTable *self, guint number)
{
  guint *link = bucket_of (self, self->entries[number].hash);

  while (*link != number)
    link = &self->entries[*link].next;
  *link = self->entries[number].next;
}

/* All entries are taken: makes twice as many. */
static void
grow (GTlsSessionPeerTable *self)
{
  guint taken = self->room;

  self->room = taken == 0 ? FIRST_ROOM : 2 * taken;
  self->entries = g_renew (Entry, self->entries, self->room);
  self->buckets = g_renew (guint, self->buckets, self->room);
  for (guint i = 0; i < self->room; i++)
    self->buckets[i] = NONE;
  for (guint i = 0; i < taken; i++)
    add_to_bucket (self, i);

  for (guint i = taken; i < self->room; i++)
    self->entries[i].next = i + 1 < self->room ? i + 1 : NONE;
  self->free = taken;
}

/* Whether the entry is of the peer with @key. All that is touched next is asked for at once, and not one after the other:
 * who finds a peer uses it. */
static gboolean
is_peer_of (GTlsSessionPeerTable *self, guint number, const char *key)
{
  const Entry *entry = &self->entries[number];

  PREFETCH (entry->peer);
  PREFETCH ((char *) entry->peer + CACHE_LINE);
  PREFETCH (older_of (self, entry->newer));
  PREFETCH (newer_of (self, entry->older));
  return strcmp (entry->peer->key, key) == 0;
}

/* NULL if there is none. */
GTlsSessionPeer *
g_tls_session_peer_table_find (GTlsSessionPeerTable *self, const char *key)
{
  guint hash = g_str_hash (key);

  if (self->room == 0)
    return NULL;
  for (guint i = *bucket_of (self, hash); i != NONE; i = self->entries[i].next)
    if (self->entries[i].hash == hash && is_peer_of (self, i, key))
      return self->entries[i].peer;
  return NULL;
}

/* The order of use */

/* The one used longest ago; NULL if there is none. */
GTlsSessionPeer *
g_tls_session_peer_table_get_oldest (GTlsSessionPeerTable *self)
{
  return self->oldest != NONE ? self->entries[self->oldest].peer : NULL;
}

void
g_tls_session_peer_table_use (GTlsSessionPeerTable *self, GTlsSessionPeer *peer)
{
  if (self->newest == peer->number)
    return;
  remove_from_order (self, peer->number);
  add_to_order (self, peer->number);
}

/* Peers */

static GTlsSessionPeer *
peer_new (const char *key, guint max_tickets)
{
  gsize key_size = strlen (key) + 1;
  gsize head_size = (sizeof (GTlsSessionPeer) + key_size + sizeof (gpointer) - 1) & ~(sizeof (gpointer) - 1);
  GTlsSessionPeer *peer = g_aligned_alloc (1, head_size + max_tickets * sizeof (GTlsSessionTicket *), CACHE_LINE);

  peer->n_tickets = 0;
  peer->tickets = (gpointer) ((char *) peer + head_size);
  memcpy (peer->key, key, key_size);
  return peer;
}

void
g_tls_session_peer_free (GTlsSessionPeer *peer)
{
  for (guint i = 0; i < peer->n_tickets; i++)
    g_object_unref (peer->tickets[i]);
  g_aligned_free (peer);
}

/* There must be none of this key. The new one has room for @max_tickets, and counts as just used. */
GTlsSessionPeer *
g_tls_session_peer_table_add (GTlsSessionPeerTable *self, const char *key, guint max_tickets)
{
  GTlsSessionPeer *peer = peer_new (key, max_tickets);

  if (self->free == NONE)
    grow (self);
  peer->number = self->free;
  self->free = self->entries[peer->number].next;
  self->entries[peer->number].hash = g_str_hash (key);
  self->entries[peer->number].peer = peer;
  add_to_bucket (self, peer->number);
  add_to_order (self, peer->number);
  self->n_peers++;
  return peer;
}

/* The peer is the caller's now. */
void
g_tls_session_peer_table_remove (GTlsSessionPeerTable *self, GTlsSessionPeer *peer)
{
  remove_from_bucket (self, peer->number);
  remove_from_order (self, peer->number);
  self->entries[peer->number].next = self->free;
  self->free = peer->number;
  self->n_peers--;
}
