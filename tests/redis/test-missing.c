/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* In a build without hiredis. */

#include <gtls-session.h>

static void
says_that_it_was_built_without_hiredis (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (g_tls_session_redis_store_new ("redis://localhost", NULL, &error));
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_UNSUPPORTED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/redis/missing/says_that_it_was_built_without_hiredis", says_that_it_was_built_without_hiredis);

  return g_test_run ();
}
