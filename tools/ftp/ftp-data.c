/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ftp-data.h"

/* NOTES:
 *
 * One data connection: EPSV or PASV, TCP, REST if the transfer begins in the midst, the command, TLS with the session of
 * the control connection, the caller's reading or writing, close, and the server's last word about it. Each of these is
 * awaited before the next one.
 *
 * The struct is the caller's from ftp_data_open_finish() until ftp_data_close_async(), which must be called.
 */

typedef enum
{
  STEP_EPSV,
  STEP_PASV,
  STEP_CONNECT,
  STEP_REST,
  STEP_COMMAND,
  STEP_HANDSHAKE,
  STEP_OPEN,
  STEP_CLOSE,
  STEP_LAST_WORD,
} Step;

struct _FtpData
{
  FtpControl *control;
  Step step;
  char *command;
  gint64 offset;
  guint16 port;
  GSocketConnection *tcp;
  GTlsSessionHelper *helper;
  GTask *task;   /* of opening, or of closing */
  GError *cause; /* why it is closed before its end */
};

static void enter (FtpData *self, Step step);

static void
ftp_data_free (FtpData *self)
{
  g_object_unref (self->control);
  g_free (self->command);
  g_clear_object (&self->helper);
  if (self->tcp != NULL)
    g_io_stream_close (G_IO_STREAM (self->tcp), NULL, NULL);
  g_clear_object (&self->tcp);
  g_clear_error (&self->cause);
  g_free (self);
}

/* Before the server has said that it begins. */
static void
fail (FtpData *self, GError *error)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);

  ftp_data_free (self);
  g_task_return_error (task, error);
}

/* After that: it will say one more word, which may tell more than the error does. */
static void
abandon (FtpData *self, GError *error)
{
  self->cause = error;
  g_io_stream_close (G_IO_STREAM (self->tcp), NULL, NULL);
  if (ftp_control_is_broken (self->control))
    fail (self, g_steal_pointer (&self->cause));
  else
    enter (self, STEP_LAST_WORD);
}

static void
open_is_done (FtpData *self)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);
  FtpTally *tally = ftp_control_get_site (self->control)->tally;

  tally->data_connections++;
  if (g_tls_session_helper_get_resumption (self->helper) == G_TLS_SESSION_RESUMPTION_RESUMED)
    tally->resumed++;
  else if (tally->why_not_resumed == NULL)
    tally->why_not_resumed = g_tls_session_helper_explain (self->helper);
  self->step = STEP_OPEN;
  g_task_return_pointer (task, self, NULL);
}

static void
say_last_word (FtpData *self, FtpReply *reply)
{
  g_autofree char *text = NULL;

  if (self->cause != NULL && !ftp_reply_is (reply, 2))
    {
      GError *error = NULL;

      ftp_reply_fail (reply, "the transfer", &error);
      g_prefix_error (&self->cause, "%s; ", error->message);
      g_error_free (error);
    }
  if (self->cause != NULL)
    {
      fail (self, g_steal_pointer (&self->cause));
    }
  else if (!ftp_reply_expect (reply, 2, "what was transferred", &self->cause))
    {
      fail (self, g_steal_pointer (&self->cause));
    }
  else
    {
      g_autoptr (GTask) task = g_steal_pointer (&self->task);

      ftp_data_free (self);
      g_task_return_boolean (task, TRUE);
    }
}

/* What follows a reply */

static void
follow_epsv (FtpData *self, FtpReply *reply)
{
  if (reply->code == 229 && ftp_reply_parse_epsv (reply, &self->port))
    {
      enter (self, STEP_CONNECT);
      return;
    }
  ftp_control_set_feature (self->control, FTP_FEATURE_EPSV, FALSE);
  enter (self, STEP_PASV);
}

static void
follow_pasv (FtpData *self, FtpReply *reply)
{
  GError *error = NULL;
  guint8 address[4];

  if (reply->code == 227 && ftp_reply_parse_pasv (reply, address, &self->port))
    {
      enter (self, STEP_CONNECT); /* to the port; the address is the server's, see ftp_control_get_data_address() */
      return;
    }
  ftp_reply_fail (reply, "a data connection (PASV)", &error);
  fail (self, error);
}

static void
follow_rest (FtpData *self, FtpReply *reply)
{
  GError *error = NULL;

  if (ftp_reply_expect (reply, 3, "to begin in the midst of the file (REST)", &error))
    enter (self, STEP_COMMAND);
  else
    fail (self, error);
}

static void
follow_command (FtpData *self, FtpReply *reply)
{
  GError *error = NULL;

  if (ftp_reply_is (reply, 1))
    {
      enter (self, STEP_HANDSHAKE);
      return;
    }
  ftp_reply_fail (reply, self->command, &error);
  fail (self, error);
}

static void
on_reply (GObject *control, GAsyncResult *result, gpointer data)
{
  FtpData *self = data;
  GError *error = NULL;
  g_autoptr (FtpReply) reply = ftp_control_command_finish (FTP_CONTROL (control), result, &error);

  if (reply == NULL)
    {
      if (self->cause != NULL)
        g_prefix_error (&self->cause, "%s; ", error->message);
      fail (self, self->cause != NULL ? g_steal_pointer (&self->cause) : g_steal_pointer (&error));
      g_clear_error (&error);
      return;
    }

  switch (self->step)
    {
    case STEP_EPSV:
      follow_epsv (self, reply);
      break;
    case STEP_PASV:
      follow_pasv (self, reply);
      break;
    case STEP_REST:
      follow_rest (self, reply);
      break;
    case STEP_COMMAND:
      follow_command (self, reply);
      break;
    case STEP_LAST_WORD:
      say_last_word (self, reply);
      break;
    default:
      g_assert_not_reached ();
    }
}

