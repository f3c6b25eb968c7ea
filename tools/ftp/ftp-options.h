/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ftp-url.h"

G_BEGIN_DECLS

typedef enum
{
  FTP_VERB_LS,
  FTP_VERB_GET,
  FTP_VERB_PUT,
  FTP_VERB_MIRROR_DOWN,
  FTP_VERB_MIRROR_UP,
} FtpVerb;

/* What the command line says. */
typedef struct
{
  FtpVerb verb;
  FtpUrl *url;
  char *local; /* NULL for ls */
  char *ca;
  char *user;
  char *password_file;
  gboolean goes_on;
  gboolean only_tls12;
  gboolean json;
  gboolean quiet;
  int parallel;
  int timeout; /* s */
} FtpOptions;

/* NULL if it is not understood, which was told. */
FtpOptions *ftp_options_parse (int argc, char **argv);

void ftp_options_free (FtpOptions *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FtpOptions, ftp_options_free)

G_END_DECLS
