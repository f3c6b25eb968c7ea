/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "talk.h"

#include "kernel.h"

#define SPEECH_SIZE 300000 /* more than a socket takes at once */

typedef struct
{
  GTlsConnection *connection; /* NULL: it could not be made */
  GIOStream *base;
  GError **error;
  gboolean opened;
  gboolean heard_all;
  gboolean is_on_stage;
  TalkKind kind;
} Side;

/* No part of it is like another one. */
static const guint8 *
get_speech (void)
{
  static guint8 *speech; /* from the first case on */

  if (speech == NULL)
    {
      speech = g_malloc (SPEECH_SIZE);
      for (guint32 i = 0; i < SPEECH_SIZE; i++)
        speech[i] = (guint8) (i >> (8 * (i % 4))); /* a number at each fourth place, which is that place */
    }
  return speech;
}

static gboolean
say_all (Side *self, GError **error)
{
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (self->connection));

  return g_output_stream_write_all (output, get_speech (), SPEECH_SIZE, NULL, NULL, error);
}

/* What is heard is right, even if it is not all. */
static gboolean
hear_all (Side *self, GError **error)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (self->connection));
  g_autofree guint8 *heard = g_malloc (SPEECH_SIZE);
  gsize n_heard = 0;
  gboolean succeeded = g_input_stream_read_all (input, heard, SPEECH_SIZE, &n_heard, NULL, error);

  for (gsize i = 0; i < n_heard; i++)
    if (heard[i] != get_speech ()[i])
      {
        g_printerr ("DEBUG mismatch at %zu of %zu ok=%d: %s\n", i, n_heard, succeeded,
                    error && *error ? (*error)->message : "-");
        for (gsize k = 0; k < SPEECH_SIZE; k++)
          if (n_heard - i > 64 && SPEECH_SIZE - k > 64 && memcmp (heard + i, get_speech () + k, 64) == 0)
            g_printerr ("DEBUG it is from %zu\n", k);
        break;
      }
  g_assert_cmpmem (heard, n_heard, get_speech (), n_heard);
  self->heard_all = n_heard == SPEECH_SIZE;
  return succeeded && self->heard_all;
}

static gboolean
hear_end (Side *self, GError **error)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (self->connection));
  char rest;
  gssize n = g_input_stream_read (input, &rest, 1, NULL, error);

  g_assert_cmpint (n, <=, 0);
  return n == 0;
}

static void
close_side (Side *self)
{
  GError *error = NULL;
  GIOStream *stream = self->connection != NULL ? G_IO_STREAM (self->connection) : self->base;

  if (!g_io_stream_close (stream, NULL, &error) && *self->error == NULL)
    *self->error = g_steal_pointer (&error);
  g_clear_error (&error);
  g_assert_true (g_io_stream_is_closed (self->base));
}

static gboolean
open_side (Side *self)
{
  self->opened = self->connection != NULL && g_tls_connection_handshake (self->connection, NULL, self->error);
  return self->opened;
}

/* The server's end is waited for, since who is gone cannot be told that it was heard. */
static void
be_client (Side *self)
{
  if (open_side (self) && say_all (self, self->error) && self->kind == TALK_ECHO && hear_all (self, self->error))
    hear_end (self, self->error);
  close_side (self);
}

static gpointer
be_server (gpointer data)
{
  Side *self = data;

  if (self->is_on_stage)
    kernel_enter ();
  if (open_side (self) && hear_all (self, self->error))
    (void) (self->kind == TALK_ECHO ? say_all (self, self->error) : hear_end (self, self->error));
  close_side (self);
  kernel_leave ();
  return NULL;
}

static void
drop (Side *side)
{
  g_clear_object (&side->connection);
  g_object_unref (side->base);
}

void
talk_hold (Conversation *self, const Parties *parties, TalkKind kind, TalkStage stage)
{
  Side client = { .error = &self->client_error, .kind = kind };
  Side server = { .error = &self->server_error, .kind = kind, .is_on_stage = stage == TALK_CALLS_OF_SERVER_FAIL };
  g_autoptr (GTlsSessionHelper) helper = NULL;
  GIOStream *ends[2];
  GThread *thread;

  get_speech ();
  conversation_make_pair (parties, ends);
  client.base = ends[0];
  server.base = ends[1];
  helper = conversation_make_client (parties, client.base, client.error);
  if (helper != NULL)
    client.connection = g_object_ref (G_TLS_CONNECTION (g_tls_session_helper_get_connection (helper)));
  server.connection = conversation_make_server (parties, server.base, server.error);

  if (server.is_on_stage)
    kernel_leave ();
  thread = g_thread_new ("server", be_server, &server);
  be_client (&client);
  g_thread_join (thread);

  self->client_opened = client.opened;
  self->server_opened = server.opened;
  self->client_heard = kind == TALK_ECHO ? client.heard_all : server.heard_all;
  conversation_keep_facts (self, helper, server.connection);
  g_clear_object (&helper);
  drop (&client);
  drop (&server);
}
