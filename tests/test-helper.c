/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The helper's main job: a ticket arrives, travels and is taken, or is not, and either is told. */

#include <string.h>

#include "client.h"

static const TestServerOptions tls13 = { .only_tls13 = TRUE };
static const TestServerOptions tls12_tickets = { .only_tls12 = TRUE };
static const TestServerOptions tls12_session_ids = { .only_tls12 = TRUE, .tls12 = TEST_TLS12_SESSION_IDS };

static void
count_ticket (GTlsSessionHelper *helper, GTlsSessionTicket *ticket, gpointer data)
{
  g_assert_true (g_tls_session_ticket_is_usable (ticket));
  (*(guint *) data)++;
}

/* Tickets arrive */

static void
tls13_tickets_arrive_with_the_first_read (void)
{
  TestServerOptions options = { .only_tls13 = TRUE, .n_tickets = 4 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);
  guint n_signals = 0;

  g_signal_connect (helper, "ticket-available", G_CALLBACK (count_ticket), &n_signals);
  client_handshake (helper);
  g_assert_cmpuint (n_signals, ==, 0);
  g_assert_null (g_tls_session_helper_get_ticket (helper));

  client_exchange (helper, "hello");
  g_assert_cmpuint (n_signals, ==, 4);
  g_assert_cmpuint (client_count_tickets (helper), ==, 4);
  client_close (helper);
}

static void
tls12_ticket_arrives_with_the_handshake (gconstpointer data)
{
  g_autoptr (TestServer) server = test_server_new (data);
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  guint n_signals = 0;

  g_signal_connect (helper, "ticket-available", G_CALLBACK (count_ticket), &n_signals);
  client_handshake (helper);
  g_assert_cmpuint (n_signals, ==, 1);
  ticket = g_tls_session_helper_get_ticket (helper);
  g_assert_cmpint (g_tls_session_ticket_get_protocol_version (ticket), ==, G_TLS_PROTOCOL_VERSION_TLS_1_2);
  g_assert_false (g_tls_session_ticket_get_single_use (ticket));
  client_close (helper);
}

static void
late_helper_has_the_tickets (void)
{
  g_autoptr (TestServer) server = test_server_new (&tls13);
  g_autoptr (GTlsSessionHelper) early = client_connect_with_ticket (server);
  g_autoptr (GTlsSessionHelper) late = NULL;
  g_autoptr (GTlsSessionHelper) resumed = NULL;

  client_exchange (early, "hello");
  late = g_tls_session_helper_new (G_TLS_CLIENT_CONNECTION (client_connection (early)));
  g_assert_cmpuint (client_count_tickets (late), ==, 2);

  resumed = client_resume (server, late);
  g_assert_cmpint (g_tls_session_helper_get_resumption (resumed), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
  client_close (resumed);
  client_close (early);
}

static void
ticket_tells_about_itself (void)
{
  TestServerOptions options = { .only_tls13 = TRUE, .ticket_lifetime = 1234, .alpn = "example/1" };
  const char *const protocols[] = { "other", "example/1", NULL };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GError) error = NULL;

  g_tls_connection_set_advertised_protocols (client_connection (helper), protocols);
  ticket = g_tls_session_helper_wait_for_ticket (helper, 10000, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_tls_session_ticket_get_protocol_version (ticket), ==, G_TLS_PROTOCOL_VERSION_TLS_1_3);
  g_assert_cmpstr (g_tls_session_ticket_get_ciphersuite_name (ticket), ==, "TLS_AES_256_GCM_SHA384");
  g_assert_cmpstr (g_tls_session_ticket_get_server_name (ticket), ==, "localhost");
  g_assert_cmpstr (g_tls_session_ticket_get_application_protocol (ticket), ==, "example/1");
  g_assert_cmpuint (g_tls_session_ticket_get_lifetime (ticket), ==, 1234);
  g_assert_true (g_tls_session_ticket_get_single_use (ticket));
  g_assert_cmpint (
    g_date_time_difference (g_tls_session_ticket_get_expires (ticket), g_tls_session_ticket_get_received (ticket)), ==,
    1234 * G_TIME_SPAN_SECOND);
  g_assert_cmpstr (g_tls_connection_get_negotiated_protocol (client_connection (helper)), ==, "example/1");
  client_close (helper);
}

/* Tickets are taken, or not */

