/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sessions that are resumed without anybody asking for it, and what parts them. */

#include <glib/gstdio.h>
#include <string.h>

#include "../client.h"
#include "stub-store.h"
#include "visits.h"

static const TestServerOptions tls13 = { .only_tls13 = TRUE };
static const TestServerOptions tls12_tickets = { .only_tls12 = TRUE };
static const TestServerOptions tls12_session_ids = { .only_tls12 = TRUE, .tls12 = TEST_TLS12_SESSION_IDS };
static const TestServerOptions one_ticket = { .only_tls13 = TRUE, .n_tickets = 1 };

/* Takes @helper. */
static void
assert_is_apart (GTlsSessionHelper *helper, const char *clause)
{
  g_autoptr (GTlsSessionHelper) owned = helper;

  client_exchange (helper, "hello");
  g_assert_cmpint (g_tls_session_helper_get_resumption (helper), ==, G_TLS_SESSION_RESUMPTION_NONE);
  assert_explains (helper, clause);
  client_close (helper);
}

/* It happens by itself */

static void
second_connection_resumes (gconstpointer options)
{
  g_autoptr (TestServer) server = test_server_new (options);

  forget_all ();
  g_assert_cmpint (visit (server), ==, G_TLS_SESSION_RESUMPTION_NONE);
  for (guint i = 0; i < 5; i++)
    g_assert_cmpint (visit (server), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
  g_assert_cmpuint (test_server_count_resumed (server), ==, 5);
}

static void
second_connection_resumes_async (void)
{
  g_autoptr (TestServer) server = test_server_new (&tls13);
  g_autoptr (GTlsSessionHelper) helper = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) awaited = NULL;
  g_autoptr (GError) error = NULL;

  forget_all ();
  visit (server);
  helper = prepare (server);
  g_tls_connection_handshake_async (client_connection (helper), G_PRIORITY_DEFAULT, NULL, client_keep_result, &result);
  awaited = client_await (&result);
  g_tls_connection_handshake_finish (client_connection (helper), awaited, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_tls_session_helper_get_resumption (helper), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
  assert_explains (helper, "first use in this process): the session was resumed");
  client_close (helper);
}

static void
second_connection_resumes_when_polled (void)
{
  g_autoptr (TestServer) server = test_server_new (&tls13);
  g_autoptr (GTlsSessionHelper) helper = NULL;
  g_autoptr (GError) error = NULL;
  GPollableOutputStream *output;

  forget_all ();
  visit (server);
  helper = prepare (server);
  output = G_POLLABLE_OUTPUT_STREAM (g_io_stream_get_output_stream (G_IO_STREAM (client_connection (helper))));
  while (g_pollable_output_stream_write_nonblocking (output, "x", 1, NULL, &error) < 0)
    {
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
      g_clear_error (&error);
      g_usleep (1000);
    }
  g_assert_cmpint (g_tls_session_helper_get_resumption (helper), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
  client_close (helper);
}

static void
tls13_tickets_are_used_once (void)
{
  g_autoptr (TestServer) server = test_server_new (&one_ticket);
  g_autoptr (GTlsSessionHelper) first = NULL;
  g_autoptr (GTlsSessionHelper) second = NULL;
  g_autoptr (GTlsSessionHelper) third = NULL;

  forget_all ();
  visit (server);

  /* Neither of these reads, so that no new ticket comes. */
  second = prepare (server);
  client_handshake (second);
  third = prepare (server);
  client_handshake (third);
  g_assert_cmpint (g_tls_session_helper_get_resumption (second), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
  g_assert_cmpint (g_tls_session_helper_get_resumption (third), ==, G_TLS_SESSION_RESUMPTION_NONE);
  assert_explains (third, "used up or too old");
  client_close (second);
  client_close (third);
}

static void
ticket_given_by_hand_goes_first (void)
{
  g_autoptr (TestServer) server = test_server_new (&one_ticket);
  g_autoptr (StubStore) store = stub_store_new ();
  g_autoptr (GTlsSessionHelper) source = client_connect_with_ticket (server);
  g_autoptr (GTlsSessionHelper) helper = prepare (server);

  use_store (helper, store);
  g_assert_true (g_tls_session_helper_copy_session_state (helper, source, NULL));
  client_handshake (helper);
  g_assert_cmpint (g_tls_session_helper_get_resumption (helper), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
  g_assert_cmpuint (store->n_takes, ==, 0);
  client_close (helper);
  client_close (source);
}

/* What parts sessions */

static void
other_name_is_apart (void)
{
  g_autoptr (TestServer) server = test_server_new (&tls13);

  forget_all ();
  visit (server);
  assert_is_apart (prepare_for (server, "127.0.0.1"), "the session store has none of this server");
  g_assert_cmpint (visit_with (prepare_for (server, "LOCALHOST")), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
}

static void
other_port_is_apart (void)
{
  g_autoptr (TestServer) server = test_server_new (&tls13);
  g_autoptr (GSocketConnectable) other = g_network_address_new ("localhost", test_server_get_port (server) ^ 1);
  GTlsSessionHelper *helper;

  forget_all ();
  visit (server);
  helper = prepare (server);
  g_tls_client_connection_set_server_identity (G_TLS_CLIENT_CONNECTION (client_connection (helper)), other);
  assert_is_apart (helper, "the session store has none of this server");
}

static GTlsSessionHelper *
prepare_with_identity (TestServer *server, gpointer identity)
{
  GTlsSessionHelper *helper = prepare (server);

  g_tls_client_connection_set_server_identity (G_TLS_CLIENT_CONNECTION (client_connection (helper)), identity);
  return helper;
}

/* Each is another server, though all of them lead to one. */
static void
ports_of_an_address_and_services_are_apart (void)
{
  g_autoptr (TestServer) server = test_server_new (&tls13);
  guint16 port = test_server_get_port (server);
  GSocketConnectable *identities[] = {
    G_SOCKET_CONNECTABLE (g_inet_socket_address_new_from_string ("127.0.0.1", port)),
    G_SOCKET_CONNECTABLE (g_inet_socket_address_new_from_string ("127.0.0.1", port ^ 1)),
    G_SOCKET_CONNECTABLE (g_network_service_new ("imaps", "tcp", "localhost")),
    G_SOCKET_CONNECTABLE (g_network_service_new ("submissions", "tcp", "localhost")),
  };

  forget_all ();
  for (guint i = 0; i < G_N_ELEMENTS (identities); i++)
    {
      g_assert_cmpint (visit_with (prepare_with_identity (server, identities[i])), ==, G_TLS_SESSION_RESUMPTION_NONE);
      g_assert_cmpuint (count_kept_peers (), ==, i + 1);
      g_assert_cmpint (visit_with (prepare_with_identity (server, identities[i])), ==,
                       G_TLS_SESSION_RESUMPTION_RESUMED);
    }
  for (guint i = 0; i < G_N_ELEMENTS (identities); i++)
    g_object_unref (identities[i]);
}

static GTlsSessionHelper *
prepare_with_protocols (TestServer *server, const char *const *protocols)
{
  GTlsSessionHelper *helper = prepare (server);

  g_tls_connection_set_advertised_protocols (client_connection (helper), protocols);
  return helper;
}

/* It leaves the store of its source, wherever it is offered. */
static void
ticket_copied_by_hand_is_not_used_again (void)
{
  g_autoptr (TestServer) server = test_server_new (&one_ticket);
  g_autoptr (GTlsSessionHelper) source = prepare (server);
  g_autoptr (GTlsSessionHelper) by_hand = prepare_with_protocols (server, (const char *[]){ "x", NULL });

  forget_all ();
  client_exchange (source, "hello");
  g_assert_cmpuint (count_kept_peers (), ==, 1);
  g_assert_true (g_tls_session_helper_copy_session_state (by_hand, source, NULL));
  g_assert_cmpuint (count_kept_peers (), ==, 0);
  client_close (source);
}

static void
ticket_set_by_hand_is_not_used_again (void)
{
  g_autoptr (TestServer) server = test_server_new (&one_ticket);
  g_autoptr (GTlsSessionHelper) source = prepare (server);
  g_autoptr (GTlsSessionHelper) by_hand = prepare (server);
  g_autoptr (GTlsSessionTicket) ticket = NULL;

  forget_all ();
  client_exchange (source, "hello");
  ticket = g_tls_session_helper_get_ticket (source);
  g_assert_cmpuint (count_kept_peers (), ==, 1);
  g_assert_true (g_tls_session_helper_set_ticket (by_hand, ticket, NULL));
  g_assert_cmpuint (count_kept_peers (), ==, 0);
  client_close (source);
}

static void
other_application_protocols_are_apart (void)
{
  g_autoptr (TestServer) server = test_server_new (&tls13);

  forget_all ();
  visit_with (prepare_with_protocols (server, (const char *[]){ "h2", "http/1.1", NULL }));
  assert_is_apart (prepare (server), "for other application protocols (h2 http/1.1) only");

  forget_all ();
  visit_with (prepare_with_protocols (server, (const char *[]){ "h2", "http/1.1", NULL }));
  assert_is_apart (prepare_with_protocols (server, (const char *[]){ "http/1.1", "h2", NULL }),
                   "for other application protocols");
  forget_all ();
  visit_with (prepare_with_protocols (server, (const char *[]){ "a b", NULL }));
  assert_is_apart (prepare_with_protocols (server, (const char *[]){ "a", "b", NULL }),
                   "for other application protocols");
  g_assert_cmpint (visit_with (prepare_with_protocols (server, (const char *[]){ "a", "b", NULL })), ==,
                   G_TLS_SESSION_RESUMPTION_RESUMED);
}

static void
other_client_certificate_is_apart (void)
{
  g_autoptr (TestServer) server = test_server_new (&tls13);

  forget_all ();
  visit_with (prepare_with_certificate (server, TEST_CERTIFICATE_GOOD));
  assert_is_apart (prepare (server), "with another client certificate only");

  forget_all ();
  visit (server);
  assert_is_apart (prepare_with_certificate (server, TEST_CERTIFICATE_GOOD), "with another client certificate only");

  forget_all ();
  visit_with (prepare_with_certificate (server, TEST_CERTIFICATE_GOOD));
  assert_is_apart (prepare_with_certificate (server, TEST_CERTIFICATE_OTHER_NAME), "with another client certificate");
  g_assert_cmpint (visit_with (prepare_with_certificate (server, TEST_CERTIFICATE_OTHER_NAME)), ==,
                   G_TLS_SESSION_RESUMPTION_RESUMED);
}

/* A database of a program's own, which trusts everybody. */
typedef GTlsDatabase TrustingDatabase;
typedef GTlsDatabaseClass TrustingDatabaseClass;

static GType trusting_database_get_type (void);

G_DEFINE_TYPE (TrustingDatabase, trusting_database, G_TYPE_TLS_DATABASE)

static GTlsCertificateFlags
trust_everybody (GTlsDatabase *database,
                 GTlsCertificate *chain,
                 const char *purpose,
                 GSocketConnectable *identity,
                 GTlsInteraction *interaction,
                 GTlsDatabaseVerifyFlags flags,
                 GCancellable *cancellable,
                 GError **error)
{
  return 0;
}

static void
trusting_database_class_init (TrustingDatabaseClass *class)
{
  class->verify_chain = trust_everybody;
}

static void
trusting_database_init (TrustingDatabase *self)
{
}

static GTlsSessionHelper *
prepare_with_database (TestServer *server, gpointer database)
{
  GTlsSessionHelper *helper = prepare (server);

  g_tls_connection_set_database (client_connection (helper), database);
  return helper;
}

static void
other_database_is_apart (void)
{
  g_autoptr (TestServer) server = test_server_new (&tls13);
  g_autoptr (GTlsDatabase) trusting = g_object_new (trusting_database_get_type (), NULL);
  g_autoptr (GTlsDatabase) another = g_object_new (trusting_database_get_type (), NULL);

  forget_all ();
  visit (server);
  assert_is_apart (prepare_with_database (server, trusting), "with other trusted certificates only");
  g_assert_cmpint (visit_with (prepare_with_database (server, trusting)), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
  assert_is_apart (prepare_with_database (server, another), "with other trusted certificates only");
}

/* prepare() loads the anchors anew each time, so second_connection_resumes shows the same for the same file. */
static void
same_anchors_in_another_file_are_the_same (void)
{
  g_autoptr (TestServer) server = test_server_new (&tls13);
  g_autofree char *copy = g_build_filename (g_get_tmp_dir (), "gtls-session-anchors-XXXXXX", NULL);
  g_autofree char *pem = NULL;
  g_autoptr (GTlsSessionFileDatabase) database = NULL;
  g_autoptr (GError) error = NULL;
  int fd = g_mkstemp (copy);

  g_assert_cmpint (fd, >=, 0);
  g_close (fd, NULL);
  g_file_get_contents (test_server_get_ca_path (server), &pem, NULL, &error);
  g_assert_no_error (error);
  g_file_set_contents (copy, pem, -1, &error);
  g_assert_no_error (error);
  database = g_tls_session_file_database_new (copy, &error);
  g_assert_no_error (error);
  g_remove (copy);

  forget_all ();
  visit (server);
  g_assert_cmpint (visit_with (prepare_with_database (server, database)), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
}

static void
other_protocol_bounds_are_apart (void)
{
  g_autoptr (TestServer) server = test_server_new (&(TestServerOptions){ .only_tls12 = TRUE });
  GTlsSessionHelper *helper;

  forget_all ();
  visit (server);
  helper = prepare (server);
  g_object_set (client_connection (helper), "maximum-protocol-version", G_TLS_PROTOCOL_VERSION_TLS_1_2, NULL);
  assert_is_apart (helper, "with other protocol bounds");
}

static gboolean
accept (GTlsConnection *connection, GTlsCertificate *certificate, GTlsCertificateFlags errors, gpointer data)
{
  return TRUE;
}

static void
accepted_by_hand_is_not_kept (void)
{
  g_autoptr (TestServer)
    server = test_server_new (&(TestServerOptions){ .only_tls13 = TRUE, .certificate = TEST_CERTIFICATE_STRANGER });
  g_autoptr (StubStore) store = stub_store_new ();

  for (guint i = 0; i < 2; i++)
    {
      GTlsSessionHelper *helper = prepare (server);

      use_store (helper, store);
      g_signal_connect (client_connection (helper), "accept-certificate", G_CALLBACK (accept), NULL);
      g_assert_cmpint (visit_with (helper), ==, G_TLS_SESSION_RESUMPTION_NONE);
    }
  g_assert_cmpuint (store->n_takes, ==, 2);
  g_assert_cmpuint (store->n_puts, ==, 0);
}

static void
put_what_is_there (StubStore *store)
{
  g_assert_true (g_tls_session_store_put (G_TLS_SESSION_STORE (store->inner), store->last_key, store->data, NULL));
}

/* Somebody has put it there; the acceptance was of another connection. */
static void
accepted_by_hand_is_not_taken_out_of_a_store (void)
{
  g_autoptr (TestServer)
    server = test_server_new (&(TestServerOptions){ .only_tls13 = TRUE, .certificate = TEST_CERTIFICATE_STRANGER });
  g_autoptr (GTlsSessionHelper) source = client_prepare (server);
  g_autoptr (GTlsSessionHelper) helper = prepare (server);
  g_autoptr (StubStore) store = stub_store_new ();
  g_autoptr (GTlsSessionTicket) received = NULL;
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;

  g_signal_connect (client_connection (source), "accept-certificate", G_CALLBACK (accept), NULL);
  received = g_tls_session_helper_wait_for_ticket (source, 10000, NULL, &error);
  g_assert_no_error (error);
  bytes = g_tls_session_ticket_to_bytes (received);
  ticket = g_tls_session_ticket_new_from_bytes (bytes, &error);
  g_assert_no_error (error);

  store->on_call = put_what_is_there;
  store->data = ticket;
  use_store (helper, store);
  g_signal_connect (client_connection (helper), "accept-certificate", G_CALLBACK (accept), NULL);
  client_handshake (helper);
  store->on_call = NULL;
  g_assert_cmpuint (store->n_takes, ==, 1);
  g_assert_cmpint (g_tls_session_helper_get_resumption (helper), ==, G_TLS_SESSION_RESUMPTION_NONE);
  assert_explains (helper, "had been accepted by hand");
  client_close (helper);
  client_close (source);
}

/* Faults that the validation flags pass over were not looked at: that is acceptance by hand too. */
static void
faults_passed_over_are_not_kept (void)
{
  g_autoptr (TestServer)
    server = test_server_new (&(TestServerOptions){ .only_tls13 = TRUE, .certificate = TEST_CERTIFICATE_STRANGER });
  g_autoptr (StubStore) store = stub_store_new ();
  GTlsSessionHelper *helper = prepare (server);

  use_store (helper, store);
  g_object_set (client_connection (helper), "validation-flags", 0, NULL);
  g_assert_cmpint (visit_with (helper), ==, G_TLS_SESSION_RESUMPTION_NONE);
  g_assert_cmpuint (store->n_puts, ==, 0);
}

static void
turned_off_takes_and_keeps_nothing (void)
{
  g_autoptr (TestServer) server = test_server_new (&tls13);
  GTlsSessionHelper *helper;

  forget_all ();
  helper = prepare (server);
  g_object_set (client_connection (helper), "session-resumption-enabled", FALSE, NULL);
  assert_is_apart (helper, "automatic resumption is turned off");
  g_assert_cmpuint (count_kept_peers (), ==, 0);

  visit (server);
  helper = prepare (server);
  g_object_set (client_connection (helper), "session-resumption-enabled", FALSE, NULL);
  assert_is_apart (helper, "automatic resumption is turned off");
}

static void
without_a_store_nothing_is_kept (void)
{
  g_autoptr (TestServer) server = test_server_new (&tls13);
  GTlsSessionHelper *helper;

  forget_all ();
  visit (server);
  helper = prepare (server);
  use_store (helper, NULL);
  assert_is_apart (helper, "it has no session store");
}

static void
without_an_identity_nothing_is_kept (void)
{
  g_autoptr (TestServer) server = test_server_new (&tls13);
  GTlsSessionHelper *helper = prepare (server);

  forget_all ();
  g_tls_client_connection_set_server_identity (G_TLS_CLIENT_CONNECTION (client_connection (helper)), NULL);
  g_signal_connect (client_connection (helper), "accept-certificate", G_CALLBACK (accept), NULL);
  assert_is_apart (helper, "without a server identity none is looked for");
  g_assert_cmpuint (count_kept_peers (), ==, 0);
}

static void
without_a_database_nothing_is_kept (void)
{
  g_autoptr (TestServer) server = test_server_new (&tls13);
  GTlsSessionHelper *helper = prepare_with_database (server, NULL);

  forget_all ();
  g_signal_connect (client_connection (helper), "accept-certificate", G_CALLBACK (accept), NULL);
  assert_is_apart (helper, "without a database of trusted certificates none is looked for");
  g_assert_cmpuint (count_kept_peers (), ==, 0);
}

/* Old ones */

#define RECEIVED_OFFSET 16
#define CHECKSUM_SIZE 32

static void
write_big_endian (guint8 *place, guint64 value, guint size)
{
  for (guint i = 0; i < size; i++)
    place[i] = (guint8) (value >> 8 * (size - 1 - i));
}

/* The ticket as it would be had it been received @seconds earlier; see doc/ticket-format.md. */
static GTlsSessionTicket *
age (GTlsSessionTicket *ticket, guint seconds)
{
  gint64 received = g_date_time_to_unix (g_tls_session_ticket_get_received (ticket));
  g_autoptr (GBytes) bytes = g_tls_session_ticket_to_bytes (ticket);
  gsize size = g_bytes_get_size (bytes);
  g_autofree guint8 *copy = g_memdup2 (g_bytes_get_data (bytes, NULL), size);
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autoptr (GBytes) changed = NULL;
  g_autoptr (GError) error = NULL;
  guint8 time_field[8] = { 0xa1, 6, 2, 4 };
  guint8 *place = NULL;
  gsize digest_size = CHECKSUM_SIZE;
  GTlsSessionTicket *aged;

  write_big_endian (time_field + 4, (guint64) received, 4);
  for (gsize i = 0; i + sizeof time_field <= size && place == NULL; i++)
    if (memcmp (copy + i, time_field, sizeof time_field) == 0)
      place = copy + i;
  g_assert_nonnull (place);
  write_big_endian (place + 4, (guint64) received - seconds, 4);
  write_big_endian (copy + RECEIVED_OFFSET, (guint64) received - seconds, 8);
  g_checksum_update (checksum, copy, (gssize) (size - CHECKSUM_SIZE));
  g_checksum_get_digest (checksum, copy + size - CHECKSUM_SIZE, &digest_size);

  changed = g_bytes_new (copy, size);
  aged = g_tls_session_ticket_new_from_bytes (changed, &error);
  g_assert_no_error (error);
  return aged;
}

/* What a store without manners might do: it makes the ticket older than it was. */
typedef struct
{
  GTlsSessionTicket *ticket;
  guint seconds;
} Aging;

static void
put_aged (StubStore *store)
{
  Aging *aging = store->data;
  g_autoptr (GTlsSessionTicket) aged = age (aging->ticket, aging->seconds);

  g_tls_session_store_clear (G_TLS_SESSION_STORE (store->inner), NULL);
  g_object_unref (store->inner);
  store->inner = g_object_new (G_TLS_SESSION_TYPE_MEMORY_STORE, "max-age", 604800, NULL);
  g_assert_true (g_tls_session_store_put (G_TLS_SESSION_STORE (store->inner), store->last_key, aged, NULL));
}

static void
visit_with_a_ticket_of_age (guint seconds, const char *explanation, GTlsSessionResumption expected)
{
  g_autoptr (TestServer) server = test_server_new (&tls13);
  g_autoptr (GTlsSessionHelper) source = client_connect_with_ticket (server);
  g_autoptr (GTlsSessionTicket) ticket = g_tls_session_helper_get_ticket (source);
  g_autoptr (StubStore) store = stub_store_new ();
  Aging aging = { ticket, seconds };
  g_autoptr (GTlsSessionHelper) helper = prepare (server);

  store->on_call = put_aged;
  store->data = &aging;
  use_store (helper, store);
  client_handshake (helper);
  assert_explains (helper, explanation);
  g_assert_cmpint (g_tls_session_helper_get_resumption (helper), ==, expected);
  store->on_call = NULL;
  client_close (helper);
  client_close (source);
}

static void
older_than_ten_minutes_is_not_offered (void)
{
  visit_with_a_ticket_of_age (601, "used up or older than ten minutes", G_TLS_SESSION_RESUMPTION_NONE);
}

/* The server refuses it for its age, perhaps; that it is offered is the point here. */
static void
nine_minutes_are_not_too_old (void)
{
  visit_with_a_ticket_of_age (540, "took the session ticket", G_TLS_SESSION_RESUMPTION_RESUMED);
}

/* Stores of the program's own */

static void
what_one_store_got_says_nothing_of_another (void)
{
  g_autoptr (TestServer) server = test_server_new (&tls13);
  g_autoptr (StubStore) store = stub_store_new ();
  GTlsSessionHelper *helper;

  forget_all ();
  visit (server);

  helper = prepare (server);
  use_store (helper, store);
  assert_is_apart (helper, "the session store has none of this server");
}

static void
store_that_fails_breaks_nothing (void)
{
  g_autoptr (TestServer) server = test_server_new (&tls13);
  g_autoptr (StubStore) store = stub_store_new ();
  g_autoptr (GTlsSessionHelper) helper = prepare (server);

  store->failure = "the disk is on fire";
  use_store (helper, store);
  client_exchange (helper, "hello");
  g_assert_cmpint (g_tls_session_helper_get_resumption (helper), ==, G_TLS_SESSION_RESUMPTION_NONE);
  assert_explains (helper, "the session store failed (the disk is on fire)");
  assert_explains (helper, "failed to keep a ticket (the disk is on fire)");
  g_assert_cmpuint (store->n_takes, ==, 1);
  g_assert_cmpuint (store->n_puts, ==, 2);
  client_close (helper);
}

/* The ticket may be used twice then, which is to be known. */
static void
store_that_cannot_forget_is_told (void)
{
  g_autoptr (TestServer) server = test_server_new (&one_ticket);
  g_autoptr (StubStore) store = stub_store_new ();
  g_autoptr (GTlsSessionHelper) source = client_connect_with_ticket (server);
  g_autoptr (GTlsSessionHelper) helper = prepare (server);

  store->failure = "the disk is on fire";
  use_store (helper, store);
  g_assert_true (g_tls_session_helper_copy_session_state (helper, source, NULL));
  g_assert_cmpuint (store->n_removes, ==, 1);
  assert_explains (helper, "(the disk is on fire)");
  client_handshake (helper);
  g_assert_cmpint (g_tls_session_helper_get_resumption (helper), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
  client_close (helper);
  client_close (source);
}

static void
use_the_connection (StubStore *store)
{
  GTlsSessionHelper *helper = store->data;
  g_autofree char *sentence = g_tls_session_helper_explain (helper);

  g_assert_nonnull (sentence);
  g_assert_nonnull (g_tls_connection_get_database (client_connection (helper)));
}

static void
store_that_fails_without_a_reason_is_told (void)
{
  g_autoptr (TestServer) server = test_server_new (&tls13);
  g_autoptr (StubStore) store = stub_store_new ();
  g_autoptr (GTlsSessionHelper) helper = prepare (server);

  store->failure = "";
  use_store (helper, store);
  client_exchange (helper, "hello");
  assert_explains (helper, "failed to keep a ticket (it gives no reason)");
  client_close (helper);
}

static void
store_is_called_without_the_lock (void)
{
  g_autoptr (TestServer) server = test_server_new (&tls13);
  g_autoptr (StubStore) store = stub_store_new ();
  g_autoptr (GTlsSessionHelper) helper = prepare (server);

  store->on_call = use_the_connection;
  store->data = helper;
  use_store (helper, store);
  client_exchange (helper, "hello");
  g_assert_cmpuint (store->n_puts, ==, 2);
  g_assert_true (store->called_in == g_thread_self ());
  client_close (helper);
}

static void
look_at_store (GTlsSessionHelper *helper, GTlsSessionTicket *ticket, gpointer data)
{
  StubStore *store = data;

  g_assert_cmpuint (store->n_puts, >=, 1);
}

static void
ticket_is_in_the_store_when_it_is_announced (void)
{
  g_autoptr (TestServer) server = test_server_new (&one_ticket);
  g_autoptr (StubStore) store = stub_store_new ();
  g_autoptr (GTlsSessionHelper) helper = prepare (server);

  g_signal_connect (helper, "ticket-available", G_CALLBACK (look_at_store), store);
  use_store (helper, store);
  client_exchange (helper, "hello");
  g_assert_cmpuint (store->n_puts, ==, 1);
  client_close (helper);
}

/* A garbage collector drops the last reference: the store, perhaps of the same language, must not be called then. */
static void
store_is_not_called_by_the_last_unref (void)
{
  TestServerOptions options = { .only_tls13 = TRUE, .behaviour = TEST_BEHAVIOUR_SINK };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (StubStore) store = stub_store_new ();
  GTlsSessionHelper *helper = prepare (server);

  use_store (helper, store);
  client_write (helper, "hello", 5);
  g_assert_cmpuint (store->n_puts, ==, 0);
  g_object_unref (helper);
  g_assert_cmpuint (store->n_puts, ==, 0);
}

static void
give_by_hand (StubStore *store)
{
  gpointer *both = store->data;

  g_assert_true (g_tls_session_helper_set_ticket (both[0], both[1], NULL));
  store->on_call = NULL;
}

/* What was taken from the store in vain goes back. */
static void
ticket_given_while_the_store_is_asked_counts (void)
{
  g_autoptr (TestServer) server = test_server_new (&one_ticket);
  g_autoptr (StubStore) store = stub_store_new ();
  g_autoptr (GTlsSessionHelper) source = client_connect_with_ticket (server);
  g_autoptr (GTlsSessionTicket) ticket = g_tls_session_helper_get_ticket (source);
  g_autoptr (GTlsSessionHelper) helper = NULL;
  gpointer both[2] = { NULL, ticket };

  helper = prepare (server);
  use_store (helper, store);
  visit_with (g_steal_pointer (&helper));
  g_assert_cmpuint (store->n_puts, ==, 1);

  helper = prepare (server);
  use_store (helper, store);
  both[0] = helper;
  store->on_call = give_by_hand;
  store->data = both;
  client_handshake (helper);
  g_assert_cmpint (g_tls_session_helper_get_resumption (helper), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
  g_assert_cmpuint (store->n_puts, ==, 2);
  g_assert_cmpuint (g_tls_session_memory_store_get_n_peers (store->inner), ==, 1);
  client_close (helper);
  client_close (source);
}

static void
change_bounds (StubStore *store)
{
  g_object_set (store->data, "maximum-protocol-version", G_TLS_PROTOCOL_VERSION_TLS_1_3, NULL);
  store->on_call = NULL;
}

static void
settings_changed_while_the_store_is_asked_count (void)
{
  g_autoptr (TestServer) server = test_server_new (&tls13);
  g_autoptr (StubStore) store = stub_store_new ();
  g_autoptr (GTlsSessionHelper) helper = prepare (server);

  use_store (helper, store);
  visit_with (g_steal_pointer (&helper));
  helper = prepare (server);
  use_store (helper, store);
  store->on_call = change_bounds;
  store->data = client_connection (helper);
  client_handshake (helper);
  g_assert_cmpint (g_tls_session_helper_get_resumption (helper), ==, G_TLS_SESSION_RESUMPTION_NONE);
  assert_explains (helper, "settings were changed");
  client_close (helper);
}

static gpointer
set_early_data (gpointer helper)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static ("hello", 5);

  g_assert_true (g_tls_session_helper_set_early_data (helper, bytes, NULL));
  return NULL;
}

static void
turn_off (GTlsConnection *connection)
{
  g_object_set (connection, "session-resumption-enabled", FALSE, NULL);
}

/* Another thread's notification is delivered by the handshake, which has just asked for a session. */
static void
turned_off_as_the_handshake_begins_is_told (void)
{
  g_autoptr (TestServer) server = test_server_new (&tls13);
  g_autoptr (StubStore) store = stub_store_new ();
  g_autoptr (GTlsSessionHelper) helper = prepare (server);

  use_store (helper, store);
  g_signal_connect (client_connection (helper), "notify::early-data", G_CALLBACK (turn_off), NULL);
  g_thread_join (g_thread_new ("settings", set_early_data, helper));
  client_handshake (helper);
  g_assert_cmpuint (store->n_takes, ==, 0);
  g_assert_cmpint (g_tls_session_helper_get_resumption (helper), ==, G_TLS_SESSION_RESUMPTION_NONE);
  assert_explains (helper, "automatic resumption is turned off");
  client_close (helper);
}

static void
refusals_say_what_can_be_concluded (void)
{
  g_autoptr (TestServer) lost = test_server_new (&tls13);
  g_autoptr (TestServer) lost12 = test_server_new (&tls12_tickets);
  g_autoptr (GTlsSessionHelper) helper = NULL;
  g_autoptr (GTlsSessionHelper) helper12 = NULL;

  forget_all ();
  visit (lost);
  test_server_lose_keys (lost);
  helper = prepare (lost);
  client_handshake (helper);
  g_assert_cmpint (g_tls_session_helper_get_resumption (helper), ==, G_TLS_SESSION_RESUMPTION_REFUSED);
  assert_explains (helper, "it took no pre-shared key");
  client_close (helper);

  visit (lost12);
  test_server_lose_keys (lost12);
  helper12 = prepare (lost12);
  client_handshake (helper12);
  g_assert_cmpint (g_tls_session_helper_get_resumption (helper12), ==, G_TLS_SESSION_RESUMPTION_REFUSED);
  assert_explains (helper12, "it began a new session");
  client_close (helper12);
}

static void
tls12_ticket_counts_its_uses (void)
{
  g_autoptr (TestServer) server = test_server_new (&tls12_session_ids);
  g_autoptr (GTlsSessionHelper) helper = NULL;

  forget_all ();
  visit (server);
  visit (server);
  helper = prepare (server);
  client_handshake (helper);
  g_assert_cmpint (g_tls_session_helper_get_resumption (helper), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
  assert_explains (helper, "use 2 in this process");
  client_close (helper);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_data_func ("/automatic/tls1.3/second_connection_resumes", &tls13, second_connection_resumes);
  g_test_add_data_func ("/automatic/tls1.2-ticket/second_connection_resumes", &tls12_tickets,
                        second_connection_resumes);
  g_test_add_data_func ("/automatic/tls1.2-session-id/second_connection_resumes", &tls12_session_ids,
                        second_connection_resumes);
  g_test_add_func ("/automatic/second_connection_resumes_async", second_connection_resumes_async);
  g_test_add_func ("/automatic/second_connection_resumes_when_polled", second_connection_resumes_when_polled);
  g_test_add_func ("/automatic/tls13_tickets_are_used_once", tls13_tickets_are_used_once);
  g_test_add_func ("/automatic/ticket_given_by_hand_goes_first", ticket_given_by_hand_goes_first);
  g_test_add_func ("/automatic/ticket_copied_by_hand_is_not_used_again", ticket_copied_by_hand_is_not_used_again);
  g_test_add_func ("/automatic/ticket_set_by_hand_is_not_used_again", ticket_set_by_hand_is_not_used_again);

  g_test_add_func ("/automatic/other_name_is_apart", other_name_is_apart);
  g_test_add_func ("/automatic/other_port_is_apart", other_port_is_apart);
  g_test_add_func ("/automatic/ports_of_an_address_and_services_are_apart", ports_of_an_address_and_services_are_apart);
  g_test_add_func ("/automatic/other_application_protocols_are_apart", other_application_protocols_are_apart);
  g_test_add_func ("/automatic/other_client_certificate_is_apart", other_client_certificate_is_apart);
  g_test_add_func ("/automatic/other_database_is_apart", other_database_is_apart);
  g_test_add_func ("/automatic/same_anchors_in_another_file_are_the_same", same_anchors_in_another_file_are_the_same);
  g_test_add_func ("/automatic/other_protocol_bounds_are_apart", other_protocol_bounds_are_apart);
  g_test_add_func ("/automatic/accepted_by_hand_is_not_kept", accepted_by_hand_is_not_kept);
  g_test_add_func ("/automatic/accepted_by_hand_is_not_taken_out_of_a_store",
                   accepted_by_hand_is_not_taken_out_of_a_store);
  g_test_add_func ("/automatic/faults_passed_over_are_not_kept", faults_passed_over_are_not_kept);
  g_test_add_func ("/automatic/turned_off_takes_and_keeps_nothing", turned_off_takes_and_keeps_nothing);
  g_test_add_func ("/automatic/without_a_store_nothing_is_kept", without_a_store_nothing_is_kept);
  g_test_add_func ("/automatic/without_an_identity_nothing_is_kept", without_an_identity_nothing_is_kept);
  g_test_add_func ("/automatic/without_a_database_nothing_is_kept", without_a_database_nothing_is_kept);
  g_test_add_func ("/automatic/older_than_ten_minutes_is_not_offered", older_than_ten_minutes_is_not_offered);
  g_test_add_func ("/automatic/nine_minutes_are_not_too_old", nine_minutes_are_not_too_old);

  g_test_add_func ("/automatic/what_one_store_got_says_nothing_of_another", what_one_store_got_says_nothing_of_another);
  g_test_add_func ("/automatic/store_that_fails_breaks_nothing", store_that_fails_breaks_nothing);
  g_test_add_func ("/automatic/store_that_fails_without_a_reason_is_told", store_that_fails_without_a_reason_is_told);
  g_test_add_func ("/automatic/store_that_cannot_forget_is_told", store_that_cannot_forget_is_told);
  g_test_add_func ("/automatic/store_is_called_without_the_lock", store_is_called_without_the_lock);
  g_test_add_func ("/automatic/ticket_is_in_the_store_when_it_is_announced",
                   ticket_is_in_the_store_when_it_is_announced);
  g_test_add_func ("/automatic/store_is_not_called_by_the_last_unref", store_is_not_called_by_the_last_unref);
  g_test_add_func ("/automatic/ticket_given_while_the_store_is_asked_counts",
                   ticket_given_while_the_store_is_asked_counts);
  g_test_add_func ("/automatic/settings_changed_while_the_store_is_asked_count",
                   settings_changed_while_the_store_is_asked_count);
  g_test_add_func ("/automatic/turned_off_as_the_handshake_begins_is_told", turned_off_as_the_handshake_begins_is_told);
  g_test_add_func ("/automatic/refusals_say_what_can_be_concluded", refusals_say_what_can_be_concluded);
  g_test_add_func ("/automatic/tls12_ticket_counts_its_uses", tls12_ticket_counts_its_uses);

  return g_test_run ();
}
