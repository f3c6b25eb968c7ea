/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tickets that go from thread to thread: received in one, offered in another, freed in a third. */

#include <string.h>

#include "crew.h"
#include "meeting.h"

#define N_ROLES 3

typedef struct
{
  Papers *papers;
  GTlsSessionTicketKeys *keys;
  Host host;
  guint n_tickets; /* each thread's */
  GAsyncQueue *received;
  GAsyncQueue *offered;
} Chain;

static void
receive (Chain *chain)
{
  for (guint i = 0; i < chain->n_tickets; i++)
    g_async_queue_push (chain->received, obtain_ticket (&chain->host, chain->papers));
}

static void
offer (Chain *chain)
{
  for (guint i = 0; i < chain->n_tickets; i++)
    {
      GTlsSessionTicket *ticket = g_async_queue_pop (chain->received);

      g_async_queue_push (chain->offered,
                          spend_ticket (&chain->host, chain->papers, ticket, G_TLS_SESSION_RESUMPTION_RESUMED));
      g_async_queue_push (chain->offered, ticket);
    }
}

static void
look_and_free (Chain *chain)
{
  for (guint i = 0; i < 2 * chain->n_tickets; i++)
    {
      g_autoptr (GTlsSessionTicket) ticket = g_async_queue_pop (chain->offered);

      g_assert_true (g_tls_session_ticket_is_usable (ticket));
      g_assert_cmpstr (g_tls_session_ticket_get_server_name (ticket), ==, SERVER_NAME);
    }
}

static void
play_role (guint number, gpointer data)
{
  static void (*const roles[N_ROLES]) (Chain * chain) = { receive, offer, look_and_free };

  roles[number % N_ROLES](data);
}

static void
tickets_are_received_offered_and_freed_in_three_threads (gconstpointer version)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Chain chain = { .papers = papers,
                  .keys = keys,
                  .host = host_of (papers, keys, (GTlsProtocolVersion) GPOINTER_TO_INT (version)),
                  .n_tickets = crew_scale (20),
                  .received = g_async_queue_new (),
                  .offered = g_async_queue_new () };

  crew_work (2 * N_ROLES, play_role, &chain);
  g_assert_cmpint (g_async_queue_length (chain.received), ==, 0);
  g_assert_cmpint (g_async_queue_length (chain.offered), ==, 0);
  g_async_queue_unref (chain.received);
  g_async_queue_unref (chain.offered);
}

typedef struct
{
  Papers *papers;
  Host host;
  GTlsSessionTicket *ticket; /* a reference for each thread */
  GBytes *bytes;
} Common;

static void
use_and_let_go (guint number, gpointer data)
{
  Common *common = data;
  g_autoptr (GTlsSessionTicket) ticket = common->ticket;
  g_autoptr (GTlsSessionTicket) next = NULL;
  g_autoptr (GBytes) bytes = g_tls_session_ticket_to_bytes (ticket);

  g_assert_true (g_bytes_equal (bytes, common->bytes));
  next = spend_ticket (&common->host, common->papers, ticket, G_TLS_SESSION_RESUMPTION_RESUMED);
  g_assert_nonnull (next);
}

static void
one_ticket_is_used_by_all_at_once (gconstpointer version)
{
  const guint size = 4;
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Common common = { .papers = papers, .host = host_of (papers, keys, (GTlsProtocolVersion) GPOINTER_TO_INT (version)) };

  for (guint i = 0; i < crew_scale (10); i++)
    {
      gpointer alive;

      common.ticket = obtain_ticket (&common.host, papers);
      common.bytes = g_tls_session_ticket_to_bytes (common.ticket);
      alive = common.ticket;
      g_object_add_weak_pointer (G_OBJECT (common.ticket), &alive);
      for (guint j = 1; j < size; j++)
        g_object_ref (common.ticket);

      crew_work (size, use_and_let_go, &common);
      g_assert_null (alive);
      g_clear_pointer (&common.bytes, g_bytes_unref);
    }
}

#define N_OFFERS 1000

static void
offer_often (guint number, gpointer data)
{
  Common *common = data;
  g_autoptr (Meeting) meeting = meeting_new (&common->host, common->papers, SERVER_NAME);

  for (guint i = 0; i < N_OFFERS; i++)
    meeting_offer (meeting, common->ticket);
}

/* Each offer is counted, and explain() tells how many there were. */
static void
offers_of_one_ticket_are_counted (void)
{
  const guint size = 4;
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Common common = { .papers = papers, .host = host_of (papers, keys, G_TLS_PROTOCOL_VERSION_TLS_1_3) };
  g_autoptr (GTlsSessionTicket) ticket = obtain_ticket (&common.host, papers);
  g_autoptr (Meeting) last = meeting_new (&common.host, papers, SERVER_NAME);
  g_autofree char *clause = g_strdup_printf ("use %u in this process", size * N_OFFERS + 1);
  g_autofree char *sentence = NULL;

  common.ticket = ticket;
  crew_work (size, offer_often, &common);

  meeting_offer (last, ticket);
  sentence = g_tls_session_helper_explain (last->client);
  g_assert_nonnull (strstr (sentence, clause));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  add_for_both_versions ("threads/passed", "tickets_are_received_offered_and_freed_in_three_threads",
                         tickets_are_received_offered_and_freed_in_three_threads);
  add_for_both_versions ("threads/passed", "one_ticket_is_used_by_all_at_once", one_ticket_is_used_by_all_at_once);
  g_test_add_func ("/threads/passed/offers_of_one_ticket_are_counted", offers_of_one_ticket_are_counted);
  return g_test_run ();
}
