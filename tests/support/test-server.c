/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-server-private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* NOTES:
 *
 * The server owns its sessions (one a connection) and joins their threads when it is freed; until then their records
 * stay. The lock covers the list, the counters, the context and every session's record and descriptor; a thread works
 * on a record of its own and hands it in when its connection has ended.
 *
 * Freeing shuts the sockets down, which ends every thread that waits on one; SILENT ones look at stopping.
 */

#define WAIT_AT_MOST (60 * G_TIME_SPAN_SECOND)

typedef struct
{
  TestServer *server;
  GThread *thread;
  int fd; /* -1 once it is closed */
  gboolean has_ended;
  TestServerRecord record;
} Session;

struct _TestServer
{
  TestServerOptions options;
  TestPki *pki;
  guint16 port;
  int listening_fd;
  int wake_fds[2]; /* a byte in it ends the accepting */
  GThread *thread;
  int stopping;  /* atomic */
  int n_greeted; /* atomic */

  GMutex remembering; /* one handshake at a time, with session ids */

  GMutex lock;
  GCond cond;
  SSL_CTX *context;
  GPtrArray *sessions;
  guint n_ended;
  guint n_handshakes;
  guint n_resumed;
};

/* The context */

static int
choose_alpn (SSL *ssl,
             const guint8 **chosen,
             guint8 *chosen_length,
             const guint8 *offered,
             unsigned int length,
             void *data)
{
  const TestServerOptions *options = data;
  gsize wanted = strlen (options->alpn);

  for (unsigned int i = 0; i + 1 + offered[i] <= length; i += 1 + offered[i])
    if (offered[i] == wanted && memcmp (offered + i + 1, options->alpn, wanted) == 0)
      {
        *chosen = offered + i + 1;
        *chosen_length = offered[i];
        return SSL_TLSEXT_ERR_OK;
      }
  return SSL_TLSEXT_ERR_NOACK;
}

static gboolean
has_no_first_tickets (const TestServerOptions *options)
{
  return options->no_tickets || options->behaviour == TEST_BEHAVIOUR_GREET_THEN_TICKET ||
         options->behaviour == TEST_BEHAVIOUR_TICKET_ON_REQUEST;
}

static void
configure_sessions (SSL_CTX *context, const TestServerOptions *options)
{
  static const guint8 id_context[] = "gtls-session test";
  guint n_tickets = options->n_tickets > 0 ? options->n_tickets : 2;

  g_assert_cmpint (SSL_CTX_set_session_id_context (context, id_context, sizeof id_context), ==, 1);
  g_assert_cmpint (SSL_CTX_set_num_tickets (context, has_no_first_tickets (options) ? 0 : n_tickets), ==, 1);
  SSL_CTX_set_timeout (context, options->ticket_lifetime > 0 ? options->ticket_lifetime : 7200);
  SSL_CTX_set_session_cache_mode (context, options->tls12 == TEST_TLS12_SESSION_IDS ? SSL_SESS_CACHE_SERVER
                                                                                    : SSL_SESS_CACHE_OFF);
  if (options->only_tls12 && options->tls12 != TEST_TLS12_TICKETS)
    SSL_CTX_set_options (context, SSL_OP_NO_TICKET);
  if (options->no_extended_master_secret)
    SSL_CTX_set_options (context, SSL_OP_NO_EXTENDED_MASTER_SECRET);
}

