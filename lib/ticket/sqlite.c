/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sqlite.h"

#include "gtls-session-error.h"

/* Failures */

gboolean
g_tls_session_sqlite_bad_data (GTlsSessionSqlite *self, GError **error, const char *reason)
{
  g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA, "The session store %s %s", self->path, reason);
  return FALSE;
}

/* @result is SQLite's, and its message is that of its last call. */
gboolean
g_tls_session_sqlite_fail (GTlsSessionSqlite *self, GError **error, int result)
{
  int system_error = sqlite3_system_errno (self->connection);
  g_autofree char *reason = NULL;

  switch (result & 0xff)
    {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE,
                   "The session store %s is locked: others kept it for longer than %u ms", self->path,
                   self->busy_timeout);
      break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      reason = g_strdup_printf ("is damaged (%s)", sqlite3_errmsg (self->connection));
      g_tls_session_sqlite_bad_data (self, error, reason);
      break;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
      g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE, "The session store %s failed: %s (%s)",
                   self->path, sqlite3_errmsg (self->connection), g_strerror (system_error));
      break;
    default:
      g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE, "The session store %s failed: %s", self->path,
                   sqlite3_errmsg (self->connection));
      break;
    }
  return FALSE;
}

gboolean
g_tls_session_sqlite_check (GTlsSessionSqlite *self, GError **error, int result)
{
  return result == SQLITE_OK || g_tls_session_sqlite_fail (self, error, result);
}

/* Statements */

/* SQLite copies nothing: the values live until the statement is ended. */
static int
bind_value (sqlite3_stmt *statement, int place, const GTlsSessionSqliteValue *value)
{
  switch (value->kind)
    {
    case VALUE_NUMBER:
      return sqlite3_bind_int64 (statement, place, value->number);
    case VALUE_TEXT:
      return sqlite3_bind_text (statement, place, value->text, -1, SQLITE_STATIC);
    case VALUE_BLOB:
      return sqlite3_bind_blob64 (statement, place, g_bytes_get_data (value->blob, NULL),
                                  g_bytes_get_size (value->blob), SQLITE_STATIC);
    default:
      g_assert_not_reached ();
    }
}

gboolean
g_tls_session_sqlite_end (GTlsSessionSqlite *self, guint which, GError **error)
{
  sqlite3_stmt *statement = self->statements[which];

  return g_tls_session_sqlite_check (self, error, sqlite3_reset (statement)) &&
         g_tls_session_sqlite_check (self, error, sqlite3_clear_bindings (statement));
}

/* After a failure, whose reason is told already and would be told again. */
static void
give_up (GTlsSessionSqlite *self, guint which)
{
  (void) sqlite3_reset (self->statements[which]);
  (void) sqlite3_clear_bindings (self->statements[which]);
}

/* @values has as many as the statement has parameters. */
GTlsSessionSqliteStep
g_tls_session_sqlite_start (GTlsSessionSqlite *self, guint which, const GTlsSessionSqliteValue *values, GError **error)
{
  sqlite3_stmt *statement = self->statements[which];
  int n_values = sqlite3_bind_parameter_count (statement);
  int result = SQLITE_OK;

  for (int i = 0; i < n_values && result == SQLITE_OK; i++)
    result = bind_value (statement, i + 1, &values[i]);
  if (result == SQLITE_OK)
    result = sqlite3_step (statement);

  if (result == SQLITE_ROW)
    return STEP_ROW;
  if (result == SQLITE_DONE)
    return g_tls_session_sqlite_end (self, which, error) ? STEP_DONE : STEP_FAILED;

  g_tls_session_sqlite_fail (self, error, result);
  give_up (self, which);
  return STEP_FAILED;
}

/* For a statement without an answer. */
gboolean
g_tls_session_sqlite_run (GTlsSessionSqlite *self, guint which, const GTlsSessionSqliteValue *values, GError **error)
{
  GTlsSessionSqliteStep step = g_tls_session_sqlite_start (self, which, values, error);

  g_assert (step != STEP_ROW);
  return step == STEP_DONE;
}

/* NULL with an error: there is no memory for it. What is no blob becomes one, and will not pass for sealed. */
GBytes *
g_tls_session_sqlite_column_bytes (GTlsSessionSqlite *self, guint which, int column, GError **error)
{
  const void *data = sqlite3_column_blob (self->statements[which], column);
  int size = sqlite3_column_bytes (self->statements[which], column);

  if (data != NULL || size == 0)
    return g_bytes_new (data, (gsize) size);
  g_tls_session_sqlite_fail (self, error, SQLITE_NOMEM);
  return NULL;
}

