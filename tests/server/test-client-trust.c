/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tries to get a client's certificate past a server by resuming: it is judged again, by its whole chain. */

#include <openssl/err.h>
#include <string.h>

#include "calendar.h"
#include "meeting.h"

typedef struct
{
  Papers *papers;
  GTlsSessionTicketKeys *keys;
  Host host;
  GTlsCertificate *own; /* the client's */
} Scene;

static void
scene_init (Scene *self, gconstpointer data)
{
  self->papers = papers_new ();
  self->keys = keys_new ();
  g_tls_session_ticket_keys_set_lifetime (self->keys, WEEK);
  self->host = host_of (self->papers, self->keys, (GTlsProtocolVersion) GPOINTER_TO_INT (data));
  self->host.authentication_mode = G_TLS_AUTHENTICATION_REQUIRED;
  self->host.client_database = self->papers->database;
  self->own = papers_issue (&(Order){ .name = "Client" }, self->papers->intermediate);
}

static void
scene_clear (Scene *self)
{
  papers_free (self->papers);
  g_object_unref (self->keys);
  g_object_unref (self->own);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Scene, scene_clear)

static void
replace_own (Scene *self, GTlsCertificate *certificate)
{
  g_object_unref (self->own);
  self->own = certificate;
}

static Meeting *
meet_with (Scene *self, GTlsSessionTicket *ticket)
{
  Meeting *meeting = meeting_new (&self->host, self->papers, SERVER_NAME);

  g_tls_connection_set_certificate (meeting_get_client (meeting), self->own);
  if (ticket != NULL)
    meeting_offer (meeting, ticket);
  return meeting;
}

static GTlsSessionTicket *
first_ticket (Scene *self)
{
  g_autoptr (Meeting) meeting = meet_with (self, NULL);

  meeting_hold (meeting);
  return meeting_get_ticket (meeting);
}

/* The client has done its part when a TLS 1.3 server says no. */
static void
assert_turned_away (Meeting *meeting, GTlsCertificateFlags faults)
{
  GTlsConnection *server = G_TLS_CONNECTION (meeting->server);

  g_assert_false (meeting_try (meeting));
  g_assert_error (meeting->server_error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_assert_nonnull (meeting->client_error);
  g_assert_cmpint (g_tls_connection_get_peer_certificate_errors (server), ==, faults);
  g_assert_cmpuint (meeting->n_heard, ==, 0);
}

/* With a full handshake, and with @ticket. */
static void
assert_is_turned_away (Scene *self, GTlsSessionTicket *ticket, GTlsCertificateFlags faults)
{
  g_autoptr (Meeting) full = meet_with (self, NULL);
  g_autoptr (Meeting) resumed = meet_with (self, ticket);

  assert_turned_away (full, faults);
  assert_turned_away (resumed, faults);
}

static void
assert_is_let_in (Scene *self, GTlsSessionTicket *ticket)
{
  g_autoptr (Meeting) meeting = meet_with (self, ticket);

  meeting_hold (meeting);
  meeting_assert (meeting, G_TLS_SESSION_RESUMPTION_RESUMED);
}

/* The server sees it as if the client had sent it again. */
static void
resumed_client_shows_its_chain (gconstpointer data)
{
  g_auto (Scene) scene = { 0 };
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (Meeting) meeting = NULL;
  GTlsCertificate *seen;

  scene_init (&scene, data);
  ticket = first_ticket (&scene);
  meeting = meet_with (&scene, ticket);
  meeting_hold (meeting);
  meeting_assert (meeting, G_TLS_SESSION_RESUMPTION_RESUMED);
  seen = g_tls_connection_get_peer_certificate (G_TLS_CONNECTION (meeting->server));
  g_assert_true (g_tls_certificate_is_same (seen, scene.own));
  g_assert_nonnull (g_tls_certificate_get_issuer (seen));
  g_assert_true (
    g_tls_certificate_is_same (g_tls_certificate_get_issuer (seen), g_tls_certificate_get_issuer (scene.own)));
}

static void
other_database_turns_it_away (gconstpointer data)
{
  g_auto (Scene) scene = { 0 };
  g_autoptr (GTlsSessionTicket) ticket = NULL;

  scene_init (&scene, data);
  ticket = first_ticket (&scene);
  scene.host.client_database = scene.papers->other_database;
  assert_is_turned_away (&scene, ticket, G_TLS_CERTIFICATE_UNKNOWN_CA);
  scene.host.client_database = NULL;
  assert_is_turned_away (&scene, ticket, G_TLS_CERTIFICATE_UNKNOWN_CA);
  scene.host.client_database = scene.papers->database;
  assert_is_let_in (&scene, ticket);
}

/* So does the server that the keys were exported to. */
static void
other_server_judges_for_itself (gconstpointer data)
{
  g_auto (Scene) scene = { 0 };
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GTlsSessionTicketKeys) imported = NULL;

  scene_init (&scene, data);
  ticket = first_ticket (&scene);
  imported = keys_there_and_back (scene.keys);
  scene.host.keys = imported;
  assert_is_let_in (&scene, ticket);
  scene.host.client_database = scene.papers->other_database;
  assert_is_turned_away (&scene, ticket, G_TLS_CERTIFICATE_UNKNOWN_CA);
}

