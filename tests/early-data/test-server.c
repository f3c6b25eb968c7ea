/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <openssl/ssl.h>

#include "early-client.h"
#include "engine/session-memo.h"
#include "first-flight.h"
#include "ticket/ticket-keys-private.h"
#include "ticket/ticket-object.h"

/* What our server does with early data: it takes each ticket once, whoever shows it, and only where it was given out. */

#define PERMITTED 16384
#define EARLY "early bird. "
#define REST "rest"
#define WEEK (7 * 24 * 60 * 60) /* s */

static void
assert_refused (EarlyServer *server, guint index)
{
  const EarlyRecord *record = early_server_get_record (server, index);

  g_assert_nonnull (record);
  g_assert_cmpint (record->openssl_status, ==, SSL_EARLY_DATA_REJECTED);
  g_assert_null (record->early_data);
}

static void
go_with (EarlyServer *server, GTlsSessionTicket *ticket, GTlsSessionEarlyDataStatus expected)
{
  g_autoptr (GTlsSessionHelper) helper = early_prepare (server);

  early_set (helper, ticket, EARLY, strlen (EARLY));
  early_go (helper, EARLY_WAY_HANDSHAKE);
  early_assert_status (helper, expected);
  client_close (helper);
}

/* Replays */

static GBytes *
record_first_flight (EarlyServer *server)
{
  FirstFlight *relay = first_flight_relay (early_server_get_port (server));
  g_autoptr (GTlsSessionTicket) ticket = early_get_ticket (server);
  g_autoptr (GTlsSessionHelper)
    helper = client_prepare_to (first_flight_get_port (relay), test_pki_get_ca_path (early_server_get_pki (server)));

  early_set (helper, ticket, EARLY, strlen (EARLY));
  early_go (helper, EARLY_WAY_HANDSHAKE);
  early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_ACCEPTED);
  client_close (helper);
  return first_flight_finish (relay);
}

/* Who repeats does not know the keys, and can but wait for the server's answer. */
static void
send_again (EarlyServer *server, GBytes *flight)
{
  g_autoptr (GIOStream) tcp = client_connect_tcp_to (early_server_get_port (server));
  g_autoptr (GError) error = NULL;
  char byte;

  g_output_stream_write_all (g_io_stream_get_output_stream (tcp), g_bytes_get_data (flight, NULL),
                             g_bytes_get_size (flight), NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_input_stream_read (g_io_stream_get_input_stream (tcp), &byte, 1, NULL, &error), ==, 1);
  g_assert_no_error (error);
  g_io_stream_close (tcp, NULL, NULL);
}

static void
a_replay_is_refused (void)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GBytes) flight = record_first_flight (server);

  early_assert_arrived (server, 1, EARLY, REST);
  for (guint i = 2; i < 4; i++)
    {
      send_again (server, flight);
      assert_refused (server, i);
      g_assert_nonnull (early_server_get_record (server, i)->error);
      g_assert_cmpuint (early_server_get_record (server, i)->stream->len, ==, 0);
    }
}

/* Though a first flight that has not been used yet is taken, nothing of it is given out: its sender is not there. */
static void
a_flight_without_its_sender_gives_nothing (void)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (EarlyServer) elsewhere = early_server_new (PERMITTED);
  FirstFlight *relay = first_flight_relay (early_server_get_port (elsewhere));
  g_autoptr (GTlsSessionTicket) ticket = early_get_ticket (server);
  g_autoptr (GTlsSessionHelper)
    helper = client_prepare_to (first_flight_get_port (relay), test_pki_get_ca_path (early_server_get_pki (elsewhere)));
  g_autoptr (GTlsSessionFileDatabase)
    database = g_tls_session_file_database_new (test_pki_get_ca_path (early_server_get_pki (server)), NULL);
  g_autoptr (GBytes) flight = NULL;

  /* The flight is caught on its way: whom it gets to cannot take it, and shows a certificate of another root. */
  g_tls_connection_set_database (client_connection (helper), G_TLS_DATABASE (database));
  early_set (helper, ticket, EARLY, strlen (EARLY));
  g_assert_false (g_tls_connection_handshake (client_connection (helper), NULL, NULL));
  early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_UNCERTAIN);
  g_io_stream_close (G_IO_STREAM (client_connection (helper)), NULL, NULL);
  flight = first_flight_finish (relay);

  send_again (server, flight);
  g_assert_cmpint (early_server_get_record (server, 1)->openssl_status, ==, SSL_EARLY_DATA_ACCEPTED);
  g_assert_nonnull (early_server_get_record (server, 1)->error);
  g_assert_null (early_server_get_record (server, 1)->early_data);
}

