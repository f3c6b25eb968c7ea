/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gtls-session-backend.h"

G_BEGIN_DECLS

#define G_TLS_SESSION_BACKEND_NAME "gtls-session" /* in GIO_USE_TLS */

/* Exported for the GIO module, and in no public header. */
G_TLS_SESSION_API
void g_tls_session_backend_register (void);

G_END_DECLS
