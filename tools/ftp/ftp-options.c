/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ftp-options.h"

#include <string.h>

#include "../tool.h"

#define DEFAULT_PARALLEL 4
#define MAX_PARALLEL 32
#define DEFAULT_TIMEOUT 60
#define MAX_TIMEOUT 86400 /* s */

static const char summary[] =
  "Verbs:\n"
  "  ls URL               lists a folder\n"
  "  get URL [FILE]       downloads a file, to FILE, or into the folder FILE\n"
  "  put FILE URL         uploads a file; a URL with a slash at its end is a folder\n"
  "  mirror URL FOLDER    downloads a folder with all that is in it\n"
  "  mirror FOLDER URL    uploads a folder with all that is in it\n"
  "\n"
  "URL is ftp://[USER[:PASSWORD]@]HOST[:PORT]/PATH, with TLS before anything is said (AUTH TLS), or ftps:// where the\n"
  "server expects TLS from the first byte on. There is no way to do without TLS. PATH begins in the login's folder; "
  "with\n"
  "one more slash (ftp://HOST//PATH) in the server's root. Without USER the login is anonymous.\n"
  "\n"
  "Every data connection resumes the TLS session of its control connection, with a ticket of its own.";

static const char description[] =
  "mirror passes over what is the same in size and time, and deletes nothing. A download that is broken off leaves\n"
  ".NAME.gtls-session-part beside NAME, which --continue completes if the file has not changed on the server.\n"
  "\n"
  "A password is asked for at the terminal if a user is named without one. A password in a URL can be seen by others\n"
  "on this machine for a moment, and stays in the shell's history: --password-file is better.\n"
  "\n"
  "Examples:\n"
  "  gtls-session ftp ls ftp://ftp.example.org/pub/\n"
  "  gtls-session ftp get --continue ftp://ftp.example.org/pub/image.iso\n"
  "  gtls-session ftp mirror --parallel 8 ./site ftp://me@ftp.example.org/www\n"
  "\n"
  "Exit status: 0 all was done; 1 something is not there, was refused or broke off, or it was interrupted; 2 the\n"
  "command line is not understood; 3 it could not be done: nobody answered, no login, no file to send.";

void
ftp_options_free (FtpOptions *self)
{
  g_clear_pointer (&self->url, ftp_url_free);
  g_free (self->local);
  g_free (self->ca);
  g_free (self->user);
  g_free (self->password_file);
  g_free (self);
}

static gboolean
fail_usage (GError **error, const char *message)
{
  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, message);
  return FALSE;
}

static const char *
get_last_part (const char *path)
{
  const char *slash = strrchr (path, '/');

  return slash != NULL ? slash + 1 : path;
}

/* A folder is where the file goes into, under the name that it has on the other side. */

static gboolean
read_get (FtpOptions *self, char **words, guint n_words, GError **error)
{
  const char *name = get_last_part (self->url->path);

  if (*name == '\0' || strcmp (name, ".") == 0 || strcmp (name, "..") == 0)
    return fail_usage (error, "get needs the URL of a file; for a folder there is mirror");
  if (n_words == 3 && *words[2] == '\0')
    return fail_usage (error, "The name of the file is empty");
  if (n_words == 3 && g_file_test (words[2], G_FILE_TEST_IS_DIR))
    self->local = g_build_filename (words[2], name, NULL);
  else
    self->local = g_strdup (n_words == 3 ? words[2] : name);
  return TRUE;
}

static gboolean
read_put (FtpOptions *self, char **words, GError **error)
{
  const char *path = self->url->path;

  self->local = g_strdup (words[1]);
  if (*path == '\0' || g_str_has_suffix (path, "/"))
    {
      char *whole = g_strconcat (path, get_last_part (self->local), NULL);

      g_free (self->url->path);
      self->url->path = whole;
    }
  return TRUE;
}

static void
strip_slash (char *path)
{
  gsize length = strlen (path);

  while (length > 1 && path[length - 1] == '/')
    path[--length] = '\0';
}

