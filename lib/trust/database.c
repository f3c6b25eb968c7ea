/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "database-private.h"

#include "../engine/openssl-error.h"
#include "certificate-private.h"
#include "openssl-auto.h"
#include "verify.h"

#include <string.h>

#include <openssl/x509_vfy.h>

/* NOTES:
 *
 * A database is one X509_STORE, loaded once and shared by everyone who verifies against it, from any thread: OpenSSL
 * locks a store itself, and each verification has a context of its own. Only the pointer to it can change (a file
 * database may be given another file), which our lock covers; a verification under way keeps the store it began with.
 *
 * A verdict is CPU work of well under a millisecond, and at most a few small files. So the asynchronous call judges at
 * once and has no thread; its callback still comes later, from the caller's main context, as GTask sees to.
 *
 * The system's store: OpenSSL knows directories, in which certificates are found by a hash of their names, and one file
 * with all of them. X509_STORE_set_default_paths() takes both, and so parses all 144 certificates of a Debian 12 before
 * the first handshake (measured: 16 ms, against 0.5 ms). Here the file is read only where it is needed: when
 * $SSL_CERT_FILE names it, or when the directories have no certificate that could be found by hash.
 */

/**
 * GTlsSessionDatabase:
 *
 * A set of certificates that are trusted, against which the chain of a peer is verified.
 *
 * [func@GTlsSession.Database.get_system] is the one of this system; [class@GTlsSession.FileDatabase] is made from a file.
 *
 * Verification follows RFC 5280. What is trusted may be a root, an intermediate or a server's own certificate. Keys and
 * signatures of less than 112 bits of security (RSA below 2048 bits, SHA-1) count as `G_TLS_CERTIFICATE_INSECURE`
 * (RFC 9325, section 4). The peer's name is compared as RFC 6125 says. No certificate revocation list is looked at, and
 * nothing is fetched from the network.
 *
 * [method@Gio.TlsDatabase.verify_chain_async] needs no thread. Looking up single certificates is not supported yet: those
 * methods fail with `G_IO_ERROR_NOT_SUPPORTED`.
 *
 * It may be used from several threads at once.
 *
 * Since: 0.1
 */
G_DEFINE_TYPE (GTlsSessionDatabase, g_tls_session_database, G_TYPE_TLS_DATABASE)

/* Takes @store (nullable). */
void
g_tls_session_database_take_store (GTlsSessionDatabase *self, X509_STORE *store)
{
  X509_STORE *before;

  g_mutex_lock (&self->lock);
  before = self->store;
  self->store = store;
  g_mutex_unlock (&self->lock);

  X509_STORE_free (before);
}

static X509_STORE *
ref_store (GTlsSessionDatabase *self)
{
  X509_STORE *store;

  g_mutex_lock (&self->lock);
  store = self->store;
  if (store != NULL && X509_STORE_up_ref (store) != 1)
    store = NULL;
  g_mutex_unlock (&self->lock);
  return store;
}

/* The verdict on @chain, leaf first; see g_tls_session_verify_chain(). Does not wait for anything. */
GTlsCertificateFlags
g_tls_session_database_verify (GTlsSessionDatabase *self,
                               STACK_OF (X509) *chain,
                               const char *purpose,
                               GSocketConnectable *identity)
{
  g_autoptr (X509_STORE) store = ref_store (self);

  return g_tls_session_verify_chain (store, chain, purpose, identity);
}

/* Verifying, as Gio calls it */

static GTlsCertificateFlags
g_tls_session_database_verify_chain (GTlsDatabase *database,
                                     GTlsCertificate *certificate,
                                     const char *purpose,
                                     GSocketConnectable *identity,
                                     GTlsInteraction *interaction,
                                     GTlsDatabaseVerifyFlags flags,
                                     GCancellable *cancellable,
                                     GError **error)
{
  g_autoptr (X509Chain) chain = NULL;

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return G_TLS_CERTIFICATE_GENERIC_ERROR;

  chain = g_tls_session_chain_from_certificate (certificate);
  if (chain == NULL)
    {
      g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
                   "The chain cannot be verified: a certificate in it (%s) cannot be read",
                   G_OBJECT_TYPE_NAME (certificate));
      return G_TLS_CERTIFICATE_GENERIC_ERROR;
    }

  return g_tls_session_database_verify (G_TLS_SESSION_DATABASE (database), chain, purpose, identity);
}

