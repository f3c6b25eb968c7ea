/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A server's keys open a ticket, and it is refused all the same: its session began somewhere else. */

#include "meeting.h"

static GTlsProtocolVersion
version_of (gconstpointer data)
{
  return (GTlsProtocolVersion) GPOINTER_TO_INT (data);
}

static void
expect (const Host *host, const Papers *papers, GTlsSessionTicket *ticket, GTlsSessionResumption resumption)
{
  g_autoptr (GTlsSessionTicket) next = spend_ticket (host, papers, ticket, resumption);
}

static void
other_certificate_does_not_resume (gconstpointer data)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  g_autoptr (GTlsCertificate)
    other = papers_issue (&(Order){ .name = "Server", .alternative_names = "DNS:" SERVER_NAME }, papers->intermediate);
  Host host = host_of (papers, keys, version_of (data));
  g_autoptr (GTlsSessionTicket) ticket = obtain_ticket (&host, papers);

  host.certificate = other;
  expect (&host, papers, ticket, G_TLS_SESSION_RESUMPTION_REFUSED);
  host.certificate = papers->server;
  expect (&host, papers, ticket, G_TLS_SESSION_RESUMPTION_RESUMED);
}

/* The certificate is set when the client's name is known, and is not known when OpenSSL looks for the session. */
static void
choose_certificate (GTlsSessionServerConnection *server, GParamSpec *pspec, gpointer certificate)
{
  g_tls_connection_set_certificate (G_TLS_CONNECTION (server), certificate);
}

static void
expect_with_certificate_by_name (const Host *host,
                                 const Papers *papers,
                                 GTlsCertificate *certificate,
                                 GTlsSessionTicket *ticket,
                                 GTlsSessionResumption resumption)
{
  g_autoptr (Meeting) meeting = meeting_new (host, papers, SERVER_NAME);

  g_signal_connect (meeting->server, "notify::server-name", G_CALLBACK (choose_certificate), certificate);
  meeting_offer (meeting, ticket);
  meeting_hold (meeting);
  meeting_assert (meeting, resumption);
}

static void
other_authentication_mode_does_not_resume (gconstpointer data)
{
  static const GTlsAuthenticationMode modes[] = { G_TLS_AUTHENTICATION_NONE, G_TLS_AUTHENTICATION_REQUESTED };
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      Host host = host_of (papers, keys, version_of (data));
      g_autoptr (GTlsSessionTicket) ticket = NULL;

      host.authentication_mode = modes[i];
      ticket = obtain_ticket (&host, papers);
      host.authentication_mode = modes[1 - i];
      expect (&host, papers, ticket, G_TLS_SESSION_RESUMPTION_REFUSED);
      host.authentication_mode = modes[i];
      expect (&host, papers, ticket, G_TLS_SESSION_RESUMPTION_RESUMED);
    }
}

/* A session of a client that showed nothing is no way into a server that requires a certificate. */
static void
anonymous_session_is_no_way_past_a_required_certificate (gconstpointer data)
{
  static const GTlsAuthenticationMode modes[] = { G_TLS_AUTHENTICATION_NONE, G_TLS_AUTHENTICATION_REQUESTED };
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      Host host = host_of (papers, keys, version_of (data));
      g_autoptr (GTlsSessionTicket) ticket = NULL;
      g_autoptr (Meeting) meeting = NULL;

      host.authentication_mode = modes[i];
      ticket = obtain_ticket (&host, papers);
      host.authentication_mode = G_TLS_AUTHENTICATION_REQUIRED;
      meeting = meeting_new (&host, papers, SERVER_NAME);
      meeting_offer (meeting, ticket);
      g_assert_false (meeting_try (meeting));
      g_assert_error (meeting->server_error, G_TLS_ERROR, G_TLS_ERROR_CERTIFICATE_REQUIRED);
      g_assert_cmpuint (meeting->n_heard, ==, 0);
    }
}

/* The client may: the certificate is good for both names. The server knows them as two. */
static void
other_server_name_does_not_resume (gconstpointer data)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Host host = host_of (papers, keys, version_of (data));
  g_autoptr (GTlsSessionTicket) ticket = obtain_ticket (&host, papers);
  g_autoptr (Meeting) meeting = meeting_new (&host, papers, OTHER_NAME);
  g_autofree char *name = NULL;

  meeting_offer (meeting, ticket);
  meeting_hold (meeting);
  meeting_assert (meeting, G_TLS_SESSION_RESUMPTION_REFUSED);
  name = g_tls_session_server_connection_dup_server_name (meeting->server);
  g_assert_cmpstr (name, ==, OTHER_NAME);
  expect (&host, papers, ticket, G_TLS_SESSION_RESUMPTION_RESUMED);
}

/* Also where the certificate is only chosen once the name is known. */
static void
certificate_by_name_resumes_with_the_same_only (gconstpointer data)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  g_autoptr (GTlsCertificate)
    other = papers_issue (&(Order){ .name = "Server", .alternative_names = "DNS:" SERVER_NAME }, papers->intermediate);
  Host host = host_of (papers, keys, version_of (data));
  g_autoptr (GTlsSessionTicket) ticket = obtain_ticket (&host, papers);

  expect_with_certificate_by_name (&host, papers, papers->server, ticket, G_TLS_SESSION_RESUMPTION_RESUMED);
  expect_with_certificate_by_name (&host, papers, other, ticket, G_TLS_SESSION_RESUMPTION_REFUSED);
}

static void
other_version_does_not_resume (void)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Host modern = host_of (papers, keys, G_TLS_PROTOCOL_VERSION_TLS_1_3);
  Host old = host_of (papers, keys, G_TLS_PROTOCOL_VERSION_TLS_1_2);
  g_autoptr (GTlsSessionTicket) ticket = obtain_ticket (&modern, papers);
  g_autoptr (GTlsSessionTicket) old_ticket = obtain_ticket (&old, papers);

  expect (&old, papers, ticket, G_TLS_SESSION_RESUMPTION_REFUSED);
  expect (&modern, papers, old_ticket, G_TLS_SESSION_RESUMPTION_REFUSED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  add_for_both_versions ("scope", "other_certificate_does_not_resume", other_certificate_does_not_resume);
  add_for_both_versions ("scope", "other_authentication_mode_does_not_resume",
                         other_authentication_mode_does_not_resume);
  add_for_both_versions ("scope", "anonymous_session_is_no_way_past_a_required_certificate",
                         anonymous_session_is_no_way_past_a_required_certificate);
  add_for_both_versions ("scope", "other_server_name_does_not_resume", other_server_name_does_not_resume);
  add_for_both_versions ("scope", "certificate_by_name_resumes_with_the_same_only",
                         certificate_by_name_resumes_with_the_same_only);
  g_test_add_func ("/scope/other_version_does_not_resume", other_version_does_not_resume);
  return g_test_run ();
}
