/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scene.h"

#include <string.h>
#include <sys/socket.h>

#include <glib/gstdio.h>

/* Making */

void
scene_pair_of_sockets (GSocketConnection **one, GSocketConnection **other)
{
  int fds[2];
  GSocketConnection **ends[] = { one, other };

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GSocket) socket = g_socket_new_from_fd (fds[i], &error);

      g_assert_no_error (error);
      *ends[i] = g_socket_connection_factory_create_connection (socket);
    }
}

GTlsCertificate *
scene_certificate (Scene *scene, const Forged *leaf, char *key)
{
  g_autofree char *pem = joined (forged_to_pem (leaf), forged_to_pem (scene->family->intermediate),
                                 key != NULL ? key : g_strdup (""), NULL);

  return G_TLS_CERTIFICATE (certificate_from (pem));
}

static void
make_connections (Scene *scene)
{
  g_autoptr (GSocketConnectable) identity = g_network_address_new ("server.example.org", 443);
  g_autoptr (GTlsCertificate)
    certificate = scene_certificate (scene, scene->family->leaf, key_as_pkcs8 (scene->family->leaf));
  g_autoptr (GError) error = NULL;

  scene_pair_of_sockets (&scene->client_socket, &scene->server_socket);
  scene->client = G_TLS_CONNECTION (
    g_tls_session_client_connection_new (G_IO_STREAM (scene->client_socket), identity, &error));
  g_assert_no_error (error);
  scene->server = G_TLS_CONNECTION (
    g_tls_session_server_connection_new (G_IO_STREAM (scene->server_socket), certificate, &error));
  g_assert_no_error (error);

  g_tls_connection_set_database (scene->client, scene->database);
  g_tls_connection_set_database (scene->server, scene->database);
  g_tls_session_connection_set_minimum_protocol_version (G_TLS_SESSION_CONNECTION (scene->client), scene->version);
  g_tls_session_connection_set_maximum_protocol_version (G_TLS_SESSION_CONNECTION (scene->client), scene->version);
}

/* What listens is the story's, and the story is over, though there may be something to be told yet. The other end is
 * not always there to answer a close, and not every story is about that.
 */
static void
drop_side (GTlsConnection **side)
{
  if (*side == NULL)
    return;
  g_signal_handlers_destroy (*side);
  g_tls_session_connection_set_close_timeout (G_TLS_SESSION_CONNECTION (*side), 0);
  g_clear_object (side);
}

static void
drop_connections (Scene *scene)
{
  drop_side (&scene->client);
  drop_side (&scene->server);
  g_clear_object (&scene->client_socket);
  g_clear_object (&scene->server_socket);
}

void
scene_begin_again (Scene *scene)
{
  drop_connections (scene);
  make_connections (scene);
}

static char *
write_anchors (const Forged *root)
{
  g_autofree char *pem = forged_to_pem (root);
  g_autoptr (GError) error = NULL;
  char *path = NULL;
  int fd = g_file_open_tmp ("contract-XXXXXX.pem", &path, &error);

  g_assert_no_error (error);
  g_close (fd, NULL);
  write_file (path, pem, strlen (pem));
  return path;
}

static Scene *
scene_new (GTlsProtocolVersion version, SceneManner manner)
{
  Scene *self = g_new0 (Scene, 1);
  g_autoptr (GError) error = NULL;

  self->version = version;
  self->manner = manner;
  self->family = family_new ();
  self->forged_client = forge (&(Order){ .name = "A client", .extended_key_usage = "clientAuth" },
                               self->family->intermediate);
  self->client_certificate = scene_certificate (self, self->forged_client, key_as_pkcs8 (self->forged_client));
  self->anchors = write_anchors (self->family->root);
  self->database = G_TLS_DATABASE (g_tls_session_file_database_new (self->anchors, &error));
  g_assert_no_error (error);
  make_connections (self);
  return self;
}

static void
scene_free (Scene *self)
{
  drop_connections (self);
  g_clear_object (&self->database);
  g_clear_object (&self->client_certificate);
  forged_free (self->forged_client);
  family_free (self->family);
  g_unlink (self->anchors);
  g_free (self->anchors);
  g_free (self);
}

