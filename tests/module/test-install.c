/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* g_tls_session_backend_install(). GIO chooses its backend once, so each story is told in a process of its own, which
 * sets its environment before GIO looks at it.
 */

#include <string.h>

#include "client.h"

typedef void (*Story) (void);

static void
install (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (g_tls_session_backend_install (&error));
  g_assert_no_error (error);
}

static void
assert_is_backend (void)
{
  GTlsBackend *backend = g_tls_backend_get_default ();

  g_assert_true (G_TLS_SESSION_IS_BACKEND (backend));
  g_assert_true (g_tls_backend_supports_tls (backend));
  g_assert_false (g_tls_backend_supports_dtls (backend));
  g_assert_true (g_tls_backend_get_certificate_type (backend) == G_TLS_SESSION_TYPE_CERTIFICATE);
  g_assert_true (g_tls_backend_get_client_connection_type (backend) == G_TLS_SESSION_TYPE_CLIENT_CONNECTION);
  g_assert_true (g_tls_backend_get_server_connection_type (backend) == G_TLS_SESSION_TYPE_SERVER_CONNECTION);
  g_assert_true (g_tls_backend_get_file_database_type (backend) == G_TLS_SESSION_TYPE_FILE_DATABASE);
}

static void
assert_exists (void)
{
  GTlsBackend *chosen = g_tls_backend_get_default ();
  g_autoptr (GError) error = NULL;

  g_assert_false (G_TLS_SESSION_IS_BACKEND (chosen));
  g_assert_false (g_tls_session_backend_install (&error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_nonnull (strstr (error->message, G_OBJECT_TYPE_NAME (chosen)));
  g_assert_true (g_tls_backend_get_default () == chosen);
}

static void
put_no_others_in_reach (void)
{
  g_setenv ("GIO_MODULE_DIR", g_getenv ("NO_MODULES_DIR"), TRUE);
}

static void
put_module_in_reach (void)
{
  g_setenv ("GIO_EXTRA_MODULES", g_getenv ("MODULE_DIR"), TRUE);
}

/* The stories */

static void
goes_before_others (void)
{
  install ();
  assert_is_backend ();
}

static void
does_without_others (void)
{
  put_no_others_in_reach ();
  install ();
  assert_is_backend ();
}

static void
may_be_called_twice (void)
{
  install ();
  install ();
  assert_is_backend ();
}

static void
goes_with_the_module_too (void)
{
  put_module_in_reach ();
  install ();
  assert_is_backend ();
}

static void
goes_with_the_module_chosen_too (void)
{
  put_module_in_reach ();
  g_setenv ("GIO_USE_TLS", "gtls-session", TRUE);
  install ();
  assert_is_backend ();
}

static void
comes_too_late_for_a_choice_made (void)
{
  g_tls_backend_get_default ();
  assert_exists ();
}

static void
comes_too_late_for_a_choice_of_none (void)
{
  put_no_others_in_reach ();
  g_tls_backend_get_default ();
  assert_exists ();
}

static void
leaves_the_environments_choice (void)
{
  g_autoptr (GError) error = NULL;

  g_setenv ("GIO_USE_TLS", "gnutls", TRUE);
  g_assert_false (g_tls_session_backend_install (&error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  assert_exists ();
}

static void
default_database_is_the_systems (void)
{
  g_autoptr (GTlsDatabase) database = NULL;
  g_autoptr (GTlsSessionDatabase) system = NULL;

  install ();
  database = g_tls_backend_get_default_database (g_tls_backend_get_default ());
  system = g_tls_session_database_get_system (NULL);
  g_assert_true (database == G_TLS_DATABASE (system));
}

static void
gios_constructors_make_ours (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GIOStream) tcp = client_connect_tcp (server);
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsCertificate) certificate = NULL;
  g_autoptr (GTlsDatabase) database = NULL;
  g_autoptr (GIOStream) as_client = NULL;
  g_autoptr (GIOStream) as_server = NULL;

  install ();
  certificate = g_tls_certificate_new_from_file (test_server_get_ca_path (server), &error);
  g_assert_no_error (error);
  g_assert_true (G_TLS_SESSION_IS_CERTIFICATE (certificate));
  database = g_tls_file_database_new (test_server_get_ca_path (server), &error);
  g_assert_no_error (error);
  g_assert_true (G_TLS_SESSION_IS_FILE_DATABASE (database));
  as_client = g_tls_client_connection_new (tcp, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (G_TLS_SESSION_IS_CLIENT_CONNECTION (as_client));
  as_server = g_tls_server_connection_new (tcp, certificate, &error);
  g_assert_no_error (error);
  g_assert_true (G_TLS_SESSION_IS_SERVER_CONNECTION (as_server));
}

typedef struct
{
  GTlsDatabase *database;
  GTlsSessionHelper *source; /* nullable */
  GTlsSessionHelper *helper; /* what came of it */
} Wish;

static void
on_event (GSocketClient *client,
          GSocketClientEvent event,
          GSocketConnectable *connectable,
          GIOStream *stream,
          gpointer data)
{
  Wish *wish = data;
  g_autoptr (GError) error = NULL;

  if (event != G_SOCKET_CLIENT_TLS_HANDSHAKING)
    return;

  g_assert_true (G_TLS_SESSION_IS_CLIENT_CONNECTION (stream));
  g_tls_connection_set_database (G_TLS_CONNECTION (stream), wish->database);
  wish->helper = g_tls_session_helper_new (G_TLS_CLIENT_CONNECTION (stream));
  if (wish->source != NULL)
    {
      g_tls_session_helper_copy_session_state (wish->helper, wish->source, &error);
      g_assert_no_error (error);
    }
}

/* The connection is the helper's in the end. */
static GTlsSessionHelper *
connect_with_socket_client (TestServer *server, GTlsSessionHelper *source)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) connection = NULL;
  g_autoptr (GTlsDatabase) database = NULL;
  g_autoptr (GError) error = NULL;
  Wish wish = { .source = source };

  database = g_tls_file_database_new (test_server_get_ca_path (server), &error);
  g_assert_no_error (error);
  wish.database = database;
  g_socket_client_set_tls (client, TRUE);
  g_signal_connect (client, "event", G_CALLBACK (on_event), &wish);
  connection = g_socket_client_connect_to_host (client, "localhost", test_server_get_port (server), NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (wish.helper);
  client_exchange (wish.helper, "hello");
  return wish.helper;
}

static void
socket_client_resumes_through_the_helper (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) first = NULL;
  g_autoptr (GTlsSessionHelper) second = NULL;

  install ();
  first = connect_with_socket_client (server, NULL);
  g_assert_cmpint (g_tls_session_helper_get_resumption (first), ==, G_TLS_SESSION_RESUMPTION_NONE);
  second = connect_with_socket_client (server, first);
  g_assert_cmpint (g_tls_session_helper_get_resumption (second), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
  g_assert_cmpuint (test_server_count_resumed (server), ==, 1);
}

static const struct
{
  const char *path;
  Story story;
} stories[] = {
#define STORY(name) \
  { \
    "/install/" #name, name \
  }
  STORY (goes_before_others),
  STORY (does_without_others),
  STORY (may_be_called_twice),
  STORY (goes_with_the_module_too),
  STORY (goes_with_the_module_chosen_too),
  STORY (comes_too_late_for_a_choice_made),
  STORY (comes_too_late_for_a_choice_of_none),
  STORY (leaves_the_environments_choice),
  STORY (default_database_is_the_systems),
  STORY (gios_constructors_make_ours),
  STORY (socket_client_resumes_through_the_helper),
};

static void
tell_in_own_process (gconstpointer data)
{
  Story story = (Story) data;

  if (g_test_subprocess ())
    {
      story ();
      return;
    }

  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
  g_test_trap_assert_passed ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_unsetenv ("GIO_USE_TLS");
  g_unsetenv ("GIO_MODULE_DIR");
  g_unsetenv ("GIO_EXTRA_MODULES");
  for (guint i = 0; i < G_N_ELEMENTS (stories); i++)
    g_test_add_data_func (stories[i].path, (gconstpointer) stories[i].story, tell_in_own_process);
  return g_test_run ();
}
