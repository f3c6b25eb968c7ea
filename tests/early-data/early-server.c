/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "early-server.h"

#include "connection/connection-private.h"
#include "engine/engine-private.h"
#include "ticket/ticket-keys-private.h"

#define PATIENCE (60 * G_TIME_SPAN_SECOND)
#define SOCKET_TIMEOUT 60 /* s */
#define BLOCK_SIZE 65536

struct _EarlyServer
{
  TestPki *pki;
  GTlsCertificate *certificate;
  GSocketListener *listener;
  guint16 port;
  GThread *thread;
  GCancellable *stop;

  GMutex lock; /* covers what follows */
  GCond ended;
  GPtrArray *records;
  GTlsSessionTicketKeys *keys;
  guint max_early_data;
  char *alpn[2];
  GTlsProtocolVersion maximum;
  GTlsAuthenticationMode authentication;
  GTlsDatabase *client_database;
};

static void
record_free (gpointer data)
{
  EarlyRecord *record = data;

  g_clear_pointer (&record->early_data, g_bytes_unref);
  g_byte_array_unref (record->stream);
  g_free (record->error);
  g_free (record);
}

/* Serving, in the thread */

static gboolean
accept_without_faults (GTlsConnection *connection,
                       GTlsCertificate *certificate,
                       GTlsCertificateFlags faults,
                       gpointer data)
{
  return faults == 0;
}

static GTlsSessionServerConnection *
secure (EarlyServer *self, GIOStream *tcp)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  g_autoptr (GError) error = NULL;
  GTlsSessionServerConnection *connection = g_tls_session_server_connection_new (tcp, self->certificate, &error);

  g_assert_no_error (error);
  g_tls_session_server_connection_set_ticket_keys (connection, self->keys);
  g_tls_session_server_connection_set_max_early_data (connection, self->max_early_data);
  g_tls_session_connection_set_maximum_protocol_version (G_TLS_SESSION_CONNECTION (connection), self->maximum);
  g_tls_connection_set_database (G_TLS_CONNECTION (connection), self->client_database);
  g_object_set (connection, "authentication-mode", self->authentication, NULL);
  g_signal_connect (connection, "accept-certificate", G_CALLBACK (accept_without_faults), NULL);
  if (self->alpn[0] != NULL)
    g_tls_connection_set_advertised_protocols (G_TLS_CONNECTION (connection), (const char *const *) self->alpn);
  return connection;
}

static void
read_stream (GTlsSessionServerConnection *connection, GByteArray *stream, GError **error)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  g_autofree guint8 *block = g_malloc (BLOCK_SIZE);
  gssize n_read;

  while ((n_read = g_input_stream_read (input, block, BLOCK_SIZE, NULL, error)) > 0)
    g_byte_array_append (stream, block, (guint) n_read);
}

static guint
count_client_chain (GTlsSessionServerConnection *connection)
{
  GTlsCertificate *certificate = g_tls_connection_get_peer_certificate (G_TLS_CONNECTION (connection));
  guint count = 0;

  for (; certificate != NULL; certificate = g_tls_certificate_get_issuer (certificate))
    count++;
  return count;
}

static EarlyRecord *
serve (EarlyServer *self, GSocketConnection *tcp)
{
  g_autoptr (GTlsSessionServerConnection) connection = NULL;
  EarlyRecord *record = g_new0 (EarlyRecord, 1);
  g_autoptr (GError) error = NULL;

  g_socket_set_timeout (g_socket_connection_get_socket (tcp), SOCKET_TIMEOUT);
  record->stream = g_byte_array_new ();
  connection = secure (self, G_IO_STREAM (tcp));

  if (g_tls_connection_handshake (G_TLS_CONNECTION (connection), NULL, &error))
    read_stream (connection, record->stream, &error);

  record->early_data = g_tls_session_server_connection_dup_early_data (connection);
  record->resumption = g_tls_session_connection_get_resumption (G_TLS_SESSION_CONNECTION (connection));
  record->openssl_status = SSL_get_early_data_status (G_TLS_SESSION_CONNECTION (connection)->engine->ssl);
  record->client_chain = count_client_chain (connection);
  record->error = error != NULL ? g_strdup (error->message) : NULL;
  g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
  return record;
}

static gpointer
run (gpointer data)
{
  EarlyServer *self = data;

  while (TRUE)
    {
      g_autoptr (GSocketConnection) tcp = g_socket_listener_accept (self->listener, NULL, self->stop, NULL);
      EarlyRecord *record;

      if (tcp == NULL)
        return NULL;

      record = serve (self, tcp);
      g_mutex_lock (&self->lock);
      g_ptr_array_add (self->records, record);
      g_cond_broadcast (&self->ended);
      g_mutex_unlock (&self->lock);
    }
}

