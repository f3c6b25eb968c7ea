/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "play.h"

#include "client.h"
#include "stage.h"

/* NOTES:
 *
 * What holds whatever the fault was is looked at here, and called a flaw where it does not: bytes that nobody sent, a wait
 * without an end, a return value that does not fit the error, a success that was none, an object that is left.
 */

#define UPLOAD_SIZE 3000

/* Objects that have not been freed yet. */
static guint n_live;

static void
on_gone (gpointer data, GObject *where_it_was)
{
  n_live--;
}

void
play_watch (gpointer object)
{
  n_live++;
  g_object_weak_ref (object, on_gone, NULL);
}

void
play_note_flaw (Play *self, const char *format, ...)
{
  va_list arguments;

  if (self->outcome->flaw != NULL)
    return;
  va_start (arguments, format);
  self->outcome->flaw = g_strdup_vprintf (format, arguments);
  va_end (arguments);
}

/* On the stage */

static gboolean
on_wait (gpointer data)
{
  return wire_move (((Play *) data)->wire);
}

static void
on_hang (gpointer data)
{
  Play *self = data;
  g_autofree char *name = case_to_string (self->this_case);

  play_note_flaw (self, "it waits for ever");
  if (++self->n_hangs > 10)
    g_error ("%s: it waits for ever, even if it is cancelled", name);
  g_cancellable_cancel (self->cancellable);
  g_cancellable_cancel (self->rescue);
}

/* What both sides do, by either driver */

gboolean
play_is_async (Play *self)
{
  return self->this_case->driver == DRIVER_ASYNC;
}

gboolean
play_was_open (Play *self)
{
  return g_tls_connection_get_protocol_version (G_TLS_CONNECTION (self->stream)) != 0;
}

static void
note_opening (Play *self)
{
  if (self->outcome->opened || !play_was_open (self))
    return;
  self->outcome->opened = TRUE;
  if (self->side->opened != NULL)
    self->side->opened (self);
}

static gboolean
shake_hands (Play *self, GCancellable *cancellable, GError **error)
{
  GTlsConnection *connection = G_TLS_CONNECTION (self->stream);
  g_autoptr (GAsyncResult) result = NULL;
  gboolean well;

  if (play_is_async (self))
    {
      g_tls_connection_handshake_async (connection, G_PRIORITY_DEFAULT, cancellable, client_keep_result, &result);
      result = client_await (&result);
      well = g_tls_connection_handshake_finish (connection, result, error);
    }
  else
    {
      well = g_tls_connection_handshake (connection, cancellable, error);
    }

  note_opening (self);
  return well;
}

/* Reads on where it left off, until it has @size bytes. */
static gboolean
hear (Play *self, gsize size, GCancellable *cancellable, GError **error)
{
  GInputStream *input = g_io_stream_get_input_stream (self->stream);
  g_autoptr (GAsyncResult) result = NULL;
  guint8 *place = self->said + self->n_said;
  gsize wanted = size - self->n_said;
  gsize n_read = 0;
  gboolean well;

  if (play_is_async (self))
    {
      g_input_stream_read_all_async (input, place, wanted, G_PRIORITY_DEFAULT, cancellable, client_keep_result,
                                     &result);
      result = client_await (&result);
      well = g_input_stream_read_all_finish (input, result, &n_read, error);
    }
  else
    {
      well = g_input_stream_read_all (input, place, wanted, &n_read, cancellable, error);
    }

  self->n_said += n_read;
  if (well && self->n_said < size)
    play_note_flaw (self, "the end is said to have come, after %" G_GSIZE_FORMAT " bytes", self->n_said);
  return well;
}

static gboolean
say (Play *self, gsize size, GCancellable *cancellable, GError **error)
{
  GOutputStream *output = g_io_stream_get_output_stream (self->stream);
  g_autoptr (GAsyncResult) result = NULL;
  gsize n_written = 0;
  gboolean well;

  self->n_to_upload = size;
  if (play_is_async (self))
    {
      g_output_stream_write_all_async (output, self->upload + self->n_uploaded, size - self->n_uploaded,
                                       G_PRIORITY_DEFAULT, cancellable, client_keep_result, &result);
      result = client_await (&result);
      well = g_output_stream_write_all_finish (output, result, &n_written, error);
    }
  else
    {
      well = g_output_stream_write_all (output, self->upload + self->n_uploaded, size - self->n_uploaded, &n_written,
                                        cancellable, error);
    }

  self->n_uploaded += n_written;
  note_opening (self);
  return well;
}

