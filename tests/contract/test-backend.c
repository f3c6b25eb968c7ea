/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Gio's own functions for backends and connections, with this library as the process's backend. */

#include "scene.h"

static void
this_library_is_the_backend (Scene *scene)
{
  GTlsBackend *backend = g_tls_backend_get_default ();

  g_assert_true (G_TLS_SESSION_IS_BACKEND (backend));
  g_assert_true (g_tls_backend_supports_tls (backend));
}

static void
its_types_are_the_backends (Scene *scene)
{
  GTlsBackend *backend = g_tls_backend_get_default ();

  g_assert_cmpuint (g_tls_backend_get_certificate_type (backend), ==, G_TLS_SESSION_TYPE_CERTIFICATE);
  g_assert_cmpuint (g_tls_backend_get_client_connection_type (backend), ==, G_TLS_SESSION_TYPE_CLIENT_CONNECTION);
  g_assert_cmpuint (g_tls_backend_get_server_connection_type (backend), ==, G_TLS_SESSION_TYPE_SERVER_CONNECTION);
  g_assert_cmpuint (g_tls_backend_get_file_database_type (backend), ==, G_TLS_SESSION_TYPE_FILE_DATABASE);
}

/* By Gio's names from end to end. */
static void
gio_makes_its_connections (Scene *scene)
{
  g_autoptr (GSocketConnectable) identity = g_network_address_new ("server.example.org", 443);
  g_autoptr (GTlsCertificate) certificate = g_object_ref (g_tls_connection_get_certificate (scene->server));
  g_autoptr (GSocketConnection) one = NULL;
  g_autoptr (GSocketConnection) other = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GIOStream) client = NULL;
  g_autoptr (GIOStream) server = NULL;
  g_autoptr (GSocketConnectable) kept_identity = NULL;

  scene_pair_of_sockets (&one, &other);
  client = g_tls_client_connection_new (G_IO_STREAM (one), identity, &error);
  g_assert_no_error (error);
  server = g_tls_server_connection_new (G_IO_STREAM (other), certificate, &error);
  g_assert_no_error (error);
  g_assert_true (G_TLS_SESSION_IS_CLIENT_CONNECTION (client));
  g_assert_true (G_TLS_SESSION_IS_SERVER_CONNECTION (server));
  g_object_get (client, "server-identity", &kept_identity, NULL);
  g_assert_true (kept_identity == identity);
  g_assert_true (g_tls_connection_get_certificate (G_TLS_CONNECTION (server)) == certificate);

  g_tls_connection_set_database (G_TLS_CONNECTION (client), scene->database);
  g_set_object (&scene->client, G_TLS_CONNECTION (client));
  g_set_object (&scene->server, G_TLS_CONNECTION (server));
  g_clear_object (&client);
  g_clear_object (&server);
  scene_shake_hands_well (scene);
  scene_talk (scene);
}

static void
streams_that_are_not_pollable_are_refused (Scene *scene)
{
  g_autoptr (GInputStream) input = g_memory_input_stream_new ();
  g_autoptr (GInputStream) buffered = g_buffered_input_stream_new (input);
  g_autoptr (GOutputStream) output = g_memory_output_stream_new_resizable ();
  g_autoptr (GIOStream) stream = g_simple_io_stream_new (buffered, output);
  g_autoptr (GError) error = NULL;

  g_assert_null (g_tls_client_connection_new (stream, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);
  g_assert_null (g_tls_server_connection_new (stream, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
}

static void
default_database_is_the_systems (Scene *scene)
{
  g_autoptr (GTlsSessionDatabase) system = g_tls_session_database_get_system (NULL);
  g_autoptr (GTlsDatabase) database = g_tls_backend_get_default_database (g_tls_backend_get_default ());

  g_assert_true (database == G_TLS_DATABASE (system));
}

static GTlsConnection *
new_connection (Scene *scene)
{
  g_autoptr (GSocketConnection) one = NULL;
  g_autoptr (GSocketConnection) other = NULL;
  g_autoptr (GError) error = NULL;
  GIOStream *client;

  scene_pair_of_sockets (&one, &other);
  client = g_tls_client_connection_new (G_IO_STREAM (one), NULL, &error);
  g_assert_no_error (error);
  return G_TLS_CONNECTION (client);
}

G_GNUC_BEGIN_IGNORE_DEPRECATIONS
static void
default_database_can_be_set (Scene *scene)
{
  GTlsBackend *backend = g_tls_backend_get_default ();
  g_autoptr (GTlsSessionDatabase) system = g_tls_session_database_get_system (NULL);
  g_autoptr (GTlsConnection) before = new_connection (scene);
  g_autoptr (GTlsConnection) during = NULL;
  g_autoptr (GTlsConnection) after = NULL;
  g_autoptr (GTlsDatabase) chosen = NULL;

  g_tls_backend_set_default_database (backend, scene->database);
  chosen = g_tls_backend_get_default_database (backend);
  g_assert_true (chosen == scene->database);
  during = new_connection (scene);
  g_assert_true (g_tls_connection_get_database (during) == scene->database);
  g_assert_true (g_tls_connection_get_use_system_certdb (during));
  g_assert_true (g_tls_connection_get_database (before) == G_TLS_DATABASE (system)); /* "are not modified" */
  g_tls_connection_set_use_system_certdb (before, TRUE);
  g_assert_true (g_tls_connection_get_database (before) == scene->database);

  g_tls_backend_set_default_database (backend, NULL);
  after = new_connection (scene);
  g_assert_true (g_tls_connection_get_database (after) == G_TLS_DATABASE (system));
}
G_GNUC_END_IGNORE_DEPRECATIONS

static void
dtls_is_not_there (Scene *scene)
{
  GTlsBackend *backend = g_tls_backend_get_default ();
  g_autoptr (GError) error = NULL;

  g_assert_false (g_tls_backend_supports_dtls (backend));
  g_assert_null (g_initable_new (g_tls_backend_get_dtls_client_connection_type (backend), NULL, &error, NULL));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_UNAVAILABLE);
  g_clear_error (&error);
  g_assert_null (g_initable_new (g_tls_backend_get_dtls_server_connection_type (backend), NULL, &error, NULL));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_UNAVAILABLE);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  g_test_init (&argc, &argv, NULL);
  g_tls_session_backend_install (&error);
  g_assert_no_error (error);

#define SINGLE(name) scene_add_single_story ("/contract/backend/" #name, name)
  SINGLE (this_library_is_the_backend);
  SINGLE (its_types_are_the_backends);
  scene_add_story ("/contract/backend/gio_makes_its_connections", gio_makes_its_connections);
  SINGLE (streams_that_are_not_pollable_are_refused);
  SINGLE (default_database_is_the_systems);
  SINGLE (default_database_can_be_set);
  SINGLE (dtls_is_not_there);

  return g_test_run ();
}