static void
count_notify (GObject *object, GParamSpec *pspec, gpointer data)
{
  (*(guint *) data)++;
}

static void
resumes_after_ticket (gconstpointer data)
{
  g_autoptr (TestServer) server = test_server_new (data);
  g_autoptr (GTlsSessionHelper) first = client_connect_with_ticket (server);
  g_autoptr (GTlsSessionHelper) second = client_prepare (server);
  g_autoptr (GError) error = NULL;
  g_autofree char *sentence = NULL;
  gboolean reused = FALSE;
  guint n_notified = 0;

  g_signal_connect (second, "notify::resumption", G_CALLBACK (count_notify), &n_notified);
  g_assert_cmpint (g_tls_session_helper_get_resumption (first), ==, G_TLS_SESSION_RESUMPTION_NONE);
  g_assert_true (g_tls_session_helper_copy_session_state (second, first, &error));
  g_assert_no_error (error);
  g_assert_cmpint (g_tls_session_helper_get_resumption (second), ==, G_TLS_SESSION_RESUMPTION_OFFERED);
  g_assert_cmpuint (n_notified, ==, 1);

  client_handshake (second);
  g_assert_cmpint (g_tls_session_helper_get_resumption (second), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
  g_assert_cmpuint (n_notified, ==, 2);
  g_object_get (client_connection (second), "session-reused", &reused, NULL);
  g_assert_true (reused);
  sentence = g_tls_session_helper_explain (second);
  g_assert_nonnull (strstr (sentence, "was resumed"));

  client_exchange (second, "hello");
  client_close (second);
  client_close (first);
  g_assert_true (test_server_wait_ended (server, 2));
  g_assert_cmpuint (test_server_count_resumed (server), ==, 1);
}

/* Each resumed connection is the next one's source. */
static void
resumes_in_a_chain (gconstpointer data)
{
  g_autoptr (TestServer) server = test_server_new (data);
  g_autoptr (GTlsSessionHelper) source = client_connect_with_ticket (server);

  for (int i = 0; i < 5; i++)
    {
      g_autoptr (GTlsSessionHelper) next = client_resume (server, source);

      g_assert_cmpint (g_tls_session_helper_get_resumption (next), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
      client_exchange (next, "hello");
      g_assert_cmpuint (client_count_tickets (next), >, 0);
      client_close (source);
      g_set_object (&source, next);
    }
  client_close (source);
}

static void
unused_tickets_go_first (void)
{
  TestServerOptions options = { .only_tls13 = TRUE, .n_tickets = 3 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) source = client_connect_with_ticket (server);
  g_autoptr (GHashTable) ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  client_exchange (source, "hello");
  for (int i = 0; i < 5; i++)
    {
      g_autoptr (GTlsSessionTicket) ticket = g_tls_session_helper_get_ticket (source);
      g_autoptr (GTlsSessionHelper) next = client_resume (server, source);

      g_assert_cmpint (g_tls_session_helper_get_resumption (next), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
      g_hash_table_add (ids, g_strdup (g_tls_session_ticket_get_id (ticket)));
      g_assert_cmpuint (g_hash_table_size (ids), ==, MIN (i + 1, 3));
      client_close (next);
    }
  client_close (source);
}

static void
refusal_is_told (gconstpointer data)
{
  g_autoptr (TestServer) server = test_server_new (data);
  g_autoptr (GTlsSessionHelper) first = client_connect_with_ticket (server);
  g_autoptr (GTlsSessionHelper) second = NULL;
  g_autofree char *sentence = NULL;
  gboolean reused = TRUE;

  test_server_lose_keys (server);
  second = client_resume (server, first);
  g_assert_cmpint (g_tls_session_helper_get_resumption (second), ==, G_TLS_SESSION_RESUMPTION_REFUSED);
  g_object_get (client_connection (second), "session-reused", &reused, NULL);
  g_assert_false (reused);

  sentence = g_tls_session_helper_explain (second);
  g_assert_nonnull (strstr (sentence, "localhost refused the session ticket"));
  g_assert_nonnull (strstr (sentence, "a full handshake was done"));
  client_exchange (second, "hello");
  client_close (second);
  client_close (first);
}

static void
gio_copy_session_state_works_silently (void)
{
  g_autoptr (TestServer) server = test_server_new (&tls13);
  g_autoptr (GTlsSessionHelper) first = client_connect_with_ticket (server);
  g_autoptr (GTlsSessionHelper) second = client_prepare (server);

  g_tls_client_connection_copy_session_state (g_tls_session_helper_get_connection (second),
                                              g_tls_session_helper_get_connection (first));
  client_handshake (second);
  g_assert_cmpint (g_tls_session_helper_get_resumption (second), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
  client_close (second);

  /* Where it cannot do anything it says nothing. */
  g_tls_client_connection_copy_session_state (g_tls_session_helper_get_connection (second),
                                              g_tls_session_helper_get_connection (first));
  client_close (first);
}

static void
ticket_travels_as_bytes (gconstpointer data)
{
  g_autoptr (TestServer) server = test_server_new (data);
  g_autoptr (GTlsSessionHelper) first = client_connect_with_ticket (server);
  g_autoptr (GTlsSessionHelper) second = client_prepare (server);
  g_autoptr (GTlsSessionTicket) ticket = g_tls_session_helper_get_ticket (first);
  g_autoptr (GBytes) bytes = g_tls_session_ticket_to_bytes (ticket);
  g_autoptr (GTlsSessionTicket) imported = NULL;
  g_autoptr (GTlsCertificate) certificate = NULL;
  g_autoptr (GError) error = NULL;

  client_close (first);
  imported = g_tls_session_ticket_new_from_bytes (bytes, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (g_tls_session_ticket_get_id (imported), ==, g_tls_session_ticket_get_id (ticket));
  g_assert_true (g_tls_session_helper_set_ticket (second, imported, &error));
  g_assert_no_error (error);
  client_handshake (second);
  g_assert_cmpint (g_tls_session_helper_get_resumption (second), ==, G_TLS_SESSION_RESUMPTION_RESUMED);

  /* The chain travelled too. */
  g_object_get (client_connection (second), "peer-certificate", &certificate, NULL);
  g_assert_nonnull (certificate);
  g_assert_nonnull (g_tls_certificate_get_issuer (certificate));
  client_close (second);
}

/* What cannot be done is told */

static void
assert_copy_fails (GTlsSessionHelper *helper, GTlsSessionHelper *source, GTlsSessionError code)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (g_tls_session_helper_copy_session_state (helper, source, &error));
  g_assert_error (error, G_TLS_SESSION_ERROR, (gint) code);
  g_assert_cmpint (g_tls_session_helper_get_resumption (helper), !=, G_TLS_SESSION_RESUMPTION_OFFERED);
}

static void
source_must_have_shaken_hands (void)
{
  g_autoptr (TestServer) server = test_server_new (&tls13);
  g_autoptr (GTlsSessionHelper) source = client_prepare (server);
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);

  assert_copy_fails (helper, source, G_TLS_SESSION_ERROR_SOURCE_NOT_READY);
}

static void
source_must_have_a_ticket (gconstpointer data)
{
  const TestServerOptions *options = data;
  g_autoptr (TestServer) server = test_server_new (options);
  g_autoptr (GTlsSessionHelper) source = client_connect (server);
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);
  g_autofree char *sentence = NULL;

  client_exchange (source, "hello");
  assert_copy_fails (helper, source, G_TLS_SESSION_ERROR_NO_TICKET);
  client_handshake (helper);
  g_assert_cmpint (g_tls_session_helper_get_resumption (helper), ==, G_TLS_SESSION_RESUMPTION_NONE);
  sentence = g_tls_session_helper_explain (helper);
  g_assert_nonnull (strstr (sentence, "No session was offered"));
  client_close (helper);
  client_close (source);
}

static void
offer_must_come_before_the_handshake (void)
{
  g_autoptr (TestServer) server = test_server_new (&tls13);
  g_autoptr (GTlsSessionHelper) source = client_connect_with_ticket (server);
  g_autoptr (GTlsSessionHelper) helper = client_connect (server);
  g_autoptr (GTlsSessionTicket) ticket = g_tls_session_helper_get_ticket (source);
  g_autoptr (GError) error = NULL;

  assert_copy_fails (helper, source, G_TLS_SESSION_ERROR_TOO_LATE);
  g_assert_false (g_tls_session_helper_set_ticket (helper, ticket, &error));
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_TOO_LATE);
  client_close (helper);
  client_close (source);
}

static void
wait_until_expired (GTlsSessionTicket *ticket)
{
  while (g_tls_session_ticket_is_usable (ticket))
    g_usleep (50 * 1000);
}

static void
expired_tickets_are_not_offered (void)
{
  TestServerOptions options = { .only_tls13 = TRUE, .ticket_lifetime = 2 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) source = client_connect_with_ticket (server);
  g_autoptr (GTlsSessionHelper) in_time = client_prepare (server);
  g_autoptr (GTlsSessionHelper) too_late = client_prepare (server);
  g_autoptr (GTlsSessionTicket) ticket = g_tls_session_helper_get_ticket (source);
  g_autoptr (GError) error = NULL;
  g_autofree char *sentence = NULL;

  g_assert_true (g_tls_session_helper_copy_session_state (in_time, source, &error));
  g_assert_no_error (error);
  wait_until_expired (ticket);
  assert_copy_fails (too_late, source, G_TLS_SESSION_ERROR_EXPIRED);

  /* It was good when it was offered, and is not when the handshake begins: nothing is sent, and that is told. */
  client_handshake (in_time);
  g_assert_cmpint (g_tls_session_helper_get_resumption (in_time), ==, G_TLS_SESSION_RESUMPTION_NONE);
  sentence = g_tls_session_helper_explain (in_time);
  g_assert_nonnull (strstr (sentence, "lifetime"));
  client_close (in_time);
  client_close (source);
}

static void
ticket_is_for_its_server (void)
{
  g_autoptr (TestServer) server = test_server_new (&tls13);
  g_autoptr (GTlsSessionHelper) source = client_connect_with_ticket (server);
  g_autoptr (GTlsSessionHelper) stranger = client_prepare_for (server, "other.test");
  g_autoptr (GTlsSessionHelper) relative = client_prepare_for (server, "a.wild.test");
  g_autoptr (GError) error = NULL;

  assert_copy_fails (stranger, source, G_TLS_SESSION_ERROR_IDENTITY_MISMATCH);

  /* The source's certificate is valid for this name as well (RFC 8446, section 4.6.1). */
  g_assert_true (g_tls_session_helper_copy_session_state (relative, source, &error));
  g_assert_no_error (error);
  client_close (source);
}

static void
ticket_keeps_to_protocol_bounds (void)
{
  g_autoptr (TestServer) server = test_server_new (&tls13);
  g_autoptr (GTlsSessionHelper) source = client_connect_with_ticket (server);
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);

  g_tls_session_connection_set_maximum_protocol_version (G_TLS_SESSION_CONNECTION (client_connection (helper)),
                                                         G_TLS_PROTOCOL_VERSION_TLS_1_2);
  assert_copy_fails (helper, source, G_TLS_SESSION_ERROR_UNSUPPORTED);
  client_close (source);
}

