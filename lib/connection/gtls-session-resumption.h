/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../gtls-session-macros.h"

G_BEGIN_DECLS

/**
 * GTlsSessionResumption:
 * @G_TLS_SESSION_RESUMPTION_NONE: nothing is or was offered; the handshake is a full one
 * @G_TLS_SESSION_RESUMPTION_OFFERED: a ticket will be offered, or is being offered; the handshake has not ended
 * @G_TLS_SESSION_RESUMPTION_RESUMED: the server took the ticket: the handshake was abbreviated
 * @G_TLS_SESSION_RESUMPTION_REFUSED: the server did not take the ticket: a full handshake was done
 * @G_TLS_SESSION_RESUMPTION_UNKNOWN: another TLS backend's connection, which does not tell
 *
 * What became of a connection's attempt to resume a session.
 *
 * After the handshake this is a fact read from the handshake, not a guess.
 *
 * Since: 0.1
 */
typedef enum
{
  G_TLS_SESSION_RESUMPTION_NONE,
  G_TLS_SESSION_RESUMPTION_OFFERED,
  G_TLS_SESSION_RESUMPTION_RESUMED,
  G_TLS_SESSION_RESUMPTION_REFUSED,
  G_TLS_SESSION_RESUMPTION_UNKNOWN,
} GTlsSessionResumption;

#define G_TLS_SESSION_TYPE_RESUMPTION (g_tls_session_resumption_get_type ())

G_TLS_SESSION_API
GType g_tls_session_resumption_get_type (void) G_GNUC_CONST;

G_END_DECLS
