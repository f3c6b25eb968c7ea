/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The verdict on the peer: accept-certificate, what is known of the peer before and after, and the databases. */

#include "stranger.h"

/* A handler of accept-certificate and of the notifications that follow. */
typedef struct
{
  gboolean answer;
  guint n_asked;
  GThread *thread; /* in which it was asked, borrowed */
  GMainContext *context;
  GTlsCertificateFlags errors;
  GTlsCertificate *certificate;
  gboolean saw_peer; /* peer-certificate was there when it was asked */
  guint n_certificate_changes;
  guint n_errors_changes;
} Judge;

static gboolean
on_accept_certificate (GTlsConnection *connection, GTlsCertificate *peer, GTlsCertificateFlags errors, Judge *judge)
{
  judge->n_asked++;
  judge->thread = g_thread_self ();
  judge->context = g_main_context_get_thread_default ();
  judge->errors = errors;
  g_set_object (&judge->certificate, peer);
  judge->saw_peer |= g_tls_connection_get_peer_certificate (connection) != NULL ||
                     g_tls_connection_get_peer_certificate_errors (connection) != 0;
  return judge->answer;
}

static void
count (GObject *object, GParamSpec *pspec, guint *n)
{
  (*n)++;
}

static void
appoint (Judge *judge, GTlsConnection *side)
{
  g_signal_connect (side, "accept-certificate", G_CALLBACK (on_accept_certificate), judge);
  g_signal_connect (side, "notify::peer-certificate", G_CALLBACK (count), &judge->n_certificate_changes);
  g_signal_connect (side, "notify::peer-certificate-errors", G_CALLBACK (count), &judge->n_errors_changes);
}

static void
distrust_all (GTlsConnection *side)
{
  g_autoptr (GTlsDatabase) nobody = g_object_new (G_TLS_SESSION_TYPE_FILE_DATABASE, NULL);

  g_tls_connection_set_database (side, nobody);
}

