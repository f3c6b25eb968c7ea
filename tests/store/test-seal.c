/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "../ticket/handshake.h"
#include "ticket/gtls-session-error.h"
#include "ticket/seal.h"

#define TEXT "what nobody else may read"
#define PLACE "here"

static GTlsSessionSeal *
make_seal (guint8 filling)
{
  guint8 key[G_TLS_SESSION_SEAL_KEY_SIZE];
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  GTlsSessionSeal *seal;

  memset (key, filling, sizeof key);
  bytes = g_bytes_new (key, sizeof key);
  seal = g_tls_session_seal_new (bytes, &error);
  g_assert_no_error (error);
  return seal;
}

static GBytes *
close_text (GTlsSessionSeal *seal, const char *text)
{
  g_autoptr (GBytes) content = g_bytes_new (text, strlen (text));
  g_autoptr (GError) error = NULL;
  GBytes *sealed = g_tls_session_seal_close (seal, content, PLACE, &error);

  g_assert_no_error (error);
  return sealed;
}

static void
assert_opens (GTlsSessionSeal *seal, GBytes *sealed, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) content = g_tls_session_seal_open (seal, sealed, PLACE, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (content, NULL), g_bytes_get_size (content), text, strlen (text));
}

static void
assert_bad_seal (GTlsSessionSeal *seal, GBytes *sealed, const char *place)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (g_tls_session_seal_open (seal, sealed, place, &error));
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA);
}

static void
opens_what_it_closed (void)
{
  g_autoptr (GTlsSessionSeal) seal = make_seal (1);
  g_autoptr (GTlsSessionSeal) same = make_seal (1);
  g_autoptr (GBytes) sealed = close_text (seal, TEXT);
  g_autoptr (GBytes) empty = close_text (seal, "");

  assert_opens (seal, sealed, TEXT);
  assert_opens (same, sealed, TEXT);
  assert_opens (seal, empty, "");
}

static void
hides_its_content (void)
{
  g_autoptr (GTlsSessionSeal) seal = make_seal (1);
  g_autoptr (GBytes) first = close_text (seal, TEXT);
  g_autoptr (GBytes) second = close_text (seal, TEXT);

  g_assert_null (find_bytes (g_bytes_get_data (first, NULL), g_bytes_get_size (first), "nobody", 6));
  g_assert_false (g_bytes_equal (first, second)); /* not even that it is the same again */
}

static void
other_key_does_not_open (void)
{
  g_autoptr (GTlsSessionSeal) seal = make_seal (1);
  g_autoptr (GTlsSessionSeal) other = make_seal (2);
  g_autoptr (GBytes) sealed = close_text (seal, TEXT);

  assert_bad_seal (other, sealed, PLACE);
}

static void
other_place_does_not_open (void)
{
  g_autoptr (GTlsSessionSeal) seal = make_seal (1);
  g_autoptr (GBytes) sealed = close_text (seal, TEXT);

  assert_bad_seal (seal, sealed, "there");
  assert_bad_seal (seal, sealed, "");
  assert_bad_seal (seal, sealed, PLACE "/");
}

static void
truncated_does_not_open (void)
{
  g_autoptr (GTlsSessionSeal) seal = make_seal (1);
  g_autoptr (GBytes) sealed = close_text (seal, TEXT);

  for (gsize length = 0; length < g_bytes_get_size (sealed); length++)
    {
      g_autoptr (GBytes) part = g_bytes_new (g_bytes_get_data (sealed, NULL), length); /* so that ASan sees its end */

      assert_bad_seal (seal, part, PLACE);
    }
}

static void
lengthened_does_not_open (void)
{
  g_autoptr (GTlsSessionSeal) seal = make_seal (1);
  gsize size;
  guint8 *data = g_bytes_unref_to_data (close_text (seal, TEXT), &size);
  g_autoptr (GBytes) longer = NULL;

  data = g_realloc (data, size + 1);
  data[size] = 0;
  longer = g_bytes_new_take (data, size + 1);
  assert_bad_seal (seal, longer, PLACE);
}

