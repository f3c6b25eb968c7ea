/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "redis-address.h"

#include <string.h>

#include <openssl/crypto.h>

#include "gtls-session-error.h"

#define DEFAULT_PORT 6379
#define DATABASE_MAX 65535

/* Nothing of the URI is repeated in an error: it may hold a password, and be wrong because of it. */
static gboolean
fail (const char *flaw, GError **error)
{
  g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE, "The URI of the Redis server is wrong: %s", flaw);
  return FALSE;
}

static gboolean
read_database (GTlsSessionRedisAddress *self, const char *text, GError **error)
{
  guint64 number;

  if (text == NULL || *text == '\0')
    return TRUE;
  if (!g_ascii_string_to_unsigned (text, 10, 0, DATABASE_MAX, &number, NULL))
    return fail ("the database is not a number", error);

  self->database = (guint) number;
  return TRUE;
}

static char *
dup_unless_empty (const char *text)
{
  return text != NULL && *text != '\0' ? g_strdup (text) : NULL;
}

static gboolean
read_login (GTlsSessionRedisAddress *self, GUri *uri, GError **error)
{
  self->user = dup_unless_empty (g_uri_get_user (uri));
  self->password = dup_unless_empty (g_uri_get_password (uri));
  if (self->user != NULL && self->password == NULL)
    return fail ("it has a user and no password; a password alone is written with a colon before it", error);
  return TRUE;
}

static gboolean
read_host (GTlsSessionRedisAddress *self, GUri *uri, gboolean tls, GError **error)
{
  const char *host = g_uri_get_host (uri);
  const char *path = g_uri_get_path (uri);
  guint16 port = g_uri_get_port (uri) > 0 ? (guint16) g_uri_get_port (uri) : DEFAULT_PORT;

  if (host == NULL || *host == '\0')
    return fail ("it names no host", error);
  if (g_uri_get_query (uri) != NULL)
    return fail ("there is nothing that its query could mean", error);

  self->connectable = g_network_address_new (host, port);
  self->name = g_strdup_printf (strchr (host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, port);
  self->host = tls ? g_strdup (host) : NULL;
  return read_database (self, *path == '/' ? path + 1 : path, error);
}

static gboolean
read_socket_path (GTlsSessionRedisAddress *self, GUri *uri, GError **error)
{
  const char *host = g_uri_get_host (uri);
  const char *path = g_uri_get_path (uri);
  const char *query = g_uri_get_query (uri);

  if (host != NULL && *host != '\0')
    return fail ("it names a host as well as a socket's path; the path begins with the third slash", error);
  if (*path != '/')
    return fail ("it names no socket's path", error);
  if (query != NULL && !g_str_has_prefix (query, "db="))
    return fail ("its query can only be db= and a number", error);

  self->connectable = G_SOCKET_CONNECTABLE (g_unix_socket_address_new (path));
  self->name = g_strdup (path);
  return query == NULL || read_database (self, query + strlen ("db="), error);
}

static gboolean
read_place (GTlsSessionRedisAddress *self, GUri *uri, GError **error)
{
  const char *scheme = g_uri_get_scheme (uri);

  if (g_uri_get_fragment (uri) != NULL)
    return fail ("there is nothing that its fragment (#…) could mean", error);
  if (g_str_equal (scheme, "redis"))
    return read_host (self, uri, FALSE, error);
  if (g_str_equal (scheme, "rediss"))
    return read_host (self, uri, TRUE, error);
  if (g_str_equal (scheme, "redis+unix"))
    return read_socket_path (self, uri, error);
  return fail ("it begins with none of redis:, rediss: and redis+unix:", error);
}

GTlsSessionRedisAddress *
g_tls_session_redis_address_new (const char *uri, GError **error)
{
  g_autoptr (GTlsSessionRedisAddress) self = g_new0 (GTlsSessionRedisAddress, 1);
  g_autoptr (GUri) parsed = g_uri_parse (uri, G_URI_FLAGS_HAS_PASSWORD, NULL);

  if (parsed == NULL)
    {
      fail ("it cannot be read; special characters in a user's name or a password are written as %XX", error);
      return NULL;
    }
  if (!read_place (self, parsed, error) || !read_login (self, parsed, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
g_tls_session_redis_address_free (GTlsSessionRedisAddress *self)
{
  g_clear_object (&self->connectable);
  g_free (self->name);
  g_free (self->host);
  g_free (self->user);
  if (self->password != NULL)
    OPENSSL_cleanse (self->password, strlen (self->password));
  g_free (self->password);
  g_free (self);
}
