/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store-database.h"

#include <string.h>
#include <time.h>

#include <glib/gstdio.h>

#include "gtls-session-error.h"
#include "private-file.h"
#include "sqlite.h"

/* NOTES:
 *
 * What is in the file, and what is done with it; sqlite.c does the talking. doc/file-store-format.md has the schema.
 *
 * Never open the file past SQLite: when a process closes a file, POSIX takes away all locks that it has on it, those of
 * SQLite's connections included. What has to be known before SQLite is let near a file that may be somebody else's is
 * read through SQLite's own descriptor, before the first statement: such a file is not even recovered after a crash.
 *
 * Everything is done in transactions that begin by taking the write lock (BEGIN IMMEDIATE): that is what makes a ticket
 * go to one process only, and what is read then is the newest there is. SQLite waits for that lock, up to the busy
 * timeout; once a transaction has begun, nothing in it waits.
 *
 * WAL with synchronous=NORMAL: a process that is killed loses nothing that was committed. After a power cut the last
 * commits may be undone, and a ticket that was taken in them may be there again; to wait for the disk in each handshake
 * would be worse.
 */

#define APPLICATION_ID 0x47544c53 /* "GTLS" */
#define FORMAT 1
#define HEADER_SIZE 100 /* of any SQLite file */
#define HEADER_MAGIC "SQLite format 3"
#define HEADER_APPLICATION_ID 68 /* where it is, big-endian */
#define WAL_LIMIT "4194304"      /* bytes that are kept of the WAL file once it is empty */
#define SWEEP "16"               /* rows that one put removes at the most, of those whose time is over */
#define PROOF "gtls-session file store v1"
#define PROOF_PLACE "proof"

static const char schema[] = "BEGIN IMMEDIATE;"
                             "PRAGMA application_id = 1196706899;"
                             "PRAGMA user_version = 1;"
                             "CREATE TABLE ticket ("
                             "  number INTEGER PRIMARY KEY AUTOINCREMENT,"
                             "  peer TEXT NOT NULL,"
                             "  id TEXT NOT NULL,"
                             "  single_use INTEGER NOT NULL,"
                             "  last_use INTEGER NOT NULL,"
                             "  content BLOB NOT NULL,"
                             "  UNIQUE (peer, id)"
                             ");"
                             "CREATE INDEX ticket_by_peer ON ticket (peer);"
                             "CREATE INDEX ticket_by_last_use ON ticket (last_use);"
                             "CREATE TABLE bytes (name TEXT PRIMARY KEY NOT NULL, content BLOB NOT NULL);"
                             "CREATE TABLE proof (content BLOB NOT NULL);"
                             "COMMIT;";

G_STATIC_ASSERT (APPLICATION_ID == 1196706899);

typedef enum
{
  STATEMENT_BEGIN,
  STATEMENT_COMMIT,
  STATEMENT_ROLLBACK,
  STATEMENT_FORMAT,
  STATEMENT_PROOF,
  STATEMENT_INSERT,
  STATEMENT_DELETE_SURPLUS,
  STATEMENT_DELETE_OLDEST,
  STATEMENT_DELETE_EXPIRED,
  STATEMENT_FIND_NEWEST,
  STATEMENT_FIND_AFTER,
  STATEMENT_DELETE,
  STATEMENT_DELETE_TICKET,
  STATEMENT_DELETE_ALL,
  STATEMENT_SAVE,
  STATEMENT_LOAD,
  N_STATEMENTS,
} Statement;

