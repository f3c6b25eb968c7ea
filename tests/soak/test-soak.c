/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Many connections in one process, clients and servers of ours in one main loop: half of them resume, a tenth meets a
 * fault. What was measured after the second tenth has to be there after the last: memory, descriptors.
 *
 * GTLS_SESSION_SOAK says how many; `./run soak` 100,000 of them. By default there are as many as CI has time for.
 */

#include <gtls-session.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

#define AT_ONCE 8 /* fewer than a GSocketListener lets wait */
#define TENTHS 10
#define WARM_UP 400 /* what is made once is made then, and the store has what it may have */
#define MEMORY_SLACK_PERCENT 2
#define TEXT_SIZE 20000 /* of several records */

/* A tenth of the connections takes one of these in turn. */
typedef enum
{
  FAULT_CLIENT_GIVES_UP,   /* the handshake is cancelled in its midst */
  FAULT_CLIENT_IS_CUT_OFF, /* its socket is shut down in the handshake */
  FAULT_NOT_TLS,           /* what comes is no TLS */
  FAULT_UNTRUSTED,         /* the client trusts others */
  FAULT_ABRUPT_END,        /* the server's socket is shut down without close_notify, while the client reads */
  FAULT_DROPPED,           /* the client is let go of, open, in the midst of a read */
  N_FAULTS,
  FAULT_NONE,
} Fault;

typedef struct
{
  GSocketService *service;
  guint16 port;
  GSocketConnectable *identity;
  GTlsCertificate *certificate;
  GTlsSessionTicketKeys *keys;
  GTlsDatabase *trusted;
  GTlsDatabase *others;
  guint8 text[TEXT_SIZE];

  guint n_wanted;
  guint n_begun;
  guint n_ended;
  guint n_serving;
  guint n_resumed;
  guint n_whole;  /* the text came back */
  guint n_failed; /* with a GError */
  guint n_faults;
} Soak;

typedef struct
{
  gsize heap;     /* bytes in use */
  gsize resident; /* bytes */
  guint n_descriptors;
} Footprint;

/* Measuring */

static guint
count_descriptors (void)
{
  g_autoptr (GDir) directory = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  g_assert_nonnull (directory);
  while (g_dir_read_name (directory) != NULL)
    n++;
  return n;
}

static gsize
read_resident (void)
{
  g_autofree char *text = NULL;
  gsize pages = 0;

  g_assert_true (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL));
  pages = g_ascii_strtoull (strchr (text, ' ') + 1, NULL, 10);
  return pages * (gsize) sysconf (_SC_PAGESIZE);
}

static Footprint
measure (void)
{
  return (Footprint){ mallinfo2 ().uordblks + mallinfo2 ().hblkhd, read_resident (), count_descriptors () };
}

/* The server: it sends back what it reads, until the client ends. */

typedef struct
{
  Soak *soak;
  GIOStream *stream;
  GTlsConnection *tls;
} Served;

static void
served_end (Served *self)
{
  self->soak->n_serving--;
  g_object_unref (self->tls);
  g_object_unref (self->stream);
  g_free (self);
}

static void
on_server_closed (GObject *object, GAsyncResult *result, gpointer data)
{
  g_io_stream_close_finish (G_IO_STREAM (object), result, NULL); /* many clients have no manners */
  served_end (data);
}

static void
on_spliced (GObject *object, GAsyncResult *result, gpointer data)
{
  Served *self = data;

  g_output_stream_splice_finish (G_OUTPUT_STREAM (object), result, NULL);
  g_io_stream_close_async (G_IO_STREAM (self->tls), G_PRIORITY_DEFAULT, NULL, on_server_closed, self);
}

static gboolean
on_incoming (GSocketService *service, GSocketConnection *tcp, GObject *source, gpointer data)
{
  Soak *soak = data;
  Served *self = g_new0 (Served, 1);
  g_autoptr (GError) error = NULL;

  self->soak = soak;
  self->stream = g_object_ref (G_IO_STREAM (tcp));
  self->tls = G_TLS_CONNECTION (g_tls_session_server_connection_new (self->stream, soak->certificate, &error));
  g_assert_no_error (error);
  g_tls_session_server_connection_set_ticket_keys (G_TLS_SESSION_SERVER_CONNECTION (self->tls), soak->keys);
  soak->n_serving++;
  g_output_stream_splice_async (g_io_stream_get_output_stream (G_IO_STREAM (self->tls)),
                                g_io_stream_get_input_stream (G_IO_STREAM (self->tls)), G_OUTPUT_STREAM_SPLICE_NONE,
                                G_PRIORITY_DEFAULT, NULL, on_spliced, self);
  return TRUE;
}

/* The clients */

typedef struct
{
  Soak *soak;
  Fault fault;
  gboolean resumes;
  GSocketConnection *tcp;
  GTlsConnection *tls;
  GCancellable *cancellable;
  guint8 answer[TEXT_SIZE];
} Visit;

static void begin_visits (Soak *soak);

