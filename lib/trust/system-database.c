/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "database-private.h"

#include "../engine/environment.h"
#include "../engine/openssl-error.h"
#include "certificate-reader.h"
#include "openssl-auto.h"
#include "verify.h"

#include <openssl/x509_vfy.h>

/* NOTES:
 * The system's store: OpenSSL knows directories, in which certificates are found by a hash of their names, and one file
 * with all of them. X509_STORE_set_default_paths() takes both, and so parses all 144 certificates of a Debian 12 before
 * the first handshake (measured: 16 ms, against 0.5 ms). Here the file is read only where it is needed: when
 * $SSL_CERT_FILE names it, or when the directories have no certificate that could be found by hash; and not before
 * somebody verifies: each connection begins with this database, and many are given another one.
 *
 * All of a process's connections share this store, so it must not stay as a moment without memory has left it. OpenSSL
 * passes over what it cannot read in a file, says that all is well, and keeps certificates whose keys it had no memory
 * to decode. So the file is read here, whole or not at all, and again by the next verdict if it was not; and the store
 * is made anew once it shows that OpenSSL has brought a certificate from a directory that was not read whole.
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
  const char *paths = g_tls_session_getenv (X509_get_default_cert_dir_env ());

  return g_strsplit (paths != NULL ? paths : X509_get_default_cert_dir (), G_SEARCHPATH_SEPARATOR_S, -1);
}

static gboolean
directories_suffice (char **directories)
{
  if (g_tls_session_getenv (X509_get_default_cert_file_env ()) != NULL)
    return FALSE;

  for (gsize i = 0; directories[i] != NULL; i++)
    if (has_hashed_names (directories[i]))
      return TRUE;
  return FALSE;
}

static gboolean
add_file (X509_STORE *store)
{
  const char *path = g_tls_session_getenv (X509_get_default_cert_file_env ());
  g_autofree char *contents = NULL;
  g_autoptr (X509Chain) certificates = NULL;
  gsize length;

  if (!g_tls_session_read_file (path != NULL ? path : X509_get_default_cert_file (), &contents, &length, NULL))
    return FALSE;

  certificates = g_tls_session_read_pem_certificates (contents, length, NULL);
  for (int i = 0; i < sk_X509_num (certificates); i++)
    if (X509_STORE_add_cert (store, sk_X509_value (certificates, i)) != 1)
      return FALSE;
  return certificates != NULL;
}

/* OpenSSL itself looks at the environment here, as list_directories() does, but fails where that names none at all. */
static gboolean
add_directories (GTlsSessionDatabase *self)
{
  X509_LOOKUP *by_hash;

  if (self->directories[0] == NULL)
    return TRUE;

  by_hash = X509_STORE_add_lookup (self->store, X509_LOOKUP_hash_dir ());
  return by_hash != NULL && X509_LOOKUP_add_dir (by_hash, NULL, X509_FILETYPE_DEFAULT) == 1;
}

/* What is missing is not trusted, and is looked for again by the next verdict. */
static gboolean
fill_system_store (GTlsSessionDatabase *self)
{
  gboolean filled = add_directories (self) && (directories_suffice (self->directories) || add_file (self->store));

  g_tls_session_openssl_clear_errors ();
  return filled;
}

static X509_STORE *
new_store (void)
{
  X509_STORE *store = X509_STORE_new ();

  if (store != NULL)
    g_tls_session_store_prepare (store);
  return store;
}

/* Not if it is what it is: a key of a kind that OpenSSL does not know. */
static gboolean
can_be_read_better (X509 *certificate)
{
  g_autoptr (X509) again = NULL;

  if (g_tls_session_x509_is_whole (certificate))
    return FALSE;

  again = g_tls_session_x509_read_whole (x509_ref (certificate));
  return again == NULL || g_tls_session_x509_is_whole (again);
}

/* As whole as its certificates can be read. */
static gboolean
is_whole (X509_STORE *store)
{
  g_autoptr (X509Chain) certificates = X509_STORE_get1_all_certs (store);

  for (int i = 0; i < sk_X509_num (certificates); i++)
    if (can_be_read_better (sk_X509_value (certificates, i)))
      return FALSE;
  return certificates != NULL;
}

static gboolean
fill_another_store (GTlsSessionDatabase *self)
{
  X509_STORE *store = new_store ();

  g_tls_session_openssl_clear_errors ();
  if (store == NULL)
    return FALSE;

  X509_STORE_free (self->store); /* whoever uses it has a reference */
  self->store = store;
  self->fill = fill_system_store; /* if it has to be tried again, then with this one */
  return fill_system_store (self);
}

/* A verdict by @store was not good. If that may be because of what is in there, the next one has another. */
void
g_tls_session_database_renew (GTlsSessionDatabase *self, X509_STORE *store)
{
  if (self->directories == NULL || is_whole (store))
    return;

  g_mutex_lock (&self->lock);
  if (self->store == store)
    self->fill = fill_another_store;
  g_mutex_unlock (&self->lock);
}

static GTlsSessionDatabase *
load_system_database (GError **error)
{
  GTlsSessionDatabase *database;
  X509_STORE *store;

  g_tls_session_openssl_clear_errors ();
  store = new_store ();
  if (store == NULL)
    {
      g_autofree char *reason = g_tls_session_openssl_take_errors ();

      g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_MISC, "The system's trust store could not be opened: %s", reason);
      return NULL;
    }

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
 * certificate in the directories. On a system that has neither, nothing is trusted. A file that cannot be read whole is
 * none, and is looked at again when the next certificate is verified.
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
