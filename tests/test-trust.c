/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A connection's verdict on its peer, and that a resumed session is judged as a full handshake is. */

#include <string.h>

#include "client.h"

typedef struct
{
  guint n_asked;
  GTlsCertificateFlags errors;
  gboolean answer;
} Judge;

static gboolean
on_accept_certificate (GTlsConnection *connection,
                       GTlsCertificate *certificate,
                       GTlsCertificateFlags errors,
                       Judge *judge)
{
  /* Gio: it is not set yet while this is emitted. */
  g_assert_null (g_tls_connection_get_peer_certificate (connection));
  g_assert_nonnull (certificate);
  judge->n_asked++;
  judge->errors = errors;
  return judge->answer;
}

static void
listen_to (GTlsSessionHelper *helper, Judge *judge)
{
  g_signal_connect (client_connection (helper), "accept-certificate", G_CALLBACK (on_accept_certificate), judge);
}

static void
trust_stranger (GTlsSessionHelper *helper, TestServer *server)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionFileDatabase)
    database = g_tls_session_file_database_new (test_pki_get_other_ca_path (test_server_get_pki (server)), &error);

  g_assert_no_error (error);
  g_tls_connection_set_database (client_connection (helper), G_TLS_DATABASE (database));
}

static void
assert_handshake_is_rejected (GTlsSessionHelper *helper, GTlsCertificateFlags errors)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (g_tls_connection_handshake (client_connection (helper), NULL, &error));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_assert_nonnull (g_tls_connection_get_peer_certificate (client_connection (helper)));
  g_assert_cmpint (g_tls_connection_get_peer_certificate_errors (client_connection (helper)), ==, errors);
}

static void
program_is_asked (gconstpointer data)
{
  TestServerOptions options = { .certificate = TEST_CERTIFICATE_STRANGER };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);
  Judge judge = { .answer = GPOINTER_TO_INT (data) };

  listen_to (helper, &judge);
  if (judge.answer)
    {
      client_handshake (helper);
      g_assert_cmpint (g_tls_connection_get_peer_certificate_errors (client_connection (helper)), ==,
                       G_TLS_CERTIFICATE_UNKNOWN_CA);
      client_exchange (helper, "hello");
      client_close (helper);
    }
  else
    {
      assert_handshake_is_rejected (helper, G_TLS_CERTIFICATE_UNKNOWN_CA);
    }
  g_assert_cmpuint (judge.n_asked, ==, 1);
  g_assert_cmpint (judge.errors, ==, G_TLS_CERTIFICATE_UNKNOWN_CA);
}

static void
program_is_not_asked_about_a_good_one (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);
  Judge judge = { 0 };

  listen_to (helper, &judge);
  client_handshake (helper);
  client_close (helper);
  g_assert_cmpuint (judge.n_asked, ==, 0);
}

static void
no_database_trusts_nobody (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);

  g_tls_connection_set_database (client_connection (helper), NULL);
  assert_handshake_is_rejected (helper, G_TLS_CERTIFICATE_UNKNOWN_CA);
}

static void
no_identity_is_no_identity (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);
  g_autoptr (GError) error = NULL;

  g_object_set (client_connection (helper), "server-identity", NULL, NULL);
  assert_handshake_is_rejected (helper, G_TLS_CERTIFICATE_BAD_IDENTITY);
  g_assert_false (g_tls_connection_handshake (client_connection (helper), NULL, &error));
  g_assert_nonnull (strstr (error->message, "the connection has no server identity to compare it with"));
}

G_GNUC_BEGIN_IGNORE_DEPRECATIONS
static void
validation_flags_say_what_matters (void)
{
  TestServerOptions options = { .certificate = TEST_CERTIFICATE_EXPIRED };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);

  g_tls_client_connection_set_validation_flags (g_tls_session_helper_get_connection (helper),
                                                G_TLS_CERTIFICATE_VALIDATE_ALL & ~G_TLS_CERTIFICATE_EXPIRED);
  client_handshake (helper);
  g_assert_cmpint (g_tls_connection_get_peer_certificate_errors (client_connection (helper)), ==,
                   G_TLS_CERTIFICATE_EXPIRED);
  client_close (helper);
}
G_GNUC_END_IGNORE_DEPRECATIONS

/* Resumed sessions */

static GTlsSessionHelper *
offer (TestServer *server, GTlsSessionHelper *source)
{
  GTlsSessionHelper *helper = client_prepare (server);
  g_autoptr (GError) error = NULL;

  g_tls_session_helper_copy_session_state (helper, source, &error);
  g_assert_no_error (error);
  return helper;
}

