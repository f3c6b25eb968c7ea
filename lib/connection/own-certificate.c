/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connection-private.h"

#include <string.h>

/* NOTES:
 *
 * Finds our own certificate when the handshake asks for it: a server's when a client has said hello, a client's where
 * the server asks for one. It is the connection's certificate. A client without one asks its GTlsInteraction, and of an
 * encrypted private key the password is asked for. Where that leads to nothing, a client goes on without a certificate,
 * and the reason is told if the server then insists.
 *
 * The sync driver lets the interaction block. The async driver asks it asynchronously, if it can be asked so: one that
 * only has the blocking functions is called in the main context, as Gio's own g_tls_interaction_invoke_… do.
 */

#define PASSWORD_TRIES 3

typedef struct
{
  GTlsSessionConnection *connection;
  GTlsInteraction *interaction;        /* nullable */
  GCancellable *cancellable;           /* nullable */
  GTlsSessionCertificate *certificate; /* what has been found; nullable */
  GTlsPassword *password;              /* what is being asked for */
  guint tries;
  GError *reason; /* why there is none; nullable */

  GTlsSessionAnsweredFunc answered; /* only when asynchronous */
  gpointer answered_data;
} Search;

static void
search_free (Search *self)
{
  g_clear_object (&self->interaction);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->certificate);
  g_clear_object (&self->password);
  g_clear_error (&self->reason);
  g_object_unref (self->connection);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Search, search_free)

/* Those of @certificate, as text: what it is shown with. */
static char *
list_issuers (GTlsCertificate *certificate)
{
  GString *text = g_string_new (NULL);
  GTlsCertificate *issuer = g_tls_certificate_get_issuer (certificate);

  for (int i = 0; issuer != NULL && i < G_TLS_SESSION_MAX_CHAIN_LENGTH; i++)
    {
      g_autofree char *pem = NULL;

      g_object_get (issuer, "certificate-pem", &pem, NULL);
      g_string_append_printf (text, "\n%s", pem != NULL ? pem : "");
      issuer = g_tls_certificate_get_issuer (issuer);
    }
  return g_string_free (text, FALSE);
}

/* Another backend's certificate becomes one of ours, if it gives its private key away. Owned by the caller. */
static GTlsSessionCertificate *
adopt_certificate (GTlsCertificate *certificate, GError **error)
{
  g_autofree char *certificate_pem = NULL;
  g_autofree char *key_pem = NULL;
  g_autofree char *issuers = NULL;
  GTlsSessionCertificate *adopted;
  char *pem;

  if (G_TLS_SESSION_IS_CERTIFICATE (certificate))
    return G_TLS_SESSION_CERTIFICATE (g_object_ref (certificate));

  g_object_get (certificate, "certificate-pem", &certificate_pem, "private-key-pem", &key_pem, NULL);
  if (certificate_pem == NULL || key_pem == NULL)
    {
      if (key_pem != NULL)
        OPENSSL_cleanse (key_pem, strlen (key_pem));
      g_set_error_literal (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
                           "The connection's own certificate is another TLS backend's, which does not give its private "
                           "key away");
      return NULL;
    }

  issuers = list_issuers (certificate);
  pem = g_strconcat (certificate_pem, "\n", key_pem, issuers, NULL);
  adopted = g_tls_session_certificate_new_from_pem (pem, -1, error);
  OPENSSL_cleanse (key_pem, strlen (key_pem));
  OPENSSL_cleanse (pem, strlen (pem));
  g_free (pem);
  return adopted;
}

/* Looks at what the program has set, perhaps just now. */
static void
look_at_connection (Search *self)
{
  g_autoptr (GTlsCertificate) certificate = NULL;

  g_mutex_lock (&self->connection->lock);
  g_set_object (&certificate, self->connection->certificate);
  g_mutex_unlock (&self->connection->lock);

  g_clear_object (&self->certificate);
  if (certificate == NULL)
    return;

  self->certificate = adopt_certificate (certificate, self->reason == NULL ? &self->reason : NULL);
}

static Search *
search_new (GTlsSessionConnection *connection, GCancellable *cancellable)
{
  Search *self = g_new0 (Search, 1);

  self->connection = g_object_ref (connection);
  g_set_object (&self->cancellable, cancellable);
  g_mutex_lock (&connection->lock);
  g_set_object (&self->interaction, connection->interaction);
  g_mutex_unlock (&connection->lock);
  look_at_connection (self);
  return self;
}

