/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client-store.h"

#include "../ticket/store-rules.h"
#include "../ticket/ticket-private.h"
#include "../trust/mark.h"
#include "client-offer.h"
#include "connection-private.h"

/* NOTES:
 *
 * Before its handshake begins, a client that was given no ticket by hand looks for one in its store (the engine's
 * status WANTS_SESSION, which the drivers answer as they do a verdict's). Each ticket it receives it puts there, right
 * after the step that brought it, in the same thread. A store is code of the program's, perhaps: it is called without
 * the lock, and never once the connection has lost its last reference.
 *
 * Whatever a store does, the connection goes on; what went wrong is kept for explain().
 *
 * The key that a ticket is kept under is its home: that of the circumstances its session began in. So it is made of the
 * settings that the handshake was done with, whatever the program sets later. A ticket received on a connection that
 * resumed a session by hand belongs to that session: the server takes who offers it for the client of then. It is kept
 * only if that session's home is the connection's own; where it is not known, as of a ticket from bytes, it is not kept.
 *
 * Nothing is resumed automatically that was accepted by hand: such a ticket is not put there. Without an identity or a
 * database every certificate is at fault, so there is nothing to put.
 */

static GTlsSessionConnection *
base_of (GTlsSessionClientConnection *self)
{
  return G_TLS_SESSION_CONNECTION (self);
}

void
g_tls_session_client_storing_clear (GTlsSessionClientStoring *storing)
{
  g_clear_object (&storing->store);
  g_clear_pointer (&storing->key, g_free);
  g_clear_pointer (&storing->why_none, g_free);
  g_clear_pointer (&storing->failure, g_free);
  g_clear_pointer (&storing->home, g_free);
  g_tls_session_circumstances_clear (&storing->handshake);
}

/* The circumstances. All with the lock held. */

/* Only three kinds of identity have a name; see identity.c. */
static char *
describe_server (GTlsSessionClientConnection *self)
{
  GSocketConnectable *identity = g_tls_session_client_connection_get_identity (self);
  const char *name = g_tls_session_client_connection_get_server_name (self);
  g_autofree char *lower = g_ascii_strdown (name, -1);

  if (G_IS_NETWORK_ADDRESS (identity))
    return g_strdup_printf ("%s port %u", lower, g_network_address_get_port (G_NETWORK_ADDRESS (identity)));
  if (G_IS_INET_SOCKET_ADDRESS (identity))
    return g_strdup_printf ("%s port %u", lower, g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (identity)));
  return g_strdup_printf ("%s service %s", lower, g_network_service_get_service (G_NETWORK_SERVICE (identity)));
}

static char *
digest_certificate (GTlsCertificate *certificate)
{
  g_autoptr (GByteArray) der = NULL;

  if (certificate == NULL)
    return g_strdup ("none");

  g_object_get (certificate, "certificate", &der, NULL);
  return der != NULL ? g_compute_checksum_for_data (G_CHECKSUM_SHA256, der->data, der->len)
                     : g_tls_session_object_mark (G_OBJECT (certificate));
}

/* A name may have any character in it, but there is no blank in this form of it. */
static char *
list_protocols (char **protocols)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  for (gsize i = 0; protocols != NULL && protocols[i] != NULL; i++)
    g_ptr_array_add (names, g_uri_escape_string (protocols[i], "/", FALSE));
  g_ptr_array_add (names, NULL);
  return g_strjoinv (" ", (char **) names->pdata);
}

static const char *
name_bound (GTlsProtocolVersion version)
{
  GEnumValue *value = g_enum_get_value (g_type_class_peek_static (G_TYPE_TLS_PROTOCOL_VERSION), version);

  return version != G_TLS_PROTOCOL_VERSION_UNKNOWN && value != NULL ? value->value_nick : "any";
}

