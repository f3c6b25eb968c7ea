/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ftp-listing.h"

#include <string.h>

#include "../terminal.h"
#include "ftp-text.h"

/* NOTES:
 *
 * Reads what a server answers to MLSD or LIST. Pure: bytes in, structs out.
 *
 * A name in a listing becomes the name of a file on this machine, so this is where a hostile server is stopped: no entry
 * comes out of here whose name is "." or "..", holds a slash, or a control character, and none comes out twice. What is
 * left out for that, or because it cannot be read, is told in words, and counts as a failure for who mirrors the folder.
 */

#define SECONDS_A_DAY 86400
#define UNIX_FIELDS 8 /* before the name: mode, links, user, group, size, month, day, year or time */
#define DOS_FIELDS 3  /* date, time, size or <DIR> */

typedef enum
{
  LINE_ENTRY,
  LINE_IGNORED, /* nothing that anybody would miss */
  LINE_SELF,    /* "." itself */
  LINE_UNREADABLE,
} LineKind;

typedef struct
{
  const char *text;
  gsize length;
} Field;

void
ftp_entry_free (FtpEntry *self)
{
  g_free (self->name);
  g_free (self);
}

void
ftp_listing_free (FtpListing *self)
{
  g_ptr_array_unref (self->entries);
  g_ptr_array_unref (self->refused);
  g_free (self);
}

/* Whether a file of this name lies in the folder that it is created in, and its name can be shown and sent. */
gboolean
ftp_listing_name_is_safe (const char *name)
{
  if (*name == '\0' || strcmp (name, ".") == 0 || strcmp (name, "..") == 0)
    return FALSE;

  for (const char *at = name; *at != '\0'; at++)
    if (*at == '/' || g_ascii_iscntrl (*at))
      return FALSE;
  return TRUE;
}

static gboolean
field_is (Field field, const char *text)
{
  return field.length == strlen (text) && g_ascii_strncasecmp (field.text, text, field.length) == 0;
}

/* Fields with spaces between them. Returns what stands behind the last one and one space, or NULL if there are less. */
static const char *
split_fields (const char *line, Field *fields, gsize n_fields)
{
  for (gsize i = 0; i < n_fields; i++)
    {
      line += strspn (line, " ");
      fields[i].text = line;
      fields[i].length = strcspn (line, " ");
      line += fields[i].length;
      if (*line != ' ')
        return NULL;
    }
  return line + 1;
}

/* MLSD: "type=file;size=12;modify=20261125120000; name" */

static LineKind
read_type (Field value, FtpEntryKind *kind)
{
  static const char link_type[] = "OS.unix=slink";

  if (field_is (value, "cdir") || field_is (value, "pdir"))
    return LINE_IGNORED;

  if (field_is (value, "file"))
    *kind = FTP_ENTRY_FILE;
  else if (field_is (value, "dir"))
    *kind = FTP_ENTRY_FOLDER;
  else if (value.length >= strlen (link_type) && g_ascii_strncasecmp (value.text, link_type, strlen (link_type)) == 0)
    *kind = FTP_ENTRY_LINK;
  return LINE_ENTRY;
}

static LineKind
read_fact (Field fact, FtpEntry *entry)
{
  const char *equals = memchr (fact.text, '=', fact.length);
  Field name, value;

  if (equals == NULL)
    return LINE_UNREADABLE;

  name = (Field){ fact.text, (gsize) (equals - fact.text) };
  value = (Field){ equals + 1, fact.length - name.length - 1 };
  if (field_is (name, "type"))
    return read_type (value, &entry->kind);
  if (field_is (name, "size") && !ftp_text_parse_number (value.text, value.length, &entry->size))
    return LINE_UNREADABLE;
  if (field_is (name, "modify"))
    {
      if (!ftp_text_parse_time (value.text, value.length, &entry->modified))
        return LINE_UNREADABLE;
      entry->modified_is_exact = TRUE;
    }
  return LINE_ENTRY;
}

