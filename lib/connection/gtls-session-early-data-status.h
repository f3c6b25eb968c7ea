/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../gtls-session-macros.h"

G_BEGIN_DECLS

/**
 * GTlsSessionEarlyDataStatus:
 * @G_TLS_SESSION_EARLY_DATA_STATUS_NONE: there are no early data
 * @G_TLS_SESSION_EARLY_DATA_STATUS_PENDING: the handshake is still to come, or under way
 * @G_TLS_SESSION_EARLY_DATA_STATUS_ACCEPTED: they went with the first flight, and the server took them
 * @G_TLS_SESSION_EARLY_DATA_STATUS_RESENT: they went with the first flight, the server refused them, and they were sent
 *   again, as the first ordinary data
 * @G_TLS_SESSION_EARLY_DATA_STATUS_DEFERRED: they could not go with the first flight, and were sent as the first
 *   ordinary data; [method@GTlsSession.Helper.explain] says why
 * @G_TLS_SESSION_EARLY_DATA_STATUS_UNSENT: the handshake failed, and nothing of them has arrived
 * @G_TLS_SESSION_EARLY_DATA_STATUS_UNCERTAIN: the handshake failed, or was given up, when they had been sent; they may
 *   have arrived, in whole or in part
 *
 * What became of a client's early data.
 *
 * Since: 0.1
 */
typedef enum
{
  G_TLS_SESSION_EARLY_DATA_STATUS_NONE,
  G_TLS_SESSION_EARLY_DATA_STATUS_PENDING,
  G_TLS_SESSION_EARLY_DATA_STATUS_ACCEPTED,
  G_TLS_SESSION_EARLY_DATA_STATUS_RESENT,
  G_TLS_SESSION_EARLY_DATA_STATUS_DEFERRED,
  G_TLS_SESSION_EARLY_DATA_STATUS_UNSENT,
  G_TLS_SESSION_EARLY_DATA_STATUS_UNCERTAIN,
} GTlsSessionEarlyDataStatus;

#define G_TLS_SESSION_TYPE_EARLY_DATA_STATUS (g_tls_session_early_data_status_get_type ())

G_TLS_SESSION_API
GType g_tls_session_early_data_status_get_type (void) G_GNUC_CONST;

G_END_DECLS