static void
note_circumstances (GTlsSessionClientConnection *self, GTlsSessionCircumstances *circumstances)
{
  GTlsSessionConnection *connection = base_of (self);

  circumstances->server = describe_server (self);
  circumstances->application_protocols = list_protocols (connection->advertised_protocols);
  circumstances->certificate = digest_certificate (connection->certificate);
  circumstances->database = g_tls_session_database_mark (connection->database);
  circumstances->bounds = g_strdup_printf ("from %s to %s", name_bound (connection->minimum),
                                           name_bound (connection->maximum));
}

/* Why this connection has nothing to do with its store; NULL if it has. */
static const char *
find_obstacle (GTlsSessionClientConnection *self)
{
  GTlsSessionClientStoring *storing = g_tls_session_client_connection_get_storing (self);

  if (!storing->enabled)
    return "automatic resumption is turned off (session-resumption-enabled)";
  if (storing->store == NULL)
    return "none was given to this connection, and it has no session store";
  if (g_tls_session_client_connection_get_server_name (self) == NULL)
    return "none was given to this connection, and without a server identity none is looked for";
  if (base_of (self)->database == NULL)
    return "none was given to this connection, and without a database of trusted certificates none is looked for";
  return NULL;
}

/* The ClientHello is about to go, with the settings of now. */
void
g_tls_session_client_connection_note_circumstances (GTlsSessionClientConnection *self)
{
  GTlsSessionClientStoring *storing = g_tls_session_client_connection_get_storing (self);

  g_tls_session_circumstances_clear (&storing->handshake);
  g_clear_pointer (&storing->home, g_free);
  if (g_tls_session_client_connection_get_server_name (self) == NULL || base_of (self)->database == NULL)
    return;

  note_circumstances (self, &storing->handshake);
  storing->home = g_tls_session_circumstances_to_key (&storing->handshake);
}

/* Whether the settings of the ClientHello, which were just noted, are those that a session was looked for with. */
gboolean
g_tls_session_client_connection_is_in_circumstances (GTlsSessionClientConnection *self)
{
  const GTlsSessionClientStoring *storing = g_tls_session_client_connection_get_storing (self);

  return find_obstacle (self) == NULL && g_strcmp0 (storing->home, storing->key) == 0;
}

/* Those that the connection's own session began in. The certificate may have been found in the midst of the handshake. */
static gboolean
copy_handshake_circumstances (GTlsSessionClientConnection *self, GTlsSessionCircumstances *circumstances)
{
  const GTlsSessionCircumstances *handshake = &g_tls_session_client_connection_get_storing (self)->handshake;

  if (handshake->server == NULL)
    return FALSE;

  g_tls_session_circumstances_copy (handshake, circumstances);
  if (base_of (self)->shown_certificate != NULL)
    {
      g_free (circumstances->certificate);
      circumstances->certificate = digest_certificate (base_of (self)->shown_certificate);
    }
  return TRUE;
}

static gboolean
is_stranger_resumed (GTlsSessionClientConnection *self, const char *key)
{
  const GTlsSessionClientOffer *offer = g_tls_session_client_connection_get_offer (self);

  return g_tls_session_engine_was_resumed (base_of (self)->engine) && offer->ticket != NULL &&
         g_strcmp0 (g_tls_session_ticket_get_home (offer->ticket), key) != 0;
}

/* The key of the circumstances that the connection's own session began in. */
static char *
make_own_key (GTlsSessionClientConnection *self)
{
  g_auto (GTlsSessionCircumstances) circumstances = { 0 };

  if (base_of (self)->shown_certificate == NULL)
    return g_strdup (g_tls_session_client_connection_get_storing (self)->home);
  return copy_handshake_circumstances (self, &circumstances) ? g_tls_session_circumstances_to_key (&circumstances)
                                                             : NULL;
}

/* The home of tickets that this connection receives, owned by the caller; NULL if they are not to be kept anywhere. */
char *
g_tls_session_client_connection_find_home (GTlsSessionClientConnection *self)
{
  g_autofree char *key = make_own_key (self);

  return key == NULL || is_stranger_resumed (self, key) ? NULL : g_steal_pointer (&key);
}

