/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tickets as bytes: what comes back, and which accidents are noticed.
 *
 * data/v1-*.ticket were written by version 0.1.0 and are never written anew: every later version must read them. They
 * hold certificates and secrets of this test's own server, long gone.
 */

#include "recipe.h"
#include "ticket/ticket-private.h"

#include <string.h>

#define DAY 86400

static void
assert_same (GTlsSessionTicket *a, GTlsSessionTicket *b)
{
  STACK_OF (X509) *chain_a = g_tls_session_ticket_get_chain (a), *chain_b = g_tls_session_ticket_get_chain (b);

  g_assert_cmpint (g_tls_session_ticket_get_protocol_version (a), ==, g_tls_session_ticket_get_protocol_version (b));
  g_assert_cmpstr (g_tls_session_ticket_get_ciphersuite_name (a), ==, g_tls_session_ticket_get_ciphersuite_name (b));
  g_assert_cmpstr (g_tls_session_ticket_get_server_name (a), ==, g_tls_session_ticket_get_server_name (b));
  g_assert_cmpstr (g_tls_session_ticket_get_application_protocol (a), ==,
                   g_tls_session_ticket_get_application_protocol (b));
  g_assert_true (g_date_time_equal (g_tls_session_ticket_get_received (a), g_tls_session_ticket_get_received (b)));
  g_assert_true (g_date_time_equal (g_tls_session_ticket_get_expires (a), g_tls_session_ticket_get_expires (b)));
  g_assert_cmpuint (g_tls_session_ticket_get_max_early_data (a), ==, g_tls_session_ticket_get_max_early_data (b));
  g_assert_cmpstr (g_tls_session_ticket_get_id (a), ==, g_tls_session_ticket_get_id (b));
  g_assert_cmpint (g_tls_session_ticket_was_accepted_by_hand (a), ==, g_tls_session_ticket_was_accepted_by_hand (b));
  g_assert_cmpint (sk_X509_num (chain_a), ==, sk_X509_num (chain_b));
  for (int i = 0; i < sk_X509_num (chain_a); i++)
    g_assert_cmpint (X509_cmp (sk_X509_value (chain_a, i), sk_X509_value (chain_b, i)), ==, 0);
}

/* What comes back */

static void
comes_back_whole (gconstpointer kind)
{
  g_autoptr (Pair) pair = pair_new (GPOINTER_TO_UINT (kind));
  g_autoptr (GTlsSessionTicket) ticket = NULL, back = NULL;
  g_autoptr (GBytes) bytes = NULL, bytes_again = NULL;
  g_autoptr (Link) link = NULL;

  pair_set_application_protocol (pair, HANDSHAKE_PROTOCOL);
  link = link_new (pair, NULL);
  ticket = g_tls_session_ticket_new (pair_get_session (pair), link_get_chain (link),
                                     "b\xc3\xbc"
                                     "cher.example",
                                     TRUE);
  g_tls_session_ticket_add_use (ticket);
  bytes = g_tls_session_ticket_to_bytes (ticket);
  back = read_ticket (bytes);
  bytes_again = g_tls_session_ticket_to_bytes (back);

  assert_same (ticket, back);
  g_assert_true (g_bytes_equal (bytes, bytes_again));
  g_assert_cmpuint (g_tls_session_ticket_get_uses (back), ==, 0);
  g_assert_true (g_tls_session_ticket_was_accepted_by_hand (back));
  g_assert_cmpint (sk_X509_num (g_tls_session_ticket_get_chain (back)), ==, 2);
}

static void
comes_back_without_what_it_lacked (void)
{
  g_autoptr (Pair) pair = pair_new (HANDSHAKE_TLS_1_3);
  g_autoptr (GTlsSessionTicket) ticket = NULL, back = NULL;

  link_free (link_new (pair, NULL));
  ticket = g_tls_session_ticket_new (pair_get_session (pair), NULL, NULL, FALSE);
  back = there_and_back (ticket);

  assert_same (ticket, back);
  g_assert_null (g_tls_session_ticket_get_server_name (back));
  g_assert_null (g_tls_session_ticket_get_application_protocol (back));
  g_assert_null (g_tls_session_ticket_get_chain (back));
  g_assert_false (g_tls_session_ticket_was_accepted_by_hand (back));
}