/* Telling */

typedef struct
{
  Story story;
} Telling;

static void
tell (gconstpointer data, GTlsProtocolVersion version, SceneManner manner)
{
  const Telling *telling = data;
  Scene *scene = scene_new (version, manner);

  g_test_message ("TLS 1.%d, %s", version == G_TLS_PROTOCOL_VERSION_TLS_1_3 ? 3 : 2,
                  manner == SCENE_ASYNC ? "asynchronously" : "blocking");
  telling->story (scene);
  scene_free (scene);
}

static void
tell_in_tls12 (gconstpointer data)
{
  tell (data, G_TLS_PROTOCOL_VERSION_TLS_1_2, SCENE_BLOCKING);
  tell (data, G_TLS_PROTOCOL_VERSION_TLS_1_2, SCENE_ASYNC);
}

static void
tell_once (gconstpointer data)
{
  tell (data, G_TLS_PROTOCOL_VERSION_TLS_1_3, SCENE_BLOCKING);
}

static void
tell_blocking (gconstpointer data)
{
  tell (data, G_TLS_PROTOCOL_VERSION_TLS_1_2, SCENE_BLOCKING);
  tell (data, G_TLS_PROTOCOL_VERSION_TLS_1_3, SCENE_BLOCKING);
}

static void
tell_in_all_ways (gconstpointer data)
{
  tell_blocking (data);
  tell (data, G_TLS_PROTOCOL_VERSION_TLS_1_2, SCENE_ASYNC);
  tell (data, G_TLS_PROTOCOL_VERSION_TLS_1_3, SCENE_ASYNC);
}

static void
add (const char *path, Story story, GTestDataFunc teller)
{
  Telling *telling = g_new (Telling, 1);

  telling->story = story;
  g_test_add_data_func_full (path, telling, teller, g_free);
}

void
scene_add_story (const char *path, Story story)
{
  add (path, story, tell_in_all_ways);
}

void
scene_add_blocking_story (const char *path, Story story)
{
  add (path, story, tell_blocking);
}

void
scene_add_tls12_story (const char *path, Story story)
{
  add (path, story, tell_in_tls12);
}

void
scene_add_single_story (const char *path, Story story)
{
  add (path, story, tell_once);
}

/* The handshake */

gboolean
scene_accept_faultless (GTlsConnection *connection,
                        GTlsCertificate *certificate,
                        GTlsCertificateFlags errors,
                        gpointer data)
{
  return errors == 0;
}

void
scene_authenticate (Scene *scene, GTlsAuthenticationMode mode)
{
  g_object_set (scene->server, "authentication-mode", mode, NULL);
  g_signal_connect (scene->server, "accept-certificate", G_CALLBACK (scene_accept_faultless), NULL);
}

gpointer
scene_shake_in_thread (gpointer connection)
{
  GError *error = NULL;

  g_tls_connection_handshake (connection, NULL, &error);
  return error;
}

static void
finish_hand (GTlsConnection *side, GAsyncResult **result, GError **error)
{
  g_autoptr (GAsyncResult) awaited = client_await (result);
  gboolean done = g_tls_connection_handshake_finish (side, awaited, error);

  g_assert_true (done == (*error == NULL));
}

gboolean
scene_shake_one_hand (Scene *scene, GTlsConnection *side, GCancellable *cancellable, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  if (scene->manner == SCENE_BLOCKING)
    return g_tls_connection_handshake (side, cancellable, error);

  g_tls_connection_handshake_async (side, G_PRIORITY_DEFAULT, cancellable, client_keep_result, &result);
  finish_hand (side, &result, error);
  return *error == NULL;
}

