/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "mill.h"
#include "ticket/gtls-session-store.h"

G_BEGIN_DECLS

/* What each of this library's stores keeps to, told of any one of them. */

/* Makes an empty store with the default bounds. */
typedef GTlsSessionStore *(*StoreFactory) (void);

/* Adds the stories as /store/@name/... */
void contract_add (const char *name, StoreFactory factory);

/* Two keys as connections make them. */
#define KEY_A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define KEY_B "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

/* These fail the test if the store does. */
void store_put (gpointer store, const char *key, GTlsSessionTicket *ticket);
GTlsSessionTicket *store_take (gpointer store, const char *key);
void store_remove (gpointer store, const char *key, GTlsSessionTicket *ticket);
void store_clear (gpointer store);
void store_save (gpointer store, const char *name, const char *text);
char *store_load (gpointer store, const char *name);

void assert_takes (gpointer store, const char *key, GTlsSessionTicket *expected);
void assert_takes_nothing (gpointer store, const char *key);

G_END_DECLS
