/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gtls-session-redis-store.h"

#include "gtls-session-error.h"
#include "redis-shelf.h"
#include "store-rules.h"
#include "ticket-private.h"

/**
 * GTlsSessionRedisStore:
 *
 * A [iface@GTlsSession.Store] on a Redis or Valkey server, which a fleet of machines shares.
 *
 * ```c
 * g_autoptr (GError) error = NULL;
 * g_autoptr (GTlsSessionRedisStore) store = NULL;
 *
 * store = g_tls_session_redis_store_new ("rediss://:password@redis.example", key, &error);
 * if (store == NULL)
 *   g_error ("%s", error->message);
 * g_object_set (connection, "session-store", store, NULL);
 * ```
 *
 * ## Where
 *
 * - `redis://[user:password@]host[:port][/database]`: over TCP. A password alone is written `redis://:password@host`.
 * - `rediss://…`: the same over TLS. The server's certificate has to be valid for its host name or address, and to come
 *   from a trusted authority: one of [property@GTlsSession.RedisStore:ca-file], or of the system.
 * - `redis+unix://[user:password@]/path/to/socket[?db=database]`: a socket of this machine.
 *
 * Special characters in a user's name or a password are percent-encoded. Without TLS, passwords cross the network for all
 * to read, and tickets do if there is no key.
 *
 * The server is a Redis of version 6.2 or later, or a Valkey. It is asked for nothing but `AUTH`, `SELECT`, `MULTI`,
 * `EXEC`, `SET`, `GET`, `GETDEL`, `UNLINK`, `EXPIRE`, `SCAN`, `ZADD`, `ZPOPMAX`, `ZRANGE`, `ZREVRANGE`, `ZREM`,
 * `ZREMRANGEBYRANK` and `ZREMRANGEBYSCORE`, for keys that begin with [property@GTlsSession.RedisStore:prefix]. It is one
 * server (or a proxy before several): a member of a cluster that refers to another member (`MOVED`) is not followed, and
 * the call fails.
 *
 * ## The key
 *
 * With a key of 32 bytes, which all machines of the fleet have and the server has not, tickets and bytes are sealed with
 * AES-256-GCM, and the names they lie under are keyed hashes. The server, its backups, and whoever reads them learn how
 * many there are and when they are used, and not with whom. They may still withhold a ticket, or give out one a second
 * time: then it is used twice, and an observer can tell that the two connections belong together.
 *
 * Without a key, who can read the server can pass for the clients whose tickets it holds (see
 * [class@GTlsSession.Ticket]), and who can write to it can pass for the servers.
 *
 * ## When the server is away
 *
 * Making the store asks nothing of the server: a fleet has to be able to start without it. Each call connects if there is
 * no connection, and is over within [property@GTlsSession.RedisStore:time-limit], looking up the host's name, connecting,
 * and waiting for other threads' calls included; only [method@GTlsSession.Store.clear] may take a hundred times as long.
 * A call that fails is not made again by itself. There is one attempt to connect in a second at the most, and none within
 * a second of a call that was not answered in time; calls in between fail at once.
 *
 * It may be used from any thread; one call is on its way at a time.
 *
 * In a build of this library without hiredis, a store cannot be made: that fails with %G_TLS_SESSION_ERROR_UNSUPPORTED.
 *
 * Since: 0.1
 */

#define DEFAULT_TIME_LIMIT 250 /* ms */
#define MAX_TIME_LIMIT 60000   /* ms */
#define DEFAULT_MAX_TICKETS_PER_PEER 64
#define MAX_TICKETS_PER_PEER 1024
#define DEFAULT_PREFIX "gtls-session:"

struct _GTlsSessionRedisStore
{
  GObject parent_instance;

  /* None of this changes once the object is made. */
  char *uri;   /* NULL once initialised: it may hold a password */
  GBytes *key; /* nullable; the program's. NULL once initialised */
  char *ca_file;
  char *prefix;
  guint time_limit;            /* ms */
  GTlsSessionRedisShelf shelf; /* its link is NULL: not initialised */
};

static void g_tls_session_redis_store_store_init (GTlsSessionStoreInterface *iface);
static void g_tls_session_redis_store_initable_init (GInitableIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (GTlsSessionRedisStore,
                               g_tls_session_redis_store,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, g_tls_session_redis_store_initable_init)
                                 G_IMPLEMENT_INTERFACE (G_TLS_SESSION_TYPE_STORE, g_tls_session_redis_store_store_init))