static void
other_version_is_a_refusal (void)
{
  g_autoptr (TestServer) new_server = test_server_new (&tls13);
  g_autoptr (TestServer) old_server = test_server_new (&tls12_tickets);
  g_autoptr (GTlsSessionHelper) source = client_connect_with_ticket (new_server);
  g_autoptr (GTlsSessionTicket) ticket = g_tls_session_helper_get_ticket (source);
  g_autoptr (GTlsSessionHelper) helper = client_prepare (old_server);
  g_autoptr (GError) error = NULL;
  g_autofree char *sentence = NULL;

  g_assert_true (g_tls_session_helper_set_ticket (helper, ticket, &error));
  g_assert_no_error (error);
  client_handshake (helper);
  g_assert_cmpint (g_tls_session_helper_get_resumption (helper), ==, G_TLS_SESSION_RESUMPTION_REFUSED);
  sentence = g_tls_session_helper_explain (helper);
  g_assert_nonnull (strstr (sentence, "it chose TLS 1.2"));
  client_close (helper);
  client_close (source);
}

static void
bad_bytes_are_no_ticket (void)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static ("certainly not", 13);
  g_autoptr (GError) error = NULL;

  g_assert_null (g_tls_session_ticket_new_from_bytes (bytes, &error));
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA);
}

