/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gtls-session-file-store.h"

#include <string.h>
#include <unistd.h>

#include "gtls-session-error.h"
#include "store-entry.h"
#include "store-files.h"
#include "store-rules.h"
#include "ticket-private.h"

/* NOTES:
 *
 * store-files.c finds and makes the files, store-database.c holds SQLite, seal.c hides what is written; here is what
 * they do for a store. All that takes time is done outside of the lock and the transaction, which hold up other
 * threads and other processes: to read a ticket from its bytes takes OpenSSL a millisecond. So a ticket is taken first,
 * and then looked at; if it is of no use after all, the next one is taken.
 *
 * SQLite's connections do not survive a fork(): the child must not even close them. Hence the process id.
 */

#define DEFAULT_MAX_TICKETS 8192
#define DEFAULT_MAX_TICKETS_PER_PEER 8
#define DEFAULT_BUSY_TIMEOUT 1000 /* ms */
#define MAX_BUSY_TIMEOUT 600000   /* ms */
#define MAX_BYTES (16 << 20)      /* what save_bytes() takes */

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

  /* These do not change once the object is opened. */
  char *path;  /* absolute from then on */
  GBytes *key; /* nullable: it is kept beside the file; gone once the seal is there */
  guint max_tickets;
  guint max_tickets_per_peer;
  guint max_age;      /* s */
  guint busy_timeout; /* ms */
  GTlsSessionSeal *seal;
  int process; /* that opened it; 0: not open; atomic */

  GMutex lock; /* covers what follows */
  GTlsSessionStoreDatabase *database;
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

/* Opening */

static gboolean
open_files (GTlsSessionFileStore *self, GError **error)
{
  if (!g_tls_session_store_files_open (self->path, self->key, self->busy_timeout, &self->database, &self->seal, error))
    return FALSE;
  g_clear_pointer (&self->key, g_bytes_unref);
  return TRUE;
}

static gboolean
g_tls_session_file_store_initable_real_init (GInitable *initable, GCancellable *cancellable, GError **error)
{
  GTlsSessionFileStore *self = G_TLS_SESSION_FILE_STORE (initable);
  gboolean opened;

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;

  g_mutex_lock (&self->lock);
  opened = self->database != NULL || open_files (self, error);
  if (opened)
    g_atomic_int_set (&self->process, (int) getpid ());
  g_mutex_unlock (&self->lock);
  return opened;
}

static void
g_tls_session_file_store_initable_init (GInitableIface *iface)
{
  iface->init = g_tls_session_file_store_initable_real_init;
}

static gboolean
check_open (GTlsSessionFileStore *self, GError **error)
{
  int process = g_atomic_int_get (&self->process);

  if (process == (int) getpid ())
    return TRUE;
  g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE,
               process == 0 ? "The session store %s is not open: it was not initialised, or that failed"
                            : "The session store %s was opened before a fork(); open another one in the child",
               self->path);
  return FALSE;
}

/* What is asked of the database, and what it answered. */
typedef struct
{
  GTlsSessionStoreRow row; /* of a ticket to put, remove or take: as much of it as is known */
  char *name;
  GBytes *content;
  GPtrArray *rows; /* all of them: of GTlsSessionStoreRow */
} Request;

