/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a ticket tells, when it can be used, and what it survives. */

#include "handshake.h"
#include "ticket/gtls-session-error.h"
#include "ticket/ticket-private.h"

#include <string.h>
#include <time.h>

#include <openssl/err.h>

#define TOLERANCE 60 /* s, as documented for is_usable() */
#define WEEK 604800

typedef void (*Story) (HandshakeKind kind);

static void
tell_of_each_kind (Story story)
{
  for (HandshakeKind kind = 0; kind < N_HANDSHAKE_KINDS; kind++)
    {
      g_test_message ("%s", handshake_kind_name (kind));
      ERR_raise (ERR_LIB_USER, ERR_R_INTERNAL_ERROR); /* somebody else's, from before */
      story (kind);
      g_assert_cmpuint (ERR_peek_error (), ==, 0);
    }
}

static gint64
now (void)
{
  return time (NULL);
}

/* A ticket of a session that looks as if it had been received @age seconds ago. */
static GTlsSessionTicket *
ticket_of_age (Pair *pair, gint64 age)
{
  SSL_SESSION *session = pair_get_session (pair);

  g_assert_cmpint (SSL_SESSION_set_time (session, (long) (now () - age)), !=, 0);
  return g_tls_session_ticket_new (session, NULL, HANDSHAKE_HOST, FALSE);
}

/* Connects once, so that the pair has a session. */
static Pair *
pair_with_session (HandshakeKind kind)
{
  Pair *pair = pair_new (kind);
  g_autoptr (Link) link = link_new (pair, NULL);

  g_assert_false (SSL_session_reused (link->client));
  return pair;
}

static gboolean
resumes (Pair *pair, GTlsSessionTicket *ticket)
{
  SSL_SESSION *session = g_tls_session_ticket_dup_session (ticket);
  g_autoptr (Link) link = link_new (pair, session);

  SSL_SESSION_free (session);
  g_assert_cmpint (SSL_session_reused (link->client), ==, SSL_session_reused (link->server));
  return SSL_session_reused (link->client);
}

/* What it tells */

static const GTlsProtocolVersion versions[] = {
  G_TLS_PROTOCOL_VERSION_TLS_1_3,
  G_TLS_PROTOCOL_VERSION_TLS_1_2,
  G_TLS_PROTOCOL_VERSION_TLS_1_2,
};

static const char *const ciphersuites[] = {
  "TLS_AES_256_GCM_SHA384",
  "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
  "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
};

/* A session id comes without a lifetime: OpenSSL's default stands in. */
static const guint lifetimes[] = { HANDSHAKE_LIFETIME, HANDSHAKE_LIFETIME, 7200 };

static void
tell_facts (HandshakeKind kind)
{
  g_autoptr (Pair) pair = pair_new (kind);
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (Link) link = NULL;
  gint64 received;

  pair_set_application_protocol (pair, HANDSHAKE_PROTOCOL);
  link = link_new (pair, NULL);
  ticket = g_tls_session_ticket_new (pair_get_session (pair), link_get_chain (link), HANDSHAKE_HOST, FALSE);
  received = g_date_time_to_unix (g_tls_session_ticket_get_received (ticket));

  g_assert_cmpint (g_tls_session_ticket_get_protocol_version (ticket), ==, versions[kind]);
  g_assert_cmpstr (g_tls_session_ticket_get_ciphersuite_name (ticket), ==, ciphersuites[kind]);
  g_assert_cmpstr (g_tls_session_ticket_get_server_name (ticket), ==, HANDSHAKE_HOST);
  g_assert_cmpstr (g_tls_session_ticket_get_application_protocol (ticket), ==, HANDSHAKE_PROTOCOL);
  g_assert_cmpint (received, >=, now () - 10);
  g_assert_cmpint (received, <=, now ());
  g_assert_cmpuint (g_tls_session_ticket_get_lifetime (ticket), ==, lifetimes[kind]);
  g_assert_cmpint (g_date_time_to_unix (g_tls_session_ticket_get_expires (ticket)), ==, received + lifetimes[kind]);
  g_assert_cmpint (g_date_time_get_utc_offset (g_tls_session_ticket_get_expires (ticket)), ==, 0);
  g_assert_cmpuint (g_tls_session_ticket_get_max_early_data (ticket), ==, 0);
  g_assert_cmpint (g_tls_session_ticket_get_single_use (ticket), ==, kind == HANDSHAKE_TLS_1_3);
  g_assert_true (g_tls_session_ticket_is_usable (ticket));
}

