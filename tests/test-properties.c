/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is set is there, under its property's name and by the function of that name. */

#include <gtls-session.h>

#include "client.h"

static void
assert_enum (gpointer object, const char *name, int expected)
{
  int value = -1;

  g_object_get (object, name, &value, NULL);
  g_assert_cmpint (value, ==, expected);
}

static void
assert_uint (gpointer object, const char *name, guint expected)
{
  guint value = expected + 1;

  g_object_get (object, name, &value, NULL);
  g_assert_cmpuint (value, ==, expected);
}

static void
assert_string (gpointer object, const char *name, const char *expected)
{
  g_autofree char *value = NULL;

  g_object_get (object, name, &value, NULL);
  g_assert_cmpstr (value, ==, expected);
}

static void
assert_object (gpointer object, const char *name, gpointer expected)
{
  g_autoptr (GObject) value = NULL;

  g_object_get (object, name, &value, NULL);
  g_assert_true (value == expected);
}

static void
assert_connection (gpointer object)
{
  GTlsSessionConnection *connection = G_TLS_SESSION_CONNECTION (object);

  assert_enum (connection, "minimum-protocol-version", G_TLS_PROTOCOL_VERSION_UNKNOWN);
  assert_enum (connection, "maximum-protocol-version", G_TLS_PROTOCOL_VERSION_UNKNOWN);
  assert_uint (connection, "close-timeout", 5000);

  g_tls_session_connection_set_minimum_protocol_version (connection, G_TLS_PROTOCOL_VERSION_TLS_1_2);
  g_tls_session_connection_set_maximum_protocol_version (connection, G_TLS_PROTOCOL_VERSION_TLS_1_3);
  g_tls_session_connection_set_close_timeout (connection, 7);
  assert_enum (connection, "minimum-protocol-version", G_TLS_PROTOCOL_VERSION_TLS_1_2);
  assert_enum (connection, "maximum-protocol-version", G_TLS_PROTOCOL_VERSION_TLS_1_3);
  assert_uint (connection, "close-timeout", 7);
  g_assert_cmpint (g_tls_session_connection_get_minimum_protocol_version (connection), ==,
                   G_TLS_PROTOCOL_VERSION_TLS_1_2);
  g_assert_cmpint (g_tls_session_connection_get_maximum_protocol_version (connection), ==,
                   G_TLS_PROTOCOL_VERSION_TLS_1_3);
  g_assert_cmpuint (g_tls_session_connection_get_close_timeout (connection), ==, 7);
  assert_enum (connection, "resumption", G_TLS_SESSION_RESUMPTION_NONE);
  assert_string (connection, "negotiated-protocol", NULL);
}

static void
client_connection_has_what_was_set (void)
{
  g_autoptr (GTlsSessionClientConnection) client = g_object_new (G_TLS_SESSION_TYPE_CLIENT_CONNECTION, NULL);
  g_autoptr (GTlsSessionStore) store = G_TLS_SESSION_STORE (g_tls_session_memory_store_new ());

  assert_connection (client);
  assert_object (client, "session-store", g_tls_session_memory_store_get_default ());
  g_assert_true (g_tls_session_client_connection_get_session_resumption_enabled (client));
  assert_enum (client, "early-data-status", G_TLS_SESSION_EARLY_DATA_STATUS_NONE);

  g_tls_session_client_connection_set_session_store (client, store);
  g_tls_session_client_connection_set_session_resumption_enabled (client, FALSE);
  assert_object (client, "session-store", store);
  g_assert_true (g_tls_session_client_connection_get_session_store (client) == store);
  g_assert_false (g_tls_session_client_connection_get_session_resumption_enabled (client));

  g_tls_session_client_connection_set_session_store (client, NULL);
  g_assert_null (g_tls_session_client_connection_get_session_store (client));
}

