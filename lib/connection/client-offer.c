/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client-offer.h"

#include "../ticket/gtls-session-error.h"
#include "../ticket/ticket-private.h"
#include "../trust/verify.h"
#include "client-store.h"
#include "connection-private.h"

/* NOTES:
 *
 * A ticket can be offered if the handshake has not begun, its lifetime is not over, its protocol version lies within
 * the connection's bounds, and the certificate of its session is valid for the connection's server identity or the
 * names are the same (RFC 8446, section 4.6.1: the client must only resume if the new server name is valid for the
 * certificate of the original session). All of that is asked when the program offers it, so that it can be told, and
 * again when the handshake begins, for time passes and settings change.
 */

static GTlsSessionConnection *
base_of (GTlsSessionClientConnection *self)
{
  return G_TLS_SESSION_CONNECTION (self);
}

void
g_tls_session_client_offer_clear (GTlsSessionClientOffer *offer)
{
  offer->state = G_TLS_SESSION_OFFER_NONE;
  g_clear_object (&offer->ticket);
  g_clear_pointer (&offer->why_dropped, g_free);
}

/* Whether a ticket fits */

static gboolean
is_same_name (const char *a, const char *b)
{
  return a != NULL && b != NULL && g_ascii_strcasecmp (a, b) == 0;
}

static gboolean
identity_fits (GTlsSessionClientConnection *self, GTlsSessionTicket *ticket)
{
  GSocketConnectable *identity = g_tls_session_client_connection_get_identity (self);
  STACK_OF (X509) *chain = g_tls_session_ticket_get_chain (ticket);

  /* Without an identity the verdict on the resumed session will say BAD_IDENTITY, as on a full handshake. */
  if (identity == NULL || is_same_name (g_tls_session_client_connection_get_server_name (self),
                                        g_tls_session_ticket_get_server_name (ticket)))
    return TRUE;

  return chain != NULL && sk_X509_num (chain) > 0 && g_tls_session_verify_identity (sk_X509_value (chain, 0), identity);
}

static gboolean
version_fits (GTlsSessionClientConnection *self, GTlsSessionTicket *ticket)
{
  GTlsProtocolVersion version = g_tls_session_ticket_get_protocol_version (ticket);
  GTlsProtocolVersion maximum = base_of (self)->maximum;

  return version >= base_of (self)->minimum && (maximum == G_TLS_PROTOCOL_VERSION_UNKNOWN || version <= maximum);
}

static gboolean
check_fits (GTlsSessionClientConnection *self, GTlsSessionTicket *ticket, GError **error)
{
  const char *ticket_name = g_tls_session_ticket_get_server_name (ticket);

  if (!g_tls_session_ticket_is_usable (ticket))
    {
      g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_EXPIRED,
                   "The session ticket's lifetime of %u s is over", g_tls_session_ticket_get_lifetime (ticket));
      return FALSE;
    }

  if (!identity_fits (self, ticket))
    {
      g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_IDENTITY_MISMATCH,
                   "The session ticket is from %s, whose certificate is not valid for %s",
                   ticket_name != NULL ? ticket_name : "a server without a name",
                   g_tls_session_client_connection_get_server_name (self));
      return FALSE;
    }

  if (!version_fits (self, ticket))
    {
      g_set_error_literal (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_UNSUPPORTED,
                           "The session ticket is of a TLS version outside this connection's bounds");
      return FALSE;
    }
  return TRUE;
}

/* Offering */

static void
make_offer (GTlsSessionClientConnection *self, GTlsSessionTicket *ticket, GTlsSessionOfferOrigin origin)
{
  GTlsSessionClientOffer *offer = g_tls_session_client_connection_get_offer (self);

  g_tls_session_client_offer_clear (offer);
  offer->state = G_TLS_SESSION_OFFER_MADE;
  offer->origin = origin;
  offer->ticket = g_object_ref (ticket);
  base_of (self)->settings_serial++;
  g_tls_session_ticket_add_use (ticket);
  g_tls_session_connection_set_resumption (base_of (self), G_TLS_SESSION_RESUMPTION_OFFERED);
}

static gboolean
offer_locked (GTlsSessionClientConnection *self, GTlsSessionTicket *ticket, GError **error)
{
  if (base_of (self)->life != G_TLS_SESSION_LIFE_FRESH)
    {
      g_set_error_literal (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_TOO_LATE,
                           "The connection's handshake has begun; a session has to be offered before that");
      return FALSE;
    }

  if (!check_fits (self, ticket, error))
    return FALSE;

  make_offer (self, ticket, G_TLS_SESSION_OFFER_BY_HAND);
  return TRUE;
}

/* With the lock held, before the handshake: @ticket is from the connection's store. FALSE if one was given by hand. */
gboolean
g_tls_session_client_connection_offer_found (GTlsSessionClientConnection *self, GTlsSessionTicket *ticket)
{
  if (g_tls_session_client_connection_get_offer (self)->state != G_TLS_SESSION_OFFER_NONE)
    return FALSE;

  make_offer (self, ticket, G_TLS_SESSION_OFFER_FROM_STORE);
  return TRUE;
}