static void
g_tls_session_database_verify_chain_async (GTlsDatabase *database,
                                           GTlsCertificate *certificate,
                                           const char *purpose,
                                           GSocketConnectable *identity,
                                           GTlsInteraction *interaction,
                                           GTlsDatabaseVerifyFlags flags,
                                           GCancellable *cancellable,
                                           GAsyncReadyCallback callback,
                                           gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (database, cancellable, callback, user_data);
  GError *error = NULL;
  GTlsCertificateFlags faults;

  g_task_set_source_tag (task, g_tls_session_database_verify_chain_async);
  g_task_set_name (task, "[gtls-session] verify chain");

  faults = g_tls_session_database_verify_chain (database, certificate, purpose, identity, interaction, flags,
                                                cancellable, &error);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_int (task, faults);
}

static GTlsCertificateFlags
g_tls_session_database_verify_chain_finish (GTlsDatabase *database, GAsyncResult *result, GError **error)
{
  gssize faults;

  g_return_val_if_fail (g_task_is_valid (result, database), G_TLS_CERTIFICATE_GENERIC_ERROR);

  faults = g_task_propagate_int (G_TASK (result), error);
  return faults >= 0 ? (GTlsCertificateFlags) faults : G_TLS_CERTIFICATE_GENERIC_ERROR;
}

/* Looking up certificates: not yet */

static void
set_lookup_error (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                       "Looking up certificates in a database is not supported yet");
}

static void
return_lookup_error (gpointer database,
                     GCancellable *cancellable,
                     GAsyncReadyCallback callback,
                     gpointer user_data,
                     gpointer tag)
{
  g_autoptr (GTask) task = g_task_new (database, cancellable, callback, user_data);
  GError *error = NULL;

  g_task_set_source_tag (task, tag);
  set_lookup_error (&error);
  g_task_return_error (task, error);
}

static char *
g_tls_session_database_create_certificate_handle (GTlsDatabase *database, GTlsCertificate *certificate)
{
  return NULL;
}

static GTlsCertificate *
g_tls_session_database_lookup_certificate_for_handle (GTlsDatabase *database,
                                                      const char *handle,
                                                      GTlsInteraction *interaction,
                                                      GTlsDatabaseLookupFlags flags,
                                                      GCancellable *cancellable,
                                                      GError **error)
{
  set_lookup_error (error);
  return NULL;
}

static void
g_tls_session_database_lookup_certificate_for_handle_async (GTlsDatabase *database,
                                                            const char *handle,
                                                            GTlsInteraction *interaction,
                                                            GTlsDatabaseLookupFlags flags,
                                                            GCancellable *cancellable,
                                                            GAsyncReadyCallback callback,
                                                            gpointer user_data)
{
  return_lookup_error (database, cancellable, callback, user_data,
                       g_tls_session_database_lookup_certificate_for_handle_async);
}

static GTlsCertificate *
g_tls_session_database_lookup_certificate_issuer (GTlsDatabase *database,
                                                  GTlsCertificate *certificate,
                                                  GTlsInteraction *interaction,
                                                  GTlsDatabaseLookupFlags flags,
                                                  GCancellable *cancellable,
                                                  GError **error)
{
  set_lookup_error (error);
  return NULL;
}

static void
g_tls_session_database_lookup_certificate_issuer_async (GTlsDatabase *database,
                                                        GTlsCertificate *certificate,
                                                        GTlsInteraction *interaction,
                                                        GTlsDatabaseLookupFlags flags,
                                                        GCancellable *cancellable,
                                                        GAsyncReadyCallback callback,
                                                        gpointer user_data)
{
  return_lookup_error (database, cancellable, callback, user_data,
                       g_tls_session_database_lookup_certificate_issuer_async);
}

static GTlsCertificate *
finish_certificate_lookup (GTlsDatabase *database, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, database), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

static GList *
g_tls_session_database_lookup_certificates_issued_by (GTlsDatabase *database,
                                                      GByteArray *issuer_raw_dn,
                                                      GTlsInteraction *interaction,
                                                      GTlsDatabaseLookupFlags flags,
                                                      GCancellable *cancellable,
                                                      GError **error)
{
  set_lookup_error (error);
  return NULL;
}

static void
g_tls_session_database_lookup_certificates_issued_by_async (GTlsDatabase *database,
                                                            GByteArray *issuer_raw_dn,
                                                            GTlsInteraction *interaction,
                                                            GTlsDatabaseLookupFlags flags,
                                                            GCancellable *cancellable,
                                                            GAsyncReadyCallback callback,
                                                            gpointer user_data)
{
  return_lookup_error (database, cancellable, callback, user_data,
                       g_tls_session_database_lookup_certificates_issued_by_async);
}

