/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <sqlite3.h>

G_BEGIN_DECLS

/* A connection to an SQLite file, with its prepared statements: every answer of SQLite is looked at, and those that are
 * failures become errors that name the session store. One thread at a time.
 */

#define G_TLS_SESSION_SQLITE_MAX_STATEMENTS 16

typedef struct _GTlsSessionSqlite
{
  char *path;
  guint busy_timeout; /* ms */
  sqlite3 *connection;
  sqlite3_stmt *statements[G_TLS_SESSION_SQLITE_MAX_STATEMENTS];
} GTlsSessionSqlite;

/* For a file that is there. */
GTlsSessionSqlite *g_tls_session_sqlite_open (const char *path, guint busy_timeout, GError **error);

void g_tls_session_sqlite_free (GTlsSessionSqlite *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GTlsSessionSqlite, g_tls_session_sqlite_free)

/* Errors; all three return whether there was none. */

gboolean g_tls_session_sqlite_bad_data (GTlsSessionSqlite *self, GError **error, const char *reason);

gboolean g_tls_session_sqlite_fail (GTlsSessionSqlite *self, GError **error, int result);

gboolean g_tls_session_sqlite_check (GTlsSessionSqlite *self, GError **error, int result);

/* What needs no preparation. */

gboolean g_tls_session_sqlite_execute (GTlsSessionSqlite *self, const char *text, GError **error);

gboolean g_tls_session_sqlite_ask (GTlsSessionSqlite *self, const char *text, char **answer, GError **error);

gboolean g_tls_session_sqlite_insist (GTlsSessionSqlite *self, const char *text, const char *wanted, GError **error);

/* Prepared statements, by their place among the texts. */

gboolean g_tls_session_sqlite_prepare (GTlsSessionSqlite *self,
                                       const char *const *texts,
                                       guint n_texts,
                                       GError **error);

/* Nothing of it is owned. */
typedef struct
{
  enum
  {
    VALUE_NUMBER,
    VALUE_TEXT,
    VALUE_BLOB,
  } kind;
  gint64 number;
  const char *text;
  GBytes *blob;
} GTlsSessionSqliteValue;

#define NUMBER(value) ((GTlsSessionSqliteValue){ .kind = VALUE_NUMBER, .number = (value) })
#define TEXT(value) ((GTlsSessionSqliteValue){ .kind = VALUE_TEXT, .text = (value) })
#define BLOB(value) ((GTlsSessionSqliteValue){ .kind = VALUE_BLOB, .blob = (value) })

typedef enum
{
  STEP_FAILED,
  STEP_DONE, /* and the statement is ended */
  STEP_ROW,  /* to be read from the statement, and then end() is to be called */
} GTlsSessionSqliteStep;

GTlsSessionSqliteStep g_tls_session_sqlite_start (GTlsSessionSqlite *self,
                                                  guint which,
                                                  const GTlsSessionSqliteValue *values,
                                                  GError **error);

gboolean g_tls_session_sqlite_end (GTlsSessionSqlite *self, guint which, GError **error);

gboolean g_tls_session_sqlite_run (GTlsSessionSqlite *self,
                                   guint which,
                                   const GTlsSessionSqliteValue *values,
                                   GError **error);

GBytes *g_tls_session_sqlite_column_bytes (GTlsSessionSqlite *self, guint which, int column, GError **error);

gboolean g_tls_session_sqlite_read_content (GTlsSessionSqlite *self,
                                            guint which,
                                            const GTlsSessionSqliteValue *values,
                                            GBytes **content,
                                            GError **error);

G_END_DECLS