/* Will offer @ticket in the handshake. */
gboolean
g_tls_session_client_connection_offer (GTlsSessionClientConnection *self, GTlsSessionTicket *ticket, GError **error)
{
  gboolean offered;

  g_mutex_lock (&base_of (self)->lock);
  offered = offer_locked (self, ticket, error);
  g_mutex_unlock (&base_of (self)->lock);

  if (offered)
    g_tls_session_client_connection_forget_ticket (self, ticket);
  g_tls_session_connection_announce (base_of (self));
  return offered;
}

static void
set_error_no_ticket (GTlsSessionConnection *source, GError **error)
{
  g_set_error_literal (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_NO_TICKET,
                       source->protocol_version >= G_TLS_PROTOCOL_VERSION_TLS_1_3
                         ? "The source has received no session ticket yet: with TLS 1.3 they come after the handshake, "
                           "to a client that reads; see g_tls_session_helper_wait_for_ticket()"
                         : "The source's server issued neither a session ticket nor a session id");
}

static GTlsSessionTicket *
pick_locked (GTlsSessionConnection *source, GError **error)
{
  GTlsSessionTicket *ticket;

  if (source->protocol_version == G_TLS_PROTOCOL_VERSION_UNKNOWN)
    {
      g_set_error_literal (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_SOURCE_NOT_READY,
                           "The source connection has not completed its handshake, so it has no session yet");
      return NULL;
    }

  if (g_tls_session_ticket_shelf_is_empty (source->shelf))
    {
      set_error_no_ticket (source, error);
      return NULL;
    }

  ticket = g_tls_session_ticket_shelf_pick (source->shelf);
  if (ticket == NULL)
    g_set_error_literal (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_EXPIRED,
                         "The lifetime of all of the source's session tickets is over");
  return ticket;
}

/* Will offer a ticket of @source. */
gboolean
g_tls_session_client_connection_offer_from (GTlsSessionClientConnection *self,
                                            GTlsSessionClientConnection *source,
                                            GError **error)
{
  g_autoptr (GTlsSessionTicket) ticket = NULL;

  g_mutex_lock (&base_of (source)->lock);
  ticket = pick_locked (base_of (source), error);
  g_mutex_unlock (&base_of (source)->lock);

  if (ticket == NULL || !g_tls_session_client_connection_offer (self, ticket, error))
    return FALSE;

  g_tls_session_client_connection_forget_ticket (source, ticket);
  return TRUE;
}

/* The handshake */

static void
drop_offer (GTlsSessionClientConnection *self, const char *why)
{
  GTlsSessionClientOffer *offer = g_tls_session_client_connection_get_offer (self);

  offer->state = G_TLS_SESSION_OFFER_DROPPED;
  offer->why_dropped = g_strdup (why);
  g_tls_session_connection_set_resumption (base_of (self), G_TLS_SESSION_RESUMPTION_NONE);
}

static gboolean
is_still_meant (GTlsSessionClientConnection *self, const GTlsSessionClientOffer *offer)
{
  return offer->origin == G_TLS_SESSION_OFFER_BY_HAND || g_tls_session_client_connection_is_in_circumstances (self);
}

/* What to put in the ClientHello, owned by the caller; NULL if nothing is offered. */
SSL_SESSION *
g_tls_session_client_connection_begin_offer (GTlsSessionClientConnection *self)
{
  GTlsSessionClientOffer *offer = g_tls_session_client_connection_get_offer (self);
  g_autoptr (GError) error = NULL;
  SSL_SESSION *session = NULL;

  if (offer->state != G_TLS_SESSION_OFFER_MADE)
    return NULL;

  if (!check_fits (self, offer->ticket, &error))
    drop_offer (self, error->message);
  else if (!is_still_meant (self, offer))
    drop_offer (self, "the connection's settings were changed while it was looked for");
  else if ((session = g_tls_session_ticket_dup_session (offer->ticket)) == NULL)
    drop_offer (self, "OpenSSL could not duplicate it");
  return session;
}

/* A server that resumes a TLS 1.2 session need not issue a new ticket; the old one then goes on to be good
 * (RFC 5077, section 3.3), and this connection has it to give.
 */
static void
keep_offered_ticket (GTlsSessionClientConnection *self, GTlsSessionTicket *ticket)
{
  GTlsSessionConnection *connection = base_of (self);

  if (connection->protocol_version >= G_TLS_PROTOCOL_VERSION_TLS_1_3 ||
      !g_tls_session_ticket_shelf_is_empty (connection->shelf))
    return;

  g_tls_session_ticket_shelf_add (connection->shelf, ticket);
  g_queue_push_tail (&connection->new_tickets, g_object_ref (ticket));
}

/* The handshake is done: what became of the offer is a fact now. */
void
g_tls_session_client_connection_end_offer (GTlsSessionClientConnection *self)
{
  GTlsSessionClientOffer *offer = g_tls_session_client_connection_get_offer (self);
  GTlsSessionConnection *connection = base_of (self);

  if (offer->state != G_TLS_SESSION_OFFER_MADE)
    return;

  if (!g_tls_session_engine_was_resumed (connection->engine))
    {
      g_tls_session_connection_set_resumption (connection, G_TLS_SESSION_RESUMPTION_REFUSED);
      return;
    }

  g_tls_session_connection_set_resumption (connection, G_TLS_SESSION_RESUMPTION_RESUMED);
  g_tls_session_connection_note_change (connection, "session-reused");
  keep_offered_ticket (self, offer->ticket);
}
