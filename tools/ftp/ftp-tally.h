/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../tool-json.h"
#include "../tool.h"

G_BEGIN_DECLS

/* What was done, for the summary and the exit status. */
typedef struct
{
  guint files_done;
  guint files_same;      /* skipped: size and time are equal already */
  guint files_continued; /* of those done: the beginning was there already */
  guint folders_done;
  guint links_skipped; /* and devices, and whatever is neither a file nor a folder */
  guint64 bytes;       /* that went over data connections */
  guint connections;   /* for control */
  guint logins;        /* of these, that came to be ready for transfers */
  guint data_connections;
  guint resumed;         /* of the data connections */
  char *why_not_resumed; /* of the first data connection that was not; NULL: there was none */
  gboolean is_interrupted;
  GPtrArray *failures; /* of char *: sentences */
} FtpTally;

FtpTally *ftp_tally_new (void);

void ftp_tally_free (FtpTally *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FtpTally, ftp_tally_free)

void ftp_tally_fail (FtpTally *self, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* TOOL_EXIT_FAILED: no login came about; TOOL_EXIT_NO: one did, and not all was done. */
ToolExit ftp_tally_get_exit (const FtpTally *self);

char *ftp_tally_to_text (const FtpTally *self, double seconds);

/* Members of the object that is being built. */
void ftp_tally_add_to_json (const FtpTally *self, double seconds, JsonBuilder *builder);

G_END_DECLS
