/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gtls-session-database.h"
#include "path-memory.h"

#include <openssl/x509.h>

G_BEGIN_DECLS

/* Puts certificates into the store when they are first needed; called with the lock held. FALSE: it is to be tried again. */
typedef gboolean (*GTlsSessionFillStoreFunc) (GTlsSessionDatabase *self);

struct _GTlsSessionDatabase
{
  GTlsDatabase parent_instance;

  GMutex lock;                   /* covers the pointers below; the store has a lock of its own */
  X509_STORE *store;             /* nullable: nothing is trusted */
  GTlsSessionFillStoreFunc fill; /* NULL once the store has been filled, or if there is nothing to do */
  char *mark;                    /* what tells its certificates from others; NULL: nothing does */

  GTlsSessionPathMemory *paths; /* has a lock of its own */

  char **directories; /* nullable: where the store finds more certificates by a hash of their names */
};

struct _GTlsSessionDatabaseClass
{
  GTlsDatabaseClass parent_class;
};

void g_tls_session_database_take_store (GTlsSessionDatabase *self, X509_STORE *store, const char *mark);

char *g_tls_session_database_dup_mark (GTlsSessionDatabase *self);

X509_STORE *g_tls_session_database_get_filled_store (GTlsSessionDatabase *self);

X509_STORE *g_tls_session_database_ref_store (GTlsSessionDatabase *self);

void g_tls_session_database_class_add_lookups (GTlsDatabaseClass *class);

gboolean g_tls_session_is_hashed_name (const char *name);

GTlsCertificateFlags g_tls_session_database_verify (GTlsSessionDatabase *self,
                                                    STACK_OF (X509) *chain,
                                                    const char *purpose,
                                                    GSocketConnectable *identity);

/* system-database.c */

typedef GTlsDatabase *(*GTlsSessionDefaultDatabaseFunc) (void);

void g_tls_session_database_set_default_func (GTlsSessionDefaultDatabaseFunc func);

GTlsDatabase *g_tls_session_database_get_default (void);

void g_tls_session_database_renew (GTlsSessionDatabase *self, X509_STORE *store);

STACK_OF (X509_NAME) *g_tls_session_database_list_names (GTlsSessionDatabase *self);

G_END_DECLS