static const char *const statement_texts[N_STATEMENTS] = {
  [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
  [STATEMENT_COMMIT] = "COMMIT",
  [STATEMENT_ROLLBACK] = "ROLLBACK",
  [STATEMENT_FORMAT] = "PRAGMA user_version",
  [STATEMENT_PROOF] = "SELECT content FROM proof",
  [STATEMENT_INSERT] =
    "INSERT OR REPLACE INTO ticket (peer, id, single_use, last_use, content) VALUES (?1, ?2, ?3, ?4, ?5)",
  [STATEMENT_DELETE_SURPLUS] = "DELETE FROM ticket WHERE number IN (SELECT number FROM ticket WHERE peer = ?1 "
                               "ORDER BY number DESC LIMIT " SWEEP " OFFSET ?2)",
  [STATEMENT_DELETE_OLDEST] = "DELETE FROM ticket WHERE number IN (SELECT number FROM ticket WHERE number <= ?1 "
                              "ORDER BY number LIMIT " SWEEP ")",
  [STATEMENT_DELETE_EXPIRED] = "DELETE FROM ticket WHERE number IN (SELECT number FROM ticket WHERE last_use <= ?1 "
                               "ORDER BY last_use LIMIT " SWEEP ")",
  [STATEMENT_FIND_NEWEST] =
    "SELECT number, peer, id, single_use, last_use, content FROM ticket WHERE peer = ?1 ORDER BY number DESC LIMIT 1",
  [STATEMENT_FIND_AFTER] =
    "SELECT number, peer, id, single_use, last_use, content FROM ticket WHERE number > ?1 ORDER BY number LIMIT 1",
  [STATEMENT_DELETE] = "DELETE FROM ticket WHERE number = ?1",
  [STATEMENT_DELETE_TICKET] = "DELETE FROM ticket WHERE peer = ?1 AND id = ?2",
  [STATEMENT_DELETE_ALL] = "DELETE FROM ticket",
  [STATEMENT_SAVE] = "INSERT OR REPLACE INTO bytes (name, content) VALUES (?1, ?2)",
  [STATEMENT_LOAD] = "SELECT content FROM bytes WHERE name = ?1",
};

G_STATIC_ASSERT (N_STATEMENTS <= G_TLS_SESSION_SQLITE_MAX_STATEMENTS);

void
g_tls_session_store_row_clear (GTlsSessionStoreRow *row)
{
  g_clear_pointer (&row->peer, g_free);
  g_clear_pointer (&row->id, g_free);
  g_clear_pointer (&row->content, g_bytes_unref);
}

static gboolean
configure (GTlsSessionStoreDatabase *self, GError **error)
{
  return g_tls_session_sqlite_check (self, error, sqlite3_extended_result_codes (self->connection, TRUE)) &&
         g_tls_session_sqlite_check (self, error, sqlite3_busy_timeout (self->connection, (int) self->busy_timeout)) &&
         g_tls_session_sqlite_check (self, error,
                                     sqlite3_db_config (self->connection, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL)) &&
         g_tls_session_sqlite_check (self, error,
                                     sqlite3_db_config (self->connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL)) &&
         g_tls_session_sqlite_execute (self, "PRAGMA synchronous = NORMAL; PRAGMA cell_size_check = ON", error);
}

/* These write into the file, or will. */
static gboolean
configure_writing (GTlsSessionStoreDatabase *self, GError **error)
{
  return g_tls_session_sqlite_insist (self, "PRAGMA journal_mode = WAL", "wal", error) &&
         g_tls_session_sqlite_insist (self, "PRAGMA secure_delete = ON", "1", error) &&
         g_tls_session_sqlite_insist (self, "PRAGMA journal_size_limit = " WAL_LIMIT, WAL_LIMIT, error);
}

/* Making the file */

static gboolean
add_proof (GTlsSessionStoreDatabase *self, GTlsSessionSeal *seal, GError **error)
{
  static const char *const texts[] = { "INSERT INTO proof (content) VALUES (?1)" };
  g_autoptr (GBytes) content = g_bytes_new_static (PROOF, strlen (PROOF));
  g_autoptr (GBytes) sealed = g_tls_session_seal_close (seal, content, PROOF_PLACE, error);

  return sealed != NULL && g_tls_session_sqlite_prepare (self, texts, G_N_ELEMENTS (texts), error) &&
         g_tls_session_sqlite_run (self, 0, (GTlsSessionSqliteValue[]){ BLOB (sealed) }, error);
}

/* The file has to be whole without its WAL, since it gets another name. */
static gboolean
empty_wal (GTlsSessionStoreDatabase *self, GError **error)
{
  return g_tls_session_sqlite_check (
    self, error, sqlite3_wal_checkpoint_v2 (self->connection, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL));
}

static gboolean
fill_database (const char *path, GTlsSessionSeal *seal, GError **error)
{
  g_autoptr (GTlsSessionSqlite) self = g_tls_session_sqlite_open (path, 0, error);

  return self != NULL && configure (self, error) && configure_writing (self, error) &&
         g_tls_session_sqlite_execute (self, schema, error) && add_proof (self, seal, error) && empty_wal (self, error);
}

static void
remove_beside (const char *path, const char *suffix)
{
  g_autofree char *other = g_strconcat (path, suffix, NULL);

  (void) g_unlink (other); /* it is mostly not there, and to leave it would harm nobody */
}

/* SQLite leaves its files where it could not close the database properly: on a full disk, say, and at each attempt. */
static gboolean
fill (const char *path, int fd, gpointer seal, GError **error)
{
  gboolean filled = fill_database (path, seal, error);

  remove_beside (path, "-wal");
  remove_beside (path, "-shm");
  return filled;
}

/* Makes the file at @path, which others may have made meanwhile; that one stays as it is. */
gboolean
g_tls_session_store_database_create (const char *path, GTlsSessionSeal *seal, GError **error)
{
  return g_tls_session_private_file_create (path, fill, seal, error);
}

/* Opening the file */

/* Whose is it? Asked before SQLite reads anything but its own header; see the notes. */
static gboolean
check_header (GTlsSessionStoreDatabase *self, GError **error)
{
  sqlite3_file *file = NULL;
  sqlite3_int64 size = 0;
  guint8 header[HEADER_SIZE];
  guint32 application_id;
  int result = sqlite3_file_control (self->connection, "main", SQLITE_FCNTL_FILE_POINTER, &file);

  if (result != SQLITE_OK || file == NULL || file->pMethods == NULL)
    return g_tls_session_sqlite_fail (self, error, result != SQLITE_OK ? result : SQLITE_CANTOPEN);
  if (!g_tls_session_sqlite_check (self, error, file->pMethods->xFileSize (file, &size)))
    return FALSE;
  if (size < HEADER_SIZE)
    return g_tls_session_sqlite_bad_data (self, error, "is no session store: it is too short for one");
  if (!g_tls_session_sqlite_check (self, error, file->pMethods->xRead (file, header, HEADER_SIZE, 0)))
    return FALSE;
  if (memcmp (header, HEADER_MAGIC, sizeof HEADER_MAGIC) != 0)
    return g_tls_session_sqlite_bad_data (self, error,
                                          "is no session store: it is not an SQLite file, or its beginning is damaged");

  memcpy (&application_id, header + HEADER_APPLICATION_ID, sizeof application_id);
  if (GUINT32_FROM_BE (application_id) != APPLICATION_ID)
    return g_tls_session_sqlite_bad_data (self, error,
                                          "is no session store: it is the SQLite file of another application");
  return TRUE;
}

static gboolean
check_format_number (GTlsSessionStoreDatabase *self, gint64 format, GError **error)
{
  g_autofree char *reason = NULL;

  if (format == FORMAT)
    return TRUE;
  reason = g_strdup_printf ("is of format %" G_GINT64_FORMAT ", and this version of gtls-session knows format %d only",
                            format, FORMAT);
  return g_tls_session_sqlite_bad_data (self, error, reason);
}

/* Before the statements are prepared, which another format may have no tables for. */
static gboolean
check_format (GTlsSessionStoreDatabase *self, GError **error)
{
  g_autofree char *answer = NULL;

  return g_tls_session_sqlite_ask (self, statement_texts[STATEMENT_FORMAT], &answer, error) &&
         check_format_number (self, answer != NULL ? g_ascii_strtoll (answer, NULL, 10) : 0, error);
}

static gboolean
check_proof (GTlsSessionStoreDatabase *self, GTlsSessionSeal *seal, GError **error)
{
  g_autoptr (GBytes) sealed = NULL;
  g_autoptr (GBytes) content = NULL;
  g_autoptr (GError) reason = NULL;

  if (!g_tls_session_sqlite_read_content (self, STATEMENT_PROOF, NULL, &sealed, error))
    return FALSE;
  if (sealed == NULL)
    return g_tls_session_sqlite_bad_data (self, error, "is damaged: it does not say what key it has");

  content = g_tls_session_seal_open (seal, sealed, PROOF_PLACE, &reason);
  if (content != NULL)
    return TRUE;
  if (g_error_matches (reason, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA))
    return g_tls_session_sqlite_bad_data (self, error, "has another key than the one given for it");
  g_propagate_error (error, g_steal_pointer (&reason));
  return FALSE;
}

/* What it opens is a session store that this version knows, but nothing can be done with it until it is unlocked. */
GTlsSessionStoreDatabase *
g_tls_session_store_database_open (const char *path, guint busy_timeout, GError **error)
{
  g_autoptr (GTlsSessionSqlite) self = g_tls_session_sqlite_open (path, busy_timeout, error);

  if (self != NULL && check_header (self, error) && configure (self, error) && check_format (self, error))
    return g_steal_pointer (&self);
  return NULL;
}

/* Fails if @seal is not the one that the file was made with. */
gboolean
g_tls_session_store_database_unlock (GTlsSessionStoreDatabase *self, GTlsSessionSeal *seal, GError **error)
{
  return configure_writing (self, error) && g_tls_session_sqlite_prepare (self, statement_texts, N_STATEMENTS, error) &&
         check_proof (self, seal, error);
}

void
g_tls_session_store_database_free (GTlsSessionStoreDatabase *self)
{
  g_tls_session_sqlite_free (self);
}

/* Transactions */

void
g_tls_session_store_database_rollback (GTlsSessionStoreDatabase *self)
{
  g_autoptr (GError) error = NULL;

  if (sqlite3_get_autocommit (self->connection)) /* SQLite did it itself, after some errors */
    return;

  /* If it fails, the next transaction cannot begin, and tells. */
  if (!g_tls_session_sqlite_run (self, STATEMENT_ROLLBACK, NULL, &error))
    g_debug ("%s", error->message);
}

/* Another process may have brought the file to a newer format since it was opened. */
static gboolean
check_format_again (GTlsSessionStoreDatabase *self, GError **error)
{
  GTlsSessionSqliteStep step = g_tls_session_sqlite_start (self, STATEMENT_FORMAT, NULL, error);
  gint64 format;

  if (step == STEP_FAILED)
    return FALSE;
  g_assert (step == STEP_ROW);
  format = sqlite3_column_int64 (self->statements[STATEMENT_FORMAT], 0);
  return g_tls_session_sqlite_end (self, STATEMENT_FORMAT, error) && check_format_number (self, format, error);
}

/* Others would not see what is written into a file that has lost its name. */
static gboolean
check_in_place (GTlsSessionStoreDatabase *self, GError **error)
{
  int moved = FALSE;

  if (!g_tls_session_sqlite_check (self, error,
                                   sqlite3_file_control (self->connection, "main", SQLITE_FCNTL_HAS_MOVED, &moved)))
    return FALSE;
  if (moved)
    g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE,
                 "The session store %s was moved or removed since it was opened", self->path);
  return !moved;
}

