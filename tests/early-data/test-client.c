/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <gio/gnetworking.h>
#include <openssl/ssl.h>

#include "early-client.h"

/* What becomes of a client's early data: accepted, refused and sent again, sent late, or a failure that says so. The
 * server's record tells that they arrived once.
 */

#define PERMITTED 16384
#define EARLY "early bird. "
#define REST "rest"

static void
accepted (EarlyWay way)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionTicket) ticket = early_get_ticket (server);
  g_autoptr (GTlsSessionHelper) helper = early_prepare (server);

  g_assert_cmpuint (g_tls_session_ticket_get_max_early_data (ticket), ==, PERMITTED);
  early_set (helper, ticket, EARLY, strlen (EARLY));
  early_go (helper, way);
  early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_ACCEPTED);
  early_assert_explains (helper, "The 12 bytes of early data were accepted");
  g_assert_cmpint (g_tls_session_helper_get_resumption (helper), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
  client_close (helper);
  early_assert_arrived (server, 1, EARLY, REST);
}

static void
refused (EarlyWay way)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionTicket) ticket = early_get_ticket (server);
  g_autoptr (GTlsSessionHelper) helper = NULL;

  early_server_set_max_early_data (server, 0);
  helper = early_prepare (server);
  early_set (helper, ticket, EARLY, strlen (EARLY));
  early_go (helper, way);
  early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_RESENT);
  early_assert_explains (helper, "early data were sent with the first flight, refused, and sent again");
  client_close (helper);
  early_assert_arrived (server, 1, NULL, EARLY REST);
  g_assert_cmpint (early_server_get_record (server, 1)->openssl_status, ==, SSL_EARLY_DATA_REJECTED);
}

static void
not_permitted (EarlyWay way)
{
  g_autoptr (EarlyServer) server = early_server_new (0);
  g_autoptr (GTlsSessionTicket) ticket = early_get_ticket (server);
  g_autoptr (GTlsSessionHelper) helper = NULL;

  early_server_set_max_early_data (server, PERMITTED);
  helper = early_prepare (server);
  early_set (helper, ticket, EARLY, strlen (EARLY));
  early_go (helper, way);
  early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_DEFERRED);
  early_assert_explains (helper, "the server's ticket does not permit early data");
  client_close (helper);
  early_assert_arrived (server, 1, NULL, EARLY REST);
  g_assert_cmpint (early_server_get_record (server, 1)->openssl_status, ==, SSL_EARLY_DATA_NOT_SENT);
}

static void
are_accepted (gconstpointer way)
{
  accepted (GPOINTER_TO_UINT (way));
}

static void
are_sent_again_when_refused (gconstpointer way)
{
  refused (GPOINTER_TO_UINT (way));
}

static void
are_sent_late_when_not_permitted (gconstpointer way)
{
  not_permitted (GPOINTER_TO_UINT (way));
}

static void
are_sent_late_without_a_session (void)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionHelper) helper = early_prepare (server);

  early_set (helper, NULL, EARLY, strlen (EARLY));
  early_go (helper, EARLY_WAY_HANDSHAKE);
  early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_DEFERRED);
  early_assert_explains (helper, "no session was offered");
  client_close (helper);
  early_assert_arrived (server, 0, NULL, EARLY REST);
}

static void
go_with_a_session_from_the_store (void)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionMemoryStore) store = g_tls_session_memory_store_new ();

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GTlsSessionHelper) helper = early_prepare (server);
      g_autoptr (GTlsSessionTicket) ticket = NULL;

      g_object_set (client_connection (helper), "session-store", store, "session-resumption-enabled", TRUE, NULL);
      early_set (helper, NULL, EARLY, strlen (EARLY));
      early_go (helper, EARLY_WAY_HANDSHAKE);
      early_assert_status (helper, i == 0 ? G_TLS_SESSION_EARLY_DATA_STATUS_DEFERRED
                                          : G_TLS_SESSION_EARLY_DATA_STATUS_ACCEPTED);
      ticket = g_tls_session_helper_wait_for_ticket (helper, TICKET_TIMEOUT, NULL, NULL);
      g_assert_nonnull (ticket);
      client_close (helper);
    }
  early_assert_arrived (server, 0, NULL, EARLY REST);
  early_assert_arrived (server, 1, EARLY, REST);
}

/* Why servers refuse */

static void
assert_resent (EarlyServer *server, GTlsSessionTicket *ticket, guint index)
{
  g_autoptr (GTlsSessionHelper) helper = early_prepare (server);

  early_set (helper, ticket, EARLY, strlen (EARLY));
  early_go (helper, EARLY_WAY_HANDSHAKE);
  early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_RESENT);
  client_close (helper);
  early_assert_arrived (server, index, NULL, EARLY REST);
}