static LineKind
read_mlsd_line (const char *line, FtpEntry *entry)
{
  const char *space = strchr (line, ' ');
  LineKind kind = LINE_ENTRY;

  if (space == NULL)
    return LINE_UNREADABLE;

  while (line < space && kind == LINE_ENTRY)
    {
      gsize length = strcspn (line, "; ");

      kind = read_fact ((Field){ line, length }, entry);
      line += length;
      if (*line == ';')
        line++;
    }
  entry->name = g_strdup (space + 1);
  return kind;
}

/* LIST as ls -l has it: "-rw-r--r--  1 user group  12 Nov 25 12:00 name" */

static int
read_month (Field field)
{
  static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

  for (gsize i = 0; i < G_N_ELEMENTS (months); i++)
    if (field_is (field, months[i]))
      return (int) i + 1;
  return 0;
}

static gint64
make_time (gint64 year, int month, gint64 day, gint64 hour, gint64 minute)
{
  g_autoptr (GDateTime) time = NULL;

  if (year < 1 || year > 9999 || day > 31 || hour > 23 || minute > 59)
    return -1;
  time = g_date_time_new_utc ((int) year, month, (int) day, (int) hour, (int) minute, 0);
  return time != NULL ? g_date_time_to_unix (time) : -1;
}

/* "HH:MM" of the last twelve months, or a year. The time zone is anybody's guess. */
static gint64
read_unix_time (Field month_field, Field day_field, Field last, gint64 now)
{
  int month = read_month (month_field);
  const char *colon = memchr (last.text, ':', last.length);
  g_autoptr (GDateTime) today = g_date_time_new_from_unix_utc (now);
  gint64 day, year, hour, minute, time;

  if (month == 0 || !ftp_text_parse_number (day_field.text, day_field.length, &day) || today == NULL)
    return -1;

  if (colon == NULL)
    return ftp_text_parse_number (last.text, last.length, &year) ? make_time (year, month, day, 0, 0) : -1;

  if (!ftp_text_parse_number (last.text, (gsize) (colon - last.text), &hour) ||
      !ftp_text_parse_number (colon + 1, last.length - (gsize) (colon - last.text) - 1, &minute))
    return -1;
  year = g_date_time_get_year (today);
  time = make_time (year, month, day, hour, minute);
  return time > now + SECONDS_A_DAY ? make_time (year - 1, month, day, hour, minute) : time;
}

static FtpEntryKind
read_unix_kind (char letter)
{
  switch (letter)
    {
    case '-':
      return FTP_ENTRY_FILE;
    case 'd':
      return FTP_ENTRY_FOLDER;
    case 'l':
      return FTP_ENTRY_LINK;
    default:
      return FTP_ENTRY_OTHER;
    }
}

static LineKind
read_unix_line (const char *line, gint64 now, FtpEntry *entry)
{
  Field fields[UNIX_FIELDS];
  const char *name = split_fields (line, fields, UNIX_FIELDS);
  const char *arrow;

  if (name == NULL || fields[0].length < 10)
    return LINE_UNREADABLE;

  entry->kind = read_unix_kind (line[0]);
  if (entry->kind == FTP_ENTRY_FILE && !ftp_text_parse_number (fields[4].text, fields[4].length, &entry->size))
    return LINE_UNREADABLE;
  entry->modified = read_unix_time (fields[5], fields[6], fields[7], now);
  if (entry->modified < 0)
    return LINE_UNREADABLE;

  arrow = entry->kind == FTP_ENTRY_LINK ? strstr (name, " -> ") : NULL;
  entry->name = arrow != NULL ? g_strndup (name, (gsize) (arrow - name)) : g_strdup (name);
  if (strcmp (entry->name, ".") == 0)
    return LINE_SELF;
  return strcmp (entry->name, "..") == 0 ? LINE_IGNORED : LINE_ENTRY;
}

/* LIST as DOS has it: "11-25-26  12:00PM  <DIR>  name" */

static gint64
read_dos_time (Field date, Field time)
{
  gint64 month, day, year, hour, minute;
  gboolean is_afternoon;

  if ((date.length != 8 && date.length != 10) || date.text[2] != '-' || date.text[5] != '-' || time.length != 7 ||
      time.text[2] != ':')
    return -1;
  if (!ftp_text_parse_number (date.text, 2, &month) || !ftp_text_parse_number (date.text + 3, 2, &day) ||
      !ftp_text_parse_number (date.text + 6, date.length - 6, &year) || !ftp_text_parse_number (time.text, 2, &hour) ||
      !ftp_text_parse_number (time.text + 3, 2, &minute) || month < 1 || month > 12 || hour < 1 || hour > 12)
    return -1;

  if (date.length == 8)
    year += year < 70 ? 2000 : 1900;
  is_afternoon = g_ascii_toupper (time.text[5]) == 'P';
  return make_time (year, (int) month, day, hour % 12 + (is_afternoon ? 12 : 0), minute);
}