static void
tells_the_facts (void)
{
  tell_of_each_kind (tell_facts);
}

static void
tell_absences (HandshakeKind kind)
{
  g_autoptr (Pair) pair = pair_with_session (kind);
  g_autoptr (GTlsSessionTicket) ticket = g_tls_session_ticket_new (pair_get_session (pair), NULL, NULL, FALSE);

  g_assert_null (g_tls_session_ticket_get_server_name (ticket));
  g_assert_null (g_tls_session_ticket_get_application_protocol (ticket));
  g_assert_null (g_tls_session_ticket_get_chain (ticket));
  g_assert_true (g_tls_session_ticket_is_usable (ticket));
}

static void
tells_what_is_absent (void)
{
  tell_of_each_kind (tell_absences);
}

static void
tells_the_same_as_properties (void)
{
  g_autoptr (Pair) pair = pair_new (HANDSHAKE_TLS_1_3);
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GDateTime) received = NULL, expires = NULL;
  g_autofree char *cipher = NULL, *server = NULL, *protocol = NULL, *id = NULL;
  GTlsProtocolVersion version;
  guint lifetime, max_early_data;
  gboolean single_use;

  pair_set_application_protocol (pair, HANDSHAKE_PROTOCOL);
  pair_set_early_data (pair, 4096);
  link_free (link_new (pair, NULL));
  ticket = g_tls_session_ticket_new (pair_get_session (pair), NULL, HANDSHAKE_HOST, FALSE);

  g_object_get (ticket, "protocol-version", &version, "ciphersuite-name", &cipher, "server-name", &server,
                "application-protocol", &protocol, "received", &received, "expires", &expires, "lifetime", &lifetime,
                "max-early-data", &max_early_data, "single-use", &single_use, "id", &id, NULL);

  g_assert_cmpint (version, ==, G_TLS_PROTOCOL_VERSION_TLS_1_3);
  g_assert_cmpstr (cipher, ==, g_tls_session_ticket_get_ciphersuite_name (ticket));
  g_assert_cmpstr (server, ==, HANDSHAKE_HOST);
  g_assert_cmpstr (protocol, ==, HANDSHAKE_PROTOCOL);
  g_assert_true (g_date_time_equal (received, g_tls_session_ticket_get_received (ticket)));
  g_assert_true (g_date_time_equal (expires, g_tls_session_ticket_get_expires (ticket)));
  g_assert_cmpuint (lifetime, ==, HANDSHAKE_LIFETIME);
  g_assert_cmpuint (max_early_data, ==, 4096);
  g_assert_cmpuint (g_tls_session_ticket_get_max_early_data (ticket), ==, 4096);
  g_assert_true (single_use);
  g_assert_cmpstr (id, ==, g_tls_session_ticket_get_id (ticket));
}

static void
has_an_id_for_logs (void)
{
  g_autoptr (Pair) pair = pair_with_session (HANDSHAKE_TLS_1_3);
  g_autoptr (GTlsSessionTicket) first = g_tls_session_ticket_new (pair->sessions->pdata[0], NULL, NULL, FALSE);
  g_autoptr (GTlsSessionTicket) again = g_tls_session_ticket_new (pair->sessions->pdata[0], NULL, "other", TRUE);
  g_autoptr (GTlsSessionTicket) second = g_tls_session_ticket_new (pair->sessions->pdata[1], NULL, NULL, FALSE);
  const char *id = g_tls_session_ticket_get_id (first);

  g_assert_cmpuint (strlen (id), ==, 16);
  g_assert_cmpuint (strspn (id, "0123456789abcdef"), ==, 16);
  g_assert_cmpstr (id, ==, g_tls_session_ticket_get_id (again));
  g_assert_cmpstr (id, !=, g_tls_session_ticket_get_id (second));
}

