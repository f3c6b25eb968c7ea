/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each side's own certificate: given ahead, asked for, behind a password, wanted and not there. */

#include <string.h>

#include "person.h"
#include "scene.h"
#include "trust/certificate-private.h"

static Person *
add_person (GTlsConnection *side, PersonManner manner)
{
  Person *person = person_new (manner);

  g_tls_connection_set_interaction (side, G_TLS_INTERACTION (person));
  g_assert_true (g_tls_connection_get_interaction (side) == G_TLS_INTERACTION (person));
  return person;
}

static void
assert_server_sees (Scene *scene, const Forged *client)
{
  GTlsCertificate *seen = g_tls_connection_get_peer_certificate (scene->server);

  g_assert_nonnull (seen);
  assert_is (seen, client);
  assert_is (g_tls_certificate_get_issuer (seen), scene->family->intermediate);
  g_assert_cmpint (g_tls_connection_get_peer_certificate_errors (scene->server), ==, 0);
}

/* Whether the server insists is told in TLS 1.2 by the handshake, in TLS 1.3 after it (RFC 8446, section 4.4.2.4). */
static GError *
error_of_client (Scene *scene, GError *from_handshake)
{
  GError *error = NULL;
  char byte;

  if (scene->version == G_TLS_PROTOCOL_VERSION_TLS_1_2)
    return from_handshake;

  g_assert_no_error (from_handshake);
  g_assert_cmpint (scene_read (scene, scene->client, &byte, 1, &error), ==, -1);
  return error;
}

static void
assert_refused (Scene *scene, GQuark client_domain, int client_code, int server_code)
{
  g_autoptr (GError) handshake_error = NULL;
  g_autoptr (GError) server_error = NULL;
  g_autoptr (GError) client_error = NULL;

  scene_shake_hands (scene, &handshake_error, &server_error);
  client_error = error_of_client (scene, g_steal_pointer (&handshake_error));
  g_assert_error (client_error, client_domain, client_code);
  g_assert_error (server_error, G_TLS_ERROR, server_code);
}

/* A certificate of another backend, which knows the properties of Gio's type. */

typedef struct
{
  GTlsCertificate parent_instance;

  char *pem;
  char *key; /* NULL: it is not given away */
  GTlsCertificate *issuer;
} Foreign;

typedef GTlsCertificateClass ForeignClass;

static GType foreign_get_type (void);

G_DEFINE_TYPE (Foreign, foreign, G_TYPE_TLS_CERTIFICATE)

static void
foreign_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  Foreign *self = (Foreign *) object;

  if (g_str_equal (pspec->name, "certificate-pem"))
    g_value_set_string (value, self->pem);
  else if (g_str_equal (pspec->name, "private-key-pem"))
    g_value_set_string (value, self->key);
  else if (g_str_equal (pspec->name, "issuer"))
    g_value_set_object (value, self->issuer);
  else if (g_str_equal (pspec->name, "certificate"))
    {
      g_autoptr (GTlsSessionCertificate) same = certificate_from (self->pem);

      g_object_get_property (G_OBJECT (same), "certificate", value);
    }
}

static void
foreign_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
}

static void
foreign_finalize (GObject *object)
{
  Foreign *self = (Foreign *) object;

  g_free (self->pem);
  g_free (self->key);
  g_clear_object (&self->issuer);

  G_OBJECT_CLASS (foreign_parent_class)->finalize (object);
}

static void
foreign_class_init (ForeignClass *class)
{
  static const char *const names[] = { "certificate", "certificate-pem", "private-key", "private-key-pem", "issuer" };
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->get_property = foreign_get_property;
  object_class->set_property = foreign_set_property;
  object_class->finalize = foreign_finalize;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_object_class_override_property (object_class, i + 1, names[i]);
}

static void
foreign_init (Foreign *self)
{
}

/* Takes @key and @issuer. */
static GTlsCertificate *
foreign_new (const Forged *forged, char *key, GTlsCertificate *issuer)
{
  Foreign *self = g_object_new (foreign_get_type (), NULL);

  self->pem = forged_to_pem (forged);
  self->key = key;
  self->issuer = issuer;
  return G_TLS_CERTIFICATE (self);
}

/* Given ahead */