static void
assert_rejected (Scene *scene)
{
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;

  scene_shake_hands (scene, &client_error, &server_error);
  g_assert_error (client_error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_assert_error (server_error, G_TLS_ERROR, G_TLS_ERROR_HANDSHAKE);
}

/* A client asks about a certificate that is at fault */

static void
good_server_is_not_asked_about (Scene *scene)
{
  Judge judge = { .answer = FALSE };

  appoint (&judge, scene->client);
  scene_shake_hands_well (scene);
  scene_talk (scene);
  g_assert_cmpuint (judge.n_asked, ==, 0);
  assert_is (g_tls_connection_get_peer_certificate (scene->client), scene->family->leaf);
  g_assert_cmpint (g_tls_connection_get_peer_certificate_errors (scene->client), ==, 0);
}

static void
faulty_server_is_accepted_by_hand (Scene *scene)
{
  Judge judge = { .answer = TRUE };

  distrust_all (scene->client);
  appoint (&judge, scene->client);
  scene_shake_hands_well (scene);
  scene_talk (scene);
  g_assert_cmpuint (judge.n_asked, ==, 1);
  g_assert_cmpint (judge.errors, ==, G_TLS_CERTIFICATE_UNKNOWN_CA);
  assert_is (judge.certificate, scene->family->leaf);
  assert_is (g_tls_certificate_get_issuer (judge.certificate), scene->family->intermediate);
  g_assert_cmpint (g_tls_connection_get_peer_certificate_errors (scene->client), ==, G_TLS_CERTIFICATE_UNKNOWN_CA);
  g_clear_object (&judge.certificate);
}

static void
faulty_server_is_rejected_by_hand (Scene *scene)
{
  Judge judge = { .answer = FALSE };

  distrust_all (scene->client);
  appoint (&judge, scene->client);
  assert_rejected (scene);
  g_assert_cmpuint (judge.n_asked, ==, 1);
  g_clear_object (&judge.certificate);
}

static void
faulty_server_is_rejected_without_a_handler (Scene *scene)
{
  distrust_all (scene->client);
  assert_rejected (scene);
}

static void
first_handler_that_accepts_decides (Scene *scene)
{
  Judge first = { .answer = FALSE };
  Judge second = { .answer = TRUE };
  Judge third = { .answer = FALSE };

  distrust_all (scene->client);
  appoint (&first, scene->client);
  appoint (&second, scene->client);
  appoint (&third, scene->client);
  scene_shake_hands_well (scene);
  g_assert_cmpuint (first.n_asked, ==, 1);
  g_assert_cmpuint (second.n_asked, ==, 1);
  g_assert_cmpuint (third.n_asked, ==, 0);
  g_clear_object (&first.certificate);
  g_clear_object (&second.certificate);
}

/* A server asks about every certificate: "will only be accepted if a handler returns TRUE" */

static void
shows_certificate (Scene *scene)
{
  g_tls_connection_set_certificate (scene->client, scene->client_certificate);
  g_object_set (scene->server, "authentication-mode", G_TLS_AUTHENTICATION_REQUESTED, NULL);
}

static void
good_client_is_asked_about_too (Scene *scene)
{
  Judge judge = { .answer = TRUE };

  shows_certificate (scene);
  appoint (&judge, scene->server);
  scene_shake_hands_well (scene);
  scene_talk (scene);
  g_assert_cmpuint (judge.n_asked, ==, 1);
  g_assert_cmpint (judge.errors, ==, 0);
  assert_is (judge.certificate, scene->forged_client);
  g_clear_object (&judge.certificate);
}

static void
assert_client_rejected (Scene *scene)
{
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;

  scene_shake_hands (scene, &client_error, &server_error);
  g_assert_error (server_error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
}

static void
good_client_needs_a_handler (Scene *scene)
{
  shows_certificate (scene);
  assert_client_rejected (scene);
}

static void
good_client_is_rejected_by_hand (Scene *scene)
{
  Judge judge = { .answer = FALSE };

  shows_certificate (scene);
  appoint (&judge, scene->server);
  assert_client_rejected (scene);
  g_assert_cmpuint (judge.n_asked, ==, 1);
  g_clear_object (&judge.certificate);
}

static void
faulty_client_is_accepted_by_hand (Scene *scene)
{
  Judge judge = { .answer = TRUE };

  shows_certificate (scene);
  distrust_all (scene->server);
  appoint (&judge, scene->server);
  scene_shake_hands_well (scene);
  scene_talk (scene);
  g_assert_cmpint (judge.errors, ==, G_TLS_CERTIFICATE_UNKNOWN_CA);
  g_assert_cmpint (g_tls_connection_get_peer_certificate_errors (scene->server), ==, G_TLS_CERTIFICATE_UNKNOWN_CA);
  g_clear_object (&judge.certificate);
}

/* Once more when it resumes, with the certificate that its session began with. */
static void
resuming_client_is_asked_about_again (Scene *scene)
{
  g_autoptr (GTlsSessionTicketKeys) keys = g_tls_session_ticket_keys_new (NULL);
  g_autoptr (GTlsConnection) source = NULL;
  Judge judge = { .answer = TRUE };

  shows_certificate (scene);
  g_object_set (scene->server, "ticket-keys", keys, NULL);
  appoint (&judge, scene->server);
  scene_shake_hands_well (scene);
  scene_talk (scene);
  source = g_object_ref (scene->client);

  scene_begin_again (scene);
  shows_certificate (scene);
  g_object_set (scene->server, "ticket-keys", keys, NULL);
  appoint (&judge, scene->server);
  g_tls_client_connection_copy_session_state (G_TLS_CLIENT_CONNECTION (scene->client),
                                              G_TLS_CLIENT_CONNECTION (source));
  scene_shake_hands_well (scene);
  scene_talk (scene);
  g_assert_cmpint (g_tls_session_connection_get_resumption (G_TLS_SESSION_CONNECTION (scene->server)), ==,
                   G_TLS_SESSION_RESUMPTION_RESUMED);
  g_assert_cmpuint (judge.n_asked, ==, 2);
  assert_is (judge.certificate, scene->forged_client);
  g_clear_object (&judge.certificate);
}

/* Where and when */

static void
handler_runs_in_the_thread_that_calls (Scene *scene)
{
  Judge client = { .answer = TRUE };
  Judge server = { .answer = TRUE };
  GThread *client_thread;
  GThread *server_thread;

  shows_certificate (scene);
  distrust_all (scene->client);
  appoint (&client, scene->client);
  appoint (&server, scene->server);
  client_thread = g_thread_new ("client", scene_shake_in_thread, scene->client);
  server_thread = g_thread_new ("server", scene_shake_in_thread, scene->server);
  g_thread_ref (client_thread);
  g_thread_ref (server_thread);
  g_assert_no_error ((GError *) g_thread_join (client_thread));
  g_assert_no_error ((GError *) g_thread_join (server_thread));
  g_assert_true (client.thread == client_thread);
  g_assert_true (server.thread == server_thread);
  g_thread_unref (client_thread);
  g_thread_unref (server_thread);
  g_clear_object (&client.certificate);
  g_clear_object (&server.certificate);
}

static void
handler_runs_in_the_context_of_the_async_call (Scene *scene)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Judge judge = { .answer = TRUE };
  GThread *server_thread = g_thread_new ("server", scene_shake_in_thread, scene->server);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) awaited = NULL;
  g_autoptr (GError) error = NULL;

  distrust_all (scene->client);
  appoint (&judge, scene->client);
  g_main_context_push_thread_default (context);
  g_tls_connection_handshake_async (scene->client, G_PRIORITY_DEFAULT, NULL, client_keep_result, &result);
  awaited = client_await (&result);
  g_assert_true (g_tls_connection_handshake_finish (scene->client, awaited, &error));
  g_assert_no_error (error);
  g_main_context_pop_thread_default (context);

  g_assert_no_error ((GError *) g_thread_join (server_thread));
  g_assert_true (judge.thread == g_thread_self ());
  g_assert_true (judge.context == context);
  g_clear_object (&judge.certificate);
}