static void
keeps_the_chain (void)
{
  g_autoptr (Pair) pair = pair_new (HANDSHAKE_TLS_1_3);
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  Link *link = link_new (pair, NULL);
  X509 *leaf = SSL_SESSION_get0_peer (pair_get_session (pair));

  ticket = g_tls_session_ticket_new (pair_get_session (pair), link_get_chain (link), HANDSHAKE_HOST, FALSE);
  link_free (link);

  g_assert_cmpint (sk_X509_num (g_tls_session_ticket_get_chain (ticket)), ==, 2);
  g_assert_cmpint (X509_cmp (sk_X509_value (g_tls_session_ticket_get_chain (ticket), 0), leaf), ==, 0);
}

static void
takes_an_empty_chain_for_none (void)
{
  g_autoptr (Pair) pair = pair_with_session (HANDSHAKE_TLS_1_3);
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  STACK_OF (X509) *chain = sk_X509_new_null ();

  ticket = g_tls_session_ticket_new (pair_get_session (pair), chain, HANDSHAKE_HOST, FALSE);
  sk_X509_free (chain);
  g_assert_null (g_tls_session_ticket_get_chain (ticket));
}

static void
remembers_who_accepted_it (void)
{
  g_autoptr (Pair) pair = pair_with_session (HANDSHAKE_TLS_1_3);
  g_autoptr (GTlsSessionTicket) by_hand = g_tls_session_ticket_new (pair_get_session (pair), NULL, NULL, TRUE);
  g_autoptr (GTlsSessionTicket) verified = g_tls_session_ticket_new (pair_get_session (pair), NULL, NULL, FALSE);

  g_assert_true (g_tls_session_ticket_was_accepted_by_hand (by_hand));
  g_assert_false (g_tls_session_ticket_was_accepted_by_hand (verified));
}

/* Lifetime */

static void
end_lifetime (HandshakeKind kind)
{
  g_autoptr (Pair) pair = pair_with_session (kind);
  g_autoptr (GTlsSessionTicket) ending = ticket_of_age (pair, (gint64) lifetimes[kind] - 5);
  g_autoptr (GTlsSessionTicket) over = ticket_of_age (pair, lifetimes[kind]);

  g_assert_true (g_tls_session_ticket_is_usable (ending));
  g_assert_nonnull (over);
  g_assert_false (g_tls_session_ticket_is_usable (over));
}

static void
is_not_usable_after_its_lifetime (void)
{
  tell_of_each_kind (end_lifetime);
}

static void
lives_a_week_at_most (void)
{
  g_autoptr (Pair) pair = pair_new (HANDSHAKE_TLS_1_2_TICKET);
  g_autoptr (GTlsSessionTicket) ticket = NULL;

  pair_set_lifetime (pair, 4 * WEEK);
  link_free (link_new (pair, NULL));
  ticket = g_tls_session_ticket_new (pair_get_session (pair), NULL, NULL, FALSE);

  g_assert_cmpuint (SSL_SESSION_get_ticket_lifetime_hint (pair_get_session (pair)), ==, 4 * WEEK);
  g_assert_cmpuint (g_tls_session_ticket_get_lifetime (ticket), ==, WEEK);
}

static void
lives_a_week_at_most_without_a_hint (void)
{
  g_autoptr (Pair) pair = pair_with_session (HANDSHAKE_TLS_1_2_SESSION_ID);
  g_autoptr (GTlsSessionTicket) ticket = NULL;

  SSL_SESSION_set_timeout (pair_get_session (pair), 4 * WEEK);
  ticket = g_tls_session_ticket_new (pair_get_session (pair), NULL, NULL, FALSE);
  g_assert_cmpuint (g_tls_session_ticket_get_lifetime (ticket), ==, WEEK);
}

