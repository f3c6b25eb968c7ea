/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gtls-session-ticket.h"

G_BEGIN_DECLS

/* What all stores of this library keep to. */

#define G_TLS_SESSION_STORE_DEFAULT_MAX_AGE 600 /* s: arXiv:1810.07304, section 6 */

gint64 g_tls_session_store_last_use (GTlsSessionTicket *ticket, guint max_age);

gboolean g_tls_session_store_may_give_out (GTlsSessionTicket *ticket, guint max_age);

GParamSpec *g_tls_session_store_make_max_age_property (void);

G_END_DECLS