static void
expired_certificate_turns_it_away (gconstpointer data)
{
  g_auto (Scene) scene = { 0 };
  g_autoptr (GTlsSessionTicket) ticket = NULL;

  scene_init (&scene, data);
  replace_own (&scene,
               papers_issue (&(Order){ .name = "Client", .from_day = -1, .to_day = 2 }, scene.papers->intermediate));
  ticket = first_ticket (&scene);
  calendar_advance (DAY);
  assert_is_let_in (&scene, ticket);
  calendar_advance (2 * DAY);
  assert_is_turned_away (&scene, ticket, G_TLS_CERTIFICATE_EXPIRED);
}

/* Only the whole chain tells. */
static void
expired_issuer_turns_it_away (gconstpointer data)
{
  g_auto (Scene) scene = { 0 };
  g_autoptr (Forged) brief = NULL;
  g_autoptr (GTlsSessionTicket) ticket = NULL;

  scene_init (&scene, data);
  brief = forge (&(Order){ .name = "Brief", .is_ca = TRUE, .from_day = -1, .to_day = 2 }, scene.papers->root);
  replace_own (&scene, papers_issue (&(Order){ .name = "Client" }, brief));
  ticket = first_ticket (&scene);
  calendar_advance (3 * DAY);
  assert_is_turned_away (&scene, ticket, G_TLS_CERTIFICATE_EXPIRED);
}

static gboolean
accept_and_count (GTlsConnection *connection,
                  GTlsCertificate *certificate,
                  GTlsCertificateFlags faults,
                  guint *n_accepted)
{
  g_assert_cmpint (faults, ==, G_TLS_CERTIFICATE_UNKNOWN_CA);
  (*n_accepted)++;
  return TRUE;
}

static void
what_was_accepted_by_hand_is_asked_about_each_time (gconstpointer data)
{
  g_auto (Scene) scene = { 0 };
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  guint n_accepted = 0;

  scene_init (&scene, data);
  scene.host.client_database = scene.papers->other_database;
  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (Meeting) meeting = meet_with (&scene, ticket);

      g_signal_connect (meeting->server, "accept-certificate", G_CALLBACK (accept_and_count), &n_accepted);
      meeting_hold (meeting);
      meeting_assert (meeting, i > 0 ? G_TLS_SESSION_RESUMPTION_RESUMED : G_TLS_SESSION_RESUMPTION_NONE);
      g_assert_cmpuint (n_accepted, ==, i + 1);
      g_clear_object (&ticket);
      ticket = meeting_get_ticket (meeting);
      assert_is_turned_away (&scene, ticket, G_TLS_CERTIFICATE_UNKNOWN_CA);
    }
}