static void
request_clear (Request *request)
{
  g_tls_session_store_row_clear (&request->row);
  g_clear_pointer (&request->name, g_free);
  g_clear_pointer (&request->content, g_bytes_unref);
  g_clear_pointer (&request->rows, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Request, request_clear)

typedef gboolean (*Work) (GTlsSessionFileStore *self, Request *request, GError **error);

/* All or nothing of @work. */
static gboolean
transact (GTlsSessionFileStore *self, Work work, Request *request, GError **error)
{
  gboolean done = FALSE;

  g_mutex_lock (&self->lock);
  if (g_tls_session_store_database_begin (self->database, error))
    {
      if (work (self, request, error))
        done = g_tls_session_store_database_commit (self->database, error);
      else
        g_tls_session_store_database_rollback (self->database);
    }
  g_mutex_unlock (&self->lock);
  return done;
}

/* What stands for @text in the file; @kind keeps apart what is of the same text by chance. */
static char *
hash (GTlsSessionFileStore *self, const char *kind, const char *text, GError **error)
{
  g_autofree char *name = g_strconcat (kind, ":", text, NULL);

  return g_tls_session_seal_hash_name (self->seal, name, error);
}

/* Rows */

static char *
place_of_row (const GTlsSessionStoreRow *row)
{
  return g_strdup_printf ("ticket/%s/%s/%d", row->peer, row->id, row->single_use ? 1 : 0);
}

static gboolean
name_row (GTlsSessionFileStore *self,
          GTlsSessionStoreRow *row,
          const char *key,
          GTlsSessionTicket *ticket,
          GError **error)
{
  row->peer = hash (self, "peer", key, error);
  if (row->peer != NULL)
    row->id = hash (self, "ticket", g_tls_session_ticket_get_id (ticket), error);
  return row->id != NULL;
}

/* The key, a zero byte, the ticket: the key's hash does not give it back, and who lists the store wants it. */
static GBytes *
join_content (const char *key, GTlsSessionTicket *ticket)
{
  g_autoptr (GBytes) bytes = g_tls_session_ticket_to_bytes (ticket);

  return g_tls_session_seal_join (key, bytes);
}

static GTlsSessionTicket *
split_content (GBytes *content, char **key, GError **error)
{
  gsize size;
  const char *data = g_bytes_get_data (content, &size);
  const char *end = size > 0 ? memchr (data, '\0', size) : NULL;
  g_autoptr (GBytes) bytes = NULL;
  GTlsSessionTicket *ticket;

  if (end == NULL)
    {
      g_set_error_literal (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA, "There is no key with the ticket");
      return NULL;
    }

  bytes = g_bytes_new_from_bytes (content, (gsize) (end - data) + 1, size - (gsize) (end - data) - 1);
  ticket = g_tls_session_ticket_new_from_bytes (bytes, error);
  if (ticket != NULL && key != NULL)
    *key = g_strdup (data);
  return ticket;
}

static gboolean
fill_row (GTlsSessionFileStore *self,
          GTlsSessionStoreRow *row,
          const char *key,
          GTlsSessionTicket *ticket,
          GError **error)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autofree char *place = NULL;

  if (!name_row (self, row, key, ticket, error))
    return FALSE;

  row->single_use = g_tls_session_ticket_get_single_use (ticket);
  row->last_use = g_tls_session_store_last_use (ticket, self->max_age);
  place = place_of_row (row);
  bytes = join_content (key, ticket);
  row->content = g_tls_session_seal_close (self->seal, bytes, place, error);
  return row->content != NULL;
}

/* @key may be NULL: who took the row knows it. */
static GTlsSessionTicket *
open_row (GTlsSessionFileStore *self, const GTlsSessionStoreRow *row, char **key, GError **error)
{
  g_autofree char *place = place_of_row (row);
  g_autoptr (GBytes) bytes = g_tls_session_seal_open (self->seal, row->content, place, error);

  return bytes != NULL ? split_content (bytes, key, error) : NULL;
}

/* GTlsSessionStore */

static gboolean
put_row (GTlsSessionFileStore *self, Request *request, GError **error)
{
  return g_tls_session_store_database_insert (self->database, &request->row, error) &&
         g_tls_session_store_database_trim (self->database, request->row.peer, self->max_tickets_per_peer,
                                            self->max_tickets, error);
}

static gboolean
g_tls_session_file_store_put (GTlsSessionStore *store, const char *key, GTlsSessionTicket *ticket, GError **error)
{
  GTlsSessionFileStore *self = G_TLS_SESSION_FILE_STORE (store);
  g_auto (Request) request = { 0 };

  if (!check_open (self, error))
    return FALSE;

  /* That it was used is not in its bytes: kept, it would be given out again. */
  if (!g_tls_session_store_may_give_out (ticket, self->max_age))
    return TRUE;

  return fill_row (self, &request.row, key, ticket, error) && transact (self, put_row, &request, error);
}

/* The newest row of the peer; one of a ticket that is to be used once is gone with that. */
static gboolean
take_row (GTlsSessionFileStore *self, Request *request, GError **error)
{
  GTlsSessionStoreRow row = { 0 };

  if (!g_tls_session_store_database_find_newest (self->database, request->row.peer, &row, error))
    return FALSE;
  g_tls_session_store_row_clear (&request->row);
  request->row = row;
  return row.content == NULL || !row.single_use ||
         g_tls_session_store_database_delete (self->database, row.number, error);
}

static gboolean
drop_row (GTlsSessionFileStore *self, Request *request, GError **error)
{
  return g_tls_session_store_database_delete (self->database, request->row.number, error);
}

/* Takes the newest ticket of @peer, or finds that it is of no use and drops it. It is the @last if there is no other one
 * to be looked at. */