static void
are_sent_again_when_keys_are_lost (void)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionTicket) ticket = early_get_ticket (server);

  early_server_lose_keys (server);
  assert_resent (server, ticket, 1);
}

/* The first hello has used the ticket up, so that the second is not resumed. */
static void
are_sent_again_when_a_second_hello_is_wanted (void)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionTicket) ticket = early_get_ticket (server);

  early_server_set_group (server, "P-384");
  assert_resent (server, ticket, 1);
  g_assert_cmpint (early_server_get_record (server, 1)->openssl_status, ==, SSL_EARLY_DATA_REJECTED);
}

/* The ticket's, not the application protocol that is first now, is the one the data are for. */
static void
are_sent_late_for_another_protocol (void)
{
  const char *one[] = { "one", NULL };
  const char *both[] = { "two", "one", NULL };
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GTlsSessionHelper) helper = NULL;

  early_server_set_alpn (server, "one");
  ticket = early_get_ticket_with (server, one);
  g_assert_cmpstr (g_tls_session_ticket_get_application_protocol (ticket), ==, "one");
  early_server_set_alpn (server, "two");

  helper = early_prepare (server);
  g_tls_connection_set_advertised_protocols (client_connection (helper), both);
  early_set (helper, ticket, EARLY, strlen (EARLY));
  early_go (helper, EARLY_WAY_HANDSHAKE);
  early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_DEFERRED);
  early_assert_explains (helper, "the ticket is for the application protocol one");
  client_close (helper);
  early_assert_arrived (server, 1, NULL, EARLY REST);
}

static void
are_accepted_for_the_same_protocol (void)
{
  const char *protocols[] = { "one", "two", NULL };
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GTlsSessionHelper) helper = NULL;

  early_server_set_alpn (server, "one");
  ticket = early_get_ticket_with (server, protocols);

  helper = early_prepare (server);
  g_tls_connection_set_advertised_protocols (client_connection (helper), protocols);
  early_set (helper, ticket, EARLY, strlen (EARLY));
  early_go (helper, EARLY_WAY_HANDSHAKE);
  early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_ACCEPTED);
  client_close (helper);
  early_assert_arrived (server, 1, EARLY, REST);
}

/* Failures */

/* RFC 8446, section 4.2.10: they must not be sent again under another protocol. */
static void
fail_when_another_protocol_is_chosen (gconstpointer was_refused)
{
  const char *one[] = { "one", NULL };
  const char *both[] = { "one", "two", NULL };
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GTlsSessionHelper) helper = NULL;

  early_server_set_alpn (server, "one");
  ticket = early_get_ticket_with (server, one);
  early_server_set_alpn (server, "two");

  helper = early_prepare (server);
  g_tls_connection_set_advertised_protocols (client_connection (helper), both);
  early_set (helper, was_refused != NULL ? ticket : NULL, EARLY, strlen (EARLY));
  early_fail (helper, "they are for one, and localhost chose two");
  early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_UNSENT);
  g_io_stream_close (G_IO_STREAM (client_connection (helper)), NULL, NULL);
  g_assert_cmpuint (early_server_get_record (server, 1)->stream->len, ==, 0);
  g_assert_null (early_server_get_record (server, 1)->early_data);
}

static void
are_sent_late_with_tls_1_2 (void)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GTlsSessionHelper) helper = NULL;

  early_server_set_maximum (server, G_TLS_PROTOCOL_VERSION_TLS_1_2);
  ticket = early_get_ticket (server);
  helper = early_prepare (server);
  early_set (helper, ticket, EARLY, strlen (EARLY));
  early_go (helper, EARLY_WAY_HANDSHAKE);
  early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_DEFERRED);
  g_assert_cmpint (g_tls_session_helper_get_resumption (helper), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
  client_close (helper);
  early_assert_arrived (server, 1, NULL, EARLY REST);
}

/* Amounts */

static char *
make_text (gsize size)
{
  char *text = g_malloc (size + 1);

  for (gsize i = 0; i < size; i++)
    text[i] = (char) ('a' + i % 23);
  text[size] = '\0';
  return text;
}

