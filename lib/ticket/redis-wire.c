/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "redis-wire.h"

#include <openssl/x509v3.h>
#ifdef G_OS_UNIX
#include <netinet/in.h>
#include <netinet/tcp.h>
#endif

#include "../engine/keylog.h"
#include "../engine/openssl-error.h"
#include "../engine/socket-transport.h"
#include "../engine/transport-bio.h"
#include "gtls-session-error.h"

/* NOTES:
 *
 * hiredis could do this too, but its limit is one on each system call (a server that sends a byte now and then is waited
 * for without end), it looks up host names without any limit, TLS came to it after the version that Debian 12 has, and
 * it leaves SIGPIPE to the program. So it serves for Redis's protocol only (redis-protocol.c), and the bytes go this way:
 * GIO looks up the name and connects, both asynchronously in a main context of our own, so that the deadline cuts them
 * short; the engine's transport sends and receives without SIGPIPE; and where the URI says so an SSL stands in between,
 * which verifies the server's chain and name itself. A certificate that is refused is an end: nobody is asked.
 *
 * One thread at a time uses a wire.
 */

/* A server may send no more of what is not data (tickets, KeyUpdates) than this before it counts as not quiet. */
#define QUIET_ROUNDS 16

struct _GTlsSessionRedisWire
{
  GSocketConnection *connection;
  GSocket *socket; /* the connection's */
  GTlsSessionTransport transport;
  SSL *ssl; /* NULL: no TLS */
  BIO *bio; /* the SSL's */
};

/* Deadlines */

static gboolean
fail_timed_out (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "Time is up");
  return FALSE;
}

static gboolean
fail_closed (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "It closed the connection");
  return FALSE;
}

static gboolean
wait_for (GTlsSessionRedisWire *self, GIOCondition condition, gint64 deadline, GError **error)
{
  gint64 remaining = deadline - g_get_monotonic_time ();

  if (remaining <= 0)
    return fail_timed_out (error);
  return g_socket_condition_timed_wait (self->socket, condition, remaining, NULL, error);
}

/* Connecting */

typedef struct
{
  GSocketConnection *connection;
  GError *error;
  gboolean done;
} Attempt;

static void
on_connected (GObject *client, GAsyncResult *result, gpointer data)
{
  Attempt *attempt = data;

  attempt->connection = g_socket_client_connect_finish (G_SOCKET_CLIENT (client), result, &attempt->error);
  attempt->done = TRUE;
}

static gboolean
on_deadline (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return G_SOURCE_REMOVE;
}

static GSource *
start_timer (GMainContext *context, GCancellable *cancellable, gint64 deadline)
{
  GSource *timer = g_timeout_source_new (0);

  g_source_set_ready_time (timer, deadline);
  g_source_set_callback (timer, on_deadline, cancellable, NULL);
  g_source_attach (timer, context);
  return timer;
}

/* @context is the thread-default one. */
static void
attempt_to_connect (Attempt *attempt, GMainContext *context, GSocketConnectable *connectable, gint64 deadline)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GSource) timer = start_timer (context, cancellable, deadline);

  g_socket_client_set_enable_proxy (client, FALSE);
  g_socket_client_connect_async (client, connectable, cancellable, on_connected, attempt);
  while (!attempt->done)
    g_main_context_iteration (context, TRUE);

  g_source_destroy (timer);
  /* What is left of attempts at other addresses. */
  while (g_main_context_iteration (context, FALSE))
    continue;
}

static GSocketConnection *
connect_in_time (GSocketConnectable *connectable, gint64 deadline, GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Attempt attempt = { 0 };

  g_main_context_push_thread_default (context);
  attempt_to_connect (&attempt, context, connectable, deadline);
  g_main_context_pop_thread_default (context);

  if (g_error_matches (attempt.error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_clear_error (&attempt.error);
      fail_timed_out (error);
    }
  else if (attempt.error != NULL)
    {
      g_propagate_error (error, attempt.error);
    }
  return attempt.connection;
}

/* TLS */

static void
fail_openssl (const char *what, GError **error)
{
  g_autofree char *reason = g_tls_session_openssl_take_errors ();

  g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE, "%s: %s", what, reason);
}

