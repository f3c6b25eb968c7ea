/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "meeting.h"

#include <sys/socket.h>

#include "calendar.h"

#define HELLO "hello"
#define HELLO_SIZE 5

Host
host_of (const Papers *papers, GTlsSessionTicketKeys *keys, GTlsProtocolVersion version)
{
  return (Host){ .certificate = papers->server, .keys = keys, .version = version, .ticket_count = 2 };
}

/* Making one */

static GIOStream *
stream_of (int fd, GSocket **place)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket = g_socket_new_from_fd (fd, &error);

  g_assert_no_error (error);
  if (place != NULL)
    *place = g_object_ref (socket);
  return G_IO_STREAM (g_socket_connection_factory_create_connection (socket));
}

/* A server is asked about every certificate (Gio: "it will only be accepted if a handler returns TRUE"). */
static gboolean
accept_without_faults (GTlsConnection *connection,
                       GTlsCertificate *certificate,
                       GTlsCertificateFlags faults,
                       gpointer data)
{
  return faults == 0;
}

static GTlsSessionServerConnection *
make_server (const Host *host, GIOStream *base)
{
  g_autoptr (GError) error = NULL;
  GTlsSessionServerConnection *server = g_tls_session_server_connection_new (base, host->certificate, &error);

  g_assert_no_error (error);
  g_tls_session_connection_set_minimum_protocol_version (G_TLS_SESSION_CONNECTION (server), host->version);
  g_tls_session_connection_set_maximum_protocol_version (G_TLS_SESSION_CONNECTION (server), host->version);
  g_tls_session_server_connection_set_ticket_keys (server, host->keys);
  g_tls_session_server_connection_set_ticket_count (server, host->ticket_count);
  g_object_set (server, "authentication-mode", host->authentication_mode, NULL);
  g_tls_connection_set_database (G_TLS_CONNECTION (server), host->client_database);
  g_signal_connect (server, "accept-certificate", G_CALLBACK (accept_without_faults), NULL);
  return server;
}

static GTlsSessionHelper *
make_client (GIOStream *base, GTlsDatabase *database, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketConnectable) identity = g_network_address_new (name, 443);
  GTlsSessionHelper *client = g_tls_session_helper_new_for_stream (base, identity, &error);

  g_assert_no_error (error);
  /* Without a store a session is resumed when a story says so, and not by itself. */
  g_object_set (g_tls_session_helper_get_connection (client), "database", database, "session-store", NULL, NULL);
  return client;
}

Meeting *
meeting_new_with_server_only (const Host *host, int fd)
{
  Meeting *self = g_new0 (Meeting, 1);
  g_autoptr (GIOStream) base = stream_of (fd, &self->server_socket);

  self->host = *host;
  self->server = make_server (host, base);
  return self;
}

Meeting *
meeting_new (const Host *host, const Papers *papers, const char *name)
{
  g_autoptr (GIOStream) clients_end = NULL;
  Meeting *self;
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  self = meeting_new_with_server_only (host, fds[1]);
  clients_end = stream_of (fds[0], NULL);
  self->client = make_client (clients_end, papers->database, name);
  return self;
}

void
meeting_free (Meeting *self)
{
  /* What the client's thread had to tell waits in the main context of this one, and keeps the connection. */
  while (g_main_context_iteration (g_main_context_get_thread_default (), FALSE))
    ;
  g_clear_object (&self->client);
  g_object_unref (self->server);
  g_object_unref (self->server_socket);
  g_clear_error (&self->client_error);
  g_clear_error (&self->server_error);
  g_free (self);
}

GTlsConnection *
meeting_get_client (Meeting *self)
{
  return G_TLS_CONNECTION (g_tls_session_helper_get_connection (self->client));
}

/* Holding it */

static void
end (Meeting *self, GTlsConnection *connection, Ending cutting, GError **error)
{
  g_autoptr (GIOStream) base = NULL;

  if (self->ending == cutting)
    g_object_get (connection, "base-io-stream", &base, NULL);
  g_io_stream_close (base != NULL ? base : G_IO_STREAM (connection), NULL, *error == NULL ? error : NULL);
}

static gboolean
answer (Meeting *self, GError **error)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (self->server));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (self->server));
  char buffer[64];
  gssize n_read;

  while ((n_read = g_input_stream_read (input, buffer, sizeof buffer, NULL, error)) > 0)
    {
      self->n_heard += (guint) n_read;
      if (!g_output_stream_write_all (output, buffer, (gsize) n_read, NULL, NULL, error))
        return FALSE;
      if (self->ending == ENDING_CUT_BY_SERVER)
        return TRUE;
    }
  return n_read == 0;
}

