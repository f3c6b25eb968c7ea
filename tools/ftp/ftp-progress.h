/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  FTP_PROGRESS_SILENT,
  FTP_PROGRESS_LINES,    /* one for each file, on standard output */
  FTP_PROGRESS_TERMINAL, /* one line that changes, on standard error */
} FtpProgressStyle;

typedef struct _FtpProgress FtpProgress;

FtpProgress *ftp_progress_new (FtpProgressStyle style);

void ftp_progress_free (FtpProgress *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FtpProgress, ftp_progress_free)

void ftp_progress_expect_file (FtpProgress *self, gint64 size);

void ftp_progress_expect_bytes (FtpProgress *self, gint64 size);

void ftp_progress_add_bytes (FtpProgress *self, guint64 bytes);

void ftp_progress_pass_over (FtpProgress *self, gint64 bytes);

void ftp_progress_file_is_over (FtpProgress *self, const char *what, const char *name);

void ftp_progress_complain (FtpProgress *self, const char *message);

void ftp_progress_end (FtpProgress *self);

double ftp_progress_get_seconds (FtpProgress *self);

G_END_DECLS
