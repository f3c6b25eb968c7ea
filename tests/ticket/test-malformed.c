/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bytes with a good checksum and something wrong behind it, and the bounds of what a ticket holds. */

#include "recipe.h"
#include "ticket/ticket-private.h"

#include <string.h>

/* Behind a good checksum */

static void
refuses_unknown_flags (void)
{
  g_autoptr (Recipe) recipe = sound_recipe ();

  recipe->flags = 3;
  assert_recipe_bad (recipe, "unknown flags (0x00000003)");
}

static void
refuses_a_time_that_the_session_denies (void)
{
  g_autoptr (Recipe) recipe = sound_recipe ();

  recipe->received++;
  assert_recipe_bad (recipe, "contradicts its session about the time");
}

static void
refuses_times_out_of_range (void)
{
  static const gint64 times[] = { -1, G_GINT64_CONSTANT (253402300799), G_MAXINT64 };

  for (gsize i = 0; i < G_N_ELEMENTS (times); i++)
    {
      g_autoptr (Pair) pair = pair_new (HANDSHAKE_TLS_1_3);
      g_autoptr (Recipe) recipe = NULL;

      link_free (link_new (pair, NULL));
      SSL_SESSION_set_time (pair_get_session (pair), (long) times[i]);
      recipe = recipe_new (pair_get_session (pair), NULL);
      assert_recipe_bad (recipe, "time of receipt is out of range");
      g_assert_null (g_tls_session_ticket_new (pair_get_session (pair), NULL, NULL, FALSE));
    }
}

static void
refuses_sessions_that_openssl_cannot_read (void)
{
  g_autoptr (Recipe) recipe = sound_recipe ();

  change_session (recipe, "\x02\x01\x01\x02\x02\x03\x04", "\x02\x01\x02\x02\x02\x03\x04", 7);
  assert_recipe_bad (recipe, "OpenSSL cannot read its session (");
  replace (&recipe->session, "", 0);
  assert_recipe_bad (recipe, "OpenSSL cannot read its session (");
}

static void
refuses_more_than_a_session (void)
{
  g_autoptr (Recipe) recipe = sound_recipe ();
  g_autoptr (GByteArray) array = g_byte_array_new ();

  append_bytes (array, recipe->session);
  append_u32 (array, 0);
  replace (&recipe->session, array->data, array->len);
  assert_recipe_bad (recipe, "more than a session is in the session's field");
}

#define TLS_1_3_AES_256 "\x02\x02\x03\x04\x04\x02\x13\x02"

static void
refuses_unknown_versions (void)
{
  static const char *const unknown[] = { "\x02\x02\x03\x05\x04\x02\x13\x02", "\x02\x02\x03\x00\x04\x02\x13\x02",
                                         "\x02\x02\x03\x7f\x04\x02\x13\x02" };

  for (gsize i = 0; i < G_N_ELEMENTS (unknown); i++)
    {
      g_autoptr (Recipe) recipe = sound_recipe ();

      change_session (recipe, TLS_1_3_AES_256, unknown[i], 8);
      assert_recipe_bad (recipe, "its session is of an unknown protocol version");
    }
}

static void
reads_older_versions (void)
{
  static const GTlsProtocolVersion versions[] = { G_TLS_PROTOCOL_VERSION_TLS_1_0, G_TLS_PROTOCOL_VERSION_TLS_1_1 };
  static const char *const older[] = { "\x02\x02\x03\x01\x04\x02\xc0\x2c", "\x02\x02\x03\x02\x04\x02\xc0\x2c" };

  for (gsize i = 0; i < G_N_ELEMENTS (older); i++)
    {
      g_autoptr (Recipe) recipe = recipe_of_kind (HANDSHAKE_TLS_1_2_TICKET);
      g_autoptr (GTlsSessionTicket) ticket = NULL;
      g_autoptr (GBytes) bytes = NULL;

      change_session (recipe, "\x02\x02\x03\x03\x04\x02\xc0\x2c", older[i], 8);
      bytes = cook (recipe);
      ticket = read_ticket (bytes);
      g_assert_cmpint (g_tls_session_ticket_get_protocol_version (ticket), ==, versions[i]);
    }
}

static void
refuses_unknown_ciphersuites (void)
{
  g_autoptr (Recipe) unknown = sound_recipe (), of_tls_1_2 = sound_recipe ();
  g_autoptr (Recipe) of_tls_1_3 = recipe_of_kind (HANDSHAKE_TLS_1_2_TICKET);

  change_session (unknown, TLS_1_3_AES_256, "\x02\x02\x03\x04\x04\x02\x7f\x7f", 8);
  assert_recipe_bad (unknown, "OpenSSL cannot read its session");
  change_session (of_tls_1_2, TLS_1_3_AES_256, "\x02\x02\x03\x04\x04\x02\xc0\x2c", 8);
  assert_recipe_bad (of_tls_1_2, "ciphersuite is unknown, or not one of its protocol version");
  change_session (of_tls_1_3, "\x02\x02\x03\x03\x04\x02\xc0\x2c", "\x02\x02\x03\x03\x04\x02\x13\x02", 8);
  assert_recipe_bad (of_tls_1_3, "ciphersuite is unknown, or not one of its protocol version");
}

