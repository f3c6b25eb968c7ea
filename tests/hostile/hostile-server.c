/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostile-server.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <gio/gio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "../fuzz/flight-record.h"

#define SECRET "SERVER_TRAFFIC_SECRET_0"
#define CONTENT_MAX 16384
#define WAIT_AT_MOST (60 * G_TIME_SPAN_SECOND)

struct _HostileServer
{
  HostileBehaviour behave;
  gpointer data;
  TestPki *pki;
  SSL_CTX *context;
  GSocket *listener;
  GThread *thread;
  guint16 port;
  int stopping;  /* atomic */
  int n_resumed; /* atomic */

  /* The present connection's, the thread's own */
  GSocket *socket;
  guint8 secret[32];
  FlightKeys keys;
};

static void
on_secret (const SSL *ssl, const char *line)
{
  HostileServer *self = SSL_CTX_get_app_data (SSL_get_SSL_CTX (ssl));
  g_auto (GStrv) words = g_strsplit (line, " ", 3);
  long size = 0;
  unsigned char *secret;

  if (g_strcmp0 (words[0], SECRET) != 0)
    return;

  secret = OPENSSL_hexstr2buf (words[2], &size);
  g_assert_cmpint (size, ==, sizeof self->secret);
  memcpy (self->secret, secret, sizeof self->secret);
  flight_keys_derive (&self->keys, self->secret, sizeof self->secret);
  OPENSSL_free (secret);
}

/* Saying */

gboolean
hostile_send_bytes (HostileServer *self, gconstpointer bytes, gsize size)
{
  for (gsize sent = 0; sent < size;)
    {
      gssize n = g_socket_send (self->socket, (const char *) bytes + sent, size - sent, NULL, NULL);

      if (n <= 0)
        return FALSE;
      sent += (gsize) n;
    }
  return TRUE;
}

gboolean
hostile_send (HostileServer *self, guint8 type, gconstpointer content, gsize size)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  do
    {
      gsize chunk = MIN (size, CONTENT_MAX);
      FlightRecord *record = flight_record_new (type, content, chunk);

      flight_keys_close (&self->keys, record, bytes);
      flight_record_free (record);
      content = (const guint8 *) content + chunk;
      size -= chunk;
    }
  while (size > 0);
  return hostile_send_bytes (self, bytes->data, bytes->len);
}

gboolean
hostile_send_data (HostileServer *self, const char *text)
{
  return hostile_send (self, SSL3_RT_APPLICATION_DATA, text, strlen (text));
}

/* RFC 8446, section 4.6.1, with a nonce of its own each */
gboolean
hostile_send_ticket (HostileServer *self, guint32 lifetime, const guint8 *ticket, gsize size)
{
  static guint32 nonce;
  gsize length = 4 + 4 + 1 + 4 + 2 + size + 2;
  g_autoptr (GByteArray) message = g_byte_array_new ();
  const guint8 head[] = { SSL3_MT_NEWSESSION_TICKET,
                          (guint8) (length >> 16),
                          (guint8) (length >> 8),
                          (guint8) length,
                          (guint8) (lifetime >> 24),
                          (guint8) (lifetime >> 16),
                          (guint8) (lifetime >> 8),
                          (guint8) lifetime,
                          1,
                          2,
                          3,
                          4, /* the age's mask */
                          4 };
  const guint8 ticket_length[] = { (guint8) (size >> 8), (guint8) size };

  nonce++;
  g_byte_array_append (message, head, sizeof head);
  g_byte_array_append (message, (const guint8 *) &nonce, sizeof nonce);
  g_byte_array_append (message, ticket_length, sizeof ticket_length);
  g_byte_array_append (message, ticket, (guint) size);
  g_byte_array_append (message, (const guint8 *) "\0\0", 2); /* no extensions */
  return hostile_send (self, SSL3_RT_HANDSHAKE, message->data, message->len);
}

gboolean
hostile_send_key_update (HostileServer *self, gboolean asks_for_one)
{
  const guint8 message[] = { SSL3_MT_KEY_UPDATE, 0, 0, 1, asks_for_one ? 1 : 0 };
  gboolean sent = hostile_send (self, SSL3_RT_HANDSHAKE, message, sizeof message);

  flight_secret_update (self->secret, sizeof self->secret);
  flight_keys_derive (&self->keys, self->secret, sizeof self->secret);
  return sent;
}

gboolean
hostile_send_close_notify (HostileServer *self)
{
  const guint8 alert[] = { SSL3_AL_WARNING, SSL3_AD_CLOSE_NOTIFY };

  return hostile_send (self, SSL3_RT_ALERT, alert, sizeof alert);
}

