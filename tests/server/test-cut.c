/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A server's handshake lets go of the lock while a client's certificate is judged. Who closes the connection then closes
 * the descriptor, and its number may be another's before the handshake goes on: it must not be touched again.
 */

#include <gio/gio.h>

#include "engine/engine.h"

typedef struct
{
  guint n_reads;
  guint n_writes;
} Touched;

static GTlsSessionTransportStatus
count_read (gpointer data, void *buffer, gsize size, gsize *n_read, GError **error)
{
  ((Touched *) data)->n_reads++;
  return G_TLS_SESSION_TRANSPORT_WOULD_BLOCK;
}

static GTlsSessionTransportStatus
count_write (gpointer data, const void *bytes, gsize size, gsize *n_written, GError **error)
{
  ((Touched *) data)->n_writes++;
  *n_written = size;
  return G_TLS_SESSION_TRANSPORT_DONE;
}

static const GTlsSessionTransportFuncs funcs = { count_read, count_write };

static GTlsSessionEngine *
engine_new (GTlsSessionEngine *(*make) (GTlsSessionTransport transport, GError **error), Touched *touched)
{
  g_autoptr (GError) error = NULL;
  GTlsSessionEngine *engine = make ((GTlsSessionTransport){ &funcs, touched }, &error);

  g_assert_no_error (error);
  return engine;
}

static void
assert_is_cut (GTlsSessionEngine *engine)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_tls_session_engine_handshake (engine, &error), ==, G_TLS_SESSION_ENGINE_ERROR);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

static void
nothing_is_read_any_more (void)
{
  Touched touched = { 0 };
  g_autoptr (GTlsSessionEngine) engine = engine_new (g_tls_session_engine_new_server, &touched);

  g_assert_cmpint (g_tls_session_engine_handshake (engine, NULL), ==, G_TLS_SESSION_ENGINE_WANTS_READ);
  g_assert_cmpuint (touched.n_reads, ==, 1);
  g_tls_session_engine_cut (engine);
  assert_is_cut (engine);
  g_tls_session_engine_discard (engine, 1000);
  g_assert_cmpuint (touched.n_reads, ==, 1);
}

static void
nothing_is_written_any_more (void)
{
  Touched touched = { 0 };
  g_autoptr (GTlsSessionEngine) engine = engine_new (g_tls_session_engine_new_client, &touched);

  g_tls_session_engine_cut (engine);
  assert_is_cut (engine);
  g_assert_cmpuint (touched.n_writes, ==, 0);
  g_assert_cmpuint (touched.n_reads, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/cut/nothing_is_read_any_more", nothing_is_read_any_more);
  g_test_add_func ("/cut/nothing_is_written_any_more", nothing_is_written_any_more);

  return g_test_run ();
}