gboolean
g_tls_session_store_database_begin (GTlsSessionStoreDatabase *self, GError **error)
{
  g_tls_session_store_database_rollback (self);
  if (!check_in_place (self, error) || !g_tls_session_sqlite_run (self, STATEMENT_BEGIN, NULL, error))
    return FALSE;
  if (check_format_again (self, error))
    return TRUE;
  g_tls_session_store_database_rollback (self);
  return FALSE;
}

gboolean
g_tls_session_store_database_commit (GTlsSessionStoreDatabase *self, GError **error)
{
  if (g_tls_session_sqlite_run (self, STATEMENT_COMMIT, NULL, error))
    return TRUE;
  g_tls_session_store_database_rollback (self);
  return FALSE;
}

/* Tickets */

/* In the place of the same ticket, if it is there. The row's number is left to SQLite. */
gboolean
g_tls_session_store_database_insert (GTlsSessionStoreDatabase *self, const GTlsSessionStoreRow *row, GError **error)
{
  const GTlsSessionSqliteValue values[] = { TEXT (row->peer), TEXT (row->id), NUMBER (row->single_use),
                                            NUMBER (row->last_use), BLOB (row->content) };

  return g_tls_session_sqlite_run (self, STATEMENT_INSERT, values, error);
}

/* After an insert: the oldest of @peer go, and those that are not among the last @max_tickets, and those whose time is
 * over. Of each a few at a time, but more than one: there are ever fewer of them.
 */
