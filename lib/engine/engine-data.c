/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine-private.h"

#include <string.h>

#include "openssl-error.h"
#include "transport-bio.h"

/* NOTES:
 *
 * Reading may bring application data when a ticket was looked for; it is kept in the stash, and
 * g_tls_session_engine_read() serves the stash first.
 *
 * Writing: a record that was begun goes out as it was begun, even if the caller has given up meanwhile (a cancelled
 * write) and comes with other bytes. The bytes of a record that the transport has not all taken yet are kept in unsent.
 * The caller that comes back with the same bytes goes on where it was; one that comes with others has the old record
 * finished first. Nothing is reported as written before the transport has all of it. The same holds if the transport
 * fails in the midst of a record: it may do better the next time (ENOMEM, ENOBUFS), and the record must not go twice.
 *
 * Where there is more than a record to write, up to RECORDS_AT_ONCE are sealed before the transport is called: a call
 * costs the kernel more than the copy. All of these have then begun.
 */

#define RECORD_SIZE SSL3_RT_MAX_PLAIN_LENGTH
#define RECORDS_AT_ONCE 4
#define STASH_MAX (256 * 1024)
#define RECORDS_PASSED_BY 64

static void
byte_array_wipe (GByteArray *array)
{
  OPENSSL_cleanse (array->data, array->len);
  g_byte_array_unref (array);
}

/* Forgets what was kept of either direction. */
void
g_tls_session_engine_clear_data (GTlsSessionEngine *self)
{
  g_clear_pointer (&self->stash, byte_array_wipe);
  g_clear_pointer (&self->unsent, byte_array_wipe);
}

/* Reading */

static gsize
read_stash (GTlsSessionEngine *self, void *buffer, gsize count)
{
  gsize n = MIN (count, self->stash->len - self->stash_start);

  memcpy (buffer, self->stash->data + self->stash_start, n);
  self->stash_start += n;
  if (self->stash_start == self->stash->len)
    {
      g_clear_pointer (&self->stash, byte_array_wipe);
      self->stash_start = 0;
    }
  return n;
}

/* Reading may have made OpenSSL write, to answer a KeyUpdate. Whoever comes by takes it along; nobody waits for it. */
static void
push_answers_out (GTlsSessionEngine *self)
{
  GError *error = NULL;

  if (g_tls_session_transport_bio_flush (self->bio) == G_TLS_SESSION_TRANSPORT_ERROR)
    error = g_tls_session_transport_bio_take_error (self->bio);
  g_clear_error (&error); /* the next write meets it again */
}

/* SSL_read() returns after each record, also one that brings no application data: a ticket, a KeyUpdate. */
static GTlsSessionEngineStatus
read_any_record (GTlsSessionEngine *self, void *buffer, gsize count, gsize *n_read, GError **error)
{
  int result;

  *n_read = 0;
  g_tls_session_openssl_clear_errors ();
  result = SSL_read_ex (self->ssl, buffer, count, n_read);

  if (result != 1)
    return g_tls_session_engine_interpret (self, G_TLS_SESSION_OPERATION_READ, result, error);

  self->last_speaker = G_TLS_SESSION_SPEAKER_PEER;
  return G_TLS_SESSION_ENGINE_DONE;
}

/* Passes by records that bring no application data, but not endlessly; the driver then looks after the deadline and the
 * cancellable before it comes back.
 */
static GTlsSessionEngineStatus
read_record (GTlsSessionEngine *self, void *buffer, gsize count, gsize *n_read, GError **error)
{
  GTlsSessionEngineStatus status = read_any_record (self, buffer, count, n_read, error);

  for (int i = 0; i < RECORDS_PASSED_BY && status == G_TLS_SESSION_ENGINE_WANTS_READ &&
                  g_tls_session_transport_bio_has_read_ahead (self->bio);
       i++)
    status = read_any_record (self, buffer, count, n_read, error);
  return status;
}

