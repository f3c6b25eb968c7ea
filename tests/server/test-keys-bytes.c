/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The bytes of ticket keys, held to doc/ticket-keys-format.md by a second writer of the format, made from that page and
 * not from the library. It can be wrong in one thing and right in all others, its checksum included.
 */

#include <string.h>

#include "calendar.h"
#include "meeting.h"

#define MAGIC "GTLSKEY"
#define HEAD_SIZE 16
#define KEY_SIZE 88
#define DIGEST_SIZE 32

typedef struct
{
  guint8 version;
  guint32 lifetime;
  guint32 claimed_keys;
  guint n_keys;
  guint64 first_retired;
  guint64 others_retired;
  guint n_trailing;
} Recipe;

static Recipe
sound_recipe (void)
{
  return (Recipe){
    .version = 1, .lifetime = 3600, .claimed_keys = 2, .n_keys = 2, .others_retired = (guint64) calendar_now () - 10
  };
}

static void
append_big_endian (GByteArray *array, guint64 value, guint size)
{
  guint64 big = GUINT64_TO_BE (value);

  g_byte_array_append (array, (const guint8 *) &big + (8 - size), size);
}

static GBytes *
seal (GByteArray *array)
{
  guint8 digest[DIGEST_SIZE];
  gsize length = sizeof digest;
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);

  g_checksum_update (checksum, array->data, array->len);
  g_checksum_get_digest (checksum, digest, &length);
  g_byte_array_append (array, digest, DIGEST_SIZE);
  return g_byte_array_free_to_bytes (array);
}

static GBytes *
cook (const Recipe *recipe)
{
  GByteArray *array = g_byte_array_new ();

  g_byte_array_append (array, (const guint8 *) MAGIC, 7);
  append_big_endian (array, recipe->version, 1);
  append_big_endian (array, recipe->lifetime, 4);
  append_big_endian (array, recipe->claimed_keys, 4);
  for (guint i = 0; i < recipe->n_keys; i++)
    {
      guint8 name_and_keys[80];

      memset (name_and_keys, 'a' + (int) i, sizeof name_and_keys);
      g_byte_array_append (array, name_and_keys, sizeof name_and_keys);
      append_big_endian (array, i == 0 ? recipe->first_retired : recipe->others_retired, 8);
    }
  for (guint i = 0; i < recipe->n_trailing; i++)
    append_big_endian (array, 0, 1);
  return seal (array);
}

static void
assert_bad (GBytes *bytes, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionTicketKeys) keys = g_tls_session_ticket_keys_new_from_bytes (bytes, &error);

  g_assert_null (keys);
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA);
  g_assert_nonnull (strstr (error->message, words));
  assert_queue_is_empty ();
}

static void
assert_recipe_bad (const Recipe *recipe, const char *words)
{
  g_autoptr (GBytes) bytes = cook (recipe);

  assert_bad (bytes, words);
}

static GTlsSessionTicketKeys *
read_keys (GBytes *bytes)
{
  g_autoptr (GError) error = NULL;
  GTlsSessionTicketKeys *keys = g_tls_session_ticket_keys_new_from_bytes (bytes, &error);

  g_assert_no_error (error);
  return keys;
}

static GTlsSessionTicketKeys *
rotated_keys (void)
{
  GTlsSessionTicketKeys *keys = keys_new ();
  g_autoptr (GError) error = NULL;

  g_tls_session_ticket_keys_set_lifetime (keys, 1234);
  g_assert_true (g_tls_session_ticket_keys_rotate (keys, &error));
  g_assert_no_error (error);
  return keys;
}

static void
bytes_go_there_and_back (void)
{
  g_autoptr (GTlsSessionTicketKeys) keys = rotated_keys ();
  g_autoptr (GTlsSessionTicketKeys) copy = keys_there_and_back (keys);
  g_autoptr (GBytes) bytes = g_tls_session_ticket_keys_to_bytes (keys);
  g_autoptr (GBytes) bytes_of_copy = g_tls_session_ticket_keys_to_bytes (copy);

  g_assert_cmpuint (g_bytes_get_size (bytes), ==, HEAD_SIZE + 2 * KEY_SIZE + DIGEST_SIZE);
  g_assert_true (g_bytes_equal (bytes, bytes_of_copy));
  g_assert_cmpuint (g_tls_session_ticket_keys_get_lifetime (copy), ==, 1234);
  g_assert_cmpuint (g_tls_session_ticket_keys_get_n_keys (copy), ==, 2);
}

/* What the page says, the library reads, and writes again. */
static void
page_and_library_agree (void)
{
  Recipe recipe = sound_recipe ();
  g_autoptr (GBytes) bytes = cook (&recipe);
  g_autoptr (GTlsSessionTicketKeys) keys = read_keys (bytes);
  g_autoptr (GBytes) again = g_tls_session_ticket_keys_to_bytes (keys);

  g_assert_cmpuint (g_tls_session_ticket_keys_get_n_keys (keys), ==, 2);
  g_assert_cmpuint (g_tls_session_ticket_keys_get_lifetime (keys), ==, 3600);
  g_assert_true (g_bytes_equal (bytes, again));
}

static gboolean
holds_name (GBytes *bytes, char letter)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  guint n_alike = 0;

  for (gsize i = 0; i < size && n_alike < 16; i++)
    n_alike = data[i] == (guint8) letter ? n_alike + 1 : 0;
  return n_alike == 16;
}