static void
a_ticket_is_taken_once (void)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionTicket) ticket = early_get_ticket (server);

  go_with (server, ticket, G_TLS_SESSION_EARLY_DATA_STATUS_ACCEPTED);
  go_with (server, ticket, G_TLS_SESSION_EARLY_DATA_STATUS_RESENT);
  early_assert_arrived (server, 1, EARLY, REST);
  early_assert_arrived (server, 2, NULL, EARLY REST);
  assert_refused (server, 2);
  g_assert_cmpint (early_server_get_record (server, 2)->resumption, ==, G_TLS_SESSION_RESUMPTION_REFUSED);
}

static void
each_connection_brings_the_next_ticket (void)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionTicket) ticket = early_get_ticket (server);

  for (guint i = 1; i < 4; i++)
    {
      g_autoptr (GTlsSessionHelper) helper = early_prepare (server);

      early_set (helper, ticket, EARLY, strlen (EARLY));
      early_go (helper, EARLY_WAY_HANDSHAKE);
      early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_ACCEPTED);
      g_clear_object (&ticket);
      ticket = g_tls_session_helper_wait_for_ticket (helper, TICKET_TIMEOUT, NULL, NULL);
      g_assert_nonnull (ticket);
      client_close (helper);
      early_assert_arrived (server, i, EARLY, REST);
    }
}

/* Bounds */

static void
less_than_the_ticket_permits_is_refused (void)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionTicket) ticket = early_get_ticket (server);

  early_server_set_max_early_data (server, PERMITTED - 1);
  go_with (server, ticket, G_TLS_SESSION_EARLY_DATA_STATUS_RESENT);
  assert_refused (server, 1);
  g_assert_cmpint (early_server_get_record (server, 1)->resumption, ==, G_TLS_SESSION_RESUMPTION_RESUMED);
}

/* A client that does not keep to its ticket. It may have done with its handshake by the time that is found out. */
static void
more_than_the_ticket_permits_ends_the_handshake (void)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionTicket) ticket = early_get_ticket (server);
  g_autoptr (GTlsSessionHelper) helper = early_prepare (server);
  g_autofree char *bytes = g_malloc0 (PERMITTED * 4);
  char byte;

  SSL_SESSION_set_max_early_data (ticket->parts.session, PERMITTED * 4);
  early_set (helper, ticket, bytes, PERMITTED * 4);
  g_assert_cmpint (
    g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (client_connection (helper))), &byte, 1, NULL, NULL),
    ==, -1);
  g_io_stream_close (G_IO_STREAM (client_connection (helper)), NULL, NULL);
  g_assert_nonnull (strstr (early_server_get_record (server, 1)->error, "too much early data"));
  g_assert_null (early_server_get_record (server, 1)->early_data);
}

/* Where a session is good */

static void
another_authentication_mode_refuses (void)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionTicket) ticket = early_get_ticket (server);

  early_server_set_authentication (server, G_TLS_AUTHENTICATION_REQUESTED, NULL);
  go_with (server, ticket, G_TLS_SESSION_EARLY_DATA_STATUS_RESENT);
  assert_refused (server, 1);
  g_assert_cmpint (early_server_get_record (server, 1)->resumption, ==, G_TLS_SESSION_RESUMPTION_REFUSED);
}

static GTlsSessionHelper *
prepare_certified (EarlyServer *server)
{
  GTlsSessionHelper *helper = early_prepare (server);
  const char *path = test_pki_get_path (early_server_get_pki (server), TEST_CERTIFICATE_GOOD);
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionCertificate) certificate = g_tls_session_certificate_new_from_file (path, &error);

  g_assert_no_error (error);
  g_tls_connection_set_certificate (client_connection (helper), G_TLS_CERTIFICATE (certificate));
  return helper;
}