static void
resumed_session_is_judged_by_the_new_database (gconstpointer data)
{
  TestServerOptions options = { .only_tls12 = GPOINTER_TO_INT (data) };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) source = client_connect_with_ticket (server);
  g_autoptr (GTlsSessionHelper) rejecting = offer (server, source);
  g_autoptr (GTlsSessionHelper) accepting = offer (server, source);
  Judge judge = { .answer = FALSE };

  trust_stranger (rejecting, server);
  listen_to (rejecting, &judge);
  assert_handshake_is_rejected (rejecting, G_TLS_CERTIFICATE_UNKNOWN_CA);
  g_assert_cmpuint (judge.n_asked, ==, 1);

  trust_stranger (accepting, server);
  judge.answer = TRUE;
  listen_to (accepting, &judge);
  client_handshake (accepting);
  g_assert_cmpuint (judge.n_asked, ==, 2);
  g_assert_cmpint (g_tls_session_helper_get_resumption (accepting), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
  client_exchange (accepting, "hello");
  client_close (accepting);
  client_close (source);
}

/* What was accepted by hand once is asked about again. */
static void
resumed_session_is_asked_about_again (void)
{
  TestServerOptions options = { .certificate = TEST_CERTIFICATE_STRANGER };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) source = client_prepare (server);
  g_autoptr (GTlsSessionHelper) next = NULL;
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  Judge judge = { .answer = TRUE };
  g_autoptr (GError) error = NULL;

  listen_to (source, &judge);
  ticket = g_tls_session_helper_wait_for_ticket (source, 10000, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (judge.n_asked, ==, 1);

  next = offer (server, source);
  judge.answer = FALSE;
  listen_to (next, &judge);
  assert_handshake_is_rejected (next, G_TLS_CERTIFICATE_UNKNOWN_CA);
  g_assert_cmpuint (judge.n_asked, ==, 2);
  client_close (source);
}

static void
resumed_session_shows_its_chain (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) source = client_connect_with_ticket (server);
  g_autoptr (GTlsSessionHelper) next = client_resume (server, source);
  GTlsCertificate *before = g_tls_connection_get_peer_certificate (client_connection (source));
  GTlsCertificate *after = g_tls_connection_get_peer_certificate (client_connection (next));

  g_assert_true (g_tls_certificate_is_same (before, after));
  g_assert_true (
    g_tls_certificate_is_same (g_tls_certificate_get_issuer (before), g_tls_certificate_get_issuer (after)));
  client_close (next);
  client_close (source);
}

/* A database that somebody else wrote */

typedef GTlsDatabase SlowDatabase;
typedef GTlsDatabaseClass SlowDatabaseClass;

static GType slow_database_get_type (void);

G_DEFINE_TYPE (SlowDatabase, slow_database, G_TYPE_TLS_DATABASE)

static guint n_slow_verdicts;
static gboolean slow_database_fails;

/* Gio runs this in a thread of its own for the asynchronous call. */
static GTlsCertificateFlags
slow_database_verify_chain (GTlsDatabase *database,
                            GTlsCertificate *chain,
                            const char *purpose,
                            GSocketConnectable *identity,
                            GTlsInteraction *interaction,
                            GTlsDatabaseVerifyFlags flags,
                            GCancellable *cancellable,
                            GError **error)
{
  g_usleep (50 * 1000);
  g_assert_cmpstr (purpose, ==, G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER);
  g_assert_true (G_IS_NETWORK_ADDRESS (identity));
  g_assert_nonnull (g_tls_certificate_get_issuer (chain));
  n_slow_verdicts++;
  if (!slow_database_fails)
    return 0;

  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "The card was pulled out");
  return G_TLS_CERTIFICATE_GENERIC_ERROR;
}

static void
slow_database_class_init (SlowDatabaseClass *class)
{
  class->verify_chain = slow_database_verify_chain;
}

static void
slow_database_init (SlowDatabase *self)
{
}

static GTlsSessionHelper *
prepare_slow (TestServer *server)
{
  GTlsSessionHelper *helper = client_prepare (server);
  g_autoptr (GTlsDatabase) database = g_object_new (slow_database_get_type (), NULL);

  n_slow_verdicts = 0;
  g_tls_connection_set_database (client_connection (helper), database);
  return helper;
}