enum
{
  PROP_0,
  PROP_URI,
  PROP_KEY,
  PROP_CA_FILE,
  PROP_TIME_LIMIT,
  PROP_MAX_AGE,
  PROP_MAX_TICKETS_PER_PEER,
  PROP_PREFIX,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

/* GInitable */

static gboolean
make_seal (GTlsSessionRedisStore *self, GTlsSessionSeal **seal, GError **error)
{
  if (self->key == NULL)
    return TRUE;
  *seal = g_tls_session_seal_new (self->key, error);
  return *seal != NULL;
}

static gboolean
g_tls_session_redis_store_initable (GInitable *initable, GCancellable *cancellable, GError **error)
{
  GTlsSessionRedisStore *self = G_TLS_SESSION_REDIS_STORE (initable);
  g_autoptr (GTlsSessionSeal) seal = NULL;
  GTlsSessionRedisLink *link;

  if (self->shelf.link != NULL)
    return TRUE;
  if (!g_tls_session_redis_protocol_is_there (error) || !g_tls_session_redis_shelf_check_prefix (self->prefix, error) ||
      !make_seal (self, &seal, error))
    return FALSE;

  link = g_tls_session_redis_link_new (self->uri != NULL ? self->uri : "", self->ca_file, self->time_limit, error);
  if (link == NULL)
    return FALSE;

  self->shelf.link = link;
  self->shelf.seal = g_steal_pointer (&seal);
  self->shelf.prefix = self->prefix;
  g_clear_pointer (&self->uri, g_free);
  g_clear_pointer (&self->key, g_bytes_unref);
  return TRUE;
}

static void
g_tls_session_redis_store_initable_init (GInitableIface *iface)
{
  iface->init = g_tls_session_redis_store_initable;
}

/* GTlsSessionStore */

static const GTlsSessionRedisShelf *
get_shelf (GTlsSessionStore *store, GError **error)
{
  GTlsSessionRedisStore *self = G_TLS_SESSION_REDIS_STORE (store);

  if (self->shelf.link != NULL)
    return &self->shelf;
  g_set_error_literal (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE,
                       "The Redis store was not initialised, or that failed");
  return NULL;
}

static gboolean
g_tls_session_redis_store_put (GTlsSessionStore *store, const char *key, GTlsSessionTicket *ticket, GError **error)
{
  const GTlsSessionRedisShelf *shelf = get_shelf (store, error);

  return shelf != NULL && g_tls_session_redis_shelf_put (shelf, key, ticket, error);
}

static GTlsSessionTicket *
g_tls_session_redis_store_take (GTlsSessionStore *store, const char *key, GError **error)
{
  const GTlsSessionRedisShelf *shelf = get_shelf (store, error);

  return shelf != NULL ? g_tls_session_redis_shelf_take (shelf, key, error) : NULL;
}

static gboolean
g_tls_session_redis_store_remove (GTlsSessionStore *store, const char *key, GTlsSessionTicket *ticket, GError **error)
{
  const GTlsSessionRedisShelf *shelf = get_shelf (store, error);

  return shelf != NULL && g_tls_session_redis_shelf_remove (shelf, key, ticket, error);
}

static gboolean
g_tls_session_redis_store_clear (GTlsSessionStore *store, GError **error)
{
  const GTlsSessionRedisShelf *shelf = get_shelf (store, error);

  return shelf != NULL && g_tls_session_redis_shelf_clear (shelf, error);
}

static gboolean
g_tls_session_redis_store_save_bytes (GTlsSessionStore *store, const char *name, GBytes *bytes, GError **error)
{
  const GTlsSessionRedisShelf *shelf = get_shelf (store, error);

  return shelf != NULL && g_tls_session_redis_shelf_save_bytes (shelf, name, bytes, error);
}

static GBytes *
g_tls_session_redis_store_load_bytes (GTlsSessionStore *store, const char *name, GError **error)
{
  const GTlsSessionRedisShelf *shelf = get_shelf (store, error);

  return shelf != NULL ? g_tls_session_redis_shelf_load_bytes (shelf, name, error) : NULL;
}

static void
g_tls_session_redis_store_store_init (GTlsSessionStoreInterface *iface)
{
  iface->put = g_tls_session_redis_store_put;
  iface->take = g_tls_session_redis_store_take;
  iface->remove = g_tls_session_redis_store_remove;
  iface->clear = g_tls_session_redis_store_clear;
  iface->save_bytes = g_tls_session_redis_store_save_bytes;
  iface->load_bytes = g_tls_session_redis_store_load_bytes;
}

/* GObject */

/* The bound that a property tells, or NULL if that is another property. */
static guint *
find_bound (GTlsSessionRedisStore *self, guint property_id)
{
  switch (property_id)
    {
    case PROP_TIME_LIMIT:
      return &self->time_limit;
    case PROP_MAX_AGE:
      return &self->shelf.max_age;
    case PROP_MAX_TICKETS_PER_PEER:
      return &self->shelf.max_tickets_per_peer;
    default:
      return NULL;
    }
}

static void
g_tls_session_redis_store_get_property (GObject *object, guint property_id, GValue *value, GParamSpec *pspec)
{
  GTlsSessionRedisStore *self = G_TLS_SESSION_REDIS_STORE (object);
  const guint *bound = find_bound (self, property_id);

  switch (property_id)
    {
    case PROP_CA_FILE:
      g_value_set_string (value, self->ca_file);
      break;
    case PROP_PREFIX:
      g_value_set_string (value, self->prefix);
      break;
    default:
      if (bound != NULL)
        g_value_set_uint (value, *bound);
      else
        G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
      break;
    }
}

static void
g_tls_session_redis_store_set_property (GObject *object, guint property_id, const GValue *value, GParamSpec *pspec)
{
  GTlsSessionRedisStore *self = G_TLS_SESSION_REDIS_STORE (object);
  guint *bound = find_bound (self, property_id);

  switch (property_id)
    {
    case PROP_URI:
      self->uri = g_value_dup_string (value);
      break;
    case PROP_KEY:
      self->key = g_value_dup_boxed (value);
      break;
    case PROP_CA_FILE:
      self->ca_file = g_value_dup_string (value);
      break;
    case PROP_PREFIX:
      self->prefix = g_strdup (g_value_get_string (value) != NULL ? g_value_get_string (value) : DEFAULT_PREFIX);
      break;
    default:
      if (bound != NULL)
        *bound = g_value_get_uint (value);
      else
        G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
      break;
    }
}

static void
g_tls_session_redis_store_finalize (GObject *object)
{
  GTlsSessionRedisStore *self = G_TLS_SESSION_REDIS_STORE (object);

  g_clear_pointer (&self->shelf.link, g_tls_session_redis_link_free);
  g_clear_pointer (&self->shelf.seal, g_tls_session_seal_free);
  g_clear_pointer (&self->key, g_bytes_unref);
  g_free (self->uri);
  g_free (self->ca_file);
  g_free (self->prefix);

  G_OBJECT_CLASS (g_tls_session_redis_store_parent_class)->finalize (object);
}

static void
install_place (GObjectClass *object_class)
{
  const GParamFlags secret = G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;
  const GParamFlags open = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  /**
   * GTlsSessionRedisStore:uri:
   *
   * Where the server is, and the password for it; see above for the forms.
   *
   * It cannot be read back, because of the password.
   *
   * Since: 0.1
   */
  properties[PROP_URI] = g_param_spec_string ("uri", NULL, NULL, NULL, secret);

  /**
   * GTlsSessionRedisStore:key:
   *
   * 32 bytes that seal what the server keeps, and hash what it is kept by; %NULL for neither.
   *
   * Since: 0.1
   */
  properties[PROP_KEY] = g_param_spec_boxed ("key", NULL, NULL, G_TYPE_BYTES, secret);

  /**
   * GTlsSessionRedisStore:ca-file: (getter get_ca_file)
   *
   * A PEM file with the certificates that the server's may come from, for `rediss:`; %NULL for those of the system.
   *
   * Since: 0.1
   */
  properties[PROP_CA_FILE] = g_param_spec_string ("ca-file", NULL, NULL, NULL, open);

  /**
   * GTlsSessionRedisStore:prefix: (getter get_prefix)
   *
   * What all keys of this store begin with, on the server.
   *
   * Stores of the same prefix share their tickets, if they have the same key as well. It has printable ASCII characters
   * only, without braces.
   *
   * Since: 0.1
   */
  properties[PROP_PREFIX] = g_param_spec_string ("prefix", NULL, NULL, DEFAULT_PREFIX, open);

  g_object_class_install_property (object_class, PROP_URI, properties[PROP_URI]);
  g_object_class_install_property (object_class, PROP_KEY, properties[PROP_KEY]);
  g_object_class_install_property (object_class, PROP_CA_FILE, properties[PROP_CA_FILE]);
  g_object_class_install_property (object_class, PROP_PREFIX, properties[PROP_PREFIX]);
}

static void
install_bounds (GObjectClass *object_class)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  /**
   * GTlsSessionRedisStore:time-limit: (getter get_time_limit)
   *
   * How long a call may take, in milliseconds.
   *
   * A connection's handshake waits for its store, in an asynchronous call too: keep it small.
   *
   * Since: 0.1
   */
  properties[PROP_TIME_LIMIT] = g_param_spec_uint ("time-limit", NULL, NULL, 1, MAX_TIME_LIMIT, DEFAULT_TIME_LIMIT,
                                                   flags);

