/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client-play.h"

#include "client.h"

#define TICKET_TIMEOUT 3000 /* ms */

static const ClientOrder *
order_of (Play *self)
{
  return self->order;
}

static GTlsSessionHelper *
helper_of (Play *self)
{
  return G_TLS_SESSION_HELPER (self->subject);
}

static gboolean
wait_for_ticket (Play *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GAsyncResult) result = NULL;

  if (play_is_async (self))
    {
      g_tls_session_helper_wait_for_ticket_async (helper_of (self), TICKET_TIMEOUT, cancellable, client_keep_result,
                                                  &result);
      result = client_await (&result);
      ticket = g_tls_session_helper_wait_for_ticket_finish (helper_of (self), result, error);
    }
  else
    {
      ticket = g_tls_session_helper_wait_for_ticket (helper_of (self), TICKET_TIMEOUT, cancellable, error);
    }
  return ticket != NULL;
}

static void
on_ticket (GTlsSessionHelper *client, GTlsSessionTicket *ticket, gpointer data)
{
  /* With TLS 1.2 the one that was offered may be announced as this connection's own. */
  if (ticket != order_of (data)->ticket)
    play_watch (ticket);
}

static void
offer (Play *self)
{
  g_autoptr (GBytes) early_data = g_bytes_new (self->upload, EARLY_SIZE);
  g_autoptr (GError) error = NULL;

  g_tls_session_helper_set_ticket (helper_of (self), order_of (self)->ticket, &error);
  g_assert_no_error (error);
  if (!order_of (self)->early_data)
    return;

  g_tls_session_helper_set_early_data (helper_of (self), early_data, &error);
  g_assert_no_error (error);
  self->n_uploaded = self->n_to_upload = EARLY_SIZE;
}

static void
make_client (Play *self, GIOStream *base)
{
  const ClientOrder *order = self->order;
  g_autoptr (GSocketConnectable) identity = g_network_address_new (SERVER_NAME, 443);
  g_autoptr (GError) error = NULL;
  GTlsSessionHelper *client = g_tls_session_helper_new_for_stream (base, identity, &error);

  g_assert_no_error (error);
  self->subject = G_OBJECT (client);
  self->stream = G_IO_STREAM (g_tls_session_helper_get_connection (client));
  g_object_set (self->stream, "database", order->database, "session-store", order->store, NULL);
  if (order->certificate != NULL)
    g_tls_connection_set_certificate (G_TLS_CONNECTION (self->stream), order->certificate);
  if (order->ticket != NULL)
    offer (self);

  g_signal_connect (client, "ticket-available", G_CALLBACK (on_ticket), self);
  play_watch (client);
}

static void
check_resumption (Play *self)
{
  GTlsSessionResumption resumption = g_tls_session_helper_get_resumption (helper_of (self));
  GTlsSessionEarlyDataStatus early = g_tls_session_helper_get_early_data_status (helper_of (self));
  gboolean open = play_was_open (self);

  if (open && resumption != order_of (self)->resumption)
    play_note_flaw (self, "resumption is %d", resumption);
  if (open && order_of (self)->early_data && early != G_TLS_SESSION_EARLY_DATA_STATUS_ACCEPTED)
    play_note_flaw (self, "early-data-status is %d", early);
}

static void
keep_a_ticket (Play *self)
{
  g_autolist (GTlsSessionTicket) tickets = g_tls_session_helper_list_tickets (helper_of (self));

  if (tickets != NULL)
    self->outcome->ticket = g_tls_session_ticket_to_bytes (g_list_last (tickets)->data);
}

static void
check_client (Play *self)
{
  check_resumption (self);
  keep_a_ticket (self);
}

static const PlaySide client_side = {
  .make = make_client,
  .wait_for_ticket = wait_for_ticket,
  .check = check_client,
};

void
client_play (const ClientOrder *order, const Case *this_case, Outcome *outcome)
{
  play (&client_side, order, peer_new_server (order->context), this_case, outcome);
}