static LineKind
read_dos_line (const char *line, FtpEntry *entry)
{
  Field fields[DOS_FIELDS];
  const char *name = split_fields (line, fields, DOS_FIELDS);

  if (name == NULL)
    return LINE_UNREADABLE;

  entry->modified = read_dos_time (fields[0], fields[1]);
  if (entry->modified < 0)
    return LINE_UNREADABLE;
  if (field_is (fields[2], "<DIR>"))
    entry->kind = FTP_ENTRY_FOLDER;
  else if (ftp_text_parse_number (fields[2].text, fields[2].length, &entry->size))
    entry->kind = FTP_ENTRY_FILE;
  else
    return LINE_UNREADABLE;
  entry->name = g_strdup (name + strspn (name, " "));
  return LINE_ENTRY;
}

static LineKind
read_list_line (const char *line, gint64 now, FtpEntry *entry)
{
  if (g_str_has_prefix (line, "total ") && strspn (line + 6, "0123456789") == strlen (line + 6))
    return LINE_IGNORED;
  return g_ascii_isdigit (line[0]) ? read_dos_line (line, entry) : read_unix_line (line, now, entry);
}

/* All lines */

static void
refuse (FtpListing *self, const char *why, const char *what)
{
  g_autofree char *printable = terminal_clean (what);

  g_ptr_array_add (self->refused, g_strdup_printf ("%s: \"%s\"", why, printable));
}

static void
read_line (FtpListing *self, FtpListingFormat format, const char *line, gint64 now, GHashTable *names)
{
  FtpEntry *entry = g_new0 (FtpEntry, 1);
  LineKind kind;

  *entry = (FtpEntry){ .kind = FTP_ENTRY_OTHER, .size = -1, .modified = -1 };
  kind = format == FTP_LISTING_MLSD ? read_mlsd_line (line, entry) : read_list_line (line, now, entry);
  if (kind == LINE_UNREADABLE)
    refuse (self, "a line of the server's listing cannot be read", line);
  else if (kind == LINE_ENTRY && !ftp_listing_name_is_safe (entry->name))
    refuse (self, "a name in the server's listing is not one for a file", entry->name);
  else if (kind == LINE_ENTRY && g_hash_table_contains (names, entry->name))
    refuse (self, "a name stands twice in the server's listing", entry->name);
  else if (kind == LINE_ENTRY)
    {
      g_hash_table_add (names, entry->name);
      g_ptr_array_add (self->entries, g_steal_pointer (&entry));
    }
  else if (kind == LINE_SELF)
    self->shows_hidden = TRUE;
  g_clear_pointer (&entry, ftp_entry_free);
}

/* @now, in seconds since 1970, serves to guess years that LIST does not tell. */
FtpListing *
ftp_listing_parse (FtpListingFormat format, const char *data, gsize size, gint64 now)
{
  FtpListing *self = g_new0 (FtpListing, 1);
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal); /* the entries' own */
  gsize at = 0;

  self->entries = g_ptr_array_new_with_free_func ((GDestroyNotify) ftp_entry_free);
  self->refused = g_ptr_array_new_with_free_func (g_free);

  while (at < size)
    {
      const char *end = memchr (data + at, '\n', size - at);
      gsize length = end != NULL ? (gsize) (end - (data + at)) : size - at;
      gboolean holds_nul = memchr (data + at, '\0', length) != NULL;
      g_autofree char *line = g_strndup (data + at, length);

      if (length > 0 && line[length - 1] == '\r')
        line[length - 1] = '\0';
      if (holds_nul)
        refuse (self, "a line of the server's listing holds a NUL", line);
      else if (*line != '\0')
        read_line (self, format, line, now, names);
      at += length + 1;
    }
  return self;
}
