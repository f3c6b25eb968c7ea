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
 */

/**
 * GTlsSessionDatabase:
 *
 * A set of certificates that are trusted, against which the chain of a peer is verified.
 *
 * [func@GTlsSession.Database.get_system] is the one of this system; [class@GTlsSession.FileDatabase] is made from a file.
 *
 * ```c
 * g_autoptr (GError) error = NULL;
 * GTlsCertificateFlags faults;
 *
 * // As connections do; they have this database unless they are given another.
 * g_autoptr (GTlsSessionDatabase) system = g_tls_session_database_get_system (&error);
 *
 * if (system == NULL)
 *   g_error ("%s", error->message);
 * faults = g_tls_database_verify_chain (G_TLS_DATABASE (system), certificate, G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER,
 *                                       identity, NULL, G_TLS_DATABASE_VERIFY_NONE, NULL, &error);
 * g_print ("%s\n", faults == 0 ? "It is good." : "It is not to be trusted.");
 * ```
 *
 * Verification follows RFC 5280. What is trusted may be a root, an intermediate or a server's own certificate. Keys and
 * signatures of less than 112 bits of security (RSA below 2048 bits, SHA-1) count as `G_TLS_CERTIFICATE_INSECURE`
 * (RFC 9325, section 4). The peer's name is compared as RFC 6125 says. No certificate revocation list is looked at, and
 * nothing is fetched from the network.
 *
 * [method@Gio.TlsDatabase.verify_chain_async] needs no thread. Looking up single certificates may read many files; the
 * asynchronous forms of those methods do it in a thread of Gio's. A handle made by
 * [method@Gio.TlsDatabase.create_certificate_handle] names a certificate by its SHA-256 digest (RFC 6920), so it is good in
 * every process, and for every database of this library that has the same certificate. No certificate of a database has a
 * private key, so a lookup with `G_TLS_DATABASE_LOOKUP_KEYPAIR` finds nothing.
 *
 * It may be used from several threads at once.
 *
 * Since: 0.1
 */
G_DEFINE_TYPE (GTlsSessionDatabase, g_tls_session_database, G_TYPE_TLS_DATABASE)

/* Takes @store (nullable). @mark (nullable): see mark.c. */
void
g_tls_session_database_take_store (GTlsSessionDatabase *self, X509_STORE *store, const char *mark)
{
  X509_STORE *before;

  g_mutex_lock (&self->lock);
  before = self->store;
  self->store = store;
  g_free (self->mark);
  self->mark = g_strdup (mark);
  g_mutex_unlock (&self->lock);

  X509_STORE_free (before);
}

/* Owned by the caller; nullable. */
char *
g_tls_session_database_dup_mark (GTlsSessionDatabase *self)
{
  char *mark;

  g_mutex_lock (&self->lock);
  mark = g_strdup (self->mark);
  g_mutex_unlock (&self->lock);
  return mark;
}

/* With the lock held. Borrowed; nullable: nothing is trusted. */
X509_STORE *
g_tls_session_database_get_filled_store (GTlsSessionDatabase *self)
{
  if (self->fill != NULL && self->fill (self))
    self->fill = NULL;
  return self->store;
}

/* A new reference; nullable: nothing is trusted. */
X509_STORE *
g_tls_session_database_ref_store (GTlsSessionDatabase *self)
{
  X509_STORE *store;

  g_mutex_lock (&self->lock);
  store = g_tls_session_database_get_filled_store (self);
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
  g_autoptr (X509_STORE) store = g_tls_session_database_ref_store (self);
  GTlsCertificateFlags faults = g_tls_session_verify_chain (store, chain, purpose, identity, self->paths);

  if (faults != 0 && store != NULL)
    g_tls_session_database_renew (self, store);
  return faults;
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

static void
g_tls_session_database_finalize (GObject *object)
{
  GTlsSessionDatabase *self = G_TLS_SESSION_DATABASE (object);

  X509_STORE_free (self->store);
  g_free (self->mark);
  g_clear_pointer (&self->paths, g_tls_session_path_memory_free);
  g_strfreev (self->directories);
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
  g_tls_session_database_class_add_lookups (database_class);
}

static void
g_tls_session_database_init (GTlsSessionDatabase *self)
{
  g_mutex_init (&self->lock);
  self->paths = g_tls_session_path_memory_new ();
}
