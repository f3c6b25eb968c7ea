/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport-bio.h"

#include <openssl/ssl3.h>
#include <string.h>

/* NOTES:
 *
 * OpenSSL reads and writes through this BIO, and the BIO through a GTlsSessionTransport.
 *
 * OpenSSL asks for a record's five bytes of header first and for its body then. The BIO asks the transport for
 * READ_AHEAD_SIZE instead and serves OpenSSL from there, so that one system call can bring many records. The buffer
 * is taken when first needed and given back when it is empty between two operations: an idle connection has none.
 *
 * What the transport does not take is kept, and OpenSSL is told that it went. OpenSSL must never be left in the midst of
 * a record: it might have to answer a KeyUpdate (RFC 8446, section 4.6.3) while the peer does not read, and fails then.
 * The engine counts nothing as written before g_tls_session_transport_bio_flush() has it all out.
 *
 * g_tls_session_transport_bio_hold() keeps in the same place what the transport could have had at once, so that several
 * records go in one system call. g_tls_session_transport_bio_send_record() is for one record, which goes from OpenSSL's
 * buffer as it is. The flush, which has to come in any case, ends either, and tells of errors: OpenSSL must not meet one
 * while it writes data, or it would keep the record, and send it in the place of what is written next.
 *
 * The end of the peer's side (FIN) is not told to OpenSSL as an EOF: it would take it for a fatal error and then also
 * refuse to write. The engine asks g_tls_session_transport_bio_at_end() and decides.
 *
 * Errors of the transport are kept here as the GError they are, for the engine to take.
 */

#define READ_AHEAD_SIZE (64 * 1024)

/* The records of one g_tls_session_transport_bio_hold(), and as many answers to KeyUpdates as anybody may ask for before
 * they read.
 */
#define UNSENT_MAX (128 * 1024)

/* What becomes of bytes that OpenSSL writes. */
typedef enum
{
  WRITING_THROUGH, /* they go; an error of the transport's is OpenSSL's to know */
  WRITING_RECORD,  /* they go; an error is the flush's to tell */
  WRITING_FAILED,  /* so it was with WRITING_RECORD: they are kept, and the flush tells the error */
  WRITING_HELD,    /* they are kept until the flush */
} Writing;

typedef struct
{
  GTlsSessionTransport transport;
  guint8 *ahead; /* NULL while nothing is buffered */
  gsize ahead_start;
  gsize ahead_end;
  GByteArray *unsent; /* NULL while there is nothing */
  Writing writing;
  guint64 n_taken; /* from OpenSSL, all in all */
  gboolean at_end;
  gboolean is_cut; /* the transport is somebody else's to close, and not to be touched any more */
  GError *error;   /* not taken yet */
  GError *failure; /* the last one, taken or not */
} TransportBio;

static void
keep_error (TransportBio *self, GError *error)
{
  g_clear_error (&self->failure);
  self->failure = g_error_copy (error);
  if (self->error == NULL)
    self->error = error;
  else
    g_error_free (error);
}

static GTlsSessionTransportStatus
fail_cut (TransportBio *self)
{
  keep_error (self, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CLOSED, "The TLS connection is closed"));
  return G_TLS_SESSION_TRANSPORT_ERROR;
}

static GTlsSessionTransportStatus
read_transport (TransportBio *self, void *buffer, gsize size, gsize *n_read)
{
  GError *error = NULL;
  GTlsSessionTransportStatus status;

  if (self->is_cut)
    return fail_cut (self);

  status = self->transport.funcs->read (self->transport.data, buffer, size, n_read, &error);
  if (status == G_TLS_SESSION_TRANSPORT_END)
    self->at_end = TRUE;
  if (status == G_TLS_SESSION_TRANSPORT_ERROR)
    keep_error (self, error);

  return status;
}

static gsize
serve_from_buffer (TransportBio *self, void *buffer, gsize size)
{
  gsize n = MIN (size, self->ahead_end - self->ahead_start);

  memcpy (buffer, self->ahead + self->ahead_start, n);
  self->ahead_start += n;
  return n;
}

static GTlsSessionTransportStatus
fill_buffer (TransportBio *self)
{
  gsize n_read = 0;
  GTlsSessionTransportStatus status;

  if (self->ahead == NULL)
    self->ahead = g_malloc (READ_AHEAD_SIZE);

  status = read_transport (self, self->ahead, READ_AHEAD_SIZE, &n_read);
  self->ahead_start = 0;
  self->ahead_end = n_read;
  return status;
}

static int
transport_bio_read (BIO *bio, char *buffer, size_t size, size_t *n_read)
{
  TransportBio *self = BIO_get_data (bio);
  GTlsSessionTransportStatus status = G_TLS_SESSION_TRANSPORT_DONE;

  BIO_clear_retry_flags (bio);

  if (self->ahead_start == self->ahead_end)
    status = fill_buffer (self);

  if (status == G_TLS_SESSION_TRANSPORT_WOULD_BLOCK)
    BIO_set_retry_read (bio);
  if (status != G_TLS_SESSION_TRANSPORT_DONE)
    return 0;

  *n_read = serve_from_buffer (self, buffer, size);
  return 1;
}