static void
foreign_database_is_asked (void)
{
  TestServerOptions options = { .certificate = TEST_CERTIFICATE_STRANGER };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = prepare_slow (server);
  g_autoptr (GTlsSessionHelper) async_helper = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) awaited = NULL;
  g_autoptr (GError) error = NULL;

  client_handshake (helper);
  g_assert_cmpuint (n_slow_verdicts, ==, 1);
  client_exchange (helper, "hello");
  client_close (helper);

  async_helper = prepare_slow (server);
  g_tls_connection_handshake_async (client_connection (async_helper), G_PRIORITY_DEFAULT, NULL, client_keep_result,
                                    &result);
  awaited = client_await (&result);
  g_assert_true (g_tls_connection_handshake_finish (client_connection (async_helper), awaited, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_slow_verdicts, ==, 1);
  client_exchange (async_helper, "hello");
  client_close (async_helper);
}

static void
foreign_database_is_asked_by_an_implicit_handshake (void)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_GREET };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = prepare_slow (server);
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (client_connection (helper)));
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) awaited = NULL;
  g_autoptr (GError) error = NULL;
  char some[100];

  g_input_stream_read_async (input, some, sizeof some, G_PRIORITY_DEFAULT, NULL, client_keep_result, &result);
  awaited = client_await (&result);
  g_assert_cmpint (g_input_stream_read_finish (input, awaited, &error), >, 0);
  g_assert_no_error (error);
  g_assert_cmpuint (n_slow_verdicts, ==, 1);
  client_close (helper);
}

static void
database_that_fails_trusts_nobody (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = prepare_slow (server);
  g_autoptr (GError) error = NULL;

  slow_database_fails = TRUE;
  g_assert_false (g_tls_connection_handshake (client_connection (helper), NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, "The card was pulled out"));
  slow_database_fails = FALSE;
}

/* Once the card is back, the same handshake goes on. */
static void
database_that_fails_is_asked_again_by_the_next_handshake (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = prepare_slow (server);
  GTlsConnection *connection = client_connection (helper);

  for (slow_database_fails = TRUE;; slow_database_fails = FALSE)
    {
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (GAsyncResult) awaited = NULL;
      g_autoptr (GError) error = NULL;

      g_tls_connection_handshake_async (connection, G_PRIORITY_DEFAULT, NULL, client_keep_result, &result);
      awaited = client_await (&result);
      g_assert_true (g_tls_connection_handshake_finish (connection, awaited, &error) == !slow_database_fails);
      if (!slow_database_fails)
        break;
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
      g_assert_cmpstr (error->message, ==, "The peer's certificate could not be verified: The card was pulled out");
      g_assert_null (g_tls_connection_get_peer_certificate (connection));
    }
  g_assert_cmpuint (n_slow_verdicts, ==, 2);
  client_exchange (helper, "hello");
  client_close (helper);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_data_func ("/trust/program_is_asked_and_accepts", GINT_TO_POINTER (TRUE), program_is_asked);
  g_test_add_data_func ("/trust/program_is_asked_and_rejects", GINT_TO_POINTER (FALSE), program_is_asked);
  g_test_add_func ("/trust/program_is_not_asked_about_a_good_one", program_is_not_asked_about_a_good_one);
  g_test_add_func ("/trust/no_database_trusts_nobody", no_database_trusts_nobody);
  g_test_add_func ("/trust/no_identity_is_no_identity", no_identity_is_no_identity);
  g_test_add_func ("/trust/validation_flags_say_what_matters", validation_flags_say_what_matters);
  g_test_add_data_func ("/trust/tls1.3/resumed_session_is_judged_by_the_new_database", GINT_TO_POINTER (FALSE),
                        resumed_session_is_judged_by_the_new_database);
  g_test_add_data_func ("/trust/tls1.2/resumed_session_is_judged_by_the_new_database", GINT_TO_POINTER (TRUE),
                        resumed_session_is_judged_by_the_new_database);
  g_test_add_func ("/trust/resumed_session_is_asked_about_again", resumed_session_is_asked_about_again);
  g_test_add_func ("/trust/resumed_session_shows_its_chain", resumed_session_shows_its_chain);
  g_test_add_func ("/trust/foreign_database_is_asked", foreign_database_is_asked);
  g_test_add_func ("/trust/foreign_database_is_asked_by_an_implicit_handshake",
                   foreign_database_is_asked_by_an_implicit_handshake);
  g_test_add_func ("/trust/database_that_fails_trusts_nobody", database_that_fails_trusts_nobody);
  g_test_add_func ("/trust/database_that_fails_is_asked_again_by_the_next_handshake",
                   database_that_fails_is_asked_again_by_the_next_handshake);
  return g_test_run ();
}
