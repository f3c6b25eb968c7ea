/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* SSLKEYLOGFILE is honoured, for who debugs; the file is the user's alone. */

#include <glib/gstdio.h>

#include "client.h"

static void
secrets_go_to_the_file_that_is_named (gconstpointer path)
{
  TestServerOptions options = { .only_tls13 = TRUE };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect (server);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  GStatBuf info;
  guint n_of_client = 0;

  client_exchange (helper, "hello");
  client_close (helper);

  g_assert_cmpint (g_stat (path, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 07777, ==, 0600);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_true (g_str_has_suffix (text, "\n"));
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; *lines[i] != '\0'; i++)
    {
      g_auto (GStrv) words = g_strsplit (lines[i], " ", -1);

      g_assert_cmpuint (g_strv_length (words), ==, 3); /* a label, the client's random in hex, the secret in hex */
      n_of_client += g_str_equal (words[0], "CLIENT_TRAFFIC_SECRET_0");
    }
  g_assert_cmpuint (n_of_client, ==, 1);
}

/* It is a debugger's wish, and no reason to have no connection. In a process of its own: the file is opened once. */
static void
file_that_cannot_be_made_is_told (gconstpointer path)
{
  TestServerOptions options = { .only_tls13 = TRUE };
  g_autoptr (TestServer) server = NULL;
  g_autoptr (GTlsSessionHelper) helper = NULL;

  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
      g_test_trap_assert_passed ();
      g_test_trap_assert_stderr ("*SSLKEYLOGFILE names /nonexistent/keys, which cannot be opened: *");
      return;
    }

  g_setenv ("SSLKEYLOGFILE", "/nonexistent/keys", TRUE);
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  server = test_server_new (&options);
  helper = client_connect (server);
  client_exchange (helper, "hello");
  client_close (helper);
}

int
main (int argc, char **argv)
{
  g_autofree char *directory = g_dir_make_tmp ("gtls-session-keylog-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (directory, "keys", NULL);
  int status;

  /* It is read when the first connection is made. The test server is OpenSSL's own and does not know it. */
  g_setenv ("SSLKEYLOGFILE", path, TRUE);
  g_test_init (&argc, &argv, NULL);

  g_test_add_data_func ("/keylog/secrets_go_to_the_file_that_is_named", path, secrets_go_to_the_file_that_is_named);
  g_test_add_data_func ("/keylog/file_that_cannot_be_made_is_told", path, file_that_cannot_be_made_is_told);

  status = g_test_run ();
  g_unlink (path);
  g_rmdir (directory);
  return status;
}