void
meeting_play_server (Meeting *self)
{
  g_assert_true (g_socket_condition_wait (self->server_socket, G_IO_IN, NULL, NULL));
  calendar_advance (self->host.hello_takes);
  if (g_tls_connection_handshake (G_TLS_CONNECTION (self->server), NULL, &self->server_error))
    answer (self, &self->server_error);
  end (self, G_TLS_CONNECTION (self->server), ENDING_CUT_BY_SERVER, &self->server_error);
}

/* The first read or write does the handshake. */
static gboolean
say_hello (Meeting *self, GError **error)
{
  GIOStream *stream = G_IO_STREAM (meeting_get_client (self));
  char buffer[HELLO_SIZE];
  gsize n_read = 0;

  if (!g_output_stream_write_all (g_io_stream_get_output_stream (stream), HELLO, HELLO_SIZE, NULL, NULL, error) ||
      !g_input_stream_read_all (g_io_stream_get_input_stream (stream), buffer, HELLO_SIZE, &n_read, NULL, error))
    return FALSE;
  if (self->ending == ENDING_CUT_BY_SERVER)
    return g_input_stream_read (g_io_stream_get_input_stream (stream), buffer, 1, NULL, error) >= 0;
  if (n_read == HELLO_SIZE)
    return TRUE;

  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "The server ended the meeting");
  return FALSE;
}

static gpointer
play_client (gpointer data)
{
  Meeting *self = data;

  say_hello (self, &self->client_error);
  end (self, meeting_get_client (self), ENDING_CUT_BY_CLIENT, &self->client_error);
  return NULL;
}

/* The server plays in the caller's thread, where its signals are expected. */
gboolean
meeting_try (Meeting *self)
{
  GThread *thread = g_thread_new ("client", play_client, self);

  meeting_play_server (self);
  g_thread_join (thread);
  return self->client_error == NULL && self->server_error == NULL;
}

void
meeting_hold (Meeting *self)
{
  meeting_try (self);
  g_assert_no_error (self->client_error);
  g_assert_no_error (self->server_error);
  g_assert_cmpuint (self->n_heard, ==, HELLO_SIZE);
}

/* Sessions */

void
meeting_offer (Meeting *self, GTlsSessionTicket *ticket)
{
  g_autoptr (GError) error = NULL;

  g_tls_session_helper_set_ticket (self->client, ticket, &error);
  g_assert_no_error (error);
}

void
meeting_assert (Meeting *self, GTlsSessionResumption resumption)
{
  g_assert_cmpint (g_tls_session_helper_get_resumption (self->client), ==, resumption);
  g_assert_cmpint (g_tls_session_connection_get_resumption (G_TLS_SESSION_CONNECTION (self->server)), ==, resumption);
}

GTlsSessionTicket *
meeting_get_ticket (Meeting *self)
{
  return g_tls_session_helper_get_ticket (self->client);
}

guint
meeting_count_tickets (Meeting *self)
{
  g_autolist (GTlsSessionTicket) tickets = g_tls_session_helper_list_tickets (self->client);

  return g_list_length (tickets);
}

GTlsSessionTicket *
obtain_ticket (const Host *host, const Papers *papers)
{
  g_autoptr (Meeting) meeting = meeting_new (host, papers, SERVER_NAME);
  GTlsSessionTicket *ticket;

  meeting_hold (meeting);
  ticket = meeting_get_ticket (meeting);
  g_assert_nonnull (ticket);
  return ticket;
}

GTlsSessionTicket *
spend_ticket (const Host *host, const Papers *papers, GTlsSessionTicket *ticket, GTlsSessionResumption resumption)
{
  g_autoptr (Meeting) meeting = meeting_new (host, papers, SERVER_NAME);

  meeting_offer (meeting, ticket);
  meeting_hold (meeting);
  meeting_assert (meeting, resumption);
  return meeting_get_ticket (meeting);
}

GTlsSessionTicketKeys *
keys_new (void)
{
  g_autoptr (GError) error = NULL;
  GTlsSessionTicketKeys *keys = g_tls_session_ticket_keys_new (&error);

  g_assert_no_error (error);
  return keys;
}

GTlsSessionTicketKeys *
keys_there_and_back (GTlsSessionTicketKeys *keys)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_tls_session_ticket_keys_to_bytes (keys);
  GTlsSessionTicketKeys *imported = g_tls_session_ticket_keys_new_from_bytes (bytes, &error);

  g_assert_no_error (error);
  return imported;
}

void
add_for_both_versions (const char *suite, const char *name, GTestDataFunc story)
{
  g_autofree char *in_tls13 = g_strdup_printf ("/%s/tls1.3/%s", suite, name);
  g_autofree char *in_tls12 = g_strdup_printf ("/%s/tls1.2/%s", suite, name);

  g_test_add_data_func (in_tls13, GINT_TO_POINTER (G_TLS_PROTOCOL_VERSION_TLS_1_3), story);
  g_test_add_data_func (in_tls12, GINT_TO_POINTER (G_TLS_PROTOCOL_VERSION_TLS_1_2), story);
}