void
scene_shake_hands (Scene *scene, GError **client_error, GError **server_error)
{
  g_autoptr (GAsyncResult) client_result = NULL;
  g_autoptr (GAsyncResult) server_result = NULL;

  if (scene->manner == SCENE_BLOCKING)
    {
      GThread *thread = g_thread_new ("server", scene_shake_in_thread, scene->server);

      g_tls_connection_handshake (scene->client, NULL, client_error);
      *server_error = g_thread_join (thread);
      return;
    }

  g_tls_connection_handshake_async (scene->server, G_PRIORITY_DEFAULT, NULL, client_keep_result, &server_result);
  g_tls_connection_handshake_async (scene->client, G_PRIORITY_DEFAULT, NULL, client_keep_result, &client_result);
  finish_hand (scene->client, &client_result, client_error);
  finish_hand (scene->server, &server_result, server_error);
}

void
scene_shake_hands_well (Scene *scene)
{
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;

  scene_shake_hands (scene, &client_error, &server_error);
  g_assert_no_error (client_error);
  g_assert_no_error (server_error);
}

/* Talking */

GInputStream *
scene_input (GTlsConnection *side)
{
  return g_io_stream_get_input_stream (G_IO_STREAM (side));
}

GOutputStream *
scene_output (GTlsConnection *side)
{
  return g_io_stream_get_output_stream (G_IO_STREAM (side));
}

gssize
scene_read (Scene *scene, GTlsConnection *side, void *buffer, gsize size, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) awaited = NULL;

  if (scene->manner == SCENE_BLOCKING)
    return g_input_stream_read (scene_input (side), buffer, size, NULL, error);

  g_input_stream_read_async (scene_input (side), buffer, size, G_PRIORITY_DEFAULT, NULL, client_keep_result, &result);
  awaited = client_await (&result);
  return g_input_stream_read_finish (scene_input (side), awaited, error);
}

gssize
scene_write (Scene *scene, GTlsConnection *side, const void *bytes, gsize size, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) awaited = NULL;

  if (scene->manner == SCENE_BLOCKING)
    return g_output_stream_write (scene_output (side), bytes, size, NULL, error);

  g_output_stream_write_async (scene_output (side), bytes, size, G_PRIORITY_DEFAULT, NULL, client_keep_result, &result);
  awaited = client_await (&result);
  return g_output_stream_write_finish (scene_output (side), awaited, error);
}

/* @stream: a GIOStream, GInputStream or GOutputStream. */
gboolean
scene_close (Scene *scene, gpointer stream, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) awaited = NULL;
  gboolean blocking = scene->manner == SCENE_BLOCKING;

  if (G_IS_IO_STREAM (stream))
    {
      if (blocking)
        return g_io_stream_close (stream, NULL, error);
      g_io_stream_close_async (stream, G_PRIORITY_DEFAULT, NULL, client_keep_result, &result);
      awaited = client_await (&result);
      return g_io_stream_close_finish (stream, awaited, error);
    }
  if (G_IS_INPUT_STREAM (stream))
    {
      if (blocking)
        return g_input_stream_close (stream, NULL, error);
      g_input_stream_close_async (stream, G_PRIORITY_DEFAULT, NULL, client_keep_result, &result);
      awaited = client_await (&result);
      return g_input_stream_close_finish (stream, awaited, error);
    }
  if (blocking)
    return g_output_stream_close (stream, NULL, error);
  g_output_stream_close_async (stream, G_PRIORITY_DEFAULT, NULL, client_keep_result, &result);
  awaited = client_await (&result);
  return g_output_stream_close_finish (stream, awaited, error);
}

void
scene_say (Scene *scene, GTlsConnection *from, GTlsConnection *to, const char *text)
{
  gsize size = strlen (text);
  g_autofree char *heard = g_malloc0 (size + 1);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (scene_write (scene, from, text, size, &error), ==, (gssize) size);
  g_assert_no_error (error);
  g_assert_cmpint (scene_read (scene, to, heard, size, &error), ==, (gssize) size);
  g_assert_no_error (error);
  g_assert_cmpstr (heard, ==, text);
}

void
scene_talk (Scene *scene)
{
  scene_say (scene, scene->client, scene->server, "hello");
  scene_say (scene, scene->server, scene->client, "good day");
}