static gboolean
close_stream (Play *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  if (!play_is_async (self))
    return g_io_stream_close (self->stream, cancellable, error);
  g_io_stream_close_async (self->stream, G_PRIORITY_DEFAULT, cancellable, client_keep_result, &result);
  result = client_await (&result);
  return g_io_stream_close_finish (self->stream, result, error);
}

static gboolean
do_phase (Play *self, GCancellable *cancellable, GError **error)
{
  switch (self->this_case->phase)
    {
    case PHASE_HANDSHAKE:
      return shake_hands (self, cancellable, error);
    case PHASE_FIRST_READ:
      return hear (self, GREETING_SIZE, cancellable, error);
    case PHASE_BULK_READ:
      return hear (self, BULK_SIZE, cancellable, error);
    case PHASE_BULK_WRITE:
      return say (self, BULK_SIZE, cancellable, error);
    case PHASE_TICKET_WAIT:
      return self->side->wait_for_ticket (self, cancellable, error);
    case PHASE_FIRST_WRITE:
      return say (self, GREETING_SIZE, cancellable, error);
    case PHASE_CLOSE:
    case N_PHASES:
    default:
      return close_stream (self, cancellable, error);
    }
}

/* TRUE, or an error. */
static void
check_answer (Play *self, const char *what, gboolean well, GError *error)
{
  if (well != (error == NULL))
    play_note_flaw (self, "%s answers %s %s", what, well ? "TRUE" : "FALSE",
                    well ? error->message : "without an error");
}

/* The whole of it */

static void
lead_up_to_phase (Play *self)
{
  g_autoptr (GError) error = NULL;
  gboolean well = TRUE;

  if (!phase_shakes_hands (self->this_case->phase))
    well = shake_hands (self, self->rescue, &error);
  if (well && self->this_case->phase == PHASE_CLOSE)
    well = say (self, UPLOAD_SIZE, self->rescue, &error);
  if (!well)
    play_note_flaw (self, "before the fault: %s", error->message);
}

static void
let_peer_speak (Play *self)
{
  if (self->this_case->phase == PHASE_FIRST_READ)
    peer_say (self->peer, GREETING_SIZE);
  if (self->this_case->phase == PHASE_BULK_READ)
    peer_say (self->peer, BULK_SIZE);
}

/* What was cancelled can be gone on with, as if nothing had been. */
static void
go_on_after_cancel (Play *self)
{
  g_autoptr (GError) error = NULL;

  if (!do_phase (self, self->rescue, &error))
    play_note_flaw (self, "cancelled, it cannot go on: %s", error->message);
}

/* Once the handshake has failed, nothing passes. */
static void
try_to_pass (Play *self)
{
  guint8 byte = 0;

  if (g_input_stream_read (g_io_stream_get_input_stream (self->stream), &byte, 1, self->rescue, NULL) != -1)
    play_note_flaw (self, "it can be read from, though its handshake failed");
  if (g_output_stream_write (g_io_stream_get_output_stream (self->stream), &byte, 1, self->rescue, NULL) != -1)
    play_note_flaw (self, "it can be written to, though its handshake failed");
}

