/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ftp-control-private.h"

#include <string.h>

#include "../wipe.h"

/* NOTES:
 *
 * A control connection (RFC 959) over TLS (RFC 4217). One thing at a time is asked of it: a command and its reply.
 *
 * Nothing but AUTH TLS is ever sent in plain text, and a server that does not take it is left. What a server, or somebody
 * in between, sends in plain text behind its answer to AUTH TLS would be read as if TLS had protected it, so there must
 * be nothing.
 *
 * Tickets: every data connection shall have one of its own (RFC 8446, appendix C.4). Those of TLS 1.3 that arrive on this
 * connection and on the data connections made from it are gathered here, and each is given out once; when none is left,
 * or with TLS 1.2, whose tickets may be used again, the session of this connection is copied.
 *
 * A server that falls silent is noticed by a watch that ticks each second: whatever goes on touches it, and everything
 * that waits, on this connection or its data connections, waits with the cancellable that it cancels.
 */

#define BLOCK 4096
#define MAX_TICKETS 32
#define CLOSE_TIMEOUT_MS 1000

struct _FtpControl
{
  GObject parent_instance;

  const FtpSite *site;
  GSocketConnectable *address; /* and server identity, of the data connections too */
  GSocketConnection *tcp;
  GTlsSessionHelper *helper; /* NULL before AUTH TLS */
  FtpReplyReader *reader;
  FtpFeatures features;
  char *home;     /* where the login begins */
  GQueue tickets; /* of GTlsSessionTicket: not offered yet */
  guint8 block[BLOCK];

  GCancellable *cancellable;
  guint watch;
  gint64 touched; /* -1: at rest */
  gboolean is_timed_out;
  gboolean is_broken;
};

G_DEFINE_FINAL_TYPE (FtpControl, ftp_control, G_TYPE_OBJECT)

/* The watch */

static gboolean
on_watch (gpointer data)
{
  FtpControl *self = data;
  gint64 limit = (gint64) self->site->timeout * G_USEC_PER_SEC;

  if (self->touched >= 0 && g_get_monotonic_time () - self->touched > limit)
    {
      self->is_timed_out = TRUE;
      ftp_control_cancel (self);
    }
  return G_SOURCE_CONTINUE;
}

/* Something goes on. */
void
ftp_control_touch (FtpControl *self)
{
  self->touched = g_get_monotonic_time ();
}

/* Nothing is expected of the server. */
void
ftp_control_rest (FtpControl *self)
{
  self->touched = -1;
}

void
ftp_control_cancel (FtpControl *self)
{
  self->is_broken = TRUE;
  g_cancellable_cancel (self->cancellable);
}

/* Says of a cancelled operation why it was cancelled. */
void
ftp_control_explain (FtpControl *self, GError **error)
{
  if (error == NULL || !self->is_timed_out || !g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;

  g_clear_error (error);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "The server at %s was silent for %u s", self->site->url->host,
               self->site->timeout);
}

/* GObject */

static void
ftp_control_finalize (GObject *object)
{
  FtpControl *self = FTP_CONTROL (object);

  g_source_remove (self->watch);
  g_clear_object (&self->helper);
  g_clear_object (&self->tcp);
  g_object_unref (self->address);
  g_object_unref (self->cancellable);
  ftp_reply_reader_free (self->reader);
  g_free (self->home);
  g_queue_clear_full (&self->tickets, g_object_unref);

  G_OBJECT_CLASS (ftp_control_parent_class)->finalize (object);
}

static void
ftp_control_class_init (FtpControlClass *class)
{
  G_OBJECT_CLASS (class)->finalize = ftp_control_finalize;
}

static void
ftp_control_init (FtpControl *self)
{
  self->reader = ftp_reply_reader_new ();
  self->cancellable = g_cancellable_new ();
  self->watch = g_timeout_add_seconds (1, on_watch, self);
  g_queue_init (&self->tickets);
  ftp_control_touch (self);
}

FtpControl *
ftp_control_new (const FtpSite *site)
{
  FtpControl *self = g_object_new (FTP_TYPE_CONTROL, NULL);

  self->site = site;
  self->address = g_network_address_new (site->url->host, site->url->port);
  return self;
}

/* What others may know */

GCancellable *
ftp_control_get_cancellable (FtpControl *self)
{
  return self->cancellable;
}

/* Whether no command will be answered any more. */
gboolean
ftp_control_is_broken (FtpControl *self)
{
  return self->is_broken;
}

void
ftp_control_set_broken (FtpControl *self)
{
  self->is_broken = TRUE;
}

const FtpSite *
ftp_control_get_site (FtpControl *self)
{
  return self->site;
}

gboolean
ftp_control_has_feature (FtpControl *self, FtpFeatures feature)
{
  return (self->features & feature) != 0;
}

/* For what turned out otherwise than the server told. */
void
ftp_control_set_feature (FtpControl *self, FtpFeatures feature, gboolean has_it)
{
  self->features = has_it ? self->features | feature : self->features & ~feature;
}