static GList *
g_tls_session_database_lookup_certificates_issued_by_finish (GTlsDatabase *database,
                                                             GAsyncResult *result,
                                                             GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, database), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
g_tls_session_database_finalize (GObject *object)
{
  GTlsSessionDatabase *self = G_TLS_SESSION_DATABASE (object);

  X509_STORE_free (self->store);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (g_tls_session_database_parent_class)->finalize (object);
}

static void
g_tls_session_database_class_init (GTlsSessionDatabaseClass *class)
{
  GTlsDatabaseClass *database_class = G_TLS_DATABASE_CLASS (class);

  G_OBJECT_CLASS (class)->finalize = g_tls_session_database_finalize;

  database_class->verify_chain = g_tls_session_database_verify_chain;
  database_class->verify_chain_async = g_tls_session_database_verify_chain_async;
  database_class->verify_chain_finish = g_tls_session_database_verify_chain_finish;
  database_class->create_certificate_handle = g_tls_session_database_create_certificate_handle;
  database_class->lookup_certificate_for_handle = g_tls_session_database_lookup_certificate_for_handle;
  database_class->lookup_certificate_for_handle_async = g_tls_session_database_lookup_certificate_for_handle_async;
  database_class->lookup_certificate_for_handle_finish = finish_certificate_lookup;
  database_class->lookup_certificate_issuer = g_tls_session_database_lookup_certificate_issuer;
  database_class->lookup_certificate_issuer_async = g_tls_session_database_lookup_certificate_issuer_async;
  database_class->lookup_certificate_issuer_finish = finish_certificate_lookup;
  database_class->lookup_certificates_issued_by = g_tls_session_database_lookup_certificates_issued_by;
  database_class->lookup_certificates_issued_by_async = g_tls_session_database_lookup_certificates_issued_by_async;
  database_class->lookup_certificates_issued_by_finish = g_tls_session_database_lookup_certificates_issued_by_finish;
}

static void
g_tls_session_database_init (GTlsSessionDatabase *self)
{
  g_mutex_init (&self->lock);
}

/* The system's */

/* "5ed36f99.0": what c_rehash and `openssl rehash` make. */
static gboolean
is_hashed_name (const char *name)
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
    if (is_hashed_name (name))
      return TRUE;
  return FALSE;
}

static gboolean
directories_suffice (void)
{
  const char *paths = g_getenv (X509_get_default_cert_dir_env ());
  g_auto (GStrv) list = NULL;

  if (g_getenv (X509_get_default_cert_file_env ()) != NULL)
    return FALSE;

  list = g_strsplit (paths != NULL ? paths : X509_get_default_cert_dir (), G_SEARCHPATH_SEPARATOR_S, -1);
  for (gsize i = 0; list[i] != NULL; i++)
    if (has_hashed_names (list[i]))
      return TRUE;
  return FALSE;
}

/* OpenSSL itself reads the two environment variables here, unless the program runs with somebody else's rights. */
static X509_STORE *
load_system_store (void)
{
  g_autoptr (X509_STORE) store = X509_STORE_new ();
  X509_LOOKUP *by_hash;

  if (store == NULL)
    return NULL;

  if (!directories_suffice ())
    return X509_STORE_set_default_paths (store) == 1 ? g_steal_pointer (&store) : NULL;

  by_hash = X509_STORE_add_lookup (store, X509_LOOKUP_hash_dir ());
  if (by_hash == NULL || X509_LOOKUP_add_dir (by_hash, NULL, X509_FILETYPE_DEFAULT) != 1)
    return NULL;
  return g_steal_pointer (&store);
}

static GTlsSessionDatabase *
load_system_database (GError **error)
{
  GTlsSessionDatabase *database;
  X509_STORE *store;

  g_tls_session_openssl_clear_errors ();
  store = load_system_store ();
  if (store == NULL)
    {
      g_autofree char *reason = g_tls_session_openssl_take_errors ();

      g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_MISC, "The system's trust store could not be opened: %s", reason);
      return NULL;
    }
  g_tls_session_openssl_clear_errors ();

  database = g_object_new (G_TLS_SESSION_TYPE_DATABASE, NULL);
  g_tls_session_database_take_store (database, store);
  return database;
}

/**
 * g_tls_session_database_get_system:
 * @error: return location for an error
 *
 * Gets the database of the certificates that this system trusts.
 *
 * There is one in a process. It is opened by the first call and uses OpenSSL's places: the directories in
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
