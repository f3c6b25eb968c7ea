/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file-shelf.h"

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

#define MAX_BYTES (16 << 20) /* what save_bytes() takes */

/* Opening */

void
g_tls_session_file_shelf_init (GTlsSessionFileShelf *self)
{
  g_mutex_init (&self->lock);
}

static gboolean
check_open (GTlsSessionFileShelf *self, GError **error)
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

static gboolean
open_files (GTlsSessionFileShelf *self, GError **error)
{
  if (!g_tls_session_store_files_open (self->path, self->key, self->busy_timeout, &self->database, &self->seal, error))
    return FALSE;
  g_clear_pointer (&self->key, g_bytes_unref);
  g_atomic_int_set (&self->process, (int) getpid ());
  return TRUE;
}

/* TRUE also if it was open already. */
gboolean
g_tls_session_file_shelf_open (GTlsSessionFileShelf *self, GError **error)
{
  gboolean opened;

  g_mutex_lock (&self->lock);
  opened = self->database != NULL ? check_open (self, error) : open_files (self, error);
  g_mutex_unlock (&self->lock);
  return opened;
}

/* What there is to free but the path. */
void
g_tls_session_file_shelf_finish (GTlsSessionFileShelf *self)
{
  /* In a child it is left, since to close it would disturb the parent's. */
  if (self->database != NULL && check_open (self, NULL))
    g_tls_session_store_database_free (self->database);
  g_clear_pointer (&self->seal, g_tls_session_seal_free);
  g_clear_pointer (&self->key, g_bytes_unref);
  g_mutex_clear (&self->lock);
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

typedef gboolean (*Work) (GTlsSessionFileShelf *self, Request *request, GError **error);

/* All or nothing of @work. */
static gboolean
transact (GTlsSessionFileShelf *self, Work work, Request *request, GError **error)
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
hash (GTlsSessionFileShelf *self, const char *kind, const char *text, GError **error)
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
name_row (GTlsSessionFileShelf *self,
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
fill_row (GTlsSessionFileShelf *self,
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
open_row (GTlsSessionFileShelf *self, const GTlsSessionStoreRow *row, char **key, GError **error)
{
  g_autofree char *place = place_of_row (row);
  g_autoptr (GBytes) bytes = g_tls_session_seal_open (self->seal, row->content, place, error);

  return bytes != NULL ? split_content (bytes, key, error) : NULL;
}

/* What a store does */

static gboolean
put_row (GTlsSessionFileShelf *self, Request *request, GError **error)
{
  return g_tls_session_store_database_insert (self->database, &request->row, error) &&
         g_tls_session_store_database_trim (self->database, request->row.peer, self->max_tickets_per_peer,
                                            self->max_tickets, error);
}

gboolean
g_tls_session_file_shelf_put (GTlsSessionFileShelf *self, const char *key, GTlsSessionTicket *ticket, GError **error)
{
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
take_row (GTlsSessionFileShelf *self, Request *request, GError **error)
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
drop_row (GTlsSessionFileShelf *self, Request *request, GError **error)
{
  return g_tls_session_store_database_delete (self->database, request->row.number, error);
}

/* Takes the newest ticket of @peer, or finds that it is of no use and drops it. It is the @last if there is no other one
 * to be looked at. */
static GTlsSessionTicket *
take_newest (GTlsSessionFileShelf *self, const char *peer, gboolean *last, GError **error)
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

GTlsSessionTicket *
g_tls_session_file_shelf_take (GTlsSessionFileShelf *self, const char *key, GError **error)
{
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
remove_row (GTlsSessionFileShelf *self, Request *request, GError **error)
{
  return g_tls_session_store_database_delete_ticket (self->database, request->row.peer, request->row.id, error);
}

gboolean
g_tls_session_file_shelf_remove (GTlsSessionFileShelf *self, const char *key, GTlsSessionTicket *ticket, GError **error)
{
  g_auto (Request) request = { 0 };

  return check_open (self, error) && name_row (self, &request.row, key, ticket, error) &&
         transact (self, remove_row, &request, error);
}

static gboolean
clear_rows (GTlsSessionFileShelf *self, Request *request, GError **error)
{
  return g_tls_session_store_database_delete_all (self->database, error);
}

static gboolean
purge (GTlsSessionFileShelf *self, GError **error)
{
  gboolean purged;

  g_mutex_lock (&self->lock);
  purged = g_tls_session_store_database_purge (self->database, error);
  g_mutex_unlock (&self->lock);
  return purged;
}

gboolean
g_tls_session_file_shelf_clear (GTlsSessionFileShelf *self, GError **error)
{
  return check_open (self, error) && transact (self, clear_rows, NULL, error) && purge (self, error);
}

static char *
place_of_bytes (const char *name)
{
  return g_strconcat ("bytes/", name, NULL);
}

static gboolean
save_row (GTlsSessionFileShelf *self, Request *request, GError **error)
{
  return g_tls_session_store_database_save (self->database, request->name, request->content, error);
}

gboolean
g_tls_session_file_shelf_save_bytes (GTlsSessionFileShelf *self, const char *name, GBytes *bytes, GError **error)
{
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
load_row (GTlsSessionFileShelf *self, Request *request, GError **error)
{
  return g_tls_session_store_database_load (self->database, request->name, &request->content, error);
}

GBytes *
g_tls_session_file_shelf_load_bytes (GTlsSessionFileShelf *self, const char *name, GError **error)
{
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

/* Listing */

static void
row_free (gpointer data)
{
  g_tls_session_store_row_clear (data);
  g_free (data);
}

static gboolean
list_rows (GTlsSessionFileShelf *self, Request *request, GError **error)
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
make_entry (GTlsSessionFileShelf *self, const GTlsSessionStoreRow *row)
{
  g_autofree char *key = NULL;
  GError *flaw = NULL;
  g_autoptr (GTlsSessionTicket) ticket = open_row (self, row, &key, &flaw);

  return g_tls_session_store_entry_new (key, ticket, flaw);
}

/* GTlsSessionStoreEntry, those that were put first before those that were put later; owned by the caller. */
GList *
g_tls_session_file_shelf_list (GTlsSessionFileShelf *self, GError **error)
{
  g_auto (Request) request = { 0 };
  GList *entries = NULL;

  request.rows = g_ptr_array_new_with_free_func (row_free);
  if (!check_open (self, error) || !transact (self, list_rows, &request, error))
    return NULL;

  for (guint i = request.rows->len; i > 0; i--)
    entries = g_list_prepend (entries, make_entry (self, g_ptr_array_index (request.rows, i - 1)));
  return entries;
}
