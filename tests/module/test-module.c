/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The GIO module, in a program that knows nothing of this library. GIO chooses its backend once, so each question is put
 * to a process of its own.
 */

#include <string.h>

#include "test-server.h"

#include <gio/gio.h>

typedef enum
{
  CHOOSE_NOTHING,
  CHOOSE_OURS, /* GIO_USE_TLS */
} Choice;

typedef enum
{
  WITH_OTHERS,
  WITHOUT_OTHERS, /* no other backend is in reach */
} Others;

/* What a plain program said. @modules is where the module lies, NULL for the builddir. */
static char *
ask (Choice choice, Others others, const char *modules, int expected_status, const char *const *arguments)
{
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  g_autoptr (GPtrArray) command = g_ptr_array_new ();
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GError) error = NULL;
  char *said = NULL;

  g_subprocess_launcher_setenv (launcher, "GIO_EXTRA_MODULES", modules != NULL ? modules : g_getenv ("MODULE_DIR"),
                                TRUE);
  g_subprocess_launcher_unsetenv (launcher, "LD_LIBRARY_PATH");
  g_subprocess_launcher_unsetenv (launcher, "GIO_USE_TLS");
  g_subprocess_launcher_unsetenv (launcher, "GIO_MODULE_DIR");
  if (choice == CHOOSE_OURS)
    g_subprocess_launcher_setenv (launcher, "GIO_USE_TLS", "gtls-session", TRUE);
  if (others == WITHOUT_OTHERS)
    g_subprocess_launcher_setenv (launcher, "GIO_MODULE_DIR", g_getenv ("NO_MODULES_DIR"), TRUE);

  g_ptr_array_add (command, (gpointer) g_getenv ("PLAIN_PROGRAM"));
  for (; *arguments != NULL; arguments++)
    g_ptr_array_add (command, (gpointer) *arguments);
  g_ptr_array_add (command, NULL);

  process = g_subprocess_launcher_spawnv (launcher, (const char *const *) command->pdata, &error);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8 (process, NULL, NULL, &said, NULL, &error);
  g_assert_no_error (error);
  g_test_message ("%s", said);
  g_assert_cmpint (g_subprocess_get_exit_status (process), ==, expected_status);
  return said;
}

static char *
ask_backend (Choice choice, Others others, const char *modules)
{
  const char *const arguments[] = { "backend", NULL };

  return ask (choice, others, modules, 0, arguments);
}

static gboolean
has_line (const char *said, const char *line)
{
  g_auto (GStrv) lines = g_strsplit (said, "\n", -1);

  return g_strv_contains ((const char *const *) lines, line);
}

static void
is_chosen_by_the_environment (gconstpointer data)
{
  g_autofree char *said = ask_backend (CHOOSE_OURS, GPOINTER_TO_INT (data), NULL);

  g_assert_true (has_line (said, "backend=GTlsSessionBackend"));
  g_assert_true (has_line (said, "tls=1"));
  g_assert_true (has_line (said, "dtls=0"));
  g_assert_true (has_line (said, "database=GTlsSessionDatabase"));
}

static void
never_takes_over_by_itself (void)
{
  g_autofree char *alone = ask_backend (CHOOSE_NOTHING, WITHOUT_OTHERS, NULL);
  g_autofree char *beside = ask_backend (CHOOSE_NOTHING, WITH_OTHERS, NULL);

  g_assert_true (has_line (alone, "backend=GDummyTlsBackend"));
  g_assert_true (has_line (alone, "tls=0"));
  g_assert_true (has_line (beside, "tls=1")); /* glib-networking's */
  g_assert_null (strstr (beside, "backend=GTlsSession"));
}

static void
plain_program_connects (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autofree char *port = g_strdup_printf ("%u", test_server_get_port (server));
  const char *arguments[] = { "connect", port, test_server_get_ca_path (server), NULL };
  g_autofree char *said = ask (CHOOSE_OURS, WITH_OTHERS, NULL, 0, arguments);

  g_assert_true (has_line (said, "connection=GTlsSessionClientConnection"));
  g_assert_true (has_line (said, "echo=hello"));
}

static void
dtls_is_refused_in_words (void)
{
  const char *const arguments[] = { "dtls", NULL };
  g_autofree char *said = ask (CHOOSE_OURS, WITH_OTHERS, NULL, 1, arguments);
  g_autofree char *expected = g_strdup_printf ("error=g-tls-error-quark %d gtls-session does not support DTLS",
                                               G_TLS_ERROR_UNAVAILABLE);

  g_assert_true (has_line (said, expected));
}

/* Installing */

static void
run_to_success (const char *const *command)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) process = g_subprocess_newv (
    command, G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, &error);

  g_assert_no_error (error);
  g_subprocess_wait_check (process, NULL, &error);
  g_assert_no_error (error);
}

/* A prefix need not be where the loader looks: the module finds its library by itself. */
static void
installed_module_is_found_below_its_prefix (void)
{
  g_autofree char *top = g_dir_make_tmp ("gtls-session-prefix-XXXXXX", NULL);
  g_autofree char *libdir = g_build_filename (top, g_getenv ("PREFIX"), g_getenv ("LIBDIR"), NULL);
  g_autofree char *modules = g_build_filename (libdir, "gio", "modules", NULL);
  g_autofree char *module = g_build_filename (modules, "libgiogtlssession.so", NULL);
  g_autofree char *library = g_strconcat ("library=", libdir, "/libgtls-session-1.so", NULL);
  const char *const install[] = { "meson", "install", "--no-rebuild", "-C", g_getenv ("BUILD_ROOT"), "--destdir",
                                  top,     NULL };
  const char *const remove[] = { "rm", "-r", top, NULL };
  g_autofree char *said = NULL;

  run_to_success (install);
  g_assert_true (g_file_test (module, G_FILE_TEST_IS_REGULAR));
  said = ask_backend (CHOOSE_OURS, WITHOUT_OTHERS, modules);
  run_to_success (remove);
  g_assert_true (has_line (said, "backend=GTlsSessionBackend"));
  g_assert_nonnull (strstr (said, library));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_data_func ("/module/is_chosen_by_the_environment/beside_others", GINT_TO_POINTER (WITH_OTHERS),
                        is_chosen_by_the_environment);
  g_test_add_data_func ("/module/is_chosen_by_the_environment/alone", GINT_TO_POINTER (WITHOUT_OTHERS),
                        is_chosen_by_the_environment);
  g_test_add_func ("/module/never_takes_over_by_itself", never_takes_over_by_itself);
  g_test_add_func ("/module/plain_program_connects", plain_program_connects);
  g_test_add_func ("/module/dtls_is_refused_in_words", dtls_is_refused_in_words);
  g_test_add_func ("/module/installed_module_is_found_below_its_prefix", installed_module_is_found_below_its_prefix);
  return g_test_run ();
}
