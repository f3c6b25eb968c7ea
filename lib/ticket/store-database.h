/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "seal.h"

G_BEGIN_DECLS

/* The SQLite file of a GTlsSessionFileStore: rows, and transactions of them. It knows no ticket and no name, only what
 * is left of them once they are sealed and hashed. One thread at a time.
 */

#define G_TLS_SESSION_STORE_MAX_TICKETS_PER_PEER 64

typedef struct _GTlsSessionSqlite GTlsSessionStoreDatabase;

/* A ticket's row. */
typedef struct
{
  gint64 number; /* later ones have greater numbers, and none is ever used again */
  char *peer;
  char *id;
  gboolean single_use;
  gint64 last_use; /* seconds since 1970 */
  GBytes *content;
} GTlsSessionStoreRow;

void g_tls_session_store_row_clear (GTlsSessionStoreRow *row);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GTlsSessionStoreRow, g_tls_session_store_row_clear)

gboolean g_tls_session_store_database_create (const char *path, GTlsSessionSeal *seal, GError **error);

GTlsSessionStoreDatabase *g_tls_session_store_database_open (const char *path, guint busy_timeout, GError **error);

gboolean g_tls_session_store_database_unlock (GTlsSessionStoreDatabase *self, GTlsSessionSeal *seal, GError **error);

void g_tls_session_store_database_free (GTlsSessionStoreDatabase *self);

/* All that follow, except the last, are called between a begin and its commit or rollback. */
gboolean g_tls_session_store_database_begin (GTlsSessionStoreDatabase *self, GError **error);

gboolean g_tls_session_store_database_commit (GTlsSessionStoreDatabase *self, GError **error);

void g_tls_session_store_database_rollback (GTlsSessionStoreDatabase *self);

gboolean g_tls_session_store_database_insert (GTlsSessionStoreDatabase *self,
                                              const GTlsSessionStoreRow *row,
                                              GError **error);

gboolean g_tls_session_store_database_trim (GTlsSessionStoreDatabase *self,
                                            const char *peer,
                                            guint max_tickets_per_peer,
                                            guint max_tickets,
                                            GError **error);

gboolean g_tls_session_store_database_find_newest (GTlsSessionStoreDatabase *self,
                                                   const char *peer,
                                                   GTlsSessionStoreRow *row,
                                                   GError **error);

gboolean g_tls_session_store_database_find_after (GTlsSessionStoreDatabase *self,
                                                  gint64 number,
                                                  GTlsSessionStoreRow *row,
                                                  GError **error);

gboolean g_tls_session_store_database_delete (GTlsSessionStoreDatabase *self, gint64 number, GError **error);

gboolean g_tls_session_store_database_delete_ticket (GTlsSessionStoreDatabase *self,
                                                     const char *peer,
                                                     const char *id,
                                                     GError **error);

gboolean g_tls_session_store_database_delete_all (GTlsSessionStoreDatabase *self, GError **error);

gboolean g_tls_session_store_database_save (GTlsSessionStoreDatabase *self,
                                            const char *name,
                                            GBytes *content,
                                            GError **error);

gboolean g_tls_session_store_database_load (GTlsSessionStoreDatabase *self,
                                            const char *name,
                                            GBytes **content,
                                            GError **error);

gboolean g_tls_session_store_database_purge (GTlsSessionStoreDatabase *self, GError **error);

G_END_DECLS