/* What happened to a connection does not spoil its tickets (design, rule 5). */
static void
tickets_survive_their_connection (gconstpointer data)
{
  TestServerOptions options = { .behaviour = (TestBehaviour) GPOINTER_TO_INT (data) };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) first = client_connect_with_ticket (server);
  g_autoptr (GTlsSessionHelper) second = NULL;
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (client_connection (first)));
  g_autoptr (GError) error = NULL;
  char byte;

  client_exchange (first, "hello");
  g_assert_cmpint (g_input_stream_read (input, &byte, 1, NULL, &error), ==, -1);
  if (options.behaviour == TEST_BEHAVIOUR_ABRUPT)
    g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_EOF);
  else
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED);

  second = client_resume (server, first);
  g_assert_cmpint (g_tls_session_helper_get_resumption (second), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
}

/* The tickets and the end come in one read. */
static void
tickets_survive_garbage_behind_them (void)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_GARBAGE };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) first = client_connect (server);
  g_autoptr (GTlsSessionHelper) second = NULL;
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (client_connection (first)));
  g_autoptr (GError) error = NULL;
  char byte;

  g_assert_true (test_server_wait_ended (server, 1));
  g_assert_cmpint (g_input_stream_read (input, &byte, 1, NULL, &error), ==, -1);
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_MISC);
  g_assert_cmpuint (client_count_tickets (first), ==, 2);

  second = client_resume (server, first);
  g_assert_cmpint (g_tls_session_helper_get_resumption (second), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
}

