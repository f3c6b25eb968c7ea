/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ftp-reply.h"

#include <string.h>

#include "../terminal.h"
#include "ftp-text.h"

/* Replies to FTP commands (RFC 959, section 4.2), and what stands in them. Pure: bytes in, structs out. A server may
 * send anything at all; what is not a reply is MALFORMED, and a reply that does not end is, too.
 */

#define MAX_REPLY_BYTES (64 * 1024)
#define CODE_DIGITS 3

struct _FtpReplyReader
{
  GByteArray *arrived; /* not read yet */
  guint code;          /* of the reply of several lines that has begun; 0: none has */
  GString *text;       /* of its lines so far */
};

void
ftp_reply_free (FtpReply *self)
{
  g_free (self->text);
  g_free (self);
}

/* Whether the code begins with the digit @class. */
gboolean
ftp_reply_is (const FtpReply *self, guint class)
{
  return self->code / 100 == class;
}

void
ftp_reply_fail (const FtpReply *self, const char *what, GError **error)
{
  g_autofree char *text = terminal_clean (self->text);

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "The server refused %s: %u %s", what, self->code, text);
}

gboolean
ftp_reply_expect (const FtpReply *self, guint class, const char *what, GError **error)
{
  if (ftp_reply_is (self, class))
    return TRUE;

  ftp_reply_fail (self, what, error);
  return FALSE;
}

/* The reader */

FtpReplyReader *
ftp_reply_reader_new (void)
{
  FtpReplyReader *self = g_new0 (FtpReplyReader, 1);

  self->arrived = g_byte_array_new ();
  self->text = g_string_new (NULL);
  return self;
}

void
ftp_reply_reader_free (FtpReplyReader *self)
{
  g_byte_array_unref (self->arrived);
  g_string_free (self->text, TRUE);
  g_free (self);
}

void
ftp_reply_reader_push (FtpReplyReader *self, const void *data, gsize size)
{
  g_byte_array_append (self->arrived, data, (guint) size);
}

/* Whether nothing has arrived but whole replies, all of which were pulled. */
gboolean
ftp_reply_reader_is_empty (FtpReplyReader *self)
{
  return self->arrived->len == 0 && self->code == 0;
}

