/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "../terminal.h"
#include "ftp-reply.h"
#include "ftp-text.h"
#include "ftp-url.h"

/* What a server answers, well or ill, and what is read out of it. */

static FtpReplyStatus
read_bytes (const char *bytes, gsize size, FtpReply **reply)
{
  g_autoptr (FtpReplyReader) reader = ftp_reply_reader_new ();

  *reply = NULL;
  ftp_reply_reader_push (reader, bytes, size);
  return ftp_reply_reader_pull (reader, reply);
}

static FtpReply *
read_reply (const char *text)
{
  FtpReply *reply;

  g_assert_cmpint (read_bytes (text, strlen (text), &reply), ==, FTP_REPLY_COMPLETE);
  return reply;
}

static void
assert_malformed (const char *bytes, gsize size)
{
  FtpReply *reply;

  g_assert_cmpint (read_bytes (bytes, size, &reply), ==, FTP_REPLY_MALFORMED);
  g_assert_null (reply);
}

/* The reader */

static void
reads_a_line (void)
{
  g_autoptr (FtpReply) reply = read_reply ("220 Welcome\r\n");
  g_autoptr (FtpReply) bare = read_reply ("200\n");

  g_assert_cmpuint (reply->code, ==, 220);
  g_assert_cmpstr (reply->text, ==, "Welcome");
  g_assert_cmpuint (bare->code, ==, 200);
  g_assert_cmpstr (bare->text, ==, "");
}

static void
reads_many_lines (void)
{
  g_autoptr (FtpReply) reply = read_reply ("211-Features:\r\n SIZE\r\n226 not the end\r\n211-neither\r\n211 End\r\n");

  g_assert_cmpuint (reply->code, ==, 211);
  g_assert_cmpstr (reply->text, ==, "Features:\n SIZE\n226 not the end\n211-neither\nEnd");
}

static void
reads_byte_by_byte (void)
{
  static const char bytes[] = "150-Here\r\n it comes\r\n150 now\r\n226 Done\r\n";
  g_autoptr (FtpReplyReader) reader = ftp_reply_reader_new ();
  guint codes[2] = { 0 };
  guint n_replies = 0;

  for (gsize i = 0; i < strlen (bytes); i++)
    {
      FtpReply *reply = NULL;
      FtpReplyStatus status;

      ftp_reply_reader_push (reader, bytes + i, 1);
      status = ftp_reply_reader_pull (reader, &reply);
      g_assert_cmpint (status, !=, FTP_REPLY_MALFORMED);
      if (status == FTP_REPLY_COMPLETE)
        {
          codes[n_replies++] = reply->code;
          ftp_reply_free (reply);
        }
      g_assert_cmpint (ftp_reply_reader_is_empty (reader), ==, status == FTP_REPLY_COMPLETE);
    }

  g_assert_cmpuint (n_replies, ==, 2);
  g_assert_cmpuint (codes[0], ==, 150);
  g_assert_cmpuint (codes[1], ==, 226);
}

/* As when somebody in between puts something behind the answer to AUTH TLS. */
static void
notices_what_comes_behind (void)
{
  static const char bytes[] = "234 Go on\r\n230 You are logged in\r\n";
  g_autoptr (FtpReplyReader) reader = ftp_reply_reader_new ();
  FtpReply *reply = NULL;

  ftp_reply_reader_push (reader, bytes, strlen (bytes));
  g_assert_cmpint (ftp_reply_reader_pull (reader, &reply), ==, FTP_REPLY_COMPLETE);
  g_assert_cmpuint (reply->code, ==, 234);
  g_assert_false (ftp_reply_reader_is_empty (reader));
  ftp_reply_free (reply);
}

