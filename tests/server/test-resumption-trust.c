/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tries to get a client around the rule that a resumed connection is judged as a full one is. */

#include "calendar.h"
#include "meeting.h"
#include "ticket/ticket-private.h"

static GTlsProtocolVersion
version_of (gconstpointer data)
{
  return (GTlsProtocolVersion) GPOINTER_TO_INT (data);
}

static GTlsSessionTicketKeys *
keys_for_a_week (void)
{
  GTlsSessionTicketKeys *keys = keys_new ();

  g_tls_session_ticket_keys_set_lifetime (keys, WEEK);
  return keys;
}

static GTlsSessionTicket *
ticket_there_and_back (GTlsSessionTicket *ticket)
{
  g_autoptr (GBytes) bytes = g_tls_session_ticket_to_bytes (ticket);
  g_autoptr (GError) error = NULL;
  GTlsSessionTicket *imported = g_tls_session_ticket_new_from_bytes (bytes, &error);

  g_assert_no_error (error);
  return imported;
}

static void
assert_rejected (Meeting *meeting, GTlsCertificateFlags faults)
{
  GTlsConnection *client = meeting_get_client (meeting);
  g_autoptr (GError) error = NULL;

  g_assert_error (meeting->client_error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_assert_cmpint (g_tls_connection_get_peer_certificate_errors (client), ==, faults);
  g_assert_nonnull (g_tls_connection_get_peer_certificate (client));
  g_assert_cmpuint (meeting->n_heard, ==, 0);
  g_assert_cmpuint (meeting_count_tickets (meeting), ==, 0);
  g_assert_false (g_tls_connection_handshake (client, NULL, &error));
}

/* Everything that can have changed since */

typedef enum
{
  ROOT_TRUSTED,
  OTHER_ROOT_TRUSTED,
  NOBODY_TRUSTED,
} Trusted;

typedef struct
{
  const char *name;
  gint64 days_pass;
  int leaf_ends; /* days from now; 0: later than all of this */
  int intermediate_ends;
  Trusted trusted;
  gboolean without_identity;
  GTlsCertificateFlags faults;
} Change;

static const Change changes[] = {
  { .name = "nothing", .days_pass = 3 },
  { .name = "other database", .trusted = OTHER_ROOT_TRUSTED, .faults = G_TLS_CERTIFICATE_UNKNOWN_CA },
  { .name = "no database", .trusted = NOBODY_TRUSTED, .faults = G_TLS_CERTIFICATE_UNKNOWN_CA },
  { .name = "no identity", .without_identity = TRUE, .faults = G_TLS_CERTIFICATE_BAD_IDENTITY },
  { .name = "expired since", .days_pass = 3, .leaf_ends = 2, .faults = G_TLS_CERTIFICATE_EXPIRED },
  { .name = "its issuer expired since", .days_pass = 3, .intermediate_ends = 2, .faults = G_TLS_CERTIFICATE_EXPIRED },
  { .name = "several",
    .days_pass = 3,
    .leaf_ends = 2,
    .trusted = OTHER_ROOT_TRUSTED,
    .without_identity = TRUE,
    .faults = G_TLS_CERTIFICATE_EXPIRED | G_TLS_CERTIFICATE_UNKNOWN_CA | G_TLS_CERTIFICATE_BAD_IDENTITY },
};

static GTlsCertificate *
issue_ending (const Papers *papers, const Change *change)
{
  Order intermediate = { .name = "Brief", .is_ca = TRUE, .from_day = -1, .to_day = 30 };
  Order leaf = { .name = "Server", .alternative_names = "DNS:" SERVER_NAME, .from_day = -1, .to_day = 30 };
  g_autoptr (Forged) issuer = NULL;

  if (change->leaf_ends > 0)
    leaf.to_day = change->leaf_ends;
  if (change->intermediate_ends > 0)
    intermediate.to_day = change->intermediate_ends;
  issuer = forge (&intermediate, papers->root);
  return papers_issue (&leaf, issuer);
}

/* @ticket is nullable. */
static void
meet_after (const Change *change, const Host *host, const Papers *papers, GTlsSessionTicket *ticket)
{
  GTlsDatabase *const databases[] = { papers->database, papers->other_database, NULL };
  g_autoptr (Meeting) meeting = meeting_new (host, papers, SERVER_NAME);

  if (ticket != NULL)
    meeting_offer (meeting, ticket);
  g_tls_connection_set_database (meeting_get_client (meeting), databases[change->trusted]);
  if (change->without_identity)
    g_object_set (meeting_get_client (meeting), "server-identity", NULL, NULL);

  g_test_message ("%s, %s", change->name, ticket != NULL ? "resumed" : "full");
  if (change->faults != 0)
    {
      g_assert_false (meeting_try (meeting));
      assert_rejected (meeting, change->faults);
    }
  else
    {
      meeting_hold (meeting);
      meeting_assert (meeting, ticket != NULL ? G_TLS_SESSION_RESUMPTION_RESUMED : G_TLS_SESSION_RESUMPTION_NONE);
    }
}

static void
resumed_session_is_judged_as_a_full_handshake_is (gconstpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (changes); i++)
    {
      g_autoptr (Papers) papers = papers_new ();
      g_autoptr (GTlsCertificate) certificate = issue_ending (papers, &changes[i]);
      g_autoptr (GTlsSessionTicketKeys) keys = keys_for_a_week ();
      Host host = host_of (papers, keys, version_of (data));
      g_autoptr (GTlsSessionTicket) ticket = NULL;
      g_autoptr (GTlsSessionTicket) imported = NULL;

      host.certificate = certificate;
      ticket = obtain_ticket (&host, papers);
      imported = ticket_there_and_back (ticket);
      calendar_advance (changes[i].days_pass * DAY);
      meet_after (&changes[i], &host, papers, NULL);
      meet_after (&changes[i], &host, papers, ticket);
      meet_after (&changes[i], &host, papers, imported);
    }
}