/* Reads on while that costs no wait. What comes in the way of that shows again at the next call. */
static void
read_more_records (GTlsSessionEngine *self, guint8 *buffer, gsize count, gsize *n_read)
{
  GTlsSessionEngineStatus status = G_TLS_SESSION_ENGINE_DONE;

  while (status == G_TLS_SESSION_ENGINE_DONE && *n_read < count &&
         (SSL_pending (self->ssl) > 0 || g_tls_session_transport_bio_has_record (self->bio)))
    {
      gsize n = 0;

      status = read_record (self, buffer + *n_read, count - *n_read, &n, NULL);
      *n_read += n;
    }
}

/* Idle connections are to be small. OpenSSL releases its buffers by itself after application data, but once a ticket or
 * another message of the handshake protocol has been read it keeps the one for writing (16 KiB) until the next write.
 */
static void
release_buffers (GTlsSessionEngine *self)
{
  g_tls_session_transport_bio_release_buffer (self->bio);
  if (!SSL_has_pending (self->ssl))
    (void) SSL_free_buffers (self->ssl); /* 0: a record is on its way, and they are needed */
}

/* DONE with at least one byte; @count is not 0, as Gio sees to. The handshake has been done.
 *
 * A buffer that is larger than a record is filled from several. A smaller one gets what is left of one record: HTTP/2 in
 * libsoup answers what it has read only after the next read, and does not get there if one read brings all.
 */
GTlsSessionEngineStatus
g_tls_session_engine_read (GTlsSessionEngine *self, void *buffer, gsize count, gsize *n_read, GError **error)
{
  GTlsSessionEngineStatus status;

  *n_read = 0;
  if (self->stash != NULL)
    {
      *n_read = read_stash (self, buffer, count);
      return G_TLS_SESSION_ENGINE_DONE;
    }

  if (self->state == G_TLS_SESSION_ENGINE_STATE_FAILED)
    return g_tls_session_engine_answer_failure (self, error);
  if (self->state == G_TLS_SESSION_ENGINE_STATE_PEER_ENDED)
    return G_TLS_SESSION_ENGINE_END;

  push_answers_out (self);
  status = read_record (self, buffer, count, n_read, error);
  if (status == G_TLS_SESSION_ENGINE_DONE && count > RECORD_SIZE)
    read_more_records (self, buffer, count, n_read);

  release_buffers (self);
  return status;
}

static GTlsSessionEngineStatus
stash_record (GTlsSessionEngine *self, GError **error)
{
  gsize stashed = self->stash != NULL ? self->stash->len : 0;
  gsize n_read = 0;
  GTlsSessionEngineStatus status;
  guint8 *record;

  if (stashed - self->stash_start >= STASH_MAX)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
                   "No session ticket came before %u KiB of application data; read them, then look again",
                   STASH_MAX / 1024);
      return G_TLS_SESSION_ENGINE_ERROR;
    }

  record = g_malloc (RECORD_SIZE);
  status = read_record (self, record, RECORD_SIZE, &n_read, error);
  if (n_read > 0)
    {
      if (self->stash == NULL)
        self->stash = g_byte_array_new ();
      g_byte_array_append (self->stash, record, (guint) n_read);
      OPENSSL_cleanse (record, n_read);
    }
  g_free (record);
  return status;
}

/* Reads until a session has arrived that g_tls_session_engine_take_session() has not given out yet. Application data
 * that comes in the way is kept for g_tls_session_engine_read().
 */
GTlsSessionEngineStatus
g_tls_session_engine_look_for_ticket (GTlsSessionEngine *self, GError **error)
{
  GTlsSessionEngineStatus status = G_TLS_SESSION_ENGINE_DONE;

  if (self->state == G_TLS_SESSION_ENGINE_STATE_FAILED)
    return g_tls_session_engine_answer_failure (self, error);
  if (self->state == G_TLS_SESSION_ENGINE_STATE_PEER_ENDED)
    return G_TLS_SESSION_ENGINE_END;

  while (status == G_TLS_SESSION_ENGINE_DONE && g_queue_is_empty (&self->sessions))
    status = stash_record (self, error);

  release_buffers (self);
  if (g_queue_is_empty (&self->sessions))
    return status;

  if (status == G_TLS_SESSION_ENGINE_ERROR)
    g_clear_error (error);
  return G_TLS_SESSION_ENGINE_DONE;
}

