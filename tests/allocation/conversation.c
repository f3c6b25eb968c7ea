/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conversation.h"

#include <string.h>
#include <sys/socket.h>

#define HELLO "hello"
#define HELLO_SIZE 5
#define PATIENCE 60 /* seconds */

typedef struct
{
  GTlsConnection *connection; /* NULL: it could not be made */
  GIOStream *base;
  GError **error;
  gboolean *opened;
  gboolean *heard; /* the client's; NULL: the server's side */
  gsize *heard_on; /* the server's */
  gboolean has_early_data;
  char buffer[HELLO_SIZE];
  gboolean is_over;
} Side;

static void
note_error (Side *side, GError *error)
{
  g_assert_nonnull (error);
  g_assert_cmpstr (error->message, !=, "");
  if (*side->error == NULL)
    *side->error = error;
  else
    g_error_free (error);
}

/* From the last act to the first */

static void
on_closed (GObject *stream, GAsyncResult *result, gpointer data)
{
  Side *side = data;
  GError *error = NULL;

  if (!g_io_stream_close_finish (G_IO_STREAM (stream), result, &error))
    note_error (side, error);
  g_assert_true (g_io_stream_is_closed (side->base));
  side->is_over = TRUE;
}

static void
part (Side *side)
{
  g_io_stream_close_async (G_IO_STREAM (side->connection), G_PRIORITY_DEFAULT, NULL, on_closed, side);
}

static void
on_read (GObject *stream, GAsyncResult *result, gpointer data)
{
  Side *side = data;
  GError *error = NULL;
  gsize n_read;

  if (!g_input_stream_read_all_finish (G_INPUT_STREAM (stream), result, &n_read, &error))
    note_error (side, error);
  else if (side->heard != NULL)
    {
      *side->heard = n_read == HELLO_SIZE;
      g_assert_cmpmem (side->buffer, n_read, HELLO, n_read);
    }
  else
    *side->heard_on = n_read;
  part (side);
}

static void
listen_to_other (Side *side)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (side->connection));

  g_input_stream_read_all_async (input, side->buffer, HELLO_SIZE, G_PRIORITY_DEFAULT, NULL, on_read, side);
}

static void
on_written (GObject *stream, GAsyncResult *result, gpointer data)
{
  Side *side = data;
  GError *error = NULL;

  if (g_output_stream_write_all_finish (G_OUTPUT_STREAM (stream), result, NULL, &error))
    {
      listen_to_other (side); /* the server, too: until the client's end */
      return;
    }
  note_error (side, error);
  part (side);
}

static void
say (Side *side, const char *text)
{
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (side->connection));

  g_output_stream_write_all_async (output, text, HELLO_SIZE, G_PRIORITY_DEFAULT, NULL, on_written, side);
}

static void
on_hello (GObject *stream, GAsyncResult *result, gpointer data)
{
  Side *side = data;
  GError *error = NULL;
  gsize n_read;

  if (!g_input_stream_read_all_finish (G_INPUT_STREAM (stream), result, &n_read, &error))
    note_error (side, error);
  else if (n_read == HELLO_SIZE)
    {
      say (side, side->buffer);
      return;
    }
  part (side);
}

/* Where early data were lost, nothing can take their place. */
static void
assert_cannot_write (Side *side)
{
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (side->connection));
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (
    g_pollable_output_stream_write_nonblocking (G_POLLABLE_OUTPUT_STREAM (output), HELLO, HELLO_SIZE, NULL, &error), ==,
    -1);
  g_assert_false (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK));
}

static void
on_shaken (GObject *connection, GAsyncResult *result, gpointer data)
{
  Side *side = data;
  GError *error = NULL;

  *side->opened = g_tls_connection_handshake_finish (G_TLS_CONNECTION (connection), result, &error);
  if (!*side->opened)
    {
      note_error (side, error);
      if (side->has_early_data)
        assert_cannot_write (side);
      part (side);
    }
  else if (side->heard != NULL)
    say (side, HELLO);
  else
    g_input_stream_read_all_async (g_io_stream_get_input_stream (G_IO_STREAM (connection)), side->buffer, HELLO_SIZE,
                                   G_PRIORITY_DEFAULT, NULL, on_hello, side);
}

