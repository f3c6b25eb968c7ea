/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gtls-session-resumption.h"

GType
g_tls_session_resumption_get_type (void)
{
  static GType type;

  if (g_once_init_enter (&type))
    {
      static const GEnumValue values[] = {
        { G_TLS_SESSION_RESUMPTION_NONE, "G_TLS_SESSION_RESUMPTION_NONE", "none" },
        { G_TLS_SESSION_RESUMPTION_OFFERED, "G_TLS_SESSION_RESUMPTION_OFFERED", "offered" },
        { G_TLS_SESSION_RESUMPTION_RESUMED, "G_TLS_SESSION_RESUMPTION_RESUMED", "resumed" },
        { G_TLS_SESSION_RESUMPTION_REFUSED, "G_TLS_SESSION_RESUMPTION_REFUSED", "refused" },
        { G_TLS_SESSION_RESUMPTION_UNKNOWN, "G_TLS_SESSION_RESUMPTION_UNKNOWN", "unknown" },
        { 0, NULL, NULL },
      };

      g_once_init_leave (&type, g_enum_register_static ("GTlsSessionResumption", values));
    }
  return type;
}
