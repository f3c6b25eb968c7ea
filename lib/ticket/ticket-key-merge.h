/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ticket-key-ring.h"

G_BEGIN_DECLS

GPtrArray *g_tls_session_key_ring_merge (GPtrArray *own, GPtrArray *shared, gint64 saved, gint64 lifetime);

G_END_DECLS
