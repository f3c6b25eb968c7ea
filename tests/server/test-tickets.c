/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Our server's tickets: how many, for how long, and what becomes of them when keys rotate or a server restarts. */

#include "calendar.h"
#include "meeting.h"

#define LIFETIME 1234
#define KEYS_MAX 64

static GTlsProtocolVersion
version_of (gconstpointer data)
{
  return (GTlsProtocolVersion) GPOINTER_TO_INT (data);
}

static void
rotate (GTlsSessionTicketKeys *keys)
{
  g_autoptr (GError) error = NULL;

  g_tls_session_ticket_keys_rotate (keys, &error);
  g_assert_no_error (error);
}

static void
expect (const Host *host, const Papers *papers, GTlsSessionTicket *ticket, GTlsSessionResumption resumption)
{
  g_autoptr (GTlsSessionTicket) next = spend_ticket (host, papers, ticket, resumption);
}

/* How many, for how long */

static void
full_handshake_gives_as_many_as_it_is_told (void)
{
  static const guint counts[] = { 0, 1, 3, 16 };
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Host host = host_of (papers, keys, G_TLS_PROTOCOL_VERSION_TLS_1_3);

  for (gsize i = 0; i < G_N_ELEMENTS (counts); i++)
    {
      g_autoptr (Meeting) meeting = NULL;

      host.ticket_count = counts[i];
      meeting = meeting_new (&host, papers, SERVER_NAME);
      meeting_hold (meeting);
      g_assert_cmpuint (meeting_count_tickets (meeting), ==, counts[i]);
      meeting_assert (meeting, G_TLS_SESSION_RESUMPTION_NONE);
    }
}

static void
tls12_handshake_gives_one (void)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Host host = host_of (papers, keys, G_TLS_PROTOCOL_VERSION_TLS_1_2);
  g_autoptr (Meeting) meeting = meeting_new (&host, papers, SERVER_NAME);

  meeting_hold (meeting);
  g_assert_cmpuint (meeting_count_tickets (meeting), ==, 1);
}

static void
client_is_told_the_lifetime (gconstpointer data)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Host host = host_of (papers, keys, version_of (data));
  g_autoptr (GTlsSessionTicket) by_default = obtain_ticket (&host, papers);
  g_autoptr (GTlsSessionTicket) as_told = NULL;

  g_assert_cmpuint (g_tls_session_ticket_keys_get_lifetime (keys), ==, 7200);
  g_assert_cmpuint (g_tls_session_ticket_get_lifetime (by_default), ==, 7200);
  g_tls_session_ticket_keys_set_lifetime (keys, LIFETIME);
  as_told = obtain_ticket (&host, papers);
  g_assert_cmpuint (g_tls_session_ticket_get_lifetime (as_told), ==, LIFETIME);
}

static void
resumed_session_gives_another_ticket (void)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Host host = host_of (papers, keys, G_TLS_PROTOCOL_VERSION_TLS_1_3);
  g_autoptr (GTlsSessionTicket) ticket = obtain_ticket (&host, papers);

  for (int i = 0; i < 5; i++)
    {
      g_autoptr (GTlsSessionTicket) next = spend_ticket (&host, papers, ticket, G_TLS_SESSION_RESUMPTION_RESUMED);

      g_assert_nonnull (next);
      g_assert_cmpstr (g_tls_session_ticket_get_id (next), !=, g_tls_session_ticket_get_id (ticket));
      g_set_object (&ticket, next);
    }
}

/* It is good when the client offers it, and no longer when the server looks at it. */
static void
ticket_is_taken_for_its_lifetime_only (gconstpointer data)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Host host = host_of (papers, keys, version_of (data));
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GTlsSessionTicket) next = NULL;

  g_tls_session_ticket_keys_set_lifetime (keys, LIFETIME);
  ticket = obtain_ticket (&host, papers);
  calendar_advance (LIFETIME - 300);
  expect (&host, papers, ticket, G_TLS_SESSION_RESUMPTION_RESUMED);

  host.hello_takes = 600;
  next = spend_ticket (&host, papers, ticket, G_TLS_SESSION_RESUMPTION_REFUSED);

  /* The full handshake brought a new one. */
  host.hello_takes = 0;
  expect (&host, papers, next, G_TLS_SESSION_RESUMPTION_RESUMED);
}

