/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "ftp-listing.h"

/* Listings as servers send them, and as none should. */

#define NOW 1795643624 /* 2026-11-25 21:53:44 */

static FtpListing *
parse (FtpListingFormat format, const char *text)
{
  return ftp_listing_parse (format, text, strlen (text), NOW);
}

static void
assert_entry (const FtpListing *listing, guint index, FtpEntryKind kind, gint64 size, gint64 modified, const char *name)
{
  const FtpEntry *entry;

  g_assert_cmpuint (index, <, listing->entries->len);
  entry = g_ptr_array_index (listing->entries, index);
  g_assert_cmpstr (entry->name, ==, name);
  g_assert_cmpint (entry->kind, ==, kind);
  g_assert_cmpint (entry->size, ==, size);
  g_assert_cmpint (entry->modified, ==, modified);
}

static void
reads_mlsd (void)
{
  g_autoptr (FtpListing)
    listing = parse (FTP_LISTING_MLSD, "modify=20261125215344;perm=flcdmpe;type=cdir;unique=1; .\r\n"
                                       "type=pdir;modify=20261125215344; ..\r\n"
                                       "Type=File;Size=12;Modify=20261125215344.5;perm=r; a; b.txt\r\n"
                                       "type=dir;modify=20261125215344;sizd=4096;  lead\r\n"
                                       "type=OS.unix=slink:/etc; link\r\n"
                                       "type=OS.unix=chr-13/29; device\r\n"
                                       " bare\r\n");

  g_assert_cmpuint (listing->refused->len, ==, 0);
  g_assert_cmpuint (listing->entries->len, ==, 5);
  assert_entry (listing, 0, FTP_ENTRY_FILE, 12, NOW, "a; b.txt");
  assert_entry (listing, 1, FTP_ENTRY_FOLDER, -1, NOW, " lead");
  assert_entry (listing, 2, FTP_ENTRY_LINK, -1, -1, "link");
  assert_entry (listing, 3, FTP_ENTRY_OTHER, -1, -1, "device");
  assert_entry (listing, 4, FTP_ENTRY_OTHER, -1, -1, "bare");
  g_assert_true (((FtpEntry *) g_ptr_array_index (listing->entries, 0))->modified_is_exact);
}

static void
reads_unix_list (void)
{
  g_autoptr (FtpListing)
    listing = parse (FTP_LISTING_LIST, "total 24\r\n"
                                       "drwxr-xr-x    2 0        0            4096 Nov 25 21:53 .\r\n"
                                       "drwxr-xr-x    2 0        0            4096 Nov 25 21:53 ..\r\n"
                                       "-rw-r--r--    1 ftp      ftp            12 Nov 25 21:53 a  b -> c\r\n"
                                       "-rw-r--r--    1 ftp      ftp            13 Nov 27 00:00 last year\r\n"
                                       "drwxr-xr-x    2 0        0            4096 Feb 29  2024  lead\r\n"
                                       "lrwxrwxrwx    1 0        0               4 Jan  1  2026 link -> ../x\r\n"
                                       "crw-rw-rw-    1 0        0           1,  3 Jan  1  2026 null\r\n"
                                       "-rw-r--r--+   1 user     domain users   5 Jan  1  2026 odd group\n");

  assert_entry (listing, 0, FTP_ENTRY_FILE, 12, NOW - 44, "a  b -> c");
  assert_entry (listing, 1, FTP_ENTRY_FILE, 13, 1764201600, "last year");
  assert_entry (listing, 2, FTP_ENTRY_FOLDER, -1, 1709164800, " lead");
  assert_entry (listing, 3, FTP_ENTRY_LINK, -1, 1767225600, "link");
  g_assert_cmpuint (listing->entries->len, ==, 4);
  g_assert_cmpuint (listing->refused->len, ==, 2); /* what cannot be read is told, not guessed */
  g_assert_true (listing->shows_hidden);
  g_assert_false (((FtpEntry *) g_ptr_array_index (listing->entries, 0))->modified_is_exact);
}

static void
reads_dos_list (void)
{
  g_autoptr (FtpListing) listing = parse (FTP_LISTING_LIST, "11-25-26  09:53PM       <DIR>          folder name\r\n"
                                                            "11-25-2026  12:00AM                 12 a.txt\r\n"
                                                            "13-25-26  09:53PM                 12 month\r\n"
                                                            "11-25-26  09:53PM               what size\r\n");

  assert_entry (listing, 0, FTP_ENTRY_FOLDER, -1, NOW - 44, "folder name");
  assert_entry (listing, 1, FTP_ENTRY_FILE, 12, 1795564800, "a.txt");
  g_assert_cmpuint (listing->entries->len, ==, 2);
  g_assert_cmpuint (listing->refused->len, ==, 2);
}

