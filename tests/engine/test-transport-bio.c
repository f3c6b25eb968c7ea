/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/transport-bio.h"

#include <string.h>

/* What is read ahead, over a transport that has a given number of bytes. All are records of BODY_SIZE bytes. And what is
 * held back, over one that takes a given number.
 */

#define HEADER_SIZE 5
#define BODY_SIZE 1019
#define RECORD_SIZE (HEADER_SIZE + BODY_SIZE)
#define READ_AHEAD_SIZE (64 * 1024)

typedef struct
{
  gsize n_left;
  gsize n_given;
  guint n_calls;
} Source;

static guint8
byte_of_record (gsize position)
{
  static const guint8 header[HEADER_SIZE] = { 23, 3, 3, BODY_SIZE >> 8, BODY_SIZE & 0xff };

  return position % RECORD_SIZE < HEADER_SIZE ? header[position % RECORD_SIZE] : 0xff;
}

static GTlsSessionTransportStatus
source_read (gpointer data, void *buffer, gsize size, gsize *n_read, GError **error)
{
  Source *self = data;

  self->n_calls++;
  if (self->n_left == 0)
    return G_TLS_SESSION_TRANSPORT_WOULD_BLOCK;

  *n_read = MIN (size, self->n_left);
  for (gsize i = 0; i < *n_read; i++)
    ((guint8 *) buffer)[i] = byte_of_record (self->n_given + i);
  self->n_given += *n_read;
  self->n_left -= *n_read;
  return G_TLS_SESSION_TRANSPORT_DONE;
}

static const GTlsSessionTransportFuncs source_funcs = { .read = source_read };

static BIO *
open_source (Source *source)
{
  BIO *bio = g_tls_session_transport_bio_new ((GTlsSessionTransport){ &source_funcs, source });

  g_assert_nonnull (bio);
  return bio;
}

/* As OpenSSL does: first the header. */
static void
read_record (BIO *bio)
{
  guint8 record[RECORD_SIZE];

  g_assert_cmpint (BIO_read (bio, record, HEADER_SIZE), ==, HEADER_SIZE);
  g_assert_cmpint (BIO_read (bio, record + HEADER_SIZE, BODY_SIZE), ==, BODY_SIZE);
}

static void
tells_whole_records_from_parts (void)
{
  Source source = { .n_left = 3 * RECORD_SIZE - 1 };
  BIO *bio = open_source (&source);

  g_assert_false (g_tls_session_transport_bio_has_record (bio));
  read_record (bio);
  g_assert_true (g_tls_session_transport_bio_has_record (bio));
  read_record (bio);
  g_assert_true (g_tls_session_transport_bio_has_read_ahead (bio));
  g_assert_false (g_tls_session_transport_bio_has_record (bio));
  g_assert_cmpuint (source.n_calls, ==, 1);
  BIO_free (bio);
}

static void
a_part_of_a_header_is_no_record (void)
{
  Source source = { .n_left = RECORD_SIZE + HEADER_SIZE - 1 };
  BIO *bio = open_source (&source);

  read_record (bio);
  g_assert_true (g_tls_session_transport_bio_has_read_ahead (bio));
  g_assert_false (g_tls_session_transport_bio_has_record (bio));
  BIO_free (bio);
}

/* There may be more where that came from. */
static void
a_part_at_the_end_of_a_full_buffer_counts (void)
{
  Source source = { .n_left = READ_AHEAD_SIZE + RECORD_SIZE - HEADER_SIZE };
  BIO *bio = open_source (&source);
  guint8 first[HEADER_SIZE];

  /* So that the buffer ends in the midst of a record. */
  source.n_given = HEADER_SIZE;
  g_assert_cmpint (BIO_read (bio, first, HEADER_SIZE), ==, HEADER_SIZE);
  for (gsize n = HEADER_SIZE; n < BODY_SIZE; n += HEADER_SIZE)
    g_assert_cmpint (BIO_read (bio, first, (int) MIN (HEADER_SIZE, BODY_SIZE - n)), >, 0);

  for (gsize i = 1; i < READ_AHEAD_SIZE / RECORD_SIZE; i++)
    {
      g_assert_true (g_tls_session_transport_bio_has_record (bio));
      read_record (bio);
    }
  g_assert_true (g_tls_session_transport_bio_has_read_ahead (bio));
  g_assert_true (g_tls_session_transport_bio_has_record (bio));
  g_assert_cmpuint (source.n_calls, ==, 1);
  BIO_free (bio);
}

