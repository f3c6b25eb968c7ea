/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connection-private.h"

/* All of this with the lock held. */

gboolean
g_tls_session_connection_is_handshaken (GTlsSessionConnection *self)
{
  return self->life == G_TLS_SESSION_LIFE_OPEN;
}

static gboolean
configure_engine (GTlsSessionConnection *self, GError **error)
{
  GTlsSessionEngineSettings settings = {
    .minimum = self->minimum,
    .maximum = self->maximum,
    .alpn = (const char *const *) self->advertised_protocols,
    .require_close_notify = self->require_close_notify,
  };
  gboolean configured;

  G_TLS_SESSION_CONNECTION_GET_CLASS (self)->fill_settings (self, &settings);
  configured = g_tls_session_engine_configure (self->engine, &settings, error);

  SSL_SESSION_free (settings.session);
  sk_X509_NAME_pop_free (settings.accepted_cas, X509_NAME_free);
  return configured;
}

static void
note_peer_certificate (GTlsSessionConnection *self)
{
  g_tls_session_connection_note_change (self, "peer-certificate");
  g_tls_session_connection_note_change (self, "peer-certificate-errors");
}

static void
finish_handshake (GTlsSessionConnection *self)
{
  self->life = G_TLS_SESSION_LIFE_OPEN;
  self->protocol_version = g_tls_session_engine_get_protocol_version (self->engine);
  self->ciphersuite_name = g_tls_session_engine_get_ciphersuite_name (self->engine);
  self->negotiated_protocol = g_tls_session_engine_dup_application_protocol (self->engine);
  g_tls_session_connection_collect_tickets (self);
  G_TLS_SESSION_CONNECTION_GET_CLASS (self)->handshake_done (self);

  g_tls_session_connection_note_change (self, "protocol-version");
  g_tls_session_connection_note_change (self, "ciphersuite-name");
  g_tls_session_connection_note_change (self, "negotiated-protocol");
  note_peer_certificate (self);
}

static void
fail_handshake (GTlsSessionConnection *self)
{
  GTlsSessionConnectionClass *class = G_TLS_SESSION_CONNECTION_GET_CLASS (self);

  if (class->handshake_failed != NULL)
    class->handshake_failed (self);
  note_peer_certificate (self);
}

static GTlsSessionEngineStatus
continue_handshake (GTlsSessionConnection *self, GError **error)
{
  GTlsSessionEngineStatus status = g_tls_session_engine_handshake (self->engine, error);

  self->handshake_wants = 0;
  switch (status)
    {
    case G_TLS_SESSION_ENGINE_WANTS_READ:
      self->handshake_wants = G_IO_IN;
      break;
    case G_TLS_SESSION_ENGINE_WANTS_WRITE:
      self->handshake_wants = G_IO_OUT;
      break;
    case G_TLS_SESSION_ENGINE_DONE:
      finish_handshake (self);
      break;
    case G_TLS_SESSION_ENGINE_ERROR:
      fail_handshake (self);
      break;
    case G_TLS_SESSION_ENGINE_WANTS_CERTIFICATE:
      G_TLS_SESSION_CONNECTION_GET_CLASS (self)->certificate_asked (self);
      break;
    case G_TLS_SESSION_ENGINE_WANTS_SESSION:
    case G_TLS_SESSION_ENGINE_WANTS_FORECAST:
    case G_TLS_SESSION_ENGINE_WANTS_VERDICT:
    case G_TLS_SESSION_ENGINE_END:
    default:
      break;
    }
  return status;
}

static gboolean
wants_session (GTlsSessionConnection *self)
{
  GTlsSessionConnectionClass *class = G_TLS_SESSION_CONNECTION_GET_CLASS (self);

  return class->wants_session != NULL && class->wants_session (self);
}

static gboolean
wants_forecast (GTlsSessionConnection *self)
{
  GTlsSessionConnectionClass *class = G_TLS_SESSION_CONNECTION_GET_CLASS (self);

  return class->wants_forecast != NULL && class->wants_forecast (self);
}

/* A step by itself, and the first part of every other: nothing is read or written before the handshake is done. */
GTlsSessionEngineStatus
g_tls_session_connection_step_handshake (GTlsSessionConnection *self, gpointer data, GError **error)
{
  if (g_tls_session_connection_is_handshaken (self))
    return G_TLS_SESSION_ENGINE_DONE;

  if (self->life == G_TLS_SESSION_LIFE_FRESH)
    {
      if (wants_session (self))
        return G_TLS_SESSION_ENGINE_WANTS_SESSION;
      if (wants_forecast (self))
        return G_TLS_SESSION_ENGINE_WANTS_FORECAST;
      if (!configure_engine (self, error))
        return G_TLS_SESSION_ENGINE_ERROR;
      self->life = G_TLS_SESSION_LIFE_HANDSHAKING;
    }
  return continue_handshake (self, error);
}

/* Takes @ticket. Whoever is to hear of it may be in a main loop that does not run. */
static void
announce_later (GTlsSessionConnection *self, GTlsSessionTicket *ticket)
{
  self->n_received++;
  g_queue_push_tail (&self->new_tickets, ticket);
  if (g_queue_get_length (&self->new_tickets) > G_TLS_SESSION_TICKETS_MAX)
    g_object_unref (g_queue_pop_head (&self->new_tickets));
}

/* Puts what the engine has received on the shelf, to be announced. */
void
g_tls_session_connection_collect_tickets (GTlsSessionConnection *self)
{
  SSL_SESSION *session;

  while ((session = g_tls_session_engine_take_session (self->engine)) != NULL)
    {
      GTlsSessionTicket *ticket = G_TLS_SESSION_CONNECTION_GET_CLASS (self)->make_ticket (self, session);

      SSL_SESSION_free (session);
      if (ticket == NULL)
        continue;
      g_tls_session_ticket_shelf_add (self->shelf, ticket);
      g_queue_push_tail (&self->tickets_to_keep, g_object_ref (ticket));
      announce_later (self, ticket);
    }
}

static GTlsSessionTicket *
pop_ticket_to_keep (GTlsSessionConnection *self)
{
  GTlsSessionTicket *ticket;

  g_mutex_lock (&self->lock);
  ticket = g_queue_pop_head (&self->tickets_to_keep);
  g_mutex_unlock (&self->lock);
  return ticket;
}

/* Puts what was collected into the session store. Without the lock, after a step and before tickets are announced: who
 * hears of a ticket may make a connection that takes it from the store.
 */
void
g_tls_session_connection_keep_tickets (GTlsSessionConnection *self)
{
  GTlsSessionTicket *ticket;

  while ((ticket = pop_ticket_to_keep (self)) != NULL)
    {
      G_TLS_SESSION_CONNECTION_GET_CLASS (self)->keep_ticket (self, ticket);
      g_object_unref (ticket);
    }
}
