/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gtls-session-file-store.h"

#include "file-shelf.h"
#include "store-files.h"
#include "ticket-private.h"

#define DEFAULT_MAX_TICKETS 8192
#define DEFAULT_MAX_TICKETS_PER_PEER 8
#define DEFAULT_BUSY_TIMEOUT 1000 /* ms */
#define MAX_BUSY_TIMEOUT 600000   /* ms */

/**
 * GTlsSessionFileStore:
 *
 * A [iface@GTlsSession.Store] in a file, which any number of processes use at the same time.
 *
 * A program that ends and is started again resumes the sessions it had, and so do two programs of the same user that are
 * given the same file:
 *
 * ```c
 * g_autoptr (GError) error = NULL;
 * g_autoptr (GTlsSessionFileStore) store = g_tls_session_file_store_new (NULL, &error);
 *
 * if (store == NULL)
 *   g_warning ("Sessions will not be kept: %s", error->message);
 * else
 *   g_object_set (connection, "session-store", store, NULL);
 * ```
 *
 * It may be used from any thread. A ticket that is to be used once is given to one of the threads and processes that ask
 * for it, also if some of them are killed meanwhile. After a crash of the whole machine the last tickets taken may be
 * there again.
 *
 * ## What others can learn
 *
 * The file, those that SQLite puts beside it, and its key have mode 0600; one that others have rights to, or that
 * belongs to another user, is refused. Tickets are sealed with AES-256-GCM, and what tells servers apart is kept as a
 * keyed hash: without the key the file says how many sessions there are and when they end, but not with whom. The key
 * is kept beside the file, under its name with `.key` behind it, unless the program brings its own, see
 * [ctor@GTlsSession.FileStore.new_with_key].
 *
 * ## What goes wrong
 *
 * A file that is damaged, not a session store, of a newer format, or sealed with another key, cannot be opened
 * (%G_TLS_SESSION_ERROR_BAD_DATA), and is left as it is. One that others keep locked for longer than
 * [property@GTlsSession.FileStore:busy-timeout], or that cannot be read or written for another reason, gives
 * %G_TLS_SESSION_ERROR_STORE. A single ticket that is damaged is told once, and leaves.
 *
 * ## fork()
 *
 * A store does not work in a child of the process that opened it: everything there fails with
 * %G_TLS_SESSION_ERROR_STORE. Open another one in the child.
 *
 * The file has to be on a local file system. The default, `gtls-session/sessions.db` in the user's state directory,
 * normally is.
 *
 * Since: 0.1
 */
struct _GTlsSessionFileStore
{
  GObject parent_instance;

  GTlsSessionFileShelf shelf; /* its path is the object's */
};

static void g_tls_session_file_store_initable_init (GInitableIface *iface);
static void g_tls_session_file_store_store_init (GTlsSessionStoreInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (GTlsSessionFileStore,
                               g_tls_session_file_store,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, g_tls_session_file_store_initable_init)
                                 G_IMPLEMENT_INTERFACE (G_TLS_SESSION_TYPE_STORE, g_tls_session_file_store_store_init))