typedef struct
{
  gsize room;
  gboolean fails;
  guint n_calls;
} Sink;

static GTlsSessionTransportStatus
sink_write (gpointer data, const void *bytes, gsize size, gsize *n_written, GError **error)
{
  Sink *self = data;

  self->n_calls++;
  if (self->fails)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "No");
      return G_TLS_SESSION_TRANSPORT_ERROR;
    }
  if (self->room == 0)
    return G_TLS_SESSION_TRANSPORT_WOULD_BLOCK;

  *n_written = MIN (size, self->room);
  self->room -= *n_written;
  return G_TLS_SESSION_TRANSPORT_DONE;
}

static const GTlsSessionTransportFuncs sink_funcs = { .write = sink_write };

static void
write_record (BIO *bio)
{
  static const guint8 record[RECORD_SIZE];

  g_assert_cmpint (BIO_write (bio, record, RECORD_SIZE), ==, RECORD_SIZE);
}

static void
held_records_go_in_one_call (void)
{
  Sink sink = { .room = G_MAXSIZE };
  BIO *bio = g_tls_session_transport_bio_new ((GTlsSessionTransport){ &sink_funcs, &sink });

  g_assert_nonnull (bio);
  g_tls_session_transport_bio_hold (bio, 3 * RECORD_SIZE);
  for (guint i = 0; i < 3; i++)
    write_record (bio);
  g_assert_cmpuint (sink.n_calls, ==, 0);
  g_assert_cmpuint (g_tls_session_transport_bio_count_taken (bio), ==, 3 * RECORD_SIZE);
  g_assert_cmpuint (g_tls_session_transport_bio_count_gone (bio), ==, 0);

  g_assert_cmpint (g_tls_session_transport_bio_flush (bio), ==, G_TLS_SESSION_TRANSPORT_DONE);
  g_assert_cmpuint (sink.n_calls, ==, 1);
  g_assert_cmpuint (g_tls_session_transport_bio_count_gone (bio), ==, 3 * RECORD_SIZE);

  /* The flush was the end of it. */
  write_record (bio);
  g_assert_cmpuint (sink.n_calls, ==, 2);
  BIO_free (bio);
}

static void
tells_how_many_have_gone (void)
{
  Sink sink = { .room = RECORD_SIZE + 1 };
  BIO *bio = g_tls_session_transport_bio_new ((GTlsSessionTransport){ &sink_funcs, &sink });

  g_assert_nonnull (bio);
  g_tls_session_transport_bio_hold (bio, 2 * RECORD_SIZE);
  write_record (bio);
  write_record (bio);
  g_assert_cmpint (g_tls_session_transport_bio_flush (bio), ==, G_TLS_SESSION_TRANSPORT_WOULD_BLOCK);
  g_assert_cmpuint (g_tls_session_transport_bio_count_taken (bio), ==, 2 * RECORD_SIZE);
  g_assert_cmpuint (g_tls_session_transport_bio_count_gone (bio), ==, RECORD_SIZE + 1);

  sink.room = G_MAXSIZE;
  g_assert_cmpint (g_tls_session_transport_bio_flush (bio), ==, G_TLS_SESSION_TRANSPORT_DONE);
  g_assert_cmpuint (g_tls_session_transport_bio_count_gone (bio), ==, 2 * RECORD_SIZE);
  BIO_free (bio);
}

