/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <openssl/ssl.h>

#include "early-client.h"

/* Nothing leaves with the first flight under a session whose certificate this connection would not accept without being
 * told to. What the server got, and what OpenSSL there says of early data, shows that nothing did.
 */

#define PERMITTED 16384
#define EARLY "early bird. "
#define REST "rest"

static gboolean
accept_all (GTlsConnection *connection, GTlsCertificate *certificate, GTlsCertificateFlags errors, gpointer data)
{
  guint *asked = data;

  (*asked)++;
  return TRUE;
}

static void
assert_nothing_left_early (EarlyServer *server, guint index)
{
  const EarlyRecord *record = early_server_get_record (server, index);

  g_assert_nonnull (record);
  g_assert_cmpint (record->openssl_status, ==, SSL_EARLY_DATA_NOT_SENT);
  g_assert_null (record->early_data);
}

static GTlsDatabase *
other_database (EarlyServer *server)
{
  g_autoptr (GError) error = NULL;
  GTlsSessionFileDatabase *database = g_tls_session_file_database_new (
    test_pki_get_other_ca_path (early_server_get_pki (server)), &error);

  g_assert_no_error (error);
  return G_TLS_DATABASE (database);
}

/* The session began where the server was trusted; here it is not. */
static GTlsSessionHelper *
prepare_distrustful (EarlyServer *server)
{
  g_autoptr (GTlsSessionTicket) ticket = early_get_ticket (server);
  g_autoptr (GTlsDatabase) database = other_database (server);
  GTlsSessionHelper *helper = early_prepare (server);

  early_set (helper, ticket, EARLY, strlen (EARLY));
  g_tls_connection_set_database (client_connection (helper), database);
  return helper;
}

static void
other_anchors_send_nothing (void)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionHelper) helper = prepare_distrustful (server);
  g_autoptr (GError) error = NULL;

  g_assert_false (g_tls_connection_handshake (client_connection (helper), NULL, &error));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_assert_null (strstr (error->message, "may have arrived"));
  early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_UNSENT);
  early_assert_explains (helper, "early data did not arrive");
  g_io_stream_close (G_IO_STREAM (client_connection (helper)), NULL, NULL);
  assert_nothing_left_early (server, 1);
  g_assert_cmpuint (early_server_get_record (server, 1)->stream->len, ==, 0);
}

/* Who accepts by hand does that once, after the handshake; the data follow. */
static void
accepted_by_hand_are_sent_late (gconstpointer way)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionHelper) helper = prepare_distrustful (server);
  guint asked = 0;

  g_signal_connect (client_connection (helper), "accept-certificate", G_CALLBACK (accept_all), &asked);
  early_go (helper, GPOINTER_TO_UINT (way));
  g_assert_cmpuint (asked, ==, 1);
  early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_DEFERRED);
  early_assert_explains (helper, "the certificate of its session is not beyond doubt");
  client_close (helper);
  assert_nothing_left_early (server, 1);
  early_assert_arrived (server, 1, NULL, EARLY REST);
}

/* Flags that look away make the connection go on, and are not enough for this. */
static void
faults_looked_away_from_are_sent_late (void)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionHelper) helper = prepare_distrustful (server);

  g_object_set (client_connection (helper), "validation-flags", 0, NULL);
  early_go (helper, EARLY_WAY_HANDSHAKE);
  early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_DEFERRED);
  client_close (helper);
  assert_nothing_left_early (server, 1);
  early_assert_arrived (server, 1, NULL, EARLY REST);
}

static void
no_database_sends_late (void)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionHelper) helper = prepare_distrustful (server);
  guint asked = 0;

  g_tls_connection_set_database (client_connection (helper), NULL);
  g_signal_connect (client_connection (helper), "accept-certificate", G_CALLBACK (accept_all), &asked);
  early_go (helper, EARLY_WAY_HANDSHAKE);
  early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_DEFERRED);
  client_close (helper);
  assert_nothing_left_early (server, 1);
}

/* A database that answers in its own time, and during whose answer something else happens. */

typedef struct
{
  GTlsDatabase parent_instance;

  guint verified;
  GTlsConnection *to_change; /* borrowed; nullable: its database is set to none while this one is asked */
} SlowDatabase;

typedef struct
{
  GTlsDatabaseClass parent_class;
} SlowDatabaseClass;

GType slow_database_get_type (void);

G_DEFINE_TYPE (SlowDatabase, slow_database, G_TYPE_TLS_DATABASE)

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
  SlowDatabase *self = (SlowDatabase *) database;

  self->verified++;
  if (self->to_change != NULL)
    g_tls_connection_set_database (self->to_change, NULL);
  return 0;
}

static gboolean
finish_later (gpointer data)
{
  g_autoptr (GTask) task = data;

  g_task_return_boolean (task, TRUE);
  return G_SOURCE_REMOVE;
}