/* However short each step, and however many steps: a full handshake is a week old at most (RFC 8446, section 4.6.1). */
static void
nothing_is_resumed_for_more_than_a_week (void)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Host host = host_of (papers, keys, G_TLS_PROTOCOL_VERSION_TLS_1_3);
  g_autoptr (GTlsSessionTicket) ticket = NULL;

  g_tls_session_ticket_keys_set_lifetime (keys, WEEK);
  ticket = obtain_ticket (&host, papers);
  for (int day = 2; day <= 6; day += 2)
    {
      g_autoptr (GTlsSessionTicket) next = NULL;

      calendar_advance (2 * DAY);
      next = spend_ticket (&host, papers, ticket, G_TLS_SESSION_RESUMPTION_RESUMED);
      g_set_object (&ticket, next);
    }

  /* The last one was told to live for what is left of the week; it is offered in time and gets there too late. */
  g_assert_cmpuint (g_tls_session_ticket_get_lifetime (ticket), <=, DAY);
  calendar_advance (DAY - 300);
  g_assert_true (g_tls_session_ticket_is_usable (ticket));
  host.hello_takes = 600;
  expect (&host, papers, ticket, G_TLS_SESSION_RESUMPTION_REFUSED);
}

/* In TLS 1.2 a ticket is sealed anew when its key has been rotated out (RFC 5077, section 3.3). */
static void
client_goes_on_with_the_renewed_ticket (void)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Host host = host_of (papers, keys, G_TLS_PROTOCOL_VERSION_TLS_1_2);
  g_autoptr (GTlsSessionTicket) ticket = obtain_ticket (&host, papers);
  g_autoptr (GTlsSessionTicket) same = spend_ticket (&host, papers, ticket, G_TLS_SESSION_RESUMPTION_RESUMED);
  g_autoptr (GTlsSessionTicket) renewed = NULL;

  g_assert_true (same == ticket);
  rotate (keys);
  renewed = spend_ticket (&host, papers, ticket, G_TLS_SESSION_RESUMPTION_RESUMED);
  g_assert_cmpstr (g_tls_session_ticket_get_id (renewed), !=, g_tls_session_ticket_get_id (ticket));

  /* It does without the key that sealed the first one. */
  calendar_advance (1000);
  g_tls_session_ticket_keys_set_lifetime (keys, 500);
  g_assert_cmpuint (g_tls_session_ticket_keys_get_n_keys (keys), ==, 1);
  g_tls_session_ticket_keys_set_lifetime (keys, 7200);
  expect (&host, papers, ticket, G_TLS_SESSION_RESUMPTION_REFUSED);
  expect (&host, papers, renewed, G_TLS_SESSION_RESUMPTION_RESUMED);
}

/* That makes its session no younger. */
static void
renewed_tls12_ticket_grows_no_older_than_a_week (void)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Host host = host_of (papers, keys, G_TLS_PROTOCOL_VERSION_TLS_1_2);
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GTlsSessionTicket) renewed = NULL;

  g_tls_session_ticket_keys_set_lifetime (keys, WEEK);
  ticket = obtain_ticket (&host, papers);
  rotate (keys);
  calendar_advance (6 * DAY);
  renewed = spend_ticket (&host, papers, ticket, G_TLS_SESSION_RESUMPTION_RESUMED);
  g_assert_cmpstr (g_tls_session_ticket_get_id (renewed), !=, g_tls_session_ticket_get_id (ticket));
  host.hello_takes = 2 * DAY;
  expect (&host, papers, renewed, G_TLS_SESSION_RESUMPTION_REFUSED);
}

/* Keys */

static void
without_keys_there_are_no_tickets (gconstpointer data)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Host with_keys = host_of (papers, keys, version_of (data));
  Host without = host_of (papers, NULL, version_of (data));
  g_autoptr (Meeting) meeting = meeting_new (&without, papers, SERVER_NAME);
  g_autoptr (GTlsSessionTicket) ticket = obtain_ticket (&with_keys, papers);
  g_autoptr (GTlsSessionTicket) none = NULL;

  meeting_hold (meeting);
  meeting_assert (meeting, G_TLS_SESSION_RESUMPTION_NONE);
  g_assert_cmpuint (meeting_count_tickets (meeting), ==, 0);

  none = spend_ticket (&without, papers, ticket, G_TLS_SESSION_RESUMPTION_REFUSED);
  g_assert_null (none);
}

static void
restarted_server_takes_yesterdays_ticket (gconstpointer data)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Host yesterday = host_of (papers, keys, version_of (data));
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GTlsSessionTicketKeys) imported = NULL;
  Host today;

  g_tls_session_ticket_keys_set_lifetime (keys, 2 * DAY);
  ticket = obtain_ticket (&yesterday, papers);
  imported = keys_there_and_back (keys);
  g_clear_object (&keys);
  calendar_advance (DAY);

  today = host_of (papers, imported, version_of (data));
  g_assert_cmpuint (g_tls_session_ticket_keys_get_lifetime (imported), ==, 2 * DAY);
  expect (&today, papers, ticket, G_TLS_SESSION_RESUMPTION_RESUMED);
}

