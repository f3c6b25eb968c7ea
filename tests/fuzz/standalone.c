/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs a fuzz target as a plain test, without libFuzzer: over its seeds, over what fuzzing found before (found/NAME), and
 * over seeds that are changed at random, the same ones in every run. With "seeds FOLDER" it writes its seeds there.
 */

#include "fuzz.h"

#include <string.h>

#include <gio/gio.h>

#define CHANGES_AT_ONCE 4
#define MANY_SEEDS 100

static GPtrArray *seeds; /* GBytes */

static void
keep_seed (gpointer data, const char *name, gconstpointer seed, gsize size)
{
  g_ptr_array_add (seeds, g_bytes_new (seed, size));
}

static void
run_on (const guint8 *data, gsize size)
{
  /* A copy of exactly its size: what is read beyond it is found by AddressSanitizer and valgrind. */
  g_autofree guint8 *copy = g_memdup2 (data, size);

  g_assert_cmpint (LLVMFuzzerTestOneInput (copy, size), ==, 0);
}

static void
takes_its_seeds (void)
{
  gboolean is_slow = g_getenv ("GTLS_SESSION_SLOW") != NULL;
  guint step = is_slow && seeds->len > MANY_SEEDS ? 11 : 1; /* prime, so that all kinds are among them */

  g_assert_cmpuint (seeds->len, >, 0);
  for (guint i = 0; i < seeds->len; i += step)
    {
      gsize size;
      const guint8 *data = g_bytes_get_data (seeds->pdata[i], &size);

      run_on (data, size);
    }
}

static void
change (GByteArray *input, GRand *rand)
{
  guint length = (guint) g_rand_int_range (rand, 1, 32);
  guint at;

  if (input->len == 0)
    return;

  at = (guint) g_rand_int_range (rand, 0, (gint32) input->len);
  length = MIN (length, input->len - at);

  switch (g_rand_int_range (rand, 0, 5))
    {
    case 0:
      input->data[at] ^= (guint8) (1 << g_rand_int_range (rand, 0, 8));
      break;
    case 1:
      input->data[at] = (guint8) g_rand_int_range (rand, 0, 256);
      break;
    case 2:
      input->data[at] = g_rand_boolean (rand) ? 0x00 : 0xff;
      break;
    case 3:
      g_byte_array_remove_range (input, at, length);
      break;
    default:
      {
        g_autofree guint8 *again = g_memdup2 (input->data + at, length);

        g_byte_array_append (input, again, length);
      }
    }
}

static void
bears_changed_seeds (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  guint n = g_getenv ("GTLS_SESSION_SLOW") != NULL ? MAX (fuzz_n_changes / 20, 1) : fuzz_n_changes;

  for (guint i = 0; i < n; i++)
    {
      GBytes *seed = seeds->pdata[g_rand_int_range (rand, 0, (gint32) seeds->len)];
      g_autoptr (GByteArray) input = g_byte_array_new ();

      g_byte_array_append (input, g_bytes_get_data (seed, NULL), (guint) g_bytes_get_size (seed));
      for (gint32 left = g_rand_int_range (rand, 1, CHANGES_AT_ONCE + 1); left > 0; left--)
        change (input, rand);
      run_on (input->data, input->len);
    }
}

static void
run_on_file (gconstpointer path)
{
  g_autofree char *contents = NULL;
  g_autoptr (GError) error = NULL;
  gsize size;

  g_file_get_contents (path, &contents, &size, &error);
  g_assert_no_error (error);
  run_on ((const guint8 *) contents, size);
}

/* Each input that once showed a defect is a story of its own. */
static void
add_found (const char *name)
{
  g_autofree char *folder = g_test_build_filename (G_TEST_DIST, "found", name, NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *file;

  while (dir != NULL && (file = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *story = g_strdup_printf ("/fuzz/%s/found/%s", name, file);

      g_test_add_data_func_full (story, g_build_filename (folder, file, NULL), run_on_file, g_free);
    }
}

static void
write_seed (gpointer folder, const char *name, gconstpointer seed, gsize size)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) error = NULL;

  if (!g_file_set_contents (path, seed, (gssize) size, &error))
    g_error ("%s", error->message);
}

int
main (int argc, char **argv)
{
  g_autofree char *program = g_path_get_basename (argv[0]);
  const char *name = program + strlen ("test-fuzz-");
  g_autofree char *seeds_story = g_strdup_printf ("/fuzz/%s/takes_its_seeds", name);
  g_autofree char *changed_story = g_strdup_printf ("/fuzz/%s/bears_changed_seeds", name);
  int status;

  if (argc == 3 && strcmp (argv[1], "seeds") == 0)
    {
      LLVMFuzzerInitialize (&argc, &argv);
      fuzz_make_seeds (write_seed, argv[2]);
      return 0;
    }

  if (argc > 2 && strcmp (argv[1], "run") == 0)
    {
      LLVMFuzzerInitialize (&argc, &argv);
      for (int i = 2; i < argc; i++)
        run_on_file (argv[i]);
      return 0;
    }

  g_test_init (&argc, &argv, NULL);
  LLVMFuzzerInitialize (&argc, &argv);
  seeds = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  fuzz_make_seeds (keep_seed, NULL);

  g_test_add_func (seeds_story, takes_its_seeds);
  g_test_add_func (changed_story, bears_changed_seeds);
  add_found (name);
  status = g_test_run ();
  g_ptr_array_unref (seeds);
  return status;
}
