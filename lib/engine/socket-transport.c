/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socket-transport.h"

#ifdef G_OS_UNIX
#include <errno.h>
#include <sys/socket.h>
#endif

/* NOTES:
 *
 * On Unix the socket is read and written by recv() and send() themselves. g_socket_receive_with_blocking() would do,
 * and does elsewhere, but it makes and formats a GError each time the socket is empty, which for a reader that polls
 * is every other call.
 */

#ifdef G_OS_UNIX

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* GSocket has set SO_NOSIGPIPE where there is that instead */
#endif

static GTlsSessionTransportStatus
status_from_errno (int code, const char *what, GError **error)
{
  if (code == EAGAIN || code == EWOULDBLOCK)
    return G_TLS_SESSION_TRANSPORT_WOULD_BLOCK;

  g_set_error (error, G_IO_ERROR, (gint) g_io_error_from_errno (code), "%s: %s", what, g_strerror (code));
  return G_TLS_SESSION_TRANSPORT_ERROR;
}

static GTlsSessionTransportStatus
status_of_closed_socket (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "The socket below the TLS connection is closed");
  return G_TLS_SESSION_TRANSPORT_ERROR;
}

static GTlsSessionTransportStatus
socket_read (gpointer data, void *buffer, gsize size, gsize *n_read, GError **error)
{
  GSocket *socket = data;
  ssize_t n;

  if (g_socket_is_closed (socket))
    return status_of_closed_socket (error);

  do
    n = recv (g_socket_get_fd (socket), buffer, size, 0);
  while (n < 0 && errno == EINTR);

  if (n < 0)
    return status_from_errno (errno, "Reading from the socket failed", error);

  *n_read = (gsize) n;
  return n == 0 ? G_TLS_SESSION_TRANSPORT_END : G_TLS_SESSION_TRANSPORT_DONE;
}

static GTlsSessionTransportStatus
socket_write (gpointer data, const void *bytes, gsize size, gsize *n_written, GError **error)
{
  GSocket *socket = data;
  ssize_t n;

  if (g_socket_is_closed (socket))
    return status_of_closed_socket (error);

  do
    n = send (g_socket_get_fd (socket), bytes, size, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);

  if (n < 0)
    return status_from_errno (errno, "Writing to the socket failed", error);

  *n_written = (gsize) n;
  return G_TLS_SESSION_TRANSPORT_DONE;
}

#else

static GTlsSessionTransportStatus
status_from_result (gssize n, gsize *n_done, GError *local_error, GError **error)
{
  if (n >= 0)
    {
      *n_done = (gsize) n;
      return G_TLS_SESSION_TRANSPORT_DONE;
    }

  if (g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    {
      g_error_free (local_error);
      return G_TLS_SESSION_TRANSPORT_WOULD_BLOCK;
    }

  g_propagate_error (error, local_error);
  return G_TLS_SESSION_TRANSPORT_ERROR;
}

static GTlsSessionTransportStatus
socket_read (gpointer data, void *buffer, gsize size, gsize *n_read, GError **error)
{
  GError *local_error = NULL;
  gssize n = g_socket_receive_with_blocking (data, buffer, size, FALSE, NULL, &local_error);
  GTlsSessionTransportStatus status = status_from_result (n, n_read, local_error, error);

  return n == 0 ? G_TLS_SESSION_TRANSPORT_END : status;
}

static GTlsSessionTransportStatus
socket_write (gpointer data, const void *bytes, gsize size, gsize *n_written, GError **error)
{
  GError *local_error = NULL;
  gssize n = g_socket_send_with_blocking (data, bytes, size, FALSE, NULL, &local_error);

  return status_from_result (n, n_written, local_error, error);
}

#endif

static const GTlsSessionTransportFuncs socket_transport_funcs = { socket_read, socket_write };

/* @socket is borrowed and outlives the engine. GSocket keeps its descriptor non-blocking at all times. */
GTlsSessionTransport
g_tls_session_socket_transport (GSocket *socket)
{
  return (GTlsSessionTransport){ &socket_transport_funcs, socket };
}
