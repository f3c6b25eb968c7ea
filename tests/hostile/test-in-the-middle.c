/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Somebody between client and server who records and replays, a server that knows another's keys, a store that mixes up its
 * hosts, and handshakes that begin anew.
 */

#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "meeting.h"

#define N_REQUESTS 2000

static GTlsProtocolVersion
version_of (gconstpointer data)
{
  return (GTlsProtocolVersion) GPOINTER_TO_INT (data);
}

/* Recording: what one side has said in a meeting */

typedef struct
{
  int from;
  int to;
  GByteArray *said;
} Ear;

static gpointer
listen_in (gpointer data)
{
  Ear *ear = data;
  char buffer[4096];
  ssize_t n;

  while ((n = read (ear->from, buffer, sizeof buffer)) > 0)
    {
      g_byte_array_append (ear->said, (const guint8 *) buffer, (guint) n);
      if (send (ear->to, buffer, (size_t) n, MSG_NOSIGNAL) != n)
        break;
    }
  shutdown (ear->to, SHUT_WR);
  return NULL;
}

static GTlsSessionHelper *
make_client (int fd, const Papers *papers)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket = g_socket_new_from_fd (fd, &error);
  g_autoptr (GSocketConnection) base = g_socket_connection_factory_create_connection (socket);
  g_autoptr (GSocketConnectable) identity = g_network_address_new (SERVER_NAME, 443);
  GTlsSessionHelper *client = g_tls_session_helper_new_for_stream (G_IO_STREAM (base), identity, &error);

  g_assert_no_error (error);
  g_object_set (g_tls_session_helper_get_connection (client), "database", papers->database, "session-store", NULL,
                NULL);
  return client;
}

/* A resumed meeting of which everything is written down, in @by_client and @by_server. */
static void
record_resumption (const Host *host,
                   const Papers *papers,
                   GTlsSessionTicket *ticket,
                   GByteArray *by_client,
                   GByteArray *by_server)
{
  g_autoptr (Meeting) meeting = NULL;
  int client_pair[2], server_pair[2];
  Ear ears[2];
  GThread *threads[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, client_pair), ==, 0);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, server_pair), ==, 0);
  ears[0] = (Ear){ client_pair[1], server_pair[1], by_client };
  ears[1] = (Ear){ server_pair[1], client_pair[1], by_server };
  meeting = meeting_new_with_server_only (host, server_pair[0]);
  meeting->client = make_client (client_pair[0], papers);
  for (gsize i = 0; i < G_N_ELEMENTS (ears); i++)
    threads[i] = g_thread_new ("ear", listen_in, &ears[i]);

  meeting_offer (meeting, ticket);
  meeting_hold (meeting);
  meeting_assert (meeting, G_TLS_SESSION_RESUMPTION_RESUMED);
  for (gsize i = 0; i < G_N_ELEMENTS (ears); i++)
    g_thread_join (threads[i]);
  close (client_pair[1]);
  close (server_pair[1]);
}

static void
say_again (int fd, const GByteArray *said)
{
  g_assert_cmpint (send (fd, said->data, said->len, MSG_NOSIGNAL), ==, (ssize_t) said->len);
  shutdown (fd, SHUT_WR);
}

/* The server's random is another one this time, and with it the keys. */
static void
server_does_not_take_what_it_heard_before (gconstpointer data)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Host host = host_of (papers, keys, version_of (data));
  g_autoptr (GTlsSessionTicket) ticket = obtain_ticket (&host, papers);
  g_autoptr (GByteArray) by_client = g_byte_array_new ();
  g_autoptr (GByteArray) by_server = g_byte_array_new ();
  g_autoptr (Meeting) replay = NULL;
  int fds[2];

  record_resumption (&host, papers, ticket, by_client, by_server);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  replay = meeting_new_with_server_only (&host, fds[0]);
  say_again (fds[1], by_client);
  meeting_play_server (replay);
  g_assert_nonnull (replay->server_error);
  g_assert_cmpuint (replay->n_heard, ==, 0);
  close (fds[1]);
}

static void
client_does_not_take_what_it_heard_before (gconstpointer data)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Host host = host_of (papers, keys, version_of (data));
  g_autoptr (GTlsSessionTicket) ticket = obtain_ticket (&host, papers);
  g_autoptr (GByteArray) by_client = g_byte_array_new ();
  g_autoptr (GByteArray) by_server = g_byte_array_new ();
  g_autoptr (GTlsSessionHelper) client = NULL;
  g_autoptr (GError) error = NULL;
  int fds[2];

  record_resumption (&host, papers, ticket, by_client, by_server);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  client = make_client (fds[0], papers);
  g_assert_true (g_tls_session_helper_set_ticket (client, ticket, &error));
  say_again (fds[1], by_server);
  g_assert_false (
    g_tls_connection_handshake (G_TLS_CONNECTION (g_tls_session_helper_get_connection (client)), NULL, &error));
  g_assert_nonnull (error);
  g_assert_cmpint (g_tls_session_helper_get_resumption (client), !=, G_TLS_SESSION_RESUMPTION_RESUMED);
  close (fds[1]);
}

