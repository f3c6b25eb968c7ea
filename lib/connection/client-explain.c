/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "client-early-data.h"
#include "client-offer.h"
#include "client-store.h"
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

/* Another process may have used the ticket before; its bytes do not carry that. */
static char *
describe_use (GTlsSessionTicket *ticket)
{
  guint n_uses = g_tls_session_ticket_get_uses (ticket);

  return n_uses == 1 ? g_strdup ("first use in this process") : g_strdup_printf ("use %u in this process", n_uses);
}

static char *
describe_ticket (GTlsSessionTicket *ticket)
{
  g_autofree char *use = describe_use (ticket);

  return g_strdup_printf ("%s, id %s, %" G_GINT64_FORMAT " s old, lifetime %u s, %s",
                          name_version (g_tls_session_ticket_get_protocol_version (ticket)),
                          g_tls_session_ticket_get_id (ticket), age_of (ticket),
                          g_tls_session_ticket_get_lifetime (ticket), use);
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

/* The hash of a TLS 1.3 suite, which a pre-shared key is bound to (RFC 8446, section 4.2.11): the end of its name. */
static const char *
hash_of_suite (const char *name)
{
  const char *hash = name != NULL ? strrchr (name, '_') : NULL;

  return hash != NULL ? hash + 1 : "";
}

/* What the server's answer allows to conclude: a clause, with what joins it to what is before. */
static char *
explain_why_refused (GTlsSessionConnection *connection, GTlsSessionTicket *ticket)
{
  const char *hash = hash_of_suite (g_tls_session_ticket_get_ciphersuite_name (ticket));

  if (connection->protocol_version != g_tls_session_ticket_get_protocol_version (ticket))
    return g_strdup_printf (", for it chose %s", name_version (connection->protocol_version));
  if (connection->protocol_version < G_TLS_PROTOCOL_VERSION_TLS_1_3)
    return g_strdup (": it began a new session, so it has lost the ticket's keys or forgotten the session");
  if (!g_str_equal (hash, hash_of_suite (connection->ciphersuite_name)))
    return g_strdup_printf (", for it chose %s, while the ticket's hash is %s", connection->ciphersuite_name, hash);
  return g_strdup (": it took no pre-shared key, so it has lost the ticket's keys, or counts the ticket as used up or "
                   "too old");
}

static char *
explain_refusal (GTlsSessionConnection *connection, const char *server, GTlsSessionTicket *ticket)
{
  g_autofree char *described = describe_ticket (ticket);
  g_autofree char *why = explain_why_refused (connection, ticket);

  return g_strdup_printf ("The server at %s refused the session ticket (%s)%s; a full handshake was done.", server,
                          described, why);
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
explain_none (GTlsSessionClientConnection *self, GTlsSessionConnection *connection, const char *server)
{
  const GTlsSessionClientStoring *storing = g_tls_session_client_connection_get_storing (self);

  if (storing->lookup == G_TLS_SESSION_LOOKUP_TO_DO)
    return g_strdup_printf ("No session was given to this connection to the server at %s; %s.", server,
                            tell_handshake (connection));
  return g_strdup_printf ("No session was offered to the server at %s: %s; %s.", server, storing->why_none,
                          tell_handshake (connection));
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
      return explain_none (self, connection, server);
    }
}

static char *
tell_early_data (GTlsSessionClientConnection *self)
{
  const GTlsSessionClientEarlyData *early = g_tls_session_client_connection_get_early (self);

  switch (g_tls_session_client_connection_find_early_data_status (self))
    {
    case G_TLS_SESSION_EARLY_DATA_STATUS_PENDING:
      return g_strdup ("wait for the handshake");
    case G_TLS_SESSION_EARLY_DATA_STATUS_ACCEPTED:
      return g_strdup ("were accepted with the first flight");
    case G_TLS_SESSION_EARLY_DATA_STATUS_RESENT:
      return g_strdup ("were sent with the first flight, refused, and sent again after the handshake");
    case G_TLS_SESSION_EARLY_DATA_STATUS_DEFERRED:
      return g_strdup_printf ("were not sent with the first flight, but after the handshake: %s", early->why_late);
    case G_TLS_SESSION_EARLY_DATA_STATUS_UNSENT:
      return g_strdup ("did not arrive");
    case G_TLS_SESSION_EARLY_DATA_STATUS_UNCERTAIN:
      return g_strdup ("had been sent when the connection failed or was given up, and may have arrived");
    case G_TLS_SESSION_EARLY_DATA_STATUS_NONE:
    default:
      return NULL;
    }
}

/* Takes @sentence. */
static char *
add_early_data (GTlsSessionClientConnection *self, char *sentence)
{
  const GTlsSessionClientEarlyData *early = g_tls_session_client_connection_get_early (self);
  g_autofree char *owned = sentence;
  g_autofree char *told = tell_early_data (self);

  if (told == NULL)
    return g_steal_pointer (&owned);
  return g_strdup_printf ("%s The %" G_GSIZE_FORMAT " bytes of early data %s.", sentence, early->size, told);
}

/* Takes @sentence. */
static char *
add_failure (GTlsSessionClientConnection *self, char *sentence)
{
  const char *failure = g_tls_session_client_connection_get_storing (self)->failure;
  g_autofree char *owned = sentence;

  if (failure == NULL)
    return g_steal_pointer (&owned);
  return g_strdup_printf ("%s The session store failed to keep a ticket (%s).", sentence, failure);
}

/* Owned by the caller. */
char *
g_tls_session_client_connection_explain (GTlsSessionClientConnection *self)
{
  GTlsSessionConnection *connection = G_TLS_SESSION_CONNECTION (self);
  char *sentence;

  g_mutex_lock (&connection->lock);
  sentence = add_failure (self, add_early_data (self, explain_locked (self, connection)));
  g_mutex_unlock (&connection->lock);
  return sentence;
}