static void
given_ahead_is_shown (Scene *scene)
{
  g_assert_null (g_tls_connection_get_certificate (scene->client));
  g_tls_connection_set_certificate (scene->client, scene->client_certificate);
  g_assert_true (g_tls_connection_get_certificate (scene->client) == scene->client_certificate);

  scene_authenticate (scene, G_TLS_AUTHENTICATION_REQUIRED);
  scene_shake_hands_well (scene);
  scene_talk (scene);
  assert_server_sees (scene, scene->forged_client);

  scene_begin_again (scene);
  g_tls_connection_set_certificate (scene->client, scene->client_certificate);
  scene_authenticate (scene, G_TLS_AUTHENTICATION_REQUESTED);
  scene_shake_hands_well (scene);
  assert_server_sees (scene, scene->forged_client);
}

static void
given_ahead_keeps_the_person_in_peace (Scene *scene)
{
  g_autoptr (Person) person = add_person (scene->client, PERSON_PATIENT);

  g_tls_connection_set_certificate (scene->client, scene->client_certificate);
  scene_authenticate (scene, G_TLS_AUTHENTICATION_REQUIRED);
  scene_shake_hands_well (scene);
  assert_server_sees (scene, scene->forged_client);
  g_assert_cmpuint (person->n_requests, ==, 0);
}

/* Its chain is as much a part of it as its key. */
static void
one_of_another_backend_is_shown (Scene *scene)
{
  GTlsCertificate *issuer = foreign_new (scene->family->intermediate, NULL, NULL);
  g_autoptr (GTlsCertificate) foreign = foreign_new (scene->forged_client, key_as_pkcs8 (scene->forged_client), issuer);

  g_tls_connection_set_certificate (scene->client, foreign);
  scene_authenticate (scene, G_TLS_AUTHENTICATION_REQUIRED);
  scene_shake_hands_well (scene);
  assert_server_sees (scene, scene->forged_client);
}

static void
one_of_another_backend_without_its_key_is_told (Scene *scene)
{
  g_autoptr (GTlsCertificate) foreign = foreign_new (scene->forged_client, NULL, NULL);

  g_tls_connection_set_certificate (scene->client, foreign);
  scene_authenticate (scene, G_TLS_AUTHENTICATION_REQUIRED);
  assert_refused (scene, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, G_TLS_ERROR_CERTIFICATE_REQUIRED);
}

static void
nobody_asks_without_a_wish (Scene *scene)
{
  g_autoptr (Person) person = add_person (scene->client, PERSON_PATIENT);
  GTlsAuthenticationMode mode = G_TLS_AUTHENTICATION_REQUIRED;

  g_object_get (scene->server, "authentication-mode", &mode, NULL);
  g_assert_cmpint (mode, ==, G_TLS_AUTHENTICATION_NONE);
  g_tls_connection_set_certificate (scene->client, scene->client_certificate);
  scene_shake_hands_well (scene);
  scene_talk (scene);
  g_assert_cmpuint (person->n_requests, ==, 0);
  g_assert_null (g_tls_connection_get_peer_certificate (scene->server));
  g_assert_null (g_tls_client_connection_get_accepted_cas (G_TLS_CLIENT_CONNECTION (scene->client)));
}

static void
requested_may_stay_away (Scene *scene)
{
  scene_authenticate (scene, G_TLS_AUTHENTICATION_REQUESTED);
  scene_shake_hands_well (scene);
  scene_talk (scene);
  g_assert_null (g_tls_connection_get_peer_certificate (scene->server));
  g_assert_cmpint (g_tls_connection_get_peer_certificate_errors (scene->server), ==, 0);
}

static void
required_and_missing_is_told_to_both (Scene *scene)
{
  scene_authenticate (scene, G_TLS_AUTHENTICATION_REQUIRED);
  assert_refused (scene, G_TLS_ERROR, G_TLS_ERROR_CERTIFICATE_REQUIRED, G_TLS_ERROR_CERTIFICATE_REQUIRED);
}

static void
one_the_server_refuses_is_told_to_both (Scene *scene)
{
  g_autoptr (Forged) stranger = forge (&(Order){ .name = "A stranger" }, NULL);
  g_autoptr (GTlsCertificate) certificate = scene_certificate (scene, stranger, key_as_pkcs8 (stranger));

  g_tls_connection_set_certificate (scene->client, certificate);
  scene_authenticate (scene, G_TLS_AUTHENTICATION_REQUIRED);
  assert_refused (scene, G_TLS_ERROR, G_TLS_ERROR_CERTIFICATE_REQUIRED, G_TLS_ERROR_BAD_CERTIFICATE);
  g_assert_nonnull (g_tls_connection_get_peer_certificate (scene->server));
  g_assert_true (g_tls_connection_get_peer_certificate_errors (scene->server) & G_TLS_CERTIFICATE_UNKNOWN_CA);
}