static void
larger_than_permitted_are_sent_late (void)
{
  g_autoptr (EarlyServer) server = early_server_new (100);
  g_autoptr (GTlsSessionTicket) ticket = early_get_ticket (server);
  g_autoptr (GTlsSessionHelper) helper = early_prepare (server);
  g_autofree char *text = make_text (101);
  g_autofree char *stream = g_strconcat (text, REST, NULL);

  early_set (helper, ticket, text, strlen (text));
  early_go (helper, EARLY_WAY_HANDSHAKE);
  early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_DEFERRED);
  early_assert_explains (helper, "they are 101 bytes, and the server's ticket permits 100");
  client_close (helper);
  early_assert_arrived (server, 1, NULL, stream);
}

/* The transport takes little at a time, so that every step has to wait. */
static void
shrink_buffer (GTlsSessionHelper *helper)
{
  g_autoptr (GIOStream) base = NULL;
  g_autoptr (GError) error = NULL;

  g_object_get (client_connection (helper), "base-io-stream", &base, NULL);
  g_socket_set_option (g_socket_connection_get_socket (G_SOCKET_CONNECTION (base)), SOL_SOCKET, SO_SNDBUF, 4096,
                       &error);
  g_assert_no_error (error);
}

static void
as_many_as_permitted (EarlyWay way, gboolean is_accepted)
{
  const gsize most = 1024 * 1024;
  g_autoptr (EarlyServer) server = early_server_new (most);
  g_autoptr (GTlsSessionTicket) ticket = early_get_ticket (server);
  g_autoptr (GTlsSessionHelper) helper = NULL;
  g_autofree char *text = make_text (most);
  g_autofree char *stream = g_strconcat (text, REST, NULL);

  if (!is_accepted)
    early_server_set_max_early_data (server, 0);
  helper = early_prepare (server);
  shrink_buffer (helper);
  early_set (helper, ticket, text, most);
  early_go (helper, way);
  early_assert_status (helper,
                       is_accepted ? G_TLS_SESSION_EARLY_DATA_STATUS_ACCEPTED : G_TLS_SESSION_EARLY_DATA_STATUS_RESENT);
  client_close (helper);
  early_assert_arrived (server, 1, is_accepted ? text : NULL, is_accepted ? REST : stream);
}

static void
many_are_accepted (gconstpointer way)
{
  as_many_as_permitted (GPOINTER_TO_UINT (way), TRUE);
}

static void
many_are_sent_again (gconstpointer way)
{
  as_many_as_permitted (GPOINTER_TO_UINT (way), FALSE);
}

/* Giving up */

typedef struct
{
  GSocketListener *listener;
  GCancellable *cancel; /* NULL: the connection is reset instead */
  guint16 port;
} Deaf;

/* Reads something of the first flight, then gives the client up, or has it give up. */
static gpointer
hear_and_end (gpointer data)
{
  Deaf *deaf = data;
  g_autoptr (GSocketConnection) tcp = g_socket_listener_accept (deaf->listener, NULL, NULL, NULL);
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (tcp));
  char byte;

  g_assert_cmpint (g_input_stream_read (input, &byte, 1, NULL, NULL), ==, 1);
  if (deaf->cancel == NULL)
    return NULL;

  g_cancellable_cancel (deaf->cancel);
  while (g_input_stream_read (input, &byte, 1, NULL, NULL) > 0)
    ;
  return NULL;
}

static void
deaf_init (Deaf *deaf)
{
  deaf->listener = g_socket_listener_new ();
  deaf->port = early_listen_on_loopback (deaf->listener);
}

static void
are_uncertain_when_given_up (void)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionTicket) ticket = early_get_ticket (server);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GTlsSessionHelper) helper = NULL;
  g_autoptr (GError) error = NULL;
  Deaf deaf = { .cancel = cancellable };
  GThread *thread;

  deaf_init (&deaf);
  thread = g_thread_new ("deaf", hear_and_end, &deaf);
  helper = client_prepare_to (deaf.port, test_pki_get_ca_path (early_server_get_pki (server)));
  early_set (helper, ticket, EARLY, strlen (EARLY));
  g_assert_false (g_tls_connection_handshake (client_connection (helper), cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_PENDING); /* it can still go on */
  g_io_stream_close (G_IO_STREAM (client_connection (helper)), NULL, NULL);
  early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_UNCERTAIN);
  early_assert_explains (helper, "may have arrived");
  g_thread_join (thread);
  g_object_unref (deaf.listener);
}

static void
are_uncertain_when_cut_off (void)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionTicket) ticket = early_get_ticket (server);
  g_autoptr (GTlsSessionHelper) helper = NULL;
  Deaf deaf = { .cancel = NULL };
  GThread *thread;

  deaf_init (&deaf);
  thread = g_thread_new ("deaf", hear_and_end, &deaf);
  helper = client_prepare_to (deaf.port, test_pki_get_ca_path (early_server_get_pki (server)));
  early_set (helper, ticket, EARLY, strlen (EARLY));
  early_fail (helper, "early data had been sent and may have arrived");
  early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_UNCERTAIN);
  g_thread_join (thread);
  g_object_unref (deaf.listener);
}