  /**
   * GTlsSessionRedisStore:max-age: (getter get_max_age)
   *
   * How old a ticket may be when it is taken, in seconds; see [property@GTlsSession.MemoryStore:max-age].
   *
   * It should be the same for all who share the store.
   *
   * Since: 0.1
   */
  properties[PROP_MAX_AGE] = g_tls_session_store_make_max_age_property ();

  /**
   * GTlsSessionRedisStore:max-tickets-per-peer: (getter get_max_tickets_per_peer)
   *
   * How many tickets of one peer and kind (to be used once, or again) the server keeps at the most; the oldest goes first.
   *
   * It should be the same for all who share the store.
   *
   * Since: 0.1
   */
  properties[PROP_MAX_TICKETS_PER_PEER] = g_param_spec_uint ("max-tickets-per-peer", NULL, NULL, 1,
                                                             MAX_TICKETS_PER_PEER, DEFAULT_MAX_TICKETS_PER_PEER, flags);

  g_object_class_install_property (object_class, PROP_TIME_LIMIT, properties[PROP_TIME_LIMIT]);
  g_object_class_install_property (object_class, PROP_MAX_AGE, properties[PROP_MAX_AGE]);
  g_object_class_install_property (object_class, PROP_MAX_TICKETS_PER_PEER, properties[PROP_MAX_TICKETS_PER_PEER]);
}