static void
helper_without_connection_does_not_crash (void)
{
  g_autoptr (GTlsSessionHelper) helper = g_object_new (G_TLS_SESSION_TYPE_HELPER, NULL);
  g_autofree char *sentence = g_tls_session_helper_explain (helper);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_tls_session_helper_get_resumption (helper), ==, G_TLS_SESSION_RESUMPTION_UNKNOWN);
  g_assert_null (g_tls_session_helper_get_ticket (helper));
  g_assert_cmpuint (client_count_tickets (helper), ==, 0);
  g_assert_null (g_tls_session_helper_wait_for_ticket (helper, 0, NULL, &error));
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (sentence, "no connection"));
  assert_copy_fails (helper, helper, G_TLS_SESSION_ERROR_UNSUPPORTED);
}

/* connect_to_host() trusts the system's database; main() has pointed that at this server's root. */

static void
connects_to_host (gconstpointer data)
{
  TestServer *server = (TestServer *) data;
  g_autofree char *host = g_strdup_printf ("localhost:%u", test_server_get_port (server));
  g_autoptr (GTlsSessionHelper) helper = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) awaited = NULL;
  g_autoptr (GTlsSessionHelper) async_helper = NULL;
  g_autoptr (GError) error = NULL;

  helper = g_tls_session_helper_connect_to_host (host, 443, NULL, &error);
  g_assert_no_error (error);
  client_exchange (helper, "hello");
  client_close (helper);

  g_tls_session_helper_connect_to_host_async ("localhost", test_server_get_port (server), NULL, client_keep_result,
                                              &result);
  awaited = client_await (&result);
  async_helper = g_tls_session_helper_connect_to_host_finish (awaited, &error);
  g_assert_no_error (error);
  client_exchange (async_helper, "hello");
  client_close (async_helper);
}

static GError *
fail_to_connect_async (const char *host)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) awaited = NULL;
  GError *error = NULL;

  g_tls_session_helper_connect_to_host_async (host, 443, NULL, client_keep_result, &result);
  awaited = client_await (&result);
  g_assert_null (g_tls_session_helper_connect_to_host_finish (awaited, &error));
  return error;
}

static void
assert_cannot_connect (const char *host, GQuark domain, int code)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) async_error = fail_to_connect_async (host);

  g_assert_null (g_tls_session_helper_connect_to_host (host, 443, NULL, &error));
  g_assert_error (error, domain, code);
  g_assert_error (async_error, domain, code);
}