/* Asking for a certificate */

static gboolean
needs_request (Search *self)
{
  return self->certificate == NULL && self->reason == NULL && self->interaction != NULL &&
         G_TLS_SESSION_CONNECTION_GET_CLASS (self->connection)->asks_for_certificate;
}

/* @error is taken. */
static void
note_request (Search *self, GTlsInteractionResult result, GError *error)
{
  if (result == G_TLS_INTERACTION_FAILED)
    self->reason = error;
  else
    look_at_connection (self);
}

/* Asking for a password */

static gboolean
needs_password (Search *self)
{
  return self->certificate != NULL && self->reason == NULL && g_tls_session_certificate_is_locked (self->certificate);
}

static GError *
error_without_password (void)
{
  return g_error_new_literal (
    G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE_PASSWORD,
    "The private key of the connection's certificate is encrypted, and no password was given");
}

static GTlsPasswordFlags
flags_of_try (guint n)
{
  GTlsPasswordFlags flags = G_TLS_PASSWORD_NONE;

  if (n > 0)
    flags |= G_TLS_PASSWORD_RETRY;
  if (n == PASSWORD_TRIES - 1)
    flags |= G_TLS_PASSWORD_FINAL_TRY;
  return flags;
}

static GTlsPassword *
begin_try (Search *self)
{
  g_autofree char *subject = g_tls_certificate_get_subject_name (G_TLS_CERTIFICATE (self->certificate));
  g_autofree char *description = subject != NULL ? g_strdup_printf ("the private key of %s", subject)
                                                 : g_strdup ("the private key");

  g_clear_object (&self->password);
  self->password = g_tls_password_new (flags_of_try (self->tries), description);
  self->tries++;
  return self->password;
}

/* @error is taken. */
static void
note_password (Search *self, GTlsInteractionResult result, GError *error)
{
  GError *wrong = NULL;
  const guint8 *value;
  gsize length = 0;

  if (result != G_TLS_INTERACTION_HANDLED)
    {
      self->reason = error != NULL ? error : error_without_password ();
      return;
    }

  value = g_tls_password_get_value (self->password, &length);
  if (g_tls_session_certificate_unlock (self->certificate, value, length, &wrong))
    return;
  if (self->tries < PASSWORD_TRIES)
    g_clear_error (&wrong);
  else
    self->reason = wrong;
}

/* The answer */

static gboolean
give_certificate (Search *self, GError **error)
{
  STACK_OF (X509) *chain = g_tls_session_chain_from_certificate (G_TLS_CERTIFICATE (self->certificate));
  gboolean given;

  if (chain == NULL)
    {
      g_set_error_literal (
        error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
        "The connection's own certificate cannot be used: a certificate of its chain cannot be read");
      return FALSE;
    }

  X509_free (sk_X509_shift (chain));
  g_mutex_lock (&self->connection->lock);
  given = g_tls_session_engine_set_certificate (self->connection->engine,
                                                g_tls_session_certificate_get_x509 (self->certificate),
                                                g_tls_session_certificate_get_key (self->certificate), chain, error);
  if (given && self->connection->shown_certificate == NULL) /* the engine takes the first, too */
    self->connection->shown_certificate = g_object_ref (G_TLS_CERTIFICATE (self->certificate));
  g_mutex_unlock (&self->connection->lock);
  sk_X509_pop_free (chain, X509_free);
  return given;
}

static gboolean
answer (Search *self, GError **error)
{
  if (g_cancellable_set_error_if_cancelled (self->cancellable, error))
    return FALSE;

  if (self->certificate != NULL && self->reason == NULL &&
      g_tls_session_certificate_get_key (self->certificate) == NULL)
    self->reason = g_error_new_literal (
      G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
      "The connection's own certificate cannot be used: its private key is not known");

  if (self->certificate != NULL && self->reason == NULL)
    return give_certificate (self, error);

  g_mutex_lock (&self->connection->lock);
  g_tls_session_engine_set_no_certificate (self->connection->engine, g_steal_pointer (&self->reason));
  g_mutex_unlock (&self->connection->lock);
  return TRUE;
}

/* Blocking */

