/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a handshake agrees on, what is known of it, and what cannot be agreed on again. */

#include <glib/gstdio.h>
#include <string.h>

#include <openssl/sslerr.h>

#include "stranger.h"

/* A system whose administrator has not given up on what RFC 8996 forbids. */
#define OLD_SYSTEM \
  "openssl_conf = main\n[main]\nssl_conf = ssl\n[ssl]\nsystem_default = old\n[old]\nMinProtocol = TLSv1\n" \
  "CipherString = DEFAULT:@SECLEVEL=0\n"

/* Before and after */

static void
count (GObject *object, GParamSpec *pspec, guint *n)
{
  (*n)++;
}

static void
version_and_cipher_are_known_from_the_handshake_on (Scene *scene)
{
  GTlsConnection *const sides[] = { scene->server, scene->client };
  guint n_versions = 0;
  guint n_ciphers = 0;

  g_signal_connect (scene->client, "notify::protocol-version", G_CALLBACK (count), &n_versions);
  g_signal_connect (scene->client, "notify::ciphersuite-name", G_CALLBACK (count), &n_ciphers);
  for (guint i = 0; i < G_N_ELEMENTS (sides); i++)
    {
      g_assert_cmpint (g_tls_connection_get_protocol_version (sides[i]), ==, G_TLS_PROTOCOL_VERSION_UNKNOWN);
      g_assert_null (g_tls_connection_get_ciphersuite_name (sides[i]));
    }

  scene_shake_hands_well (scene);
  scene_talk (scene);
  g_assert_cmpuint (n_versions, ==, 1);
  g_assert_cmpuint (n_ciphers, ==, 1);
  for (guint i = 0; i < G_N_ELEMENTS (sides); i++)
    {
      g_autofree char *cipher = g_tls_connection_get_ciphersuite_name (sides[i]);
      g_autoptr (GError) error = NULL;

      g_assert_cmpint (g_tls_connection_get_protocol_version (sides[i]), ==, scene->version);
      g_assert_true (g_str_has_prefix (cipher, "TLS_"));

      g_tls_session_connection_set_close_timeout (G_TLS_SESSION_CONNECTION (sides[i]), 0);
      g_assert_true (scene_close (scene, sides[i], &error));
      g_assert_no_error (error);
      g_assert_cmpint (g_tls_connection_get_protocol_version (sides[i]), ==, scene->version);
    }
}

static void
base_stream_is_kept (Scene *scene)
{
  g_autoptr (GIOStream) client_base = NULL;
  g_autoptr (GIOStream) server_base = NULL;

  g_object_get (scene->client, "base-io-stream", &client_base, NULL);
  g_object_get (scene->server, "base-io-stream", &server_base, NULL);
  g_assert_true (client_base == G_IO_STREAM (scene->client_socket));
  g_assert_true (server_base == G_IO_STREAM (scene->server_socket));
}

