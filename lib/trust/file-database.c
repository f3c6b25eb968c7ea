/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gtls-session-file-database.h"

#include "../engine/openssl-error.h"
#include "certificate-reader.h"
#include "database-private.h"
#include "openssl-auto.h"
#include "verify.h"

#include <openssl/x509_vfy.h>

struct _GTlsSessionFileDatabase
{
  GTlsSessionDatabase parent_instance;

  GMutex lock; /* covers what follows */
  char *anchors;
  gboolean loaded;
};

struct _GTlsSessionFileDatabaseClass
{
  GTlsSessionDatabaseClass parent_class;
};

enum
{
  PROP_0,
  PROP_ANCHORS,
};

static void initable_iface_init (GInitableIface *iface);

static void
file_database_iface_init (GTlsFileDatabaseInterface *iface)
{
}

/**
 * GTlsSessionFileDatabase:
 *
 * A [class@GTlsSession.Database] of the certificates in a file.
 *
 * ```c
 * g_autoptr (GError) error = NULL;
 * g_autoptr (GTlsSessionFileDatabase) anchors = g_tls_session_file_database_new ("/etc/our-company/ca.pem", &error);
 *
 * if (anchors == NULL)
 *   g_error ("%s", error->message);
 * g_tls_connection_set_database (G_TLS_CONNECTION (connection), G_TLS_DATABASE (anchors));
 * ```
 *
 * Each certificate in the file is trusted, be it a root, an intermediate or a server's own. The file holds any number of
 * certificates in PEM, or one in DER. It is read once, when the database is made; a private key in it is passed over.
 *
 * Since: 0.1
 */
G_DEFINE_FINAL_TYPE_WITH_CODE (GTlsSessionFileDatabase,
                               g_tls_session_file_database,
                               G_TLS_SESSION_TYPE_DATABASE,
                               G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, initable_iface_init)
                                 G_IMPLEMENT_INTERFACE (G_TYPE_TLS_FILE_DATABASE, file_database_iface_init))

static X509Chain *
read_anchors (const char *path, GError **error)
{
  g_autofree char *contents = NULL;
  X509Chain *certificates;
  gsize length;

  if (!g_tls_session_read_file (path, &contents, &length, error))
    {
      g_prefix_error (error, "The trust anchors could not be read, so nothing is trusted: ");
      return NULL;
    }

  certificates = g_tls_session_read_certificates (contents, length, error);
  if (certificates == NULL)
    g_prefix_error (error, "The file of trust anchors %s is of no use, so nothing is trusted: ", path);

  OPENSSL_cleanse (contents, length); /* somebody's key, perhaps */
  return certificates;
}

/* The same for the same certificates, in whichever file they are. NULL if OpenSSL fails. */
static char *
digest_anchors (X509Chain *certificates)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);

  for (int i = 0; i < sk_X509_num (certificates); i++)
    {
      guint8 digest[EVP_MAX_MD_SIZE];
      unsigned int length;

      if (X509_digest (sk_X509_value (certificates, i), EVP_sha256 (), digest, &length) != 1)
        return NULL;
      g_checksum_update (checksum, digest, length);
    }
  return g_strdup (g_checksum_get_string (checksum));
}

static X509_STORE *
load_store (const char *path, char **mark, GError **error)
{
  g_autoptr (X509Chain) certificates = read_anchors (path, error);
  X509_STORE *store;

  if (certificates == NULL)
    return NULL;

  *mark = digest_anchors (certificates);
  store = g_tls_session_store_new (certificates);
  if (store == NULL)
    {
      g_autofree char *reason = g_tls_session_openssl_take_errors ();

      g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_MISC,
                   "A trust store with the certificates of %s could not be made: %s", path, reason);
    }
  return store;
}

/* Without a file, or with one that is not sound, nothing is trusted. Only the latter is an error. */
static gboolean
load (GTlsSessionFileDatabase *self, GError **error)
{
  g_autofree char *mark = NULL;
  X509_STORE *store = NULL;
  gboolean sound = TRUE;

  g_mutex_lock (&self->lock);
  if (self->anchors != NULL)
    {
      store = load_store (self->anchors, &mark, error);
      sound = store != NULL;
    }
  self->loaded = TRUE;
  g_tls_session_database_take_store (G_TLS_SESSION_DATABASE (self), store, mark);
  g_mutex_unlock (&self->lock);
  return sound;
}

static gboolean
g_tls_session_file_database_initable_init (GInitable *initable, GCancellable *cancellable, GError **error)
{
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  return load (G_TLS_SESSION_FILE_DATABASE (initable), error);
}

static void
initable_iface_init (GInitableIface *iface)
{
  iface->init = g_tls_session_file_database_initable_init;
}

/* Gio lets `anchors` be set at any time. Once loaded, another file takes the place of the first. */
static void
set_anchors (GTlsSessionFileDatabase *self, const char *path)
{
  g_autoptr (GError) error = NULL;
  gboolean loaded;

  g_mutex_lock (&self->lock);
  g_free (self->anchors);
  self->anchors = g_strdup (path);
  loaded = self->loaded;
  g_mutex_unlock (&self->lock);

  if (loaded && !load (self, &error))
    g_warning ("%s", error->message);
}

static void
g_tls_session_file_database_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  switch (id)
    {
    case PROP_ANCHORS:
      set_anchors (G_TLS_SESSION_FILE_DATABASE (object), g_value_get_string (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
g_tls_session_file_database_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GTlsSessionFileDatabase *self = G_TLS_SESSION_FILE_DATABASE (object);

  switch (id)
    {
    case PROP_ANCHORS:
      g_mutex_lock (&self->lock);
      g_value_set_string (value, self->anchors);
      g_mutex_unlock (&self->lock);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
g_tls_session_file_database_finalize (GObject *object)
{
  GTlsSessionFileDatabase *self = G_TLS_SESSION_FILE_DATABASE (object);

  g_free (self->anchors);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (g_tls_session_file_database_parent_class)->finalize (object);
}

static void
g_tls_session_file_database_class_init (GTlsSessionFileDatabaseClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->set_property = g_tls_session_file_database_set_property;
  object_class->get_property = g_tls_session_file_database_get_property;
  object_class->finalize = g_tls_session_file_database_finalize;

  g_object_class_override_property (object_class, PROP_ANCHORS, "anchors");
}

static void
g_tls_session_file_database_init (GTlsSessionFileDatabase *self)
{
  g_mutex_init (&self->lock);
}

/**
 * g_tls_session_file_database_new:
 * @anchors: (type filename): the file with the certificates to trust, in PEM or DER
 * @error: return location for an error
 *
 * Makes a database that trusts the certificates in a file, and no others.
 *
 * It fails with an error of the domain `G_FILE_ERROR` if the file cannot be read, and with
 * `G_TLS_ERROR_BAD_CERTIFICATE` if there is no certificate in it or if one of them is corrupt: a file that is half right
 * trusts nothing.
 *
 * Returns: (transfer full): the database, or %NULL with @error set
 *
 * Since: 0.1
 */
GTlsSessionFileDatabase *
g_tls_session_file_database_new (const char *anchors, GError **error)
{
  g_return_val_if_fail (anchors != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return g_initable_new (G_TLS_SESSION_TYPE_FILE_DATABASE, NULL, error, "anchors", anchors, NULL);
}
