/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gtls-session-store-entry.h"

G_BEGIN_DECLS

/* Either of @ticket, with its @key, or of @flaw, which it takes. */
GTlsSessionStoreEntry *g_tls_session_store_entry_new (const char *key, GTlsSessionTicket *ticket, GError *flaw);

G_END_DECLS