/* What was let through once */

static gboolean
accept_and_count (GTlsConnection *connection,
                  GTlsCertificate *certificate,
                  GTlsCertificateFlags faults,
                  guint *n_accepted)
{
  (*n_accepted)++;
  return TRUE;
}

static Meeting *
meeting_with_a_stranger (const Host *host, const Papers *papers, GTlsSessionTicket *ticket, guint *n_accepted)
{
  Meeting *meeting = meeting_new (host, papers, SERVER_NAME);

  if (ticket != NULL)
    meeting_offer (meeting, ticket);
  if (n_accepted != NULL)
    g_signal_connect (meeting_get_client (meeting), "accept-certificate", G_CALLBACK (accept_and_count), n_accepted);
  return meeting;
}

/* However often, and however it travelled. */
static void
what_was_accepted_by_hand_is_asked_about_each_time (gconstpointer data)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsCertificate)
    strange = papers_issue (&(Order){ .name = "Server", .alternative_names = "DNS:" SERVER_NAME }, papers->stranger);
  g_autoptr (GTlsSessionTicketKeys) keys = keys_for_a_week ();
  Host host = host_of (papers, keys, version_of (data));
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  guint n_accepted = 0;

  host.certificate = strange;
  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (Meeting) meeting = meeting_with_a_stranger (&host, papers, ticket, &n_accepted);
      g_autoptr (Meeting) unattended = NULL;
      g_autoptr (GTlsSessionTicket) next = NULL;

      meeting_hold (meeting);
      meeting_assert (meeting, i > 0 ? G_TLS_SESSION_RESUMPTION_RESUMED : G_TLS_SESSION_RESUMPTION_NONE);
      g_assert_cmpuint (n_accepted, ==, i + 1);
      next = meeting_get_ticket (meeting);
      g_clear_object (&ticket);
      ticket = ticket_there_and_back (next);

      unattended = meeting_with_a_stranger (&host, papers, ticket, NULL);
      g_assert_false (meeting_try (unattended));
      assert_rejected (unattended, G_TLS_CERTIFICATE_UNKNOWN_CA);
    }
}

