/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backend.h"

#include "trust/gtls-session-certificate.h"
#include "trust/gtls-session-file-database.h"

#define TYPE_BACKEND (backend_get_type ())
G_DECLARE_FINAL_TYPE (Backend, backend, TEST, BACKEND, GObject)

struct _Backend
{
  GObject parent_instance;
};

static gboolean
supports_tls (GTlsBackend *backend)
{
  return TRUE;
}

static GTlsDatabase *
get_default_database (GTlsBackend *backend)
{
  return G_TLS_DATABASE (g_tls_session_database_get_system (NULL));
}

static void
backend_iface_init (GTlsBackendInterface *iface)
{
  iface->supports_tls = supports_tls;
  iface->get_certificate_type = g_tls_session_certificate_get_type;
  iface->get_file_database_type = g_tls_session_file_database_get_type;
  iface->get_default_database = get_default_database;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (Backend,
                               backend,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_TLS_BACKEND, backend_iface_init))

static void
backend_class_init (BackendClass *class)
{
}

static void
backend_init (Backend *self)
{
}

void
become_the_backend_of_gio (void)
{
  g_io_extension_point_register (G_TLS_BACKEND_EXTENSION_POINT_NAME);
  g_io_extension_point_implement (G_TLS_BACKEND_EXTENSION_POINT_NAME, TYPE_BACKEND, "test-trust", 1000);
  g_assert_true (TEST_IS_BACKEND (g_tls_backend_get_default ()));
}