/* A store that gives out, for whatever it is asked, what somebody else's connection put there */

#define MIXED_TYPE_STORE (mixed_store_get_type ())
G_DECLARE_FINAL_TYPE (MixedStore, mixed_store, MIXED, STORE, GObject)

struct _MixedStore
{
  GObject parent_instance;
  GTlsSessionTicket *ticket; /* nullable */
  guint n_takes;
};

static gboolean
mixed_store_put (GTlsSessionStore *store, const char *key, GTlsSessionTicket *ticket, GError **error)
{
  return TRUE;
}

static GTlsSessionTicket *
mixed_store_take (GTlsSessionStore *store, const char *key, GError **error)
{
  MixedStore *self = MIXED_STORE (store);

  self->n_takes++;
  return g_steal_pointer (&self->ticket);
}

static void
mixed_store_iface_init (GTlsSessionStoreInterface *iface)
{
  iface->put = mixed_store_put;
  iface->take = mixed_store_take;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (MixedStore,
                               mixed_store,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TLS_SESSION_TYPE_STORE, mixed_store_iface_init))

static void
mixed_store_finalize (GObject *object)
{
  g_clear_object (&MIXED_STORE (object)->ticket);
  G_OBJECT_CLASS (mixed_store_parent_class)->finalize (object);
}

static void
mixed_store_class_init (MixedStoreClass *class)
{
  G_OBJECT_CLASS (class)->finalize = mixed_store_finalize;
}

static void
mixed_store_init (MixedStore *self)
{
}

static GTlsSessionTicket *
there_and_back (GTlsSessionTicket *ticket)
{
  g_autoptr (GBytes) bytes = g_tls_session_ticket_to_bytes (ticket);
  g_autoptr (GError) error = NULL;
  GTlsSessionTicket *again = g_tls_session_ticket_new_from_bytes (bytes, &error);

  g_assert_no_error (error);
  return again;
}

/* The other server even has the keys to take the ticket; but the ticket's certificate is not this host's. One that comes
 * from bytes does not know its circumstances.
 */
static void
play_with_mixed_store (GTlsProtocolVersion version, gboolean through_bytes)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  g_autoptr (GTlsCertificate)
    others = papers_issue (&(Order){ .name = "Other", .alternative_names = "DNS:other.example" }, papers->intermediate);
  Host host = host_of (papers, keys, version);
  g_autoptr (MixedStore) store = g_object_new (MIXED_TYPE_STORE, NULL);
  g_autoptr (GTlsSessionTicket) ticket = obtain_ticket (&host, papers);
  g_autoptr (Meeting) meeting = NULL;

  store->ticket = through_bytes ? there_and_back (ticket) : g_object_ref (ticket);
  host.certificate = others;
  meeting = meeting_new (&host, papers, "other.example");
  g_object_set (meeting_get_client (meeting), "session-store", store, NULL);
  meeting_hold (meeting);
  g_assert_cmpuint (store->n_takes, ==, 1);
  meeting_assert (meeting, G_TLS_SESSION_RESUMPTION_NONE);
}

static void
anothers_ticket_out_of_a_store_is_not_used (gconstpointer data)
{
  play_with_mixed_store (version_of (data), FALSE);
  play_with_mixed_store (version_of (data), TRUE);
}

/* And by hand it is said so. */
static void
anothers_ticket_by_hand_is_told (gconstpointer data)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionTicketKeys) keys = keys_new ();
  Host host = host_of (papers, keys, version_of (data));
  g_autoptr (GTlsSessionTicket) ticket = obtain_ticket (&host, papers);
  g_autoptr (Meeting) meeting = meeting_new (&host, papers, "other.example");
  g_autoptr (GError) error = NULL;

  g_assert_false (g_tls_session_helper_set_ticket (meeting->client, ticket, &error));
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_IDENTITY_MISMATCH);
}

/* Renegotiation (TLS 1.2), by an OpenSSL client of a server of ours */

typedef struct
{
  int fd;
  guint n_asked;
  gboolean was_taken; /* a second handshake came about */
} Beggar;

static gpointer
beg (gpointer data)
{
  Beggar *beggar = data;
  SSL_CTX *context = SSL_CTX_new (TLS_client_method ());
  SSL *ssl = SSL_new (context);
  char buffer[64];

  g_assert_cmpint (SSL_set_max_proto_version (ssl, TLS1_2_VERSION), ==, 1);
  g_assert_cmpint (SSL_set_fd (ssl, beggar->fd), ==, 1);
  g_assert_cmpint (SSL_connect (ssl), ==, 1);
  for (; beggar->n_asked < N_REQUESTS; beggar->n_asked++)
    if (SSL_renegotiate (ssl) != 1 || SSL_do_handshake (ssl) != 1 || SSL_renegotiate_pending (ssl) != 0)
      break;
  beggar->was_taken = SSL_total_renegotiations (ssl) > 0 && beggar->n_asked > 0;
  (void) SSL_read (ssl, buffer, sizeof buffer);
  SSL_free (ssl);
  SSL_CTX_free (context);
  ERR_clear_error ();
  shutdown (beggar->fd, SHUT_RDWR);
  return NULL;
}

