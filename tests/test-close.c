/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Closing loses nothing. Where the kernel allows it the test runs in a network namespace of its own, so that the resets
 * it counts are its own.
 */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"

#define UPLOAD_SIZE (1024 * 1024)
#define N_UPLOADS 200

static gboolean has_own_namespace;

/* Counting resets */

static gboolean
raise_loopback (void)
{
  struct ifreq request = { .ifr_name = "lo" };
  int fd = socket (AF_INET, SOCK_DGRAM, 0);
  gboolean up;

  request.ifr_flags = IFF_UP | IFF_RUNNING;
  up = fd >= 0 && ioctl (fd, SIOCSIFFLAGS, &request) == 0;
  if (fd >= 0)
    close (fd);
  return up;
}

static gboolean
enter_own_namespace (void)
{
  if (unshare (CLONE_NEWNET) != 0 && unshare (CLONE_NEWUSER | CLONE_NEWNET) != 0)
    return FALSE;
  g_assert_true (raise_loopback ());
  return TRUE;
}

/* The namespace's TCP counter OutRsts. */
static guint64
count_resets (void)
{
  g_autofree char *text = NULL;
  char *names;
  char *values;
  g_auto (GStrv) name = NULL;
  g_auto (GStrv) value = NULL;
  guint64 count = 0;

  g_assert_true (g_file_get_contents ("/proc/thread-self/net/snmp", &text, NULL, NULL));
  names = strstr (text, "Tcp:");
  values = strstr (names + 1, "Tcp:");
  *strchr (values, '\n') = '\0';
  values[-1] = '\0';
  name = g_strsplit (names, " ", -1);
  value = g_strsplit (values, " ", -1);
  for (guint i = 0; name[i] != NULL && value[i] != NULL; i++)
    if (strcmp (name[i], "OutRsts") == 0)
      count = g_ascii_strtoull (value[i], NULL, 10);
  return count;
}

static void
assert_no_reset_since (guint64 before)
{
  if (has_own_namespace)
    g_assert_cmpuint (count_resets (), ==, before);
  else
    g_test_message ("Resets were not counted: there is no network namespace of the test's own");
}

/* Uploading */

static guint8 *
make_upload (void)
{
  guint8 *upload = g_malloc (UPLOAD_SIZE);

  for (gsize i = 0; i < UPLOAD_SIZE; i++)
    upload[i] = (guint8) (i * 2654435761u >> 13);
  return upload;
}

static void
assert_all_arrived (TestServer *server, guint n_uploads, const guint8 *upload, gsize size)
{
  g_autofree char *sha256 = g_compute_checksum_for_data (G_CHECKSUM_SHA256, upload, size);

  g_assert_true (test_server_wait_ended (server, n_uploads));
  for (guint i = 0; i < n_uploads; i++)
    {
      g_auto (TestServerRecord) record = { 0 };

      g_assert_true (test_server_get_record (server, i, &record));
      g_assert_cmpuint (record.n_received, ==, size);
      g_assert_cmpstr (record.sha256, ==, sha256);
      g_assert_cmpstr (test_end_to_string (record.end), ==, "close-notify");
    }
}

static TestServer *
new_slow_reader (gboolean only_tls12)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_SINK, .read_delay_ms = 100, .only_tls12 = only_tls12 };

  return test_server_new (&options);
}

static void
close_after_upload_loses_nothing (gconstpointer data)
{
  g_autoptr (TestServer) server = new_slow_reader (GPOINTER_TO_INT (data));
  g_autofree guint8 *upload = make_upload ();
  guint n_uploads = client_scale (GPOINTER_TO_INT (data) ? N_UPLOADS / 4 : N_UPLOADS);
  guint64 resets = count_resets ();

  for (guint i = 0; i < n_uploads; i++)
    {
      g_autoptr (GTlsSessionHelper) helper = client_prepare (server);

      client_write (helper, upload, UPLOAD_SIZE);
      client_close (helper);
    }

  assert_all_arrived (server, n_uploads, upload, UPLOAD_SIZE);
  assert_no_reset_since (resets);
}

typedef struct
{
  GTlsSessionHelper *helper;
  guint *n_left;
} AsyncUpload;

