/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* OpenSSL reports errors through a queue that each thread has. Before a call that may fail: clear it. After one that
 * failed: take what it says, which empties it again, so that nothing of ours shows up in somebody else's errors.
 */

void g_tls_session_openssl_clear_errors (void);

char *g_tls_session_openssl_take_errors (void);

/* Around a call that may use OpenSSL as well, while OpenSSL is at work here: what stands in the queue is taken out, NULL
 * if that is nothing, and put back, in the place of whatever the call has left there. The second takes what the first
 * gave.
 */
GArray *g_tls_session_openssl_hold_errors (void);

void g_tls_session_openssl_put_back_errors (GArray *held);

/* G_TLS_ERROR_MISC, for what fails only where memory is short: @what, and what the queue says. */
void g_tls_session_openssl_set_error (GError **error, const char *what);

G_END_DECLS