static GTlsSessionTicket *
take_newest (GTlsSessionFileStore *self, const char *peer, gboolean *last, GError **error)
{
  g_auto (Request) request = { .row.peer = g_strdup (peer) };
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GError) flaw = NULL;

  *last = TRUE;
  if (!transact (self, take_row, &request, error) || request.row.content == NULL)
    return NULL;

  ticket = open_row (self, &request.row, NULL, &flaw);
  if (ticket != NULL && g_tls_session_store_may_give_out (ticket, self->max_age))
    return g_steal_pointer (&ticket);
  if (!request.row.single_use && !transact (self, drop_row, &request, error))
    return NULL;

  if (flaw != NULL)
    g_propagate_prefixed_error (error, g_steal_pointer (&flaw),
                                "A ticket in the session store %s is of no use and was removed: ", self->path);
  *last = ticket == NULL;
  return NULL;
}

static GTlsSessionTicket *
g_tls_session_file_store_take (GTlsSessionStore *store, const char *key, GError **error)
{
  GTlsSessionFileStore *self = G_TLS_SESSION_FILE_STORE (store);
  g_autofree char *peer = NULL;
  GTlsSessionTicket *ticket;
  gboolean last;

  if (!check_open (self, error))
    return NULL;
  peer = hash (self, "peer", key, error);
  if (peer == NULL)
    return NULL;

  do
    ticket = take_newest (self, peer, &last, error);
  while (!last);
  return ticket;
}

static gboolean
remove_row (GTlsSessionFileStore *self, Request *request, GError **error)
{
  return g_tls_session_store_database_delete_ticket (self->database, request->row.peer, request->row.id, error);
}

static gboolean
g_tls_session_file_store_remove (GTlsSessionStore *store, const char *key, GTlsSessionTicket *ticket, GError **error)
{
  GTlsSessionFileStore *self = G_TLS_SESSION_FILE_STORE (store);
  g_auto (Request) request = { 0 };

  return check_open (self, error) && name_row (self, &request.row, key, ticket, error) &&
         transact (self, remove_row, &request, error);
}

static gboolean
clear_rows (GTlsSessionFileStore *self, Request *request, GError **error)
{
  return g_tls_session_store_database_delete_all (self->database, error);
}

static gboolean
purge (GTlsSessionFileStore *self, GError **error)
{
  gboolean purged;

  g_mutex_lock (&self->lock);
  purged = g_tls_session_store_database_purge (self->database, error);
  g_mutex_unlock (&self->lock);
  return purged;
}

static gboolean
g_tls_session_file_store_clear (GTlsSessionStore *store, GError **error)
{
  GTlsSessionFileStore *self = G_TLS_SESSION_FILE_STORE (store);

  return check_open (self, error) && transact (self, clear_rows, NULL, error) && purge (self, error);
}

static char *
place_of_bytes (const char *name)
{
  return g_strconcat ("bytes/", name, NULL);
}

static gboolean
save_row (GTlsSessionFileStore *self, Request *request, GError **error)
{
  return g_tls_session_store_database_save (self->database, request->name, request->content, error);
}

static gboolean
g_tls_session_file_store_save_bytes (GTlsSessionStore *store, const char *name, GBytes *bytes, GError **error)
{
  GTlsSessionFileStore *self = G_TLS_SESSION_FILE_STORE (store);
  g_auto (Request) request = { 0 };
  g_autofree char *place = NULL;

  if (!check_open (self, error))
    return FALSE;
  if (g_bytes_get_size (bytes) > MAX_BYTES)
    {
      g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE,
                   "The session store %s takes %d bytes at the most under one name, not %" G_GSIZE_FORMAT, self->path,
                   MAX_BYTES, g_bytes_get_size (bytes));
      return FALSE;
    }

  request.name = hash (self, "bytes", name, error);
  if (request.name == NULL)
    return FALSE;
  place = place_of_bytes (request.name);
  request.content = g_tls_session_seal_close (self->seal, bytes, place, error);
  return request.content != NULL && transact (self, save_row, &request, error);
}

static gboolean
load_row (GTlsSessionFileStore *self, Request *request, GError **error)
{
  return g_tls_session_store_database_load (self->database, request->name, &request->content, error);
}