/* Where a certificate is welcome and not required, a bad one is still no certificate to be let in with. */
static void
bad_certificate_is_turned_away_where_none_is_required (gconstpointer data)
{
  g_auto (Scene) scene = { 0 };
  g_autoptr (GTlsSessionTicket) ticket = NULL;

  scene_init (&scene, data);
  scene.host.authentication_mode = G_TLS_AUTHENTICATION_REQUESTED;
  ticket = first_ticket (&scene);
  assert_is_let_in (&scene, ticket);
  scene.host.client_database = scene.papers->other_database;
  assert_is_turned_away (&scene, ticket, G_TLS_CERTIFICATE_UNKNOWN_CA);
}

static gboolean
leave_error_and_accept (GTlsConnection *connection, GTlsCertificate *peer, GTlsCertificateFlags faults, gpointer data)
{
  ERR_raise (ERR_LIB_USER, ERR_R_PASSED_INVALID_ARGUMENT);
  return TRUE;
}

/* A program may use OpenSSL itself while it judges, and look at its errors another time. */
static void
what_the_program_leaves_in_openssls_queue_does_no_harm (gconstpointer data)
{
  g_auto (Scene) scene = { 0 };
  g_autoptr (Meeting) meeting = NULL;

  scene_init (&scene, data);
  scene.host.client_database = NULL; /* so that the program is asked */
  meeting = meet_with (&scene, NULL);
  g_object_set (meeting->server, "max-early-data", 16384, NULL); /* then OpenSSL judges while it reads */
  g_signal_connect (meeting->server, "accept-certificate", G_CALLBACK (leave_error_and_accept), NULL);
  meeting_hold (meeting);
  meeting_assert (meeting, G_TLS_SESSION_RESUMPTION_NONE);
}

static gboolean
close_and_accept (GTlsConnection *connection, GTlsCertificate *certificate, GTlsCertificateFlags faults, gpointer data)
{
  g_assert_true (g_io_stream_close (G_IO_STREAM (connection), NULL, NULL));
  return TRUE;
}

/* Whoever closes a connection has the last word, also from within the handshake. */
static void
closed_while_it_judges_lets_nobody_in (gconstpointer data)
{
  g_auto (Scene) scene = { 0 };
  g_autoptr (Meeting) meeting = NULL;

  scene_init (&scene, data);
  scene.host.keys = NULL;
  scene.host.client_database = NULL; /* so that it is not accepted before it is closed */
  meeting = meet_with (&scene, NULL);
  g_signal_connect (meeting->server, "accept-certificate", G_CALLBACK (close_and_accept), NULL);
  g_assert_false (meeting_try (meeting));
  g_assert_error (meeting->server_error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_assert_true (strstr (meeting->server_error->message, "closed in its handshake") != NULL);
  g_assert_cmpuint (meeting->n_heard, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  add_for_both_versions ("client-trust", "resumed_client_shows_its_chain", resumed_client_shows_its_chain);
  add_for_both_versions ("client-trust", "other_database_turns_it_away", other_database_turns_it_away);
  add_for_both_versions ("client-trust", "other_server_judges_for_itself", other_server_judges_for_itself);
  add_for_both_versions ("client-trust", "expired_certificate_turns_it_away", expired_certificate_turns_it_away);
  add_for_both_versions ("client-trust", "expired_issuer_turns_it_away", expired_issuer_turns_it_away);
  add_for_both_versions ("client-trust", "what_was_accepted_by_hand_is_asked_about_each_time",
                         what_was_accepted_by_hand_is_asked_about_each_time);
  add_for_both_versions ("client-trust", "bad_certificate_is_turned_away_where_none_is_required",
                         bad_certificate_is_turned_away_where_none_is_required);
  add_for_both_versions ("client-trust", "what_the_program_leaves_in_openssls_queue_does_no_harm",
                         what_the_program_leaves_in_openssls_queue_does_no_harm);
  add_for_both_versions ("client-trust", "closed_while_it_judges_lets_nobody_in",
                         closed_while_it_judges_lets_nobody_in);
  return g_test_run ();
}
