/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum
{
  FTP_SECURITY_EXPLICIT, /* ftp://, ftpes://: AUTH TLS before anything is said (RFC 4217) */
  FTP_SECURITY_IMPLICIT, /* ftps://: TLS from the first byte on */
} FtpSecurity;

typedef struct
{
  FtpSecurity security;
  char *host;
  guint16 port;
  char *user;     /* NULL: not told */
  char *password; /* NULL: not told */
  char *path;     /* from the login's folder on, or if it begins with a slash from the root on */
} FtpUrl;

gboolean ftp_url_is_one (const char *text);

FtpUrl *ftp_url_parse (const char *text, GError **error);

void ftp_url_free (FtpUrl *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FtpUrl, ftp_url_free)

char *ftp_url_to_string (const FtpUrl *self);

void ftp_url_hide_password (char *text);

G_END_DECLS
