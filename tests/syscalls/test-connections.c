/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A connection's life while the kernel fails to read, write, wait or end: handshakes, application data, close. */

#include "talk.h"
#include "trial.h"

static Papers *papers;
static GTlsSessionTicketKeys *keys;

static Parties
parties_of (GTlsProtocolVersion version)
{
  return (Parties){ .papers = papers, .database = papers->database, .keys = keys, .version = version };
}

static gboolean
is_resumed (GTlsSessionResumption resumption)
{
  return resumption == G_TLS_SESSION_RESUMPTION_RESUMED;
}

/* What no failure may change. */
static Outcome
outcome_of (Conversation *self, const Parties *parties)
{
  Outcome outcome = OUTCOME_SUCCESS;

  if (self->client_opened)
    g_assert_cmpint (self->client_faults, ==, 0);
  if (self->client_heard)
    g_assert_true (self->client_opened && self->server_opened);
  if (self->client_opened)
    g_assert_cmpint (is_resumed (self->client_resumption), ==, parties->ticket != NULL);
  if (self->server_opened)
    g_assert_cmpint (is_resumed (self->server_resumption), ==, parties->ticket != NULL);

  if (self->client_error != NULL)
    outcome = trial_error (g_steal_pointer (&self->client_error));
  if (self->server_error != NULL)
    outcome = trial_error (g_steal_pointer (&self->server_error));
  if (outcome == OUTCOME_SUCCESS)
    g_assert_true (self->client_heard);
  return outcome;
}

/* In one main context; the calls of both fail. The client does not wait for the server's end, and is gone where that is
 * late: then the server cannot know whether it was heard, and says so.
 */
static Outcome
converse (gpointer data)
{
  g_auto (Conversation) conversation = { 0 };

  conversation_hold (&conversation, data);
  if (conversation.client_error == NULL && conversation.client_heard &&
      g_error_matches (conversation.server_error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE))
    g_clear_error (&conversation.server_error);
  return outcome_of (&conversation, data);
}

static Outcome
talk_as_client (gpointer data)
{
  g_auto (Conversation) conversation = { 0 };

  talk_hold (&conversation, data, TALK_ECHO, TALK_CALLS_OF_CLIENT_FAIL);
  return outcome_of (&conversation, data);
}

static Outcome
talk_as_server (gpointer data)
{
  g_auto (Conversation) conversation = { 0 };

  talk_hold (&conversation, data, TALK_ECHO, TALK_CALLS_OF_SERVER_FAIL);
  return outcome_of (&conversation, data);
}

/* Who closed without an error was heard to the end. */
static Outcome
upload (gpointer data)
{
  g_auto (Conversation) conversation = { 0 };

  talk_hold (&conversation, data, TALK_UPLOAD, TALK_CALLS_OF_CLIENT_FAIL);
  if (conversation.client_error == NULL)
    {
      g_assert_no_error (conversation.server_error);
      g_assert_true (conversation.client_heard);
    }
  return outcome_of (&conversation, data);
}

static const Call calls_of_talk[] = { CALL_RECV, CALL_SEND, CALL_POLL, N_CALLS };

static void
run (const char *name, Outcome (*tell) (gpointer data), Parties *parties)
{
  trial_run (&(Story){ .name = name, .tell = tell, .data = parties, .calls = calls_of_talk });
}

static void
upload_is_heard_or_fails_with_words (gconstpointer data)
{
  static const Call calls[] = { CALL_RECV, CALL_SEND, CALL_POLL, CALL_SHUTDOWN, N_CALLS };
  Parties parties = parties_of ((GTlsProtocolVersion) GPOINTER_TO_INT (data));

  trial_run (&(Story){ .name = "upload, blocking client", .tell = upload, .data = &parties, .calls = calls });
}

