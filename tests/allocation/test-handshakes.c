/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A connection's life while OpenSSL runs out of memory: handshakes of all kinds, application data, close. */

#include <openssl/ssl.h>

#include "conversation.h"
#include "engine/context.h"
#include "trial.h"
#include "trust/database-private.h"

static Papers *papers;
static GTlsSessionTicketKeys *keys;

static Parties
parties_of (GTlsProtocolVersion version)
{
  return (Parties){ .papers = papers, .database = papers->database, .keys = keys, .version = version };
}

/* What no lack of memory may change */

static gboolean
is_resumed (GTlsSessionResumption resumption)
{
  return resumption == G_TLS_SESSION_RESUMPTION_RESUMED;
}

static Outcome
outcome_of (const Conversation *self)
{
  /* Nobody is heard by somebody whom he has not judged. */
  if (self->client_opened)
    g_assert_cmpint (self->client_faults, ==, 0);
  if (self->client_heard)
    g_assert_true (self->client_opened && self->server_opened);
  if (self->client_opened && self->server_opened)
    g_assert_cmpint (is_resumed (self->client_resumption), ==, is_resumed (self->server_resumption));

  if (self->client_error != NULL || self->server_error != NULL)
    return OUTCOME_ERROR;
  g_assert_true (self->client_heard);
  return OUTCOME_SUCCESS;
}

static Outcome
converse (gpointer data)
{
  g_auto (Conversation) conversation = { 0 };

  conversation_hold (&conversation, data);
  return outcome_of (&conversation);
}

/* The same ticket each time, which is the server's to take or to refuse. */
static Outcome
converse_and_resume (gpointer data)
{
  g_auto (Conversation) conversation = { 0 };

  conversation_hold (&conversation, data);
  if (!allocator_has_failed ())
    g_assert_cmpint (conversation.client_resumption, ==, G_TLS_SESSION_RESUMPTION_RESUMED);
  return outcome_of (&conversation);
}

/* What could not go early goes at the beginning of what follows, or the connection fails. A server that permits early
 * data keeps the sessions of its tickets, so each case has keys of its own.
 */
static Outcome
converse_with_early_data (gpointer data)
{
  Parties parties = *(const Parties *) data;
  g_autoptr (GTlsSessionTicketKeys) own_keys = g_tls_session_ticket_keys_new (NULL);
  g_auto (Conversation) conversation = { 0 };

  if (own_keys == NULL)
    return OUTCOME_ERROR;

  parties.keys = own_keys;
  conversation_hold (&conversation, &parties);
  if (conversation.client_error == NULL && conversation.server_error == NULL)
    g_assert_cmpuint (conversation.server_heard_on, ==, g_bytes_get_size (parties.early_data));
  return outcome_of (&conversation);
}

static Outcome
converse_with_a_stranger (gpointer data)
{
  g_auto (Conversation) conversation = { 0 };

  conversation_hold (&conversation, data);
  g_assert_false (conversation.client_opened);
  g_assert_false (conversation.client_heard);
  g_assert_nonnull (conversation.client_error);
  return OUTCOME_ERROR;
}

static Outcome
converse_as_a_stranger (gpointer data)
{
  g_auto (Conversation) conversation = { 0 };

  conversation_hold (&conversation, data);
  g_assert_false (conversation.server_opened);
  g_assert_false (conversation.client_heard);
  return OUTCOME_ERROR;
}

/* The stories */

static GTlsProtocolVersion
version_of (gconstpointer data)
{
  return (GTlsProtocolVersion) GPOINTER_TO_INT (data);
}

static gboolean
is_tls13 (gconstpointer data)
{
  return version_of (data) == G_TLS_PROTOCOL_VERSION_TLS_1_3;
}

static void
full_handshake_fails_with_words_or_not_at_all (gconstpointer data)
{
  Parties parties = parties_of (version_of (data));

  trial_run (
    &(Story){ .name = "full handshake", .tell = converse, .data = &parties, .stride = is_tls13 (data) ? 3 : 7 });
}

/* Of a server that is trusted. A conversation leaves a thread of GLib's behind, and in what is forked from a process with
 * threads ThreadSanitizer sees nothing; so it is not held before the fork.
 */
static void
obtain_ticket (gpointer data)
{
  Parties *parties = data;
  Parties trusting = *parties;

  trusting.database = papers->database;
  parties->ticket = conversation_obtain_ticket (&trusting);
}

static void
resumed_handshake_fails_with_words_or_not_at_all (gconstpointer data)
{
  Parties parties = parties_of (version_of (data));

  trial_run (
    &(Story){ .name = "resumed handshake", .prepare = obtain_ticket, .tell = converse_and_resume, .data = &parties });
}

static void
stranger_is_never_trusted (gconstpointer data)
{
  Parties parties = parties_of (version_of (data));

  parties.database = papers->other_database;
  trial_run (&(Story){ .name = "untrusted server",
                       .tell = converse_with_a_stranger,
                       .data = &parties,
                       .stride = 7,
                       .whole = OUTCOME_ERROR });
}

static void
late_early_data_arrive_or_all_fails (void)
{
  g_autoptr (GBytes) hello = g_bytes_new_static ("hello", 5);
  Parties parties = parties_of (G_TLS_PROTOCOL_VERSION_TLS_1_3);

  parties.early_data = hello;
  trial_run (&(Story){ .name = "late early data", .tell = converse_with_early_data, .data = &parties, .stride = 11 });
}