/* A new one has new ticket keys and remembers no session. */
static SSL_CTX *
new_context (TestServer *self)
{
  const TestServerOptions *options = &self->options;
  const char *path = test_pki_get_path (self->pki, options->certificate);
  SSL_CTX *context = SSL_CTX_new (TLS_server_method ());

  g_assert_nonnull (context);
  if (options->only_tls12)
    g_assert_cmpint (SSL_CTX_set_max_proto_version (context, TLS1_2_VERSION), ==, 1);
  if (options->only_tls13)
    g_assert_cmpint (SSL_CTX_set_min_proto_version (context, TLS1_3_VERSION), ==, 1);
  g_assert_cmpint (SSL_CTX_use_certificate_chain_file (context, path), ==, 1);
  g_assert_cmpint (SSL_CTX_use_PrivateKey_file (context, path, SSL_FILETYPE_PEM), ==, 1);
  if (options->alpn != NULL)
    SSL_CTX_set_alpn_select_cb (context, choose_alpn, &self->options);
  configure_sessions (context, options);
  return context;
}

static SSL *
new_ssl (TestServer *self, int fd)
{
  SSL *ssl;

  g_mutex_lock (&self->lock);
  ssl = SSL_new (self->context);
  g_mutex_unlock (&self->lock);
  g_assert_nonnull (ssl);
  g_assert_cmpint (SSL_set_fd (ssl, fd), ==, 1);
  return ssl;
}

/* One connection */

static void
note_handshake (TestServer *self, TestPeer *peer)
{
  TestServerRecord *record = &peer->record;
  const guint8 *alpn = NULL;
  unsigned int alpn_length = 0;

  SSL_get0_alpn_selected (peer->ssl, &alpn, &alpn_length);
  record->handshaken = TRUE;
  record->resumed = SSL_session_reused (peer->ssl) == 1;
  record->protocol = g_strdup (SSL_get_version (peer->ssl));
  record->server_name = g_strdup (SSL_get_servername (peer->ssl, TLSEXT_NAMETYPE_host_name));
  record->alpn = alpn_length > 0 ? g_strndup ((const char *) alpn, alpn_length) : NULL;

  g_mutex_lock (&self->lock);
  self->n_handshakes++;
  self->n_resumed += record->resumed ? 1 : 0;
  g_mutex_unlock (&self->lock);
}

/* OpenSSL remembers a session for its id when SSL_accept() is about to return, which is after the client has got all it
 * waits for. A client that comes back at once must find it remembered.
 */
static int
accept_handshake (TestServer *self, TestPeer *peer)
{
  char byte;
  int result;

  if (self->options.tls12 != TEST_TLS12_SESSION_IDS)
    return SSL_accept (peer->ssl);

  if (recv (peer->fd, &byte, 1, MSG_PEEK) < 0)
    return -1;
  g_mutex_lock (&self->remembering);
  result = SSL_accept (peer->ssl);
  g_mutex_unlock (&self->remembering);
  return result;
}

static void
serve_tls (TestServer *self, TestPeer *peer)
{
  int result;

  peer->ssl = new_ssl (self, peer->fd);
  ERR_clear_error ();
  result = accept_handshake (self, peer);
  if (result == 1)
    {
      note_handshake (self, peer);
      test_behave (peer);
    }
  else
    {
      char text[256];

      ERR_error_string_n (ERR_get_error (), text, sizeof text);
      peer->record.end = TEST_END_FAILED;
      peer->record.error = g_strdup (text);
    }
  SSL_free (peer->ssl);
  ERR_clear_error ();
}

/* An alert (RFC 8446, section 6): close_notify, a warning, in plain text as all is before the keys. */
static const guint8 decline[] = { SSL3_RT_ALERT, 3, 3, 0, 2, SSL3_AL_WARNING, SSL3_AD_CLOSE_NOTIFY };

static void
serve_plain (TestPeer *peer)
{
  static const char plain[] = "220 this is not TLS\r\n";
  gboolean declines = peer->options->behaviour == TEST_BEHAVIOUR_DECLINE;
  const void *answer = declines ? (const void *) decline : plain;
  char buffer[4096];

  if (send (peer->fd, answer, declines ? sizeof decline : strlen (plain), MSG_NOSIGNAL) < 0)
    peer->record.error = g_strdup (g_strerror (errno));
  while (recv (peer->fd, buffer, sizeof buffer, 0) > 0)
    ;
  peer->record.end = TEST_END_FIN;
}

