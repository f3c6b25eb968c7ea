/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The TLS backend that $GIO_USE_TLS names. Sessions are carried in the way that GIO has for it. */

#include "client-glib.h"

static GTlsDatabase *database;

/* If there is none of that name, GIO takes another one. */
static gboolean
is_wanted (GTlsBackend *backend, const char *name)
{
  GIOExtensionPoint *point = g_io_extension_point_lookup (G_TLS_BACKEND_EXTENSION_POINT_NAME);
  GIOExtension *extension = name != NULL ? g_io_extension_point_get_extension_by_name (point, name) : NULL;

  return extension != NULL && g_io_extension_get_type (extension) == G_OBJECT_TYPE (backend);
}

static void
prepare (const char *ca_path)
{
  GTlsBackend *backend = g_tls_backend_get_default ();

  if (!is_wanted (backend, g_getenv ("GIO_USE_TLS")) || !g_tls_backend_supports_tls (backend))
    bench_fail ("GIO has no such TLS backend");
  if (ca_path == NULL)
    return;
  database = g_tls_file_database_new (ca_path, NULL);
  if (database == NULL)
    bench_fail ("there is no database");
}

static GTlsConnection *
get_connection (GObject *self)
{
  return G_TLS_CONNECTION (self);
}

static GObject *
create (GIOStream *base, GSocketConnectable *identity, GObject *source)
{
  GIOStream *connection = g_tls_client_connection_new (base, identity, NULL);

  if (connection == NULL)
    bench_fail ("there is no connection");
  if (database != NULL)
    g_tls_connection_set_database (G_TLS_CONNECTION (connection), database);
  if (source != NULL)
    g_tls_client_connection_copy_session_state (G_TLS_CLIENT_CONNECTION (connection), G_TLS_CLIENT_CONNECTION (source));
  return G_OBJECT (connection);
}

static GList *
gather (GObject *self)
{
  return g_list_prepend (NULL, g_object_ref (self));
}

const BenchBackend bench_backend = {
  .resumes_by_itself = TRUE,
  .prepare = prepare,
  .create = create,
  .get_connection = get_connection,
  .gather = gather,
};