/* Connecting */

static void
on_connected (GObject *client, GAsyncResult *result, gpointer data)
{
  FtpData *self = data;
  GError *error = NULL;

  ftp_control_touch (self->control);
  self->tcp = g_socket_client_connect_finish (G_SOCKET_CLIENT (client), result, &error);
  if (self->tcp == NULL)
    {
      g_prefix_error (&error, "The server's port for data cannot be reached: ");
      fail (self, error);
      return;
    }
  enter (self, self->offset > 0 ? STEP_REST : STEP_COMMAND);
}

static void
connect_tcp (FtpData *self)
{
  GError *error = NULL;
  g_autoptr (GSocketAddress) address = ftp_control_get_data_address (self->control, self->port, &error);
  g_autoptr (GSocketClient) client = g_socket_client_new ();

  if (address == NULL)
    {
      fail (self, error);
      return;
    }
  g_socket_client_set_enable_proxy (client, FALSE);
  g_socket_client_connect_async (client, G_SOCKET_CONNECTABLE (address), ftp_control_get_cancellable (self->control),
                                 on_connected, self);
}

static void
on_handshaken (GObject *connection, GAsyncResult *result, gpointer data)
{
  FtpData *self = data;
  GError *error = NULL;

  ftp_control_touch (self->control);
  if (g_tls_connection_handshake_finish (G_TLS_CONNECTION (connection), result, &error))
    open_is_done (self);
  else
    abandon (self, error);
}

static void
handshake (FtpData *self)
{
  GError *error = NULL;

  self->helper = ftp_control_secure (self->control, self->tcp, &error);
  if (self->helper == NULL)
    {
      abandon (self, error);
      return;
    }
  ftp_control_offer_ticket (self->control, self->helper);
  g_tls_connection_handshake_async (G_TLS_CONNECTION (g_tls_session_helper_get_connection (self->helper)),
                                    G_PRIORITY_DEFAULT, ftp_control_get_cancellable (self->control), on_handshaken,
                                    self);
}

static void
on_closed (GObject *stream, GAsyncResult *result, gpointer data)
{
  FtpData *self = data;
  GError *error = NULL;

  ftp_control_touch (self->control);
  if (g_io_stream_close_finish (G_IO_STREAM (stream), result, &error))
    enter (self, STEP_LAST_WORD);
  else
    abandon (self, error);
}

static void
enter (FtpData *self, Step step)
{
  g_autofree char *rest = NULL;

  self->step = step;
  switch (step)
    {
    case STEP_EPSV:
      ftp_control_command_async (self->control, "EPSV", on_reply, self);
      break;
    case STEP_PASV:
      ftp_control_command_async (self->control, "PASV", on_reply, self);
      break;
    case STEP_CONNECT:
      connect_tcp (self);
      break;
    case STEP_REST:
      rest = g_strdup_printf ("REST %" G_GINT64_FORMAT, self->offset);
      ftp_control_command_async (self->control, rest, on_reply, self);
      break;
    case STEP_COMMAND:
      ftp_control_command_async (self->control, self->command, on_reply, self);
      break;
    case STEP_HANDSHAKE:
      handshake (self);
      break;
    case STEP_CLOSE:
      g_io_stream_close_async (ftp_data_get_stream (self), G_PRIORITY_DEFAULT,
                               ftp_control_get_cancellable (self->control), on_closed, self);
      break;
    case STEP_LAST_WORD:
      ftp_control_command_async (self->control, NULL, on_reply, self);
      break;
    case STEP_OPEN:
      g_assert_not_reached ();
    }
}

/* For callers */

/* @offset goes before @command, unless it is 0. */
void
ftp_data_open_async (FtpControl *control,
                     const char *command,
                     gint64 offset,
                     GAsyncReadyCallback callback,
                     gpointer user_data)
{
  FtpData *self = g_new0 (FtpData, 1);

  self->control = g_object_ref (control);
  self->command = g_strdup (command);
  self->offset = offset;
  self->task = g_task_new (control, NULL, callback, user_data);
  g_task_set_source_tag (self->task, ftp_data_open_async);
  enter (self, ftp_control_has_feature (control, FTP_FEATURE_EPSV) ? STEP_EPSV : STEP_PASV);
}

FtpData *
ftp_data_open_finish (FtpControl *control, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

GIOStream *
ftp_data_get_stream (FtpData *self)
{
  return G_IO_STREAM (g_tls_session_helper_get_connection (self->helper));
}

/* Without a @cause, which is taken, it succeeds if everything arrived and the server says so. With one it fails with it,
 * and what the server says is added. Either way @self is gone. */
void
ftp_data_close_async (FtpData *self, GError *cause, GAsyncReadyCallback callback, gpointer user_data)
{
  self->task = g_task_new (self->control, NULL, callback, user_data);
  g_task_set_source_tag (self->task, ftp_data_close_async);
  if (cause != NULL)
    abandon (self, cause);
  else
    enter (self, STEP_CLOSE);
}

gboolean
ftp_data_close_finish (FtpControl *control, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