/* Application data was read while a ticket was looked for. */
gboolean
g_tls_session_engine_has_stash (GTlsSessionEngine *self)
{
  return self->stash != NULL;
}

/* A read has something to say without the transport: something has arrived that may be application data, or the end. */
gboolean
g_tls_session_engine_has_data (GTlsSessionEngine *self)
{
  return self->state == G_TLS_SESSION_ENGINE_STATE_PEER_ENDED || self->state == G_TLS_SESSION_ENGINE_STATE_FAILED ||
         SSL_pending (self->ssl) > 0 || g_tls_session_transport_bio_has_read_ahead (self->bio);
}

/* Writing */

static void
keep_unsent (GTlsSessionEngine *self, const guint8 *bytes, gsize count)
{
  self->unsent = g_byte_array_sized_new ((guint) count);
  g_byte_array_append (self->unsent, bytes, (guint) count);
}

/* Until the transport has all of what was written. */
GTlsSessionEngineStatus
g_tls_session_engine_flush (GTlsSessionEngine *self, GTlsSessionOperation operation, GError **error)
{
  return g_tls_session_engine_interpret_flush (self, operation, g_tls_session_transport_bio_flush (self->bio), error);
}

/* OpenSSL puts @bytes, a record's size at most, into a record, or into several smaller ones if the peer asked for such
 * (RFC 6066, section 4); what becomes of them is the BIO's. Without SSL_MODE_ENABLE_PARTIAL_WRITE it takes all or fails.
 */
static GTlsSessionEngineStatus
seal_record (GTlsSessionEngine *self, const guint8 *bytes, gsize count, GError **error)
{
  gsize n_written = 0;
  int result;

  g_tls_session_openssl_clear_errors ();
  result = SSL_write_ex (self->ssl, bytes, count, &n_written);
  return result == 1 ? G_TLS_SESSION_ENGINE_DONE
                     : g_tls_session_engine_interpret (self, G_TLS_SESSION_OPERATION_WRITE, result, error);
}

/* Records that OpenSSL has made of a caller's bytes. */
typedef struct
{
  guint64 ends[RECORDS_AT_ONCE]; /* in what OpenSSL has written all in all */
  gsize n_records;
  gsize n_bytes; /* of the caller's */
} Sealed;

static GTlsSessionEngineStatus
seal_records (GTlsSessionEngine *self, const guint8 *bytes, gsize count, Sealed *sealed, GError **error)
{
  GTlsSessionEngineStatus status = G_TLS_SESSION_ENGINE_DONE;

  while (sealed->n_bytes < count && sealed->n_records < RECORDS_AT_ONCE)
    {
      gsize chunk = MIN (count - sealed->n_bytes, RECORD_SIZE);

      status = seal_record (self, bytes + sealed->n_bytes, chunk, sealed->n_bytes == 0 ? error : NULL);
      if (status != G_TLS_SESSION_ENGINE_DONE)
        break;
      sealed->ends[sealed->n_records++] = g_tls_session_transport_bio_count_taken (self->bio);
      sealed->n_bytes += chunk;
    }
  return status;
}

/* How many of the caller's bytes are in records that the transport has whole. */
static gsize
count_gone (GTlsSessionEngine *self, const Sealed *sealed)
{
  guint64 gone = g_tls_session_transport_bio_count_gone (self->bio);
  gsize n = 0;

  while (n < sealed->n_records && sealed->ends[n] <= gone)
    n++;
  return MIN (n * RECORD_SIZE, sealed->n_bytes);
}

