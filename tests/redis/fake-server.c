/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-server.h"

#include <string.h>

#include <gio/gio.h>

#define DRIP_INTERVAL 20000 /* µs */

struct _FakeServer
{
  FakeHabit habit;
  GBytes *answer;
  GSocketListener *listener;
  guint16 port;
  GCancellable *end;
  GThread *thread;
  int n_connections; /* atomic */
};

/* All of these end when the client does, or the test. */

static gboolean
send_all (FakeServer *self, GSocketConnection *connection, const void *bytes, gsize size)
{
  return g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), bytes, size, NULL,
                                    self->end, NULL);
}

static gboolean
receive (FakeServer *self, GSocketConnection *connection)
{
  char buffer[4096];

  return g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (connection)), buffer, sizeof buffer, self->end,
                              NULL) > 0;
}

static void
answer (FakeServer *self, GSocketConnection *connection)
{
  gsize size;
  const void *bytes = g_bytes_get_data (self->answer, &size);

  while (receive (self, connection) && send_all (self, connection, bytes, size))
    continue;
}

static void
drip (FakeServer *self, GSocketConnection *connection)
{
  gboolean sent = send_all (self, connection, ":", 1);

  while (sent)
    {
      g_usleep (DRIP_INTERVAL);
      sent = send_all (self, connection, "0", 1);
    }
}

static void
flood (FakeServer *self, GSocketConnection *connection)
{
  char status[4096];

  memset (status, '+', sizeof status);
  while (send_all (self, connection, status, sizeof status))
    continue;
}

static void
serve (FakeServer *self, GSocketConnection *connection)
{
  switch (self->habit)
    {
    case FAKE_ANSWERS:
      answer (self, connection);
      break;
    case FAKE_SILENT:
      while (receive (self, connection))
        continue;
      break;
    case FAKE_DRIPS:
      drip (self, connection);
      break;
    case FAKE_FLOODS:
      flood (self, connection);
      break;
    case FAKE_HANGS_UP:
    default:
      break;
    }
}

static gpointer
run (gpointer data)
{
  FakeServer *self = data;

  while (!g_cancellable_is_cancelled (self->end))
    {
      g_autoptr (GSocketConnection) connection = g_socket_listener_accept (self->listener, NULL, self->end, NULL);

      if (connection == NULL)
        continue;
      g_atomic_int_inc (&self->n_connections);
      serve (self, connection);
    }
  return NULL;
}

FakeServer *
fake_server_new (FakeHabit habit, const void *bytes, gsize size)
{
  FakeServer *self = g_new0 (FakeServer, 1);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GError) error = NULL;

  self->habit = habit;
  self->answer = g_bytes_new (bytes, size);
  self->listener = g_socket_listener_new ();
  self->end = g_cancellable_new ();
  g_socket_listener_add_address (self->listener, any, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL, &bound,
                                 &error);
  g_assert_no_error (error);
  self->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  self->thread = g_thread_new ("fake-redis", run, self);
  return self;
}

void
fake_server_free (FakeServer *self)
{
  g_cancellable_cancel (self->end);
  g_thread_join (self->thread);
  g_object_unref (self->end);
  g_object_unref (self->listener);
  g_bytes_unref (self->answer);
  g_free (self);
}

char *
fake_server_make_uri (FakeServer *self, const char *scheme)
{
  return g_strdup_printf ("%s://127.0.0.1:%u", scheme, self->port);
}

guint
fake_server_count (FakeServer *self)
{
  return (guint) g_atomic_int_get (&self->n_connections);
}