/* A secret of 48 bytes, under a suite whose hash has 32. */
static void
refuses_secrets_of_the_wrong_length (void)
{
  g_autoptr (Recipe) recipe = sound_recipe ();

  change_session (recipe, TLS_1_3_AES_256, "\x02\x02\x03\x04\x04\x02\x13\x01", 8);
  assert_recipe_bad (recipe, "secret has the wrong length");
}

static void
refuses_sessions_without_a_lifetime (void)
{
  g_autoptr (Recipe) recipe = sound_recipe ();

  change_session (recipe, "\xa9\x03\x02\x01\x64", "\xa9\x03\x02\x01\x00", 5);
  assert_recipe_bad (recipe, "its session has no lifetime");
}

static void
refuses_sessions_without_a_ticket (void)
{
  g_autoptr (Pair) pair = pair_new (HANDSHAKE_TLS_1_3);
  g_autoptr (Recipe) recipe = NULL;
  g_autoptr (Link) link = NULL;

  SSL_CTX_set_num_tickets (pair->server_context, 0);
  link = link_new (pair, NULL);
  recipe = recipe_new (SSL_get_session (link->client), NULL);
  assert_recipe_bad (recipe, "neither a ticket nor a session id");
}

/* TLS 1.3 has none; this one would be fine for TLS 1.2. */
static void
refuses_session_ids_in_tls_1_3 (void)
{
  g_autoptr (Recipe) recipe = recipe_of_kind (HANDSHAKE_TLS_1_2_SESSION_ID);

  change_session (recipe, "\x02\x02\x03\x03\x04\x02\xc0\x2c", TLS_1_3_AES_256, 8);
  assert_recipe_bad (recipe, "neither a ticket nor a session id");
}

static void
refuses_unsound_application_protocols (void)
{
  g_autoptr (Pair) pair = pair_new (HANDSHAKE_TLS_1_3);
  g_autoptr (Recipe) recipe = NULL;

  pair_set_application_protocol (pair, "\x0a\xfe");
  link_free (link_new (pair, NULL));
  recipe = recipe_new (pair_get_session (pair), NULL);
  assert_recipe_bad (recipe, "application protocol is not printable UTF-8");
  g_assert_null (g_tls_session_ticket_new (pair_get_session (pair), NULL, NULL, FALSE));
}

static void
refuses_unsound_server_names (void)
{
  g_autoptr (Recipe) recipe = sound_recipe ();
  g_autofree char *long_name = g_strnfill (256, 'a');
  const struct
  {
    const char *name;
    gsize length;
  } unsound[] = { { "a\0b", 3 }, { "a\0", 2 }, { "\xc3", 1 }, { "a\nb", 3 }, { "\x7f", 1 }, { long_name, 256 } };

  for (gsize i = 0; i < G_N_ELEMENTS (unsound); i++)
    {
      replace (&recipe->server_name, unsound[i].name, unsound[i].length);
      assert_recipe_bad (recipe, "server name is not printable UTF-8");
    }
}

static void
refuses_what_is_no_certificate (void)
{
  g_autoptr (Recipe) recipe = sound_recipe ();
  GBytes **issuer = (GBytes **) &recipe->certificates->pdata[1];
  g_autoptr (GByteArray) array = g_byte_array_new ();

  append_bytes (array, *issuer);
  append_u32 (array, 0);
  replace (issuer, array->data, array->len);
  assert_recipe_bad (recipe, "more than a certificate is in a certificate's field");
  replace (issuer, "no certificate", 14);
  assert_recipe_bad (recipe, "OpenSSL cannot read a certificate of its chain (");
}

static void
refuses_the_chain_of_another_server (void)
{
  g_autoptr (Recipe) recipe = sound_recipe ();
  GBytes *leaf = g_ptr_array_steal_index (recipe->certificates, 0);

  g_ptr_array_add (recipe->certificates, leaf);
  assert_recipe_bad (recipe, "does not begin with the certificate of its session");
}

static void
refuses_false_certificate_counts (void)
{
  g_autoptr (Recipe) recipe = sound_recipe ();

  recipe->claimed_certificates = 3;
  assert_recipe_bad (recipe, "a certificate does not fit in it");
  recipe->claimed_certificates = 1;
  assert_recipe_bad (recipe, "bytes follow its last field");
  recipe->claimed_certificates = G_MAXUINT32;
  assert_recipe_bad (recipe, "claims a chain of 4294967295 certificates, and at most 100 are read");
}

