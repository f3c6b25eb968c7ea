/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gtls-session-error.h"

/**
 * g_tls_session_error_quark:
 *
 * Gets the error domain of this library, `g-tls-session-error-quark`.
 *
 * C code writes `G_TLS_SESSION_ERROR` instead. The codes of the domain
 * are those of [error@GTlsSession.Error].
 *
 * Returns: the quark
 *
 * Since: 0.1
 */
GQuark
g_tls_session_error_quark (void)
{
  /* By hand: clang-format would put spaces into the name that G_DEFINE_QUARK() takes. */
  return g_quark_from_static_string ("g-tls-session-error-quark");
}

static const GEnumValue error_values[] = {
  { G_TLS_SESSION_ERROR_NO_TICKET, "G_TLS_SESSION_ERROR_NO_TICKET", "no-ticket" },
  { G_TLS_SESSION_ERROR_EXPIRED, "G_TLS_SESSION_ERROR_EXPIRED", "expired" },
  { G_TLS_SESSION_ERROR_SOURCE_NOT_READY, "G_TLS_SESSION_ERROR_SOURCE_NOT_READY", "source-not-ready" },
  { G_TLS_SESSION_ERROR_TOO_LATE, "G_TLS_SESSION_ERROR_TOO_LATE", "too-late" },
  { G_TLS_SESSION_ERROR_IDENTITY_MISMATCH, "G_TLS_SESSION_ERROR_IDENTITY_MISMATCH", "identity-mismatch" },
  { G_TLS_SESSION_ERROR_UNSUPPORTED, "G_TLS_SESSION_ERROR_UNSUPPORTED", "unsupported" },
  { G_TLS_SESSION_ERROR_BAD_DATA, "G_TLS_SESSION_ERROR_BAD_DATA", "bad-data" },
  { G_TLS_SESSION_ERROR_STORE, "G_TLS_SESSION_ERROR_STORE", "store" },
  { 0, NULL, NULL },
};

GType
g_tls_session_error_get_type (void)
{
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static (g_intern_static_string ("GTlsSessionError"), error_values));

  return type;
}