static void
request_and_wait (Search *self)
{
  GError *error = NULL;
  GTlsInteractionResult result = g_tls_interaction_invoke_request_certificate (
    self->interaction, G_TLS_CONNECTION (self->connection), G_TLS_CERTIFICATE_REQUEST_NONE, self->cancellable, &error);

  note_request (self, result, error);
}

static void
ask_password_and_wait (Search *self)
{
  GError *error = NULL;
  GTlsInteractionResult result = G_TLS_INTERACTION_UNHANDLED;

  if (self->interaction != NULL)
    result = g_tls_interaction_invoke_ask_password (self->interaction, begin_try (self), self->cancellable, &error);
  note_password (self, result, error);
}

/* FALSE with an error if the certificate cannot be used, or @cancellable was cancelled. */
gboolean
g_tls_session_connection_find_certificate (GTlsSessionConnection *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (Search) search = search_new (self, cancellable);

  if (needs_request (search))
    request_and_wait (search);
  while (needs_password (search))
    ask_password_and_wait (search);
  return answer (search, error);
}

/* In a main context */

static void go_on (Search *self);

static void
on_requested (GObject *interaction, GAsyncResult *result, gpointer data)
{
  Search *self = data;
  GError *error = NULL;
  GTlsInteractionResult answer_given = g_tls_interaction_request_certificate_finish (G_TLS_INTERACTION (interaction),
                                                                                     result, &error);

  note_request (self, answer_given, error);
  go_on (self);
}

static void
on_password (GObject *interaction, GAsyncResult *result, gpointer data)
{
  Search *self = data;
  GError *error = NULL;
  GTlsInteractionResult answer_given = g_tls_interaction_ask_password_finish (G_TLS_INTERACTION (interaction), result,
                                                                              &error);

  note_password (self, answer_given, error);
  go_on (self);
}

/* FALSE if nothing had to be waited for. */
static gboolean
request_async (Search *self)
{
  if (!needs_request (self))
    return FALSE;

  if (G_TLS_INTERACTION_GET_CLASS (self->interaction)->request_certificate_async == NULL)
    {
      request_and_wait (self);
      return FALSE;
    }

  g_tls_interaction_request_certificate_async (self->interaction, G_TLS_CONNECTION (self->connection),
                                               G_TLS_CERTIFICATE_REQUEST_NONE, self->cancellable, on_requested, self);
  return TRUE;
}

static gboolean
ask_password_async (Search *self)
{
  while (needs_password (self))
    {
      if (self->interaction != NULL && G_TLS_INTERACTION_GET_CLASS (self->interaction)->ask_password_async != NULL)
        {
          g_tls_interaction_ask_password_async (self->interaction, begin_try (self), self->cancellable, on_password,
                                                self);
          return TRUE;
        }
      ask_password_and_wait (self);
    }
  return FALSE;
}

/* An interaction has answered; perhaps there is more to ask. */
static void
go_on (Search *self)
{
  GError *error = NULL;

  if (ask_password_async (self))
    return;

  answer (self, &error);
  g_tls_session_connection_end_question (self->connection);
  self->answered (self->connection, error, self->answered_data);
  search_free (self);
}

/* Nothing had to be waited for. An error is told the same way as one that comes late. */
static GTlsSessionAnswered
answer_now (Search *self)
{
  g_autoptr (Search) owned G_GNUC_UNUSED = self;
  GError *error = NULL;
  gboolean found = answer (self, &error);

  g_tls_session_connection_end_question (self->connection);
  if (found)
    return G_TLS_SESSION_ANSWERED_NOW;

  self->answered (self->connection, error, self->answered_data);
  return G_TLS_SESSION_ANSWERED_LATER;
}

/* Does not block, but where the interaction does. */
GTlsSessionAnswered
g_tls_session_connection_find_certificate_async (GTlsSessionConnection *self,
                                                 GCancellable *cancellable,
                                                 GTlsSessionAnsweredFunc answered,
                                                 gpointer data)
{
  Search *search;

  if (!g_tls_session_connection_begin_question (self))
    return G_TLS_SESSION_ANSWERED_ELSEWHERE;

  search = search_new (self, cancellable);
  search->answered = answered;
  search->answered_data = data;

  if (request_async (search) || ask_password_async (search))
    return G_TLS_SESSION_ANSWERED_LATER;
  return answer_now (search);
}
