/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gtls-session-ticket.h"
#include "store-database.h"
#include "store-rules.h"

G_BEGIN_DECLS

/* How tickets and bytes lie in a GTlsSessionFileStore's file; doc/file-store-format.md has it in words. Any thread may
 * call.
 */
typedef struct
{
  /* Whose it is sets these, and the key, before it is opened, and never again. */
  char *path; /* absolute; not freed here */
  guint max_tickets;
  guint max_tickets_per_peer;
  guint max_age;      /* s */
  guint busy_timeout; /* ms */

  GTlsSessionSeal *seal; /* does not change once it is open */
  int process;           /* that opened it; 0: not open; atomic */

  GMutex lock; /* covers what follows */
  GBytes *key; /* nullable: it is kept beside the file; gone once the seal is there */
  GTlsSessionStoreDatabase *database;
} GTlsSessionFileShelf;

void g_tls_session_file_shelf_init (GTlsSessionFileShelf *self);

gboolean g_tls_session_file_shelf_open (GTlsSessionFileShelf *self, GError **error);

void g_tls_session_file_shelf_finish (GTlsSessionFileShelf *self);

gboolean g_tls_session_file_shelf_put (GTlsSessionFileShelf *self,
                                       const char *key,
                                       GTlsSessionTicket *ticket,
                                       GError **error);

GTlsSessionTicket *g_tls_session_file_shelf_take (GTlsSessionFileShelf *self, const char *key, GError **error);

gboolean g_tls_session_file_shelf_remove (GTlsSessionFileShelf *self,
                                          const char *key,
                                          GTlsSessionTicket *ticket,
                                          GError **error);

gboolean g_tls_session_file_shelf_clear (GTlsSessionFileShelf *self, GError **error);

gboolean g_tls_session_file_shelf_save_bytes (GTlsSessionFileShelf *self,
                                              const char *name,
                                              GBytes *bytes,
                                              GError **error);

GBytes *g_tls_session_file_shelf_load_bytes (GTlsSessionFileShelf *self, const char *name, GError **error);

GList *g_tls_session_file_shelf_list (GTlsSessionFileShelf *self, GError **error);

G_END_DECLS