/* Making and freeing */

guint16
early_listen_on_loopback (GSocketListener *listener)
{
  g_autoptr (GSocketAddress) any_port = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GError) error = NULL;

  g_socket_listener_add_address (listener, any_port, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL, &address,
                                 &error);
  g_assert_no_error (error);
  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
}

static GTlsSessionTicketKeys *
make_keys (void)
{
  g_autoptr (GError) error = NULL;
  GTlsSessionTicketKeys *keys = g_tls_session_ticket_keys_new (&error);

  g_assert_no_error (error);
  return keys;
}

EarlyServer *
early_server_new (guint max_early_data)
{
  EarlyServer *self = g_new0 (EarlyServer, 1);
  g_autoptr (GError) error = NULL;

  g_mutex_init (&self->lock);
  g_cond_init (&self->ended);
  self->pki = test_pki_new ();
  self->certificate = G_TLS_CERTIFICATE (
    g_tls_session_certificate_new_from_file (test_pki_get_path (self->pki, TEST_CERTIFICATE_GOOD), &error));
  g_assert_no_error (error);
  self->keys = make_keys ();
  self->max_early_data = max_early_data;
  self->records = g_ptr_array_new_with_free_func (record_free);
  self->stop = g_cancellable_new ();
  self->listener = g_socket_listener_new ();
  self->port = early_listen_on_loopback (self->listener);
  self->thread = g_thread_new ("early-server", run, self);
  return self;
}

void
early_server_free (EarlyServer *self)
{
  g_cancellable_cancel (self->stop);
  g_thread_join (self->thread);
  g_object_unref (self->listener);
  g_object_unref (self->stop);
  g_object_unref (self->keys);
  g_object_unref (self->certificate);
  g_clear_object (&self->client_database);
  g_ptr_array_unref (self->records);
  test_pki_free (self->pki);
  g_free (self->alpn[0]);
  g_cond_clear (&self->ended);
  g_mutex_clear (&self->lock);
  g_free (self);
}

guint16
early_server_get_port (EarlyServer *self)
{
  return self->port;
}

TestPki *
early_server_get_pki (EarlyServer *self)
{
  return self->pki;
}

GTlsSessionTicketKeys *
early_server_get_keys (EarlyServer *self)
{
  return self->keys;
}

/* Settings */

void
early_server_set_max_early_data (EarlyServer *self, guint size)
{
  g_mutex_lock (&self->lock);
  self->max_early_data = size;
  g_mutex_unlock (&self->lock);
}

void
early_server_lose_keys (EarlyServer *self)
{
  g_mutex_lock (&self->lock);
  g_object_unref (self->keys);
  self->keys = make_keys ();
  g_mutex_unlock (&self->lock);
}

void
early_server_set_alpn (EarlyServer *self, const char *protocol)
{
  g_mutex_lock (&self->lock);
  g_free (self->alpn[0]);
  self->alpn[0] = g_strdup (protocol);
  g_mutex_unlock (&self->lock);
}

void
early_server_set_group (EarlyServer *self, const char *name)
{
  g_mutex_lock (&self->lock);
  g_assert_cmpint (SSL_CTX_set1_groups_list (g_tls_session_ticket_keys_get_context (self->keys), name), ==, 1);
  g_mutex_unlock (&self->lock);
}

void
early_server_set_maximum (EarlyServer *self, GTlsProtocolVersion version)
{
  g_mutex_lock (&self->lock);
  self->maximum = version;
  g_mutex_unlock (&self->lock);
}

void
early_server_set_authentication (EarlyServer *self, GTlsAuthenticationMode mode, const char *ca_path)
{
  g_autoptr (GError) error = NULL;
  GTlsDatabase *database = ca_path != NULL ? G_TLS_DATABASE (g_tls_session_file_database_new (ca_path, &error)) : NULL;

  g_assert_no_error (error);
  g_mutex_lock (&self->lock);
  self->authentication = mode;
  g_clear_object (&self->client_database);
  self->client_database = database;
  g_mutex_unlock (&self->lock);
}

const EarlyRecord *
early_server_get_record (EarlyServer *self, guint index)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  while (self->records->len <= index)
    if (!g_cond_wait_until (&self->ended, &self->lock, deadline))
      return NULL;
  return g_ptr_array_index (self->records, index);
}