/* For connections that trust the anchors in @ca_file, or those of the system if it is NULL. */
SSL_CTX *
g_tls_session_redis_wire_make_context (const char *ca_file, GError **error)
{
  SSL_CTX *context;
  g_autofree char *what = NULL;
  int anchored;

  g_tls_session_openssl_clear_errors ();
  context = SSL_CTX_new (TLS_client_method ());
  if (context == NULL || SSL_CTX_set_min_proto_version (context, TLS1_2_VERSION) != 1)
    {
      SSL_CTX_free (context);
      fail_openssl ("OpenSSL cannot be set up for TLS to a Redis server", error);
      return NULL;
    }

  SSL_CTX_set_verify (context, SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_mode (context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  /* A server that sends tickets without end must not keep SSL_read() from returning. */
  SSL_CTX_clear_mode (context, SSL_MODE_AUTO_RETRY);
  g_tls_session_keylog_install (context);

  anchored = ca_file != NULL ? SSL_CTX_load_verify_file (context, ca_file) : SSL_CTX_set_default_verify_paths (context);
  if (anchored == 1)
    return context;

  SSL_CTX_free (context);
  what = g_strdup_printf ("The trusted certificates for the Redis server cannot be read from %s",
                          ca_file != NULL ? ca_file : "the system");
  fail_openssl (what, error);
  return NULL;
}

static gboolean
expect_name (SSL *ssl, const char *host)
{
  SSL_set_hostflags (ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (g_hostname_is_ip_address (host))
    return X509_VERIFY_PARAM_set1_ip_asc (SSL_get0_param (ssl), host) == 1;
  return SSL_set_tlsext_host_name (ssl, host) == 1 && SSL_set1_host (ssl, host) == 1;
}

static gboolean
begin_tls (GTlsSessionRedisWire *self, SSL_CTX *context, const char *host, GError **error)
{
  g_autofree char *ascii_host = g_hostname_to_ascii (host);

  g_tls_session_openssl_clear_errors ();
  self->ssl = SSL_new (context);
  self->bio = g_tls_session_transport_bio_new (self->transport);
  if (self->ssl == NULL || self->bio == NULL || ascii_host == NULL || !expect_name (self->ssl, ascii_host))
    {
      BIO_free (self->bio);
      fail_openssl ("OpenSSL cannot be set up for TLS", error);
      return FALSE;
    }

  SSL_set_bio (self->ssl, self->bio, self->bio);
  SSL_set_connect_state (self->ssl);
  return TRUE;
}

static gboolean
fail_transport (GTlsSessionRedisWire *self, GError **error)
{
  GError *reason = g_tls_session_transport_bio_take_error (self->bio);

  if (reason == NULL)
    return fail_closed (error);
  g_propagate_error (error, reason);
  return FALSE;
}

static gboolean
fail_tls (GTlsSessionRedisWire *self, GError **error)
{
  long verdict = SSL_get_verify_result (self->ssl);
  g_autofree char *reason = g_tls_session_openssl_take_errors ();

  if (verdict != X509_V_OK)
    g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, "Its certificate is not trusted: %s",
                 X509_verify_cert_error_string (verdict));
  else
    g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_MISC, "TLS failed: %s", reason);
  return FALSE;
}

static gboolean
flush (GTlsSessionRedisWire *self, gint64 deadline, GError **error)
{
  GTlsSessionTransportStatus status;

  while ((status = g_tls_session_transport_bio_flush (self->bio)) == G_TLS_SESSION_TRANSPORT_WOULD_BLOCK)
    if (!wait_for (self, G_IO_OUT, deadline, error))
      return FALSE;
  return status == G_TLS_SESSION_TRANSPORT_DONE || fail_transport (self, error);
}

static gboolean
wait_for_bytes (GTlsSessionRedisWire *self, gint64 deadline, GError **error)
{
  if (g_tls_session_transport_bio_has_read_ahead (self->bio))
    return g_get_monotonic_time () < deadline || fail_timed_out (error);
  if (g_tls_session_transport_bio_at_end (self->bio))
    return fail_closed (error);
  return wait_for (self, G_IO_IN, deadline, error);
}

/* After a call of OpenSSL that came to nothing: gets what it lacks. FALSE: it is of no use to call again. */
static gboolean
help_along (GTlsSessionRedisWire *self, int result, gint64 deadline, GError **error)
{
  switch (SSL_get_error (self->ssl, result))
    {
    case SSL_ERROR_WANT_READ:
      return flush (self, deadline, error) && wait_for_bytes (self, deadline, error);
    case SSL_ERROR_WANT_WRITE:
      return flush (self, deadline, error);
    case SSL_ERROR_ZERO_RETURN:
      return fail_closed (error);
    case SSL_ERROR_SYSCALL:
      return fail_transport (self, error);
    default:
      return fail_tls (self, error);
    }
}

static gboolean
shake_hands (GTlsSessionRedisWire *self, gint64 deadline, GError **error)
{
  for (;;)
    {
      int result;

      g_tls_session_openssl_clear_errors ();
      result = SSL_do_handshake (self->ssl);
      if (result == 1)
        return flush (self, deadline, error);
      if (!help_along (self, result, deadline, error))
        return FALSE;
    }
}

static gboolean
send_tls (GTlsSessionRedisWire *self, const guint8 *bytes, gsize size, gint64 deadline, GError **error)
{
  while (size > 0)
    {
      size_t n = 0;
      int result;

      g_tls_session_openssl_clear_errors ();
      result = SSL_write_ex (self->ssl, bytes, size, &n);
      if (result == 1 ? !flush (self, deadline, error) : !help_along (self, result, deadline, error))
        return FALSE;
      bytes += n;
      size -= n;
    }
  return TRUE;
}

static gssize
receive_tls (GTlsSessionRedisWire *self, guint8 *buffer, gsize size, gint64 deadline, GError **error)
{
  for (;;)
    {
      size_t n = 0;
      int result;

      g_tls_session_openssl_clear_errors ();
      result = SSL_read_ex (self->ssl, buffer, size, &n);
      if (result == 1)
        return (gssize) n;
      if (!help_along (self, result, deadline, error))
        return -1;
    }
}

/* Tickets may be there to read, and are read. */
static gboolean
is_quiet_tls (GTlsSessionRedisWire *self)
{
  for (int i = 0; i < QUIET_ROUNDS; i++)
    {
      guint8 byte;
      int result;

      g_tls_session_openssl_clear_errors ();
      result = SSL_peek (self->ssl, &byte, 1);
      if (result > 0 || SSL_get_error (self->ssl, result) != SSL_ERROR_WANT_READ)
        break;
      if (!g_tls_session_transport_bio_has_read_ahead (self->bio))
        return !g_tls_session_transport_bio_at_end (self->bio);
    }
  g_tls_session_openssl_clear_errors ();
  return FALSE;
}

/* Without TLS */

static gboolean
send_plain (GTlsSessionRedisWire *self, const guint8 *bytes, gsize size, gint64 deadline, GError **error)
{
  while (size > 0)
    {
      gsize n = 0;
      GTlsSessionTransportStatus status = self->transport.funcs->write (self->transport.data, bytes, size, &n, error);

      if (status == G_TLS_SESSION_TRANSPORT_ERROR ||
          (status == G_TLS_SESSION_TRANSPORT_WOULD_BLOCK && !wait_for (self, G_IO_OUT, deadline, error)))
        return FALSE;
      bytes += n;
      size -= n;
    }
  return TRUE;
}

static gssize
receive_plain (GTlsSessionRedisWire *self, guint8 *buffer, gsize size, gint64 deadline, GError **error)
{
  for (;;)
    {
      gsize n = 0;

      switch (self->transport.funcs->read (self->transport.data, buffer, size, &n, error))
        {
        case G_TLS_SESSION_TRANSPORT_DONE:
          return (gssize) n;
        case G_TLS_SESSION_TRANSPORT_WOULD_BLOCK:
          if (!wait_for (self, G_IO_IN, deadline, error))
            return -1;
          break;
        case G_TLS_SESSION_TRANSPORT_END:
          fail_closed (error);
          return -1;
        case G_TLS_SESSION_TRANSPORT_ERROR:
        default:
          return -1;
        }
    }
}

static gboolean
is_quiet_plain (GTlsSessionRedisWire *self)
{
  guint8 byte;
  gsize n;

  return self->transport.funcs->read (self->transport.data, &byte, 1, &n, NULL) == G_TLS_SESSION_TRANSPORT_WOULD_BLOCK;
}

/* Either */

/* @context is for TLS, if the address says so; it is borrowed for the call. */
GTlsSessionRedisWire *
g_tls_session_redis_wire_new (const GTlsSessionRedisAddress *address, SSL_CTX *context, gint64 deadline, GError **error)
{
  g_autoptr (GTlsSessionRedisWire) self = g_new0 (GTlsSessionRedisWire, 1);

  self->connection = connect_in_time (address->connectable, deadline, error);
  if (self->connection == NULL)
    return NULL;

  self->socket = g_socket_connection_get_socket (self->connection);
  self->transport = g_tls_session_socket_transport (self->socket);
#ifdef TCP_NODELAY
  /* Fails on a socket of this machine, which has no delay either. */
  g_socket_set_option (self->socket, IPPROTO_TCP, TCP_NODELAY, TRUE, NULL);
#endif

  if (address->host != NULL &&
      (!begin_tls (self, context, address->host, error) || !shake_hands (self, deadline, error)))
    return NULL;
  return g_steal_pointer (&self);
}

void
g_tls_session_redis_wire_free (GTlsSessionRedisWire *self)
{
  SSL_free (self->ssl);
  g_clear_object (&self->connection);
  g_free (self);
}

gboolean
g_tls_session_redis_wire_send (GTlsSessionRedisWire *self,
                               const guint8 *bytes,
                               gsize size,
                               gint64 deadline,
                               GError **error)
{
  return self->ssl != NULL ? send_tls (self, bytes, size, deadline, error)
                           : send_plain (self, bytes, size, deadline, error);
}

/* How many bytes there were, 1 at least; -1 with @error set. A server that sends without end is not waited for, and has
 * to be cut short all the same.
 */
gssize
g_tls_session_redis_wire_receive (GTlsSessionRedisWire *self,
                                  guint8 *buffer,
                                  gsize size,
                                  gint64 deadline,
                                  GError **error)
{
  if (g_get_monotonic_time () >= deadline)
    {
      fail_timed_out (error);
      return -1;
    }
  return self->ssl != NULL ? receive_tls (self, buffer, size, deadline, error)
                           : receive_plain (self, buffer, size, deadline, error);
}

/* Whether the connection still stands, and there is nothing to read: as it should be before a question. */
gboolean
g_tls_session_redis_wire_is_quiet (GTlsSessionRedisWire *self)
{
  return self->ssl != NULL ? is_quiet_tls (self) : is_quiet_plain (self);
}
