/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client-offer.h"
#include "connection-private.h"

/* One sentence for a person. All of this with the lock held. */

static const char *
name_version (GTlsProtocolVersion version)
{
  switch (version)
    {
    case G_TLS_PROTOCOL_VERSION_TLS_1_2:
      return "TLS 1.2";
    case G_TLS_PROTOCOL_VERSION_TLS_1_3:
      return "TLS 1.3";
    default:
      return "TLS";
    }
}

static gint64
age_of (GTlsSessionTicket *ticket)
{
  return MAX (g_get_real_time () / G_USEC_PER_SEC - g_date_time_to_unix (g_tls_session_ticket_get_received (ticket)),
              0);
}

static char *
describe_ticket (GTlsSessionTicket *ticket)
{
  return g_strdup_printf ("%s, id %s, %" G_GINT64_FORMAT " s old, lifetime %u s",
                          name_version (g_tls_session_ticket_get_protocol_version (ticket)),
                          g_tls_session_ticket_get_id (ticket), age_of (ticket),
                          g_tls_session_ticket_get_lifetime (ticket));
}

static gboolean
has_failed (GTlsSessionConnection *connection)
{
  return connection->engine != NULL && connection->protocol_version == G_TLS_PROTOCOL_VERSION_UNKNOWN &&
         g_tls_session_engine_get_state (connection->engine) == G_TLS_SESSION_ENGINE_STATE_FAILED;
}

static const char *
tell_handshake (GTlsSessionConnection *connection)
{
  if (connection->protocol_version != G_TLS_PROTOCOL_VERSION_UNKNOWN)
    return "a full handshake was done";
  return has_failed (connection) ? "the handshake failed" : "the handshake is still to come";
}

static char *
explain_refusal (GTlsSessionConnection *connection, const char *server, GTlsSessionTicket *ticket)
{
  g_autofree char *described = describe_ticket (ticket);

  if (connection->protocol_version != g_tls_session_ticket_get_protocol_version (ticket))
    return g_strdup_printf ("The server at %s refused the session ticket (%s), for it chose %s; a full handshake was "
                            "done.",
                            server, described, name_version (connection->protocol_version));

  return g_strdup_printf ("The server at %s refused the session ticket (%s); a full handshake was done.", server,
                          described);
}

static char *
explain_offer (GTlsSessionConnection *connection, const char *server, GTlsSessionTicket *ticket)
{
  g_autofree char *described = describe_ticket (ticket);

  switch (connection->resumption)
    {
    case G_TLS_SESSION_RESUMPTION_RESUMED:
      return g_strdup_printf ("The server at %s took the session ticket (%s): the session was resumed.", server,
                              described);
    case G_TLS_SESSION_RESUMPTION_REFUSED:
      return explain_refusal (connection, server, ticket);
    default:
      if (has_failed (connection))
        return g_strdup_printf ("A session ticket (%s) was offered to the server at %s, but the handshake failed.",
                                described, server);
      return g_strdup_printf ("A session ticket (%s) is offered to the server at %s; the handshake is not done yet.",
                              described, server);
    }
}

static char *
explain_locked (GTlsSessionClientConnection *self, GTlsSessionConnection *connection)
{
  const GTlsSessionClientOffer *offer = g_tls_session_client_connection_get_offer (self);
  const char *name = g_tls_session_client_connection_get_server_name (self);
  const char *server = name != NULL ? name : "the other end";

  switch (offer->state)
    {
    case G_TLS_SESSION_OFFER_MADE:
      return explain_offer (connection, server, offer->ticket);
    case G_TLS_SESSION_OFFER_DROPPED:
      return g_strdup_printf ("The session ticket was not offered to the server at %s: %s; %s.", server,
                              offer->why_dropped, tell_handshake (connection));
    case G_TLS_SESSION_OFFER_NONE:
    default:
      return g_strdup_printf ("No session was offered to the server at %s, because none was given to this connection; "
                              "%s.",
                              server, tell_handshake (connection));
    }
}

/* Owned by the caller. */
char *
g_tls_session_client_connection_explain (GTlsSessionClientConnection *self)
{
  GTlsSessionConnection *connection = G_TLS_SESSION_CONNECTION (self);
  char *sentence;

  g_mutex_lock (&connection->lock);
  sentence = explain_locked (self, connection);
  g_mutex_unlock (&connection->lock);
  return sentence;
}
