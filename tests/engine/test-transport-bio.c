/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/transport-bio.h"

#include <string.h>

/* What is read ahead, over a transport that has a given number of bytes. All are records of BODY_SIZE bytes. */

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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define STORY(name) g_test_add_func ("/transport-bio/" #name, name)
  STORY (tells_whole_records_from_parts);
  STORY (a_part_of_a_header_is_no_record);
  STORY (a_part_at_the_end_of_a_full_buffer_counts);
  return g_test_run ();
}