static GTlsSessionTicket *
get_certified_ticket (EarlyServer *server)
{
  g_autoptr (GTlsSessionHelper) helper = NULL;
  g_autoptr (GError) error = NULL;
  GTlsSessionTicket *ticket;

  early_server_set_authentication (server, G_TLS_AUTHENTICATION_REQUIRED,
                                   test_pki_get_ca_path (early_server_get_pki (server)));
  helper = prepare_certified (server);
  ticket = g_tls_session_helper_wait_for_ticket (helper, TICKET_TIMEOUT, NULL, &error);
  g_assert_no_error (error);
  client_close (helper);
  return ticket;
}

static void
a_client_is_known_again (void)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionTicket) ticket = get_certified_ticket (server);

  go_with (server, ticket, G_TLS_SESSION_EARLY_DATA_STATUS_ACCEPTED);
  early_assert_arrived (server, 1, EARLY, REST);
  g_assert_cmpuint (early_server_get_record (server, 0)->client_chain, ==, 2);
  g_assert_cmpuint (early_server_get_record (server, 1)->client_chain, ==, 2);
}

/* What a client sent early is not given out before it is judged by whom the server trusts now. */
static void
a_client_is_judged_again (void)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionTicket) ticket = get_certified_ticket (server);
  g_autoptr (GTlsSessionHelper) helper = NULL;

  early_server_set_authentication (server, G_TLS_AUTHENTICATION_REQUIRED,
                                   test_pki_get_other_ca_path (early_server_get_pki (server)));
  helper = early_prepare (server);
  early_set (helper, ticket, EARLY, strlen (EARLY));
  g_tls_connection_handshake (client_connection (helper), NULL, NULL); /* the server's judgement comes after it */
  g_io_stream_close (G_IO_STREAM (client_connection (helper)), NULL, NULL);
  g_assert_cmpint (early_server_get_record (server, 1)->openssl_status, ==, SSL_EARLY_DATA_ACCEPTED);
  g_assert_nonnull (strstr (early_server_get_record (server, 1)->error, "its issuer is not trusted"));
  g_assert_null (early_server_get_record (server, 1)->early_data);
}

/* Sessions are kept by the server here, so it can be made to believe that one is older than it is. */
static void
age_session (void *session)
{
  guint64 begun = GUINT64_TO_BE ((guint64) (time (NULL) - WEEK + 100));

  g_assert_cmpint (SSL_SESSION_set1_ticket_appdata (session, &begun, sizeof begun), ==, 1);
}

static void
a_session_ends_after_a_week (void)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionTicket) ticket = early_get_ticket (server);
  g_autoptr (GTlsSessionTicket) next = NULL;
  g_autoptr (GTlsSessionHelper) helper = early_prepare (server);
  SSL_CTX *context = g_tls_session_ticket_keys_get_context (early_server_get_keys (server));

  g_assert_cmpuint (g_tls_session_ticket_get_lifetime (ticket), ==, 7200);
  g_assert_nonnull (early_server_get_record (server, 0));
  OPENSSL_LH_doall ((OPENSSL_LHASH *) SSL_CTX_sessions (context), age_session);

  early_set (helper, ticket, EARLY, strlen (EARLY));
  next = g_tls_session_helper_wait_for_ticket (helper, TICKET_TIMEOUT, NULL, NULL);
  g_assert_nonnull (next);
  early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_ACCEPTED);
  g_assert_cmpuint (g_tls_session_ticket_get_lifetime (next), <=, 100);
  client_close (helper);
}

/* Both ends in one main context, so that neither can block */

typedef struct
{
  GTlsSessionHelper *client;
  GTlsSessionServerConnection *server;
} Pair;