/* Accepted for a name that it is not good for, and offered to that name again. */
static void
accepted_name_is_asked_about_again (gconstpointer data)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_for_a_week ();
  Host host = host_of (papers, keys, version_of (data));
  g_autoptr (Meeting) first = meeting_new (&host, papers, "elsewhere.example.net");
  g_autoptr (Meeting) second = meeting_new (&host, papers, "elsewhere.example.net");
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  guint n_accepted = 0;

  g_signal_connect (meeting_get_client (first), "accept-certificate", G_CALLBACK (accept_and_count), &n_accepted);
  meeting_hold (first);
  g_assert_cmpuint (n_accepted, ==, 1);
  ticket = meeting_get_ticket (first);

  meeting_offer (second, ticket);
  g_assert_false (meeting_try (second));
  assert_rejected (second, G_TLS_CERTIFICATE_BAD_IDENTITY);
}

G_GNUC_BEGIN_IGNORE_DEPRECATIONS
static void
stricter_flags_count (gconstpointer data)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsCertificate) expired = papers_issue (
    &(Order){ .name = "Server", .alternative_names = "DNS:" SERVER_NAME, .from_day = -3, .to_day = -1 },
    papers->intermediate);
  g_autoptr (GTlsSessionTicketKeys) keys = keys_for_a_week ();
  Host host = host_of (papers, keys, version_of (data));
  g_autoptr (Meeting) lax = NULL;
  g_autoptr (Meeting) lax_again = NULL;
  g_autoptr (Meeting) strict = NULL;
  g_autoptr (GTlsSessionTicket) ticket = NULL;

  host.certificate = expired;
  lax = meeting_new (&host, papers, SERVER_NAME);
  lax_again = meeting_new (&host, papers, SERVER_NAME);
  strict = meeting_new (&host, papers, SERVER_NAME);
  g_tls_client_connection_set_validation_flags (G_TLS_CLIENT_CONNECTION (meeting_get_client (lax)), 0);
  g_tls_client_connection_set_validation_flags (G_TLS_CLIENT_CONNECTION (meeting_get_client (lax_again)), 0);
  meeting_hold (lax);
  ticket = meeting_get_ticket (lax);

  meeting_offer (lax_again, ticket);
  meeting_hold (lax_again);
  meeting_assert (lax_again, G_TLS_SESSION_RESUMPTION_RESUMED);
  g_assert_cmpint (g_tls_connection_get_peer_certificate_errors (meeting_get_client (lax_again)), ==,
                   G_TLS_CERTIFICATE_EXPIRED);

  meeting_offer (strict, ticket);
  g_assert_false (meeting_try (strict));
  assert_rejected (strict, G_TLS_CERTIFICATE_EXPIRED);
}

/* A ticket that says nothing of who the server was. Flags and handlers judge certificates; here is none. */
static void
nobody_is_nobody (gconstpointer data)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_for_a_week ();
  Host host = host_of (papers, keys, version_of (data));
  g_autoptr (GTlsSessionTicket) ticket = obtain_ticket (&host, papers);
  SSL_SESSION *session = g_tls_session_ticket_dup_session (ticket);
  g_autoptr (GTlsSessionTicket) made = g_tls_session_ticket_new (session, NULL, SERVER_NAME, FALSE);
  g_autoptr (GTlsSessionTicket) nameless = ticket_there_and_back (made);
  guint n_accepted = 0;
  g_autoptr (Meeting) meeting = meeting_with_a_stranger (&host, papers, nameless, &n_accepted);

  SSL_SESSION_free (session);
  g_tls_client_connection_set_validation_flags (G_TLS_CLIENT_CONNECTION (meeting_get_client (meeting)), 0);
  g_assert_false (meeting_try (meeting));
  g_assert_error (meeting->client_error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_assert_null (g_tls_connection_get_peer_certificate (meeting_get_client (meeting)));
  g_assert_cmpuint (meeting->n_heard, ==, 0);
  g_assert_cmpuint (n_accepted, ==, 0);
}
G_GNUC_END_IGNORE_DEPRECATIONS

/* The identity changes */

static void
other_identity_is_not_offered (gconstpointer data)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_for_a_week ();
  Host host = host_of (papers, keys, version_of (data));
  g_autoptr (GTlsSessionTicket) ticket = obtain_ticket (&host, papers);
  g_autoptr (GTlsSessionTicket) imported = ticket_there_and_back (ticket);
  g_autoptr (Meeting) meeting = meeting_new (&host, papers, "elsewhere.example.net");
  g_autoptr (GError) error = NULL;

  g_assert_false (g_tls_session_helper_set_ticket (meeting->client, imported, &error));
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_IDENTITY_MISMATCH);
}