static GBytes *
g_tls_session_file_store_load_bytes (GTlsSessionStore *store, const char *name, GError **error)
{
  GTlsSessionFileStore *self = G_TLS_SESSION_FILE_STORE (store);
  g_auto (Request) request = { 0 };
  g_autofree char *place = NULL;

  if (!check_open (self, error))
    return NULL;

  request.name = hash (self, "bytes", name, error);
  if (request.name == NULL || !transact (self, load_row, &request, error) || request.content == NULL)
    return NULL;
  place = place_of_bytes (request.name);
  return g_tls_session_seal_open (self->seal, request.content, place, error);
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

static void
g_tls_session_file_store_get_property (GObject *object, guint property_id, GValue *value, GParamSpec *pspec)
{
  GTlsSessionFileStore *self = G_TLS_SESSION_FILE_STORE (object);

  switch (property_id)
    {
    case PROP_PATH:
      g_value_set_string (value, self->path);
      break;
    case PROP_MAX_TICKETS:
      g_value_set_uint (value, self->max_tickets);
      break;
    case PROP_MAX_TICKETS_PER_PEER:
      g_value_set_uint (value, self->max_tickets_per_peer);
      break;
    case PROP_MAX_AGE:
      g_value_set_uint (value, self->max_age);
      break;
    case PROP_BUSY_TIMEOUT:
      g_value_set_uint (value, self->busy_timeout);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
      break;
    }
}

static void
g_tls_session_file_store_set_property (GObject *object, guint property_id, const GValue *value, GParamSpec *pspec)
{
  GTlsSessionFileStore *self = G_TLS_SESSION_FILE_STORE (object);

  switch (property_id)
    {
    case PROP_PATH:
      self->path = g_tls_session_store_files_resolve (g_value_get_string (value));
      break;
    case PROP_KEY:
      self->key = g_value_dup_boxed (value);
      break;
    case PROP_MAX_TICKETS:
      self->max_tickets = g_value_get_uint (value);
      break;
    case PROP_MAX_TICKETS_PER_PEER:
      self->max_tickets_per_peer = g_value_get_uint (value);
      break;
    case PROP_MAX_AGE:
      self->max_age = g_value_get_uint (value);
      break;
    case PROP_BUSY_TIMEOUT:
      self->busy_timeout = g_value_get_uint (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
      break;
    }
}

static void
g_tls_session_file_store_finalize (GObject *object)
{
  GTlsSessionFileStore *self = G_TLS_SESSION_FILE_STORE (object);

  /* In a child it is left, since to close it would disturb the parent's. */
  if (self->database != NULL && check_open (self, NULL))
    g_tls_session_store_database_free (self->database);
  g_clear_pointer (&self->seal, g_tls_session_seal_free);
  g_clear_pointer (&self->key, g_bytes_unref);
  g_free (self->path);
  g_mutex_clear (&self->lock);

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
  properties[PROP_MAX_AGE] = g_param_spec_uint ("max-age", NULL, NULL, 1, G_TLS_SESSION_TICKET_MAX_LIFETIME,
                                                G_TLS_SESSION_STORE_DEFAULT_MAX_AGE, flags);

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
  g_mutex_init (&self->lock);
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

static void
row_free (gpointer data)
{
  g_tls_session_store_row_clear (data);
  g_free (data);
}

static gboolean
list_rows (GTlsSessionFileStore *self, Request *request, GError **error)
{
  gint64 number = 0;

  for (;;)
    {
      g_auto (GTlsSessionStoreRow) row = { 0 };

      if (!g_tls_session_store_database_find_after (self->database, number, &row, error))
        return FALSE;
      if (row.content == NULL)
        return TRUE;
      number = row.number;
      g_ptr_array_add (request->rows, g_memdup2 (&row, sizeof row));
      row = (GTlsSessionStoreRow){ 0 }; /* the array has it */
    }
}

static GTlsSessionStoreEntry *
make_entry (GTlsSessionFileStore *self, const GTlsSessionStoreRow *row)
{
  g_autofree char *key = NULL;
  GError *flaw = NULL;
  g_autoptr (GTlsSessionTicket) ticket = open_row (self, row, &key, &flaw);

  return g_tls_session_store_entry_new (key, ticket, flaw);
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
  g_auto (Request) request = { 0 };
  GList *entries = NULL;

  g_return_val_if_fail (G_TLS_SESSION_IS_FILE_STORE (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  request.rows = g_ptr_array_new_with_free_func (row_free);
  if (!check_open (self, error) || !transact (self, list_rows, &request, error))
    return NULL;

  for (guint i = request.rows->len; i > 0; i--)
    entries = g_list_prepend (entries, make_entry (self, g_ptr_array_index (request.rows, i - 1)));
  return entries;
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

  return self->path;
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

  return self->max_tickets;
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

  return self->max_tickets_per_peer;
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

  return self->max_age;
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

  return self->busy_timeout;
}
