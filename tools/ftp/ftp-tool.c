/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../tool-json.h"
#include "../tool.h"
#include "../wipe.h"
#include "ftp-ls.h"
#include "ftp-options.h"
#include "ftp-partial.h"
#include "ftp-password.h"
#include "ftp-transfer.h"
#include "ftp-workers.h"

/* gtls-session ftp: what is asked for, with whom, and what came of it. */

#define FORMAT 1 /* of the JSON, which doc/ftp-json.md documents */

/* What on this side can be seen to fail before anybody is asked anything. */

static gboolean
check_is (const char *path, mode_t type, int wrong_type, const char *what, int mode, GError **error)
{
  struct stat status;
  int code = 0;

  if (stat (path, &status) != 0)
    code = errno;
  else if ((status.st_mode & S_IFMT) != type)
    code = wrong_type;
  else if (access (path, mode) != 0)
    code = errno;
  if (code != 0)
    ftp_transfer_set_errno (error, code, what, path);
  return code == 0;
}

static gboolean
check_local (const FtpOptions *options, GError **error)
{
  g_autofree char *folder = NULL;

  switch (options->verb)
    {
    case FTP_VERB_GET:
      folder = g_path_get_dirname (options->local);
      return check_is (folder, S_IFDIR, ENOTDIR, "written to", W_OK | X_OK, error) &&
             ftp_partial_check_place (options->local, error);
    case FTP_VERB_PUT:
      if (g_file_test (options->local, G_FILE_TEST_IS_DIR))
        {
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_IS_DIRECTORY, "%s is a folder, which mirror uploads",
                       options->local);
          return FALSE;
        }
      return check_is (options->local, S_IFREG, EINVAL, "read", R_OK, error);
    case FTP_VERB_MIRROR_UP:
      return check_is (options->local, S_IFDIR, ENOTDIR, "read", R_OK | X_OK, error);
    default:
      return TRUE;
    }
}

/* With whom */

static char *
find_password (const FtpOptions *options, const char *user, GError **error)
{
  if (options->password_file != NULL)
    return ftp_password_read_file (options->password_file, error);
  if (options->url->password != NULL)
    return g_strdup (options->url->password);
  if (g_str_equal (user, "anonymous") || g_str_equal (user, "ftp"))
    return g_strdup ("anonymous@");
  return ftp_password_ask (user, options->url->host, error);
}

static const char *
find_user (const FtpOptions *options)
{
  if (options->user != NULL)
    return options->user;
  return options->url->user != NULL ? options->url->user : "anonymous";
}

/* What comes of it */

static void
print_json (const FtpOptions *options, const FtpTally *tally, const FtpListing *listing, double seconds)
{
  static const char *const verbs[] = { "ls", "get", "put", "mirror-down", "mirror-up" };
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autofree char *url = ftp_url_to_string (options->url);

  json_builder_begin_object (builder);
  tool_json_add_number (builder, "format", FORMAT);
  tool_json_add_string (builder, "verb", verbs[options->verb]);
  tool_json_add_string (builder, "url", url);
  if (listing != NULL)
    ftp_ls_add_to_json (listing, builder);
  ftp_tally_add_to_json (tally, seconds, builder);
  json_builder_end_object (builder);
  tool_json_print (builder);
}

static void
complain (FtpTally *tally, const char *sentence)
{
  ftp_tally_fail (tally, "%s", sentence);
  tool_warn ("%s", sentence);
}

static ToolExit
list (const FtpOptions *options, const FtpSite *site)
{
  gint64 began = g_get_monotonic_time ();
  g_autoptr (GError) error = NULL;
  g_autoptr (FtpListing) listing = ftp_ls_read (site, &error);

  if (listing == NULL)
    complain (site->tally, error->message);
  for (guint i = 0; listing != NULL && i < listing->refused->len; i++)
    complain (site->tally, g_ptr_array_index (listing->refused, i));

  if (options->json)
    print_json (options, site->tally, listing, (double) (g_get_monotonic_time () - began) / G_USEC_PER_SEC);
  else if (listing != NULL)
    ftp_ls_print (listing);
  return ftp_tally_get_exit (site->tally);
}

static FtpProgressStyle
choose_style (const FtpOptions *options)
{
  if (options->quiet)
    return FTP_PROGRESS_SILENT;
  if (isatty (STDERR_FILENO))
    return FTP_PROGRESS_TERMINAL;
  return options->json ? FTP_PROGRESS_SILENT : FTP_PROGRESS_LINES;
}

static FtpJob *
make_job (const FtpOptions *options)
{
  static const FtpJobKind kinds[] = { [FTP_VERB_GET] = FTP_JOB_GET_FILE,
                                      [FTP_VERB_PUT] = FTP_JOB_PUT_FILE,
                                      [FTP_VERB_MIRROR_DOWN] = FTP_JOB_GET_FOLDER,
                                      [FTP_VERB_MIRROR_UP] = FTP_JOB_PUT_FOLDER };

  return ftp_job_new (kinds[options->verb], options->local, options->url->path);
}

static ToolExit
transfer (const FtpOptions *options, const FtpSite *site)
{
  gboolean is_mirror = options->verb == FTP_VERB_MIRROR_DOWN || options->verb == FTP_VERB_MIRROR_UP;
  g_autoptr (FtpProgress) progress = ftp_progress_new (choose_style (options));
  FtpOrders orders = { .goes_on = options->goes_on,
                       .passes_same = is_mirror,
                       .progress = progress,
                       .tally = site->tally,
                       .jobs = g_queue_new () };
  double seconds;

  g_queue_push_tail (orders.jobs, make_job (options));
  if (!is_mirror)
    ftp_progress_expect_file (progress, -1);
  ftp_workers_run (site, &orders, (guint) options->parallel);
  ftp_progress_end (progress);
  seconds = ftp_progress_get_seconds (progress);
  g_queue_free_full (orders.jobs, (GDestroyNotify) ftp_job_free);

  if (options->json)
    {
      print_json (options, site->tally, NULL, seconds);
    }
  else if (!options->quiet)
    {
      g_autofree char *text = ftp_tally_to_text (site->tally, seconds);

      g_print ("%s\n", text);
    }
  return ftp_tally_get_exit (site->tally);
}

static ToolExit
run (const FtpOptions *options)
{
  const char *user = find_user (options);
  g_autoptr (FtpTally) tally = ftp_tally_new ();
  g_autoptr (GTlsDatabase) database = NULL;
  g_autoptr (GError) error = NULL;
  FtpSite site = { .url = options->url, .user = user, .only_tls12 = options->only_tls12, .tally = tally };
  char *password;
  ToolExit status;

  if (!check_local (options, &error))
    return tool_fail (error);
  if (options->ca != NULL)
    {
      database = G_TLS_DATABASE (g_tls_session_file_database_new (options->ca, &error));
      if (database == NULL)
        return tool_fail (error);
    }
  password = find_password (options, user, &error);
  if (password == NULL)
    return tool_fail (error);

  site.database = database;
  site.password = password;
  site.timeout = (guint) options->timeout;
  status = options->verb == FTP_VERB_LS ? list (options, &site) : transfer (options, &site);
  wipe_and_free (password);
  return status;
}

int
gtls_session_tool_ftp (int argc, char **argv)
{
  g_autoptr (FtpOptions) options = ftp_options_parse (argc, argv);

  return options != NULL ? run (options) : TOOL_EXIT_USAGE;
}