static void
begin (Side *side)
{
  if (side->connection != NULL)
    {
      g_tls_connection_handshake_async (side->connection, G_PRIORITY_DEFAULT, NULL, on_shaken, side);
      return;
    }
  g_io_stream_close (side->base, NULL, NULL);
  side->is_over = TRUE;
}

/* Who talks */

/* A type of somebody else's, between whose streams and the socket there might be anything. */
typedef struct
{
  GSocketConnection parent_instance;
} OwnStream;

typedef struct
{
  GSocketConnectionClass parent_class;
} OwnStreamClass;

static GType own_stream_get_type (void);

G_DEFINE_TYPE (OwnStream, own_stream, G_TYPE_SOCKET_CONNECTION)

static void
own_stream_class_init (OwnStreamClass *class)
{
}

static void
own_stream_init (OwnStream *self)
{
}

static GIOStream *
stream_of (int fd, gboolean is_own)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket = g_socket_new_from_fd (fd, &error);

  g_assert_no_error (error);
  if (is_own)
    return g_object_new (own_stream_get_type (), "socket", socket, NULL);
  return G_IO_STREAM (g_socket_connection_factory_create_connection (socket));
}

static gboolean
accept_without_faults (GTlsConnection *connection,
                       GTlsCertificate *certificate,
                       GTlsCertificateFlags faults,
                       gpointer data)
{
  return faults == 0;
}

static void
bound_versions (GTlsConnection *connection, GTlsProtocolVersion version)
{
  g_tls_session_connection_set_minimum_protocol_version (G_TLS_SESSION_CONNECTION (connection), version);
  g_tls_session_connection_set_maximum_protocol_version (G_TLS_SESSION_CONNECTION (connection), version);
}

GTlsConnection *
conversation_make_server (const Parties *parties, GIOStream *base, GError **error)
{
  GTlsSessionServerConnection *server = g_tls_session_server_connection_new (base, parties->papers->server, error);

  if (server == NULL)
    return NULL;

  bound_versions (G_TLS_CONNECTION (server), parties->version);
  g_tls_session_server_connection_set_ticket_keys (server, parties->keys);
  if (parties->client_certificate != NULL)
    g_object_set (server, "authentication-mode", G_TLS_AUTHENTICATION_REQUIRED, NULL);
  g_tls_connection_set_database (G_TLS_CONNECTION (server), parties->client_database);
  if (parties->early_data != NULL)
    g_tls_session_server_connection_set_max_early_data (server, (guint) g_bytes_get_size (parties->early_data));
  g_signal_connect (server, "accept-certificate", G_CALLBACK (accept_without_faults), NULL);
  return G_TLS_CONNECTION (server);
}

/* What is to be done before the handshake. An error is none of the handshake's, which goes on without. */
static void
prepare (GTlsSessionHelper *client, const Parties *parties)
{
  g_autoptr (GError) error = NULL;

  if (parties->ticket != NULL && !g_tls_session_helper_set_ticket (client, parties->ticket, &error))
    g_assert_cmpint (g_tls_session_helper_get_resumption (client), ==, G_TLS_SESSION_RESUMPTION_NONE);
  if (parties->early_data != NULL && error == NULL)
    g_tls_session_helper_set_early_data (client, parties->early_data, NULL);
}

GTlsSessionHelper *
conversation_make_client (const Parties *parties, GIOStream *base, GError **error)
{
  g_autoptr (GSocketConnectable) identity = g_network_address_new (SERVER_NAME, 443);
  GTlsSessionHelper *client = g_tls_session_helper_new_for_stream (base, identity, error);
  GTlsConnection *connection;

  if (client == NULL)
    return NULL;

  connection = G_TLS_CONNECTION (g_tls_session_helper_get_connection (client));
  bound_versions (connection, parties->version);
  g_tls_connection_set_database (connection, parties->database);
  g_object_set (connection, "session-store", NULL, "certificate", parties->client_certificate, NULL);
  prepare (client, parties);
  return client;
}

G_GNUC_NORETURN static gboolean
on_impatience (gpointer data)
{
  g_error ("The conversation does not end");
}