static void
on_closed (GObject *connection, GAsyncResult *result, gpointer data)
{
  AsyncUpload *self = data;
  g_autoptr (GError) error = NULL;

  g_io_stream_close_finish (G_IO_STREAM (connection), result, &error);
  g_assert_no_error (error);
  (*self->n_left)--;
  g_object_unref (self->helper);
  g_free (self);
}

static void
on_written (GObject *output, GAsyncResult *result, gpointer data)
{
  AsyncUpload *self = data;
  g_autoptr (GError) error = NULL;
  gsize n_written = 0;

  g_output_stream_write_all_finish (G_OUTPUT_STREAM (output), result, &n_written, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n_written, ==, UPLOAD_SIZE);
  g_io_stream_close_async (G_IO_STREAM (client_connection (self->helper)), G_PRIORITY_DEFAULT, NULL, on_closed, self);
}

/* All at once, in one thread. */
static void
async_close_after_upload_loses_nothing (void)
{
  g_autoptr (TestServer) server = new_slow_reader (FALSE);
  g_autofree guint8 *upload = make_upload ();
  guint n_uploads = client_scale (N_UPLOADS);
  guint n_left = n_uploads;
  guint64 resets = count_resets ();

  for (guint i = 0; i < n_uploads; i++)
    {
      AsyncUpload *self = g_new0 (AsyncUpload, 1);

      self->helper = client_prepare (server);
      self->n_left = &n_left;
      g_tls_session_connection_set_close_timeout (G_TLS_SESSION_CONNECTION (client_connection (self->helper)), 60000);
      g_output_stream_write_all_async (g_io_stream_get_output_stream (G_IO_STREAM (client_connection (self->helper))),
                                       upload, UPLOAD_SIZE, G_PRIORITY_DEFAULT, NULL, on_written, self);
    }
  while (n_left > 0)
    g_main_context_iteration (NULL, TRUE);

  assert_all_arrived (server, n_uploads, upload, UPLOAD_SIZE);
  assert_no_reset_since (resets);
}

static void
empty_upload_is_an_upload_too (void)
{
  g_autoptr (TestServer) server = new_slow_reader (FALSE);
  guint n_uploads = client_scale (20);
  guint64 resets = count_resets ();

  for (guint i = 0; i < n_uploads; i++)
    {
      g_autoptr (GTlsSessionHelper) helper = client_connect (server);

      client_close (helper);
    }
  assert_all_arrived (server, n_uploads, (const guint8 *) "", 0);
  assert_no_reset_since (resets);
}

/* Short ones, so that they are gone before the tickets come. */
static void
dropping_the_connection_loses_nothing (void)
{
  g_autoptr (TestServer) server = new_slow_reader (FALSE);
  guint n_uploads = client_scale (20);
  guint64 resets = count_resets ();

  for (guint i = 0; i < n_uploads; i++)
    {
      GTlsSessionHelper *helper = client_prepare (server);

      client_write (helper, "hello", 5);
      g_object_unref (helper);
    }
  assert_all_arrived (server, n_uploads, (const guint8 *) "hello", 5);
  assert_no_reset_since (resets);
}

static void
closing_the_output_first_loses_nothing (void)
{
  g_autoptr (TestServer) server = new_slow_reader (FALSE);
  g_autofree guint8 *upload = make_upload ();
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (client_connection (helper)));
  g_autoptr (GError) error = NULL;

  client_write (helper, upload, UPLOAD_SIZE);
  g_output_stream_close (output, NULL, &error);
  g_assert_no_error (error);
  client_close (helper);
  assert_all_arrived (server, 1, upload, UPLOAD_SIZE);
}

static void
tickets_that_come_at_the_close_are_kept (void)
{
  g_autoptr (TestServer) server = new_slow_reader (FALSE);
  g_autofree guint8 *upload = make_upload ();
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);
  g_autoptr (GTlsSessionHelper) next = NULL;

  client_write (helper, upload, UPLOAD_SIZE);
  g_assert_cmpuint (client_count_tickets (helper), ==, 0);
  client_close (helper);
  g_assert_cmpuint (client_count_tickets (helper), ==, 2);
  next = client_resume (server, helper);
  g_assert_cmpint (g_tls_session_helper_get_resumption (next), ==, G_TLS_SESSION_RESUMPTION_RESUMED);
  client_close (next);
}

/* Waiting, or not */