static void
refuses_what_is_no_reply (void)
{
  static const char *const lines[] = { "\r\n",         "22\r\n",        "abc hello\r\n", "620 code\r\n",
                                       "020 code\r\n", "2200 code\r\n", "220_code\r\n",  "HTTP/1.1 400 Bad Request\r\n",
                                       "\xff\xfe\r\n" };

  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    assert_malformed (lines[i], strlen (lines[i]));
  assert_malformed ("220 a\0b\r\n", 9);
  assert_malformed ("220-a\r\nb\0c\r\n", 12);
}

static void
refuses_what_does_not_end (void)
{
  g_autofree char *line = g_strnfill (70000, 'x');
  g_autoptr (GString) lines = g_string_new ("220-begin\r\n");
  FtpReply *reply;

  memcpy (line, "220 ", 4);
  assert_malformed (line, 70000);

  g_assert_cmpint (read_bytes (lines->str, lines->len, &reply), ==, FTP_REPLY_INCOMPLETE);
  while (lines->len < 80000)
    g_string_append (lines, "220-and on, and on\r\n");
  assert_malformed (lines->str, lines->len);
}

static void
says_what_was_refused (void)
{
  g_autoptr (FtpReply) reply = read_reply ("550 No \033[31msuch\xff file\r\n");
  g_autoptr (GError) error = NULL;

  g_assert_true (ftp_reply_is (reply, 5));
  g_assert_false (ftp_reply_expect (reply, 2, "RETR a", &error));
  g_assert_cmpstr (error->message, ==, "The server refused RETR a: 550 No \\x1b[31msuch\\xff file");
}

/* What stands in replies */

static void
reads_epsv (void)
{
  static const struct
  {
    const char *text;
    guint16 port;
  } cases[] = {
    { "229 Entering Extended Passive Mode (|||6446|)\r\n", 6446 },
    { "229 (!!!65535!)\r\n", 65535 },
    { "229 (|||1|) and more\r\n", 1 },
    { "229 (|||0|)\r\n", 0 },
    { "229 (|||65536|)\r\n", 0 },
    { "229 (|||99999999999999999999|)\r\n", 0 },
    { "229 (|||-1|)\r\n", 0 },
    { "229 (|||21\r\n", 0 },
    { "229 (||21|)\r\n", 0 },
    { "229 (|1|10.0.0.1|21|)\r\n", 0 },
    { "229 (1112222211)\r\n", 0 },
    { "229 (\r\n", 0 },
    { "229 ((\r\n", 0 },
    { "229 nothing\r\n", 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FtpReply) reply = read_reply (cases[i].text);
      guint16 port = 0;

      g_test_message ("%s", cases[i].text);
      g_assert_cmpint (ftp_reply_parse_epsv (reply, &port), ==, cases[i].port != 0);
      g_assert_cmpuint (port, ==, cases[i].port);
    }
}

static void
reads_pasv (void)
{
  static const char *const bad[] = { "227 (127,0,0,1,4)\r\n",       "227 (256,0,0,1,4,5)\r\n", "227 (1,2,3,4,0,0)\r\n",
                                     "227 (1,2,3,4,5,6666666)\r\n", "227 (1, 2,3,4,5,6)\r\n",  "227 none\r\n" };
  g_autoptr (FtpReply) usual = read_reply ("227 Entering Passive Mode (127,0,0,1,4,210).\r\n");
  g_autoptr (FtpReply) bare = read_reply ("227 Entering Passive Mode 10,255,0,1,255,255\r\n");
  guint8 address[4];
  guint16 port;

  g_assert_true (ftp_reply_parse_pasv (usual, address, &port));
  g_assert_cmpuint (port, ==, 4 * 256 + 210);
  g_assert_cmpmem (address, 4, "\x7f\x00\x00\x01", 4);
  g_assert_true (ftp_reply_parse_pasv (bare, address, &port));
  g_assert_cmpuint (port, ==, 65535);

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (FtpReply) reply = read_reply (bad[i]);

      g_test_message ("%s", bad[i]);
      g_assert_false (ftp_reply_parse_pasv (reply, address, &port));
    }
}

