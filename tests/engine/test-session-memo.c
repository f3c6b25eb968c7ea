/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/session-memo.h"

#include "forge.h"

/* What a server's session remembers beside what OpenSSL keeps of it, and what is made of a memo that is not sound. */

static void
session_without_a_memo_is_too_old (void)
{
  SSL_SESSION *session = SSL_SESSION_new ();

  g_assert_false (g_tls_session_memo_exists (session));
  g_assert_cmpint (g_tls_session_memo_get_age (session), ==, G_MAXINT64);
  g_assert_null (g_tls_session_memo_load_chain (session));

  g_assert_cmpint (SSL_SESSION_set1_ticket_appdata (session, "short", 5), ==, 1);
  g_assert_false (g_tls_session_memo_exists (session));
  g_assert_cmpint (g_tls_session_memo_get_age (session), ==, G_MAXINT64);
  SSL_SESSION_free (session);
}

static void
chain_comes_back_whole (void)
{
  g_autoptr (Family) family = family_new ();
  STACK_OF (X509) *chain = stack_of (family->leaf->x509, family->intermediate->x509, NULL);
  SSL_SESSION *session = SSL_SESSION_new ();
  STACK_OF (X509) *loaded;

  g_assert_true (g_tls_session_memo_store (session, chain));
  g_assert_true (g_tls_session_memo_exists (session));
  g_assert_cmpint (g_tls_session_memo_get_age (session), <=, 60);
  loaded = g_tls_session_memo_load_chain (session);
  g_assert_cmpint (sk_X509_num (loaded), ==, 2);
  for (int i = 0; i < 2; i++)
    g_assert_cmpint (X509_cmp (sk_X509_value (loaded, i), sk_X509_value (chain, i)), ==, 0);

  sk_X509_pop_free (loaded, X509_free);
  sk_X509_pop_free (chain, X509_free);
  SSL_SESSION_free (session);
}

/* A chain that lost its end would be another one, and might be judged well. */
static void
chain_that_breaks_off_is_none (void)
{
  g_autoptr (Family) family = family_new ();
  STACK_OF (X509) *chain = stack_of (family->leaf->x509, family->intermediate->x509, NULL);
  SSL_SESSION *session = SSL_SESSION_new ();
  g_autofree guint8 *copy = NULL;
  void *memo = NULL;
  size_t length = 0;

  g_assert_true (g_tls_session_memo_store (session, chain));
  g_assert_cmpint (SSL_SESSION_get0_ticket_appdata (session, &memo, &length), ==, 1);
  copy = g_memdup2 (memo, length);
  g_assert_cmpint (SSL_SESSION_set1_ticket_appdata (session, copy, length - 1), ==, 1);
  g_assert_true (g_tls_session_memo_exists (session));
  g_assert_null (g_tls_session_memo_load_chain (session));

  sk_X509_pop_free (chain, X509_free);
  SSL_SESSION_free (session);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define STORY(name) g_test_add_func ("/session-memo/" #name, name)
  STORY (session_without_a_memo_is_too_old);
  STORY (chain_comes_back_whole);
  STORY (chain_that_breaks_off_is_none);
  return g_test_run ();
}
