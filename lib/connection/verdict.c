/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connection-private.h"

#include "../trust/certificate-private.h"
#include "../trust/database-private.h"
#include "../trust/foreign.h"
#include "../trust/verify.h"

/* NOTES:
 *
 * The engine stops in a handshake and asks for a verdict on the peer's chain: the chain the peer sent, or, when the
 * session was resumed, the one that the ticket carries. Both go the same way: before the connection's database, with
 * its identity and flags, and then before the program's accept-certificate handlers: a client's where there are faults, a
 * server's in any case.
 *
 * A database of ours answers at once. Another one may take its time: the sync driver lets it block, the async driver
 * asks it asynchronously. The lock is held for none of this. If two operations ask at the same time, the first verdict
 * counts.
 *
 * A forecast is the same question before the handshake, on the chain that an offered ticket carries. It decides only
 * whether early data may leave before the verdict, so the program is not asked for what it would let pass.
 */

typedef struct
{
  GTlsSessionConnection *connection;
  GTlsSessionCaseKind kind;
  guint settings_serial;
  GTlsDatabase *database; /* nullable */
  GTlsInteraction *interaction;
  gboolean has_identity;        /* the peer is to be somebody in particular */
  GSocketConnectable *identity; /* nullable */
  GTlsCertificateFlags validation_flags;
  const char *purpose;
  STACK_OF (X509) *chain;              /* NULL: the peer showed none */
  GTlsSessionCertificate *certificate; /* the chain, for the program */
  GTlsCertificate *for_database; /* the chain as a database that is not ours takes it; NULL: none is to be asked */

  GTlsSessionAnsweredFunc answered; /* only when asynchronous */
  gpointer answered_data;
} Case;

static void
case_free (Case *self)
{
  g_clear_object (&self->certificate);
  g_clear_object (&self->for_database);
  g_clear_object (&self->database);
  g_clear_object (&self->interaction);
  g_clear_object (&self->identity);
  sk_X509_pop_free (self->chain, X509_free);
  g_object_unref (self->connection);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Case, case_free)

static Case *
open_case (GTlsSessionConnection *connection, GTlsSessionCaseKind kind)
{
  GTlsSessionConnectionClass *class = G_TLS_SESSION_CONNECTION_GET_CLASS (connection);
  STACK_OF (X509) *chain;
  Case *self = g_new0 (Case, 1);

  self->connection = g_object_ref (connection);
  self->kind = kind;
  self->purpose = class->verify_purpose;

  g_mutex_lock (&connection->lock);
  self->settings_serial = connection->settings_serial;
  g_set_object (&self->database, connection->database);
  g_set_object (&self->interaction, connection->interaction);
  self->has_identity = class->dup_peer_identity != NULL;
  self->identity = self->has_identity ? class->dup_peer_identity (connection) : NULL;
  self->validation_flags = class->get_validation_flags != NULL ? class->get_validation_flags (connection)
                                                               : G_TLS_CERTIFICATE_VALIDATE_ALL;
  chain = kind == G_TLS_SESSION_CASE_FORECAST ? class->get_offered_chain (connection)
                                              : class->get_peer_chain (connection);
  if (chain != NULL && sk_X509_num (chain) > 0)
    self->chain = X509_chain_up_ref (chain);
  g_mutex_unlock (&connection->lock);

  if (self->chain != NULL)
    self->certificate = g_tls_session_certificate_new_from_chain (self->chain);
  if (self->certificate != NULL && self->database != NULL && !G_TLS_SESSION_IS_DATABASE (self->database))
    self->for_database = g_tls_session_certificate_for_database (self->certificate, self->database);
  return self;
}

/* Gio: without a database no certificate is trusted, and without an identity none is for the right peer. */
static GTlsCertificateFlags
faults_without_asking (Case *self)
{
  GTlsCertificateFlags faults = 0;

  if (self->certificate == NULL)
    return G_TLS_CERTIFICATE_GENERIC_ERROR;
  if (self->has_identity && self->identity == NULL)
    faults |= G_TLS_CERTIFICATE_BAD_IDENTITY;
  if (self->database == NULL)
    faults |= g_tls_session_verify_chain (NULL, self->chain, self->purpose, self->identity, NULL);
  else if (!G_TLS_SESSION_IS_DATABASE (self->database) && self->for_database == NULL)
    faults |= G_TLS_CERTIFICATE_GENERIC_ERROR; /* nobody can be asked */
  else if (G_TLS_SESSION_IS_DATABASE (self->database))
    faults |= g_tls_session_database_verify (G_TLS_SESSION_DATABASE (self->database), self->chain, self->purpose,
                                             self->identity);
  return faults;
}

static gboolean
program_accepts (Case *self, GTlsCertificateFlags faults)
{
  if (self->certificate == NULL)
    return FALSE;
  return g_tls_connection_emit_accept_certificate (G_TLS_CONNECTION (self->connection),
                                                   G_TLS_CERTIFICATE (self->certificate), faults);
}

/* Gio: a server's program is asked about every certificate, a client's only about faults. No certificate at all is never
 * a matter of flags.
 */