static void
are_unsent_when_closed_before (void)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionHelper) helper = early_prepare (server);

  early_set (helper, NULL, EARLY, strlen (EARLY));
  client_close (helper);
  early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_UNSENT);
}

/* The property */

static void
count_changes (GObject *helper, GParamSpec *pspec, gpointer data)
{
  guint *changes = data;

  (*changes)++;
}

static void
can_be_set_until_the_handshake_begins (void)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionHelper) helper = early_prepare (server);
  g_autoptr (GBytes) nothing = g_bytes_new (NULL, 0);
  g_autoptr (GBytes) set = NULL;
  g_autoptr (GError) error = NULL;
  guint changes = 0;

  g_signal_connect (helper, "notify::early-data-status", G_CALLBACK (count_changes), &changes);
  early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_NONE);
  early_set (helper, NULL, EARLY, strlen (EARLY));
  set = g_tls_session_helper_get_early_data (helper);
  g_assert_cmpmem (g_bytes_get_data (set, NULL), g_bytes_get_size (set), EARLY, strlen (EARLY));

  g_assert_true (g_tls_session_helper_set_early_data (helper, nothing, NULL));
  early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_NONE);
  g_assert_null (g_tls_session_helper_get_early_data (helper));

  early_set (helper, NULL, EARLY, strlen (EARLY));
  g_assert_cmpuint (changes, ==, 3);
  early_go (helper, EARLY_WAY_HANDSHAKE);
  g_assert_cmpuint (changes, ==, 4);
  g_assert_null (g_tls_session_helper_get_early_data (helper));
  g_assert_false (g_tls_session_helper_set_early_data (helper, set, &error));
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_TOO_LATE);
  client_close (helper);
  early_assert_arrived (server, 0, NULL, EARLY REST);
}

static void
add_for_each_way (const char *name, GTestDataFunc story)
{
  for (guint way = 0; way < EARLY_N_WAYS; way++)
    {
      g_autofree char *path = g_strdup_printf ("/early-data/%s/%s", early_way_names[way], name);

      g_test_add_data_func (path, GUINT_TO_POINTER (way), story);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  add_for_each_way ("are_accepted", are_accepted);
  add_for_each_way ("are_sent_again_when_refused", are_sent_again_when_refused);
  add_for_each_way ("are_sent_late_when_not_permitted", are_sent_late_when_not_permitted);
  add_for_each_way ("many_are_accepted", many_are_accepted);
  add_for_each_way ("many_are_sent_again", many_are_sent_again);
  g_test_add_func ("/early-data/are_sent_late_without_a_session", are_sent_late_without_a_session);
  g_test_add_func ("/early-data/go_with_a_session_from_the_store", go_with_a_session_from_the_store);
  g_test_add_func ("/early-data/are_sent_again_when_keys_are_lost", are_sent_again_when_keys_are_lost);
  g_test_add_func ("/early-data/are_sent_again_when_a_second_hello_is_wanted",
                   are_sent_again_when_a_second_hello_is_wanted);
  g_test_add_func ("/early-data/are_sent_late_for_another_protocol", are_sent_late_for_another_protocol);
  g_test_add_func ("/early-data/are_accepted_for_the_same_protocol", are_accepted_for_the_same_protocol);
  g_test_add_data_func ("/early-data/fail_when_another_protocol_is_chosen/refused", GINT_TO_POINTER (TRUE),
                        fail_when_another_protocol_is_chosen);
  g_test_add_data_func ("/early-data/fail_when_another_protocol_is_chosen/late", NULL,
                        fail_when_another_protocol_is_chosen);
  g_test_add_func ("/early-data/are_sent_late_with_tls_1_2", are_sent_late_with_tls_1_2);
  g_test_add_func ("/early-data/larger_than_permitted_are_sent_late", larger_than_permitted_are_sent_late);
  g_test_add_func ("/early-data/are_uncertain_when_given_up", are_uncertain_when_given_up);
  g_test_add_func ("/early-data/are_uncertain_when_cut_off", are_uncertain_when_cut_off);
  g_test_add_func ("/early-data/are_unsent_when_closed_before", are_unsent_when_closed_before);
  g_test_add_func ("/early-data/can_be_set_until_the_handshake_begins", can_be_set_until_the_handshake_begins);

  return g_test_run ();
}