static Pair
connect_pair (EarlyServer *model, GSocketListener *listener, guint16 port)
{
  const char *certificate_path = test_pki_get_path (early_server_get_pki (model), TEST_CERTIFICATE_GOOD);
  g_autoptr (GSocketConnection) tcp = NULL;
  g_autoptr (GTlsSessionCertificate) certificate = NULL;
  g_autoptr (GError) error = NULL;
  Pair pair = { NULL, NULL };

  pair.client = client_prepare_to (port, test_pki_get_ca_path (early_server_get_pki (model)));
  tcp = g_socket_listener_accept (listener, NULL, NULL, &error);
  g_assert_no_error (error);
  certificate = g_tls_session_certificate_new_from_file (certificate_path, &error);
  g_assert_no_error (error);
  pair.server = g_tls_session_server_connection_new (G_IO_STREAM (tcp), G_TLS_CERTIFICATE (certificate), &error);
  g_assert_no_error (error);
  g_tls_session_server_connection_set_ticket_keys (pair.server, early_server_get_keys (model));
  g_tls_session_server_connection_set_max_early_data (pair.server, PERMITTED);
  g_assert_cmpuint (g_tls_session_server_connection_get_max_early_data (pair.server), ==, PERMITTED);

  /* Nobody answers a close here. */
  g_object_set (client_connection (pair.client), "close-timeout", 0, NULL);
  g_object_set (pair.server, "close-timeout", 0, NULL);
  return pair;
}

static void
shake_hands (Pair *pair)
{
  GTlsConnection *ends[] = { client_connection (pair->client), G_TLS_CONNECTION (pair->server) };
  GAsyncResult *places[] = { NULL, NULL };

  for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
    g_tls_connection_handshake_async (ends[i], G_PRIORITY_DEFAULT, NULL, client_keep_result, &places[i]);
  for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
    {
      g_autoptr (GAsyncResult) result = client_await (&places[i]);
      g_autoptr (GError) error = NULL;

      g_tls_connection_handshake_finish (ends[i], result, &error);
      g_assert_no_error (error);
    }
}

static void
keep_early_data (GObject *server, GParamSpec *pspec, gpointer data)
{
  GBytes **place = data;

  g_assert_null (*place);
  *place = g_tls_session_server_connection_dup_early_data (G_TLS_SESSION_SERVER_CONNECTION (server));
}

static void
pair_clear (Pair *pair)
{
  g_object_unref (pair->server);
  g_object_unref (pair->client);
}

static void
an_asynchronous_server_takes_them (void)
{
  g_autoptr (EarlyServer) model = early_server_new (PERMITTED); /* for its certificates and keys */
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint16 port = early_listen_on_loopback (listener);
  Pair first = connect_pair (model, listener, port);
  Pair second = connect_pair (model, listener, port);
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GBytes) got = NULL;
  g_autoptr (GError) error = NULL;

  shake_hands (&first);
  ticket = g_tls_session_helper_wait_for_ticket (first.client, TICKET_TIMEOUT, NULL, &error);
  g_assert_no_error (error);

  g_signal_connect (second.server, "notify::early-data", G_CALLBACK (keep_early_data), &got);
  early_set (second.client, ticket, EARLY, strlen (EARLY));
  shake_hands (&second);
  early_assert_status (second.client, G_TLS_SESSION_EARLY_DATA_STATUS_ACCEPTED);
  g_assert_nonnull (got);
  g_assert_cmpmem (g_bytes_get_data (got, NULL), g_bytes_get_size (got), EARLY, strlen (EARLY));
  pair_clear (&first);
  pair_clear (&second);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/early-data-server/a_replay_is_refused", a_replay_is_refused);
  g_test_add_func ("/early-data-server/a_flight_without_its_sender_gives_nothing",
                   a_flight_without_its_sender_gives_nothing);
  g_test_add_func ("/early-data-server/a_ticket_is_taken_once", a_ticket_is_taken_once);
  g_test_add_func ("/early-data-server/each_connection_brings_the_next_ticket", each_connection_brings_the_next_ticket);
  g_test_add_func ("/early-data-server/less_than_the_ticket_permits_is_refused",
                   less_than_the_ticket_permits_is_refused);
  g_test_add_func ("/early-data-server/more_than_the_ticket_permits_ends_the_handshake",
                   more_than_the_ticket_permits_ends_the_handshake);
  g_test_add_func ("/early-data-server/another_authentication_mode_refuses", another_authentication_mode_refuses);
  g_test_add_func ("/early-data-server/a_client_is_known_again", a_client_is_known_again);
  g_test_add_func ("/early-data-server/a_client_is_judged_again", a_client_is_judged_again);
  g_test_add_func ("/early-data-server/a_session_ends_after_a_week", a_session_ends_after_a_week);
  g_test_add_func ("/early-data-server/an_asynchronous_server_takes_them", an_asynchronous_server_takes_them);

  return g_test_run ();
}