static void
resumes_after_coming_back (gconstpointer kind)
{
  g_autoptr (Pair) pair = pair_new (GPOINTER_TO_UINT (kind));
  g_autoptr (GTlsSessionTicket) ticket = NULL, back = NULL;
  g_autoptr (Link) resumed = NULL;
  SSL_SESSION *session;

  link_free (link_new (pair, NULL));
  ticket = g_tls_session_ticket_new (pair_get_session (pair), NULL, HANDSHAKE_HOST, FALSE);
  back = there_and_back (ticket);
  session = g_tls_session_ticket_dup_session (back);
  resumed = link_new (pair, session);
  SSL_SESSION_free (session);

  g_assert_true (SSL_session_reused (resumed->client));
  g_assert_true (SSL_session_reused (resumed->server));
}

static void
comes_back_expired (void)
{
  g_autoptr (Recipe) recipe = sound_recipe ();
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GBytes) bytes = NULL;
  const guint8 *der = g_bytes_get_data (recipe->session, NULL);
  SSL_SESSION *session = d2i_SSL_SESSION (NULL, &der, (long) g_bytes_get_size (recipe->session));

  SSL_SESSION_set_time (session, (long) (recipe->received - DAY));
  g_bytes_unref (recipe->session);
  recipe->session = session_to_der (session);
  recipe->received -= DAY;
  SSL_SESSION_free (session);

  bytes = cook (recipe);
  ticket = read_ticket (bytes);
  g_assert_false (g_tls_session_ticket_is_usable (ticket));
}

static void
is_written_as_documented (gconstpointer kind)
{
  g_autoptr (Recipe) recipe = recipe_of_kind (GPOINTER_TO_UINT (kind));
  g_autoptr (GBytes) expected = NULL, written = NULL;
  g_autoptr (GTlsSessionTicket) ticket = NULL;

  recipe->flags = 1;
  expected = cook (recipe);
  ticket = read_ticket (expected);
  written = g_tls_session_ticket_to_bytes (ticket);

  g_assert_true (g_tls_session_ticket_was_accepted_by_hand (ticket));
  g_assert_cmpstr (g_tls_session_ticket_get_server_name (ticket), ==, HANDSHAKE_HOST);
  g_assert_cmpmem (g_bytes_get_data (written, NULL), g_bytes_get_size (written), g_bytes_get_data (expected, NULL),
                   g_bytes_get_size (expected));
}

static void
reads_tickets_of_version_1 (gconstpointer kind)
{
  static const char *const ids[] = { "fe969b52718f614b", "27e6c798df220d1b", "6a25556201b64c18" };
  g_autofree char *name = g_strdup_printf ("v1-%s.ticket", handshake_kind_name (GPOINTER_TO_UINT (kind)));
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "data", name, NULL);
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GBytes) bytes = NULL, again = NULL;
  g_autoptr (GError) error = NULL;
  char *data;
  gsize length;

  g_assert_true (g_file_get_contents (path, &data, &length, &error));
  bytes = g_bytes_new_take (data, length);
  ticket = read_ticket (bytes);
  again = g_tls_session_ticket_to_bytes (ticket);

  g_assert_cmpstr (g_tls_session_ticket_get_server_name (ticket), ==, HANDSHAKE_HOST);
  g_assert_cmpstr (g_tls_session_ticket_get_application_protocol (ticket), ==, HANDSHAKE_PROTOCOL);
  g_assert_cmpint (sk_X509_num (g_tls_session_ticket_get_chain (ticket)), ==, 2);
  g_assert_cmpstr (g_tls_session_ticket_get_id (ticket), ==, ids[GPOINTER_TO_UINT (kind)]);
  g_assert_false (g_tls_session_ticket_is_usable (ticket));
  g_assert_true (g_bytes_equal (bytes, again));
}

/* Accidents */

static void
notices_every_flipped_bit (gconstpointer kind)
{
  g_autoptr (Recipe) recipe = recipe_of_kind (GPOINTER_TO_UINT (kind));
  g_autoptr (GBytes) sound = cook (recipe);
  gsize size = g_bytes_get_size (sound);
  g_autofree guint8 *data = g_memdup2 (g_bytes_get_data (sound, NULL), size);

  for (gsize i = 0; i < size * 8; i++)
    {
      data[i / 8] ^= 1 << i % 8;
      assert_data_bad (data, size, NULL);
      data[i / 8] ^= 1 << i % 8;
    }

  g_test_message ("%" G_GSIZE_FORMAT " bits flipped", size * 8);
}

