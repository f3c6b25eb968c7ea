/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two operations that shake hands ask for a verdict each. The first one counts, and the other leaves no trace: not in
 * what is told of the certificate, and not in whether its session is resumed by itself.
 */

#include "../client.h"
#include "stub-store.h"
#include "visits.h"

/* Finds a fault when it is asked, and none when it is asked asynchronously, which takes as long as the story wants. */
typedef struct
{
  GTlsDatabase parent_instance;

  GTask *pending;
  gboolean is_asked;
} WaveringDatabase;

typedef GTlsDatabaseClass WaveringDatabaseClass;

static GType wavering_database_get_type (void);

G_DEFINE_TYPE (WaveringDatabase, wavering_database, G_TYPE_TLS_DATABASE)

static GTlsCertificateFlags
find_a_fault (GTlsDatabase *database,
              GTlsCertificate *chain,
              const char *purpose,
              GSocketConnectable *identity,
              GTlsInteraction *interaction,
              GTlsDatabaseVerifyFlags flags,
              GCancellable *cancellable,
              GError **error)
{
  return G_TLS_CERTIFICATE_UNKNOWN_CA;
}

static void
take_its_time (GTlsDatabase *database,
               GTlsCertificate *chain,
               const char *purpose,
               GSocketConnectable *identity,
               GTlsInteraction *interaction,
               GTlsDatabaseVerifyFlags flags,
               GCancellable *cancellable,
               GAsyncReadyCallback callback,
               gpointer user_data)
{
  WaveringDatabase *self = (WaveringDatabase *) database;

  g_assert_null (self->pending);
  self->pending = g_task_new (database, cancellable, callback, user_data);
  self->is_asked = TRUE;
}

static GTlsCertificateFlags
find_none (GTlsDatabase *database, GAsyncResult *result, GError **error)
{
  return (GTlsCertificateFlags) g_task_propagate_int (G_TASK (result), error);
}

static void
wavering_database_class_init (WaveringDatabaseClass *class)
{
  class->verify_chain = find_a_fault;
  class->verify_chain_async = take_its_time;
  class->verify_chain_finish = find_none;
}

static void
wavering_database_init (WaveringDatabase *self)
{
}

static gboolean
accept (GTlsConnection *connection, GTlsCertificate *certificate, GTlsCertificateFlags faults, gpointer data)
{
  return TRUE;
}

static void
first_verdict_counts (void)
{
  g_autoptr (TestServer) server = test_server_new (&(TestServerOptions){ .only_tls13 = TRUE });
  g_autoptr (StubStore) store = stub_store_new ();
  g_autoptr (GTlsSessionHelper) helper = prepare (server);
  WaveringDatabase *database = g_object_new (wavering_database_get_type (), NULL);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) awaited = NULL;
  g_autoptr (GError) error = NULL;

  use_store (helper, store);
  g_tls_connection_set_database (client_connection (helper), (GTlsDatabase *) database);
  g_signal_connect (client_connection (helper), "accept-certificate", G_CALLBACK (accept), NULL);

  g_tls_connection_handshake_async (client_connection (helper), G_PRIORITY_DEFAULT, NULL, client_keep_result, &result);
  client_run_until (&database->is_asked);
  client_handshake (helper); /* asks for a verdict of its own, and has it at once: accepted by hand */
  g_task_return_int (database->pending, 0);
  g_clear_object (&database->pending);
  awaited = client_await (&result);
  g_assert_true (g_tls_connection_handshake_finish (client_connection (helper), awaited, &error));
  g_assert_no_error (error);

  g_assert_cmpint (g_tls_connection_get_peer_certificate_errors (client_connection (helper)), ==,
                   G_TLS_CERTIFICATE_UNKNOWN_CA);
  client_exchange (helper, "hello"); /* the tickets come */
  g_assert_cmpuint (store->n_puts, ==, 0);
  client_close (helper);
  g_object_unref (database);
}

static gboolean
count_call (GObject *stream, gpointer data)
{
  ++*(guint *) data;
  return G_SOURCE_REMOVE;
}

static gboolean
set_true (gpointer place)
{
  *(gboolean *) place = TRUE;
  return G_SOURCE_REMOVE;
}

/* How often poll() comes back. */
static guint
count_rounds_in (guint ms)
{
  gboolean is_over = FALSE;
  guint n_rounds = 0;

  for (g_timeout_add (ms, set_true, &is_over); !is_over; n_rounds++)
    g_main_context_iteration (NULL, TRUE);
  return n_rounds;
}

static void
hang_up (GTlsSessionHelper *helper)
{
  g_autoptr (GIOStream) base = NULL;
  g_autoptr (GError) error = NULL;

  g_object_get (client_connection (helper), "base-io-stream", &base, NULL);
  g_socket_shutdown (g_socket_connection_get_socket (G_SOCKET_CONNECTION (base)), TRUE, TRUE, &error);
  g_assert_no_error (error);
}

/* poll() tells of a hang-up whatever it was asked for, and there is nothing to be done about it before the verdict. */
static void
hang_up_before_the_verdict_keeps_nobody_busy (void)
{
  g_autoptr (TestServer) server = test_server_new (&(TestServerOptions){ .only_tls13 = TRUE });
  g_autoptr (GTlsSessionHelper) helper = prepare (server);
  WaveringDatabase *database = g_object_new (wavering_database_get_type (), NULL);
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (client_connection (helper)));
  g_autoptr (GSource) reader = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) awaited = NULL;
  guint n_calls = 0;

  g_tls_connection_set_database (client_connection (helper), (GTlsDatabase *) database);
  g_tls_connection_handshake_async (client_connection (helper), G_PRIORITY_DEFAULT, NULL, client_keep_result, &result);
  client_run_until (&database->is_asked);
  reader = g_pollable_input_stream_create_source (G_POLLABLE_INPUT_STREAM (input), NULL);
  g_source_set_callback (reader, (GSourceFunc) (void (*) (void)) count_call, &n_calls, NULL);
  g_source_attach (reader, NULL);

  hang_up (helper);
  g_assert_cmpuint (count_rounds_in (100), <, 20);
  g_assert_cmpuint (n_calls, ==, 0);

  g_task_return_int (database->pending, 0);
  g_clear_object (&database->pending);
  awaited = client_await (&result);
  g_assert_false (g_tls_connection_handshake_finish (client_connection (helper), awaited, NULL));
  while (n_calls == 0)
    g_main_context_iteration (NULL, TRUE);
  g_object_unref (database);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/late-verdict/first_verdict_counts", first_verdict_counts);
  g_test_add_func ("/late-verdict/hang_up_before_the_verdict_keeps_nobody_busy",
                   hang_up_before_the_verdict_keeps_nobody_busy);

  return g_test_run ();
}