static void
hand_in (Session *session, TestPeer *peer)
{
  TestServer *self = session->server;

  peer->record.sha256 = g_strdup (g_checksum_get_string (peer->checksum));
  g_mutex_lock (&self->lock);
  session->record = peer->record;
  session->has_ended = TRUE;
  close (session->fd);
  session->fd = -1;
  self->n_ended++;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}

/* In this thread only, so that the program under test has to do without. */
static void
block_sigpipe (void)
{
  sigset_t signals;

  sigemptyset (&signals);
  sigaddset (&signals, SIGPIPE);
  g_assert_cmpint (pthread_sigmask (SIG_BLOCK, &signals, NULL), ==, 0);
}

static gpointer
serve (gpointer data)
{
  Session *session = data;
  TestServer *self = session->server;
  TestPeer peer = {
    .options = &self->options, .stopping = &self->stopping, .n_greeted = &self->n_greeted, .fd = session->fd
  };

  block_sigpipe ();
  peer.checksum = g_checksum_new (G_CHECKSUM_SHA256);
  if (self->options.behaviour == TEST_BEHAVIOUR_NOT_TLS || self->options.behaviour == TEST_BEHAVIOUR_DECLINE)
    serve_plain (&peer);
  else if (self->options.behaviour == TEST_BEHAVIOUR_STALL)
    test_behave (&peer);
  else
    serve_tls (self, &peer);
  hand_in (session, &peer);
  g_checksum_free (peer.checksum);
  return NULL;
}

/* Accepting */

static void
start_session (TestServer *self, int fd)
{
  Session *session = g_new0 (Session, 1);
  int yes = 1;

  g_assert_cmpint (setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes), ==, 0);
  session->server = self;
  session->fd = fd;
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->sessions, session);
  session->thread = g_thread_new ("test peer", serve, session);
  g_mutex_unlock (&self->lock);
}

static gpointer
accept_all (gpointer data)
{
  TestServer *self = data;
  struct pollfd fds[] = { { .fd = self->listening_fd, .events = POLLIN },
                          { .fd = self->wake_fds[0], .events = POLLIN } };

  while (!g_atomic_int_get (&self->stopping))
    {
      int fd;

      if (poll (fds, G_N_ELEMENTS (fds), -1) < 0 || (fds[0].revents & POLLIN) == 0)
        continue;
      fd = accept (self->listening_fd, NULL, NULL);
      if (fd >= 0)
        start_session (self, fd);
    }
  return NULL;
}

static void
listen_anywhere (TestServer *self)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t length = sizeof address;

  self->listening_fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (self->listening_fd, >=, 0);
  g_assert_cmpint (bind (self->listening_fd, (struct sockaddr *) &address, length), ==, 0);
  g_assert_cmpint (listen (self->listening_fd, 512), ==, 0);
  g_assert_cmpint (getsockname (self->listening_fd, (struct sockaddr *) &address, &length), ==, 0);
  self->port = ntohs (address.sin_port);
}

/* Making and freeing */

static void
session_free (gpointer data)
{
  Session *session = data;

  g_thread_join (session->thread);
  test_server_record_clear (&session->record);
  g_free (session);
}

TestServer *
test_server_new (const TestServerOptions *options)
{
  TestServer *self = g_new0 (TestServer, 1);

  self->options = *options;
  self->options.alpn = g_strdup (options->alpn);
  self->pki = test_pki_new ();
  g_mutex_init (&self->remembering);
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  self->sessions = g_ptr_array_new_with_free_func (session_free);
  self->context = new_context (self);
  g_assert_cmpint (pipe (self->wake_fds), ==, 0);
  listen_anywhere (self);
  self->thread = g_thread_new ("test server", accept_all, self);
  return self;
}

