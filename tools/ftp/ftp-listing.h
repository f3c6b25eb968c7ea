/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  FTP_ENTRY_FILE,
  FTP_ENTRY_FOLDER,
  FTP_ENTRY_LINK,
  FTP_ENTRY_OTHER,
} FtpEntryKind;

typedef struct
{
  char *name; /* one that ftp_listing_name_is_safe() */
  FtpEntryKind kind;
  gint64 size;                /* -1: not told */
  gint64 modified;            /* seconds since 1970; -1: not told */
  gboolean modified_is_exact; /* else it is good enough to be shown, and nothing more */
} FtpEntry;

void ftp_entry_free (FtpEntry *self);

typedef enum
{
  FTP_LISTING_MLSD, /* RFC 3659: made for programs */
  FTP_LISTING_LIST, /* RFC 959: made for people, in the server's taste */
} FtpListingFormat;

typedef struct
{
  GPtrArray *entries;    /* of FtpEntry, each name once */
  GPtrArray *refused;    /* of char *: sentences about lines that are not among them */
  gboolean shows_hidden; /* LIST only: "." was among them, so the server hides nothing */
} FtpListing;

FtpListing *ftp_listing_parse (FtpListingFormat format, const char *data, gsize size, gint64 now);

void ftp_listing_free (FtpListing *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FtpListing, ftp_listing_free)

gboolean ftp_listing_name_is_safe (const char *name);

G_END_DECLS