/* The system trusts the first server only. Nobody listens where a socket has been that was let go. */
static void
what_cannot_be_connected_to_is_told (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) stranger = test_server_new (&options);
  g_autoptr (TestServer) gone = test_server_new (&options);
  g_autofree char *untrusted = g_strdup_printf ("localhost:%u", test_server_get_port (stranger));
  g_autofree char *nobody = g_strdup_printf ("localhost:%u", test_server_get_port (gone));

  g_clear_pointer (&gone, test_server_free);
  assert_cannot_connect ("localhost:port", G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  assert_cannot_connect (nobody, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
  assert_cannot_connect (untrusted, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
}

static void
add_for_all_kinds (const char *name, GTestDataFunc func)
{
  g_autofree char *in_tls13 = g_strdup_printf ("/helper/tls1.3/%s", name);
  g_autofree char *with_tickets = g_strdup_printf ("/helper/tls1.2-ticket/%s", name);
  g_autofree char *with_ids = g_strdup_printf ("/helper/tls1.2-session-id/%s", name);

  g_test_add_data_func (in_tls13, &tls13, func);
  g_test_add_data_func (with_tickets, &tls12_tickets, func);
  g_test_add_data_func (with_ids, &tls12_session_ids, func);
}

int
main (int argc, char **argv)
{
  static const TestServerOptions tls13_none = { .only_tls13 = TRUE, .no_tickets = TRUE };
  static const TestServerOptions tls12_none = { .only_tls12 = TRUE, .tls12 = TEST_TLS12_NOTHING };
  TestServerOptions options = { 0 };
  TestServer *system_server = test_server_new (&options);
  int result;

  g_setenv ("SSL_CERT_FILE", test_server_get_ca_path (system_server), TRUE);
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/helper/tls1.3/tickets_arrive_with_the_first_read", tls13_tickets_arrive_with_the_first_read);
  g_test_add_data_func ("/helper/tls1.2-ticket/arrives_with_the_handshake", &tls12_tickets,
                        tls12_ticket_arrives_with_the_handshake);
  g_test_add_data_func ("/helper/tls1.2-session-id/arrives_with_the_handshake", &tls12_session_ids,
                        tls12_ticket_arrives_with_the_handshake);
  g_test_add_func ("/helper/late_helper_has_the_tickets", late_helper_has_the_tickets);
  g_test_add_func ("/helper/ticket_tells_about_itself", ticket_tells_about_itself);

  add_for_all_kinds ("resumes_after_ticket", resumes_after_ticket);
  add_for_all_kinds ("resumes_in_a_chain", resumes_in_a_chain);
  add_for_all_kinds ("refusal_is_told", refusal_is_told);
  add_for_all_kinds ("ticket_travels_as_bytes", ticket_travels_as_bytes);
  g_test_add_func ("/helper/unused_tickets_go_first", unused_tickets_go_first);
  g_test_add_func ("/helper/gio_copy_session_state_works_silently", gio_copy_session_state_works_silently);

  g_test_add_func ("/helper/source_must_have_shaken_hands", source_must_have_shaken_hands);
  g_test_add_data_func ("/helper/tls1.3/source_must_have_a_ticket", &tls13_none, source_must_have_a_ticket);
  g_test_add_data_func ("/helper/tls1.2/source_must_have_a_ticket", &tls12_none, source_must_have_a_ticket);
  g_test_add_func ("/helper/offer_must_come_before_the_handshake", offer_must_come_before_the_handshake);
  g_test_add_func ("/helper/expired_tickets_are_not_offered", expired_tickets_are_not_offered);
  g_test_add_func ("/helper/ticket_is_for_its_server", ticket_is_for_its_server);
  g_test_add_func ("/helper/ticket_keeps_to_protocol_bounds", ticket_keeps_to_protocol_bounds);
  g_test_add_func ("/helper/other_version_is_a_refusal", other_version_is_a_refusal);
  g_test_add_func ("/helper/bad_bytes_are_no_ticket", bad_bytes_are_no_ticket);
  g_test_add_data_func ("/helper/tickets_survive_an_abrupt_end", GINT_TO_POINTER (TEST_BEHAVIOUR_ABRUPT),
                        tickets_survive_their_connection);
  g_test_add_data_func ("/helper/tickets_survive_a_reset", GINT_TO_POINTER (TEST_BEHAVIOUR_RESET),
                        tickets_survive_their_connection);
  g_test_add_func ("/helper/tickets_survive_garbage_behind_them", tickets_survive_garbage_behind_them);
  g_test_add_func ("/helper/helper_without_connection_does_not_crash", helper_without_connection_does_not_crash);
  g_test_add_data_func ("/helper/connects_to_host", system_server, connects_to_host);
  g_test_add_func ("/helper/what_cannot_be_connected_to_is_told", what_cannot_be_connected_to_is_told);

  result = g_test_run ();
  test_server_free (system_server);
  return result;
}