/* No name leads out of the folder */

static void
assert_refused (FtpListingFormat format, const char *text, gsize size)
{
  g_autoptr (FtpListing) listing = ftp_listing_parse (format, text, size, NOW);

  g_assert_cmpuint (listing->entries->len, ==, 0);
  g_assert_cmpuint (listing->refused->len, >=, 1);
  for (guint i = 0; i < listing->refused->len; i++)
    for (const char *at = g_ptr_array_index (listing->refused, i); *at != '\0'; at++)
      g_assert_false (g_ascii_iscntrl (*at));
}

static void
refuses_hostile_names (void)
{
  static const char *const names[] = { "",         "..",   "../x", "/etc/passwd", "a/b",      "a/",
                                       "a\033[2J", "\x01", "a\tb", "a\x7f",       "x\rDELE y" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *mlsd = g_strdup_printf ("type=file;size=1; %s\r\n", names[i]);
      g_autofree char *list = g_strdup_printf ("-rw-r--r--    1 0  0  12 Nov 25 21:53 %s\r\n", names[i]);

      g_assert_false (ftp_listing_name_is_safe (names[i]));
      assert_refused (FTP_LISTING_MLSD, mlsd, strlen (mlsd));
      if (strcmp (names[i], "..") != 0) /* in LIST that is the folder above, which is left out without a word */
        assert_refused (FTP_LISTING_LIST, list, strlen (list));
    }

  g_assert_true (ftp_listing_name_is_safe ("..."));
  g_assert_true (ftp_listing_name_is_safe ("..a"));
  g_assert_true (ftp_listing_name_is_safe ("\xff\xfe"));
  assert_refused (FTP_LISTING_MLSD, "type=file; a\0/../b\r\n", 20);
  assert_refused (FTP_LISTING_MLSD, "type=dir; .\r\n", 13);
}

static void
never_lists_the_folder_above_as_a_folder (void)
{
  g_autoptr (FtpListing) listing = parse (FTP_LISTING_LIST, "drwxr-xr-x 2 0 0 4096 Nov 25 21:53 ..\r\n"
                                                            "lrwxrwxrwx 1 0 0    4 Nov 25 21:53 .. -> /\r\n");

  g_assert_cmpuint (listing->entries->len, ==, 0);
}

/* Else two transfers would write the same file at once. */
static void
refuses_a_name_twice (void)
{
  g_autoptr (FtpListing) listing = parse (FTP_LISTING_MLSD, "type=file; a\r\ntype=dir; a\r\ntype=file; a\r\n");

  g_assert_cmpuint (listing->entries->len, ==, 1);
  g_assert_cmpuint (listing->refused->len, ==, 2);
  assert_entry (listing, 0, FTP_ENTRY_FILE, -1, -1, "a");
}

static void
refuses_what_cannot_be_read (void)
{
  static const char *const lines[] = { "type=file;size=-1; a",
                                       "type=file;size=99999999999999999999; a",
                                       "type=file;modify=yesterday; a",
                                       "type; a",
                                       "type=file",
                                       "nothing" };
  static const char *const list_lines[] = { "-rw-r--r-- 1 0 0 -5 Nov 25 21:53 a",
                                            "-rw-r--r-- 1 0 0 5 Nov 31 21:53 a",
                                            "-rw-r--r-- 1 0 0 5 Foo 25 21:53 a",
                                            "-rw-r--r-- 1 0 0 5 Nov 25 24:60 a",
                                            "-rw-r--r-- 1 0 0 5 Nov 25 99999 a",
                                            "-rw 1 0 0 5 Nov 25 21:53 a",
                                            "ls: not found" };

  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    assert_refused (FTP_LISTING_MLSD, lines[i], strlen (lines[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (list_lines); i++)
    assert_refused (FTP_LISTING_LIST, list_lines[i], strlen (list_lines[i]));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/ftp-listing/reads_mlsd", reads_mlsd);
  g_test_add_func ("/ftp-listing/reads_unix_list", reads_unix_list);
  g_test_add_func ("/ftp-listing/reads_dos_list", reads_dos_list);
  g_test_add_func ("/ftp-listing/refuses_hostile_names", refuses_hostile_names);
  g_test_add_func ("/ftp-listing/never_lists_the_folder_above_as_a_folder", never_lists_the_folder_above_as_a_folder);
  g_test_add_func ("/ftp-listing/refuses_a_name_twice", refuses_a_name_twice);
  g_test_add_func ("/ftp-listing/refuses_what_cannot_be_read", refuses_what_cannot_be_read);

  return g_test_run ();
}
