/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ftp-control-private.h"

/* From nothing to a control connection that can transfer: one step after the other, each named. */

typedef enum
{
  STEP_CONNECT,
  STEP_GREETING_BEFORE_AUTH,
  STEP_AUTH,
  STEP_TLS,
  STEP_GREETING_AFTER_TLS, /* implicit TLS */
  STEP_USER,
  STEP_PASS,
  STEP_PBSZ,
  STEP_PROT,
  STEP_FEAT,
  STEP_UTF8,
  STEP_TYPE,
  STEP_PWD,
  STEP_DONE,
} Step;

typedef struct
{
  GTask *task;
  FtpControl *control; /* the task's */
  Step step;
} Login;

static void enter (Login *self, Step step);

static void
finish (Login *self, GError *error)
{
  g_autoptr (GTask) task = self->task;

  if (error != NULL)
    {
      ftp_control_set_broken (self->control);
      g_task_return_error (task, error);
    }
  else
    g_task_return_boolean (task, TRUE);
  g_free (self);
}

/* What follows when a step's reply is taken */

static gboolean
is_implicit (Login *self)
{
  return ftp_control_get_site (self->control)->url->security == FTP_SECURITY_IMPLICIT;
}

static Step
follow_user (Login *self, FtpReply *reply, GError **error)
{
  if (ftp_reply_is (reply, 2))
    return STEP_PBSZ;
  if (reply->code == 331)
    return STEP_PASS;
  ftp_reply_fail (reply, "the user's name", error);
  return STEP_DONE;
}

static Step
follow_feat (Login *self, FtpReply *reply)
{
  if (ftp_reply_is (reply, 2))
    ftp_control_set_features (self->control, ftp_reply_parse_features (reply));
  /* What no server tells, or not every one that has it, is tried. */
  ftp_control_set_feature (self->control, FTP_FEATURE_EPSV, TRUE);
  ftp_control_set_feature (self->control, FTP_FEATURE_MDTM_SETS,
                           ftp_control_has_feature (self->control, FTP_FEATURE_MDTM) &&
                             !ftp_control_has_feature (self->control, FTP_FEATURE_MFMT));
  return ftp_control_has_feature (self->control, FTP_FEATURE_UTF8) ? STEP_UTF8 : STEP_TYPE;
}

static Step
follow_pwd (Login *self, FtpReply *reply, GError **error)
{
  g_autofree char *home = ftp_reply_parse_path (reply);

  if (home == NULL)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                         "The server names no absolute path in answer to PWD");
  else
    ftp_control_set_home (self->control, home);
  return STEP_DONE;
}

static gboolean
expect (FtpReply *reply, const char *what, GError **error)
{
  return ftp_reply_expect (reply, 2, what, error);
}

static Step
follow (Login *self, FtpReply *reply, GError **error)
{
  switch (self->step)
    {
    case STEP_GREETING_BEFORE_AUTH:
      return expect (reply, "the connection", error) ? STEP_AUTH : STEP_DONE;
    case STEP_AUTH:
      return expect (reply, "TLS, and without it nothing is said to it", error) ? STEP_TLS : STEP_DONE;
    case STEP_GREETING_AFTER_TLS:
      return expect (reply, "the connection", error) ? STEP_USER : STEP_DONE;
    case STEP_USER:
      return follow_user (self, reply, error);
    case STEP_PASS:
      return expect (reply, "the login", error) ? STEP_PBSZ : STEP_DONE;
    case STEP_PBSZ:
      return expect (reply, "to protect data connections (PBSZ 0)", error) ? STEP_PROT : STEP_DONE;
    case STEP_PROT:
      return expect (reply, "to protect data connections (PROT P)", error) ? STEP_FEAT : STEP_DONE;
    case STEP_FEAT:
      return follow_feat (self, reply);
    case STEP_UTF8:
      return STEP_TYPE; /* whatever it says: with RFC 2640 it is UTF-8 without being asked */
    case STEP_TYPE:
      return expect (reply, "binary transfers (TYPE I)", error) ? STEP_PWD : STEP_DONE;
    case STEP_PWD:
      return expect (reply, "to say where the login begins (PWD)", error) ? follow_pwd (self, reply, error) : STEP_DONE;
    default:
      g_assert_not_reached ();
    }
}

static void
on_reply (GObject *object, GAsyncResult *result, gpointer data)
{
  Login *self = data;
  GError *error = NULL;
  g_autoptr (FtpReply) reply = ftp_control_command_finish (self->control, result, &error);
  Step next = STEP_DONE;

  if (reply != NULL && ftp_reply_is (reply, 1))
    {
      ftp_control_command_async (self->control, NULL, on_reply, self); /* "ready in a few minutes" */
      return;
    }
  if (reply != NULL)
    next = follow (self, reply, &error);
  if (error != NULL)
    finish (self, error);
  else
    enter (self, next);
}

static void
on_step_done (GObject *object, GAsyncResult *result, gpointer data)
{
  Login *self = data;
  GError *error = NULL;

  if (!ftp_control_step_finish (self->control, result, &error))
    finish (self, error);
  else if (self->step == STEP_CONNECT)
    enter (self, is_implicit (self) ? STEP_TLS : STEP_GREETING_BEFORE_AUTH);
  else
    enter (self, is_implicit (self) ? STEP_GREETING_AFTER_TLS : STEP_USER);
}

static void
command (Login *self, const char *text)
{
  ftp_control_command_async (self->control, text, on_reply, self);
}

static void
command_with (Login *self, const char *verb, const char *argument)
{
  g_autofree char *text = g_strdup_printf ("%s %s", verb, argument);

  command (self, text);
}

static void
enter (Login *self, Step step)
{
  const FtpSite *site = ftp_control_get_site (self->control);

  self->step = step;
  switch (step)
    {
    case STEP_CONNECT:
      ftp_control_connect_async (self->control, on_step_done, self);
      break;
    case STEP_GREETING_BEFORE_AUTH:
    case STEP_GREETING_AFTER_TLS:
      command (self, NULL);
      break;
    case STEP_AUTH:
      command (self, "AUTH TLS");
      break;
    case STEP_TLS:
      ftp_control_start_tls_async (self->control, on_step_done, self);
      break;
    case STEP_USER:
      command_with (self, "USER", site->user);
      break;
    case STEP_PASS:
      command_with (self, "PASS", site->password);
      break;
    case STEP_PBSZ:
      command (self, "PBSZ 0");
      break;
    case STEP_PROT:
      command (self, "PROT P");
      break;
    case STEP_FEAT:
      command (self, "FEAT");
      break;
    case STEP_UTF8:
      command (self, "OPTS UTF8 ON");
      break;
    case STEP_TYPE:
      command (self, "TYPE I");
      break;
    case STEP_PWD:
      command (self, "PWD");
      break;
    case STEP_DONE:
      finish (self, NULL);
      break;
    }
}

void
ftp_control_open_async (FtpControl *self, GAsyncReadyCallback callback, gpointer user_data)
{
  Login *login = g_new0 (Login, 1);

  login->control = self;
  login->task = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (login->task, ftp_control_open_async);
  ftp_control_touch (self);
  enter (login, STEP_CONNECT);
}

gboolean
ftp_control_open_finish (FtpControl *self, GAsyncResult *result, GError **error)
{
  if (g_task_propagate_boolean (G_TASK (result), error))
    {
      ftp_control_get_site (self)->tally->logins++;
      return TRUE;
    }

  ftp_control_explain (self, error);
  return FALSE;
}
