/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "redis-server.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <gio/gio.h>
#include <glib/gstdio.h>

#define START_ATTEMPTS 5
#define START_SECONDS 60 /* far more than it needs, also on a machine that is busy */

struct _RedisServer
{
  char *password;
  char *certificate;
  char *directory;
  char *socket;
  guint16 port;
  GPid pid; /* 0: it does not run */
};

static char *
find_program (const char *name)
{
  const char *top = g_getenv ("GTLS_SESSION_SERVERS");
  g_autofree char *path = g_build_filename (top != NULL ? top : "", "usr", "bin", name, NULL);

  if (top == NULL || !g_file_test (path, G_FILE_TEST_IS_EXECUTABLE))
    g_error ("usr/bin/%s is not below GTLS_SESSION_SERVERS (%s); ./run test puts it there", name,
             top != NULL ? top : "not set");
  return g_steal_pointer (&path);
}

static guint16
find_free_port (void)
{
  g_autoptr (GSocket) socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) bound = NULL;

  g_assert_true (g_socket_bind (socket, any, FALSE, NULL));
  bound = g_socket_get_local_address (socket, NULL);
  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
}

/* Starting */

static void
add (GPtrArray *words, const char *option, const char *value)
{
  g_ptr_array_add (words, g_strdup (option));
  g_ptr_array_add (words, g_strdup (value));
}

static GPtrArray *
make_command (RedisServer *self)
{
  GPtrArray *words = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *port = g_strdup_printf ("%u", self->port);

  g_ptr_array_add (words, find_program ("redis-server"));
  add (words, "--bind", "127.0.0.1");
  add (words, "--dir", self->directory);
  add (words, "--unixsocket", self->socket);
  add (words, "--logfile", "redis.log");
  add (words, "--save", "");
  add (words, "--port", self->certificate != NULL ? "0" : port);
  if (self->password != NULL)
    add (words, "--requirepass", self->password);
  if (self->certificate != NULL)
    {
      add (words, "--tls-port", port);
      add (words, "--tls-cert-file", self->certificate);
      add (words, "--tls-key-file", self->certificate);
      add (words, "--tls-auth-clients", "no");
    }
  g_ptr_array_add (words, NULL);
  return words;
}

static void
die_with_parent (gpointer data)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

static gboolean
is_dead (RedisServer *self)
{
  if (waitpid (self->pid, NULL, WNOHANG) == 0)
    return FALSE;
  self->pid = 0;
  return TRUE;
}

static gboolean
answers (RedisServer *self)
{
  g_autofree char *answer = redis_server_ask (self, "PING", NULL);

  return g_str_equal (answer, "PONG");
}

static gboolean
try_to_start (RedisServer *self)
{
  g_autoptr (GPtrArray) command = make_command (self);
  g_autoptr (GError) error = NULL;
  gint64 end = g_get_monotonic_time () + START_SECONDS * G_USEC_PER_SEC;

  g_remove (self->socket);
  g_spawn_async (NULL, (char **) command->pdata, NULL,
                 G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, die_with_parent,
                 NULL, &self->pid, &error);
  g_assert_no_error (error);

  while (!is_dead (self))
    {
      if (answers (self))
        return TRUE;
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_usleep (20000);
    }
  return FALSE;
}

static char *
read_log (RedisServer *self)
{
  g_autofree char *path = g_build_filename (self->directory, "redis.log", NULL);
  char *log = NULL;

  return g_file_get_contents (path, &log, NULL, NULL) ? log : g_strdup ("no log");
}

void
redis_server_start (RedisServer *self)
{
  g_autofree char *log = NULL;

  for (int i = 0; i < START_ATTEMPTS; i++)
    {
      if (try_to_start (self))
        return;
      g_usleep (G_USEC_PER_SEC / 2); /* somebody else may have the port for a moment */
    }
  log = read_log (self);
  g_error ("redis-server does not start: %s", log);
}

RedisServer *
redis_server_new (const RedisServerOptions *options)
{
  RedisServer *self = g_new0 (RedisServer, 1);

  self->password = g_strdup (options != NULL ? options->password : NULL);
  self->certificate = g_strdup (options != NULL ? options->certificate : NULL);
  self->directory = g_dir_make_tmp ("gtls-session-redis-XXXXXX", NULL);
  g_assert_nonnull (self->directory);
  self->socket = g_build_filename (self->directory, "redis.sock", NULL);
  self->port = find_free_port ();
  redis_server_start (self);
  return self;
}

void
redis_server_kill (RedisServer *self)
{
  if (self->pid == 0)
    return;
  kill (self->pid, SIGKILL);
  waitpid (self->pid, NULL, 0);
  self->pid = 0;
}

void
redis_server_free (RedisServer *self)
{
  g_autofree char *log = g_build_filename (self->directory, "redis.log", NULL);

  redis_server_kill (self);
  g_remove (self->socket);
  g_remove (log);
  g_rmdir (self->directory);
  g_free (self->directory);
  g_free (self->socket);
  g_free (self->certificate);
  g_free (self->password);
  g_free (self);
}

void
redis_server_send_signal (RedisServer *self, int signal_number)
{
  g_assert_cmpint (kill (self->pid, signal_number), ==, 0);
}

/* Talking */

char *
redis_server_make_uri (RedisServer *self, const char *scheme, const char *login)
{
  const char *at = login != NULL ? "@" : "";

  login = login != NULL ? login : "";
  if (g_str_equal (scheme, "redis+unix"))
    return g_strdup_printf ("%s://%s%s%s", scheme, login, at, self->socket);
  return g_strdup_printf ("%s://%s%s127.0.0.1:%u", scheme, login, at, self->port);
}

/* With all it takes. */
char *
redis_server_make_own_uri (RedisServer *self)
{
  g_autofree char *login = self->password != NULL ? g_strconcat (":", self->password, NULL) : NULL;

  return redis_server_make_uri (self, self->certificate != NULL ? "rediss" : "redis", login);
}

char *
redis_server_ask (RedisServer *self, const char *word, ...)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  char *answer = NULL;
  va_list arguments;

  g_ptr_array_add (words, find_program ("redis-cli"));
  add (words, "-s", self->socket);
  if (self->password != NULL)
    {
      add (words, "-a", self->password);
      g_ptr_array_add (words, g_strdup ("--no-auth-warning"));
    }
  va_start (arguments, word);
  for (; word != NULL; word = va_arg (arguments, const char *))
    g_ptr_array_add (words, g_strdup (word));
  va_end (arguments);
  g_ptr_array_add (words, NULL);

  g_spawn_sync (NULL, (char **) words->pdata, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &answer, NULL, NULL,
                &error);
  g_assert_no_error (error);
  return g_strchomp (answer);
}