static void
g_tls_session_redis_store_class_init (GTlsSessionRedisStoreClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->get_property = g_tls_session_redis_store_get_property;
  object_class->set_property = g_tls_session_redis_store_set_property;
  object_class->finalize = g_tls_session_redis_store_finalize;

  install_place (object_class);
  install_bounds (object_class);
}

static void
g_tls_session_redis_store_init (GTlsSessionRedisStore *self)
{
}

/* Public functions */

/**
 * g_tls_session_redis_store_new:
 * @uri: where the server is, and the password for it; see [class@GTlsSession.RedisStore]
 * @key: (nullable): 32 bytes that seal what the server keeps; see [class@GTlsSession.RedisStore]
 * @error: return location for an error
 *
 * Makes a store on a Redis or Valkey server.
 *
 * Nothing is asked of the server yet: it may be away.
 *
 * It fails with %G_TLS_SESSION_ERROR_STORE if the URI cannot be understood or the trusted certificates cannot be read, with
 * %G_TLS_SESSION_ERROR_BAD_DATA if the key has another length, and with %G_TLS_SESSION_ERROR_UNSUPPORTED if this library
 * was built without hiredis.
 *
 * Returns: (transfer full): the store
 * Since: 0.1
 */
GTlsSessionRedisStore *
g_tls_session_redis_store_new (const char *uri, GBytes *key, GError **error)
{
  g_return_val_if_fail (uri != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return g_initable_new (G_TLS_SESSION_TYPE_REDIS_STORE, NULL, error, "uri", uri, "key", key, NULL);
}

/**
 * g_tls_session_redis_store_get_time_limit: (get-property time-limit)
 * @self: a store
 *
 * Gets how long a call may take.
 *
 * Returns: milliseconds
 * Since: 0.1
 */
guint
g_tls_session_redis_store_get_time_limit (GTlsSessionRedisStore *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_REDIS_STORE (self), 0);

  return self->time_limit;
}

/**
 * g_tls_session_redis_store_get_max_age: (get-property max-age)
 * @self: a store
 *
 * Gets how old a ticket may be when it is taken.
 *
 * Returns: seconds
 * Since: 0.1
 */
guint
g_tls_session_redis_store_get_max_age (GTlsSessionRedisStore *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_REDIS_STORE (self), 0);

  return self->shelf.max_age;
}

/**
 * g_tls_session_redis_store_get_max_tickets_per_peer: (get-property max-tickets-per-peer)
 * @self: a store
 *
 * Gets how many tickets of one peer and kind the server keeps at the most.
 *
 * Returns: how many
 * Since: 0.1
 */
guint
g_tls_session_redis_store_get_max_tickets_per_peer (GTlsSessionRedisStore *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_REDIS_STORE (self), 0);

  return self->shelf.max_tickets_per_peer;
}

/**
 * g_tls_session_redis_store_get_prefix: (get-property prefix)
 * @self: a store
 *
 * Gets what all keys of this store begin with, on the server.
 *
 * Returns: (transfer none): the prefix
 * Since: 0.1
 */
const char *
g_tls_session_redis_store_get_prefix (GTlsSessionRedisStore *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_REDIS_STORE (self), NULL);

  return self->prefix;
}

/**
 * g_tls_session_redis_store_get_ca_file: (get-property ca-file)
 * @self: a store
 *
 * Gets the file of the certificates that the server's may come from.
 *
 * Returns: (transfer none) (nullable): the path; %NULL for those of the system
 * Since: 0.1
 */
const char *
g_tls_session_redis_store_get_ca_file (GTlsSessionRedisStore *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_REDIS_STORE (self), NULL);

  return self->ca_file;
}