/* Most of what has arrived stays unread, and must not make a reset of the close. The server reads late: its answer, which
 * finds a closed socket and rightly gets a reset, comes after the counting.
 */
static void
close_does_not_wait_when_the_peer_spoke_last (void)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_GREET_THEN_TICKET,
                                .greeting_size = 100000,
                                .read_delay_ms = 1000 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect (server);
  g_autofree char *some = g_malloc (1000);
  g_auto (TestServerRecord) record = { 0 };
  guint64 resets = count_resets ();

  client_read (helper, some, 1000);
  while (test_server_count_greeted (server) == 0)
    g_usleep (1000);
  g_tls_session_connection_set_close_timeout (G_TLS_SESSION_CONNECTION (client_connection (helper)), G_MAXUINT);
  client_close (helper);
  assert_no_reset_since (resets);
  g_assert_true (test_server_wait_ended (server, 1));
  g_assert_true (test_server_get_record (server, 0, &record));
  g_assert_cmpstr (test_end_to_string (record.end), ==, "close-notify");
}

/* The peer has spoken, and leaves the end of the dialogue unanswered, as libsoup's HTTP/2 server does. */
static void
close_of_a_dialogue_needs_no_answer (gconstpointer data)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_GREET_THEN_SILENT };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect (server);
  GIOStream *stream = G_IO_STREAM (client_connection (helper));
  g_autofree char *greeting = g_malloc (1000);
  g_autoptr (GError) error = NULL;

  client_read (helper, greeting, 1000);
  client_write (helper, "bye", 3);
  g_tls_session_connection_set_close_timeout (G_TLS_SESSION_CONNECTION (stream), 1000);
  if (GPOINTER_TO_INT (data))
    {
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (GAsyncResult) awaited = NULL;

      g_io_stream_close_async (stream, G_PRIORITY_DEFAULT, NULL, client_keep_result, &result);
      awaited = client_await (&result);
      g_io_stream_close_finish (stream, awaited, &error);
    }
  else
    {
      g_io_stream_close (stream, NULL, &error);
    }
  g_assert_no_error (error);
  g_assert_true (g_io_stream_is_closed (stream));
}

static void
assert_close_times_out (GTlsSessionHelper *helper, gboolean async)
{
  GIOStream *stream = G_IO_STREAM (client_connection (helper));
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  if (async)
    {
      g_autoptr (GAsyncResult) awaited = NULL;

      g_io_stream_close_async (stream, G_PRIORITY_DEFAULT, NULL, client_keep_result, &result);
      awaited = client_await (&result);
      g_assert_false (g_io_stream_close_finish (stream, awaited, &error));
    }
  else
    {
      g_assert_false (g_io_stream_close (stream, NULL, &error));
    }
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_nonnull (strstr (error->message, "close-timeout"));
  g_assert_true (g_io_stream_is_closed (stream));
}

typedef struct
{
  TestBehaviour behaviour;
  gboolean async;
} TimeoutCase;

static void
close_ends_at_its_timeout (gconstpointer data)
{
  const TimeoutCase *timeout_case = data;
  TestServerOptions options = { .behaviour = timeout_case->behaviour };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect (server);
  g_autoptr (GIOStream) base = NULL;

  g_object_get (client_connection (helper), "base-io-stream", &base, NULL);
  client_write (helper, "hello", 5);
  g_tls_session_connection_set_close_timeout (G_TLS_SESSION_CONNECTION (client_connection (helper)), 100);
  assert_close_times_out (helper, timeout_case->async);
  g_assert_true (g_io_stream_is_closed (base));
}

static void
close_without_timeout_does_not_wait (void)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_SILENT };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect (server);

  client_write (helper, "hello", 5);
  g_tls_session_connection_set_close_timeout (G_TLS_SESSION_CONNECTION (client_connection (helper)), 0);
  client_close (helper);
}

static gpointer
cancel_soon (gpointer data)
{
  g_usleep (50 * 1000);
  g_cancellable_cancel (data);
  return NULL;
}