static void
restarted_server_without_its_keys_refuses (gconstpointer data)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) old_keys = keys_new ();
  g_autoptr (GTlsSessionTicketKeys) new_keys = keys_new ();
  Host before = host_of (papers, old_keys, version_of (data));
  Host after = host_of (papers, new_keys, version_of (data));
  g_autoptr (GTlsSessionTicket) ticket = obtain_ticket (&before, papers);

  expect (&after, papers, ticket, G_TLS_SESSION_RESUMPTION_REFUSED);
}

static void
rotated_key_opens_its_tickets_for_their_lifetime (gconstpointer data)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Host host = host_of (papers, keys, version_of (data));
  g_autoptr (GTlsSessionTicket) ticket = NULL;

  g_tls_session_ticket_keys_set_lifetime (keys, LIFETIME);
  ticket = obtain_ticket (&host, papers);
  rotate (keys);
  g_assert_cmpuint (g_tls_session_ticket_keys_get_n_keys (keys), ==, 2);
  calendar_advance (LIFETIME - 300);
  expect (&host, papers, ticket, G_TLS_SESSION_RESUMPTION_RESUMED);
  g_assert_cmpuint (g_tls_session_ticket_keys_get_n_keys (keys), ==, 2);

  host.hello_takes = 600;
  expect (&host, papers, ticket, G_TLS_SESSION_RESUMPTION_REFUSED);
  g_assert_cmpuint (g_tls_session_ticket_keys_get_n_keys (keys), ==, 1);
}

/* What is wiped opens nothing, whatever the ticket says of itself. */
static void
shorter_lifetime_wipes_old_keys_earlier (gconstpointer data)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Host host = host_of (papers, keys, version_of (data));
  g_autoptr (GTlsSessionTicket) ticket = obtain_ticket (&host, papers);

  rotate (keys);
  calendar_advance (1000);
  expect (&host, papers, ticket, G_TLS_SESSION_RESUMPTION_RESUMED);
  g_tls_session_ticket_keys_set_lifetime (keys, 500);
  g_assert_true (g_tls_session_ticket_is_usable (ticket));
  expect (&host, papers, ticket, G_TLS_SESSION_RESUMPTION_REFUSED);
  g_assert_cmpuint (g_tls_session_ticket_keys_get_n_keys (keys), ==, 1);
}

static void
restart_keeps_rotated_keys_and_when_they_end (gconstpointer data)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Host host = host_of (papers, keys, version_of (data));
  g_autoptr (GTlsSessionTicket) ticket = obtain_ticket (&host, papers);
  g_autoptr (GTlsSessionTicketKeys) imported = NULL;

  rotate (keys);
  calendar_advance (7000);
  imported = keys_there_and_back (keys);
  g_assert_cmpuint (g_tls_session_ticket_keys_get_n_keys (imported), ==, 2);
  host.keys = imported;
  expect (&host, papers, ticket, G_TLS_SESSION_RESUMPTION_RESUMED);
  host.hello_takes = 300;
  expect (&host, papers, ticket, G_TLS_SESSION_RESUMPTION_REFUSED);
  g_assert_cmpuint (g_tls_session_ticket_keys_get_n_keys (imported), ==, 1);
}

/* One pair of servers has the same object, the other one the same bytes. */
static void
servers_share_keys (gconstpointer data)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  g_autoptr (GTlsSessionTicketKeys) copy = keys_there_and_back (keys);
  Host here = host_of (papers, keys, version_of (data));
  Host there = host_of (papers, copy, version_of (data));
  g_autoptr (GTlsSessionTicket) from_here = obtain_ticket (&here, papers);
  g_autoptr (GTlsSessionTicket) from_there = obtain_ticket (&there, papers);

  expect (&there, papers, from_here, G_TLS_SESSION_RESUMPTION_RESUMED);
  expect (&here, papers, from_there, G_TLS_SESSION_RESUMPTION_RESUMED);
}

static void
there_are_64_keys_at_most (gconstpointer data)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Host host = host_of (papers, keys, version_of (data));
  g_autoptr (GTlsSessionTicket) oldest = obtain_ticket (&host, papers);
  g_autoptr (GTlsSessionTicket) next_oldest = NULL;

  rotate (keys);
  next_oldest = obtain_ticket (&host, papers);
  while (g_tls_session_ticket_keys_get_n_keys (keys) < KEYS_MAX)
    rotate (keys);
  expect (&host, papers, oldest, G_TLS_SESSION_RESUMPTION_RESUMED);

  rotate (keys);
  g_assert_cmpuint (g_tls_session_ticket_keys_get_n_keys (keys), ==, KEYS_MAX);
  expect (&host, papers, oldest, G_TLS_SESSION_RESUMPTION_REFUSED);
  expect (&host, papers, next_oldest, G_TLS_SESSION_RESUMPTION_RESUMED);
}