/* A ticket of a time when its server was trusted. */
static void
stranger_is_never_trusted_for_a_ticket (gconstpointer data)
{
  Parties parties = parties_of (version_of (data));

  parties.database = papers->other_database;
  trial_run (&(Story){ .name = "untrusted server, resumed",
                       .prepare = obtain_ticket,
                       .tell = converse_with_a_stranger,
                       .data = &parties,
                       .whole = OUTCOME_ERROR });
}

static GTlsCertificate *
issue_for_client (const Forged *issuer)
{
  return papers_issue (&(Order){ .name = "Client", .extended_key_usage = "clientAuth" }, issuer);
}

static void
client_certificate_is_shown_or_all_fails (gconstpointer data)
{
  g_autoptr (GTlsCertificate) certificate = issue_for_client (papers->root);
  Parties parties = parties_of (version_of (data));

  parties.client_certificate = certificate;
  parties.client_database = papers->database;
  trial_run (&(Story){ .name = "client certificate", .tell = converse, .data = &parties, .stride = 23 });
}

static void
strange_client_is_never_let_in (gconstpointer data)
{
  g_autoptr (GTlsCertificate) certificate = issue_for_client (papers->stranger);
  Parties parties = parties_of (version_of (data));

  parties.client_certificate = certificate;
  parties.client_database = papers->database;
  trial_run (&(Story){ .name = "untrusted client",
                       .tell = converse_as_a_stranger,
                       .data = &parties,
                       .stride = 23,
                       .whole = OUTCOME_ERROR });
}

/* The first connection of a process makes what all others share. These stories come first in this program, and each case
 * is told in a process that has made nothing yet.
 */
static Outcome
make_both (gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionTicketKeys) own_keys = g_tls_session_ticket_keys_new (&error);

  g_assert_true ((own_keys != NULL) == (error == NULL));
  return conversation_can_begin (data) && own_keys != NULL ? OUTCOME_SUCCESS : OUTCOME_ERROR;
}

static void
first_context_of_a_process_may_fail (void)
{
  Parties parties = parties_of (G_TLS_PROTOCOL_VERSION_TLS_1_3);

  trial_run (&(Story){ .name = "first context", .tell = make_both, .data = &parties, .from_cold = TRUE, .stride = 3 });
}

static Outcome
begin_both (gpointer data)
{
  return conversation_can_begin (data) ? OUTCOME_SUCCESS : OUTCOME_ERROR;
}

static void
first_connection_of_a_process_may_fail (void)
{
  Parties parties = parties_of (G_TLS_PROTOCOL_VERSION_TLS_1_3);
  g_autoptr (GTlsDatabase) system_database = NULL;

  g_assert_nonnull (g_tls_session_context_get_client (NULL));
  g_assert_nonnull (g_tls_session_context_get_server (NULL));
  system_database = g_tls_session_database_get_default ();
  trial_run (&(Story){ .name = "first connection", .tell = begin_both, .data = &parties, .from_cold = TRUE });
}

static void
make_keys (void)
{
  g_autoptr (GError) error = NULL;

  if (keys == NULL)
    keys = g_tls_session_ticket_keys_new (&error);
  g_assert_no_error (error);
}

static void
add (const char *name, GTestDataFunc story)
{
  g_autofree char *in_tls13 = g_strdup_printf ("/allocation/handshakes/tls1.3/%s", name);
  g_autofree char *in_tls12 = g_strdup_printf ("/allocation/handshakes/tls1.2/%s", name);

  g_test_add_data_func (in_tls13, GINT_TO_POINTER (G_TLS_PROTOCOL_VERSION_TLS_1_3), story);
  g_test_add_data_func (in_tls12, GINT_TO_POINTER (G_TLS_PROTOCOL_VERSION_TLS_1_2), story);
}

/* What OpenSSL (3.0) does once for a process it does not try again, if memory was short then: its libssl, and the lock by
 * which it numbers the kinds of BIOs. That is nothing that could be mended here.
 */
static void
warm_openssl (void)
{
  SSL_CTX_free (SSL_CTX_new (TLS_method ()));
  BIO_get_new_index ();
}

int
main (int argc, char **argv)
{
  int result;

  allocator_install ();
  g_test_init (&argc, &argv, NULL);
  trial_init ();
  papers = papers_new ();
  warm_openssl ();

  g_test_add_func ("/allocation/handshakes/first_context_of_a_process_may_fail", first_context_of_a_process_may_fail);
  g_test_add_func ("/allocation/handshakes/first_connection_of_a_process_may_fail",
                   first_connection_of_a_process_may_fail);
  g_test_add_func ("/allocation/handshakes/keys_are_made", make_keys);
  add ("full_handshake_fails_with_words_or_not_at_all", full_handshake_fails_with_words_or_not_at_all);
  add ("resumed_handshake_fails_with_words_or_not_at_all", resumed_handshake_fails_with_words_or_not_at_all);
  g_test_add_func ("/allocation/handshakes/tls1.3/late_early_data_arrive_or_all_fails",
                   late_early_data_arrive_or_all_fails);
  add ("stranger_is_never_trusted", stranger_is_never_trusted);
  add ("stranger_is_never_trusted_for_a_ticket", stranger_is_never_trusted_for_a_ticket);
  add ("client_certificate_is_shown_or_all_fails", client_certificate_is_shown_or_all_fails);
  add ("strange_client_is_never_let_in", strange_client_is_never_let_in);
  result = g_test_run ();

  g_clear_object (&keys);
  papers_free (papers);
  return result;
}