static void
no_flipped_bit_opens (void)
{
  g_autoptr (GTlsSessionSeal) seal = make_seal (1);
  gsize size;
  g_autofree guint8 *data = g_bytes_unref_to_data (close_text (seal, TEXT), &size);

  for (gsize bit = 0; bit < 8 * size; bit++)
    {
      g_autoptr (GBytes) flipped = NULL;

      data[bit / 8] ^= (guint8) (1 << bit % 8);
      flipped = g_bytes_new (data, size);
      assert_bad_seal (seal, flipped, PLACE);
      data[bit / 8] ^= (guint8) (1 << bit % 8);
    }
}

static void
newer_format_is_told (void)
{
  g_autoptr (GTlsSessionSeal) seal = make_seal (1);
  gsize size;
  guint8 *data = g_bytes_unref_to_data (close_text (seal, TEXT), &size);
  g_autoptr (GBytes) newer = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (data[0], ==, 1);
  data[0] = 2;
  newer = g_bytes_new_take (data, size);
  g_assert_null (g_tls_session_seal_open (seal, newer, PLACE, &error));
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA);
  g_assert_nonnull (strstr (error->message, "newer format"));
}

static void
key_of_other_length_is_refused (void)
{
  static const guint8 bytes[G_TLS_SESSION_SEAL_KEY_SIZE + 1];

  for (gsize size = 0; size <= sizeof bytes; size++)
    {
      g_autoptr (GBytes) key = g_bytes_new (bytes, size);
      g_autoptr (GError) error = NULL;
      g_autoptr (GTlsSessionSeal) seal = g_tls_session_seal_new (key, &error);

      g_assert_true ((seal != NULL) == (size == G_TLS_SESSION_SEAL_KEY_SIZE));
      if (seal == NULL)
        g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA);
    }
}

static char *
hash (GTlsSessionSeal *seal, const char *name)
{
  g_autoptr (GError) error = NULL;
  char *hashed = g_tls_session_seal_hash_name (seal, name, &error);

  g_assert_no_error (error);
  return hashed;
}

static void
names_are_hashed_with_the_key (void)
{
  g_autoptr (GTlsSessionSeal) seal = make_seal (1);
  g_autoptr (GTlsSessionSeal) other = make_seal (2);
  g_autofree char *first = hash (seal, "a.example");
  g_autofree char *again = hash (seal, "a.example");
  g_autofree char *second = hash (seal, "b.example");
  g_autofree char *others = hash (other, "a.example");

  g_assert_cmpuint (strlen (first), ==, 64);
  g_assert_cmpuint (strspn (first, "0123456789abcdef"), ==, 64);
  g_assert_cmpstr (first, ==, again);
  g_assert_cmpstr (first, !=, second);
  g_assert_cmpstr (first, !=, others);
}

static void
made_keys_differ (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) first = g_tls_session_seal_make_key (&error);
  g_autoptr (GBytes) second = g_tls_session_seal_make_key (&error);

  g_assert_no_error (error);
  g_assert_cmpuint (g_bytes_get_size (first), ==, G_TLS_SESSION_SEAL_KEY_SIZE);
  g_assert_false (g_bytes_equal (first, second));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/store/seal/opens_what_it_closed", opens_what_it_closed);
  g_test_add_func ("/store/seal/hides_its_content", hides_its_content);
  g_test_add_func ("/store/seal/other_key_does_not_open", other_key_does_not_open);
  g_test_add_func ("/store/seal/other_place_does_not_open", other_place_does_not_open);
  g_test_add_func ("/store/seal/truncated_does_not_open", truncated_does_not_open);
  g_test_add_func ("/store/seal/lengthened_does_not_open", lengthened_does_not_open);
  g_test_add_func ("/store/seal/no_flipped_bit_opens", no_flipped_bit_opens);
  g_test_add_func ("/store/seal/newer_format_is_told", newer_format_is_told);
  g_test_add_func ("/store/seal/key_of_other_length_is_refused", key_of_other_length_is_refused);
  g_test_add_func ("/store/seal/names_are_hashed_with_the_key", names_are_hashed_with_the_key);
  g_test_add_func ("/store/seal/made_keys_differ", made_keys_differ);

  return g_test_run ();
}