/* Before, during and after */

static void
peer_is_known_after_the_handshake (Scene *scene)
{
  Judge client = { .answer = TRUE };
  Judge server = { .answer = TRUE };

  g_assert_null (g_tls_connection_get_peer_certificate (scene->client));
  g_assert_cmpint (g_tls_connection_get_peer_certificate_errors (scene->client), ==, 0);
  shows_certificate (scene);
  distrust_all (scene->client);
  appoint (&client, scene->client);
  appoint (&server, scene->server);
  scene_shake_hands_well (scene);
  scene_talk (scene);
  while (server.n_certificate_changes == 0)
    g_main_context_iteration (NULL, TRUE); /* the thread's handshake is told at home */

  g_assert_false (client.saw_peer);
  g_assert_false (server.saw_peer);
  g_assert_true (g_tls_certificate_is_same (g_tls_connection_get_peer_certificate (scene->client), client.certificate));
  g_assert_true (g_tls_certificate_is_same (g_tls_connection_get_peer_certificate (scene->server), server.certificate));
  g_assert_cmpuint (client.n_certificate_changes, ==, 1);
  g_assert_cmpuint (client.n_errors_changes, ==, 1);
  g_assert_cmpuint (server.n_certificate_changes, ==, 1);
  g_clear_object (&client.certificate);
  g_clear_object (&server.certificate);
}

static void
peer_is_known_after_a_handshake_that_failed (Scene *scene)
{
  Judge judge = { .answer = FALSE };

  distrust_all (scene->client);
  appoint (&judge, scene->client);
  assert_rejected (scene);
  g_assert_false (judge.saw_peer);
  assert_is (g_tls_connection_get_peer_certificate (scene->client), scene->family->leaf);
  g_assert_cmpint (g_tls_connection_get_peer_certificate_errors (scene->client), ==, G_TLS_CERTIFICATE_UNKNOWN_CA);
  g_assert_cmpuint (judge.n_certificate_changes, ==, 1);
  g_assert_cmpuint (judge.n_errors_changes, ==, 1);
  g_clear_object (&judge.certificate);
}

/* Databases */

static void
no_database_is_unknown_ca (Scene *scene)
{
  Judge judge = { .answer = TRUE };

  g_tls_connection_set_database (scene->client, NULL);
  g_assert_null (g_tls_connection_get_database (scene->client));
  appoint (&judge, scene->client);
  scene_shake_hands_well (scene);
  g_assert_cmpuint (judge.n_asked, ==, 1);
  g_assert_cmpint (judge.errors, ==, G_TLS_CERTIFICATE_UNKNOWN_CA);
  g_clear_object (&judge.certificate);

  scene_begin_again (scene);
  g_tls_connection_set_database (scene->client, NULL);
  assert_rejected (scene);
}

G_GNUC_BEGIN_IGNORE_DEPRECATIONS
static void
system_certdb_and_database_are_one (Scene *scene)
{
  g_autoptr (GTlsSessionDatabase) system = g_tls_session_database_get_system (NULL);
  g_autoptr (GTlsConnection)
    fresh = G_TLS_CONNECTION (g_tls_session_client_connection_new (G_IO_STREAM (scene->client_socket), NULL, NULL));

  g_assert_true (g_tls_connection_get_database (fresh) == G_TLS_DATABASE (system));
  g_assert_true (g_tls_connection_get_use_system_certdb (fresh));

  g_tls_connection_set_use_system_certdb (fresh, FALSE);
  g_assert_null (g_tls_connection_get_database (fresh));
  g_assert_false (g_tls_connection_get_use_system_certdb (fresh));
  g_tls_connection_set_use_system_certdb (fresh, TRUE);
  g_assert_true (g_tls_connection_get_database (fresh) == G_TLS_DATABASE (system));

  g_tls_connection_set_database (fresh, scene->database);
  g_assert_true (g_tls_connection_get_database (fresh) == scene->database);
  g_assert_false (g_tls_connection_get_use_system_certdb (fresh));

  /* The fresh one closes the client's socket; the scene begins again without it. */
  g_clear_object (&fresh);
  scene_begin_again (scene);
  g_tls_connection_set_use_system_certdb (scene->client, FALSE);
  assert_rejected (scene);
}