gsize
hostile_receive (HostileServer *self, gsize n_bytes)
{
  char buffer[4096];
  gsize received = 0;
  gssize n = 1;

  while (n > 0 && received < n_bytes)
    {
      n = g_socket_receive (self->socket, buffer, MIN (sizeof buffer, n_bytes - received), NULL, NULL);
      received += n > 0 ? (gsize) n : 0;
    }
  return received;
}

gboolean
hostile_is_stopping (HostileServer *self)
{
  return g_atomic_int_get (&self->stopping);
}

/* Serving */

static void
serve (HostileServer *self)
{
  SSL *ssl = SSL_new (self->context);

  g_socket_set_timeout (self->socket, WAIT_AT_MOST / G_TIME_SPAN_SECOND);
  g_socket_set_blocking (self->socket, TRUE);
  /* OpenSSL reads and writes a descriptor, and GLib has made it non-blocking underneath. */
  g_assert_cmpint (SSL_set_fd (ssl, g_socket_get_fd (self->socket)), ==, 1);
  for (;;)
    {
      int result = SSL_accept (ssl);
      int wants = SSL_get_error (ssl, result);

      if (result == 1)
        {
          g_atomic_int_add (&self->n_resumed, SSL_session_reused (ssl) == 1 ? 1 : 0);
          self->behave (self, self->data);
          break;
        }
      if ((wants != SSL_ERROR_WANT_READ && wants != SSL_ERROR_WANT_WRITE) ||
          !g_socket_condition_wait (self->socket, wants == SSL_ERROR_WANT_READ ? G_IO_IN : G_IO_OUT, NULL, NULL))
        break;
    }
  ERR_clear_error ();
  SSL_set_shutdown (ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free (ssl);
}

static gpointer
accept_all (gpointer data)
{
  HostileServer *self = data;

  while (!hostile_is_stopping (self))
    {
      self->socket = g_socket_accept (self->listener, NULL, NULL);
      if (self->socket != NULL && !hostile_is_stopping (self))
        serve (self);
      g_clear_object (&self->socket);
    }
  return NULL;
}

/* Making and freeing */

static void
listen_anywhere (HostileServer *self)
{
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GError) error = NULL;

  self->listener = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &error);
  g_assert_no_error (error);
  g_socket_bind (self->listener, any, FALSE, &error);
  g_assert_no_error (error);
  g_socket_listen (self->listener, &error);
  g_assert_no_error (error);
  bound = g_socket_get_local_address (self->listener, &error);
  g_assert_no_error (error);
  self->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
}

HostileServer *
hostile_server_new (HostileBehaviour behave, gpointer data)
{
  HostileServer *self = g_new0 (HostileServer, 1);
  const char *path;

  signal (SIGPIPE, SIG_IGN);
  self->behave = behave;
  self->data = data;
  self->pki = test_pki_new ();
  self->context = SSL_CTX_new (TLS_server_method ());
  path = test_pki_get_path (self->pki, TEST_CERTIFICATE_GOOD);
  g_assert_cmpint (SSL_CTX_use_certificate_chain_file (self->context, path), ==, 1);
  g_assert_cmpint (SSL_CTX_use_PrivateKey_file (self->context, path, SSL_FILETYPE_PEM), ==, 1);
  g_assert_cmpint (SSL_CTX_set_min_proto_version (self->context, TLS1_3_VERSION), ==, 1);
  g_assert_cmpint (SSL_CTX_set_ciphersuites (self->context, "TLS_AES_128_GCM_SHA256"), ==, 1);
  g_assert_cmpint (SSL_CTX_set_num_tickets (self->context, 0), ==, 1);
  g_assert_cmpint (SSL_CTX_set_app_data (self->context, self), ==, 1);
  SSL_CTX_set_keylog_callback (self->context, on_secret);
  listen_anywhere (self);
  self->thread = g_thread_new ("hostile server", accept_all, self);
  return self;
}

/* The test's connections have been closed by now, so that a behaviour that waits on one ends. */
void
hostile_server_free (HostileServer *self)
{
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string ("127.0.0.1", self->port);
  g_autoptr (GSocket) knock = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);

  g_atomic_int_set (&self->stopping, 1);
  g_assert_true (g_socket_connect (knock, address, NULL, NULL));
  g_thread_join (self->thread);
  g_object_unref (self->listener);
  SSL_CTX_free (self->context);
  test_pki_free (self->pki);
  g_free (self);
}

guint16
hostile_server_get_port (HostileServer *self)
{
  return self->port;
}

const char *
hostile_server_get_ca_path (HostileServer *self)
{
  return test_pki_get_ca_path (self->pki);
}

guint
hostile_server_count_resumed (HostileServer *self)
{
  return (guint) g_atomic_int_get (&self->n_resumed);
}