/* Asked for */

static void
asked_for_is_shown (Scene *scene)
{
  for (PersonManner manner = PERSON_BLOCKING; manner <= PERSON_PATIENT; manner++)
    {
      g_autoptr (Person) person = add_person (scene->client, manner);

      person->certificate = g_object_ref (scene->client_certificate);
      scene_authenticate (scene, G_TLS_AUTHENTICATION_REQUIRED);
      scene_shake_hands_well (scene);
      scene_talk (scene);
      g_assert_cmpuint (person->n_requests, ==, 1);
      assert_server_sees (scene, scene->forged_client);
      g_assert_true (g_tls_connection_get_certificate (scene->client) == scene->client_certificate);
      scene_begin_again (scene);
    }
}

static void
request_without_an_answer_goes_on_without (Scene *scene)
{
  for (PersonManner manner = PERSON_BLOCKING; manner < PERSON_N_MANNERS; manner++)
    {
      g_autoptr (Person) person = add_person (scene->client, manner);
      g_autoptr (Person) another = NULL;

      person->certificate_result = G_TLS_INTERACTION_UNHANDLED;
      scene_authenticate (scene, G_TLS_AUTHENTICATION_REQUESTED);
      scene_shake_hands_well (scene);
      scene_talk (scene);
      g_assert_cmpuint (person->n_requests, ==, manner == PERSON_SILENT ? 0 : 1);

      scene_begin_again (scene);
      another = add_person (scene->client, manner);
      another->certificate_result = G_TLS_INTERACTION_UNHANDLED;
      scene_authenticate (scene, G_TLS_AUTHENTICATION_REQUIRED);
      assert_refused (scene, G_TLS_ERROR, G_TLS_ERROR_CERTIFICATE_REQUIRED, G_TLS_ERROR_CERTIFICATE_REQUIRED);
      scene_begin_again (scene);
    }
}

/* "HANDLED", and yet there is none. */
static void
request_handled_without_a_certificate_goes_on_without (Scene *scene)
{
  g_autoptr (Person) person = add_person (scene->client, PERSON_PATIENT);

  scene_authenticate (scene, G_TLS_AUTHENTICATION_REQUIRED);
  assert_refused (scene, G_TLS_ERROR, G_TLS_ERROR_CERTIFICATE_REQUIRED, G_TLS_ERROR_CERTIFICATE_REQUIRED);
  g_assert_cmpuint (person->n_requests, ==, 1);
}

static void
request_that_fails_is_told_where_the_server_insists (Scene *scene)
{
  for (PersonManner manner = PERSON_BLOCKING; manner <= PERSON_PATIENT; manner++)
    {
      g_autoptr (Person) person = add_person (scene->client, manner);
      g_autoptr (Person) another = NULL;

      person->certificate_result = G_TLS_INTERACTION_FAILED;
      person->failure = g_error_new_literal (G_FILE_ERROR, G_FILE_ERROR_ACCES, "The card is locked away");
      scene_authenticate (scene, G_TLS_AUTHENTICATION_REQUIRED);
      assert_refused (scene, G_FILE_ERROR, G_FILE_ERROR_ACCES, G_TLS_ERROR_CERTIFICATE_REQUIRED);

      scene_begin_again (scene);
      another = add_person (scene->client, manner);
      another->certificate_result = G_TLS_INTERACTION_FAILED;
      another->failure = g_error_copy (person->failure);
      scene_authenticate (scene, G_TLS_AUTHENTICATION_REQUESTED);
      scene_shake_hands_well (scene);
      scene_talk (scene);
      scene_begin_again (scene);
    }
}

