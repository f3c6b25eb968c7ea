/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "first-flight.h"

#include "early-server.h"

#define RECORD_HEADER_SIZE 5
#define RECORD_APPLICATION_DATA 23 /* RFC 8446, section 5.1: what is encrypted has this type on the outside */
#define BLOCK_SIZE 65536
#define SOCKET_TIMEOUT 60 /* s */

struct _FirstFlight
{
  guint16 server_port;
  GSocketListener *listener;
  guint16 port;
  GThread *thread;
  GByteArray *flight;
};

static gboolean
is_complete (GByteArray *flight)
{
  guint at = 0;

  while (at + RECORD_HEADER_SIZE <= flight->len)
    {
      guint size = RECORD_HEADER_SIZE + ((guint) flight->data[at + 3] << 8 | flight->data[at + 4]);

      if (at + size > flight->len)
        return FALSE;
      if (flight->data[at] == RECORD_APPLICATION_DATA)
        return TRUE;
      at += size;
    }
  return FALSE;
}

static void
send_all (GSocket *to, const guint8 *bytes, gsize size)
{
  g_autoptr (GError) error = NULL;

  while (size > 0)
    {
      gssize n = g_socket_send (to, (const char *) bytes, size, NULL, &error);

      if (n <= 0)
        return; /* the other one has gone; what it got is what the test asks about */
      bytes += n;
      size -= (gsize) n;
    }
}

typedef struct
{
  GSocket *from;
  GSocket *to;
} Direction;

static gpointer
pass (gpointer data)
{
  Direction *direction = data;
  g_autofree char *block = g_malloc (BLOCK_SIZE);
  gssize n;

  while ((n = g_socket_receive (direction->from, block, BLOCK_SIZE, NULL, NULL)) > 0)
    send_all (direction->to, (const guint8 *) block, (gsize) n);
  g_socket_shutdown (direction->to, FALSE, TRUE, NULL);
  return NULL;
}

static void
hold_flight (FirstFlight *self, GSocket *client)
{
  g_autofree char *block = g_malloc (BLOCK_SIZE);

  while (!is_complete (self->flight))
    {
      g_autoptr (GError) error = NULL;
      gssize n = g_socket_receive (client, block, BLOCK_SIZE, NULL, &error);

      g_assert_no_error (error);
      g_assert_cmpint (n, >, 0);
      g_byte_array_append (self->flight, (const guint8 *) block, (guint) n);
    }
}

static gpointer
run (gpointer data)
{
  FirstFlight *self = data;
  g_autoptr (GSocketClient) connector = g_socket_client_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketConnection) from_client = g_socket_listener_accept (self->listener, NULL, NULL, &error);
  g_autoptr (GSocketConnection) to_server = NULL;
  Direction back;
  Direction forth;
  GThread *thread;

  g_assert_no_error (error);
  to_server = g_socket_client_connect_to_host (connector, "127.0.0.1", self->server_port, NULL, &error);
  g_assert_no_error (error);
  forth.from = back.to = g_socket_connection_get_socket (from_client);
  forth.to = back.from = g_socket_connection_get_socket (to_server);
  g_socket_set_timeout (forth.from, SOCKET_TIMEOUT);
  g_socket_set_timeout (back.from, SOCKET_TIMEOUT);

  hold_flight (self, forth.from);
  send_all (forth.to, self->flight->data, self->flight->len);
  thread = g_thread_new ("back", pass, &back);
  pass (&forth);
  g_thread_join (thread);
  return NULL;
}

FirstFlight *
first_flight_relay (guint16 server_port)
{
  FirstFlight *self = g_new0 (FirstFlight, 1);

  self->server_port = server_port;
  self->flight = g_byte_array_new ();
  self->listener = g_socket_listener_new ();
  self->port = early_listen_on_loopback (self->listener);
  self->thread = g_thread_new ("first-flight", run, self);
  return self;
}

guint16
first_flight_get_port (FirstFlight *self)
{
  return self->port;
}

GBytes *
first_flight_finish (FirstFlight *self)
{
  GBytes *flight;

  g_thread_join (self->thread);
  flight = g_byte_array_free_to_bytes (self->flight);
  g_object_unref (self->listener);
  g_free (self);
  return flight;
}