static void
reads_features (void)
{
  g_autoptr (FtpReply) reply = read_reply ("211-Features:\r\n MDTM\r\n mlst type*;size*;modify*;\r\n REST STREAM\r\n"
                                           "SIZE\r\n UTF8 \r\n MFMTX\r\n211 End\r\n");

  g_assert_cmpint (ftp_reply_parse_features (reply), ==,
                   FTP_FEATURE_MDTM | FTP_FEATURE_MLST | FTP_FEATURE_REST | FTP_FEATURE_UTF8);
}

static void
reads_sizes_and_times (void)
{
  g_autoptr (FtpReply) size = read_reply ("213 9223372036854775807\r\n");
  g_autoptr (FtpReply) too_large = read_reply ("213 9223372036854775808\r\n");
  g_autoptr (FtpReply) negative = read_reply ("213 -1\r\n");
  g_autoptr (FtpReply) time = read_reply ("213 20261125215344.123\r\n");
  g_autoptr (FtpReply) leap = read_reply ("213 20161231235960\r\n");
  static const char *const bad[] = { "213 2026112521534\r\n",   "213 20261325215344\r\n",  "213 20260230000000\r\n",
                                     "213 20261125215344.\r\n", "213 191001125215344\r\n", "213 20261125215361\r\n",
                                     "213 20261125215344Z\r\n", "213 00000000000000\r\n" };
  gint64 number;

  g_assert_true (ftp_reply_parse_size (size, &number));
  g_assert_cmpint (number, ==, G_MAXINT64);
  g_assert_false (ftp_reply_parse_size (too_large, &number));
  g_assert_false (ftp_reply_parse_size (negative, &number));
  g_assert_true (ftp_reply_parse_time (time, &number));
  g_assert_cmpint (number, ==, 1795643624);
  g_assert_true (ftp_reply_parse_time (leap, &number));
  g_assert_cmpint (number, ==, 1483228799);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (FtpReply) reply = read_reply (bad[i]);

      g_test_message ("%s", bad[i]);
      g_assert_false (ftp_reply_parse_time (reply, &number));
    }
}

static void
assert_path (const char *text, const char *expected)
{
  g_autoptr (FtpReply) reply = read_reply (text);
  g_autofree char *path = ftp_reply_parse_path (reply);

  g_assert_cmpstr (path, ==, expected);
}

static void
reads_paths (void)
{
  assert_path ("257 \"/\" is the current directory\r\n", "/");
  assert_path ("257 \"/a \"\"b\"\" c\"\r\n", "/a \"b\" c");
  assert_path ("257 \"/never ends\r\n", NULL);
  assert_path ("257 \"/ends with a quote\"\"\r\n", NULL);
  assert_path ("257 \"relative\"\r\n", NULL);
  assert_path ("257 /bare\r\n", NULL);
  assert_path ("257\r\n", NULL);
}

/* Text */

static void
shows_only_what_is_harmless (void)
{
  g_autofree char *hostile = terminal_clean ("a\033[2J\x7f\r\n\xc2\x9b"
                                             "1m\xe2\x80\xae\xff\xc3");
  g_autofree char *usual = terminal_clean ("Übung — 日本.txt");

  g_assert_cmpstr (hostile, ==,
                   "a\\x1b[2J\\x7f\\x0d\\x0a\\xc2\\x9b"
                   "1m\\xe2\\x80\\xae\\xff\\xc3");
  g_assert_cmpstr (usual, ==, "Übung — 日本.txt");
}

static void
times_there_and_back (void)
{
  g_autofree char *text = ftp_text_format_time (1795643624);
  g_autofree char *too_late = ftp_text_format_time (G_MAXINT64);

  g_assert_cmpstr (text, ==, "20261125215344");
  g_assert_null (too_late);
}

/* URLs */