static void
visit_end (Visit *self, GError *failure)
{
  Soak *soak = self->soak;

  soak->n_ended++;
  soak->n_failed += failure != NULL;
  g_clear_error (&failure);
  g_clear_object (&self->tls);
  g_clear_object (&self->tcp);
  g_clear_object (&self->cancellable);
  g_free (self);
  begin_visits (soak);
}

static void
on_client_closed (GObject *object, GAsyncResult *result, gpointer data)
{
  GError *error = NULL;

  g_io_stream_close_finish (G_IO_STREAM (object), result, &error);
  visit_end (data, error);
}

static void
on_read (GObject *object, GAsyncResult *result, gpointer data)
{
  Visit *self = data;
  GError *error = NULL;
  gsize n_read = 0;

  g_input_stream_read_all_finish (G_INPUT_STREAM (object), result, &n_read, &error);
  if (error != NULL)
    {
      visit_end (self, error);
      return;
    }

  if (n_read == TEXT_SIZE)
    {
      g_assert_cmpmem (self->answer, n_read, self->soak->text, TEXT_SIZE);
      self->soak->n_whole++;
    }
  g_io_stream_close_async (G_IO_STREAM (self->tls), G_PRIORITY_DEFAULT, NULL, on_client_closed, self);
}

/* The sockets of a fault are the client's own: the server sees the same. */
static void
spoil (Visit *self)
{
  switch (self->fault)
    {
    case FAULT_CLIENT_GIVES_UP:
    case FAULT_DROPPED:
      g_cancellable_cancel (self->cancellable);
      break;
    case FAULT_CLIENT_IS_CUT_OFF:
    case FAULT_ABRUPT_END:
      g_socket_shutdown (g_socket_connection_get_socket (self->tcp), TRUE, TRUE, NULL);
      break;
    default:
      g_assert_not_reached ();
    }
}

static void
on_written (GObject *object, GAsyncResult *result, gpointer data)
{
  Visit *self = data;
  GError *error = NULL;

  g_output_stream_write_all_finish (G_OUTPUT_STREAM (object), result, NULL, &error);
  if (error != NULL)
    {
      visit_end (self, error);
      return;
    }

  g_input_stream_read_all_async (g_io_stream_get_input_stream (G_IO_STREAM (self->tls)), self->answer, TEXT_SIZE,
                                 G_PRIORITY_DEFAULT, self->cancellable, on_read, self);
  if (self->fault == FAULT_ABRUPT_END || self->fault == FAULT_DROPPED)
    spoil (self);
}

static void
on_handshaken (GObject *object, GAsyncResult *result, gpointer data)
{
  Visit *self = data;
  GError *error = NULL;

  if (!g_tls_connection_handshake_finish (self->tls, result, &error))
    {
      visit_end (self, error);
      return;
    }

  self->soak->n_resumed += g_tls_session_client_connection_get_session_reused (
    G_TLS_SESSION_CLIENT_CONNECTION (self->tls));
  g_output_stream_write_all_async (g_io_stream_get_output_stream (G_IO_STREAM (self->tls)), self->soak->text, TEXT_SIZE,
                                   G_PRIORITY_DEFAULT, self->cancellable, on_written, self);
}

static void
on_nonsense_answered (GObject *object, GAsyncResult *result, gpointer data)
{
  GError *error = NULL;

  g_input_stream_read_finish (G_INPUT_STREAM (object), result, &error);
  if (error == NULL)
    error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED, "The server was not amused");
  visit_end (data, error);
}

static void
speak_nonsense (Visit *self)
{
  static const char nonsense[] = "GET / HTTP/1.0\r\n\r\n";

  g_output_stream_write (g_io_stream_get_output_stream (G_IO_STREAM (self->tcp)), nonsense, sizeof nonsense, NULL,
                         NULL);
  g_input_stream_read_async (g_io_stream_get_input_stream (G_IO_STREAM (self->tcp)), self->answer, TEXT_SIZE,
                             G_PRIORITY_DEFAULT, NULL, on_nonsense_answered, self);
}

/* GSocketClient would tell of each of its steps. */
static GSocketConnection *
connect_to (guint16 port)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &error);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string ("127.0.0.1", port);

  g_assert_no_error (error);
  g_socket_connect (socket, address, NULL, &error);
  g_assert_no_error (error);
  return g_socket_connection_factory_create_connection (socket);
}

static void
visit (Visit *self)
{
  Soak *soak = self->soak;
  g_autoptr (GError) error = NULL;

  self->tcp = connect_to (soak->port);
  if (self->fault == FAULT_NOT_TLS)
    {
      speak_nonsense (self);
      return;
    }

  self->tls = G_TLS_CONNECTION (g_tls_session_client_connection_new (G_IO_STREAM (self->tcp), soak->identity, &error));
  g_assert_no_error (error);
  g_tls_connection_set_database (self->tls, self->fault == FAULT_UNTRUSTED ? soak->others : soak->trusted);
  g_object_set (self->tls, "session-resumption-enabled", self->resumes, NULL);
  if (self->fault == FAULT_DROPPED) /* its last unref would wait for the server, which is in this same loop */
    g_object_set (self->tls, "close-timeout", 0, NULL);
  g_tls_connection_handshake_async (self->tls, G_PRIORITY_DEFAULT, self->cancellable, on_handshaken, self);
  if (self->fault == FAULT_CLIENT_GIVES_UP || self->fault == FAULT_CLIENT_IS_CUT_OFF)
    spoil (self);
}

