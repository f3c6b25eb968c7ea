/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gtls-session-early-data-status.h"

GType
g_tls_session_early_data_status_get_type (void)
{
  static GType type;

  if (g_once_init_enter (&type))
    {
      static const GEnumValue values[] = {
        { G_TLS_SESSION_EARLY_DATA_STATUS_NONE, "G_TLS_SESSION_EARLY_DATA_STATUS_NONE", "none" },
        { G_TLS_SESSION_EARLY_DATA_STATUS_PENDING, "G_TLS_SESSION_EARLY_DATA_STATUS_PENDING", "pending" },
        { G_TLS_SESSION_EARLY_DATA_STATUS_ACCEPTED, "G_TLS_SESSION_EARLY_DATA_STATUS_ACCEPTED", "accepted" },
        { G_TLS_SESSION_EARLY_DATA_STATUS_RESENT, "G_TLS_SESSION_EARLY_DATA_STATUS_RESENT", "resent" },
        { G_TLS_SESSION_EARLY_DATA_STATUS_DEFERRED, "G_TLS_SESSION_EARLY_DATA_STATUS_DEFERRED", "deferred" },
        { G_TLS_SESSION_EARLY_DATA_STATUS_UNSENT, "G_TLS_SESSION_EARLY_DATA_STATUS_UNSENT", "unsent" },
        { G_TLS_SESSION_EARLY_DATA_STATUS_UNCERTAIN, "G_TLS_SESSION_EARLY_DATA_STATUS_UNCERTAIN", "uncertain" },
        { 0, NULL, NULL },
      };

      g_once_init_leave (&type, g_enum_register_static ("GTlsSessionEarlyDataStatus", values));
    }
  return type;
}
