/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Session ids of TLS 1.2: what a client gets that takes no tickets. Ours takes them, so this one is OpenSSL's own. */

#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "calendar.h"
#include "meeting.h"

#define HELLO "hello"
#define HELLO_SIZE 5
#define LIFETIME 1234

typedef enum
{
  GOODBYE_CLOSE_NOTIFY,
  GOODBYE_FIN,   /* without close_notify */
  GOODBYE_RESET, /* the answer unread */
  GOODBYE_FORGED_RECORD,
} Goodbye;

typedef struct
{
  SSL_CTX *context;
  SSL_SESSION *session; /* what to offer next; nullable */
  gboolean was_resumed;
  Goodbye goodbye;
  int fd;
  const char *name;
} Plain;

static void
plain_init (Plain *self)
{
  *self = (Plain){ .context = SSL_CTX_new (TLS_client_method ()), .name = SERVER_NAME };
  g_assert_cmpint (SSL_CTX_set_max_proto_version (self->context, TLS1_2_VERSION), ==, 1);
  SSL_CTX_set_options (self->context, SSL_OP_NO_TICKET);
}

static void
plain_clear (Plain *self)
{
  SSL_SESSION_free (self->session);
  SSL_CTX_free (self->context);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Plain, plain_clear)

/* Application data whose authentication fails. */
static const guint8 forged_record[5 + 64] = { 0x17, 0x03, 0x03, 0x00, 64 };

static void
wait_for_answer (int fd)
{
  GPollFD poll = { .fd = fd, .events = G_IO_IN };

  g_assert_cmpint (g_poll (&poll, 1, -1), ==, 1);
}

static gpointer
play_client (gpointer data)
{
  Plain *self = data;
  SSL *ssl = SSL_new (self->context);
  char buffer[HELLO_SIZE];

  g_assert_cmpint (SSL_set_fd (ssl, self->fd), ==, 1);
  g_assert_cmpint (SSL_set_tlsext_host_name (ssl, self->name), ==, 1);
  if (self->session != NULL)
    g_assert_cmpint (SSL_set_session (ssl, self->session), ==, 1);
  g_assert_cmpint (SSL_connect (ssl), ==, 1);
  self->was_resumed = SSL_session_reused (ssl) == 1;
  g_assert_cmpint (SSL_write (ssl, HELLO, HELLO_SIZE), ==, HELLO_SIZE);
  if (self->goodbye == GOODBYE_RESET)
    wait_for_answer (self->fd);
  else
    g_assert_cmpint (SSL_read (ssl, buffer, HELLO_SIZE), ==, HELLO_SIZE);
  SSL_SESSION_free (self->session);
  self->session = SSL_SESSION_dup (SSL_get_session (ssl)); /* its own becomes unusable when it is cut off */
  g_assert_false (SSL_SESSION_has_ticket (self->session));
  if (self->goodbye == GOODBYE_FORGED_RECORD)
    g_assert_cmpint (write (self->fd, forged_record, sizeof forged_record), ==, sizeof forged_record);
  if (self->goodbye == GOODBYE_CLOSE_NOTIFY)
    SSL_shutdown (ssl);
  SSL_free (ssl);
  close (self->fd);
  return NULL;
}

/* Both sides say what became of the session. */
static void
meet (const Host *host, Plain *client, GTlsSessionResumption expected)
{
  g_autoptr (Meeting) meeting = NULL;
  GThread *thread;
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  client->fd = fds[0];
  meeting = meeting_new_with_server_only (host, fds[1]);
  thread = g_thread_new ("client", play_client, client);
  meeting_play_server (meeting);
  g_thread_join (thread);
  if (client->goodbye == GOODBYE_CLOSE_NOTIFY)
    g_assert_no_error (meeting->server_error);
  else if (client->goodbye == GOODBYE_FIN)
    g_assert_error (meeting->server_error, G_TLS_ERROR, G_TLS_ERROR_EOF);
  else if (client->goodbye == GOODBYE_RESET)
    g_assert_error (meeting->server_error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED);
  else
    g_assert_error (meeting->server_error, G_TLS_ERROR, G_TLS_ERROR_MISC);
  g_assert_cmpuint (meeting->n_heard, ==, HELLO_SIZE);
  g_assert_cmpint (g_tls_session_connection_get_resumption (G_TLS_SESSION_CONNECTION (meeting->server)), ==, expected);
  g_assert_cmpint (client->was_resumed, ==, expected == G_TLS_SESSION_RESUMPTION_RESUMED);
}

static Host
old_host (const Papers *papers, GTlsSessionTicketKeys *keys)
{
  return host_of (papers, keys, G_TLS_PROTOCOL_VERSION_TLS_1_2);
}

static void
session_is_resumed_by_its_id (void)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Host host = old_host (papers, keys);
  g_auto (Plain) client = { 0 };

  plain_init (&client);
  meet (&host, &client, G_TLS_SESSION_RESUMPTION_NONE);
  meet (&host, &client, G_TLS_SESSION_RESUMPTION_RESUMED);
  meet (&host, &client, G_TLS_SESSION_RESUMPTION_RESUMED);
}

