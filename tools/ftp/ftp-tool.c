/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ftp-tool.h"

#include <stdio.h>
#include <unistd.h>

#include "ftp-ls.h"
#include "ftp-options.h"
#include "ftp-password.h"
#include "ftp-text.h"
#include "ftp-workers.h"

/* gtls-session ftp: what is asked for, with whom, and what came of it. */

#define EXIT_FAILED 1
#define EXIT_USAGE 2

static void
complain (const GError *error)
{
  fprintf (stderr, "gtls-session ftp: %s\n", error->message);
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
  g_autoptr (GString) json = g_string_new (NULL);
  g_autofree char *url = ftp_url_to_string (options->url);

  g_string_append_printf (json, "{\"verb\": \"%s\", \"url\": ", verbs[options->verb]);
  ftp_text_append_json (json, url);
  g_string_append (json, ", ");
  if (listing != NULL)
    {
      ftp_ls_append_json (listing, json);
      g_string_append (json, ", ");
    }
  ftp_tally_append_json (tally, seconds, json);
  printf ("%s}\n", json->str);
}

static int
list (const FtpOptions *options, const FtpSite *site)
{
  gint64 began = g_get_monotonic_time ();
  g_autoptr (GError) error = NULL;
  g_autoptr (FtpListing) listing = ftp_ls_read (site, &error);

  if (listing == NULL)
    {
      ftp_tally_fail (site->tally, "%s", error->message);
      complain (error);
    }
  for (guint i = 0; listing != NULL && i < listing->refused->len; i++)
    {
      const char *sentence = g_ptr_array_index (listing->refused, i);

      ftp_tally_fail (site->tally, "%s", sentence);
      fprintf (stderr, "gtls-session ftp: %s\n", sentence);
    }

  if (options->json)
    print_json (options, site->tally, listing, (double) (g_get_monotonic_time () - began) / G_USEC_PER_SEC);
  else if (listing != NULL)
    ftp_ls_print (listing);
  return ftp_tally_get_exit_code (site->tally);
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

static int
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

      printf ("%s\n", text);
    }
  return ftp_tally_get_exit_code (site->tally);
}

static int
run (const FtpOptions *options, GError **error)
{
  const char *user = find_user (options);
  g_autoptr (FtpTally) tally = ftp_tally_new ();
  g_autoptr (GTlsDatabase) database = NULL;
  FtpSite site = { .url = options->url, .user = user, .only_tls12 = options->only_tls12, .tally = tally };
  char *password;
  int code;

  if (options->ca != NULL)
    {
      database = G_TLS_DATABASE (g_tls_session_file_database_new (options->ca, error));
      if (database == NULL)
        return EXIT_FAILED;
    }
  password = find_password (options, user, error);
  if (password == NULL)
    return EXIT_FAILED;

  site.database = database;
  site.password = password;
  site.timeout = (guint) options->timeout;
  code = options->verb == FTP_VERB_LS ? list (options, &site) : transfer (options, &site);
  ftp_password_free (password);
  return code;
}

int
gtls_session_tool_ftp (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FtpOptions) options = ftp_options_parse (argc, argv, &error);
  int code = options != NULL ? run (options, &error) : EXIT_USAGE;

  if (error != NULL)
    complain (error);
  if (code == EXIT_USAGE)
    fprintf (stderr, "See gtls-session ftp --help\n");
  if (fflush (stdout) != 0)
    {
      fprintf (stderr, "gtls-session ftp: Standard output cannot be written\n");
      return EXIT_FAILED;
    }
  return code;
}