static void
play_phase (Play *self)
{
  Outcome *outcome = self->outcome;
  gboolean well;

  let_peer_speak (self);
  wire_arm (self->wire, &self->this_case->fault, self->cancellable);
  well = do_phase (self, self->cancellable, &outcome->error);
  check_answer (self, phase_names[self->this_case->phase], well, outcome->error);

  outcome->struck = wire_has_struck (self->wire);
  outcome->in_short = wire_is_in_short (self->wire);
  outcome->damaged_body = wire_damaged_body (self->wire);
  outcome->traffic = *wire_get_traffic (self->wire);

  if (self->this_case->phase != PHASE_CLOSE && self->this_case->fault.kind == FAULT_CANCEL &&
      g_error_matches (outcome->error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    go_on_after_cancel (self);
  if (phase_shakes_hands (self->this_case->phase) && !self->outcome->opened)
    try_to_pass (self);
}

/* On the stage: off it no time passes, and an object that is let go of open closes by itself. */
static void
close_after_phase (Play *self)
{
  gboolean well;

  if (g_io_stream_is_closed (self->stream))
    return;
  well = close_stream (self, self->rescue, &self->outcome->close_error);
  check_answer (self, "close", well, self->outcome->close_error);
}

static void
check_data (Play *self)
{
  const GByteArray *heard = peer_get_heard (self->peer);

  for (gsize i = 0; i < self->n_said; i++)
    if (self->said[i] != peer_byte_said (i))
      {
        play_note_flaw (self, "byte %" G_GSIZE_FORMAT " that was read is not what was sent", i);
        break;
      }
  for (gsize i = 0; i < heard->len; i++)
    if (heard->data[i] != peer_byte_heard (i))
      {
        play_note_flaw (self, "byte %" G_GSIZE_FORMAT " that the peer read is not what was sent", i);
        break;
      }
  if (heard->len > self->n_to_upload)
    play_note_flaw (self, "the peer read more than was sent");
}

/* Closing loses nothing: if all calls say that all is well, it is, by then. A FIN is taken for an answer, though, and who
 * sent it may still be reading.
 */
static void
check_close_was_true (Play *self)
{
  gboolean all_well = self->outcome->error == NULL && self->outcome->close_error == NULL;
  guint n_heard = self->n_heard_when_closed;

  if (self->this_case->fault.kind == FAULT_END)
    n_heard = peer_get_heard (self->peer)->len;
  if (all_well && self->n_said == 0 && n_heard < self->n_to_upload)
    play_note_flaw (self, "the close is said to have gone well, and the peer has %u bytes of %" G_GSIZE_FORMAT, n_heard,
                    self->n_to_upload);
}

static void
free_subject (Play *self)
{
  g_clear_object (&self->subject);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static Play *
play_new (const PlaySide *side, gconstpointer order, Peer *peer, const Case *this_case, Outcome *outcome)
{
  Play *self = g_new0 (Play, 1);

  self->side = side;
  self->order = order;
  self->this_case = this_case;
  self->outcome = outcome;
  self->peer = peer;
  self->wire = wire_new (this_case->transport, peer);
  self->cancellable = g_cancellable_new ();
  self->rescue = g_cancellable_new ();
  self->said = g_malloc (BULK_SIZE);
  self->upload = g_malloc (BULK_SIZE);
  for (gsize i = 0; i < BULK_SIZE; i++)
    self->upload[i] = peer_byte_heard (i);
  return self;
}

static void
make_connection (Play *self)
{
  g_autoptr (GIOStream) base = wire_dup_stream (self->wire);

  play_watch (base);
  self->side->make (self, base);
  play_watch (self->stream);
}

static void
play_free (Play *self)
{
  wire_free (self->wire);
  peer_free (self->peer);
  g_object_unref (self->cancellable);
  g_object_unref (self->rescue);
  g_free (self->said);
  g_free (self->upload);
  g_free (self);
}

void
play (const PlaySide *side, gconstpointer order, Peer *peer, const Case *this_case, Outcome *outcome)
{
  Play *self = play_new (side, order, peer, this_case, outcome);

  *outcome = (Outcome){ 0 };
  make_connection (self);
  stage_enter (on_wait, on_hang, self);
  lead_up_to_phase (self);
  if (outcome->flaw == NULL)
    play_phase (self);
  close_after_phase (self);
  self->n_heard_when_closed = peer_get_heard (self->peer)->len;
  while (wire_move (self->wire))
    ;
  stage_leave ();

  check_data (self);
  check_close_was_true (self);
  side->check (self);
  free_subject (self);
  play_free (self);
}

void
play_check_nothing_is_left (Outcome *outcome)
{
  if (n_live > 0 && outcome->flaw == NULL)
    outcome->flaw = g_strdup_printf ("%u objects are left", n_live);
  n_live = 0;
}

void
outcome_clear (Outcome *self)
{
  g_clear_error (&self->error);
  g_clear_error (&self->close_error);
  g_clear_pointer (&self->flaw, g_free);
  g_clear_pointer (&self->ticket, g_bytes_unref);
}

char *
outcome_steal_failure (Outcome *self)
{
  if (self->flaw != NULL)
    return g_steal_pointer (&self->flaw);
  if (self->error != NULL)
    return g_strdup (self->error->message);
  return self->close_error != NULL ? g_strdup (self->close_error->message) : NULL;
}
