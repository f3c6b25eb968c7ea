/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What the backend has instead of DTLS connections: a type that cannot be made, and says why. Gio asks for one even of
 * backends without DTLS.
 */

GType g_tls_session_no_dtls_get_type (void) G_GNUC_CONST;

G_END_DECLS