/* By its name, in the ticket itself, for everybody to see. */
static void
first_key_seals (void)
{
  Recipe recipe = sound_recipe ();
  g_autoptr (GBytes) bytes = cook (&recipe);
  g_autoptr (GTlsSessionTicketKeys) keys = read_keys (bytes);
  g_autoptr (Papers) papers = papers_new ();
  Host host = host_of (papers, keys, G_TLS_PROTOCOL_VERSION_TLS_1_3);
  g_autoptr (GTlsSessionTicket) ticket = obtain_ticket (&host, papers);
  g_autoptr (GBytes) exported = g_tls_session_ticket_to_bytes (ticket);

  g_assert_true (holds_name (exported, 'a'));
  g_assert_false (holds_name (exported, 'b'));
}

static void
key_that_is_over_is_thrown_away (void)
{
  Recipe recipe = sound_recipe ();
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GTlsSessionTicketKeys) keys = NULL;

  recipe.others_retired = (guint64) calendar_now () - 3700;
  bytes = cook (&recipe);
  keys = read_keys (bytes);
  g_assert_cmpuint (g_tls_session_ticket_keys_get_n_keys (keys), ==, 1);
}

static void
every_length_but_the_right_one_is_bad (void)
{
  g_autoptr (GTlsSessionTicketKeys) keys = rotated_keys ();
  g_autoptr (GBytes) bytes = g_tls_session_ticket_keys_to_bytes (keys);
  gsize size = g_bytes_get_size (bytes);
  g_autofree guint8 *longer = g_malloc0 (size + 1);

  for (gsize length = 0; length < size; length++)
    {
      g_autoptr (GBytes) cut = g_bytes_new_from_bytes (bytes, 0, length);

      assert_bad (cut, "The bytes are no ticket keys");
    }

  memcpy (longer, g_bytes_get_data (bytes, NULL), size);
  {
    g_autoptr (GBytes) more = g_bytes_new (longer, size + 1);

    assert_bad (more, "another length");
  }
}

static void
every_changed_byte_is_found (void)
{
  g_autoptr (GTlsSessionTicketKeys) keys = rotated_keys ();
  g_autoptr (GBytes) bytes = g_tls_session_ticket_keys_to_bytes (keys);
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  g_autofree guint8 *copy = g_memdup2 (data, size);

  for (gsize i = 0; i < size; i++)
    for (guint bit = 0; bit < 8; bit++)
      {
        g_autoptr (GBytes) changed = NULL;

        copy[i] = data[i] ^ (guint8) (1 << bit);
        changed = g_bytes_new (copy, size);
        assert_bad (changed, "The bytes are no ticket keys");
        copy[i] = data[i];
      }
}

static void
newer_format_is_called_so (void)
{
  Recipe recipe = sound_recipe ();

  recipe.version = 2;
  assert_recipe_bad (&recipe, "newer format");
  recipe.version = 0;
  assert_recipe_bad (&recipe, "no such format");
}

static void
sums_must_be_right_in_themselves (void)
{
  Recipe recipe = sound_recipe ();

  recipe.claimed_keys = 3;
  assert_recipe_bad (&recipe, "another length");
  recipe.claimed_keys = G_MAXUINT32;
  assert_recipe_bad (&recipe, "another length");
  recipe = sound_recipe ();
  recipe.n_trailing = 1;
  assert_recipe_bad (&recipe, "another length");
  recipe = sound_recipe ();
  recipe.n_keys = recipe.claimed_keys = 65;
  assert_recipe_bad (&recipe, "another length");

  /* As long as one key, so that it is the number that is looked at. */
  recipe = sound_recipe ();
  recipe.n_keys = recipe.claimed_keys = 0;
  recipe.n_trailing = KEY_SIZE;
  assert_recipe_bad (&recipe, "another length");
}

static void
values_must_make_sense (void)
{
  Recipe recipe = sound_recipe ();

  recipe.lifetime = 0;
  assert_recipe_bad (&recipe, "lifetime");
  recipe.lifetime = WEEK + 1;
  assert_recipe_bad (&recipe, "lifetime");
  recipe = sound_recipe ();
  recipe.first_retired = 1;
  assert_recipe_bad (&recipe, "which key seals");
  recipe = sound_recipe ();
  recipe.others_retired = 0;
  assert_recipe_bad (&recipe, "which key seals");
  recipe.others_retired = G_MAXUINT64;
  assert_recipe_bad (&recipe, "which key seals");
}

static void
sixty_four_keys_and_a_week_are_read (void)
{
  Recipe recipe = sound_recipe ();
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GTlsSessionTicketKeys) keys = NULL;

  recipe.n_keys = recipe.claimed_keys = 64;
  recipe.lifetime = WEEK;
  bytes = cook (&recipe);
  keys = read_keys (bytes);
  g_assert_cmpuint (g_tls_session_ticket_keys_get_n_keys (keys), ==, 64);
  g_assert_cmpuint (g_tls_session_ticket_keys_get_lifetime (keys), ==, WEEK);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/keys-bytes/bytes_go_there_and_back", bytes_go_there_and_back);
  g_test_add_func ("/keys-bytes/page_and_library_agree", page_and_library_agree);
  g_test_add_func ("/keys-bytes/first_key_seals", first_key_seals);
  g_test_add_func ("/keys-bytes/key_that_is_over_is_thrown_away", key_that_is_over_is_thrown_away);
  g_test_add_func ("/keys-bytes/every_length_but_the_right_one_is_bad", every_length_but_the_right_one_is_bad);
  g_test_add_func ("/keys-bytes/every_changed_byte_is_found", every_changed_byte_is_found);
  g_test_add_func ("/keys-bytes/newer_format_is_called_so", newer_format_is_called_so);
  g_test_add_func ("/keys-bytes/sums_must_be_right_in_themselves", sums_must_be_right_in_themselves);
  g_test_add_func ("/keys-bytes/values_must_make_sense", values_must_make_sense);
  g_test_add_func ("/keys-bytes/sixty_four_keys_and_a_week_are_read", sixty_four_keys_and_a_week_are_read);
  return g_test_run ();
}
