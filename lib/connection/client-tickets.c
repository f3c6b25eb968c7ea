/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client-connection-private.h"

#include "../ticket/gtls-session-error.h"
#include "connection-private.h"

/* NOTES:
 *
 * A client's received tickets, and waiting for one: TLS 1.3 delivers them only to a client that reads. Looking for a
 * ticket is a step in the lane of the reads. Application data that comes in the way stays in the engine for the next
 * read. If a reader gets the ticket first, the wait ends all the same: each step looks at the shelf before it reads.
 */

static GTlsSessionConnection *
base_of (GTlsSessionClientConnection *self)
{
  return G_TLS_SESSION_CONNECTION (self);
}

/* The ticket that would be offered next, owned by the caller; NULL if there is none that can be used. */
GTlsSessionTicket *
g_tls_session_client_connection_pick_ticket (GTlsSessionClientConnection *self)
{
  GTlsSessionTicket *ticket;

  g_mutex_lock (&base_of (self)->lock);
  ticket = g_tls_session_ticket_shelf_pick (base_of (self)->shelf);
  g_mutex_unlock (&base_of (self)->lock);
  return ticket;
}

/* All that were received, the oldest first; owned by the caller. */
GList *
g_tls_session_client_connection_list_tickets (GTlsSessionClientConnection *self)
{
  GList *tickets;

  g_mutex_lock (&base_of (self)->lock);
  tickets = g_tls_session_ticket_shelf_list (base_of (self)->shelf);
  g_mutex_unlock (&base_of (self)->lock);
  return tickets;
}

/* @func is called for each ticket from now on, where signals of this connection are expected. */
void
g_tls_session_client_connection_observe_tickets (GTlsSessionClientConnection *self,
                                                 GObject *observer,
                                                 GTlsSessionTicketFunc func)
{
  g_mutex_lock (&base_of (self)->lock);
  g_tls_session_ticket_shelf_observe (base_of (self)->shelf, observer, func);
  g_mutex_unlock (&base_of (self)->lock);
}

/* Waiting */

static GTlsSessionEngineStatus
answer_no_ticket (GError **error, const char *message)
{
  g_set_error_literal (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_NO_TICKET, message);
  return G_TLS_SESSION_ENGINE_ERROR;
}

/* Before TLS 1.3 a session is complete with the handshake; what is not there then does not come later. */
static gboolean
more_can_come (GTlsSessionConnection *connection)
{
  return connection->protocol_version >= G_TLS_PROTOCOL_VERSION_TLS_1_3;
}

static GTlsSessionEngineStatus
look_further (GTlsSessionConnection *connection, GError **error)
{
  GTlsSessionEngineStatus status = G_TLS_SESSION_ENGINE_DONE;

  while (status == G_TLS_SESSION_ENGINE_DONE && !g_tls_session_ticket_shelf_has_unused (connection->shelf))
    {
      status = g_tls_session_engine_look_for_ticket (connection->engine, error);
      g_tls_session_connection_collect_tickets (connection);
    }

  if (status == G_TLS_SESSION_ENGINE_END)
    return answer_no_ticket (error, "The server ended the connection without sending a session ticket");
  return status;
}

static GTlsSessionEngineStatus
step_wait_for_ticket (GTlsSessionConnection *connection, gpointer data, GError **error)
{
  GTlsSessionEngineStatus status = g_tls_session_connection_step_handshake (connection, NULL, error);

  if (status != G_TLS_SESSION_ENGINE_DONE)
    return status;
  if (more_can_come (connection))
    return look_further (connection, error);
  if (g_tls_session_ticket_shelf_is_empty (connection->shelf))
    return answer_no_ticket (error, "The server issued neither a session ticket nor a session id, and with TLS 1.2 "
                                    "none can come after the handshake");
  return G_TLS_SESSION_ENGINE_DONE;
}

static const GTlsSessionStep wait_step = { step_wait_for_ticket, NULL, G_TLS_SESSION_LANE_READ };

static gint64
deadline_after (int timeout_ms)
{
  return timeout_ms < 0 ? -1 : g_get_monotonic_time () + (gint64) timeout_ms * 1000;
}

/* It was there when the step looked; it may have expired since. */
static GTlsSessionTicket *
pick_awaited (GTlsSessionClientConnection *self, GError **error)
{
  GTlsSessionTicket *ticket = g_tls_session_client_connection_pick_ticket (self);

  if (ticket == NULL)
    g_set_error_literal (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_EXPIRED,
                         "The lifetime of the session ticket that arrived is over");
  return ticket;
}

static void
explain_timeout (int timeout_ms, GError **error)
{
  if (timeout_ms < 0 || error == NULL || !g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    return;

  g_clear_error (error);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "No session ticket arrived within %d ms", timeout_ms);
}

/* Then there is nothing to wait for, also if the connection is closed or broken by now: a session survives that. */
static gboolean
has_unused (GTlsSessionClientConnection *self)
{
  gboolean has;

  g_mutex_lock (&base_of (self)->lock);
  has = g_tls_session_ticket_shelf_has_unused (base_of (self)->shelf);
  g_mutex_unlock (&base_of (self)->lock);
  return has;
}

GTlsSessionTicket *
g_tls_session_client_connection_wait_for_ticket (GTlsSessionClientConnection *self,
                                                 int timeout_ms,
                                                 GCancellable *cancellable,
                                                 GError **error)
{
  GTlsSessionEngineStatus status;

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  if (has_unused (self))
    return pick_awaited (self, error);

  if (g_tls_session_connection_run (base_of (self), &wait_step, deadline_after (timeout_ms), cancellable, &status,
                                    error))
    return pick_awaited (self, error);

  explain_timeout (timeout_ms, error);
  return NULL;
}

void
g_tls_session_client_connection_wait_for_ticket_async (GTlsSessionClientConnection *self,
                                                       int timeout_ms,
                                                       GCancellable *cancellable,
                                                       GAsyncReadyCallback callback,
                                                       gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, g_tls_session_client_connection_wait_for_ticket_async);
  g_task_set_task_data (task, GINT_TO_POINTER (timeout_ms), NULL);
  if (!has_unused (self))
    {
      g_tls_session_connection_run_async (base_of (self), &wait_step, deadline_after (timeout_ms), task);
      return;
    }

  g_task_return_int (task, G_TLS_SESSION_ENGINE_DONE);
  g_object_unref (task);
}

GTlsSessionTicket *
g_tls_session_client_connection_wait_for_ticket_finish (GTlsSessionClientConnection *self,
                                                        GAsyncResult *result,
                                                        GError **error)
{
  if (g_task_propagate_int (G_TASK (result), error) >= 0)
    return pick_awaited (self, error);

  explain_timeout (GPOINTER_TO_INT (g_task_get_task_data (G_TASK (result))), error);
  return NULL;
}