static void
session_is_remembered_for_its_lifetime_only (void)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Host host = old_host (papers, keys);
  g_auto (Plain) client = { 0 };

  plain_init (&client);
  g_tls_session_ticket_keys_set_lifetime (keys, LIFETIME);
  meet (&host, &client, G_TLS_SESSION_RESUMPTION_NONE);
  calendar_advance (LIFETIME - 300);
  meet (&host, &client, G_TLS_SESSION_RESUMPTION_RESUMED);
  calendar_advance (600);
  meet (&host, &client, G_TLS_SESSION_RESUMPTION_REFUSED);
  meet (&host, &client, G_TLS_SESSION_RESUMPTION_RESUMED);
}

static void
session_is_remembered_by_the_servers_of_its_keys_only (void)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  g_autoptr (GTlsSessionTicketKeys) other_keys = keys_new ();
  Host host = old_host (papers, keys);
  Host other_host = old_host (papers, other_keys);
  Host forgetful = old_host (papers, NULL);
  g_auto (Plain) client = { 0 };

  plain_init (&client);
  meet (&host, &client, G_TLS_SESSION_RESUMPTION_NONE);
  meet (&other_host, &client, G_TLS_SESSION_RESUMPTION_REFUSED);
  meet (&forgetful, &client, G_TLS_SESSION_RESUMPTION_REFUSED);

  /* Where nothing is remembered there is no id to come back with. */
  meet (&forgetful, &client, G_TLS_SESSION_RESUMPTION_NONE);
}

static void
session_keeps_to_its_scope (void)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  g_autoptr (GTlsCertificate)
    other = papers_issue (&(Order){ .name = "Server", .alternative_names = "DNS:" SERVER_NAME }, papers->intermediate);
  Host host = old_host (papers, keys);
  g_auto (Plain) client = { 0 };

  plain_init (&client);
  meet (&host, &client, G_TLS_SESSION_RESUMPTION_NONE);
  client.name = OTHER_NAME;
  meet (&host, &client, G_TLS_SESSION_RESUMPTION_REFUSED);
  meet (&host, &client, G_TLS_SESSION_RESUMPTION_RESUMED);
  host.certificate = other;
  meet (&host, &client, G_TLS_SESSION_RESUMPTION_REFUSED);
  meet (&host, &client, G_TLS_SESSION_RESUMPTION_RESUMED);
  host.authentication_mode = G_TLS_AUTHENTICATION_REQUESTED;
  meet (&host, &client, G_TLS_SESSION_RESUMPTION_REFUSED);
  meet (&host, &client, G_TLS_SESSION_RESUMPTION_RESUMED);
}

/* Our client says it in small letters to begin with. */
static void
server_names_have_no_case (void)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Host host = old_host (papers, keys);
  g_auto (Plain) client = { 0 };

  plain_init (&client);
  meet (&host, &client, G_TLS_SESSION_RESUMPTION_NONE);
  client.name = "Server.EXAMPLE.org";
  meet (&host, &client, G_TLS_SESSION_RESUMPTION_RESUMED);
}

/* It has nothing to do with what seals tickets. */
static void
session_outlives_a_rotation (void)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Host host = old_host (papers, keys);
  g_auto (Plain) client = { 0 };
  g_autoptr (GError) error = NULL;

  plain_init (&client);
  meet (&host, &client, G_TLS_SESSION_RESUMPTION_NONE);
  g_tls_session_ticket_keys_rotate (keys, &error);
  g_assert_no_error (error);
  meet (&host, &client, G_TLS_SESSION_RESUMPTION_RESUMED);
}

/* The design's rule 5, for the server's side. */
static void
session_outlives_a_connection_that_was_cut (gconstpointer data)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Host host = old_host (papers, keys);
  g_auto (Plain) client = { 0 };

  plain_init (&client);
  client.goodbye = (Goodbye) GPOINTER_TO_INT (data);
  meet (&host, &client, G_TLS_SESSION_RESUMPTION_NONE);
  meet (&host, &client, G_TLS_SESSION_RESUMPTION_RESUMED);
}

/* RFC 5246, section 7.2.2. */
static void
session_is_forgotten_after_a_fatal_alert (void)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Host host = old_host (papers, keys);
  g_auto (Plain) client = { 0 };

  plain_init (&client);
  client.goodbye = GOODBYE_FORGED_RECORD;
  meet (&host, &client, G_TLS_SESSION_RESUMPTION_NONE);
  meet (&host, &client, G_TLS_SESSION_RESUMPTION_REFUSED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/session-ids/session_is_resumed_by_its_id", session_is_resumed_by_its_id);
  g_test_add_func ("/session-ids/session_is_remembered_for_its_lifetime_only",
                   session_is_remembered_for_its_lifetime_only);
  g_test_add_func ("/session-ids/session_is_remembered_by_the_servers_of_its_keys_only",
                   session_is_remembered_by_the_servers_of_its_keys_only);
  g_test_add_func ("/session-ids/session_keeps_to_its_scope", session_keeps_to_its_scope);
  g_test_add_func ("/session-ids/server_names_have_no_case", server_names_have_no_case);
  g_test_add_func ("/session-ids/session_outlives_a_rotation", session_outlives_a_rotation);
  g_test_add_data_func ("/session-ids/session_outlives_a_connection_that_was_cut", GINT_TO_POINTER (GOODBYE_FIN),
                        session_outlives_a_connection_that_was_cut);
  g_test_add_data_func ("/session-ids/session_outlives_a_connection_that_was_reset", GINT_TO_POINTER (GOODBYE_RESET),
                        session_outlives_a_connection_that_was_cut);
  g_test_add_func ("/session-ids/session_is_forgotten_after_a_fatal_alert", session_is_forgotten_after_a_fatal_alert);
  return g_test_run ();
}