/* A copy of @session whose server gave a lifetime of 0: there is no setter, so in DER ([9], an INTEGER). */
static SSL_SESSION *
without_lifetime (SSL_SESSION *session)
{
  static const guint8 hundred[] = { 0xa9, 0x03, 0x02, 0x01, 100 };
  g_autofree guint8 *der = NULL;
  int length = i2d_SSL_SESSION (session, NULL);
  const guint8 *start;
  guint8 *end, *place;

  der = end = g_malloc (length);
  g_assert_cmpint (i2d_SSL_SESSION (session, &end), ==, length);
  place = find_bytes (der, length, hundred, sizeof hundred);
  g_assert_nonnull (place);
  place[4] = 0;

  start = der;
  session = d2i_SSL_SESSION (NULL, &start, length);
  g_assert_cmpuint (SSL_SESSION_get_ticket_lifetime_hint (session), ==, 0);
  return session;
}

static GTlsSessionTicket *
ticket_without_lifetime (HandshakeKind kind)
{
  g_autoptr (Pair) pair = pair_new (kind);
  GTlsSessionTicket *ticket;
  SSL_SESSION *session;

  pair_set_lifetime (pair, 100);
  link_free (link_new (pair, NULL));
  session = without_lifetime (pair_get_session (pair));
  ticket = g_tls_session_ticket_new (session, NULL, NULL, FALSE);
  SSL_SESSION_free (session);
  return ticket;
}

static void
a_lifetime_of_zero_means_none_in_tls_1_3 (void)
{
  g_assert_null (ticket_without_lifetime (HANDSHAKE_TLS_1_3));
}

static void
a_lifetime_of_zero_means_unsaid_in_tls_1_2 (void)
{
  g_autoptr (GTlsSessionTicket) ticket = ticket_without_lifetime (HANDSHAKE_TLS_1_2_TICKET);

  g_assert_cmpuint (g_tls_session_ticket_get_lifetime (ticket), ==, 7200);
}

/* The clock was set back. */
static void
is_not_usable_from_the_future (void)
{
  g_autoptr (Pair) pair = pair_with_session (HANDSHAKE_TLS_1_3);
  g_autoptr (GTlsSessionTicket) ticket = ticket_of_age (pair, -TOLERANCE - 10);

  g_assert_nonnull (ticket);
  g_assert_false (g_tls_session_ticket_is_usable (ticket));
}

static void
resumes_from_the_near_future (void)
{
  g_autoptr (Pair) pair = pair_with_session (HANDSHAKE_TLS_1_3);
  g_autoptr (GTlsSessionTicket) ticket = ticket_of_age (pair, -TOLERANCE + 30);

  g_assert_true (g_tls_session_ticket_is_usable (ticket));
  g_assert_true (resumes (pair, ticket));
}

/* The exact clock turns some milliseconds before the one that OpenSSL reads. */
static void
resumes_from_the_near_future_when_a_second_turns (void)
{
  g_autoptr (Pair) pair = pair_with_session (HANDSHAKE_TLS_1_3);
  g_autoptr (GTlsSessionTicket) ticket = ticket_of_age (pair, -TOLERANCE + 30);
  gint64 turn = (g_get_real_time () / G_USEC_PER_SEC + 1) * G_USEC_PER_SEC;

  g_usleep ((gulong) MAX (turn - g_get_real_time () - 2000, 0));
  while (g_get_real_time () < turn)
    ;
  g_assert_true (resumes (pair, ticket));
}

/* Sessions that cannot serve */

static void
needs_a_resumable_session (void)
{
  SSL_SESSION *blank = SSL_SESSION_new ();

  g_assert_null (g_tls_session_ticket_new (blank, NULL, HANDSHAKE_HOST, FALSE));
  SSL_SESSION_free (blank);
}

