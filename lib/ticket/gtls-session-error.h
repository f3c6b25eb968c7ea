/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../gtls-session-macros.h"

G_BEGIN_DECLS

/**
 * GTlsSessionError:
 * @G_TLS_SESSION_ERROR_NO_TICKET: the source has no session ticket: the server sent none, or none yet
 * @G_TLS_SESSION_ERROR_EXPIRED: the ticket's lifetime is over
 * @G_TLS_SESSION_ERROR_SOURCE_NOT_READY: the source connection has not completed its handshake
 * @G_TLS_SESSION_ERROR_TOO_LATE: this connection's handshake has begun already, so it can offer nothing any more
 * @G_TLS_SESSION_ERROR_IDENTITY_MISMATCH: the ticket belongs to a server whose certificate is not valid for this
 *   connection's server identity (RFC 8446, section 4.6.1)
 * @G_TLS_SESSION_ERROR_UNSUPPORTED: the connection belongs to another TLS backend, or to none
 * @G_TLS_SESSION_ERROR_BAD_DATA: the bytes are not a ticket, are damaged, or are of a newer format
 * @G_TLS_SESSION_ERROR_STORE: a session store failed
 *
 * Why a session could not be carried from one connection to another.
 *
 * Since: 0.1
 */
typedef enum
{
  G_TLS_SESSION_ERROR_NO_TICKET,
  G_TLS_SESSION_ERROR_EXPIRED,
  G_TLS_SESSION_ERROR_SOURCE_NOT_READY,
  G_TLS_SESSION_ERROR_TOO_LATE,
  G_TLS_SESSION_ERROR_IDENTITY_MISMATCH,
  G_TLS_SESSION_ERROR_UNSUPPORTED,
  G_TLS_SESSION_ERROR_BAD_DATA,
  G_TLS_SESSION_ERROR_STORE,
} GTlsSessionError;

/**
 * G_TLS_SESSION_ERROR:
 *
 * The error domain of [error@GTlsSession.Error].
 *
 * Since: 0.1
 */
#define G_TLS_SESSION_ERROR (g_tls_session_error_quark ())

G_TLS_SESSION_API
GQuark g_tls_session_error_quark (void);

#define G_TLS_SESSION_TYPE_ERROR (g_tls_session_error_get_type ())

G_TLS_SESSION_API
GType g_tls_session_error_get_type (void) G_GNUC_CONST;

G_END_DECLS