/* What a call of the store needs, taken out from under the lock. */
typedef struct
{
  GTlsSessionStore *store;
  GTlsSessionCircumstances circumstances;
  char *key;
} Errand;

static void
errand_clear (Errand *self)
{
  g_clear_object (&self->store);
  g_tls_session_circumstances_clear (&self->circumstances);
  g_clear_pointer (&self->key, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Errand, errand_clear)

static gboolean
prepare_errand (GTlsSessionClientConnection *self, Errand *errand)
{
  if (find_obstacle (self) != NULL || base_of (self)->context == NULL)
    return FALSE;

  errand->store = g_object_ref (g_tls_session_client_connection_get_storing (self)->store);
  note_circumstances (self, &errand->circumstances);
  errand->key = g_tls_session_circumstances_to_key (&errand->circumstances);
  return TRUE;
}

/* Finding */

/* No session is looked for, because of @obstacle. */
static void
end_lookup (GTlsSessionClientStoring *storing, const char *obstacle)
{
  if (storing->lookup == G_TLS_SESSION_LOOKUP_DONE)
    return;

  storing->lookup = G_TLS_SESSION_LOOKUP_DONE;
  storing->why_none = g_strdup (obstacle);
}

/* Whether the handshake has to wait for g_tls_session_client_connection_find_session(). */
gboolean
g_tls_session_client_connection_wants_session (GTlsSessionClientConnection *self)
{
  GTlsSessionClientStoring *storing = g_tls_session_client_connection_get_storing (self);
  const char *obstacle;

  if (storing->lookup == G_TLS_SESSION_LOOKUP_DONE ||
      g_tls_session_client_connection_get_offer (self)->state != G_TLS_SESSION_OFFER_NONE)
    return FALSE;

  obstacle = find_obstacle (self);
  if (obstacle == NULL)
    return TRUE;

  end_lookup (storing, obstacle);
  return FALSE;
}

static char *
explain_none (const Errand *errand)
{
  g_autofree char *store = g_tls_session_object_mark (G_OBJECT (errand->store));

  return g_tls_session_circumstances_explain_none (&errand->circumstances, store);
}

/* Why the store's answer is not to be offered: a clause; NULL if it is. */
static char *
explain_answer (const Errand *errand, GTlsSessionTicket *ticket, const GError *error)
{
  if (error != NULL)
    return g_strdup_printf ("the session store failed (%s)", error->message);
  if (ticket == NULL)
    return explain_none (errand);
  if (g_strcmp0 (g_tls_session_ticket_get_home (ticket), errand->key) != 0)
    return g_strdup ("the one that the session store gave is of a connection in other circumstances");
  if (g_tls_session_ticket_was_accepted_by_hand (ticket))
    return g_strdup ("the certificate of the one in the session store had been accepted by hand");
  if (!g_tls_session_store_may_give_out (ticket, G_TLS_SESSION_STORE_DEFAULT_MAX_AGE))
    return g_strdup ("the one that the session store gave is used up or older than ten minutes");
  return NULL;
}

/* The errand could not be prepared: something came in the way since the handshake asked for it. */
static void
note_hindrance (GTlsSessionClientConnection *self)
{
  const char *obstacle = find_obstacle (self);

  end_lookup (g_tls_session_client_connection_get_storing (self),
              obstacle != NULL ? obstacle : "the connection was given up before one was looked for");
}

/* With the lock held. FALSE: another operation has looked meanwhile, or a ticket was given by hand. */
static gboolean
take_answer (GTlsSessionClientConnection *self, Errand *errand, GTlsSessionTicket *ticket, char *why_none)
{
  GTlsSessionClientStoring *storing = g_tls_session_client_connection_get_storing (self);

  if (storing->lookup == G_TLS_SESSION_LOOKUP_DONE || base_of (self)->life != G_TLS_SESSION_LIFE_FRESH)
    return FALSE;

  storing->lookup = G_TLS_SESSION_LOOKUP_DONE;
  storing->key = g_steal_pointer (&errand->key);
  storing->why_none = g_strdup (why_none);
  return why_none != NULL || g_tls_session_client_connection_offer_found (self, ticket);
}

void
g_tls_session_client_connection_find_session (GTlsSessionClientConnection *self)
{
  g_auto (Errand) errand = { 0 };
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *why_none = NULL;
  g_autofree char *key = NULL;
  gboolean prepared;
  gboolean taken;

  g_mutex_lock (&base_of (self)->lock);
  prepared = prepare_errand (self, &errand);
  if (!prepared)
    note_hindrance (self);
  g_mutex_unlock (&base_of (self)->lock);
  if (!prepared)
    return;

  ticket = g_tls_session_store_take (errand.store, errand.key, &error);
  if (ticket != NULL)
    g_tls_session_ticket_set_home (ticket, errand.key); /* one that comes from bytes has none yet */
  why_none = explain_answer (&errand, ticket, error);
  key = g_strdup (errand.key);

  g_mutex_lock (&base_of (self)->lock);
  taken = take_answer (self, &errand, ticket, why_none);
  g_mutex_unlock (&base_of (self)->lock);

  /* Somebody else may use it. */
  if (!taken && ticket != NULL && why_none == NULL)
    g_tls_session_store_put (errand.store, key, ticket, NULL);
}

/* Keeping */

/* A store in another language may say that it failed, and nothing more. */
static void
note_failure (GTlsSessionClientConnection *self, const GError *error)
{
  GTlsSessionClientStoring *storing = g_tls_session_client_connection_get_storing (self);

  g_mutex_lock (&base_of (self)->lock);
  g_free (storing->failure);
  storing->failure = g_strdup (error != NULL ? error->message : "it gives no reason");
  g_mutex_unlock (&base_of (self)->lock);
}

static gboolean
prepare_keeping (GTlsSessionClientConnection *self, GTlsSessionTicket *ticket, Errand *errand)
{
  const char *home = g_tls_session_ticket_get_home (ticket);

  if (home == NULL || find_obstacle (self) != NULL || base_of (self)->context == NULL ||
      !copy_handshake_circumstances (self, &errand->circumstances))
    return FALSE;

  errand->store = g_object_ref (g_tls_session_client_connection_get_storing (self)->store);
  errand->key = g_strdup (home);
  return TRUE;
}

static void
note_kept (const Errand *errand)
{
  g_autofree char *store = g_tls_session_object_mark (G_OBJECT (errand->store));

  g_tls_session_circumstances_note_kept (&errand->circumstances, store);
}

/* Puts a ticket that was received into the store. */
void
g_tls_session_client_connection_keep_ticket (GTlsSessionClientConnection *self, GTlsSessionTicket *ticket)
{
  g_auto (Errand) errand = { 0 };
  g_autoptr (GError) error = NULL;
  gboolean prepared;

  if (g_tls_session_ticket_was_accepted_by_hand (ticket))
    return;

  g_mutex_lock (&base_of (self)->lock);
  prepared = prepare_keeping (self, ticket, &errand);
  g_mutex_unlock (&base_of (self)->lock);
  if (!prepared)
    return;

  if (g_tls_session_store_put (errand.store, errand.key, ticket, &error))
    note_kept (&errand);
  else
    note_failure (self, error);
}

/* Takes a ticket of this connection's, that is offered by hand, out of the store: it is not to be used twice. */
void
g_tls_session_client_connection_forget_ticket (GTlsSessionClientConnection *self, GTlsSessionTicket *ticket)
{
  g_auto (Errand) errand = { 0 };
  g_autoptr (GError) error = NULL;
  const char *home = g_tls_session_ticket_get_home (ticket);
  gboolean prepared;

  if (!g_tls_session_ticket_get_single_use (ticket))
    return;

  g_mutex_lock (&base_of (self)->lock);
  prepared = prepare_errand (self, &errand);
  g_mutex_unlock (&base_of (self)->lock);

  if (prepared && !g_tls_session_store_remove (errand.store, home != NULL ? home : errand.key, ticket, &error))
    note_failure (self, error);
}
