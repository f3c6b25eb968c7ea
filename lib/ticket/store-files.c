/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store-files.h"

#include <errno.h>

#include <openssl/crypto.h>

#include "gtls-session-error.h"
#include "private-file.h"

/* NOTES:
 *
 * The database at PATH, its key at PATH.key unless the program has it, and PATH-wal and PATH-shm, which are SQLite's.
 *
 * Any number of processes may open a store that is not there yet, at the same time. The key is made before the database,
 * and the database is looked for before the key: so who finds a database without its key knows that the key is lost, and
 * makes no other.
 *
 * A PATH-wal without its PATH belongs to a file that was removed. SQLite would read it into the new one.
 */

/* NULL stands for the default. */
char *
g_tls_session_store_files_resolve (const char *path)
{
  return path != NULL ? g_canonicalize_filename (path, NULL)
                      : g_build_filename (g_get_user_state_dir (), "gtls-session", "sessions.db", NULL);
}

/* The key */

static gboolean
fill_key (const char *path, int fd, gpointer data, GError **error)
{
  g_autoptr (GBytes) key = g_tls_session_seal_make_key (error);

  if (key == NULL)
    return FALSE;
  if (g_tls_session_private_file_write (fd, g_bytes_get_data (key, NULL), g_bytes_get_size (key)))
    return TRUE;
  g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE, "Could not write the file %s: %s", path,
               g_strerror (errno));
  return FALSE;
}

static GTlsSessionSeal *
read_seal (const char *key_path, GError **error)
{
  guint8 key[G_TLS_SESSION_SEAL_KEY_SIZE];
  GTlsSessionSeal *seal = NULL;

  if (g_tls_session_private_file_read (key_path, key, sizeof key, error))
    {
      g_autoptr (GBytes) bytes = g_bytes_new_static (key, sizeof key);

      seal = g_tls_session_seal_new (bytes, error);
    }
  OPENSSL_cleanse (key, sizeof key);
  return seal;
}

static GTlsSessionSeal *
find_seal_beside (const char *path, gboolean has_database, GError **error)
{
  g_autofree char *key_path = g_strconcat (path, ".key", NULL);

  switch (g_tls_session_private_file_check (key_path, error))
    {
    case G_TLS_SESSION_PRIVATE_FILE_SOUND:
      return read_seal (key_path, error);
    case G_TLS_SESSION_PRIVATE_FILE_ABSENT:
      if (!has_database)
        return g_tls_session_private_file_create (key_path, fill_key, NULL, error) ? read_seal (key_path, error) : NULL;
      g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE,
                   "The key of the session store %s is not in %s; if it is lost, remove the store", path, key_path);
      return NULL;
    case G_TLS_SESSION_PRIVATE_FILE_UNFIT:
    default:
      return NULL;
    }
}

/* The database */

static gboolean
exists_beside (const char *path, const char *suffix)
{
  g_autofree char *other = g_strconcat (path, suffix, NULL);

  return g_file_test (other, G_FILE_TEST_EXISTS);
}

/* The WAL is looked for first: one that is there before a database that is not cannot be a new one's. */
static GTlsSessionPrivateFileState
look_for_database (const char *path, GError **error)
{
  gboolean has_wal = exists_beside (path, "-wal");
  GTlsSessionPrivateFileState state = g_tls_session_private_file_check (path, error);

  if (state != G_TLS_SESSION_PRIVATE_FILE_ABSENT || !has_wal)
    return state;
  g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE,
               "The session store %s was removed, but not %s-wal, which belongs to it; remove that too", path, path);
  return G_TLS_SESSION_PRIVATE_FILE_UNFIT;
}

static GTlsSessionSeal *
find_seal (const char *path, GBytes *key, gboolean has_database, GError **error)
{
  return key != NULL ? g_tls_session_seal_new (key, error) : find_seal_beside (path, has_database, error);
}

/* Somebody else's file is told as such, and not as one that lacks its key. */
static gboolean
open_present (const char *path,
              GBytes *key,
              guint busy_timeout,
              GTlsSessionStoreDatabase **database,
              GTlsSessionSeal **seal,
              GError **error)
{
  *database = g_tls_session_store_database_open (path, busy_timeout, error);
  if (*database != NULL)
    *seal = find_seal (path, key, TRUE, error);
  return *seal != NULL;
}

static gboolean
open_absent (const char *path,
             GBytes *key,
             guint busy_timeout,
             GTlsSessionStoreDatabase **database,
             GTlsSessionSeal **seal,
             GError **error)
{
  *seal = find_seal (path, key, FALSE, error);
  if (*seal != NULL && g_tls_session_store_database_create (path, *seal, error))
    *database = g_tls_session_store_database_open (path, busy_timeout, error);
  return *database != NULL;
}

/* @key: nullable: it is beside the file. @database and @seal become the caller's, if it succeeds. */
gboolean
g_tls_session_store_files_open (const char *path,
                                GBytes *key,
                                guint busy_timeout,
                                GTlsSessionStoreDatabase **database,
                                GTlsSessionSeal **seal,
                                GError **error)
{
  gboolean opened = FALSE;

  *database = NULL;
  *seal = NULL;
  if (!g_tls_session_private_file_make_directory (path, error))
    return FALSE;

  switch (look_for_database (path, error))
    {
    case G_TLS_SESSION_PRIVATE_FILE_SOUND:
      opened = open_present (path, key, busy_timeout, database, seal, error);
      break;
    case G_TLS_SESSION_PRIVATE_FILE_ABSENT:
      opened = open_absent (path, key, busy_timeout, database, seal, error);
      break;
    case G_TLS_SESSION_PRIVATE_FILE_UNFIT:
    default:
      break;
    }

  if (opened && g_tls_session_store_database_unlock (*database, *seal, error))
    return TRUE;
  g_clear_pointer (database, g_tls_session_store_database_free);
  g_clear_pointer (seal, g_tls_session_seal_free);
  return FALSE;
}
