/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "visits.h"

#include <string.h>

#include "../client.h"

/* Each test begins with an empty store of the process. */
void
forget_all (void)
{
  g_assert_true (g_tls_session_store_clear (G_TLS_SESSION_STORE (g_tls_session_memory_store_get_default ()), NULL));
}

guint
count_kept_peers (void)
{
  return g_tls_session_memory_store_get_n_peers (g_tls_session_memory_store_get_default ());
}

GTlsSessionHelper *
prepare_for (TestServer *server, const char *name)
{
  GTlsSessionHelper *helper = client_prepare_for (server, name);

  g_object_set (client_connection (helper), "session-resumption-enabled", TRUE, NULL);
  return helper;
}

GTlsSessionHelper *
prepare (TestServer *server)
{
  return prepare_for (server, "localhost");
}

void
use_store (GTlsSessionHelper *helper, gpointer store)
{
  g_object_set (client_connection (helper), "session-store", store, NULL);
}

/* Shakes hands, reads what the server sends, so that tickets arrive, and closes. Takes @helper. */
GTlsSessionResumption
visit_with (GTlsSessionHelper *helper)
{
  g_autoptr (GTlsSessionHelper) owned = helper;

  client_exchange (helper, "hello");
  client_close (helper);
  return g_tls_session_helper_get_resumption (helper);
}

GTlsSessionResumption
visit (TestServer *server)
{
  return visit_with (prepare (server));
}

void
assert_explains (GTlsSessionHelper *helper, const char *clause)
{
  g_autofree char *sentence = g_tls_session_helper_explain (helper);

  g_test_message ("%s", sentence);
  g_assert_nonnull (strstr (sentence, clause));
}

GTlsSessionHelper *
prepare_with_certificate (TestServer *server, TestCertificate which)
{
  GTlsSessionHelper *helper = prepare (server);
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionCertificate) certificate = g_tls_session_certificate_new_from_file (
    test_pki_get_path (test_server_get_pki (server), which), &error);

  g_assert_no_error (error);
  g_tls_connection_set_certificate (client_connection (helper), G_TLS_CERTIFICATE (certificate));
  return helper;
}