static void
server_does_not_begin_anew (void)
{
  g_autoptr (Papers) papers = papers_new ();
  Host host = host_of (papers, NULL, G_TLS_PROTOCOL_VERSION_TLS_1_2);
  g_autoptr (Meeting) meeting = NULL;
  Beggar beggar = { 0 };
  GThread *thread;
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  meeting = meeting_new_with_server_only (&host, fds[0]);
  beggar.fd = fds[1];
  thread = g_thread_new ("beggar", beg, &beggar);
  meeting_play_server (meeting);
  g_thread_join (thread);
  g_assert_false (beggar.was_taken);
  g_assert_cmpuint (beggar.n_asked, ==, 0);
  close (fds[1]);
}

/* And by an OpenSSL server of a client of ours: HelloRequests, and what comes of them */

typedef struct
{
  int fd;
  const Papers *papers;
  guint n_hellos; /* of the client's */
} Insister;

static void
count_hellos (int is_ours, int version, int type, const void *bytes, size_t size, SSL *ssl, void *insister)
{
  if (!is_ours && type == SSL3_RT_HANDSHAKE && size > 0 && *(const guint8 *) bytes == SSL3_MT_CLIENT_HELLO)
    ((Insister *) insister)->n_hellos++;
}

static gpointer
insist (gpointer data)
{
  Insister *insister = data;
  SSL_CTX *context = SSL_CTX_new (TLS_server_method ());
  const Forged *issuer = insister->papers->intermediate;
  Forged *own = forge (&(Order){ .name = "Server", .alternative_names = "DNS:" SERVER_NAME }, issuer);
  const struct timeval patience = { .tv_sec = 5 };
  SSL *ssl;
  char byte;

  g_assert_cmpint (setsockopt (insister->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), ==, 0);
  g_assert_cmpint (SSL_CTX_use_certificate (context, own->x509), ==, 1);
  g_assert_cmpint (SSL_CTX_use_PrivateKey (context, own->key), ==, 1);
  g_assert_cmpint (SSL_CTX_add1_chain_cert (context, issuer->x509), ==, 1);
  ssl = SSL_new (context);
  g_assert_cmpint (SSL_set_max_proto_version (ssl, TLS1_2_VERSION), ==, 1);
  g_assert_cmpint (SSL_set_fd (ssl, insister->fd), ==, 1);
  SSL_set_msg_callback (ssl, count_hellos);
  SSL_set_msg_callback_arg (ssl, insister);
  g_assert_cmpint (SSL_accept (ssl), ==, 1);
  for (guint i = 0; i < N_REQUESTS; i++)
    {
      if (SSL_renegotiate (ssl) != 1 || SSL_do_handshake (ssl) != 1)
        break;
    }
  (void) SSL_read (ssl, &byte, 1);
  shutdown (insister->fd, SHUT_WR);
  SSL_free (ssl);
  SSL_CTX_free (context);
  forged_free (own);
  ERR_clear_error ();
  return NULL;
}

/* It says no to each, at which the server gives up. */
static void
client_does_not_begin_anew (void)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (GTlsSessionHelper) client = NULL;
  g_autoptr (GError) error = NULL;
  Insister insister = { .papers = papers };
  GTlsConnection *connection;
  GThread *thread;
  char byte;
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  client = make_client (fds[0], papers);
  connection = G_TLS_CONNECTION (g_tls_session_helper_get_connection (client));
  insister.fd = fds[1];
  thread = g_thread_new ("insister", insist, &insister);
  g_assert_cmpint (
    g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (connection)), &byte, 1, NULL, &error), ==, -1);
  g_assert_true (error != NULL && error->domain == G_TLS_ERROR);
  g_thread_join (thread);
  g_assert_cmpuint (insister.n_hellos, ==, 1);
  close (fds[1]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  add_for_both_versions ("hostile/replay", "server_does_not_take_what_it_heard_before",
                         server_does_not_take_what_it_heard_before);
  add_for_both_versions ("hostile/replay", "client_does_not_take_what_it_heard_before",
                         client_does_not_take_what_it_heard_before);
  add_for_both_versions ("hostile/mixed", "anothers_ticket_out_of_a_store_is_not_used",
                         anothers_ticket_out_of_a_store_is_not_used);
  add_for_both_versions ("hostile/mixed", "anothers_ticket_by_hand_is_told", anothers_ticket_by_hand_is_told);
  g_test_add_func ("/hostile/renegotiation/server_does_not_begin_anew", server_does_not_begin_anew);
  g_test_add_func ("/hostile/renegotiation/client_does_not_begin_anew", client_does_not_begin_anew);
  return g_test_run ();
}
