/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backend-private.h"

#include "../connection/gtls-session-client-connection.h"
#include "../connection/gtls-session-server-connection.h"
#include "../trust/database-private.h"
#include "../trust/gtls-session-certificate.h"
#include "../trust/gtls-session-file-database.h"
#include "no-dtls.h"

/**
 * GTlsSessionBackend:
 *
 * The [iface@Gio.TlsBackend] that makes every TLS connection of a GLib program one of this library's.
 *
 * A program gets it without a change when the GIO module of this library is installed and the environment variable
 * `GIO_USE_TLS` is `gtls-session`. From code, [func@GTlsSession.Backend.install] makes it the process's own. It never
 * takes over by itself.
 *
 * [class@Gio.SocketClient] with [property@Gio.SocketClient:tls], libsoup and everything else in that process then have
 * connections that [class@GTlsSession.Helper] can wrap.
 *
 * ```c
 * g_autoptr (GError) error = NULL;
 *
 * if (!g_tls_session_backend_install (&error))
 *   g_warning ("Sessions are not resumed: %s", error->message);
 * ```
 *
 * DTLS is not supported.
 *
 * Since: 0.1
 */

/* NOTES:
 *
 * GIO takes a type into its list of backends once, at the priority it came with first. The module puts
 * GTlsSessionBackend there, behind even GIO's own dummy, so that only GIO_USE_TLS chooses it. Who installs it from code
 * may find it there already, and so brings a type of its own that goes before all others.
 */

struct _GTlsSessionBackend
{
  GObject parent_instance;
};

struct _GTlsSessionBackendClass
{
  GObjectClass parent_class;
};

static void g_tls_session_backend_iface_init (GTlsBackendInterface *iface);

G_DEFINE_TYPE_WITH_CODE (GTlsSessionBackend,
                         g_tls_session_backend,
                         G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (G_TYPE_TLS_BACKEND, g_tls_session_backend_iface_init))

#define MODULE_PRIORITY (-1000) /* GIO's dummy has -100 */
#define INSTALLED_PRIORITY 1000 /* glib-networking's have 0 and less */

static gboolean
supports_tls (GTlsBackend *backend)
{
  return TRUE;
}

static gboolean
supports_dtls (GTlsBackend *backend)
{
  return FALSE;
}

static GTlsDatabase *
get_default_database (GTlsBackend *backend)
{
  g_autoptr (GError) error = NULL;
  GTlsSessionDatabase *database = g_tls_session_database_get_system (&error);

  if (database == NULL)
    g_warning ("The system's certificate authorities cannot be read: %s", error->message);
  return (GTlsDatabase *) database;
}

static void
g_tls_session_backend_iface_init (GTlsBackendInterface *iface)
{
  iface->supports_tls = supports_tls;
  iface->supports_dtls = supports_dtls;
  iface->get_certificate_type = g_tls_session_certificate_get_type;
  iface->get_client_connection_type = g_tls_session_client_connection_get_type;
  iface->get_server_connection_type = g_tls_session_server_connection_get_type;
  iface->get_file_database_type = g_tls_session_file_database_get_type;
  iface->get_default_database = get_default_database;
  iface->get_dtls_client_connection_type = g_tls_session_no_dtls_get_type;
  iface->get_dtls_server_connection_type = g_tls_session_no_dtls_get_type;
}

static void
g_tls_session_backend_class_init (GTlsSessionBackendClass *class)
{
}

/* What a program has set by g_tls_backend_set_default_database(), or else get_default_database() above. */
static GTlsDatabase *
get_default_of_gio (void)
{
  return g_tls_backend_get_default_database (g_tls_backend_get_default ());
}

/* GIO makes one when it has chosen this backend. */
static void
g_tls_session_backend_init (GTlsSessionBackend *self)
{
  g_tls_session_database_set_default_func (get_default_of_gio);
}

/* The one that is installed from code */

typedef GTlsSessionBackend GTlsSessionInstalledBackend;
typedef GTlsSessionBackendClass GTlsSessionInstalledBackendClass;

static GType g_tls_session_installed_backend_get_type (void);

G_DEFINE_TYPE (GTlsSessionInstalledBackend, g_tls_session_installed_backend, G_TLS_SESSION_TYPE_BACKEND)

static void
g_tls_session_installed_backend_class_init (GTlsSessionInstalledBackendClass *class)
{
}

static void
g_tls_session_installed_backend_init (GTlsSessionInstalledBackend *self)
{
}

/* GIO */

static void
implement (GType type, const char *name, int priority)
{
  /* Initialises GIO's list of backends, which is empty before. */
  g_type_ensure (G_TYPE_TLS_BACKEND);
  g_io_extension_point_register (G_TLS_BACKEND_EXTENSION_POINT_NAME);
  g_io_extension_point_implement (G_TLS_BACKEND_EXTENSION_POINT_NAME, type, name, priority);
}

/* What the GIO module does when GIO loads it. */
void
g_tls_session_backend_register (void)
{
  implement (G_TLS_SESSION_TYPE_BACKEND, G_TLS_SESSION_BACKEND_NAME, MODULE_PRIORITY);
}

/**
 * g_tls_session_backend_install:
 * @error: return location for an error
 *
 * Makes this library the TLS backend of this process.
 *
 * To be called before anything else in the process uses TLS, for GIO chooses the backend once. Calling it again is no
 * error.
 *
 * It fails with %G_IO_ERROR_EXISTS if another backend has been chosen already: because something used TLS before, or
 * because the environment variable `GIO_USE_TLS` names another.
 *
 * Returns: %TRUE if this library is the backend now
 * Since: 0.1
 */
gboolean
g_tls_session_backend_install (GError **error)
{
  GTlsBackend *chosen;

  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  implement (g_tls_session_installed_backend_get_type (), G_TLS_SESSION_BACKEND_NAME "-installed", INSTALLED_PRIORITY);
  chosen = g_tls_backend_get_default ();
  if (G_TLS_SESSION_IS_BACKEND (chosen))
    return TRUE;

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS,
               "The TLS backend of this process is %s already: something used TLS before, or GIO_USE_TLS names another",
               G_OBJECT_TYPE_NAME (chosen));
  return FALSE;
}