static void
a_single_record_is_not_held (void)
{
  Sink sink = { .room = RECORD_SIZE + 1 };
  BIO *bio = g_tls_session_transport_bio_new ((GTlsSessionTransport){ &sink_funcs, &sink });

  g_assert_nonnull (bio);
  g_tls_session_transport_bio_send_record (bio);
  write_record (bio);
  g_assert_cmpuint (sink.n_calls, ==, 1);
  g_assert_cmpuint (g_tls_session_transport_bio_count_gone (bio), ==, RECORD_SIZE);
  g_assert_cmpint (g_tls_session_transport_bio_flush (bio), ==, G_TLS_SESSION_TRANSPORT_DONE);
  g_assert_cmpuint (sink.n_calls, ==, 1);

  g_tls_session_transport_bio_send_record (bio);
  write_record (bio);
  g_assert_cmpuint (g_tls_session_transport_bio_count_gone (bio), ==, RECORD_SIZE + 1);
  g_assert_cmpint (g_tls_session_transport_bio_flush (bio), ==, G_TLS_SESSION_TRANSPORT_WOULD_BLOCK);
  sink.room = G_MAXSIZE;
  g_assert_cmpint (g_tls_session_transport_bio_flush (bio), ==, G_TLS_SESSION_TRANSPORT_DONE);
  g_assert_cmpuint (g_tls_session_transport_bio_count_gone (bio), ==, 2 * RECORD_SIZE);
  BIO_free (bio);
}

/* OpenSSL hears nothing of it, and the record is not lost. */
static void
a_single_record_that_fails_is_the_flushs_to_tell (void)
{
  Sink sink = { .room = G_MAXSIZE, .fails = TRUE };
  BIO *bio = g_tls_session_transport_bio_new ((GTlsSessionTransport){ &sink_funcs, &sink });
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (bio);
  g_tls_session_transport_bio_send_record (bio);
  write_record (bio);
  write_record (bio);
  g_assert_cmpuint (sink.n_calls, ==, 1);
  g_assert_cmpint (g_tls_session_transport_bio_flush (bio), ==, G_TLS_SESSION_TRANSPORT_ERROR);
  g_assert_cmpuint (sink.n_calls, ==, 1);
  error = g_tls_session_transport_bio_take_error (bio);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_cmpuint (g_tls_session_transport_bio_count_gone (bio), ==, 0);

  sink.fails = FALSE;
  g_assert_cmpint (g_tls_session_transport_bio_flush (bio), ==, G_TLS_SESSION_TRANSPORT_DONE);
  g_assert_cmpuint (g_tls_session_transport_bio_count_gone (bio), ==, 2 * RECORD_SIZE);
  BIO_free (bio);
}

/* A peer that asks for answers and reads none could make us keep them without end. */
static void
what_is_kept_is_bounded (void)
{
  static const guint8 record[RECORD_SIZE];
  Sink sink = { .room = 0 };
  BIO *bio = g_tls_session_transport_bio_new ((GTlsSessionTransport){ &sink_funcs, &sink });
  guint64 kept;
  guint n = 0;

  g_assert_nonnull (bio);
  while (BIO_write (bio, record, RECORD_SIZE) == RECORD_SIZE)
    g_assert_cmpuint (n++, <, 1000);
  kept = g_tls_session_transport_bio_count_taken (bio);
  g_assert_true (BIO_should_retry (bio) && BIO_should_write (bio));
  g_assert_cmpuint (kept, ==, n * RECORD_SIZE);
  g_assert_cmpuint (kept, <=, 128 * 1024);

  sink.room = G_MAXSIZE;
  write_record (bio);
  g_assert_cmpuint (g_tls_session_transport_bio_count_gone (bio), ==, kept + RECORD_SIZE);
  BIO_free (bio);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define STORY(name) g_test_add_func ("/transport-bio/" #name, name)
  STORY (tells_whole_records_from_parts);
  STORY (a_part_of_a_header_is_no_record);
  STORY (a_part_at_the_end_of_a_full_buffer_counts);
  STORY (held_records_go_in_one_call);
  STORY (tells_how_many_have_gone);
  STORY (a_single_record_is_not_held);
  STORY (a_single_record_that_fails_is_the_flushs_to_tell);
  STORY (what_is_kept_is_bounded);
  return g_test_run ();
}
