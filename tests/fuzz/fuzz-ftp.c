/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* NOTES:
 *
 * Reads what an FTP server might send, as gtls-session ftp does. The first byte of an input says what the others are:
 *
 *   0  replies; the second byte says in how large pieces they arrive. Each that is read is put before all that read
 *      something out of replies
 *   1  a listing of MLSD
 *   2  a listing of LIST
 *   3  a URL
 *
 * What must hold: a reply is the same in whichever pieces it arrives; no name comes out of a listing that leads out of a
 * folder, or twice; nothing that is shown holds control characters or is not UTF-8.
 */

#include <string.h>

#include "ftp-listing.h"
#include "../terminal.h"
#include "ftp-reply.h"
#include "ftp-text.h"
#include "ftp-url.h"
#include "fuzz.h"

#define NOW 1795643624

const guint fuzz_n_changes = 5000;

static void
check_shown (const char *text)
{
  g_assert (g_utf8_validate (text, -1, NULL));
  for (; *text != '\0'; text++)
    g_assert (!g_ascii_iscntrl (*text));
}

static void
check_cleaned (const char *text)
{
  g_autofree char *clean = terminal_clean (text);

  check_shown (clean);
}

/* Replies */

static void
read_all_out_of (const FtpReply *reply)
{
  g_autofree char *path = ftp_reply_parse_path (reply);
  g_autoptr (GError) error = NULL;
  guint8 address[4];
  guint16 port = 0;
  gint64 number;

  g_assert (reply->code >= 100 && reply->code <= 599);
  g_assert (path == NULL || *path == '/');
  (void) ftp_reply_parse_features (reply);
  g_assert (!ftp_reply_parse_epsv (reply, &port) || port != 0);
  g_assert (!ftp_reply_parse_pasv (reply, address, &port) || port != 0);
  g_assert (!ftp_reply_parse_size (reply, &number) || number >= 0);
  if (ftp_reply_parse_time (reply, &number))
    {
      g_autofree char *text = ftp_text_format_time (number);

      g_assert (text != NULL);
    }
  ftp_reply_fail (reply, "it", &error);
  check_shown (error->message);
  check_cleaned (reply->text);
}

/* All of them, one after the other; the last line is how it ended. */
static char *
read_replies (const guint8 *data, gsize size, gsize piece)
{
  g_autoptr (FtpReplyReader) reader = ftp_reply_reader_new ();
  GString *all = g_string_new (NULL);
  FtpReplyStatus status = FTP_REPLY_INCOMPLETE;

  for (gsize at = 0; at < size && status != FTP_REPLY_MALFORMED; at += piece)
    {
      ftp_reply_reader_push (reader, data + at, MIN (piece, size - at));
      do
        {
          g_autoptr (FtpReply) reply = NULL;

          status = ftp_reply_reader_pull (reader, &reply);
          g_assert ((status == FTP_REPLY_COMPLETE) == (reply != NULL));
          if (reply == NULL)
            continue;
          read_all_out_of (reply);
          g_string_append_printf (all, "%u %s\n", reply->code, reply->text);
        }
      while (status == FTP_REPLY_COMPLETE);
    }

  g_string_append_printf (all, "%d", status);
  return g_string_free (all, FALSE);
}

static void
fuzz_replies (const guint8 *data, gsize size)
{
  g_autofree char *at_once = NULL, *in_pieces = NULL;

  if (size == 0)
    return;
  at_once = read_replies (data + 1, size - 1, size);
  in_pieces = read_replies (data + 1, size - 1, 1 + data[0] % 32);
  g_assert (strcmp (at_once, in_pieces) == 0);
}

/* Listings */

static void
fuzz_listing (FtpListingFormat format, const guint8 *data, gsize size)
{
  g_autoptr (FtpListing) listing = ftp_listing_parse (format, (const char *) data, size, NOW);
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < listing->entries->len; i++)
    {
      const FtpEntry *entry = g_ptr_array_index (listing->entries, i);
      g_autofree char *path = g_strconcat ("/folder/", entry->name, NULL);
      g_autofree char *canonical = g_canonicalize_filename (path, "/");

      g_assert (strcmp (path, canonical) == 0);
      g_assert (g_hash_table_add (names, entry->name));
      g_assert (entry->size >= -1);
      for (const char *at = entry->name; *at != '\0'; at++)
        g_assert (!g_ascii_iscntrl (*at));
      check_cleaned (entry->name);
    }
  for (guint i = 0; i < listing->refused->len; i++)
    check_shown (g_ptr_array_index (listing->refused, i));
}

/* URLs */

static void
fuzz_url (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (FtpUrl) url = ftp_url_parse (text, &error);

  g_assert ((url == NULL) == (error != NULL));
  if (url != NULL)
    {
      g_autofree char *shown = ftp_url_to_string (url);

      for (const char *at = url->path; *at != '\0'; at++)
        g_assert (!g_ascii_iscntrl (*at));
      g_assert (*url->host != '\0');
    }
  ftp_url_hide_password (text);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  if (size == 0)
    return 0;

  switch (data[0] % 4)
    {
    case 0:
      fuzz_replies (data + 1, size - 1);
      break;
    case 1:
      fuzz_listing (FTP_LISTING_MLSD, data + 1, size - 1);
      break;
    case 2:
      fuzz_listing (FTP_LISTING_LIST, data + 1, size - 1);
      break;
    default:
      fuzz_url (data + 1, size - 1);
    }
  return 0;
}

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  return 0;
}

/* The first byte of each is the way. */
void
fuzz_make_seeds (FuzzAddSeed add, gpointer data)
{
#define SEED(name, text) add (data, name, text, sizeof text - 1)
  SEED ("replies", "\0\3220 Welcome\r\n211-Features:\r\n MDTM\r\n REST STREAM\r\n211 End\r\n");
  SEED ("values", "\0\1229 Extended (|||6446|)\r\n227 Passive (127,0,0,1,4,210).\r\n257 \"/a\"\r\n");
  SEED ("mlsd", "\1type=file;size=1;modify=20261125215344; a\r\ntype=dir; ..\r\n");
  SEED ("list", "\2-rw-r--r--    1 ftp      ftp            12 Nov 25 21:53 a\r\n");
  SEED ("dos", "\00211-25-26  09:53PM       <DIR>          folder\r\n");
  SEED ("url", "\3ftp://me:secret@[::1]:21/a%20b");
#undef SEED
}