/* Which of the words is the URL says which way it goes. */
static gboolean
read_words (FtpOptions *self, char **words, GError **error)
{
  guint n_words = words != NULL ? g_strv_length (words) : 0;
  const char *verb = n_words > 0 ? words[0] : "";
  gboolean is_mirror = strcmp (verb, "mirror") == 0;
  guint url_at = 1;

  if (strcmp (verb, "ls") == 0 && n_words == 2)
    self->verb = FTP_VERB_LS;
  else if (strcmp (verb, "get") == 0 && (n_words == 2 || n_words == 3))
    self->verb = FTP_VERB_GET;
  else if (strcmp (verb, "put") == 0 && n_words == 3)
    self->verb = FTP_VERB_PUT;
  else if (is_mirror && n_words == 3)
    self->verb = ftp_url_is_one (words[1]) ? FTP_VERB_MIRROR_DOWN : FTP_VERB_MIRROR_UP;
  else
    return fail_usage (error, "It is: ls URL, get URL [FILE], put FILE URL, mirror URL FOLDER, or mirror FOLDER URL");

  if (self->verb == FTP_VERB_PUT || self->verb == FTP_VERB_MIRROR_UP)
    url_at = 2;
  if (is_mirror && ftp_url_is_one (words[1]) && ftp_url_is_one (words[2]))
    return fail_usage (error, "One of the two has to be a folder on this machine");
  if (!ftp_url_is_one (words[url_at]))
    return fail_usage (error, "A URL is missing; it begins with ftp:// or ftps://");

  self->url = ftp_url_parse (words[url_at], error);
  if (self->url == NULL)
    return FALSE;
  if (self->verb == FTP_VERB_GET)
    return read_get (self, words, n_words, error);
  if (self->verb == FTP_VERB_PUT)
    return read_put (self, words, error);

  strip_slash (self->url->path);
  if (is_mirror)
    self->local = g_strdup (words[3 - url_at]);
  return TRUE;
}

static gboolean
check_numbers (FtpOptions *self, GError **error)
{
  g_autofree char *complaint = NULL;

  return (tool_check_range ("--parallel", self->parallel, MAX_PARALLEL, &complaint) &&
          tool_check_range ("--timeout", self->timeout, MAX_TIMEOUT, &complaint)) ||
         fail_usage (error, complaint);
}

/* Passwords in @argv are overwritten. */
FtpOptions *
ftp_options_parse (int argc, char **argv)
{
  g_autoptr (FtpOptions) self = g_new0 (FtpOptions, 1);
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) words = NULL;
  g_autofree char **arguments = g_new0 (char *, argc + 1);
  const GOptionEntry entries[] = {
    { "ca", 0, 0, G_OPTION_ARG_FILENAME, &self->ca, "Trust the certificates in FILE, not the system's", "FILE" },
    { "user", 'u', 0, G_OPTION_ARG_STRING, &self->user, "Log in as USER", "USER" },
    { "password-file", 0, 0, G_OPTION_ARG_FILENAME, &self->password_file, "Read the password from FILE's first line",
      "FILE" },
    { "continue", 'c', 0, G_OPTION_ARG_NONE, &self->goes_on, "Complete what was broken off before", NULL },
    { "parallel", 'P', 0, G_OPTION_ARG_INT, &self->parallel, "Mirror with N connections at once (4)", "N" },
    { "tls1.2", 0, 0, G_OPTION_ARG_NONE, &self->only_tls12, "Speak TLS 1.2, not 1.3", NULL },
    { "timeout", 0, 0, G_OPTION_ARG_INT, &self->timeout, "Give up when the server is silent for so long (60 s)", "S" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &self->json, "Write what came of it as JSON", NULL },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &self->quiet, "Tell only what fails", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &words, NULL, NULL },
    G_OPTION_ENTRY_NULL,
  };
  const char *verb = argv[0];
  gboolean is_understood;

  self->parallel = DEFAULT_PARALLEL;
  self->timeout = DEFAULT_TIMEOUT;
  memcpy (arguments, argv, (gsize) argc * sizeof (char *)); /* the parser takes pointers away from its array */

  is_understood = tool_parse (entries, "ls|get|put|mirror URL", summary, description, &argc, &argv) == TOOL_EXIT_DONE;
  if (is_understood && (!check_numbers (self, &error) || !read_words (self, words, &error)))
    {
      tool_complain (verb, "%s", error->message);
      is_understood = FALSE;
    }

  for (char **argument = arguments; *argument != NULL; argument++)
    ftp_url_hide_password (*argument);
  return is_understood ? g_steal_pointer (&self) : NULL;
}
