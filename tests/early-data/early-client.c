/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "early-client.h"

#include <string.h>

#define REST "rest"

const char *early_way_names[EARLY_N_WAYS] = { "handshake", "handshake-async", "write", "write-async",
                                              "write-nonblocking" };

GTlsSessionHelper *
early_prepare (EarlyServer *server)
{
  return client_prepare_to (early_server_get_port (server), test_pki_get_ca_path (early_server_get_pki (server)));
}

/* A ticket from a connection of its own. */
GTlsSessionTicket *
early_get_ticket_with (EarlyServer *server, const char *const *alpn)
{
  g_autoptr (GTlsSessionHelper) helper = early_prepare (server);
  g_autoptr (GError) error = NULL;
  GTlsSessionTicket *ticket;

  if (alpn != NULL)
    g_tls_connection_set_advertised_protocols (client_connection (helper), alpn);
  ticket = g_tls_session_helper_wait_for_ticket (helper, TICKET_TIMEOUT, NULL, &error);
  g_assert_no_error (error);
  client_close (helper);
  return ticket;
}

GTlsSessionTicket *
early_get_ticket (EarlyServer *server)
{
  return early_get_ticket_with (server, NULL);
}

/* @ticket: nullable */
void
early_set (GTlsSessionHelper *helper, GTlsSessionTicket *ticket, const void *bytes, gsize size)
{
  g_autoptr (GBytes) early_data = g_bytes_new (bytes, size);
  g_autoptr (GError) error = NULL;

  if (ticket != NULL)
    g_tls_session_helper_set_ticket (helper, ticket, &error);
  g_assert_no_error (error);
  g_assert_true (g_tls_session_helper_set_early_data (helper, early_data, &error));
  g_assert_no_error (error);
  early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_PENDING);
}

static void
handshake_async (GTlsSessionHelper *helper)
{
  GAsyncResult *place = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  g_tls_connection_handshake_async (client_connection (helper), G_PRIORITY_DEFAULT, NULL, client_keep_result, &place);
  result = client_await (&place);
  g_tls_connection_handshake_finish (client_connection (helper), result, &error);
  g_assert_no_error (error);
}

static void
write_async (GTlsSessionHelper *helper)
{
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (client_connection (helper)));
  GAsyncResult *place = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  g_output_stream_write_all_async (output, REST, strlen (REST), G_PRIORITY_DEFAULT, NULL, client_keep_result, &place);
  result = client_await (&place);
  g_output_stream_write_all_finish (output, result, NULL, &error);
  g_assert_no_error (error);
}

static gboolean
on_writable (GObject *stream, gpointer data)
{
  gboolean *writable = data;

  *writable = TRUE;
  return G_SOURCE_REMOVE;
}

static void
wait_until_writable (GPollableOutputStream *output)
{
  g_autoptr (GSource) source = g_pollable_output_stream_create_source (output, NULL);
  gboolean writable = FALSE;

  g_source_set_callback (source, G_SOURCE_FUNC (on_writable), &writable, NULL);
  g_source_attach (source, NULL);
  client_run_until (&writable);
}

static void
write_nonblocking (GTlsSessionHelper *helper)
{
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (client_connection (helper)));
  gssize n_written = -1;

  while (n_written < 0)
    {
      g_autoptr (GError) error = NULL;

      n_written = g_pollable_output_stream_write_nonblocking (G_POLLABLE_OUTPUT_STREAM (output), REST, strlen (REST),
                                                              NULL, &error);
      if (n_written >= 0)
        break;
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
      wait_until_writable (G_POLLABLE_OUTPUT_STREAM (output));
    }
  g_assert_cmpint (n_written, ==, strlen (REST));
}

void
early_go (GTlsSessionHelper *helper, EarlyWay way)
{
  switch (way)
    {
    case EARLY_WAY_HANDSHAKE:
      client_handshake (helper);
      client_write (helper, REST, strlen (REST));
      break;
    case EARLY_WAY_HANDSHAKE_ASYNC:
      handshake_async (helper);
      client_write (helper, REST, strlen (REST));
      break;
    case EARLY_WAY_WRITE:
      client_write (helper, REST, strlen (REST));
      break;
    case EARLY_WAY_WRITE_ASYNC:
      write_async (helper);
      break;
    case EARLY_WAY_WRITE_NONBLOCKING:
    default:
      write_nonblocking (helper);
      break;
    }
}

void
early_assert_status (GTlsSessionHelper *helper, GTlsSessionEarlyDataStatus status)
{
  g_assert_cmpint (g_tls_session_helper_get_early_data_status (helper), ==, status);
}

void
early_assert_arrived (EarlyServer *server, guint index, const char *early_data, const char *stream)
{
  const EarlyRecord *record = early_server_get_record (server, index);

  g_assert_nonnull (record);
  g_assert_cmpstr (record->error, ==, NULL);
  g_assert_cmpmem (record->stream->data, record->stream->len, stream, strlen (stream));
  if (early_data == NULL)
    g_assert_null (record->early_data);
  else
    {
      g_assert_nonnull (record->early_data);
      g_assert_cmpmem (g_bytes_get_data (record->early_data, NULL), g_bytes_get_size (record->early_data), early_data,
                       strlen (early_data));
    }
}

void
early_assert_explains (GTlsSessionHelper *helper, const char *words)
{
  g_autofree char *explanation = g_tls_session_helper_explain (helper);

  if (strstr (explanation, words) == NULL)
    g_error ("\"%s\" does not say \"%s\"", explanation, words);
}

/* The handshake fails with these words, and goes on to do so. */
void
early_fail (GTlsSessionHelper *helper, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) again = NULL;

  g_assert_false (g_tls_connection_handshake (client_connection (helper), NULL, &error));
  g_assert_nonnull (error);
  if (strstr (error->message, words) == NULL)
    g_error ("\"%s\" does not say \"%s\"", error->message, words);

  g_assert_false (g_tls_connection_handshake (client_connection (helper), NULL, &again));
  g_assert_cmpstr (again->message, ==, error->message);
}