static Fault
next_fault (Soak *soak)
{
  return soak->n_begun % TENTHS == 0 ? soak->n_faults++ % N_FAULTS : FAULT_NONE;
}

static void
begin_visits (Soak *soak)
{
  while (soak->n_begun < soak->n_wanted && soak->n_begun - soak->n_ended < AT_ONCE)
    {
      Visit *self = g_new0 (Visit, 1);

      soak->n_begun++;
      self->soak = soak;
      self->fault = next_fault (soak);
      self->resumes = soak->n_begun % 2 == 1;
      self->cancellable = g_cancellable_new ();
      visit (self);
    }
}

/* All of it */

static void
soak_set_up (Soak *self, TestPki *pki)
{
  g_autoptr (GError) error = NULL;

  self->service = g_socket_service_new ();
  self->port = g_socket_listener_add_any_inet_port (G_SOCKET_LISTENER (self->service), NULL, &error);
  g_assert_no_error (error);
  g_signal_connect (self->service, "incoming", G_CALLBACK (on_incoming), self);
  self->identity = g_network_address_new ("localhost", self->port);
  self->certificate = G_TLS_CERTIFICATE (
    g_tls_session_certificate_new_from_file (test_pki_get_path (pki, TEST_CERTIFICATE_GOOD), &error));
  g_assert_no_error (error);
  self->keys = g_tls_session_ticket_keys_new (&error);
  g_assert_no_error (error);
  self->trusted = G_TLS_DATABASE (g_tls_session_file_database_new (test_pki_get_ca_path (pki), &error));
  g_assert_no_error (error);
  self->others = G_TLS_DATABASE (g_tls_session_file_database_new (test_pki_get_other_ca_path (pki), &error));
  g_assert_no_error (error);
  for (gsize i = 0; i < TEXT_SIZE; i++)
    self->text[i] = (guint8) ('a' + i % 23);
}

static void
soak_clear (Soak *self)
{
  g_socket_service_stop (self->service);
  g_socket_listener_close (G_SOCKET_LISTENER (self->service));
  g_object_unref (self->service);
  g_object_unref (self->identity);
  g_object_unref (self->certificate);
  g_object_unref (self->keys);
  g_object_unref (self->trusted);
  g_object_unref (self->others);
}

/* Until the last server has seen its client's end. */
static Footprint
run (Soak *self, guint n)
{
  Footprint footprint;

  self->n_wanted += n;
  begin_visits (self);
  while (self->n_ended < self->n_wanted || self->n_serving > 0)
    g_main_context_iteration (NULL, TRUE);
  footprint = measure ();
  g_test_message ("%u connections: %u resumed, %u whole, %u failed; heap %" G_GSIZE_FORMAT ", resident %" G_GSIZE_FORMAT
                  " bytes, %u descriptors",
                  self->n_ended, self->n_resumed, self->n_whole, self->n_failed, footprint.heap, footprint.resident,
                  footprint.n_descriptors);
  return footprint;
}

static gsize
with_slack (gsize bytes)
{
  return bytes + bytes * MEMORY_SLACK_PERCENT / 100;
}

static guint
count_wanted (void)
{
  const char *told = g_getenv ("GTLS_SESSION_SOAK");

  if (told != NULL)
    return (guint) g_ascii_strtoull (told, NULL, 10);
  return client_scale (600);
}

static void
memory_and_descriptors_stay (void)
{
  g_autoptr (TestPki) pki = test_pki_new ();
  Soak *soak = g_new0 (Soak, 1);
  guint n = count_wanted ();
  Footprint second = { 0 };
  Footprint last = { 0 };

  soak_set_up (soak, pki);
  run (soak, client_scale (WARM_UP));
  for (guint i = 1; i <= TENTHS; i++)
    {
      last = run (soak, n / TENTHS);
      if (i == 2)
        second = last;
    }

  n += client_scale (WARM_UP);
  g_assert_cmpuint (soak->n_faults, ==, n / TENTHS);
  g_assert_cmpuint (soak->n_failed, ==, soak->n_faults);
  g_assert_cmpuint (soak->n_whole, ==, n - soak->n_faults);
  g_assert_cmpuint (soak->n_resumed, >=, n * 2 / 5);
  g_assert_cmpuint (last.n_descriptors, ==, second.n_descriptors);
  if (g_getenv ("GTLS_SESSION_SLOW") == NULL) /* sanitizers and valgrind have heaps of their own */
    g_assert_cmpuint (last.heap, <=, with_slack (second.heap));
  if (g_getenv ("GTLS_SESSION_SOAK") != NULL) /* the kernel's pages take their time to settle */
    g_assert_cmpuint (last.resident, <=, with_slack (second.resident));

  soak_clear (soak);
  g_free (soak);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/soak/memory_and_descriptors_stay", memory_and_descriptors_stay);

  return g_test_run ();
}