/* The path from the root on, which means the same whatever folder was changed to. */
char *
ftp_control_resolve (FtpControl *self, const char *path)
{
  gboolean has_slash = g_str_has_suffix (self->home, "/");

  if (*path == '/')
    return g_strdup (path);
  if (*path == '\0')
    return g_strdup (self->home);
  return g_strconcat (self->home, has_slash ? "" : "/", path, NULL);
}

/* The server's own address, whichever it names for data: nobody is to send us elsewhere. */
GSocketAddress *
ftp_control_get_data_address (FtpControl *self, guint16 port, GError **error)
{
  g_autoptr (GSocketAddress) peer = g_socket_connection_get_remote_address (self->tcp, error);

  if (peer == NULL)
    return NULL;
  return g_inet_socket_address_new (g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (peer)), port);
}

/* TLS */

static void
on_ticket_available (GTlsSessionHelper *helper, GTlsSessionTicket *ticket, FtpControl *self)
{
  if (!g_tls_session_ticket_get_single_use (ticket))
    return;

  g_queue_push_tail (&self->tickets, g_object_ref (ticket));
  if (g_queue_get_length (&self->tickets) > MAX_TICKETS)
    g_object_unref (g_queue_pop_head (&self->tickets));
}

/* TLS over a TCP connection to this server; the handshake is still to come. What tickets it gets are gathered. */
GTlsSessionHelper *
ftp_control_secure (FtpControl *self, GSocketConnection *tcp, GError **error)
{
  GTlsSessionHelper *helper = g_tls_session_helper_new_for_stream (G_IO_STREAM (tcp), self->address, error);
  GTlsClientConnection *tls;

  if (helper == NULL)
    return NULL;

  tls = g_tls_session_helper_get_connection (helper);
  /* No session but this control connection's own: a server may ask for just that. */
  g_tls_session_client_connection_set_session_resumption_enabled (G_TLS_SESSION_CLIENT_CONNECTION (tls), FALSE);
  if (self->site->database != NULL)
    g_tls_connection_set_database (G_TLS_CONNECTION (tls), self->site->database);
  if (self->site->only_tls12)
    g_tls_session_connection_set_maximum_protocol_version (G_TLS_SESSION_CONNECTION (tls),
                                                           G_TLS_PROTOCOL_VERSION_TLS_1_2);
  g_signal_connect_object (helper, "ticket-available", G_CALLBACK (on_ticket_available), self, 0);
  return helper;
}

/* What cannot be offered is a full handshake, which the tally tells. */
void
ftp_control_offer_ticket (FtpControl *self, GTlsSessionHelper *helper)
{
  gboolean is_offered = FALSE;

  while (!is_offered && !g_queue_is_empty (&self->tickets))
    {
      g_autoptr (GTlsSessionTicket) ticket = g_queue_pop_tail (&self->tickets);

      is_offered = g_tls_session_helper_set_ticket (helper, ticket, NULL);
    }
  if (!is_offered)
    g_tls_session_helper_copy_session_state (helper, self->helper, NULL);
}

/* Commands */

static GIOStream *
get_stream (FtpControl *self)
{
  return self->helper != NULL ? G_IO_STREAM (g_tls_session_helper_get_connection (self->helper))
                              : G_IO_STREAM (self->tcp);
}

static void
fail_broken (GTask *task, GError *error)
{
  ftp_control_set_broken (g_task_get_source_object (task));
  g_task_return_error (task, error);
  g_object_unref (task);
}

static void on_reply_bytes (GObject *stream, GAsyncResult *result, gpointer data);

static void
return_reply (GTask *task, FtpReply *reply)
{
  GError *error = NULL;

  if (reply->code == 421)
    {
      ftp_reply_fail (reply, "to go on", &error);
      ftp_reply_free (reply);
      fail_broken (task, error);
      return;
    }

  g_task_return_pointer (task, reply, (GDestroyNotify) ftp_reply_free);
  g_object_unref (task);
}

static void
read_reply (GTask *task)
{
  FtpControl *self = g_task_get_source_object (task);
  FtpReply *reply = NULL;

  switch (ftp_reply_reader_pull (self->reader, &reply))
    {
    case FTP_REPLY_COMPLETE:
      return_reply (task, reply);
      break;
    case FTP_REPLY_INCOMPLETE:
      g_input_stream_read_async (g_io_stream_get_input_stream (get_stream (self)), self->block, BLOCK,
                                 G_PRIORITY_DEFAULT, self->cancellable, on_reply_bytes, task);
      break;
    case FTP_REPLY_MALFORMED:
      fail_broken (task, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                                              "What the server answered is not a reply of FTP"));
      break;
    }
}

static void
on_reply_bytes (GObject *stream, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  FtpControl *self = g_task_get_source_object (task);
  GError *error = NULL;
  gssize size = g_input_stream_read_finish (G_INPUT_STREAM (stream), result, &error);

  ftp_control_touch (self);
  if (size == 0)
    error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED, "The server ended the control connection");
  if (size <= 0)
    {
      fail_broken (task, error);
      return;
    }

  ftp_reply_reader_push (self->reader, self->block, (gsize) size);
  read_reply (task);
}