/* Before a ticket arrived, TLS 1.3 has nothing to resume by. */
static void
needs_a_ticket_in_tls_1_3 (void)
{
  g_autoptr (Pair) pair = pair_new (HANDSHAKE_TLS_1_3);
  g_autoptr (Link) link = NULL;

  SSL_CTX_set_num_tickets (pair->server_context, 0);
  link = link_new (pair, NULL);
  g_assert_null (g_tls_session_ticket_new (SSL_get_session (link->client), NULL, HANDSHAKE_HOST, FALSE));
}

static void
needs_a_sound_server_name (void)
{
  static const char *const unsound[] = { "", "a\nb", "a\x7f", "\xff\xfe" };
  g_autoptr (Pair) pair = pair_with_session (HANDSHAKE_TLS_1_3);
  g_autofree char *longest = g_strnfill (255, 'a'), *too_long = g_strnfill (256, 'a');
  g_autoptr (GTlsSessionTicket) ticket = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (unsound); i++)
    g_assert_null (g_tls_session_ticket_new (pair_get_session (pair), NULL, unsound[i], FALSE));

  g_assert_null (g_tls_session_ticket_new (pair_get_session (pair), NULL, too_long, FALSE));
  ticket = g_tls_session_ticket_new (pair_get_session (pair), NULL, longest, FALSE);
  g_assert_cmpstr (g_tls_session_ticket_get_server_name (ticket), ==, longest);
}

static void
is_blank_when_made_by_hand (void)
{
  g_autoptr (GTlsSessionTicket) ticket = g_object_new (G_TLS_SESSION_TYPE_TICKET, NULL);

  g_assert_false (g_tls_session_ticket_is_usable (ticket));
  g_assert_cmpint (g_tls_session_ticket_get_protocol_version (ticket), ==, G_TLS_PROTOCOL_VERSION_UNKNOWN);
  g_assert_null (g_tls_session_ticket_get_id (ticket));

  g_test_expect_message ("GTlsSession", G_LOG_LEVEL_CRITICAL, "*session != NULL*");
  g_assert_null (g_tls_session_ticket_to_bytes (ticket));
  g_test_expect_message ("GTlsSession", G_LOG_LEVEL_CRITICAL, "*session != NULL*");
  g_assert_null (g_tls_session_ticket_dup_session (ticket));
  g_test_assert_expected_messages ();
}

/* What it survives */

static void
survive_its_connection (HandshakeKind kind)
{
  g_autoptr (Pair) pair = pair_new (kind);
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  Link *link = link_new (pair, NULL);
  SSL_SESSION *original = SSL_get1_session (link->client);

  ticket = g_tls_session_ticket_new (original, link_get_chain (link), HANDSHAKE_HOST, FALSE);
  link_free_rudely (link);

  g_assert_false (SSL_SESSION_is_resumable (original)); /* that much OpenSSL does, and no more */
  g_assert_null (g_tls_session_ticket_new (original, NULL, HANDSHAKE_HOST, FALSE));
  SSL_SESSION_free (original);

  g_assert_true (g_tls_session_ticket_is_usable (ticket));
  if (kind != HANDSHAKE_TLS_1_2_SESSION_ID) /* there the server forgot it, too */
    g_assert_true (resumes (pair, ticket));
}

static void
survives_the_failure_of_its_connection (void)
{
  tell_of_each_kind (survive_its_connection);
}

static void
survive_its_user (HandshakeKind kind)
{
  g_autoptr (Pair) pair = pair_with_session (kind);
  g_autoptr (GTlsSessionTicket) ticket = ticket_of_age (pair, 1);
  SSL_SESSION *session = g_tls_session_ticket_dup_session (ticket);
  Link *link = link_new (pair, session);

  g_assert_true (SSL_session_reused (link->client));
  SSL_CTX_remove_session (pair->client_context, session); /* as OpenSSL does on a fatal alert */
  g_assert_false (SSL_SESSION_is_resumable (session));
  SSL_SESSION_free (session);
  link_free (link);

  g_assert_true (g_tls_session_ticket_is_usable (ticket));
  g_assert_true (resumes (pair, ticket));
}

static void
survives_the_failure_of_a_connection_that_offered_it (void)
{
  tell_of_each_kind (survive_its_user);
}