gboolean
g_tls_session_store_database_trim (GTlsSessionStoreDatabase *self,
                                   const char *peer,
                                   guint max_tickets_per_peer,
                                   guint max_tickets,
                                   GError **error)
{
  gint64 newest = sqlite3_last_insert_rowid (self->connection);
  const GTlsSessionSqliteValue surplus[] = { TEXT (peer), NUMBER (max_tickets_per_peer) };
  const GTlsSessionSqliteValue oldest[] = { NUMBER (newest - max_tickets) };
  const GTlsSessionSqliteValue expired[] = { NUMBER (time (NULL)) };

  return g_tls_session_sqlite_run (self, STATEMENT_DELETE_SURPLUS, surplus, error) &&
         g_tls_session_sqlite_run (self, STATEMENT_DELETE_OLDEST, oldest, error) &&
         g_tls_session_sqlite_run (self, STATEMENT_DELETE_EXPIRED, expired, error);
}

static gboolean
find_row (GTlsSessionStoreDatabase *self,
          Statement which,
          const GTlsSessionSqliteValue *value,
          GTlsSessionStoreRow *row,
          GError **error)
{
  sqlite3_stmt *statement = self->statements[which];
  GTlsSessionSqliteStep step = g_tls_session_sqlite_start (self, which, value, error);

  *row = (GTlsSessionStoreRow){ 0 };
  if (step != STEP_ROW)
    return step == STEP_DONE;

  row->number = sqlite3_column_int64 (statement, 0);
  row->peer = g_strdup ((const char *) sqlite3_column_text (statement, 1));
  row->id = g_strdup ((const char *) sqlite3_column_text (statement, 2));
  row->single_use = sqlite3_column_int (statement, 3) != 0;
  row->last_use = sqlite3_column_int64 (statement, 4);
  row->content = g_tls_session_sqlite_column_bytes (self, which, 5, error);
  if (row->content != NULL && g_tls_session_sqlite_end (self, which, error))
    return TRUE;

  g_tls_session_store_row_clear (row);
  (void) g_tls_session_sqlite_end (self, which, NULL); /* the reason is told already */
  return FALSE;
}

