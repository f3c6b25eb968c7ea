/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A helper around another TLS backend's connection says honestly what cannot be known. This is the one C test that
 * needs glib-networking. It prints TAP by itself, for glib-networking does not resume sessions in a program that has
 * called g_test_init().
 */

#include <string.h>

#include "client.h"

static GTlsSessionHelper *
prepare_foreign (TestServer *server)
{
  g_autoptr (GIOStream) tcp = client_connect_tcp (server);
  g_autoptr (GSocketConnectable) identity = g_network_address_new ("localhost", test_server_get_port (server));
  g_autoptr (GError) error = NULL;
  g_autoptr (GIOStream) connection = g_tls_client_connection_new (tcp, identity, &error);
  g_autoptr (GTlsDatabase) database = NULL;

  g_assert_no_error (error);
  database = g_tls_file_database_new (test_server_get_ca_path (server), &error);
  g_assert_no_error (error);
  g_tls_connection_set_database (G_TLS_CONNECTION (connection), database);
  return g_tls_session_helper_new (G_TLS_CLIENT_CONNECTION (connection));
}

static void
foreign_connection_is_unknown (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = NULL;
  g_autoptr (GTlsSessionHelper) helper = NULL;
  g_autofree char *sentence = NULL;
  g_autoptr (GError) error = NULL;

  server = test_server_new (&options);
  helper = prepare_foreign (server);
  client_handshake (helper);
  client_exchange (helper, "hello");
  g_assert_cmpint (g_tls_session_helper_get_resumption (helper), ==, G_TLS_SESSION_RESUMPTION_UNKNOWN);
  g_assert_null (g_tls_session_helper_get_ticket (helper));
  g_assert_cmpuint (client_count_tickets (helper), ==, 0);
  g_assert_null (g_tls_session_helper_wait_for_ticket (helper, 0, NULL, &error));
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_UNSUPPORTED);
  sentence = g_tls_session_helper_explain (helper);
  g_assert_nonnull (strstr (sentence, "another TLS backend"));
}

static void
assert_unsupported (GTlsSessionHelper *helper, GTlsSessionHelper *source)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (g_tls_session_helper_copy_session_state (helper, source, &error));
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_UNSUPPORTED);
}

/* It is raised that nobody knows, and done all the same: the server sees the session resumed. */
static void
foreign_copy_session_state_is_called (void)
{
  TestServerOptions options = { .only_tls12 = TRUE };
  g_autoptr (TestServer) server = NULL;
  g_autoptr (GTlsSessionHelper) first = NULL;
  g_autoptr (GTlsSessionHelper) second = NULL;

  server = test_server_new (&options);
  first = prepare_foreign (server);
  client_handshake (first);
  client_exchange (first, "hello");
  second = prepare_foreign (server);
  assert_unsupported (second, first);
  client_handshake (second);
  client_exchange (second, "hello");
  g_assert_cmpuint (test_server_count_resumed (server), ==, 1);
}

/* Of a handshake that is over, or is still to come, the other backend would complain aloud. */
static void
foreign_copy_session_state_has_its_moment (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = NULL;
  g_autoptr (GTlsSessionHelper) done = NULL;
  g_autoptr (GTlsSessionHelper) fresh = NULL;

  server = test_server_new (&options);
  done = prepare_foreign (server);
  client_handshake (done);
  fresh = prepare_foreign (server);
  assert_unsupported (done, done);
  assert_unsupported (fresh, fresh);
  assert_unsupported (done, fresh);
  client_exchange (done, "hello");
}

static void
foreign_and_own_do_not_mix (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = NULL;
  g_autoptr (GTlsSessionHelper) foreign = NULL;
  g_autoptr (GTlsSessionHelper) own = NULL;
  g_autoptr (GTlsSessionHelper) next = NULL;
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GError) error = NULL;

  server = test_server_new (&options);
  foreign = prepare_foreign (server);
  own = client_connect_with_ticket (server);
  next = client_prepare (server);
  ticket = g_tls_session_helper_get_ticket (own);
  assert_unsupported (foreign, own);
  assert_unsupported (next, foreign);
  g_assert_false (g_tls_session_helper_set_ticket (foreign, ticket, &error));
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_UNSUPPORTED);

  client_handshake (next);
  client_close (next);
  client_close (own);
}

/* A database of the other backend's judges our connections. */
static void
foreign_database_judges_ours (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = NULL;
  g_autoptr (GTlsSessionHelper) trusted = NULL;
  g_autoptr (GTlsSessionHelper) untrusted = NULL;
  g_autoptr (GTlsDatabase) good = NULL;
  g_autoptr (GTlsDatabase) bad = NULL;
  g_autoptr (GError) error = NULL;

  server = test_server_new (&options);
  good = g_tls_file_database_new (test_server_get_ca_path (server), &error);
  g_assert_no_error (error);
  bad = g_tls_file_database_new (test_pki_get_other_ca_path (test_server_get_pki (server)), &error);
  g_assert_no_error (error);

  trusted = client_prepare (server);
  g_tls_connection_set_database (client_connection (trusted), good);
  client_handshake (trusted);
  client_close (trusted);

  untrusted = client_prepare (server);
  g_tls_connection_set_database (client_connection (untrusted), bad);
  g_assert_false (g_tls_connection_handshake (client_connection (untrusted), NULL, &error));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
}

static void
foreign_sends_no_early_data (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) foreign = prepare_foreign (server);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("early", 5);
  g_autoptr (GError) error = NULL;

  g_assert_false (g_tls_session_helper_set_early_data (foreign, bytes, &error));
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_UNSUPPORTED);
  g_assert_null (g_tls_session_helper_get_early_data (foreign));
  g_assert_cmpint (g_tls_session_helper_get_early_data_status (foreign), ==, G_TLS_SESSION_EARLY_DATA_STATUS_NONE);
}

int
main (void)
{
  static const struct
  {
    const char *name;
    void (*test) (void);
  } tests[] = {
    { "connection_is_unknown", foreign_connection_is_unknown },
    { "copy_session_state_is_called", foreign_copy_session_state_is_called },
    { "copy_session_state_has_its_moment", foreign_copy_session_state_has_its_moment },
    { "and_own_do_not_mix", foreign_and_own_do_not_mix },
    { "database_judges_ours", foreign_database_judges_ours },
    { "sends_no_early_data", foreign_sends_no_early_data },
  };
  gboolean backend_is_there = g_tls_backend_supports_tls (g_tls_backend_get_default ());

  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING);
  g_print ("1..%u\n", (guint) G_N_ELEMENTS (tests));
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    {
      if (backend_is_there)
        tests[i].test ();
      g_print ("ok %u /foreign/%s%s\n", i + 1, tests[i].name,
               backend_is_there ? "" : " # SKIP Gio has no TLS backend here; install glib-networking");
    }
  return 0;
}