static void
refuses_what_no_field_holds (void)
{
  g_autoptr (Recipe) recipe = sound_recipe ();

  replace (&recipe->trailing, "?", 1);
  assert_recipe_bad (recipe, "1 bytes follow its last field");
}

/* Each length of a field, in its place, replaced by ones that go too far. */
static void
refuses_lengths_that_go_too_far (void)
{
  static const guint32 lengths[] = { 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffc, 100000 };
  g_autoptr (Recipe) recipe = sound_recipe ();
  g_autoptr (GBytes) sound = cook (recipe);
  gsize name = 24 + 4 + g_bytes_get_size (recipe->session);
  gsize first_certificate = name + 4 + strlen (HANDSHAKE_HOST) + 4;
  const gsize places[] = { 24, name, first_certificate };

  for (gsize i = 0; i < G_N_ELEMENTS (places) * G_N_ELEMENTS (lengths); i++)
    {
      GByteArray *array = g_byte_array_new ();
      guint32 length = GUINT32_TO_BE (lengths[i % G_N_ELEMENTS (lengths)]);
      g_autoptr (GBytes) bytes = NULL;

      g_byte_array_append (array, g_bytes_get_data (sound, NULL), g_bytes_get_size (sound) - DIGEST_SIZE);
      memcpy (array->data + places[i / G_N_ELEMENTS (lengths)], &length, 4);
      bytes = seal (array);
      assert_bad (bytes, "does not fit in it");
    }
}

/* The fields cut off at each length, the checksum right. */
static void
refuses_fields_cut_short (void)
{
  g_autoptr (Recipe) recipe = sound_recipe ();
  g_autoptr (GBytes) sound = cook (recipe);

  for (gsize length = 12; length < g_bytes_get_size (sound) - DIGEST_SIZE; length++)
    {
      GByteArray *array = g_byte_array_new ();
      g_autoptr (GBytes) bytes = NULL;

      g_byte_array_append (array, g_bytes_get_data (sound, NULL), length);
      bytes = seal (array);
      assert_bad (bytes, NULL);
    }
}

/* Bounds */

static void
holds_a_hundred_certificates_and_no_more (void)
{
  g_autoptr (Pair) pair = pair_new (HANDSHAKE_TLS_1_3);
  g_autoptr (GTlsSessionTicket) ticket = NULL, back = NULL;
  g_autoptr (Recipe) recipe = NULL;
  STACK_OF (X509) *chain;
  Link *link = link_new (pair, NULL);

  chain = X509_chain_up_ref (link_get_chain (link));
  link_free (link);
  while (sk_X509_num (chain) < 100)
    sk_X509_push (chain, handshake_make_certificate ("One of many"));
  ticket = g_tls_session_ticket_new (pair_get_session (pair), chain, NULL, FALSE);
  back = there_and_back (ticket);
  g_assert_cmpint (sk_X509_num (g_tls_session_ticket_get_chain (back)), ==, 100);

  sk_X509_push (chain, handshake_make_certificate ("One too many"));
  g_assert_null (g_tls_session_ticket_new (pair_get_session (pair), chain, NULL, FALSE));
  recipe = recipe_new (pair_get_session (pair), chain);
  assert_recipe_bad (recipe, "claims a chain of 101 certificates");
  sk_X509_pop_free (chain, X509_free);
}

static void
holds_a_mebibyte_and_no_more (void)
{
  g_autoptr (Recipe) recipe = sound_recipe ();
  g_autofree char *much = g_strnfill (1 << 20, 'x');

  replace (&recipe->trailing, much, 1 << 20);
  assert_recipe_bad (recipe, "and a ticket has 68 to 1048576");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define STORY(name) g_test_add_func ("/ticket/malformed/" #name, name)
  STORY (refuses_unknown_flags);
  STORY (refuses_a_time_that_the_session_denies);
  STORY (refuses_times_out_of_range);
  STORY (refuses_sessions_that_openssl_cannot_read);
  STORY (refuses_more_than_a_session);
  STORY (refuses_unknown_versions);
  STORY (reads_older_versions);
  STORY (refuses_unknown_ciphersuites);
  STORY (refuses_secrets_of_the_wrong_length);
  STORY (refuses_sessions_without_a_lifetime);
  STORY (refuses_sessions_without_a_ticket);
  STORY (refuses_session_ids_in_tls_1_3);
  STORY (refuses_unsound_application_protocols);
  STORY (refuses_unsound_server_names);
  STORY (refuses_what_is_no_certificate);
  STORY (refuses_the_chain_of_another_server);
  STORY (refuses_false_certificate_counts);
  STORY (refuses_what_no_field_holds);
  STORY (refuses_lengths_that_go_too_far);
  STORY (refuses_fields_cut_short);
  STORY (holds_a_hundred_certificates_and_no_more);
  STORY (holds_a_mebibyte_and_no_more);

  return g_test_run ();
}