void
test_server_free (TestServer *self)
{
  g_atomic_int_set (&self->stopping, 1);
  g_assert_cmpint (write (self->wake_fds[1], "x", 1), ==, 1);
  g_thread_join (self->thread);

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->sessions->len; i++)
    {
      Session *session = g_ptr_array_index (self->sessions, i);

      if (session->fd >= 0)
        shutdown (session->fd, SHUT_RDWR);
    }
  g_mutex_unlock (&self->lock);

  g_ptr_array_unref (self->sessions);
  SSL_CTX_free (self->context);
  close (self->listening_fd);
  close (self->wake_fds[0]);
  close (self->wake_fds[1]);
  g_mutex_clear (&self->remembering);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  test_pki_free (self->pki);
  g_free ((char *) self->options.alpn);
  g_free (self);
}

/* Asking and telling */

guint16
test_server_get_port (TestServer *self)
{
  return self->port;
}

const char *
test_server_get_ca_path (TestServer *self)
{
  return test_pki_get_ca_path (self->pki);
}

TestPki *
test_server_get_pki (TestServer *self)
{
  return self->pki;
}

/* As a server does that restarts: whatever was issued until now cannot be resumed any more. */
void
test_server_lose_keys (TestServer *self)
{
  SSL_CTX *fresh = new_context (self);
  SSL_CTX *old;

  g_mutex_lock (&self->lock);
  old = self->context;
  self->context = fresh;
  g_mutex_unlock (&self->lock);
  SSL_CTX_free (old);
}

static guint
read_counter (TestServer *self, const guint *counter)
{
  guint value;

  g_mutex_lock (&self->lock);
  value = *counter;
  g_mutex_unlock (&self->lock);
  return value;
}

guint
test_server_count_connections (TestServer *self)
{
  return read_counter (self, &self->sessions->len);
}

guint
test_server_count_handshakes (TestServer *self)
{
  return read_counter (self, &self->n_handshakes);
}

guint
test_server_count_resumed (TestServer *self)
{
  return read_counter (self, &self->n_resumed);
}

guint
test_server_count_greeted (TestServer *self)
{
  return (guint) g_atomic_int_get (&self->n_greeted);
}

/* Waits until that many connections have ended altogether; FALSE if that takes more than a minute. */
gboolean
test_server_wait_ended (TestServer *self, guint n_connections)
{
  gint64 deadline = g_get_monotonic_time () + WAIT_AT_MOST;
  gboolean in_time = TRUE;

  g_mutex_lock (&self->lock);
  while (in_time && self->n_ended < n_connections)
    in_time = g_cond_wait_until (&self->cond, &self->lock, deadline);
  g_mutex_unlock (&self->lock);
  return in_time;
}

/* A copy; FALSE if there is no such connection. One that is still open has nothing in it but its end, OPEN. */
gboolean
test_server_get_record (TestServer *self, guint index, TestServerRecord *record)
{
  gboolean found;

  memset (record, 0, sizeof *record);
  g_mutex_lock (&self->lock);
  found = index < self->sessions->len;
  if (found)
    {
      const Session *session = g_ptr_array_index (self->sessions, index);

      *record = session->record;
      record->protocol = g_strdup (record->protocol);
      record->server_name = g_strdup (record->server_name);
      record->alpn = g_strdup (record->alpn);
      record->sha256 = g_strdup (record->sha256);
      record->error = g_strdup (record->error);
    }
  g_mutex_unlock (&self->lock);
  return found;
}

void
test_server_record_clear (TestServerRecord *record)
{
  g_clear_pointer (&record->protocol, g_free);
  g_clear_pointer (&record->server_name, g_free);
  g_clear_pointer (&record->alpn, g_free);
  g_clear_pointer (&record->sha256, g_free);
  g_clear_pointer (&record->error, g_free);
}

const char *
test_end_to_string (TestEnd end)
{
  static const char *names[TEST_N_ENDS] = { "open", "close-notify", "fin", "reset", "ours", "failed" };

  return names[end];
}