/* What one row with one blob says: NULL in @content if there is no row. */
gboolean
g_tls_session_sqlite_read_content (GTlsSessionSqlite *self,
                                   guint which,
                                   const GTlsSessionSqliteValue *values,
                                   GBytes **content,
                                   GError **error)
{
  GTlsSessionSqliteStep step = g_tls_session_sqlite_start (self, which, values, error);

  *content = NULL;
  if (step != STEP_ROW)
    return step == STEP_DONE;

  *content = g_tls_session_sqlite_column_bytes (self, which, 0, error);
  if (*content != NULL && g_tls_session_sqlite_end (self, which, error))
    return TRUE;

  g_clear_pointer (content, g_bytes_unref);
  give_up (self, which);
  return FALSE;
}

gboolean
g_tls_session_sqlite_prepare (GTlsSessionSqlite *self, const char *const *texts, guint n_texts, GError **error)
{
  g_assert (n_texts <= G_N_ELEMENTS (self->statements));

  for (guint i = 0; i < n_texts; i++)
    if (!g_tls_session_sqlite_check (
          self, error,
          sqlite3_prepare_v3 (self->connection, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &self->statements[i], NULL)))
      return FALSE;
  return TRUE;
}

/* The connection */

gboolean
g_tls_session_sqlite_execute (GTlsSessionSqlite *self, const char *text, GError **error)
{
  return g_tls_session_sqlite_check (self, error, sqlite3_exec (self->connection, text, NULL, NULL, NULL));
}

/* What @text answers, in its first row and column; as text, which numbers are too. */
gboolean
g_tls_session_sqlite_ask (GTlsSessionSqlite *self, const char *text, char **answer, GError **error)
{
  sqlite3_stmt *statement = NULL;
  int result = sqlite3_prepare_v2 (self->connection, text, -1, &statement, NULL);

  *answer = NULL;
  if (result == SQLITE_OK)
    result = sqlite3_step (statement);
  if (result == SQLITE_ROW)
    *answer = g_strdup ((const char *) sqlite3_column_text (statement, 0));
  if (result != SQLITE_ROW)
    g_tls_session_sqlite_fail (self, error, result);
  (void) sqlite3_finalize (statement); /* what step returned is told already */
  return result == SQLITE_ROW;
}

/* A setting that SQLite may not be able to make. */
gboolean
g_tls_session_sqlite_insist (GTlsSessionSqlite *self, const char *text, const char *wanted, GError **error)
{
  g_autofree char *answer = NULL;

  if (!g_tls_session_sqlite_ask (self, text, &answer, error))
    return FALSE;
  if (g_strcmp0 (answer, wanted) == 0)
    return TRUE;
  g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE,
               "The session store %s cannot be used where it is: SQLite answers \"%s\" to \"%s\"", self->path, answer,
               text);
  return FALSE;
}

GTlsSessionSqlite *
g_tls_session_sqlite_open (const char *path, guint busy_timeout, GError **error)
{
  g_autoptr (GTlsSessionSqlite) self = g_new0 (GTlsSessionSqlite, 1);
  int result;

  self->path = g_strdup (path);
  self->busy_timeout = busy_timeout;
  result = sqlite3_open_v2 (path, &self->connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
  if (!g_tls_session_sqlite_check (self, error, result))
    return NULL;
  if (sqlite3_db_readonly (self->connection, "main") == 0)
    return g_steal_pointer (&self);

  g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE, "The session store %s cannot be written to",
               path);
  return NULL;
}

void
g_tls_session_sqlite_free (GTlsSessionSqlite *self)
{
  int result;

  for (gsize i = 0; i < G_N_ELEMENTS (self->statements); i++)
    (void) sqlite3_finalize (self->statements[i]); /* tells how the last step went, which was told then */

  /* Nothing is lost if it fails, but a descriptor and memory are. */
  result = sqlite3_close (self->connection);
  if (result != SQLITE_OK)
    g_warning ("The session store %s could not be closed: %s", self->path, sqlite3_errstr (result));

  g_free (self->path);
  g_free (self);
}
