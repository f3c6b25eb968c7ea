/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A ticket stays with the circumstances that its session began in, whichever way it goes: what the server has of the
 * client of then must not become another connection's.
 */

#include "../client.h"
#include "stub-store.h"
#include "visits.h"

static const TestServerOptions one_ticket = { .only_tls13 = TRUE, .n_tickets = 1 };
static const TestServerOptions tls12 = { .only_tls12 = TRUE };

/* The session is that of who showed the certificate, also when it goes on by hand on a connection that has none. */
static void
ticket_given_by_hand_takes_no_certificate_along (gconstpointer options)
{
  g_autoptr (TestServer) server = test_server_new (options);
  g_autoptr (GTlsSessionHelper) source = prepare_with_certificate (server, TEST_CERTIFICATE_GOOD);
  GTlsSessionHelper *by_hand = prepare (server);

  forget_all ();
  client_exchange (source, "hello");
  g_assert_true (g_tls_session_helper_copy_session_state (by_hand, source, NULL));
  g_assert_cmpint (visit_with (by_hand), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
  client_close (source);

  g_assert_cmpint (visit (server), ==, G_TLS_SESSION_RESUMPTION_NONE);
}

static void
ticket_from_bytes_leads_to_none_that_is_kept (void)
{
  g_autoptr (TestServer) server = test_server_new (&one_ticket);
  g_autoptr (GTlsSessionHelper) source = prepare_with_certificate (server, TEST_CERTIFICATE_GOOD);
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GTlsSessionTicket) copy = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  GTlsSessionHelper *by_hand = prepare (server);

  client_exchange (source, "hello");
  ticket = g_tls_session_helper_get_ticket (source);
  bytes = g_tls_session_ticket_to_bytes (ticket);
  copy = g_tls_session_ticket_new_from_bytes (bytes, &error);
  g_assert_no_error (error);
  client_close (source);

  forget_all ();
  g_assert_true (g_tls_session_helper_set_ticket (by_hand, copy, NULL));
  g_assert_cmpint (visit_with (by_hand), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
  g_assert_cmpuint (count_kept_peers (), ==, 0);
}

/* What is received on a connection that goes on with its like is its like's to use. */
static void
ticket_given_by_hand_to_its_like_goes_on (void)
{
  g_autoptr (TestServer) server = test_server_new (&one_ticket);
  g_autoptr (GTlsSessionHelper) source = prepare (server);
  GTlsSessionHelper *by_hand = prepare (server);

  forget_all ();
  client_exchange (source, "hello");
  g_assert_true (g_tls_session_helper_copy_session_state (by_hand, source, NULL));
  g_assert_cmpuint (count_kept_peers (), ==, 0);
  g_assert_cmpint (visit_with (by_hand), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
  client_close (source);

  g_assert_cmpint (visit (server), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
}

/* A session that was refused is over; the one that begins is the connection's own. */
static void
refused_ticket_leaves_no_trace (void)
{
  g_autoptr (TestServer) server = test_server_new (&one_ticket);
  g_autoptr (GTlsSessionHelper) source = prepare_with_certificate (server, TEST_CERTIFICATE_GOOD);
  GTlsSessionHelper *by_hand;

  client_exchange (source, "hello");
  test_server_lose_keys (server);
  by_hand = prepare (server);
  g_assert_true (g_tls_session_helper_copy_session_state (by_hand, source, NULL));
  client_close (source);

  forget_all ();
  g_assert_cmpint (visit_with (by_hand), ==, G_TLS_SESSION_RESUMPTION_REFUSED);
  g_assert_cmpint (visit (server), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
}

/* With TLS 1.3 tickets come after the handshake, when the program may have other plans for the connection. */
static void
settings_made_after_the_handshake_change_nothing (void)
{
  g_autoptr (TestServer) server = test_server_new (&one_ticket);
  GTlsSessionHelper *helper = prepare_with_certificate (server, TEST_CERTIFICATE_GOOD);

  forget_all ();
  client_handshake (helper);
  g_object_set (client_connection (helper), "certificate", NULL, NULL);
  g_assert_cmpint (visit_with (helper), ==, G_TLS_SESSION_RESUMPTION_NONE);

  g_assert_cmpint (visit (server), ==, G_TLS_SESSION_RESUMPTION_NONE);
  forget_all ();
  helper = prepare_with_certificate (server, TEST_CERTIFICATE_GOOD);
  client_handshake (helper);
  g_object_set (client_connection (helper), "certificate", NULL, NULL);
  g_assert_cmpint (visit_with (helper), ==, G_TLS_SESSION_RESUMPTION_NONE);
  g_assert_cmpint (visit_with (prepare_with_certificate (server, TEST_CERTIFICATE_GOOD)), ==,
                   G_TLS_SESSION_RESUMPTION_RESUMED);
}

/* A store that gives everybody what it has. */
static void
mix_up_keys (StubStore *store)
{
  g_autoptr (GTlsSessionTicket) ticket = NULL;

  if (store->data == NULL)
    return;
  ticket = g_tls_session_store_take (G_TLS_SESSION_STORE (store->inner), store->data, NULL);
  if (ticket != NULL)
    g_tls_session_store_put (G_TLS_SESSION_STORE (store->inner), store->last_key, ticket, NULL);
}

static void
ticket_under_another_key_is_not_offered (void)
{
  g_autoptr (TestServer) server = test_server_new (&one_ticket);
  g_autoptr (StubStore) store = stub_store_new ();
  g_autoptr (GTlsSessionHelper) anonymous = prepare (server);
  g_autofree char *first_key = NULL;
  GTlsSessionHelper *first = prepare_with_certificate (server, TEST_CERTIFICATE_GOOD);

  use_store (first, store);
  visit_with (first);
  g_assert_cmpuint (store->n_puts, ==, 1);
  first_key = g_strdup (store->last_key);

  store->data = first_key;
  store->on_call = mix_up_keys;
  use_store (anonymous, store);
  client_handshake (anonymous);
  g_assert_cmpint (g_tls_session_helper_get_resumption (anonymous), ==, G_TLS_SESSION_RESUMPTION_NONE);
  assert_explains (anonymous, "is of a connection in other circumstances");
  client_close (anonymous);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_data_func ("/home/tls1.3/ticket_given_by_hand_takes_no_certificate_along", &one_ticket,
                        ticket_given_by_hand_takes_no_certificate_along);
  g_test_add_data_func ("/home/tls1.2/ticket_given_by_hand_takes_no_certificate_along", &tls12,
                        ticket_given_by_hand_takes_no_certificate_along);
  g_test_add_func ("/home/ticket_from_bytes_leads_to_none_that_is_kept", ticket_from_bytes_leads_to_none_that_is_kept);
  g_test_add_func ("/home/ticket_given_by_hand_to_its_like_goes_on", ticket_given_by_hand_to_its_like_goes_on);
  g_test_add_func ("/home/refused_ticket_leaves_no_trace", refused_ticket_leaves_no_trace);
  g_test_add_func ("/home/settings_made_after_the_handshake_change_nothing",
                   settings_made_after_the_handshake_change_nothing);
  g_test_add_func ("/home/ticket_under_another_key_is_not_offered", ticket_under_another_key_is_not_offered);

  return g_test_run ();
}
