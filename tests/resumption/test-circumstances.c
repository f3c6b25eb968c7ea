/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connection/circumstances.h"

#include <string.h>

/* What this process remembers of the tickets that were kept, for explain(). */

#define REMEMBERED_MAX 1024
#define STORE "a store"

static void
keep_one_of (const char *server)
{
  g_auto (GTlsSessionCircumstances) circumstances = { 0 };

  circumstances.server = g_strdup (server);
  circumstances.application_protocols = g_strdup ("");
  circumstances.certificate = g_strdup ("none");
  circumstances.database = g_strdup ("x");
  circumstances.bounds = g_strdup ("from any to any");
  g_tls_session_circumstances_note_kept (&circumstances, STORE);
}

static gboolean
is_remembered (const char *server)
{
  g_auto (GTlsSessionCircumstances) circumstances = { 0 };
  g_autofree char *clause = NULL;

  circumstances.server = g_strdup (server);
  circumstances.application_protocols = g_strdup ("h2");
  clause = g_tls_session_circumstances_explain_none (&circumstances, STORE);
  return strstr (clause, "for other application protocols (none) only") != NULL;
}

/* A client that talks to ever new servers does not grow. */
static void
servers_are_remembered_up_to_a_number (void)
{
  keep_one_of ("first");
  g_assert_true (is_remembered ("first"));
  for (guint i = 0; i < REMEMBERED_MAX; i++)
    {
      g_autofree char *server = g_strdup_printf ("server%u", i);

      keep_one_of (server);
      g_assert_true (is_remembered (server));
    }
  g_assert_false (is_remembered ("first"));
  g_assert_false (is_remembered ("stranger"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/circumstances/servers_are_remembered_up_to_a_number", servers_are_remembered_up_to_a_number);
  return g_test_run ();
}