static void
on_command_sent (GObject *stream, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  GError *error = NULL;

  ftp_control_touch (g_task_get_source_object (task));
  if (!g_output_stream_write_all_finish (G_OUTPUT_STREAM (stream), result, NULL, &error))
    fail_broken (task, error);
  else
    read_reply (task);
}

static gboolean
check_command (const char *command, GError **error)
{
  for (const char *at = command; *at != '\0'; at++)
    if (g_ascii_iscntrl (*at))
      {
        g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_FILENAME,
                             "A name with control characters cannot be sent to an FTP server");
        return FALSE;
      }
  return TRUE;
}

/* Sends a command and reads its reply; with NULL, reads one more reply. Every reply is a success, except 421. */
void
ftp_control_command_async (FtpControl *self, const char *command, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);
  GError *error = NULL;
  char *line;

  g_task_set_source_tag (task, ftp_control_command_async);
  ftp_control_touch (self);
  if (command == NULL)
    {
      read_reply (task);
      return;
    }
  if (!check_command (command, &error))
    {
      g_task_return_error (task, error);
      g_object_unref (task);
      return;
    }

  line = g_strconcat (command, "\r\n", NULL);
  g_task_set_task_data (task, line, wipe_and_free);
  g_output_stream_write_all_async (g_io_stream_get_output_stream (get_stream (self)), line, strlen (line),
                                   G_PRIORITY_DEFAULT, self->cancellable, on_command_sent, task);
}

FtpReply *
ftp_control_command_finish (FtpControl *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* Opening, which ftp-login.c does, and closing */

static void
on_connected (GObject *client, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  FtpControl *self = g_task_get_source_object (task);
  GError *error = NULL;

  self->tcp = g_socket_client_connect_finish (G_SOCKET_CLIENT (client), result, &error);
  if (self->tcp == NULL)
    {
      fail_broken (task, error);
      return;
    }
  ftp_control_touch (self);
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

void
ftp_control_connect_async (FtpControl *self, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);
  g_autoptr (GSocketClient) client = g_socket_client_new ();

  g_socket_client_set_enable_proxy (client, FALSE);
  g_socket_client_connect_async (client, self->address, self->cancellable, on_connected, task);
}

static void
on_handshaken (GObject *connection, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  GError *error = NULL;

  if (!g_tls_connection_handshake_finish (G_TLS_CONNECTION (connection), result, &error))
    {
      fail_broken (task, error);
      return;
    }
  ftp_control_touch (g_task_get_source_object (task));
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

void
ftp_control_start_tls_async (FtpControl *self, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);
  GError *error = NULL;
  GTlsClientConnection *tls;

  if (!ftp_reply_reader_is_empty (self->reader))
    {
      fail_broken (task,
                   g_error_new_literal (G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                                        "Something in plain text came behind the answer to AUTH TLS: the server is "
                                        "at fault, or somebody in between"));
      return;
    }

  self->helper = ftp_control_secure (self, self->tcp, &error);
  if (self->helper == NULL)
    {
      fail_broken (task, error);
      return;
    }
  tls = g_tls_session_helper_get_connection (self->helper);
  g_tls_session_connection_set_close_timeout (G_TLS_SESSION_CONNECTION (tls), CLOSE_TIMEOUT_MS);
  self->site->tally->connections++;
  g_tls_connection_handshake_async (G_TLS_CONNECTION (tls), G_PRIORITY_DEFAULT, self->cancellable, on_handshaken, task);
}

/* Of either of the two. */
gboolean
ftp_control_step_finish (FtpControl *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
ftp_control_set_home (FtpControl *self, const char *home)
{
  g_free (self->home);
  self->home = g_strdup (home);
}

void
ftp_control_set_features (FtpControl *self, FtpFeatures features)
{
  self->features = features;
}

static void
on_closed (GObject *stream, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;

  /* Everything was done before; how the server takes its leave says nothing about it. */
  g_io_stream_close_finish (G_IO_STREAM (stream), result, NULL);
  g_task_return_boolean (task, TRUE);
}

static void
close_stream (GTask *task)
{
  FtpControl *self = g_task_get_source_object (task);

  ftp_control_rest (self);
  g_io_stream_close_async (get_stream (self), G_PRIORITY_DEFAULT, self->is_broken ? self->cancellable : NULL, on_closed,
                           task);
}

static void
on_quit_answered (GObject *control, GAsyncResult *result, gpointer data)
{
  g_autoptr (FtpReply) reply = ftp_control_command_finish (FTP_CONTROL (control), result, NULL);

  close_stream (data);
}

/* Takes leave, politely if the connection still is one. Nothing in it can fail. */
void
ftp_control_quit_async (FtpControl *self, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);

  if (self->tcp == NULL)
    {
      g_task_return_boolean (task, TRUE);
      g_object_unref (task);
    }
  else if (self->is_broken || self->helper == NULL)
    {
      ftp_control_cancel (self);
      close_stream (task);
    }
  else
    {
      ftp_control_command_async (self, "QUIT", on_quit_answered, task);
    }
}
