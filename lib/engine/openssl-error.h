/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* OpenSSL reports errors through a queue that each thread has. Before a call that may fail: clear it. After one that
 * failed: take what it says, which empties it again, so that nothing of ours shows up in somebody else's errors.
 */

void g_tls_session_openssl_clear_errors (void);

char *g_tls_session_openssl_take_errors (void);

G_END_DECLS