static gboolean
is_accepted (Case *self, GTlsCertificateFlags faults)
{
  GTlsCertificateFlags that_matter = faults & self->validation_flags;

  if (self->has_identity && self->certificate != NULL && that_matter == 0)
    return TRUE;
  return program_accepts (self, that_matter);
}

static void
give_verdict (Case *self, GTlsCertificateFlags faults)
{
  GTlsSessionConnection *connection = self->connection;
  gboolean accepted = is_accepted (self, faults);

  g_mutex_lock (&connection->lock);
  if (g_tls_session_engine_set_verdict (connection->engine, accepted, faults))
    {
      g_set_object (&connection->peer_certificate, (GTlsCertificate *) self->certificate);
      connection->peer_certificate_errors = faults;
      connection->accepted_despite_faults = accepted && faults != 0;
    }
  g_mutex_unlock (&connection->lock);
}

static void
close_case (Case *self, GTlsCertificateFlags faults)
{
  GTlsSessionConnection *connection = self->connection;

  if (self->kind == G_TLS_SESSION_CASE_VERDICT)
    {
      give_verdict (self, faults);
      return;
    }

  g_mutex_lock (&connection->lock);
  G_TLS_SESSION_CONNECTION_GET_CLASS (connection)->note_forecast (connection, self->settings_serial, faults);
  g_mutex_unlock (&connection->lock);
}

/* Blocks where the database does. FALSE with an error if the database could not answer. */
gboolean
g_tls_session_connection_judge (GTlsSessionConnection *self,
                                GTlsSessionCaseKind kind,
                                GCancellable *cancellable,
                                GError **error)
{
  g_autoptr (Case) the_case = open_case (self, kind);
  GTlsCertificateFlags faults = faults_without_asking (the_case);
  GError *local_error = NULL;

  if (the_case->for_database != NULL)
    faults |= g_tls_database_verify_chain (the_case->database, the_case->for_database, the_case->purpose,
                                           the_case->identity, the_case->interaction, G_TLS_DATABASE_VERIFY_NONE,
                                           cancellable, &local_error);
  if (local_error != NULL)
    {
      g_propagate_prefixed_error (error, local_error, "The peer's certificate could not be verified: ");
      return FALSE;
    }

  close_case (the_case, faults);
  return TRUE;
}

static void
on_chain_verified (GObject *database, GAsyncResult *result, gpointer data)
{
  g_autoptr (Case) the_case = data;
  GTlsSessionConnection *connection = the_case->connection;
  GError *error = NULL;
  GTlsCertificateFlags faults = g_tls_database_verify_chain_finish (G_TLS_DATABASE (database), result, &error);

  if (error == NULL)
    close_case (the_case, faults | faults_without_asking (the_case));
  else
    g_prefix_error (&error, "The peer's certificate could not be verified: ");

  g_tls_session_connection_end_question (connection);
  the_case->answered (connection, error, the_case->answered_data);
}

/* Does not block. */
GTlsSessionAnswered
g_tls_session_connection_judge_async (GTlsSessionConnection *self,
                                      GTlsSessionCaseKind kind,
                                      GCancellable *cancellable,
                                      GTlsSessionAnsweredFunc answered,
                                      gpointer data)
{
  g_autoptr (Case) the_case = open_case (self, kind);
  Case *asked;

  if (the_case->for_database == NULL)
    {
      close_case (the_case, faults_without_asking (the_case));
      return G_TLS_SESSION_ANSWERED_NOW;
    }

  if (!g_tls_session_connection_begin_question (self))
    return G_TLS_SESSION_ANSWERED_ELSEWHERE;

  asked = g_steal_pointer (&the_case);
  asked->answered = answered;
  asked->answered_data = data;
  g_tls_database_verify_chain_async (asked->database, asked->for_database, asked->purpose, asked->identity,
                                     asked->interaction, G_TLS_DATABASE_VERIFY_NONE, cancellable, on_chain_verified,
                                     asked);
  return G_TLS_SESSION_ANSWERED_LATER;
}

/* A server's handshake cannot pause for the verdict, so it is asked for within a step. The lock is let go meanwhile, for
 * code of the program's runs; the lane's turn keeps all others from the engine but a close, which in a handshake does
 * not touch OpenSSL. It blocks where the database does, also in an async handshake.
 */
gboolean
g_tls_session_connection_judge_in_step (gpointer connection, GError **error)
{
  GTlsSessionConnection *self = connection;
  GThread **turn = &self->turns[G_TLS_SESSION_LANE_HANDSHAKE];
  gboolean judged;

  *turn = g_thread_self ();
  g_mutex_unlock (&self->lock);
  judged = g_tls_session_connection_judge (self, G_TLS_SESSION_CASE_VERDICT, NULL, error);
  g_mutex_lock (&self->lock);
  *turn = NULL;
  g_tls_session_connection_wake_locked (self);
  if (!judged || self->life == G_TLS_SESSION_LIFE_HANDSHAKING)
    return judged;

  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "The TLS connection was closed in its handshake");
  return FALSE;
}