/* Writing */

static GTlsSessionTransportStatus
write_transport (TransportBio *self, const void *bytes, gsize size, gsize *n_written)
{
  GError *error = NULL;
  GTlsSessionTransportStatus status;

  if (self->is_cut)
    return fail_cut (self);

  status = self->transport.funcs->write (self->transport.data, bytes, size, n_written, &error);
  if (status == G_TLS_SESSION_TRANSPORT_ERROR)
    keep_error (self, error);
  return status;
}

/* As much as the transport takes. */
static GTlsSessionTransportStatus
write_all (TransportBio *self, const guint8 *bytes, gsize size, gsize *n_written)
{
  GTlsSessionTransportStatus status = G_TLS_SESSION_TRANSPORT_DONE;

  *n_written = 0;
  while (status == G_TLS_SESSION_TRANSPORT_DONE && *n_written < size)
    {
      gsize n = 0;

      status = write_transport (self, bytes + *n_written, size - *n_written, &n);
      *n_written += n;
    }
  return status;
}

static GTlsSessionTransportStatus
flush_unsent (TransportBio *self)
{
  GTlsSessionTransportStatus status;
  gsize n_written;

  if (self->unsent == NULL)
    return G_TLS_SESSION_TRANSPORT_DONE;

  status = write_all (self, self->unsent->data, self->unsent->len, &n_written);
  if (n_written == self->unsent->len)
    g_clear_pointer (&self->unsent, g_byte_array_unref);
  else
    g_byte_array_remove_range (self->unsent, 0, (guint) n_written);
  return status;
}

static void
keep_unsent (TransportBio *self, const guint8 *bytes, gsize size)
{
  if (size == 0)
    return;
  if (self->unsent == NULL)
    self->unsent = g_byte_array_new ();
  g_byte_array_append (self->unsent, bytes, (guint) size);
}

static int
transport_bio_write (BIO *bio, const char *bytes, size_t size, size_t *n_taken)
{
  TransportBio *self = BIO_get_data (bio);
  gboolean is_kept = self->writing == WRITING_HELD || self->writing == WRITING_FAILED;
  GTlsSessionTransportStatus status;
  gsize n_written = 0;

  BIO_clear_retry_flags (bio);
  status = is_kept ? G_TLS_SESSION_TRANSPORT_WOULD_BLOCK : flush_unsent (self);
  if (status == G_TLS_SESSION_TRANSPORT_DONE)
    status = write_all (self, (const guint8 *) bytes, size, &n_written);
  if (status == G_TLS_SESSION_TRANSPORT_ERROR || status == G_TLS_SESSION_TRANSPORT_END)
    {
      if (self->writing == WRITING_THROUGH)
        return 0;
      self->writing = WRITING_FAILED;
    }

  if (self->unsent != NULL && self->unsent->len + size > UNSENT_MAX)
    {
      BIO_set_retry_write (bio);
      return 0;
    }
  keep_unsent (self, (const guint8 *) bytes + n_written, size - n_written);
  self->n_taken += size;
  *n_taken = size;
  return 1;
}

/* For the end of a handshake's flight. That it would block is not told here either: OpenSSL's buffering BIO in between
 * does not pass it on (3.0). The engine looks after it.
 */
static long
flush_flight (BIO *bio)
{
  BIO_clear_retry_flags (bio);
  return flush_unsent (BIO_get_data (bio)) == G_TLS_SESSION_TRANSPORT_ERROR ? -1 : 1;
}

static long
transport_bio_ctrl (BIO *bio, int command, long number, void *pointer)
{
  return command == BIO_CTRL_FLUSH ? flush_flight (bio) : 0;
}

static int
transport_bio_destroy (BIO *bio)
{
  TransportBio *self = BIO_get_data (bio);

  if (self != NULL)
    {
      g_free (self->ahead);
      g_clear_pointer (&self->unsent, g_byte_array_unref);
      g_clear_error (&self->error);
      g_clear_error (&self->failure);
      g_free (self);
      BIO_set_data (bio, NULL);
    }
  return 1;
}

static BIO_METHOD *
make_method (void)
{
  int type = BIO_get_new_index ();
  BIO_METHOD *method = type >= 0 ? BIO_meth_new (type | BIO_TYPE_SOURCE_SINK, "gtls-session transport") : NULL;

  if (method == NULL)
    return NULL;

  BIO_meth_set_read_ex (method, transport_bio_read);
  BIO_meth_set_write_ex (method, transport_bio_write);
  BIO_meth_set_ctrl (method, transport_bio_ctrl);
  BIO_meth_set_destroy (method, transport_bio_destroy);
  return method;
}

/* NULL if OpenSSL has no memory; the next call tries again. */
static const BIO_METHOD *
get_method (void)
{
  static GMutex mutex;
  static BIO_METHOD *method;
  const BIO_METHOD *made;

  g_mutex_lock (&mutex);
  if (method == NULL)
    method = make_method ();
  made = method;
  g_mutex_unlock (&mutex);
  return made;
}

