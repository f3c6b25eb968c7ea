/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* An answer of the server. Its text is what stands behind the code, the lines of a longer one with '\n' between them;
 * it is bytes of any kind, except NUL: see terminal_clean(). */
typedef struct
{
  guint code; /* 100 to 599 */
  char *text;
} FtpReply;

void ftp_reply_free (FtpReply *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FtpReply, ftp_reply_free)

gboolean ftp_reply_is (const FtpReply *self, guint class);

gboolean ftp_reply_expect (const FtpReply *self, guint class, const char *what, GError **error);

void ftp_reply_fail (const FtpReply *self, const char *what, GError **error);

/* Reading replies out of bytes as they come */

typedef enum
{
  FTP_REPLY_INCOMPLETE,
  FTP_REPLY_COMPLETE,
  FTP_REPLY_MALFORMED,
} FtpReplyStatus;

typedef struct _FtpReplyReader FtpReplyReader;

FtpReplyReader *ftp_reply_reader_new (void);

void ftp_reply_reader_free (FtpReplyReader *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FtpReplyReader, ftp_reply_reader_free)

void ftp_reply_reader_push (FtpReplyReader *self, const void *data, gsize size);

FtpReplyStatus ftp_reply_reader_pull (FtpReplyReader *self, FtpReply **reply);

gboolean ftp_reply_reader_is_empty (FtpReplyReader *self);

/* What stands in some replies */

typedef enum
{
  FTP_FEATURE_EPSV = 1 << 0,
  FTP_FEATURE_MDTM = 1 << 1,
  FTP_FEATURE_MFMT = 1 << 2,
  FTP_FEATURE_MLST = 1 << 3,
  FTP_FEATURE_REST = 1 << 4,
  FTP_FEATURE_SIZE = 1 << 5,
  FTP_FEATURE_UTF8 = 1 << 6,
  FTP_FEATURE_MDTM_SETS = 1 << 7, /* no server tells; it turns out */
} FtpFeatures;

FtpFeatures ftp_reply_parse_features (const FtpReply *self);

gboolean ftp_reply_parse_epsv (const FtpReply *self, guint16 *port);

gboolean ftp_reply_parse_pasv (const FtpReply *self, guint8 address[4], guint16 *port);

gboolean ftp_reply_parse_size (const FtpReply *self, gint64 *size);

gboolean ftp_reply_parse_time (const FtpReply *self, gint64 *seconds);

char *ftp_reply_parse_path (const FtpReply *self);

G_END_DECLS