static void
close_can_be_cancelled (void)
{
  TestServerOptions options = { .behaviour = TEST_BEHAVIOUR_SILENT };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_connect (server);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GIOStream) base = NULL;
  g_autoptr (GError) error = NULL;
  GThread *thread;

  g_object_get (client_connection (helper), "base-io-stream", &base, NULL);
  g_tls_session_connection_set_close_timeout (G_TLS_SESSION_CONNECTION (client_connection (helper)), G_MAXUINT);
  client_write (helper, "hello", 5);
  thread = g_thread_new ("cancel", cancel_soon, cancellable);
  g_assert_false (g_io_stream_close (G_IO_STREAM (client_connection (helper)), cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (g_io_stream_is_closed (base));
  g_thread_join (thread);
}

static void
close_before_the_handshake_is_quiet (void)
{
  TestServerOptions options = { 0 };
  g_autoptr (TestServer) server = test_server_new (&options);
  g_autoptr (GTlsSessionHelper) helper = client_prepare (server);
  g_autoptr (GError) error = NULL;
  char byte;

  client_close (helper);
  g_assert_cmpint (g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (client_connection (helper))), &byte,
                                        1, NULL, &error),
                   ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

int
main (int argc, char **argv)
{
  static const TimeoutCase silence = { TEST_BEHAVIOUR_SILENT, FALSE };
  static const TimeoutCase silence_async = { TEST_BEHAVIOUR_SILENT, TRUE };
  static const TimeoutCase data_flood = { TEST_BEHAVIOUR_FLOOD, FALSE };
  static const TimeoutCase data_flood_async = { TEST_BEHAVIOUR_FLOOD, TRUE };
  static const TimeoutCase ticket_flood = { TEST_BEHAVIOUR_TICKET_FLOOD, FALSE };
  static const TimeoutCase ticket_flood_async = { TEST_BEHAVIOUR_TICKET_FLOOD, TRUE };

  has_own_namespace = enter_own_namespace (); /* before there are threads */
  g_test_init (&argc, &argv, NULL);

  g_test_add_data_func ("/close/tls1.3/after_upload_loses_nothing", GINT_TO_POINTER (FALSE),
                        close_after_upload_loses_nothing);
  g_test_add_data_func ("/close/tls1.2/after_upload_loses_nothing", GINT_TO_POINTER (TRUE),
                        close_after_upload_loses_nothing);
  g_test_add_func ("/close/async_after_upload_loses_nothing", async_close_after_upload_loses_nothing);
  g_test_add_func ("/close/empty_upload_is_an_upload_too", empty_upload_is_an_upload_too);
  g_test_add_func ("/close/dropping_the_connection_loses_nothing", dropping_the_connection_loses_nothing);
  g_test_add_func ("/close/closing_the_output_first_loses_nothing", closing_the_output_first_loses_nothing);
  g_test_add_func ("/close/tickets_that_come_at_the_close_are_kept", tickets_that_come_at_the_close_are_kept);
  g_test_add_func ("/close/does_not_wait_when_the_peer_spoke_last", close_does_not_wait_when_the_peer_spoke_last);
  g_test_add_data_func ("/close/of_a_dialogue_needs_no_answer", GINT_TO_POINTER (FALSE),
                        close_of_a_dialogue_needs_no_answer);
  g_test_add_data_func ("/close/async_of_a_dialogue_needs_no_answer", GINT_TO_POINTER (TRUE),
                        close_of_a_dialogue_needs_no_answer);
  g_test_add_data_func ("/close/ends_at_its_timeout", &silence, close_ends_at_its_timeout);
  g_test_add_data_func ("/close/async_ends_at_its_timeout", &silence_async, close_ends_at_its_timeout);
  g_test_add_data_func ("/close/ends_at_its_timeout_in_a_flood", &data_flood, close_ends_at_its_timeout);
  g_test_add_data_func ("/close/async_ends_at_its_timeout_in_a_flood", &data_flood_async, close_ends_at_its_timeout);
  g_test_add_data_func ("/close/ends_at_its_timeout_in_a_flood_of_tickets", &ticket_flood, close_ends_at_its_timeout);
  g_test_add_data_func ("/close/async_ends_at_its_timeout_in_a_flood_of_tickets", &ticket_flood_async,
                        close_ends_at_its_timeout);
  g_test_add_func ("/close/without_timeout_does_not_wait", close_without_timeout_does_not_wait);
  g_test_add_func ("/close/can_be_cancelled", close_can_be_cancelled);
  g_test_add_func ("/close/before_the_handshake_is_quiet", close_before_the_handshake_is_quiet);
  return g_test_run ();
}