enum
{
  PROP_0,
  PROP_PATH,
  PROP_KEY,
  PROP_MAX_TICKETS,
  PROP_MAX_TICKETS_PER_PEER,
  PROP_MAX_AGE,
  PROP_BUSY_TIMEOUT,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

/* GInitable */

static gboolean
g_tls_session_file_store_initable_real_init (GInitable *initable, GCancellable *cancellable, GError **error)
{
  return !g_cancellable_set_error_if_cancelled (cancellable, error) &&
         g_tls_session_file_shelf_open (&G_TLS_SESSION_FILE_STORE (initable)->shelf, error);
}

static void
g_tls_session_file_store_initable_init (GInitableIface *iface)
{
  iface->init = g_tls_session_file_store_initable_real_init;
}

/* GTlsSessionStore */

static gboolean
g_tls_session_file_store_put (GTlsSessionStore *store, const char *key, GTlsSessionTicket *ticket, GError **error)
{
  return g_tls_session_file_shelf_put (&G_TLS_SESSION_FILE_STORE (store)->shelf, key, ticket, error);
}

static GTlsSessionTicket *
g_tls_session_file_store_take (GTlsSessionStore *store, const char *key, GError **error)
{
  return g_tls_session_file_shelf_take (&G_TLS_SESSION_FILE_STORE (store)->shelf, key, error);
}

static gboolean
g_tls_session_file_store_remove (GTlsSessionStore *store, const char *key, GTlsSessionTicket *ticket, GError **error)
{
  return g_tls_session_file_shelf_remove (&G_TLS_SESSION_FILE_STORE (store)->shelf, key, ticket, error);
}

static gboolean
g_tls_session_file_store_clear (GTlsSessionStore *store, GError **error)
{
  return g_tls_session_file_shelf_clear (&G_TLS_SESSION_FILE_STORE (store)->shelf, error);
}

static gboolean
g_tls_session_file_store_save_bytes (GTlsSessionStore *store, const char *name, GBytes *bytes, GError **error)
{
  return g_tls_session_file_shelf_save_bytes (&G_TLS_SESSION_FILE_STORE (store)->shelf, name, bytes, error);
}

static GBytes *
g_tls_session_file_store_load_bytes (GTlsSessionStore *store, const char *name, GError **error)
{
  return g_tls_session_file_shelf_load_bytes (&G_TLS_SESSION_FILE_STORE (store)->shelf, name, error);
}

static void
g_tls_session_file_store_store_init (GTlsSessionStoreInterface *iface)
{
  iface->put = g_tls_session_file_store_put;
  iface->take = g_tls_session_file_store_take;
  iface->remove = g_tls_session_file_store_remove;
  iface->clear = g_tls_session_file_store_clear;
  iface->save_bytes = g_tls_session_file_store_save_bytes;
  iface->load_bytes = g_tls_session_file_store_load_bytes;
}

/* GObject */

/* The bound that a property tells, or NULL if that is another property. */
static guint *
find_bound (GTlsSessionFileStore *self, guint property_id)
{
  switch (property_id)
    {
    case PROP_MAX_TICKETS:
      return &self->shelf.max_tickets;
    case PROP_MAX_TICKETS_PER_PEER:
      return &self->shelf.max_tickets_per_peer;
    case PROP_MAX_AGE:
      return &self->shelf.max_age;
    case PROP_BUSY_TIMEOUT:
      return &self->shelf.busy_timeout;
    default:
      return NULL;
    }
}

static void
g_tls_session_file_store_get_property (GObject *object, guint property_id, GValue *value, GParamSpec *pspec)
{
  GTlsSessionFileStore *self = G_TLS_SESSION_FILE_STORE (object);
  const guint *bound = find_bound (self, property_id);

  switch (property_id)
    {
    case PROP_PATH:
      g_value_set_string (value, self->shelf.path);
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
g_tls_session_file_store_set_property (GObject *object, guint property_id, const GValue *value, GParamSpec *pspec)
{
  GTlsSessionFileStore *self = G_TLS_SESSION_FILE_STORE (object);
  guint *bound = find_bound (self, property_id);

  switch (property_id)
    {
    case PROP_PATH:
      self->shelf.path = g_tls_session_store_files_resolve (g_value_get_string (value));
      break;
    case PROP_KEY:
      self->shelf.key = g_value_dup_boxed (value);
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
g_tls_session_file_store_finalize (GObject *object)
{
  GTlsSessionFileStore *self = G_TLS_SESSION_FILE_STORE (object);

  g_tls_session_file_shelf_finish (&self->shelf);
  g_free (self->shelf.path);

  G_OBJECT_CLASS (g_tls_session_file_store_parent_class)->finalize (object);
}

static void
g_tls_session_file_store_class_init (GTlsSessionFileStoreClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  object_class->get_property = g_tls_session_file_store_get_property;
  object_class->set_property = g_tls_session_file_store_set_property;
  object_class->finalize = g_tls_session_file_store_finalize;

  /**
   * GTlsSessionFileStore:path: (type filename)
   *
   * The path of the file.
   *
   * %NULL when the store is made stands for `gtls-session/sessions.db` in the user's state directory, see
   * [func@GLib.get_user_state_dir]. It is made absolute.
   *
   * Since: 0.1
   */
  properties[PROP_PATH] = g_param_spec_string ("path", NULL, NULL, NULL, flags);

  /**
   * GTlsSessionFileStore:key:
   *
   * The key of the file, 32 bytes; %NULL if it is kept beside the file.
   *
   * Since: 0.1
   */
  properties[PROP_KEY] = g_param_spec_boxed ("key", NULL, NULL, G_TYPE_BYTES,
                                             G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  /**
   * GTlsSessionFileStore:max-tickets:
   *
   * How many tickets the store has at the most: a ticket leaves when as many others were put after it.
   *
   * Each process keeps to its own bounds, so that those of the strictest one are the file's.
   *
   * Since: 0.1
   */
  properties[PROP_MAX_TICKETS] = g_param_spec_uint ("max-tickets", NULL, NULL, 1, G_MAXINT, DEFAULT_MAX_TICKETS, flags);

  /**
   * GTlsSessionFileStore:max-tickets-per-peer:
   *
   * How many tickets of one peer the store has at the most; the oldest goes first.
   *
   * A peer is what a key stands for, see [iface@GTlsSession.Store].
   *
   * Since: 0.1
   */
  properties[PROP_MAX_TICKETS_PER_PEER] = g_param_spec_uint ("max-tickets-per-peer", NULL, NULL, 1,
                                                             G_TLS_SESSION_STORE_MAX_TICKETS_PER_PEER,
                                                             DEFAULT_MAX_TICKETS_PER_PEER, flags);

  /**
   * GTlsSessionFileStore:max-age:
   *
   * How old a ticket may be when it is taken, in seconds.
   *
   * See [property@GTlsSession.MemoryStore:max-age].
   *
   * Since: 0.1
   */
  properties[PROP_MAX_AGE] = g_tls_session_store_make_max_age_property ();

  /**
   * GTlsSessionFileStore:busy-timeout:
   *
   * How long to wait while another process writes into the file, in milliseconds.
   *
   * Since: 0.1
   */
  properties[PROP_BUSY_TIMEOUT] = g_param_spec_uint ("busy-timeout", NULL, NULL, 0, MAX_BUSY_TIMEOUT,
                                                     DEFAULT_BUSY_TIMEOUT, flags);

  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
g_tls_session_file_store_init (GTlsSessionFileStore *self)
{
  g_tls_session_file_shelf_init (&self->shelf);
}

/* Public functions */

/**
 * g_tls_session_file_store_new:
 * @path: (type filename) (nullable): where the file is or is to be; %NULL for `gtls-session/sessions.db` in the user's
 *   state directory
 * @error: return location for an error
 *
 * Opens a store, with the default bounds, whose key is kept beside its file.
 *
 * What is not there is made: the file, its key, and its directory with mode 0700. Other bounds are properties to give to
 * [func@Gio.Initable.new].
 *
 * It fails with %G_TLS_SESSION_ERROR_BAD_DATA if there is another file, and with %G_TLS_SESSION_ERROR_STORE if the file
 * cannot be used; see [class@GTlsSession.FileStore]. The message says why.
 *
 * Returns: (transfer full): the store
 * Since: 0.1
 */
GTlsSessionFileStore *
g_tls_session_file_store_new (const char *path, GError **error)
{
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return g_initable_new (G_TLS_SESSION_TYPE_FILE_STORE, NULL, error, "path", path, NULL);
}

/**
 * g_tls_session_file_store_new_with_key:
 * @path: (type filename) (nullable): where the file is or is to be; %NULL for `gtls-session/sessions.db` in the user's
 *   state directory
 * @key: (transfer none): the file's key, 32 bytes that nobody can guess
 * @error: return location for an error
 *
 * Opens a store, with the default bounds, whose key the program keeps: in the user's keyring, for example.
 *
 * It fails as [ctor@GTlsSession.FileStore.new] does, and with %G_TLS_SESSION_ERROR_BAD_DATA if the key is of another
 * length or not the one that the file was made with.
 *
 * Returns: (transfer full): the store
 * Since: 0.1
 */
GTlsSessionFileStore *
g_tls_session_file_store_new_with_key (const char *path, GBytes *key, GError **error)
{
  g_return_val_if_fail (key != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return g_initable_new (G_TLS_SESSION_TYPE_FILE_STORE, NULL, error, "path", path, "key", key, NULL);
}

/**
 * g_tls_session_file_store_list:
 * @self: a store
 * @error: return location for an error
 *
 * Lists what is in the store, without taking anything out.
 *
 * Tickets that are not given out any more are listed too, until they leave the file. A ticket that is damaged is an
 * entry of its own, see [method@GTlsSession.StoreEntry.get_ticket].
 *
 * It fails with %G_TLS_SESSION_ERROR_STORE if the file could not be read.
 *
 * Returns: (transfer full) (element-type GTlsSessionStoreEntry): the entries, those that were put first before those
 *   that were put later; %NULL without an error if there are none
 * Since: 0.1
 */
GList *
g_tls_session_file_store_list (GTlsSessionFileStore *self, GError **error)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_FILE_STORE (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return g_tls_session_file_shelf_list (&self->shelf, error);
}

/**
 * g_tls_session_file_store_get_path:
 * @self: a store
 *
 * Gets the path of the file.
 *
 * Returns: (type filename): the path, absolute
 * Since: 0.1
 */
const char *
g_tls_session_file_store_get_path (GTlsSessionFileStore *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_FILE_STORE (self), NULL);

  return self->shelf.path;
}

/**
 * g_tls_session_file_store_get_max_tickets:
 * @self: a store
 *
 * Gets how many tickets the store has at the most.
 *
 * Returns: how many
 * Since: 0.1
 */
guint
g_tls_session_file_store_get_max_tickets (GTlsSessionFileStore *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_FILE_STORE (self), 0);

  return self->shelf.max_tickets;
}

/**
 * g_tls_session_file_store_get_max_tickets_per_peer:
 * @self: a store
 *
 * Gets how many tickets of one peer the store has at the most.
 *
 * Returns: how many
 * Since: 0.1
 */
guint
g_tls_session_file_store_get_max_tickets_per_peer (GTlsSessionFileStore *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_FILE_STORE (self), 0);

  return self->shelf.max_tickets_per_peer;
}

/**
 * g_tls_session_file_store_get_max_age:
 * @self: a store
 *
 * Gets how old a ticket may be when it is taken.
 *
 * Returns: seconds
 * Since: 0.1
 */
guint
g_tls_session_file_store_get_max_age (GTlsSessionFileStore *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_FILE_STORE (self), 0);

  return self->shelf.max_age;
}

/**
 * g_tls_session_file_store_get_busy_timeout:
 * @self: a store
 *
 * Gets how long the store waits while another process writes into the file.
 *
 * Returns: milliseconds
 * Since: 0.1
 */
guint
g_tls_session_file_store_get_busy_timeout (GTlsSessionFileStore *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_FILE_STORE (self), 0);

  return self->shelf.busy_timeout;
}