/* NULL if OpenSSL has no memory. */
BIO *
g_tls_session_transport_bio_new (GTlsSessionTransport transport)
{
  const BIO_METHOD *method = get_method ();
  BIO *bio = method != NULL ? BIO_new (method) : NULL;
  TransportBio *self;

  if (bio == NULL)
    return NULL;

  self = g_new0 (TransportBio, 1);
  self->transport = transport;
  BIO_set_data (bio, self);
  BIO_set_init (bio, 1);
  return bio;
}

/* Bytes have been read from the transport that OpenSSL has not asked for yet. */
gboolean
g_tls_session_transport_bio_has_read_ahead (BIO *bio)
{
  TransportBio *self = BIO_get_data (bio);

  return self->ahead_start < self->ahead_end;
}

/* The next record costs no call that finds the transport empty: it has been read ahead whole, or it has in part and the
 * transport had more than there was room for. To be asked between two records.
 */
gboolean
g_tls_session_transport_bio_has_record (BIO *bio)
{
  TransportBio *self = BIO_get_data (bio);
  gsize n = self->ahead_end - self->ahead_start;
  const guint8 *header;

  if (n > 0 && self->ahead_end == READ_AHEAD_SIZE)
    return TRUE;
  if (n < SSL3_RT_HEADER_LENGTH)
    return FALSE;

  header = self->ahead + self->ahead_start;
  return n - SSL3_RT_HEADER_LENGTH >= ((gsize) header[3] << 8 | header[4]);
}

gboolean
g_tls_session_transport_bio_at_end (BIO *bio)
{
  TransportBio *self = BIO_get_data (bio);

  return self->at_end && self->ahead_start == self->ahead_end;
}

void
g_tls_session_transport_bio_release_buffer (BIO *bio)
{
  TransportBio *self = BIO_get_data (bio);

  if (self->ahead_start == self->ahead_end)
    g_clear_pointer (&self->ahead, g_free);
}

/* NULL if the transport reported none. */
GError *
g_tls_session_transport_bio_take_error (BIO *bio)
{
  TransportBio *self = BIO_get_data (bio);

  return g_steal_pointer (&self->error);
}

/* What the transport reported last, be it long ago; NULL if it never did. Owned by the caller. */
GError *
g_tls_session_transport_bio_dup_last_error (BIO *bio)
{
  TransportBio *self = BIO_get_data (bio);

  return self->failure != NULL ? g_error_copy (self->failure) : NULL;
}

/* DONE once the transport has everything that OpenSSL wrote. */
GTlsSessionTransportStatus
g_tls_session_transport_bio_flush (BIO *bio)
{
  TransportBio *self = BIO_get_data (bio);
  gboolean has_failed = self->writing == WRITING_FAILED;

  self->writing = WRITING_THROUGH;
  return has_failed ? G_TLS_SESSION_TRANSPORT_ERROR : flush_unsent (self);
}

/* Keeps what OpenSSL writes, some @size bytes, until g_tls_session_transport_bio_flush() sends all of it in one call. */
void
g_tls_session_transport_bio_hold (BIO *bio, gsize size)
{
  TransportBio *self = BIO_get_data (bio);

  self->writing = WRITING_HELD;
  if (self->unsent == NULL)
    self->unsent = g_byte_array_sized_new ((guint) size);
}

/* What OpenSSL writes goes at once, but only g_tls_session_transport_bio_flush() tells of an error. */
void
g_tls_session_transport_bio_send_record (BIO *bio)
{
  TransportBio *self = BIO_get_data (bio);

  self->writing = WRITING_RECORD;
}

/* How many bytes OpenSSL has written, and how many of them the transport has. */
guint64
g_tls_session_transport_bio_count_taken (BIO *bio)
{
  TransportBio *self = BIO_get_data (bio);

  return self->n_taken;
}

guint64
g_tls_session_transport_bio_count_gone (BIO *bio)
{
  TransportBio *self = BIO_get_data (bio);

  return self->n_taken - (self->unsent != NULL ? self->unsent->len : 0);
}

/* From now on the transport is left alone: it is about to be closed. Whoever is in the midst of a call of OpenSSL's, and
 * let go of the lock, would else use a descriptor that is another's by then.
 */
void
g_tls_session_transport_bio_cut (BIO *bio)
{
  TransportBio *self = BIO_get_data (bio);

  self->is_cut = TRUE;
}

/* Throws away what was read ahead, and up to @most bytes more from the transport. */
GTlsSessionTransportStatus
g_tls_session_transport_bio_discard (BIO *bio, gsize most, gsize *n_discarded)
{
  TransportBio *self = BIO_get_data (bio);
  GTlsSessionTransportStatus status = G_TLS_SESSION_TRANSPORT_DONE;

  for (*n_discarded = 0; *n_discarded < most && status == G_TLS_SESSION_TRANSPORT_DONE;)
    {
      status = fill_buffer (self);
      *n_discarded += self->ahead_end;
    }
  self->ahead_start = self->ahead_end = 0;
  return status;
}
