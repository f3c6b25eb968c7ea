/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "database-private.h"

#include "../engine/openssl-error.h"
#include "openssl-auto.h"
#include "verify.h"

#include <openssl/x509_vfy.h>

/* NOTES:
 * The system's store: OpenSSL knows directories, in which certificates are found by a hash of their names, and one file
 * with all of them. X509_STORE_set_default_paths() takes both, and so parses all 144 certificates of a Debian 12 before
 * the first handshake (measured: 16 ms, against 0.5 ms). Here the file is read only where it is needed: when
 * $SSL_CERT_FILE names it, or when the directories have no certificate that could be found by hash; and not before
 * somebody verifies: each connection begins with this database, and many are given another one.
 */

#define SYSTEM_MARK "the system's"

/* "5ed36f99.0": what c_rehash and `openssl rehash` make. */
gboolean
g_tls_session_is_hashed_name (const char *name)
{
  gsize i;

  for (i = 0; i < 8; i++)
    if (!g_ascii_isxdigit (name[i]))
      return FALSE;
  return name[i] == '.' && g_ascii_isdigit (name[i + 1]);
}

static gboolean
has_hashed_names (const char *path)
{
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    if (g_tls_session_is_hashed_name (name))
      return TRUE;
  return FALSE;
}

static char **
list_directories (void)
{
  const char *paths = g_getenv (X509_get_default_cert_dir_env ());

  return g_strsplit (paths != NULL ? paths : X509_get_default_cert_dir (), G_SEARCHPATH_SEPARATOR_S, -1);
}

static gboolean
directories_suffice (char **directories)
{
  if (g_getenv (X509_get_default_cert_file_env ()) != NULL)
    return FALSE;

  for (gsize i = 0; directories[i] != NULL; i++)
    if (has_hashed_names (directories[i]))
      return TRUE;
  return FALSE;
}

/* OpenSSL itself reads the two environment variables here, unless the program runs with somebody else's rights. Without
 * memory for it the store stays as it is, nothing is trusted, and the next verdict tries again.
 */
static gboolean
fill_system_store (GTlsSessionDatabase *self)
{
  X509_LOOKUP *by_hash = NULL;
  int filled;

  if (directories_suffice (self->directories))
    by_hash = X509_STORE_add_lookup (self->store, X509_LOOKUP_hash_dir ());

  if (by_hash != NULL)
    filled = X509_LOOKUP_add_dir (by_hash, NULL, X509_FILETYPE_DEFAULT);
  else
    filled = X509_STORE_set_default_paths (self->store);
  g_tls_session_openssl_clear_errors ();
  return filled == 1;
}

static GTlsSessionDatabase *
load_system_database (GError **error)
{
  GTlsSessionDatabase *database;
  X509_STORE *store;

  g_tls_session_openssl_clear_errors ();
  store = X509_STORE_new ();
  if (store == NULL)
    {
      g_autofree char *reason = g_tls_session_openssl_take_errors ();

      g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_MISC, "The system's trust store could not be opened: %s", reason);
      return NULL;
    }
  g_tls_session_store_prepare (store);

  database = g_object_new (G_TLS_SESSION_TYPE_DATABASE, NULL);
  g_tls_session_database_take_store (database, store, SYSTEM_MARK);
  database->directories = list_directories ();
  database->fill = fill_system_store;
  return database;
}

/**
 * g_tls_session_database_get_system:
 * @error: return location for an error
 *
 * Gets the database of the certificates that this system trusts.
 *
 * There is one in a process. It is read when a certificate is first looked for, from OpenSSL's places: the directories in
 * `$SSL_CERT_DIR` or OpenSSL's own (on Debian `/etc/ssl/certs`), where certificates are found by a hash of their names
 * when they are needed. The file in `$SSL_CERT_FILE` is read if that is set, and OpenSSL's own file if there is no such
 * certificate in the directories. On a system that has neither, nothing is trusted.
 *
 * It fails with `G_TLS_ERROR_MISC` if OpenSSL cannot set up a trust store at all.
 *
 * Returns: (transfer full): the database, or %NULL with @error set
 *
 * Since: 0.1
 */
GTlsSessionDatabase *
g_tls_session_database_get_system (GError **error)
{
  static GMutex lock;
  static GTlsSessionDatabase *system_database;
  GTlsSessionDatabase *database = NULL;

  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  g_mutex_lock (&lock);
  if (system_database == NULL)
    system_database = load_system_database (error);
  if (system_database != NULL)
    database = g_object_ref (system_database);
  g_mutex_unlock (&lock);
  return database;
}

/* The default of connections */

static GTlsSessionDefaultDatabaseFunc default_func; /* atomic; nullable */

/* By g_tls_backend_set_default_database() a program chooses the default of its connections. Whether that is for this
 * library's to follow only its GTlsBackend knows, which is further up the stairs.
 */
void
g_tls_session_database_set_default_func (GTlsSessionDefaultDatabaseFunc func)
{
  g_atomic_pointer_set (&default_func, func);
}

/* Owned by the caller; NULL if OpenSSL cannot set up a trust store at all, and then nothing is trusted. */
GTlsDatabase *
g_tls_session_database_get_default (void)
{
  GTlsSessionDefaultDatabaseFunc func = g_atomic_pointer_get (&default_func);

  return func != NULL ? func () : (GTlsDatabase *) g_tls_session_database_get_system (NULL);
}