static void
run_until_over (GMainContext *context, Side *client, Side *server)
{
  g_autoptr (GSource) source = g_timeout_source_new_seconds (PATIENCE);

  g_source_set_callback (source, on_impatience, NULL, NULL);
  g_source_attach (source, context);
  while (!client->is_over || !server->is_over)
    g_main_context_iteration (context, TRUE);
  g_source_destroy (source);
  while (g_main_context_iteration (context, FALSE))
    ;
}

void
conversation_keep_facts (Conversation *self, GTlsSessionHelper *client, GTlsConnection *server)
{
  if (client != NULL)
    {
      GTlsClientConnection *connection = g_tls_session_helper_get_connection (client);

      self->client_resumption = g_tls_session_helper_get_resumption (client);
      self->client_faults = g_tls_connection_get_peer_certificate_errors (G_TLS_CONNECTION (connection));
      self->ticket = g_tls_session_helper_get_ticket (client);
    }
  if (server != NULL)
    self->server_resumption = g_tls_session_connection_get_resumption (G_TLS_SESSION_CONNECTION (server));
}

static void
drop (Side *side)
{
  gpointer connection = side->connection;

  if (connection != NULL)
    {
      g_object_add_weak_pointer (connection, &connection);
      g_object_unref (side->connection);
      g_assert_null (connection);
    }
  g_object_unref (side->base);
}

void
conversation_make_pair (const Parties *parties, GIOStream *ends[2])
{
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  ends[0] = stream_of (fds[0], parties->over_streams);
  ends[1] = stream_of (fds[1], parties->over_streams);
}

void
conversation_hold (Conversation *self, const Parties *parties)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Side client = { .error = &self->client_error, .opened = &self->client_opened, .heard = &self->client_heard };
  Side server = { .error = &self->server_error, .opened = &self->server_opened, .heard_on = &self->server_heard_on };
  GTlsSessionHelper *helper;
  GIOStream *ends[2];

  conversation_make_pair (parties, ends);
  client.base = ends[0];
  client.has_early_data = parties->early_data != NULL;
  server.base = ends[1];
  g_main_context_push_thread_default (context);
  helper = conversation_make_client (parties, client.base, client.error);
  if (helper != NULL)
    client.connection = g_object_ref (G_TLS_CONNECTION (g_tls_session_helper_get_connection (helper)));
  server.connection = conversation_make_server (parties, server.base, server.error);

  begin (&client);
  begin (&server);
  run_until_over (context, &client, &server);
  conversation_keep_facts (self, helper, server.connection);
  g_clear_object (&helper);
  drop (&client);
  drop (&server);
  g_main_context_pop_thread_default (context);
}

gboolean
conversation_can_begin (const Parties *parties)
{
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;
  g_autoptr (GTlsSessionHelper) client = NULL;
  g_autoptr (GTlsConnection) server = NULL;
  GIOStream *ends[2];

  conversation_make_pair (parties, ends);
  client = conversation_make_client (parties, ends[0], &client_error);
  server = conversation_make_server (parties, ends[1], &server_error);
  if (client_error != NULL)
    g_test_message ("client: %s", client_error->message);
  if (server_error != NULL)
    g_test_message ("server: %s", server_error->message);
  g_assert_true ((client != NULL) == (client_error == NULL));
  g_assert_true ((server != NULL) == (server_error == NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (ends); i++)
    {
      g_io_stream_close (ends[i], NULL, NULL);
      g_object_unref (ends[i]);
    }
  return client != NULL && server != NULL;
}

GTlsSessionTicket *
conversation_obtain_ticket (const Parties *parties)
{
  g_auto (Conversation) conversation = { 0 };

  conversation_hold (&conversation, parties);
  g_assert_no_error (conversation.client_error);
  g_assert_no_error (conversation.server_error);
  g_assert_nonnull (conversation.ticket);
  return g_steal_pointer (&conversation.ticket);
}

void
conversation_clear (Conversation *self)
{
  g_clear_error (&self->client_error);
  g_clear_error (&self->server_error);
  g_clear_object (&self->ticket);
}