static void
notices_every_byte_replaced (void)
{
  g_autoptr (Recipe) recipe = sound_recipe ();
  g_autoptr (GBytes) sound = cook (recipe);
  gsize size = g_bytes_get_size (sound);
  g_autofree guint8 *data = g_memdup2 (g_bytes_get_data (sound, NULL), size);

  for (gsize i = 0; i < size; i++)
    {
      data[i] = ~data[i];
      assert_data_bad (data, size, NULL);
      data[i] = ~data[i];
    }
}

static void
notices_every_truncation (gconstpointer kind)
{
  g_autoptr (Recipe) recipe = recipe_of_kind (GPOINTER_TO_UINT (kind));
  g_autoptr (GBytes) sound = cook (recipe);

  assert_data_bad ("", 0, "no bytes are there");
  for (gsize length = 1; length < g_bytes_get_size (sound); length++)
    assert_data_bad (g_bytes_get_data (sound, NULL), length, "is truncated: ");

  g_test_message ("%" G_GSIZE_FORMAT " lengths tried", g_bytes_get_size (sound));
}

static void
notices_what_follows (void)
{
  g_autoptr (Recipe) recipe = sound_recipe ();
  g_autoptr (GBytes) sound = cook (recipe);
  g_autoptr (GByteArray) array = g_byte_array_new ();

  append_bytes (array, sound);
  append_u32 (array, 0);
  assert_data_bad (array->data, array->len, "is followed by 4 that do not belong to it");
}

static void
says_what_is_no_ticket (void)
{
  g_autofree char *page = g_strnfill (4096, 'x');

  assert_data_bad ("-----BEGIN CERTIFICATE-----", 27, "are not a session ticket");
  assert_data_bad (page, 4096, "are not a session ticket");
  assert_data_bad ("GTLSTKX", 7, "are not a session ticket");
}

static void
says_what_is_newer (void)
{
  g_autoptr (Recipe) recipe = sound_recipe ();

  recipe->version = 2;
  assert_recipe_bad (recipe, "has the newer format version 2; this library reads up to version 1");
  assert_data_bad ("GTLSTKT\xff", 8, "has the newer format version 255");
  recipe->version = 0;
  assert_recipe_bad (recipe, "there is no format version 0");
}

static void
says_what_is_damaged (void)
{
  g_autoptr (Recipe) recipe = sound_recipe ();
  g_autoptr (GBytes) sound = cook (recipe);
  gsize size = g_bytes_get_size (sound);
  g_autofree guint8 *data = g_memdup2 (g_bytes_get_data (sound, NULL), size);

  data[size - 1] ^= 1;
  assert_data_bad (data, size, "is damaged: its checksum is wrong");
  data[8] = 0xff;
  assert_data_bad (data, size, "claims to be 4278");
  memset (data + 8, 0, 4);
  assert_data_bad (data, size, "claims to be 0 bytes long");
}

static void
add (const char *name, GTestDataFunc story)
{
  for (HandshakeKind kind = 0; kind < N_HANDSHAKE_KINDS; kind++)
    {
      g_autofree char *path = g_strdup_printf ("/ticket/bytes/%s/%s", name, handshake_kind_name (kind));

      g_test_add_data_func (path, GUINT_TO_POINTER (kind), story);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define STORY(name) g_test_add_func ("/ticket/bytes/" #name, name)
#define STORY_OF_EACH_KIND(name) add (#name, name)
  STORY_OF_EACH_KIND (comes_back_whole);
  STORY (comes_back_without_what_it_lacked);
  STORY_OF_EACH_KIND (resumes_after_coming_back);
  STORY (comes_back_expired);
  STORY_OF_EACH_KIND (is_written_as_documented);
  STORY_OF_EACH_KIND (reads_tickets_of_version_1);
  STORY_OF_EACH_KIND (notices_every_flipped_bit);
  STORY (notices_every_byte_replaced);
  STORY_OF_EACH_KIND (notices_every_truncation);
  STORY (notices_what_follows);
  STORY (says_what_is_no_ticket);
  STORY (says_what_is_newer);
  STORY (says_what_is_damaged);

  return g_test_run ();
}