static void
server_connection_has_what_was_set (void)
{
  g_autoptr (GTlsSessionServerConnection) server = g_object_new (G_TLS_SESSION_TYPE_SERVER_CONNECTION, NULL);
  g_autoptr (GTlsSessionTicketKeys) keys = g_tls_session_ticket_keys_new (NULL);

  assert_connection (server);
  g_tls_session_server_connection_set_ticket_keys (server, keys);
  g_tls_session_server_connection_set_ticket_count (server, 3);
  assert_object (server, "ticket-keys", keys);
  assert_uint (server, "ticket-count", 3);
  g_assert_true (g_tls_session_server_connection_get_ticket_keys (server) == keys);
  g_assert_cmpuint (g_tls_session_server_connection_get_ticket_count (server), ==, 3);

  g_tls_session_ticket_keys_set_lifetime (keys, 60);
  assert_uint (keys, "lifetime", 60);
  g_assert_cmpuint (g_tls_session_ticket_keys_get_lifetime (keys), ==, 60);
}

static void
agreed_protocol_is_a_property (void)
{
  TestServerOptions options = { .alpn = "http/1.1" };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);

  g_tls_connection_set_advertised_protocols (client_connection (helper), (const char *[]){ "http/1.1", NULL });
  client_handshake (helper);
  assert_string (client_connection (helper), "negotiated-protocol", "http/1.1");
  client_close (helper);
}

static void
helper_has_what_its_connection_has (void)
{
  g_autoptr (GTlsSessionClientConnection) client = g_object_new (G_TLS_SESSION_TYPE_CLIENT_CONNECTION, NULL);
  g_autoptr (GTlsSessionHelper) helper = g_tls_session_helper_new (G_TLS_CLIENT_CONNECTION (client));
  g_autoptr (GBytes) early_data = g_bytes_new_static ("hello", 5);
  g_autoptr (GBytes) kept = NULL;

  assert_object (helper, "connection", client);
  assert_enum (helper, "resumption", G_TLS_SESSION_RESUMPTION_NONE);
  assert_enum (helper, "early-data-status", G_TLS_SESSION_EARLY_DATA_STATUS_NONE);

  g_assert_true (g_tls_session_helper_set_early_data (helper, early_data, NULL));
  g_object_get (helper, "early-data", &kept, NULL);
  g_assert_true (g_bytes_equal (kept, early_data));
  assert_enum (helper, "early-data-status", G_TLS_SESSION_EARLY_DATA_STATUS_PENDING);
  assert_enum (client, "early-data-status", G_TLS_SESSION_EARLY_DATA_STATUS_PENDING);
}

/* Without a server: it is asked for when the store is initialised. */
static void
redis_store_has_what_was_set (void)
{
  g_autoptr (GTlsSessionRedisStore)
    store = g_object_new (G_TLS_SESSION_TYPE_REDIS_STORE, "ca-file", "/ca.pem", "prefix", "mine", "time-limit", 1234u,
                          "max-age", 99u, "max-tickets-per-peer", 3u, NULL);

  assert_string (store, "ca-file", "/ca.pem");
  assert_string (store, "prefix", "mine");
  assert_uint (store, "time-limit", 1234);
  assert_uint (store, "max-age", 99);
  assert_uint (store, "max-tickets-per-peer", 3);
  g_assert_cmpstr (g_tls_session_redis_store_get_ca_file (store), ==, "/ca.pem");
  g_assert_cmpstr (g_tls_session_redis_store_get_prefix (store), ==, "mine");
  g_assert_cmpuint (g_tls_session_redis_store_get_time_limit (store), ==, 1234);
  g_assert_cmpuint (g_tls_session_redis_store_get_max_age (store), ==, 99);
  g_assert_cmpuint (g_tls_session_redis_store_get_max_tickets_per_peer (store), ==, 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/properties/client_connection_has_what_was_set", client_connection_has_what_was_set);
  g_test_add_func ("/properties/server_connection_has_what_was_set", server_connection_has_what_was_set);
  g_test_add_func ("/properties/agreed_protocol_is_a_property", agreed_protocol_is_a_property);
  g_test_add_func ("/properties/helper_has_what_its_connection_has", helper_has_what_its_connection_has);
  g_test_add_func ("/properties/redis_store_has_what_was_set", redis_store_has_what_was_set);
  return g_test_run ();
}