/* "UNKNOWN_CA […] unless that bit is not set in validation-flags" */
static void
validation_flags_may_leave_out_unknown_ca (Scene *scene)
{
  Judge judge = { .answer = FALSE };
  GTlsClientConnection *client = G_TLS_CLIENT_CONNECTION (scene->client);

  g_assert_cmpint (g_tls_client_connection_get_validation_flags (client), ==, G_TLS_CERTIFICATE_VALIDATE_ALL);
  g_tls_client_connection_set_validation_flags (client, G_TLS_CERTIFICATE_VALIDATE_ALL & ~G_TLS_CERTIFICATE_UNKNOWN_CA);
  g_assert_false (g_tls_client_connection_get_validation_flags (client) & G_TLS_CERTIFICATE_UNKNOWN_CA);
  g_tls_connection_set_database (scene->client, NULL);
  appoint (&judge, scene->client);
  scene_shake_hands_well (scene);
  g_assert_cmpuint (judge.n_asked, ==, 0);
  g_assert_cmpint (g_tls_connection_get_peer_certificate_errors (scene->client), ==, G_TLS_CERTIFICATE_UNKNOWN_CA);
}
G_GNUC_END_IGNORE_DEPRECATIONS

static void
identity_is_compared (Scene *scene)
{
  g_autoptr (GSocketConnectable) other = g_network_address_new ("other.example.org", 443);
  GTlsClientConnection *client = G_TLS_CLIENT_CONNECTION (scene->client);
  Judge judge = { .answer = FALSE };

  g_tls_client_connection_set_server_identity (client, other);
  g_assert_true (g_tls_client_connection_get_server_identity (client) == other);
  appoint (&judge, scene->client);
  assert_rejected (scene);
  g_assert_cmpint (judge.errors, ==, G_TLS_CERTIFICATE_BAD_IDENTITY);
  g_clear_object (&judge.certificate);
}

static void
identity_is_told_to_the_server (Scene *scene)
{
  g_autofree char *name = NULL;

  scene_shake_hands_well (scene);
  g_object_get (scene->server, "server-name", &name, NULL);
  g_assert_cmpstr (name, ==, "server.example.org");
}

static void
ask_for_no_text (Stranger *self)
{
  g_assert_cmpint (SSL_set_tlsext_host_name (self->ssl, "\xff\xfe.example.org"), ==, 1);
  g_assert_cmpint (SSL_do_handshake (self->ssl), ==, 1);
}

/* A property is text, and a name that is none is nobody's. */
static void
identity_that_is_no_text_is_not_told (Scene *scene)
{
  Stranger stranger = { 0 };
  g_autofree char *name = NULL;
  g_autoptr (GError) error = NULL;

  stranger_begin (&stranger, scene, scene->client, ask_for_no_text);
  g_assert_true (scene_shake_one_hand (scene, scene->server, NULL, &error));
  g_assert_no_error (error);
  stranger_end (&stranger);
  g_object_get (scene->server, "server-name", &name, NULL);
  g_assert_null (name);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define STORY(name) scene_add_story ("/contract/verdict/" #name, name)
  STORY (good_server_is_not_asked_about);
  STORY (faulty_server_is_accepted_by_hand);
  STORY (faulty_server_is_rejected_by_hand);
  STORY (faulty_server_is_rejected_without_a_handler);
  STORY (first_handler_that_accepts_decides);
  STORY (good_client_is_asked_about_too);
  STORY (good_client_needs_a_handler);
  STORY (good_client_is_rejected_by_hand);
  STORY (faulty_client_is_accepted_by_hand);
  STORY (resuming_client_is_asked_about_again);
  scene_add_blocking_story ("/contract/verdict/handler_runs_in_the_thread_that_calls",
                            handler_runs_in_the_thread_that_calls);
  scene_add_blocking_story ("/contract/verdict/handler_runs_in_the_context_of_the_async_call",
                            handler_runs_in_the_context_of_the_async_call);
  STORY (peer_is_known_after_the_handshake);
  STORY (peer_is_known_after_a_handshake_that_failed);
  STORY (no_database_is_unknown_ca);
  scene_add_single_story ("/contract/verdict/system_certdb_and_database_are_one", system_certdb_and_database_are_one);
  STORY (validation_flags_may_leave_out_unknown_ca);
  STORY (identity_is_compared);
  STORY (identity_is_told_to_the_server);
  STORY (identity_that_is_no_text_is_not_told);

  return g_test_run ();
}
