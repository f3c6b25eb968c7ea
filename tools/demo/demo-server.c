/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "demo-server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "../tool.h"
#include "test-pki.h"

/* NOTES:
 *
 * Gio's threaded service accepts in the thread of its main context, which is one of ours, and calls on_run() in a thread
 * for each client. A thread that serves keeps the service, and the service the server, so that nothing goes while it is
 * in use. The lock covers the keys.
 */

#define CLIENTS_MAX 10

struct _DemoServer
{
  TestPki *pki;
  GTlsCertificate *certificate;
  GSocketService *service;
  guint16 port;
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread; /* NULL: it was never started */

  GMutex lock;
  GTlsSessionTicketKeys *keys;
};

/* A client */

static GTlsConnection *
secure (DemoServer *self, GIOStream *tcp, GError **error)
{
  g_autoptr (GTlsSessionServerConnection) tls = g_tls_session_server_connection_new (tcp, self->certificate, error);

  if (tls == NULL)
    return NULL;

  g_mutex_lock (&self->lock);
  g_tls_session_server_connection_set_ticket_keys (tls, self->keys);
  g_mutex_unlock (&self->lock);
  return G_TLS_CONNECTION (g_steal_pointer (&tls));
}

/* It has no more than its greeting to say, and listens to its client until the client ends. */
static gboolean
serve (DemoServer *self, GIOStream *tcp, GError **error)
{
  g_autoptr (GTlsConnection) tls = secure (self, tcp, error);
  char buffer[4096];
  gssize n_read;

  if (tls == NULL ||
      !g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (tls)), DEMO_SERVER_GREETING,
                                  sizeof DEMO_SERVER_GREETING - 1, NULL, NULL, error))
    return FALSE;

  do
    n_read = g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (tls)), buffer, sizeof buffer, NULL, error);
  while (n_read > 0);
  return n_read == 0 && g_io_stream_close (G_IO_STREAM (tls), NULL, error);
}

static gboolean
on_run (GThreadedSocketService *service, GSocketConnection *tcp, GObject *source, gpointer data)
{
  g_autoptr (GError) error = NULL;

  /* Else the greeting would wait for the tickets to be acknowledged, which takes 40 ms. */
  if (!g_socket_set_option (g_socket_connection_get_socket (tcp), IPPROTO_TCP, TCP_NODELAY, 1, &error) ||
      !serve (data, G_IO_STREAM (tcp), &error))
    tool_warn ("The demo's server: %s", error->message);
  return TRUE;
}

/* Making and freeing */

static gboolean
listen_anywhere (DemoServer *self, GError **error)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) effective = NULL;

  if (!g_socket_listener_add_address (G_SOCKET_LISTENER (self->service), address, G_SOCKET_TYPE_STREAM,
                                      G_SOCKET_PROTOCOL_TCP, NULL, &effective, error))
    return FALSE;

  self->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (effective));
  return TRUE;
}

static gboolean
load_certificate (DemoServer *self, GError **error)
{
  const char *path = test_pki_get_path (self->pki, TEST_CERTIFICATE_GOOD);
  GTlsSessionCertificate *certificate = g_tls_session_certificate_new_from_file (path, error);

  if (certificate == NULL)
    return FALSE;

  self->certificate = G_TLS_CERTIFICATE (certificate);
  return TRUE;
}

static gpointer
accept_clients (gpointer data)
{
  DemoServer *self = data;

  g_main_context_push_thread_default (self->context);
  g_socket_service_start (self->service);
  g_main_loop_run (self->loop);
  g_socket_service_stop (self->service);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

static void
clear (gpointer data)
{
  DemoServer *self = data;

  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
  g_clear_object (&self->keys);
  g_clear_object (&self->certificate);
  g_mutex_clear (&self->lock);
}

static void
let_go (gpointer self, GClosure *closure)
{
  g_atomic_rc_box_release_full (self, clear);
}

/* The certificates take it for granted, as tests may. */
static gboolean
check_temporary_folder (GError **error)
{
  const char *folder = g_get_tmp_dir ();
  int code = access (folder, W_OK | X_OK) == 0 ? 0 : errno;

  if (code != 0)
    g_set_error (error, G_FILE_ERROR, (int) g_file_error_from_errno (code),
                 "A server needs certificates, and %s, where they would be made, cannot be written to: %s", folder,
                 g_strerror (code));
  return code == 0;
}

DemoServer *
demo_server_new (GError **error)
{
  g_autoptr (DemoServer) self = NULL;

  if (!check_temporary_folder (error))
    return NULL;

  self = g_atomic_rc_box_new0 (DemoServer);
  g_mutex_init (&self->lock);
  self->pki = test_pki_new ();
  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  self->service = g_threaded_socket_service_new (CLIENTS_MAX);
  g_socket_service_stop (self->service);
  g_signal_connect_data (self->service, "run", G_CALLBACK (on_run), g_atomic_rc_box_acquire (self), let_go, 0);
  if (!load_certificate (self, error) || !demo_server_lose_keys (self, error) || !listen_anywhere (self, error))
    return NULL;

  self->thread = g_thread_new ("demo server", accept_clients, self);
  return g_steal_pointer (&self);
}

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

void
demo_server_free (DemoServer *self)
{
  if (self->thread != NULL)
    {
      g_main_context_invoke (self->context, quit, self->loop);
      g_thread_join (self->thread);
    }
  test_pki_free (self->pki);
  g_clear_object (&self->service);
  g_atomic_rc_box_release_full (self, clear);
}

/* Public functions */

guint16
demo_server_get_port (DemoServer *self)
{
  return self->port;
}

const char *
demo_server_get_ca_path (DemoServer *self)
{
  return test_pki_get_ca_path (self->pki);
}

gboolean
demo_server_lose_keys (DemoServer *self, GError **error)
{
  g_autoptr (GTlsSessionTicketKeys) keys = g_tls_session_ticket_keys_new (error);

  if (keys == NULL)
    return FALSE;

  g_mutex_lock (&self->lock);
  g_set_object (&self->keys, keys);
  g_mutex_unlock (&self->lock);
  return TRUE;
}
