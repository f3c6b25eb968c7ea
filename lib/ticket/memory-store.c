/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gtls-session-memory-store.h"

#include <string.h>

#include "peer-table.h"
#include "store-rules.h"
#include "ticket-private.h"

/* NOTES:
 *
 * A table finds the peer of a key, and has all of them in the order of their use (peer-table.c); a peer has its tickets,
 * the newest last. No operation looks at more than one peer's tickets, whose number is bounded: its work does not grow
 * with what the store holds.
 *
 * Bytes are kept apart, and clear() leaves them. One lock covers all. What falls out of the store is freed once it is
 * unlocked again: to free a ticket is to free OpenSSL's session and the peer's chain, and other threads need not wait
 * for that.
 */

/**
 * GTlsSessionMemoryStore:
 *
 * A [iface@GTlsSession.Store] in this process's memory.
 *
 * It holds a bounded number of peers, and of tickets for each; those used longest ago go first. Nothing in it outlives the
 * process. It may be used from any thread.
 *
 * Connections that are not to be linked with others, such as those of a private window, get one of their own:
 *
 * ```c
 * g_autoptr (GTlsSessionMemoryStore) apart = g_tls_session_memory_store_new ();
 *
 * g_tls_session_client_connection_set_session_store (connection, G_TLS_SESSION_STORE (apart));
 * ```
 *
 * [func@GTlsSession.MemoryStore.get_default] is the one that every [class@GTlsSession.ClientConnection] has unless it is
 * given another.
 *
 * Since: 0.1
 */

#define DEFAULT_MAX_PEERS 1024
#define DEFAULT_MAX_TICKETS_PER_PEER 8

struct _GTlsSessionMemoryStore
{
  GObject parent_instance;

  /* These do not change once the object is made. */
  guint max_peers;
  guint max_tickets_per_peer;
  guint max_age; /* s */

  GMutex lock; /* covers what follows */
  GTlsSessionPeerTable *peers;
  GHashTable *bytes; /* from a name to GBytes */
};

static void g_tls_session_memory_store_store_init (GTlsSessionStoreInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (GTlsSessionMemoryStore,
                               g_tls_session_memory_store,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TLS_SESSION_TYPE_STORE, g_tls_session_memory_store_store_init))