/* @row's content is NULL if there is none. */
gboolean
g_tls_session_store_database_find_newest (GTlsSessionStoreDatabase *self,
                                          const char *peer,
                                          GTlsSessionStoreRow *row,
                                          GError **error)
{
  return find_row (self, STATEMENT_FIND_NEWEST, (GTlsSessionSqliteValue[]){ TEXT (peer) }, row, error);
}

/* The oldest whose number is greater than @number; @row's content is NULL if there is none. */
gboolean
g_tls_session_store_database_find_after (GTlsSessionStoreDatabase *self,
                                         gint64 number,
                                         GTlsSessionStoreRow *row,
                                         GError **error)
{
  return find_row (self, STATEMENT_FIND_AFTER, (GTlsSessionSqliteValue[]){ NUMBER (number) }, row, error);
}

gboolean
g_tls_session_store_database_delete (GTlsSessionStoreDatabase *self, gint64 number, GError **error)
{
  const GTlsSessionSqliteValue values[] = { NUMBER (number) };

  return g_tls_session_sqlite_run (self, STATEMENT_DELETE, values, error);
}

gboolean
g_tls_session_store_database_delete_ticket (GTlsSessionStoreDatabase *self,
                                            const char *peer,
                                            const char *id,
                                            GError **error)
{
  const GTlsSessionSqliteValue values[] = { TEXT (peer), TEXT (id) };

  return g_tls_session_sqlite_run (self, STATEMENT_DELETE_TICKET, values, error);
}

gboolean
g_tls_session_store_database_delete_all (GTlsSessionStoreDatabase *self, GError **error)
{
  return g_tls_session_sqlite_run (self, STATEMENT_DELETE_ALL, NULL, error);
}

/* Bytes */

gboolean
g_tls_session_store_database_save (GTlsSessionStoreDatabase *self, const char *name, GBytes *content, GError **error)
{
  const GTlsSessionSqliteValue values[] = { TEXT (name), BLOB (content) };

  return g_tls_session_sqlite_run (self, STATEMENT_SAVE, values, error);
}

/* @content is NULL if there is none. */
gboolean
g_tls_session_store_database_load (GTlsSessionStoreDatabase *self, const char *name, GBytes **content, GError **error)
{
  const GTlsSessionSqliteValue values[] = { TEXT (name) };

  return g_tls_session_sqlite_read_content (self, STATEMENT_LOAD, values, content, error);
}

/* Outside of a transaction: what was deleted goes from the WAL too, unless others use it right now. It goes then when
 * they write on. */
gboolean
g_tls_session_store_database_purge (GTlsSessionStoreDatabase *self, GError **error)
{
  int result = sqlite3_wal_checkpoint_v2 (self->connection, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);

  return (result & 0xff) == SQLITE_BUSY || g_tls_session_sqlite_check (self, error, result);
}
