/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ftp-url.h"

#include <string.h>

#include "../wipe.h"

static const struct
{
  const char *scheme;
  FtpSecurity security;
  guint16 port;
} schemes[] = {
  { "ftp", FTP_SECURITY_EXPLICIT, 21 },
  { "ftpes", FTP_SECURITY_EXPLICIT, 21 },
  { "ftps", FTP_SECURITY_IMPLICIT, 990 },
};

gboolean
ftp_url_is_one (const char *text)
{
  return strstr (text, "://") != NULL;
}

void
ftp_url_free (FtpUrl *self)
{
  g_free (self->host);
  g_free (self->user);
  wipe_and_free (self->password);
  g_free (self->path);
  g_free (self);
}

static gboolean
read_scheme (FtpUrl *self, const char *scheme, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (schemes); i++)
    if (g_ascii_strcasecmp (scheme, schemes[i].scheme) == 0)
      {
        self->security = schemes[i].security;
        self->port = schemes[i].port;
        return TRUE;
      }

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
               "The URL begins with %s://; it has to be ftp:// or "
               "ftpes:// (explicit TLS), or ftps:// (implicit TLS)",
               scheme);
  return FALSE;
}

/* What is sent in a command must not end it. */
static gboolean
holds_control (const char *text)
{
  for (; text != NULL && *text != '\0'; text++)
    if (g_ascii_iscntrl (*text))
      return TRUE;
  return FALSE;
}

/* "ftp://host/a" is a in the login's folder, "ftp://host//a" and "ftp://host/%2Fa" are from the root (RFC 1738). */
static char *
read_path (const char *path)
{
  return g_uri_unescape_string (*path == '/' ? path + 1 : path, NULL);
}

FtpUrl *
ftp_url_parse (const char *text, GError **error)
{
  g_autoptr (GUri) uri = g_uri_parse (text, G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_ENCODED_PATH, error);
  g_autoptr (FtpUrl) self = g_new0 (FtpUrl, 1);

  if (uri == NULL || !read_scheme (self, g_uri_get_scheme (uri), error))
    return NULL;

  self->host = g_strdup (g_uri_get_host (uri));
  self->user = g_strdup (g_uri_get_user (uri));
  self->password = g_strdup (g_uri_get_password (uri));
  self->path = read_path (g_uri_get_path (uri));
  if (g_uri_get_port (uri) > 0)
    self->port = (guint16) g_uri_get_port (uri);

  if (self->host == NULL || *self->host == '\0')
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "The URL names no host");
  else if (g_uri_get_query (uri) != NULL || g_uri_get_fragment (uri) != NULL)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                         "In a URL of FTP a ? is to be written as %3F, and a # as %23");
  else if (self->path == NULL || holds_control (self->path) || holds_control (self->user) ||
           holds_control (self->password))
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "The URL holds control characters");
  else
    return g_steal_pointer (&self);
  return NULL;
}

/* For people: without the password, and without what is the default. */
char *
ftp_url_to_string (const FtpUrl *self)
{
  g_autofree char *path = g_uri_escape_string (self->path, "/", FALSE);
  g_autofree char *user = self->user != NULL ? g_uri_escape_string (self->user, NULL, FALSE) : NULL;
  gboolean is_implicit = self->security == FTP_SECURITY_IMPLICIT;
  gboolean is_ipv6 = strchr (self->host, ':') != NULL;
  GString *text = g_string_new (is_implicit ? "ftps://" : "ftp://");

  if (user != NULL)
    g_string_append_printf (text, "%s@", user);
  g_string_append_printf (text, is_ipv6 ? "[%s]" : "%s", self->host);
  if (self->port != (is_implicit ? 990 : 21))
    g_string_append_printf (text, ":%u", self->port);
  g_string_append_printf (text, "/%s", path);
  return g_string_free (text, FALSE);
}

/* Overwrites the password of a URL where it stands, so that other users do not see it among the arguments of this
 * process. It has been there for a moment; --password-file is better. */
void
ftp_url_hide_password (char *text)
{
  char *begin = strstr (text, "://");
  char *end = begin != NULL ? strchr (begin + 3, '@') : NULL;
  char *slash = begin != NULL ? strchr (begin + 3, '/') : NULL;
  char *colon = end != NULL ? memchr (begin + 3, ':', (gsize) (end - begin - 3)) : NULL;

  if (colon != NULL && (slash == NULL || end < slash))
    memset (colon + 1, '*', (gsize) (end - colon - 1));
}
