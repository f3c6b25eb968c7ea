/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "foreign.h"

/* NOTES:
 *
 * The databases of Gio's default backend take certificates of that backend's own type only, and no others without a
 * critical warning. Gio has no word for which type goes with a database. But it tells the backend's types of file
 * databases and of certificates, and a backend's databases have a class of their own in common. A database that a
 * program wrote itself is none of those; it gets our certificate, which is a GTlsCertificate like any other.
 */

/* The class that a backend's databases have in common: the highest below GTlsDatabase itself. */
static GType
common_class_of (GType database_type)
{
  GType type = database_type;

  while (g_type_parent (type) != 0 && g_type_parent (type) != G_TYPE_TLS_DATABASE)
    type = g_type_parent (type);
  return type;
}

static gboolean
is_of_backend (GTlsDatabase *database, GTlsBackend *backend)
{
  GType file_database_type = g_tls_backend_get_file_database_type (backend);

  return g_type_is_a (file_database_type, G_TYPE_TLS_DATABASE) &&
         g_type_is_a (G_OBJECT_TYPE (database), common_class_of (file_database_type));
}

static GTlsCertificate *
convert (GType type, GTlsCertificate *certificate)
{
  GTlsCertificate *issuer = g_tls_certificate_get_issuer (certificate);
  g_autoptr (GTlsCertificate) converted_issuer = issuer != NULL ? convert (type, issuer) : NULL;
  g_autoptr (GByteArray) der = NULL;

  g_object_get (certificate, "certificate", &der, NULL);
  return g_initable_new (type, NULL, NULL, "certificate", der, "issuer", converted_issuer, NULL);
}

/* @certificate with its issuers, as @database can take it; owned by the caller. NULL if it cannot be converted. */
GTlsCertificate *
g_tls_session_certificate_for_database (GTlsSessionCertificate *certificate, GTlsDatabase *database)
{
  GTlsBackend *backend = g_tls_backend_get_default ();

  if (!is_of_backend (database, backend))
    return g_object_ref (G_TLS_CERTIFICATE (certificate));
  return convert (g_tls_backend_get_certificate_type (backend), G_TLS_CERTIFICATE (certificate));
}