enum
{
  PROP_0,
  PROP_MAX_PEERS,
  PROP_MAX_TICKETS_PER_PEER,
  PROP_MAX_AGE,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

/* Peers. All with the lock held. None of them is without a ticket outside of a function. */

/* In @dropped is what went for it, which is the caller's now. */
static GTlsSessionPeer *
need_peer (GTlsSessionMemoryStore *self, const char *key, GTlsSessionPeer **dropped)
{
  GTlsSessionPeer *peer = g_tls_session_peer_table_find (self->peers, key);

  if (peer != NULL)
    {
      g_tls_session_peer_table_use (self->peers, peer);
      return peer;
    }
  if (g_tls_session_peer_table_get_size (self->peers) >= self->max_peers)
    {
      *dropped = g_tls_session_peer_table_get_oldest (self->peers);
      g_tls_session_peer_table_remove (self->peers, *dropped);
    }
  return g_tls_session_peer_table_add (self->peers, key, self->max_tickets_per_peer);
}

static GTlsSessionTicket *
steal_ticket (GTlsSessionPeer *peer, guint index)
{
  GTlsSessionTicket *ticket = peer->tickets[index];

  peer->n_tickets--;
  memmove (&peer->tickets[index], &peer->tickets[index + 1], (peer->n_tickets - index) * sizeof peer->tickets[0]);
  return ticket;
}

/* The newest that can be used, owned by the caller; on the way to it goes what cannot be used any more, into @dropped. */
static GTlsSessionTicket *
take_from_peer (GTlsSessionMemoryStore *self, GTlsSessionPeer *peer, GSList **dropped)
{
  while (peer->n_tickets > 0)
    {
      GTlsSessionTicket *newest = peer->tickets[peer->n_tickets - 1];

      if (g_tls_session_store_may_give_out (newest, self->max_age))
        return g_tls_session_ticket_get_single_use (newest) ? steal_ticket (peer, peer->n_tickets - 1)
                                                            : g_object_ref (newest);
      *dropped = g_slist_prepend (*dropped, steal_ticket (peer, peer->n_tickets - 1));
    }
  return NULL;
}

/* The peer, if it has lost its last ticket, out of the store and the caller's; or NULL. */
static GTlsSessionPeer *
steal_if_empty (GTlsSessionMemoryStore *self, GTlsSessionPeer *peer)
{
  if (peer->n_tickets > 0)
    return NULL;
  g_tls_session_peer_table_remove (self->peers, peer);
  return peer;
}

/* GTlsSessionStore */

static gboolean
g_tls_session_memory_store_put (GTlsSessionStore *store, const char *key, GTlsSessionTicket *ticket, GError **error)
{
  GTlsSessionMemoryStore *self = G_TLS_SESSION_MEMORY_STORE (store);
  g_autoptr (GTlsSessionPeer) dropped = NULL;
  g_autoptr (GTlsSessionTicket) oldest = NULL;
  GTlsSessionPeer *peer;

  g_mutex_lock (&self->lock);
  peer = need_peer (self, key, &dropped);
  if (peer->n_tickets == self->max_tickets_per_peer)
    oldest = steal_ticket (peer, 0);
  peer->tickets[peer->n_tickets++] = g_object_ref (ticket);
  g_mutex_unlock (&self->lock);
  return TRUE;
}

static GTlsSessionTicket *
g_tls_session_memory_store_take (GTlsSessionStore *store, const char *key, GError **error)
{
  GTlsSessionMemoryStore *self = G_TLS_SESSION_MEMORY_STORE (store);
  g_autoptr (GTlsSessionPeer) emptied = NULL;
  GTlsSessionTicket *ticket = NULL;
  GSList *dropped = NULL;
  GTlsSessionPeer *peer;

  g_mutex_lock (&self->lock);
  peer = g_tls_session_peer_table_find (self->peers, key);
  if (peer != NULL)
    {
      g_tls_session_peer_table_use (self->peers, peer);
      ticket = take_from_peer (self, peer, &dropped);
      emptied = steal_if_empty (self, peer);
    }
  g_mutex_unlock (&self->lock);

  g_slist_free_full (dropped, g_object_unref);
  return ticket;
}

/* Its own object, or NULL. */
static GTlsSessionTicket *
steal_equal_ticket (GTlsSessionPeer *peer, GTlsSessionTicket *ticket)
{
  for (guint i = peer->n_tickets; i > 0; i--)
    if (g_str_equal (g_tls_session_ticket_get_id (peer->tickets[i - 1]), g_tls_session_ticket_get_id (ticket)))
      return steal_ticket (peer, i - 1);
  return NULL;
}

static gboolean
g_tls_session_memory_store_remove (GTlsSessionStore *store, const char *key, GTlsSessionTicket *ticket, GError **error)
{
  GTlsSessionMemoryStore *self = G_TLS_SESSION_MEMORY_STORE (store);
  g_autoptr (GTlsSessionPeer) emptied = NULL;
  g_autoptr (GTlsSessionTicket) removed = NULL;
  GTlsSessionPeer *peer;

  g_mutex_lock (&self->lock);
  peer = g_tls_session_peer_table_find (self->peers, key);
  if (peer != NULL)
    {
      removed = steal_equal_ticket (peer, ticket);
      emptied = steal_if_empty (self, peer);
    }
  g_mutex_unlock (&self->lock);
  return TRUE;
}

static gboolean
g_tls_session_memory_store_clear (GTlsSessionStore *store, GError **error)
{
  GTlsSessionMemoryStore *self = G_TLS_SESSION_MEMORY_STORE (store);
  GTlsSessionPeerTable *none = g_tls_session_peer_table_new ();
  GTlsSessionPeerTable *all;

  g_mutex_lock (&self->lock);
  all = self->peers;
  self->peers = none;
  g_mutex_unlock (&self->lock);

  g_tls_session_peer_table_free (all);
  return TRUE;
}

static gboolean
g_tls_session_memory_store_save_bytes (GTlsSessionStore *store, const char *name, GBytes *bytes, GError **error)
{
  GTlsSessionMemoryStore *self = G_TLS_SESSION_MEMORY_STORE (store);

  g_mutex_lock (&self->lock);
  g_hash_table_insert (self->bytes, g_strdup (name), g_bytes_ref (bytes));
  g_mutex_unlock (&self->lock);
  return TRUE;
}

static GBytes *
g_tls_session_memory_store_load_bytes (GTlsSessionStore *store, const char *name, GError **error)
{
  GTlsSessionMemoryStore *self = G_TLS_SESSION_MEMORY_STORE (store);
  GBytes *bytes;

  g_mutex_lock (&self->lock);
  bytes = g_hash_table_lookup (self->bytes, name);
  if (bytes != NULL)
    g_bytes_ref (bytes);
  g_mutex_unlock (&self->lock);
  return bytes;
}

static void
g_tls_session_memory_store_store_init (GTlsSessionStoreInterface *iface)
{
  iface->put = g_tls_session_memory_store_put;
  iface->take = g_tls_session_memory_store_take;
  iface->remove = g_tls_session_memory_store_remove;
  iface->clear = g_tls_session_memory_store_clear;
  iface->save_bytes = g_tls_session_memory_store_save_bytes;
  iface->load_bytes = g_tls_session_memory_store_load_bytes;
}

/* GObject */

/* The bound that a property tells, or NULL if that is another property. */
static guint *
find_bound (GTlsSessionMemoryStore *self, guint property_id)
{
  switch (property_id)
    {
    case PROP_MAX_PEERS:
      return &self->max_peers;
    case PROP_MAX_TICKETS_PER_PEER:
      return &self->max_tickets_per_peer;
    case PROP_MAX_AGE:
      return &self->max_age;
    default:
      return NULL;
    }
}

static void
g_tls_session_memory_store_get_property (GObject *object, guint property_id, GValue *value, GParamSpec *pspec)
{
  GTlsSessionMemoryStore *self = G_TLS_SESSION_MEMORY_STORE (object);
  const guint *bound = find_bound (self, property_id);

  if (bound != NULL)
    g_value_set_uint (value, *bound);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
}

static void
g_tls_session_memory_store_set_property (GObject *object, guint property_id, const GValue *value, GParamSpec *pspec)
{
  GTlsSessionMemoryStore *self = G_TLS_SESSION_MEMORY_STORE (object);
  guint *bound = find_bound (self, property_id);

  if (bound != NULL)
    *bound = g_value_get_uint (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
}

static void
g_tls_session_memory_store_finalize (GObject *object)
{
  GTlsSessionMemoryStore *self = G_TLS_SESSION_MEMORY_STORE (object);

  g_clear_pointer (&self->peers, g_tls_session_peer_table_free);
  g_clear_pointer (&self->bytes, g_hash_table_unref);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (g_tls_session_memory_store_parent_class)->finalize (object);
}

static void
g_tls_session_memory_store_class_init (GTlsSessionMemoryStoreClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  object_class->get_property = g_tls_session_memory_store_get_property;
  object_class->set_property = g_tls_session_memory_store_set_property;
  object_class->finalize = g_tls_session_memory_store_finalize;

  /**
   * GTlsSessionMemoryStore:max-peers:
   *
   * How many peers the store has tickets of at the most; the one used longest ago goes first.
   *
   * A peer is what a key stands for, see [iface@GTlsSession.Store].
   *
   * Since: 0.1
   */
  properties[PROP_MAX_PEERS] = g_param_spec_uint ("max-peers", NULL, NULL, 1, G_MAXINT, DEFAULT_MAX_PEERS, flags);

  /**
   * GTlsSessionMemoryStore:max-tickets-per-peer:
   *
   * How many tickets of one peer the store has at the most; the oldest goes first.
   *
   * Since: 0.1
   */
  properties[PROP_MAX_TICKETS_PER_PEER] = g_param_spec_uint ("max-tickets-per-peer", NULL, NULL, 1, 64,
                                                             DEFAULT_MAX_TICKETS_PER_PEER, flags);

  /**
   * GTlsSessionMemoryStore:max-age:
   *
   * How old a ticket may be when it is taken, in seconds.
   *
   * Sessions that are resumed for longer let an observer follow a user for longer; ten minutes is what arXiv:1810.07304,
   * section 6, recommends.
   *
   * Since: 0.1
   */
  properties[PROP_MAX_AGE] = g_tls_session_store_make_max_age_property ();

  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
g_tls_session_memory_store_init (GTlsSessionMemoryStore *self)
{
  g_mutex_init (&self->lock);
  self->peers = g_tls_session_peer_table_new ();
  self->bytes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
}

/* Public functions */

/**
 * g_tls_session_memory_store_new:
 *
 * Makes an empty store, with the default bounds.
 *
 * Returns: (transfer full): the store
 * Since: 0.1
 */
GTlsSessionMemoryStore *
g_tls_session_memory_store_new (void)
{
  return g_object_new (G_TLS_SESSION_TYPE_MEMORY_STORE, NULL);
}

/**
 * g_tls_session_memory_store_get_default:
 *
 * Gets the store of this process, which every [class@GTlsSession.ClientConnection] has unless it is given another.
 *
 * Returns: (transfer none): the store
 * Since: 0.1
 */
GTlsSessionMemoryStore *
g_tls_session_memory_store_get_default (void)
{
  static gsize store;

  if (g_once_init_enter (&store))
    g_once_init_leave (&store, (gsize) g_tls_session_memory_store_new ());
  return (GTlsSessionMemoryStore *) store;
}

/**
 * g_tls_session_memory_store_get_max_peers:
 * @self: a store
 *
 * Gets how many peers the store has tickets of at the most.
 *
 * Returns: how many
 * Since: 0.1
 */
guint
g_tls_session_memory_store_get_max_peers (GTlsSessionMemoryStore *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_MEMORY_STORE (self), 0);

  return self->max_peers;
}

/**
 * g_tls_session_memory_store_get_max_tickets_per_peer:
 * @self: a store
 *
 * Gets how many tickets of one peer the store has at the most.
 *
 * Returns: how many
 * Since: 0.1
 */
guint
g_tls_session_memory_store_get_max_tickets_per_peer (GTlsSessionMemoryStore *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_MEMORY_STORE (self), 0);

  return self->max_tickets_per_peer;
}

/**
 * g_tls_session_memory_store_get_max_age:
 * @self: a store
 *
 * Gets how old a ticket may be when it is taken.
 *
 * Returns: seconds
 * Since: 0.1
 */
guint
g_tls_session_memory_store_get_max_age (GTlsSessionMemoryStore *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_MEMORY_STORE (self), 0);

  return self->max_age;
}

/**
 * g_tls_session_memory_store_get_n_peers:
 * @self: a store
 *
 * Counts the peers that the store has tickets of.
 *
 * Returns: how many there are
 * Since: 0.1
 */
guint
g_tls_session_memory_store_get_n_peers (GTlsSessionMemoryStore *self)
{
  guint n_peers;

  g_return_val_if_fail (G_TLS_SESSION_IS_MEMORY_STORE (self), 0);

  g_mutex_lock (&self->lock);
  n_peers = g_tls_session_peer_table_get_size (self->peers);
  g_mutex_unlock (&self->lock);
  return n_peers;
}