/* It was right when the ticket was offered. */
static void
other_identity_afterwards_is_not_offered (gconstpointer data)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_for_a_week ();
  Host host = host_of (papers, keys, version_of (data));
  g_autoptr (GTlsSessionTicket) ticket = obtain_ticket (&host, papers);
  g_autoptr (Meeting) meeting = meeting_new (&host, papers, SERVER_NAME);
  g_autoptr (GSocketConnectable) other = g_network_address_new ("elsewhere.example.net", 443);

  meeting_offer (meeting, ticket);
  g_object_set (meeting_get_client (meeting), "server-identity", other, NULL);
  g_assert_false (meeting_try (meeting));
  g_assert_cmpint (g_tls_session_helper_get_resumption (meeting->client), ==, G_TLS_SESSION_RESUMPTION_NONE);
  assert_rejected (meeting, G_TLS_CERTIFICATE_BAD_IDENTITY);
}

/* What must not spoil a ticket (the design's rule 5) */

static void
rejecting_leaves_the_ticket_good (gconstpointer data)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_for_a_week ();
  Host host = host_of (papers, keys, version_of (data));
  g_autoptr (GTlsSessionTicket) ticket = obtain_ticket (&host, papers);
  g_autoptr (Meeting) meeting = meeting_new (&host, papers, SERVER_NAME);
  g_autoptr (GTlsSessionTicket) next = NULL;

  meeting_offer (meeting, ticket);
  g_tls_connection_set_database (meeting_get_client (meeting), papers->other_database);
  g_assert_false (meeting_try (meeting));
  next = spend_ticket (&host, papers, ticket, G_TLS_SESSION_RESUMPTION_RESUMED);
  g_assert_nonnull (next);
}

static void
cutting_leaves_the_ticket_good (gconstpointer data)
{
  static const Ending endings[] = { ENDING_CUT_BY_CLIENT, ENDING_CUT_BY_SERVER };

  for (gsize i = 0; i < G_N_ELEMENTS (endings); i++)
    {
      g_autoptr (Papers) papers = papers_new ();
      g_autoptr (GTlsSessionTicketKeys) keys = keys_for_a_week ();
      Host host = host_of (papers, keys, version_of (data));
      g_autoptr (Meeting) meeting = meeting_new (&host, papers, SERVER_NAME);
      g_autoptr (GTlsSessionTicket) ticket = NULL;
      g_autoptr (GTlsSessionTicket) next = NULL;

      meeting->ending = endings[i];
      g_assert_false (meeting_try (meeting));
      if (endings[i] == ENDING_CUT_BY_CLIENT)
        g_assert_error (meeting->server_error, G_TLS_ERROR, G_TLS_ERROR_EOF);
      else
        g_assert_error (meeting->client_error, G_TLS_ERROR, G_TLS_ERROR_EOF);
      ticket = meeting_get_ticket (meeting);
      next = spend_ticket (&host, papers, ticket, G_TLS_SESSION_RESUMPTION_RESUMED);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  add_for_both_versions ("resumption-trust", "resumed_session_is_judged_as_a_full_handshake_is",
                         resumed_session_is_judged_as_a_full_handshake_is);
  add_for_both_versions ("resumption-trust", "what_was_accepted_by_hand_is_asked_about_each_time",
                         what_was_accepted_by_hand_is_asked_about_each_time);
  add_for_both_versions ("resumption-trust", "accepted_name_is_asked_about_again", accepted_name_is_asked_about_again);
  add_for_both_versions ("resumption-trust", "stricter_flags_count", stricter_flags_count);
  add_for_both_versions ("resumption-trust", "nobody_is_nobody", nobody_is_nobody);
  add_for_both_versions ("resumption-trust", "other_identity_is_not_offered", other_identity_is_not_offered);
  add_for_both_versions ("resumption-trust", "other_identity_afterwards_is_not_offered",
                         other_identity_afterwards_is_not_offered);
  add_for_both_versions ("resumption-trust", "rejecting_leaves_the_ticket_good", rejecting_leaves_the_ticket_good);
  add_for_both_versions ("resumption-trust", "cutting_leaves_the_ticket_good", cutting_leaves_the_ticket_good);
  return g_test_run ();
}