/* The code at the beginning of a line, and what stands behind it: ' ', '-', or 0 for the end of the line. 0: no code. */
static guint
read_code (const char *line, gsize length, char *separator)
{
  if (length < CODE_DIGITS || line[0] < '1' || line[0] > '5' || !g_ascii_isdigit (line[1]) ||
      !g_ascii_isdigit (line[2]))
    return 0;

  *separator = length > CODE_DIGITS ? line[CODE_DIGITS] : '\0';
  if (*separator != ' ' && *separator != '-' && *separator != '\0')
    return 0;
  return (guint) ((line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'));
}

static void
add_line (FtpReplyReader *self, const char *line, gsize length)
{
  if (self->text->len > 0)
    g_string_append_c (self->text, '\n');
  g_string_append_len (self->text, line, (gssize) length);
}

static FtpReply *
complete (FtpReplyReader *self, guint code)
{
  FtpReply *reply = g_new0 (FtpReply, 1);

  reply->code = code;
  reply->text = g_strndup (self->text->str, self->text->len);
  g_string_truncate (self->text, 0);
  self->code = 0;
  return reply;
}

static FtpReplyStatus
read_line (FtpReplyReader *self, const char *line, gsize length, FtpReply **reply)
{
  char separator = '\0';
  guint code = read_code (line, length, &separator);
  gsize head = MIN (length, CODE_DIGITS + 1);

  if (memchr (line, '\0', length) != NULL || (self->code == 0 && code == 0))
    return FTP_REPLY_MALFORMED;

  if (code == 0 || (self->code != 0 && (code != self->code || separator == '-')))
    {
      add_line (self, line, length);
      return FTP_REPLY_INCOMPLETE;
    }

  add_line (self, line + head, length - head);
  if (separator != '-')
    {
      *reply = complete (self, code);
      return FTP_REPLY_COMPLETE;
    }
  self->code = code;
  return FTP_REPLY_INCOMPLETE;
}

/* The next reply, of which the caller is the owner. After MALFORMED there is no way to go on. */
FtpReplyStatus
ftp_reply_reader_pull (FtpReplyReader *self, FtpReply **reply)
{
  FtpReplyStatus status = FTP_REPLY_INCOMPLETE;

  while (status == FTP_REPLY_INCOMPLETE)
    {
      const char *line = (const char *) self->arrived->data;
      const char *end = self->arrived->len > 0 ? memchr (line, '\n', self->arrived->len) : NULL;
      gsize length;

      if (end == NULL)
        return self->arrived->len + self->text->len > MAX_REPLY_BYTES ? FTP_REPLY_MALFORMED : FTP_REPLY_INCOMPLETE;

      length = (gsize) (end - line);
      if (length > 0 && line[length - 1] == '\r')
        length--;
      if (length + self->text->len > MAX_REPLY_BYTES)
        return FTP_REPLY_MALFORMED;
      status = read_line (self, line, length, reply);
      g_byte_array_remove_range (self->arrived, 0, (guint) (end - line) + 1);
    }
  return status;
}

/* What stands in some replies */

static FtpFeatures
name_feature (const char *line)
{
  static const struct
  {
    const char *name;
    FtpFeatures feature;
  } known[] = {
    { "EPSV", FTP_FEATURE_EPSV },        { "MDTM", FTP_FEATURE_MDTM }, { "MFMT", FTP_FEATURE_MFMT },
    { "MLST", FTP_FEATURE_MLST },        { "SIZE", FTP_FEATURE_SIZE }, { "UTF8", FTP_FEATURE_UTF8 },
    { "REST STREAM", FTP_FEATURE_REST },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    {
      gsize length = strlen (known[i].name);

      if (g_ascii_strncasecmp (line, known[i].name, length) == 0 && (line[length] == '\0' || line[length] == ' '))
        return known[i].feature;
    }
  return 0;
}

/* FEAT (RFC 2389): one feature a line, behind a space. */
FtpFeatures
ftp_reply_parse_features (const FtpReply *self)
{
  g_auto (GStrv) lines = g_strsplit (self->text, "\n", -1);
  FtpFeatures features = 0;

  for (char **line = lines; *line != NULL; line++)
    if (**line == ' ')
      features |= name_feature (g_strchomp (*line) + 1);
  return features;
}

/* EPSV (RFC 2428): "(|||PORT|)", with any character in place of the bar. */
gboolean
ftp_reply_parse_epsv (const FtpReply *self, guint16 *port)
{
  const char *open = strchr (self->text, '(');
  const char *end;
  gint64 number;

  if (open == NULL || !g_ascii_isgraph (open[1]) || g_ascii_isdigit (open[1]) || open[2] != open[1] ||
      open[3] != open[1])
    return FALSE;

  end = strchr (open + 4, open[1]);
  if (end == NULL || !ftp_text_parse_number (open + 4, (gsize) (end - open - 4), &number) || number < 1 ||
      number > G_MAXUINT16)
    return FALSE;
  *port = (guint16) number;
  return TRUE;
}

/* PASV (RFC 959): six numbers with commas between them; servers disagree about what stands around them. */
gboolean
ftp_reply_parse_pasv (const FtpReply *self, guint8 address[4], guint16 *port)
{
  const char *at = self->text + strcspn (self->text, "0123456789");
  guint8 bytes[6];

  for (gsize i = 0; i < G_N_ELEMENTS (bytes); i++)
    {
      gsize length = strspn (at, "0123456789");
      gint64 number;

      if (!ftp_text_parse_number (at, length, &number) || number > G_MAXUINT8)
        return FALSE;
      bytes[i] = (guint8) number;
      at += length;
      if (i + 1 < G_N_ELEMENTS (bytes) && *at++ != ',')
        return FALSE;
    }

  memcpy (address, bytes, 4);
  *port = (guint16) (bytes[4] << 8 | bytes[5]);
  return *port != 0;
}

/* SIZE (RFC 3659) */
gboolean
ftp_reply_parse_size (const FtpReply *self, gint64 *size)
{
  return ftp_text_parse_number (self->text, strcspn (self->text, " \r\n"), size);
}

/* MDTM (RFC 3659) */
gboolean
ftp_reply_parse_time (const FtpReply *self, gint64 *seconds)
{
  return ftp_text_parse_time (self->text, strcspn (self->text, " \r\n"), seconds);
}

/* PWD (RFC 959, appendix II): the path in quotes, with its own quotes doubled. NULL: there is no absolute path. */
char *
ftp_reply_parse_path (const FtpReply *self)
{
  g_autoptr (GString) path = g_string_new (NULL);
  const char *at = self->text;

  if (at[0] != '"' || at[1] != '/')
    return NULL;

  for (at++; *at != '\0'; at++)
    {
      if (*at == '"' && *++at != '"')
        return g_strndup (path->str, path->len);
      g_string_append_c (path, *at);
    }
  return NULL;
}