static void
handshake_once_more_does_nothing (Scene *scene)
{
  g_autoptr (GError) error = NULL;

  scene_shake_hands_well (scene);
  g_assert_true (scene_shake_one_hand (scene, scene->client, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (scene_shake_one_hand (scene, scene->server, NULL, &error));
  g_assert_no_error (error);
  scene_talk (scene);
}

G_GNUC_BEGIN_IGNORE_DEPRECATIONS
static void
old_settings_change_nothing (Scene *scene)
{
  GTlsRehandshakeMode before = g_tls_connection_get_rehandshake_mode (scene->client);

  g_tls_connection_set_rehandshake_mode (scene->client, G_TLS_REHANDSHAKE_UNSAFELY);
  g_tls_connection_set_rehandshake_mode (scene->server, G_TLS_REHANDSHAKE_UNSAFELY);
  g_assert_cmpint (g_tls_connection_get_rehandshake_mode (scene->client), ==, before);
  g_assert_false (g_tls_client_connection_get_use_ssl3 (G_TLS_CLIENT_CONNECTION (scene->client)));
  g_tls_client_connection_set_use_ssl3 (G_TLS_CLIENT_CONNECTION (scene->client), TRUE);
  scene_shake_hands_well (scene);
  scene_talk (scene);
  g_assert_cmpint (g_tls_connection_get_protocol_version (scene->client), ==, scene->version);
}

/* Renegotiation, which only TLS 1.2 has */

static void
renegotiate_as_client (Stranger *self)
{
  g_assert_cmpint (SSL_set_max_proto_version (self->ssl, TLS1_2_VERSION), ==, 1);
  g_assert_cmpint (SSL_do_handshake (self->ssl), ==, 1);
  g_assert_cmpint (SSL_renegotiate (self->ssl), ==, 1);
  g_assert_cmpint (SSL_do_handshake (self->ssl), !=, 1);
  self->reason = stranger_take_reason ();
}

static void
renegotiate_as_server (Stranger *self)
{
  char byte;

  g_assert_cmpint (SSL_do_handshake (self->ssl), ==, 1);
  g_assert_cmpint (SSL_renegotiate (self->ssl), ==, 1);
  g_assert_cmpint (SSL_do_handshake (self->ssl), ==, 1); /* asks the client for it */
  g_assert_cmpint (SSL_read (self->ssl, &byte, 1), <=, 0);
  self->reason = stranger_take_reason ();
}

static void
assert_not_renegotiated (Scene *scene, GTlsConnection *ours, GTlsConnection *place, StrangerPart part)
{
  Stranger stranger = { 0 };
  g_autoptr (GError) error = NULL;
  char byte;

  g_tls_connection_set_rehandshake_mode (ours, G_TLS_REHANDSHAKE_UNSAFELY);
  stranger_begin (&stranger, scene, place, part);
  g_assert_cmpint (scene_read (scene, ours, &byte, 1, &error), ==, -1);
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_MISC); /* the stranger ends in anger */
  stranger_end (&stranger);
  g_assert_cmpint (stranger.reason, ==, SSL_R_NO_RENEGOTIATION);
}
G_GNUC_END_IGNORE_DEPRECATIONS

static void
renegotiation_is_refused (Scene *scene)
{
  assert_not_renegotiated (scene, scene->server, scene->client, renegotiate_as_client);
  scene_begin_again (scene);
  assert_not_renegotiated (scene, scene->client, scene->server, renegotiate_as_server);
}

/* ALPN */

static void
assert_agreed (Scene *scene, const char *const *of_client, const char *const *of_server, const char *expected)
{
  guint n_notified = 0;

  g_signal_connect (scene->client, "notify::negotiated-protocol", G_CALLBACK (count), &n_notified);
  g_assert_null (g_tls_connection_get_negotiated_protocol (scene->client));
  g_tls_connection_set_advertised_protocols (scene->client, of_client);
  g_tls_connection_set_advertised_protocols (scene->server, of_server);
  scene_shake_hands_well (scene);
  scene_talk (scene);
  g_assert_cmpstr (g_tls_connection_get_negotiated_protocol (scene->client), ==, expected);
  g_assert_cmpstr (g_tls_connection_get_negotiated_protocol (scene->server), ==, expected);
  g_assert_cmpuint (n_notified, ==, 1);
  scene_begin_again (scene);
}

static const char *const old_and_new[] = { "old/1", "new/2", NULL };
static const char *const new_and_old[] = { "new/2", "old/1", NULL };
static const char *const other[] = { "other/3", NULL };

static void
protocol_of_both_is_agreed_on (Scene *scene)
{
  assert_agreed (scene, old_and_new, old_and_new, "old/1");
}

static void
order_of_the_server_decides (Scene *scene)
{
  assert_agreed (scene, old_and_new, new_and_old, "new/2");
}

static void
no_protocol_where_one_side_has_none (Scene *scene)
{
  assert_agreed (scene, old_and_new, NULL, NULL);
  assert_agreed (scene, NULL, old_and_new, NULL);
  assert_agreed (scene, NULL, NULL, NULL);
}

static void
no_protocol_where_none_is_in_common (Scene *scene)
{
  assert_agreed (scene, old_and_new, other, NULL);
}

static void
protocols_can_be_taken_back (Scene *scene)
{
  g_auto (GStrv) kept = NULL;

  g_tls_connection_set_advertised_protocols (scene->client, old_and_new);
  g_object_get (scene->client, "advertised-protocols", &kept, NULL);
  g_assert_cmpstrv (kept, old_and_new);
  assert_agreed (scene, NULL, old_and_new, NULL);
}

/* Channel bindings */

static GByteArray *
get_binding (GTlsConnection *side, GTlsChannelBindingType type)
{
  GByteArray *data = g_byte_array_new ();
  g_autoptr (GError) error = NULL;

  g_assert_true (g_tls_connection_get_channel_binding_data (side, type, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (g_tls_connection_get_channel_binding_data (side, type, data, &error));
  g_assert_no_error (error);
  return data;
}

static void
assert_bound_alike (Scene *scene, GTlsChannelBindingType type, guint length)
{
  g_autoptr (GByteArray) of_client = get_binding (scene->client, type);
  g_autoptr (GByteArray) of_server = get_binding (scene->server, type);

  g_assert_cmpuint (of_client->len, ==, length);
  g_assert_cmpmem (of_client->data, of_client->len, of_server->data, of_server->len);
}

static void
assert_no_binding (GTlsConnection *side, GTlsChannelBindingType type, GTlsChannelBindingError code)
{
  g_autoptr (GByteArray) data = g_byte_array_new ();
  g_autoptr (GError) error = NULL;

  g_assert_false (g_tls_connection_get_channel_binding_data (side, type, data, &error));
  g_assert_error (error, G_TLS_CHANNEL_BINDING_ERROR, (int) code);
  g_assert_cmpuint (data->len, ==, 0);
}

static void
bindings_are_alike_on_both_sides (Scene *scene)
{
  scene_shake_hands_well (scene);
  if (scene->version == G_TLS_PROTOCOL_VERSION_TLS_1_2)
    assert_bound_alike (scene, G_TLS_CHANNEL_BINDING_TLS_UNIQUE, 12);
  assert_bound_alike (scene, G_TLS_CHANNEL_BINDING_TLS_SERVER_END_POINT, 32);
  assert_bound_alike (scene, G_TLS_CHANNEL_BINDING_TLS_EXPORTER, 32);
}

/* Finished messages change places when a session is resumed (RFC 5929, section 3.1). */
static void
bindings_are_alike_where_it_was_resumed (Scene *scene)
{
  g_autoptr (GTlsSessionTicketKeys) keys = g_tls_session_ticket_keys_new (NULL);
  g_autoptr (GTlsConnection) source = NULL;

  g_object_set (scene->server, "ticket-keys", keys, NULL);
  scene_shake_hands_well (scene);
  scene_talk (scene);
  source = g_object_ref (scene->client);

  scene_begin_again (scene);
  g_object_set (scene->server, "ticket-keys", keys, NULL);
  g_tls_client_connection_copy_session_state (G_TLS_CLIENT_CONNECTION (scene->client),
                                              G_TLS_CLIENT_CONNECTION (source));
  bindings_are_alike_on_both_sides (scene);
  g_assert_cmpint (g_tls_session_connection_get_resumption (G_TLS_SESSION_CONNECTION (scene->client)), ==,
                   G_TLS_SESSION_RESUMPTION_RESUMED);
}

static void
bindings_differ_between_connections (Scene *scene)
{
  g_autoptr (GByteArray) before = NULL;
  g_autoptr (GByteArray) after = NULL;

  scene_shake_hands_well (scene);
  before = get_binding (scene->client, G_TLS_CHANNEL_BINDING_TLS_EXPORTER);
  scene_begin_again (scene);
  scene_shake_hands_well (scene);
  after = get_binding (scene->client, G_TLS_CHANNEL_BINDING_TLS_EXPORTER);
  g_assert_true (memcmp (before->data, after->data, MIN (before->len, after->len)) != 0);
}

static void
no_binding_before_the_handshake (Scene *scene)
{
  assert_no_binding (scene->client, G_TLS_CHANNEL_BINDING_TLS_UNIQUE, G_TLS_CHANNEL_BINDING_ERROR_INVALID_STATE);
  assert_no_binding (scene->client, G_TLS_CHANNEL_BINDING_TLS_SERVER_END_POINT,
                     G_TLS_CHANNEL_BINDING_ERROR_INVALID_STATE);
  assert_no_binding (scene->server, G_TLS_CHANNEL_BINDING_TLS_EXPORTER, G_TLS_CHANNEL_BINDING_ERROR_INVALID_STATE);
}

static void
no_binding_of_a_type_that_is_unknown (Scene *scene)
{
  const GTlsChannelBindingType unknown = (GTlsChannelBindingType) 100000;
  g_autoptr (GError) error = NULL;

  g_assert_false (g_tls_connection_get_channel_binding_data (scene->client, unknown, NULL, &error));
  g_assert_error (error, G_TLS_CHANNEL_BINDING_ERROR, G_TLS_CHANNEL_BINDING_ERROR_NOT_IMPLEMENTED);
  scene_shake_hands_well (scene);
  assert_no_binding (scene->client, unknown, G_TLS_CHANNEL_BINDING_ERROR_NOT_IMPLEMENTED);
}

static void
no_tls_unique_in_tls13 (Scene *scene)
{
  scene_shake_hands_well (scene);
  assert_no_binding (scene->client, G_TLS_CHANNEL_BINDING_TLS_UNIQUE, G_TLS_CHANNEL_BINDING_ERROR_NOT_SUPPORTED);
  assert_no_binding (scene->server, G_TLS_CHANNEL_BINDING_TLS_UNIQUE, G_TLS_CHANNEL_BINDING_ERROR_NOT_SUPPORTED);
}

static EVP_PKEY *
new_ed25519_key (void)
{
  EVP_PKEY *key = EVP_PKEY_Q_keygen (NULL, NULL, "ED25519");

  g_assert_nonnull (key);
  return key;
}

static gboolean
accept_all (GTlsConnection *connection, GTlsCertificate *certificate, GTlsCertificateFlags errors, gpointer data)
{
  return TRUE;
}

/* "a certificate which has no hash function": Ed25519 signs without one. */
static void
no_end_point_without_a_hash (Scene *scene)
{
  g_autoptr (Forged) hashless = forge (&(Order){ .name = "server.example.org" }, NULL);
  g_autoptr (GTlsCertificate) certificate = NULL;
  g_autofree char *pem = NULL;

  EVP_PKEY_free (hashless->key);
  hashless->key = new_ed25519_key ();
  g_assert_cmpint (X509_set_pubkey (hashless->x509, hashless->key), ==, 1);
  g_assert_cmpint (X509_sign (hashless->x509, hashless->key, NULL), >, 0);
  pem = joined (forged_to_pem (hashless), key_as_pkcs8 (hashless), NULL);
  certificate = G_TLS_CERTIFICATE (certificate_from (pem));

  g_tls_connection_set_certificate (scene->server, certificate);
  g_signal_connect (scene->client, "accept-certificate", G_CALLBACK (accept_all), NULL);
  scene_shake_hands_well (scene);
  assert_no_binding (scene->client, G_TLS_CHANNEL_BINDING_TLS_SERVER_END_POINT,
                     G_TLS_CHANNEL_BINDING_ERROR_NOT_SUPPORTED);
  assert_no_binding (scene->server, G_TLS_CHANNEL_BINDING_TLS_SERVER_END_POINT,
                     G_TLS_CHANNEL_BINDING_ERROR_NOT_SUPPORTED);
}

static void
end_point_is_the_hash_of_the_servers_certificate (Scene *scene)
{
  g_autoptr (GByteArray) binding = NULL;
  g_autoptr (GBytes) der = forged_to_der (scene->family->leaf);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;

  g_assert_cmpint (
    EVP_Digest (g_bytes_get_data (der, NULL), g_bytes_get_size (der), digest, &length, EVP_sha256 (), NULL), ==, 1);
  scene_shake_hands_well (scene);
  binding = get_binding (scene->client, G_TLS_CHANNEL_BINDING_TLS_SERVER_END_POINT);
  g_assert_cmpmem (binding->data, binding->len, digest, length);
}

static void
shake_without_extended_master_secret (Stranger *self)
{
  char byte;

  SSL_set_options (self->ssl, SSL_OP_NO_EXTENDED_MASTER_SECRET);
  g_assert_cmpint (SSL_set_max_proto_version (self->ssl, TLS1_2_VERSION), ==, 1);
  g_assert_cmpint (SSL_do_handshake (self->ssl), ==, 1);
  g_assert_cmpint (SSL_read (self->ssl, &byte, 1), <=, 0);
}

/* RFC 9266, section 4.2 */
static void
no_exporter_without_extended_master_secret (Scene *scene)
{
  Stranger stranger = { 0 };
  g_autoptr (GError) error = NULL;

  stranger_begin (&stranger, scene, scene->client, shake_without_extended_master_secret);
  g_assert_true (scene_shake_one_hand (scene, scene->server, NULL, &error));
  g_assert_no_error (error);
  assert_no_binding (scene->server, G_TLS_CHANNEL_BINDING_TLS_EXPORTER, G_TLS_CHANNEL_BINDING_ERROR_NOT_SUPPORTED);
  g_assert_true (g_output_stream_close (scene_output (scene->server), NULL, &error));
  stranger_end (&stranger);
}

static void
let_openssl_be_old (void)
{
  g_autofree char *directory = g_dir_make_tmp ("gtls-session-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (directory, "openssl.cnf", NULL);

  write_file (path, OLD_SYSTEM, strlen (OLD_SYSTEM));
  g_setenv ("OPENSSL_CONF", path, TRUE);
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
  g_test_trap_assert_passed ();
  g_unsetenv ("OPENSSL_CONF");
  g_unlink (path);
  g_rmdir (directory);
}

/* In a process of its own, whose OpenSSL would let it. */
static void
nobody_can_agree_to_old_versions (Scene *scene)
{
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;

  if (!g_test_subprocess ())
    {
      let_openssl_be_old ();
      return;
    }

  g_object_set (scene->client, "minimum-protocol-version", G_TLS_PROTOCOL_VERSION_TLS_1_0, "maximum-protocol-version",
                G_TLS_PROTOCOL_VERSION_TLS_1_1, NULL);
  g_object_set (scene->server, "minimum-protocol-version", G_TLS_PROTOCOL_VERSION_TLS_1_0, "maximum-protocol-version",
                G_TLS_PROTOCOL_VERSION_UNKNOWN, NULL);
  scene_shake_hands (scene, &client_error, &server_error);
  g_assert_error (client_error, G_TLS_ERROR, G_TLS_ERROR_HANDSHAKE);
  g_assert_nonnull (server_error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define STORY(name) scene_add_story ("/contract/agreement/" #name, name)
#define SINGLE(name) scene_add_single_story ("/contract/agreement/" #name, name)
  STORY (version_and_cipher_are_known_from_the_handshake_on);
  SINGLE (base_stream_is_kept);
  STORY (handshake_once_more_does_nothing);
  STORY (old_settings_change_nothing);
  scene_add_tls12_story ("/contract/agreement/renegotiation_is_refused", renegotiation_is_refused);
  STORY (protocol_of_both_is_agreed_on);
  STORY (order_of_the_server_decides);
  STORY (no_protocol_where_one_side_has_none);
  STORY (no_protocol_where_none_is_in_common);
  STORY (protocols_can_be_taken_back);
  STORY (bindings_are_alike_on_both_sides);
  STORY (bindings_are_alike_where_it_was_resumed);
  STORY (bindings_differ_between_connections);
  STORY (no_binding_before_the_handshake);
  STORY (no_binding_of_a_type_that_is_unknown);
  SINGLE (no_tls_unique_in_tls13);
  SINGLE (no_end_point_without_a_hash);
  STORY (end_point_is_the_hash_of_the_servers_certificate);
  SINGLE (no_exporter_without_extended_master_secret);
  SINGLE (nobody_can_agree_to_old_versions);

  return g_test_run ();
}