/* Who is not cancelled the second time is asked again, and the handshake goes on. */
static void
assert_cancelled_once (Scene *scene, Person *person)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GThread *thread = g_thread_new ("server", scene_shake_in_thread, scene->server);
  g_autoptr (GError) error = NULL;

  person->to_cancel = g_object_ref (cancellable);
  g_assert_false (scene_shake_one_hand (scene, scene->client, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_clear_object (&person->to_cancel);

  g_assert_true (scene_shake_one_hand (scene, scene->client, NULL, &error));
  g_assert_no_error (error);
  g_assert_no_error ((GError *) g_thread_join (thread));
  assert_server_sees (scene, scene->forged_client);
}

static void
request_can_be_cancelled (Scene *scene)
{
  for (PersonManner manner = PERSON_BLOCKING; manner <= PERSON_PATIENT; manner++)
    {
      g_autoptr (Person) person = add_person (scene->client, manner);

      person->certificate = g_object_ref (scene->client_certificate);
      scene_authenticate (scene, G_TLS_AUTHENTICATION_REQUIRED);
      assert_cancelled_once (scene, person);
      scene_begin_again (scene);
    }
}

/* A GTlsInteraction is called in the main context that it was made in, if there is a thread that runs it. */
static void
person_is_asked_at_home (Scene *scene)
{
  g_autoptr (Person) person = add_person (scene->client, PERSON_BLOCKING);
  GThread *server_thread;
  GThread *client_thread;
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;

  person->certificate = g_object_ref (scene->client_certificate);
  scene_authenticate (scene, G_TLS_AUTHENTICATION_REQUIRED);
  g_assert_true (g_main_context_acquire (NULL));
  server_thread = g_thread_new ("server", scene_shake_in_thread, scene->server);
  client_thread = g_thread_new ("client", scene_shake_in_thread, scene->client);
  while (g_atomic_pointer_get (&person->thread) == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_main_context_release (NULL);
  client_error = g_thread_join (client_thread);
  server_error = g_thread_join (server_thread);
  g_assert_no_error (client_error);
  g_assert_no_error (server_error);
  g_assert_true (person->thread == g_thread_self ());
}

/* Behind a password */

static void
lock_key (Scene *scene, GTlsConnection *side, const Forged *owner)
{
  g_autoptr (GTlsCertificate) certificate = scene_certificate (scene, owner, key_as_encrypted_pkcs8 (owner));

  g_assert_true (g_tls_session_certificate_is_locked (G_TLS_SESSION_CERTIFICATE (certificate)));
  g_tls_connection_set_certificate (side, certificate);
}

static void
password_opens_the_key (Scene *scene)
{
  static const char *const right[] = { "secret", NULL };

  for (PersonManner manner = PERSON_BLOCKING; manner <= PERSON_PATIENT; manner++)
    {
      g_autoptr (Person) person = add_person (scene->client, manner);

      person->passwords = right;
      lock_key (scene, scene->client, scene->forged_client);
      scene_authenticate (scene, G_TLS_AUTHENTICATION_REQUIRED);
      scene_shake_hands_well (scene);
      scene_talk (scene);
      assert_server_sees (scene, scene->forged_client);
      g_assert_cmpuint (person->n_passwords, ==, 1);
      g_assert_cmpint (person->flags, ==, G_TLS_PASSWORD_NONE);
      g_assert_nonnull (strstr (person->description, "A client"));
      scene_begin_again (scene);
    }
}

static void
password_opens_the_key_of_a_requested_certificate (Scene *scene)
{
  static const char *const right[] = { "secret", NULL };
  g_autoptr (Person) person = add_person (scene->client, PERSON_PATIENT);

  person->passwords = right;
  person->certificate = scene_certificate (scene, scene->forged_client, key_as_encrypted_pkcs8 (scene->forged_client));
  scene_authenticate (scene, G_TLS_AUTHENTICATION_REQUIRED);
  scene_shake_hands_well (scene);
  assert_server_sees (scene, scene->forged_client);
  g_assert_cmpuint (person->n_requests, ==, 1);
  g_assert_cmpuint (person->n_passwords, ==, 1);
}

static void
password_opens_the_key_of_a_server (Scene *scene)
{
  static const char *const right[] = { "secret", NULL };
  g_autoptr (Person) person = person_new (scene->manner == SCENE_ASYNC ? PERSON_PATIENT : PERSON_BLOCKING);
  GThread *client_thread;
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;

  g_tls_connection_set_interaction (scene->server, G_TLS_INTERACTION (person));
  person->passwords = right;
  lock_key (scene, scene->server, scene->family->leaf);
  client_thread = g_thread_new ("client", scene_shake_in_thread, scene->client);
  g_assert_true (scene_shake_one_hand (scene, scene->server, NULL, &server_error));
  g_assert_no_error (server_error);
  client_error = g_thread_join (client_thread);
  g_assert_no_error (client_error);
  scene_talk (scene);
  g_assert_cmpuint (person->n_passwords, ==, 1);
}

static void
wrong_password_is_asked_for_again (Scene *scene)
{
  static const char *const second[] = { "guess", "secret", NULL };
  g_autoptr (Person) person = add_person (scene->client, PERSON_PATIENT);

  person->passwords = second;
  lock_key (scene, scene->client, scene->forged_client);
  scene_authenticate (scene, G_TLS_AUTHENTICATION_REQUIRED);
  scene_shake_hands_well (scene);
  assert_server_sees (scene, scene->forged_client);
  g_assert_cmpuint (person->n_passwords, ==, 2);
  g_assert_cmpint (person->flags, ==, G_TLS_PASSWORD_RETRY);
}

static void
wrong_passwords_end (Scene *scene)
{
  static const char *const wrong[] = { "guess", NULL };

  for (PersonManner manner = PERSON_BLOCKING; manner <= PERSON_PATIENT; manner++)
    {
      g_autoptr (Person) person = add_person (scene->client, manner);

      person->passwords = wrong;
      lock_key (scene, scene->client, scene->forged_client);
      scene_authenticate (scene, G_TLS_AUTHENTICATION_REQUIRED);
      assert_refused (scene, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE_PASSWORD, G_TLS_ERROR_CERTIFICATE_REQUIRED);
      g_assert_cmpuint (person->n_passwords, ==, 3);
      g_assert_cmpint (person->flags, ==, G_TLS_PASSWORD_RETRY | G_TLS_PASSWORD_FINAL_TRY);
      scene_begin_again (scene);
    }
}

static void
no_password_is_told (Scene *scene)
{
  for (PersonManner manner = PERSON_BLOCKING; manner < PERSON_N_MANNERS; manner++)
    {
      g_autoptr (Person) person = add_person (scene->client, manner);

      person->password_result = G_TLS_INTERACTION_UNHANDLED;
      lock_key (scene, scene->client, scene->forged_client);
      scene_authenticate (scene, G_TLS_AUTHENTICATION_REQUIRED);
      assert_refused (scene, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE_PASSWORD, G_TLS_ERROR_CERTIFICATE_REQUIRED);
      scene_begin_again (scene);
    }

  g_assert_null (g_tls_connection_get_interaction (scene->client));
  lock_key (scene, scene->client, scene->forged_client);
  scene_authenticate (scene, G_TLS_AUTHENTICATION_REQUIRED);
  assert_refused (scene, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE_PASSWORD, G_TLS_ERROR_CERTIFICATE_REQUIRED);
}

static void
password_that_fails_is_told (Scene *scene)
{
  g_autoptr (Person) person = add_person (scene->client, PERSON_PATIENT);

  person->password_result = G_TLS_INTERACTION_FAILED;
  person->failure = g_error_new_literal (G_FILE_ERROR, G_FILE_ERROR_ACCES, "The safe is shut");
  lock_key (scene, scene->client, scene->forged_client);
  scene_authenticate (scene, G_TLS_AUTHENTICATION_REQUIRED);
  assert_refused (scene, G_FILE_ERROR, G_FILE_ERROR_ACCES, G_TLS_ERROR_CERTIFICATE_REQUIRED);
}

static void
password_can_be_cancelled (Scene *scene)
{
  static const char *const right[] = { "secret", NULL };

  for (PersonManner manner = PERSON_BLOCKING; manner <= PERSON_PATIENT; manner++)
    {
      g_autoptr (Person) person = add_person (scene->client, manner);

      person->passwords = right;
      lock_key (scene, scene->client, scene->forged_client);
      scene_authenticate (scene, G_TLS_AUTHENTICATION_REQUIRED);
      assert_cancelled_once (scene, person);
      g_assert_cmpuint (person->n_passwords, ==, 2);
      scene_begin_again (scene);
    }
}

/* Wanted and not there */

static void
certificate_without_its_key_is_told (Scene *scene)
{
  g_autoptr (GTlsCertificate) certificate = scene_certificate (scene, scene->forged_client, NULL);

  g_tls_connection_set_certificate (scene->client, certificate);
  scene_authenticate (scene, G_TLS_AUTHENTICATION_REQUIRED);
  assert_refused (scene, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, G_TLS_ERROR_CERTIFICATE_REQUIRED);
}

static void
server_without_a_key_is_told (Scene *scene)
{
  g_autoptr (GTlsCertificate) certificate = scene_certificate (scene, scene->family->leaf, NULL);
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;

  g_tls_connection_set_certificate (scene->server, certificate);
  scene_shake_hands (scene, &client_error, &server_error);
  g_assert_error (server_error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_assert_error (client_error, G_TLS_ERROR, G_TLS_ERROR_HANDSHAKE);
}

static void
server_without_a_certificate_is_told (Scene *scene)
{
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;

  g_object_set (scene->server, "certificate", NULL, NULL);
  scene_shake_hands (scene, &client_error, &server_error);
  g_assert_error (server_error, G_TLS_ERROR, G_TLS_ERROR_HANDSHAKE);
  g_assert_nonnull (strstr (server_error->message, "this server has no certificate"));
  g_assert_error (client_error, G_TLS_ERROR, G_TLS_ERROR_HANDSHAKE);
}

/* accepted-cas */

static void
free_names (GList *names)
{
  g_list_free_full (names, (GDestroyNotify) g_byte_array_unref);
}

static void
assert_root_is_named (Scene *scene)
{
  GList *names = g_tls_client_connection_get_accepted_cas (G_TLS_CLIENT_CONNECTION (scene->client));
  unsigned char *der = NULL;
  int length = i2d_X509_NAME (X509_get_subject_name (scene->family->root->x509), &der);
  const GByteArray *name;

  g_assert_cmpuint (g_list_length (names), ==, 1);
  name = names->data;
  g_assert_cmpmem (name->data, name->len, der, length);
  OPENSSL_free (der);
  free_names (names);
}

static void
count (GObject *object, GParamSpec *pspec, gpointer data)
{
  (*(guint *) data)++;
}

static void
authorities_are_named (Scene *scene)
{
  guint n_notified = 0;

  g_signal_connect (scene->client, "notify::accepted-cas", G_CALLBACK (count), &n_notified);
  scene_authenticate (scene, G_TLS_AUTHENTICATION_REQUESTED);
  g_assert_null (g_tls_client_connection_get_accepted_cas (G_TLS_CLIENT_CONNECTION (scene->client)));
  scene_shake_hands_well (scene);
  assert_root_is_named (scene);
  g_assert_cmpuint (n_notified, ==, 1);
}

/* "You can call get_accepted_cas() on the failed connection". */
static void
authorities_are_named_where_one_was_missing (Scene *scene)
{
  scene_authenticate (scene, G_TLS_AUTHENTICATION_REQUIRED);
  assert_refused (scene, G_TLS_ERROR, G_TLS_ERROR_CERTIFICATE_REQUIRED, G_TLS_ERROR_CERTIFICATE_REQUIRED);
  assert_root_is_named (scene);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define STORY(name) scene_add_story ("/contract/certificate/" #name, name)
  STORY (given_ahead_is_shown);
  STORY (given_ahead_keeps_the_person_in_peace);
  STORY (one_of_another_backend_is_shown);
  STORY (one_of_another_backend_without_its_key_is_told);
  STORY (nobody_asks_without_a_wish);
  STORY (requested_may_stay_away);
  STORY (required_and_missing_is_told_to_both);
  STORY (one_the_server_refuses_is_told_to_both);
  STORY (asked_for_is_shown);
  STORY (request_without_an_answer_goes_on_without);
  STORY (request_handled_without_a_certificate_goes_on_without);
  STORY (request_that_fails_is_told_where_the_server_insists);
  STORY (request_can_be_cancelled);
  scene_add_blocking_story ("/contract/certificate/person_is_asked_at_home", person_is_asked_at_home);
  STORY (password_opens_the_key);
  STORY (password_opens_the_key_of_a_requested_certificate);
  STORY (password_opens_the_key_of_a_server);
  STORY (wrong_password_is_asked_for_again);
  STORY (wrong_passwords_end);
  STORY (no_password_is_told);
  STORY (password_that_fails_is_told);
  STORY (password_can_be_cancelled);
  STORY (certificate_without_its_key_is_told);
  STORY (server_without_a_key_is_told);
  STORY (server_without_a_certificate_is_told);
  STORY (authorities_are_named);
  STORY (authorities_are_named_where_one_was_missing);

  return g_test_run ();
}