static void
assert_url (const char *text,
            FtpSecurity security,
            guint16 port,
            const char *user,
            const char *password,
            const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FtpUrl) url = ftp_url_parse (text, &error);

  g_assert_no_error (error);
  g_assert_cmpint (url->security, ==, security);
  g_assert_cmpuint (url->port, ==, port);
  g_assert_cmpstr (url->user, ==, user);
  g_assert_cmpstr (url->password, ==, password);
  g_assert_cmpstr (url->path, ==, path);
}

static void
reads_urls (void)
{
  static const char *const bad[] = {
    "http://host/",    "ftp:///path",       "ftp://host/a?b",      "ftp://host/a#b", "ftp://host/a%0d%0aDELE%20b",
    "ftp://host/a%00", "ftp://host:99999/", "ftp://us%0aer@host/", "sftp://host/",   "ftp://host/%zz"
  };

  assert_url ("ftp://host", FTP_SECURITY_EXPLICIT, 21, NULL, NULL, "");
  assert_url ("FTP://host/a/b", FTP_SECURITY_EXPLICIT, 21, NULL, NULL, "a/b");
  assert_url ("ftpes://host//etc", FTP_SECURITY_EXPLICIT, 21, NULL, NULL, "/etc");
  assert_url ("ftps://me@host/%2Fetc", FTP_SECURITY_IMPLICIT, 990, "me", NULL, "/etc");
  assert_url ("ftp://me:p%40ss:x@[::1]:2121/a%20b%3Fc", FTP_SECURITY_EXPLICIT, 2121, "me", "p@ss:x", "a b?c");
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", bad[i]);
      g_assert_null (ftp_url_parse (bad[i], &error));
      g_assert_nonnull (error);
    }
}

static void
hides_passwords (void)
{
  g_autoptr (FtpUrl) url = ftp_url_parse ("ftps://me:secret@[::1]:21/a%20b", NULL);
  g_autofree char *text = ftp_url_to_string (url);
  char with[] = "ftp://me:secret@host/a@b:c";
  char without[] = "ftp://host/a:b@c";
  char no_url[] = "me:secret@host";

  g_assert_cmpstr (text, ==, "ftps://me@[::1]:21/a%20b");
  ftp_url_hide_password (with);
  g_assert_cmpstr (with, ==, "ftp://me:******@host/a@b:c");
  ftp_url_hide_password (without);
  g_assert_cmpstr (without, ==, "ftp://host/a:b@c");
  ftp_url_hide_password (no_url);
  g_assert_cmpstr (no_url, ==, "me:secret@host");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/ftp-reply/reads_a_line", reads_a_line);
  g_test_add_func ("/ftp-reply/reads_many_lines", reads_many_lines);
  g_test_add_func ("/ftp-reply/reads_byte_by_byte", reads_byte_by_byte);
  g_test_add_func ("/ftp-reply/notices_what_comes_behind", notices_what_comes_behind);
  g_test_add_func ("/ftp-reply/refuses_what_is_no_reply", refuses_what_is_no_reply);
  g_test_add_func ("/ftp-reply/refuses_what_does_not_end", refuses_what_does_not_end);
  g_test_add_func ("/ftp-reply/says_what_was_refused", says_what_was_refused);
  g_test_add_func ("/ftp-reply/reads_epsv", reads_epsv);
  g_test_add_func ("/ftp-reply/reads_pasv", reads_pasv);
  g_test_add_func ("/ftp-reply/reads_features", reads_features);
  g_test_add_func ("/ftp-reply/reads_sizes_and_times", reads_sizes_and_times);
  g_test_add_func ("/ftp-reply/reads_paths", reads_paths);
  g_test_add_func ("/ftp-text/shows_only_what_is_harmless", shows_only_what_is_harmless);
  g_test_add_func ("/ftp-text/times_there_and_back", times_there_and_back);
  g_test_add_func ("/ftp-url/reads_urls", reads_urls);
  g_test_add_func ("/ftp-url/hides_passwords", hides_passwords);

  return g_test_run ();
}