static void
full_handshake_fails_with_words_or_not_at_all (gconstpointer data)
{
  Parties parties = parties_of ((GTlsProtocolVersion) GPOINTER_TO_INT (data));

  run ("full handshake, main context", converse, &parties);
  run ("full handshake, blocking client", talk_as_client, &parties);
  run ("full handshake, blocking server", talk_as_server, &parties);
}

/* A conversation leaves a thread of GLib's behind, and in what is forked from a process with threads ThreadSanitizer sees
 * nothing; so it is not held before the fork.
 */
static void
obtain_ticket (gpointer data)
{
  Parties *parties = data;

  if (parties->ticket == NULL)
    parties->ticket = conversation_obtain_ticket (parties);
}

static void
resume (const char *name, Outcome (*tell) (gpointer data), Parties *parties)
{
  trial_run (&(Story){ .name = name, .prepare = obtain_ticket, .tell = tell, .data = parties, .calls = calls_of_talk });
}

static void
resumed_handshake_fails_with_words_or_not_at_all (gconstpointer data)
{
  Parties parties = parties_of ((GTlsProtocolVersion) GPOINTER_TO_INT (data));

  resume ("resumed handshake, main context", converse, &parties);
  resume ("resumed handshake, blocking client", talk_as_client, &parties);
  resume ("resumed handshake, blocking server", talk_as_server, &parties);
}

/* Sent as the first data of the connection: what follows must not be told as written where they are not. */
static Outcome
talk_with_late_early_data (gpointer data)
{
  const Parties *parties = data;
  g_auto (Conversation) conversation = { 0 };

  conversation_hold (&conversation, parties);
  if (conversation.client_error == NULL && conversation.server_error == NULL)
    g_assert_cmpuint (conversation.server_heard_on, ==, g_bytes_get_size (parties->early_data));
  return outcome_of (&conversation, parties);
}

static void
late_early_data_fail_with_words_or_not_at_all (gconstpointer data)
{
  g_autoptr (GBytes) hello = g_bytes_new_static ("hello", 5);
  Parties parties = parties_of ((GTlsProtocolVersion) GPOINTER_TO_INT (data));

  parties.early_data = hello;
  run ("late early data, main context", talk_with_late_early_data, &parties);
}

static void
streams_of_others_fail_with_words_or_not_at_all (void)
{
  Parties parties = parties_of (G_TLS_PROTOCOL_VERSION_TLS_1_3);

  parties.over_streams = TRUE;
  run ("over streams, main context", converse, &parties);
  run ("over streams, blocking client", talk_as_client, &parties);
}

static void
add (const char *name, GTestDataFunc story)
{
  g_autofree char *in_tls13 = g_strdup_printf ("/syscalls/connections/tls1.3/%s", name);
  g_autofree char *in_tls12 = g_strdup_printf ("/syscalls/connections/tls1.2/%s", name);

  g_test_add_data_func (in_tls13, GINT_TO_POINTER (G_TLS_PROTOCOL_VERSION_TLS_1_3), story);
  g_test_add_data_func (in_tls12, GINT_TO_POINTER (G_TLS_PROTOCOL_VERSION_TLS_1_2), story);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int result;

  g_test_init (&argc, &argv, NULL);
  trial_init ();
  papers = papers_new ();
  keys = g_tls_session_ticket_keys_new (&error);
  g_assert_no_error (error);

  add ("full_handshake_fails_with_words_or_not_at_all", full_handshake_fails_with_words_or_not_at_all);
  add ("resumed_handshake_fails_with_words_or_not_at_all", resumed_handshake_fails_with_words_or_not_at_all);
  add ("late_early_data_fail_with_words_or_not_at_all", late_early_data_fail_with_words_or_not_at_all);
  add ("upload_is_heard_or_fails_with_words", upload_is_heard_or_fails_with_words);
  g_test_add_func ("/syscalls/connections/streams_of_others_fail_with_words_or_not_at_all",
                   streams_of_others_fail_with_words_or_not_at_all);
  result = g_test_run ();

  g_clear_object (&keys);
  papers_free (papers);
  return result;
}