/* As many records as go in one call of the transport's. @n_written: the bytes in those that it took whole. */
static GTlsSessionEngineStatus
write_records (GTlsSessionEngine *self, const guint8 *bytes, gsize count, gsize *n_written, GError **error)
{
  Sealed sealed = { 0 };
  GTlsSessionEngineStatus status;

  if (count <= RECORD_SIZE)
    g_tls_session_transport_bio_send_record (self->bio);
  else
    g_tls_session_transport_bio_hold (self->bio, MIN (count, RECORDS_AT_ONCE * RECORD_SIZE) +
                                                   RECORDS_AT_ONCE * SSL3_RT_SEND_MAX_ENCRYPTED_OVERHEAD);

  status = seal_records (self, bytes, count, &sealed, error);
  if (sealed.n_bytes == 0)
    {
      push_answers_out (self); /* ends the hold */
      return status;
    }

  status = g_tls_session_engine_flush (self, G_TLS_SESSION_OPERATION_WRITE, error);
  *n_written = count_gone (self, &sealed);
  if (*n_written > 0)
    g_clear_error (error);
  if (status != G_TLS_SESSION_ENGINE_DONE)
    keep_unsent (self, bytes + *n_written, sealed.n_bytes - *n_written);
  return status;
}

/* How many of @bytes have begun already, and were not told as written. */
static gsize
count_begun (GTlsSessionEngine *self, const guint8 *bytes, gsize count)
{
  gsize n = self->unsent != NULL ? MIN (count, self->unsent->len) : 0;

  return n > 0 && memcmp (bytes, self->unsent->data, n) == 0 ? n : 0;
}

/* The transport has all that had begun. Of that @begun bytes are told as written now; a caller who came with fewer than
 * had begun comes for the rest with its next write. One who came with others has given them up.
 */
static void
end_begun (GTlsSessionEngine *self, gsize begun)
{
  gsize rest = self->unsent != NULL && begun > 0 ? self->unsent->len - begun : 0;

  if (rest == 0)
    {
      g_clear_pointer (&self->unsent, byte_array_wipe);
      return;
    }

  memmove (self->unsent->data, self->unsent->data + begun, rest);
  OPENSSL_cleanse (self->unsent->data + rest, begun);
  g_byte_array_set_size (self->unsent, (guint) rest);
}

/* Gio's non-blocking write does not look whether the stream has been closed. */
static GTlsSessionEngineStatus
answer_write_ended (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED,
                       "Our side of the TLS connection has been ended; nothing more can be written");
  return G_TLS_SESSION_ENGINE_ERROR;
}

static void
note_we_speak (GTlsSessionEngine *self)
{
  gboolean peer_spoke = self->last_speaker == G_TLS_SESSION_SPEAKER_PEER ||
                        self->last_speaker == G_TLS_SESSION_SPEAKER_US_AFTER_PEER;

  self->last_speaker = peer_spoke ? G_TLS_SESSION_SPEAKER_US_AFTER_PEER : G_TLS_SESSION_SPEAKER_US;
}

/* DONE with at least one byte unless @count is 0: as many records as the transport takes. */
GTlsSessionEngineStatus
g_tls_session_engine_write (GTlsSessionEngine *self, const void *bytes, gsize count, gsize *n_written, GError **error)
{
  gsize begun = count_begun (self, bytes, count);
  GTlsSessionEngineStatus status;

  *n_written = 0;
  if (self->state == G_TLS_SESSION_ENGINE_STATE_FAILED)
    return g_tls_session_engine_answer_failure (self, error);
  if (self->close_notify != G_TLS_SESSION_CLOSE_NOTIFY_UNSENT)
    return answer_write_ended (error);

  status = g_tls_session_engine_flush (self, G_TLS_SESSION_OPERATION_WRITE, error);
  if (status == G_TLS_SESSION_ENGINE_DONE)
    {
      end_begun (self, begun);
      *n_written = begun;
    }

  while (status == G_TLS_SESSION_ENGINE_DONE && *n_written < count)
    {
      gsize n = 0;

      note_we_speak (self);
      status = write_records (self, (const guint8 *) bytes + *n_written, count - *n_written, &n,
                              *n_written == 0 ? error : NULL);
      *n_written += n;
    }

  return *n_written > 0 ? G_TLS_SESSION_ENGINE_DONE : status;
}