/* Fewer times than there are places for keys, so that none is lost. */
static gpointer
rotate_and_export (gpointer data)
{
  GTlsSessionTicketKeys *keys = data;

  while (g_tls_session_ticket_keys_get_n_keys (keys) < KEYS_MAX)
    {
      g_autoptr (GTlsSessionTicketKeys) copy = keys_there_and_back (keys);

      rotate (keys);
      g_tls_session_ticket_keys_set_lifetime (keys, 7200 - g_tls_session_ticket_keys_get_n_keys (keys));
      g_usleep (500);
    }
  return NULL;
}

static void
keys_rotate_while_servers_serve (gconstpointer data)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Host host = host_of (papers, keys, version_of (data));
  g_autoptr (GTlsSessionTicket) ticket = obtain_ticket (&host, papers);
  GThread *thread = g_thread_new ("rotating", rotate_and_export, keys);

  do
    {
      g_autoptr (GTlsSessionTicket) next = spend_ticket (&host, papers, ticket, G_TLS_SESSION_RESUMPTION_RESUMED);

      g_set_object (&ticket, next);
    }
  while (g_tls_session_ticket_keys_get_n_keys (keys) < KEYS_MAX);
  g_thread_join (thread);
  expect (&host, papers, ticket, G_TLS_SESSION_RESUMPTION_RESUMED);
}

/* The keys are the connection's for as long as it lives, whoever else lets go of them. */
static void
keys_live_as_long_as_their_connections (gconstpointer data)
{
  g_autoptr (Papers) papers = papers_new ();
  GTlsSessionTicketKeys *keys = keys_new ();
  Host host = host_of (papers, keys, version_of (data));
  g_autoptr (Meeting) meeting = meeting_new (&host, papers, SERVER_NAME);

  g_object_add_weak_pointer (G_OBJECT (keys), (gpointer *) &keys);
  g_object_unref (keys);
  meeting_hold (meeting);
  g_assert_cmpuint (meeting_count_tickets (meeting), >, 0);
  g_assert_true (g_tls_session_server_connection_get_ticket_keys (meeting->server) == keys);
  g_tls_session_server_connection_set_ticket_keys (meeting->server, NULL);
  g_assert_nonnull (keys);
  meeting_free (g_steal_pointer (&meeting));
  g_assert_null (keys);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/server/calendar_is_openssls", calendar_check);
  g_test_add_func ("/server/tls1.3/full_handshake_gives_as_many_as_it_is_told",
                   full_handshake_gives_as_many_as_it_is_told);
  g_test_add_func ("/server/tls1.2/handshake_gives_one", tls12_handshake_gives_one);
  add_for_both_versions ("server", "client_is_told_the_lifetime", client_is_told_the_lifetime);
  g_test_add_func ("/server/tls1.3/resumed_session_gives_another_ticket", resumed_session_gives_another_ticket);
  add_for_both_versions ("server", "ticket_is_taken_for_its_lifetime_only", ticket_is_taken_for_its_lifetime_only);
  g_test_add_func ("/server/tls1.3/nothing_is_resumed_for_more_than_a_week", nothing_is_resumed_for_more_than_a_week);
  g_test_add_func ("/server/tls1.2/client_goes_on_with_the_renewed_ticket", client_goes_on_with_the_renewed_ticket);
  g_test_add_func ("/server/tls1.2/renewed_ticket_grows_no_older_than_a_week",
                   renewed_tls12_ticket_grows_no_older_than_a_week);
  add_for_both_versions ("server", "without_keys_there_are_no_tickets", without_keys_there_are_no_tickets);
  add_for_both_versions ("server", "restarted_server_takes_yesterdays_ticket",
                         restarted_server_takes_yesterdays_ticket);
  add_for_both_versions ("server", "restarted_server_without_its_keys_refuses",
                         restarted_server_without_its_keys_refuses);
  add_for_both_versions ("server", "rotated_key_opens_its_tickets_for_their_lifetime",
                         rotated_key_opens_its_tickets_for_their_lifetime);
  add_for_both_versions ("server", "shorter_lifetime_wipes_old_keys_earlier", shorter_lifetime_wipes_old_keys_earlier);
  add_for_both_versions ("server", "restart_keeps_rotated_keys_and_when_they_end",
                         restart_keeps_rotated_keys_and_when_they_end);
  add_for_both_versions ("server", "servers_share_keys", servers_share_keys);
  add_for_both_versions ("server", "there_are_64_keys_at_most", there_are_64_keys_at_most);
  add_for_both_versions ("server", "keys_rotate_while_servers_serve", keys_rotate_while_servers_serve);
  add_for_both_versions ("server", "keys_live_as_long_as_their_connections", keys_live_as_long_as_their_connections);
  return g_test_run ();
}