static void
slow_database_verify_chain_async (GTlsDatabase *database,
                                  GTlsCertificate *chain,
                                  const char *purpose,
                                  GSocketConnectable *identity,
                                  GTlsInteraction *interaction,
                                  GTlsDatabaseVerifyFlags flags,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  SlowDatabase *self = (SlowDatabase *) database;

  self->verified++;
  g_idle_add (finish_later, g_task_new (database, cancellable, callback, user_data));
}

static GTlsCertificateFlags
slow_database_verify_chain_finish (GTlsDatabase *database, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error) ? 0 : G_TLS_CERTIFICATE_GENERIC_ERROR;
}

static void
slow_database_class_init (SlowDatabaseClass *class)
{
  GTlsDatabaseClass *database_class = G_TLS_DATABASE_CLASS (class);

  database_class->verify_chain = slow_database_verify_chain;
  database_class->verify_chain_async = slow_database_verify_chain_async;
  database_class->verify_chain_finish = slow_database_verify_chain_finish;
}

static void
slow_database_init (SlowDatabase *self)
{
}

/* Twice: before the first flight, and for the verdict. */
static void
another_kind_of_database_is_asked (gconstpointer way)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionTicket) ticket = early_get_ticket (server);
  g_autoptr (GTlsSessionHelper) helper = early_prepare (server);
  g_autoptr (GTlsDatabase) database = g_object_new (slow_database_get_type (), NULL);

  early_set (helper, ticket, EARLY, strlen (EARLY));
  g_tls_connection_set_database (client_connection (helper), database);
  early_go (helper, GPOINTER_TO_UINT (way));
  g_assert_cmpuint (((SlowDatabase *) database)->verified, ==, 2);
  early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_ACCEPTED);
  client_close (helper);
  early_assert_arrived (server, 1, EARLY, REST);
}

/* What was found with one database says nothing of another. */
static void
a_forecast_ends_with_its_settings (void)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionTicket) ticket = early_get_ticket (server);
  g_autoptr (GTlsSessionHelper) helper = early_prepare (server);
  g_autoptr (GTlsDatabase) database = g_object_new (slow_database_get_type (), NULL);
  g_autoptr (GError) error = NULL;

  ((SlowDatabase *) database)->to_change = client_connection (helper);
  early_set (helper, ticket, EARLY, strlen (EARLY));
  g_tls_connection_set_database (client_connection (helper), database);
  g_assert_false (g_tls_connection_handshake (client_connection (helper), NULL, &error));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_UNSENT);
  g_io_stream_close (G_IO_STREAM (client_connection (helper)), NULL, NULL);
  assert_nothing_left_early (server, 1);
}

/* Two operations begin at once; the database is asked once for both before the first flight. */
static void
two_operations_wait_for_one_forecast (void)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionTicket) ticket = early_get_ticket (server);
  g_autoptr (GTlsSessionHelper) helper = early_prepare (server);
  g_autoptr (GTlsDatabase) database = g_object_new (slow_database_get_type (), NULL);
  GAsyncResult *places[2] = { NULL, NULL };

  early_set (helper, ticket, EARLY, strlen (EARLY));
  g_tls_connection_set_database (client_connection (helper), database);
  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    g_tls_connection_handshake_async (client_connection (helper), G_PRIORITY_DEFAULT, NULL, client_keep_result,
                                      &places[i]);
  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    {
      g_autoptr (GAsyncResult) result = client_await (&places[i]);
      g_autoptr (GError) error = NULL;

      g_tls_connection_handshake_finish (client_connection (helper), result, &error);
      g_assert_no_error (error);
    }
  g_assert_cmpuint (((SlowDatabase *) database)->verified, ==, 2);
  early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_ACCEPTED);
  client_close (helper);
  early_assert_arrived (server, 1, EARLY, "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (guint way = 0; way < EARLY_N_WAYS; way++)
    {
      g_autofree char *by_hand = g_strdup_printf ("/early-data-judged/%s/accepted_by_hand_are_sent_late",
                                                  early_way_names[way]);
      g_autofree char *database = g_strdup_printf ("/early-data-judged/%s/another_kind_of_database_is_asked",
                                                   early_way_names[way]);

      g_test_add_data_func (by_hand, GUINT_TO_POINTER (way), accepted_by_hand_are_sent_late);
      g_test_add_data_func (database, GUINT_TO_POINTER (way), another_kind_of_database_is_asked);
    }
  g_test_add_func ("/early-data-judged/other_anchors_send_nothing", other_anchors_send_nothing);
  g_test_add_func ("/early-data-judged/faults_looked_away_from_are_sent_late", faults_looked_away_from_are_sent_late);
  g_test_add_func ("/early-data-judged/no_database_sends_late", no_database_sends_late);
  g_test_add_func ("/early-data-judged/a_forecast_ends_with_its_settings", a_forecast_ends_with_its_settings);
  g_test_add_func ("/early-data-judged/two_operations_wait_for_one_forecast", two_operations_wait_for_one_forecast);

  return g_test_run ();
}