static void
a_refusal_is_only_a_full_handshake (void)
{
  g_autoptr (Pair) pair = pair_with_session (HANDSHAKE_TLS_1_3);
  g_autoptr (Pair) stranger = pair_new (HANDSHAKE_TLS_1_3);
  g_autoptr (GTlsSessionTicket) ticket = ticket_of_age (pair, 1);

  g_assert_false (resumes (stranger, ticket));
  g_assert_true (resumes (pair, ticket));
}

/* Threads */

#define THREADS 4
#define ROUNDS 500

static gpointer
use_it (gpointer data)
{
  GTlsSessionTicket *ticket = data;

  for (int i = 0; i < ROUNDS; i++)
    {
      g_autoptr (GBytes) bytes = g_tls_session_ticket_to_bytes (ticket);
      SSL_SESSION *session = g_tls_session_ticket_dup_session (ticket);

      g_assert_cmpuint (g_bytes_get_size (bytes), >, 0);
      g_assert_true (g_tls_session_ticket_is_usable (ticket));
      g_tls_session_ticket_add_use (ticket);
      SSL_SESSION_free (session);
    }

  return NULL;
}

static void
serves_many_threads (void)
{
  g_autoptr (Pair) pair = pair_with_session (HANDSHAKE_TLS_1_3);
  g_autoptr (GTlsSessionTicket) ticket = ticket_of_age (pair, 1);
  GThread *threads[THREADS];

  g_assert_cmpuint (g_tls_session_ticket_get_uses (ticket), ==, 0);
  for (int i = 0; i < THREADS; i++)
    threads[i] = g_thread_new ("user", use_it, ticket);
  for (int i = 0; i < THREADS; i++)
    g_thread_join (threads[i]);

  g_assert_cmpuint (g_tls_session_ticket_get_uses (ticket), ==, THREADS * ROUNDS);
}

/* Errors */

static void
errors_have_names (void)
{
  static const char *const nicks[] = { "no-ticket",         "expired",     "source-not-ready", "too-late",
                                       "identity-mismatch", "unsupported", "bad-data",         "store" };
  g_autoptr (GEnumClass) class = g_type_class_ref (G_TLS_SESSION_TYPE_ERROR);

  g_assert_cmpstr (g_quark_to_string (G_TLS_SESSION_ERROR), ==, "g-tls-session-error-quark");
  g_assert_cmpuint (class->n_values, ==, G_N_ELEMENTS (nicks));
  for (guint i = 0; i < class->n_values; i++)
    {
      g_assert_cmpint (class->values[i].value, ==, i);
      g_assert_cmpstr (class->values[i].value_nick, ==, nicks[i]);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define STORY(name) g_test_add_func ("/ticket/" #name, name)
  STORY (tells_the_facts);
  STORY (tells_what_is_absent);
  STORY (tells_the_same_as_properties);
  STORY (has_an_id_for_logs);
  STORY (keeps_the_chain);
  STORY (takes_an_empty_chain_for_none);
  STORY (remembers_who_accepted_it);
  STORY (is_not_usable_after_its_lifetime);
  STORY (lives_a_week_at_most);
  STORY (lives_a_week_at_most_without_a_hint);
  STORY (a_lifetime_of_zero_means_none_in_tls_1_3);
  STORY (a_lifetime_of_zero_means_unsaid_in_tls_1_2);
  STORY (is_not_usable_from_the_future);
  STORY (resumes_from_the_near_future);
  STORY (resumes_from_the_near_future_when_a_second_turns);
  STORY (needs_a_resumable_session);
  STORY (needs_a_ticket_in_tls_1_3);
  STORY (needs_a_sound_server_name);
  STORY (is_blank_when_made_by_hand);
  STORY (survives_the_failure_of_its_connection);
  STORY (survives_the_failure_of_a_connection_that_offered_it);
  STORY (a_refusal_is_only_a_full_handshake);
  STORY (serves_many_threads);
  STORY (errors_have_names);

  return g_test_run ();
}
