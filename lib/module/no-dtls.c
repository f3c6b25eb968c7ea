/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "no-dtls.h"

typedef struct
{
  GObject parent_instance;
} GTlsSessionNoDtls;

typedef struct
{
  GObjectClass parent_class;
} GTlsSessionNoDtlsClass;

static void g_tls_session_no_dtls_initable_init (GInitableIface *iface);

static void
ignore_iface (gpointer iface, gpointer data)
{
}

G_DEFINE_TYPE_WITH_CODE (GTlsSessionNoDtls,
                         g_tls_session_no_dtls,
                         G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, g_tls_session_no_dtls_initable_init)
                           G_IMPLEMENT_INTERFACE (G_TYPE_DATAGRAM_BASED, (GInterfaceInitFunc) ignore_iface)
                             G_IMPLEMENT_INTERFACE (G_TYPE_DTLS_CONNECTION, (GInterfaceInitFunc) ignore_iface)
                               G_IMPLEMENT_INTERFACE (G_TYPE_DTLS_CLIENT_CONNECTION, (GInterfaceInitFunc) ignore_iface)
                                 G_IMPLEMENT_INTERFACE (G_TYPE_DTLS_SERVER_CONNECTION,
                                                        (GInterfaceInitFunc) ignore_iface))

static const char *const property_names[] = {
  "base-socket",          "database",
  "interaction",          "require-close-notify",
  "rehandshake-mode",     "certificate",
  "peer-certificate",     "peer-certificate-errors",
  "advertised-protocols", "negotiated-protocol",
  "protocol-version",     "ciphersuite-name",
  "validation-flags",     "server-identity",
  "accepted-cas",         "authentication-mode",
};

static gboolean
g_tls_session_no_dtls_initable (GInitable *initable, GCancellable *cancellable, GError **error)
{
  g_set_error_literal (error, G_TLS_ERROR, G_TLS_ERROR_UNAVAILABLE, "gtls-session does not support DTLS");
  return FALSE;
}

static void
g_tls_session_no_dtls_initable_init (GInitableIface *iface)
{
  iface->init = g_tls_session_no_dtls_initable;
}

/* It never lives long enough to have any. */

static void
g_tls_session_no_dtls_get_property (GObject *object, guint property_id, GValue *value, GParamSpec *pspec)
{
}

static void
g_tls_session_no_dtls_set_property (GObject *object, guint property_id, const GValue *value, GParamSpec *pspec)
{
}

static void
g_tls_session_no_dtls_class_init (GTlsSessionNoDtlsClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->get_property = g_tls_session_no_dtls_get_property;
  object_class->set_property = g_tls_session_no_dtls_set_property;
  for (guint i = 0; i < G_N_ELEMENTS (property_names); i++)
    g_object_class_override_property (object_class, i + 1, property_names[i]);
}

static void
g_tls_session_no_dtls_init (GTlsSessionNoDtls *self)
{
}
