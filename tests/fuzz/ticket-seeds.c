/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Writes seeds for fuzz-ticket.c into a folder: real tickets of each kind, in each of the ways it reads them. */

#include "../ticket/handshake.h"
#include "ticket/ticket-private.h"

#define DIGEST_SIZE 32

static void
write_seed (const char *folder, const char *name, guint8 way, gconstpointer data, gsize size)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GByteArray) seed = g_byte_array_new ();
  g_autoptr (GError) error = NULL;

  g_byte_array_append (seed, &way, 1);
  g_byte_array_append (seed, data, size);
  g_file_set_contents (path, (const char *) seed->data, seed->len, &error);
  g_assert_no_error (error);
}

static void
write_seeds (const char *folder, HandshakeKind kind, gboolean with_everything)
{
  g_autoptr (Pair) pair = pair_new (kind);
  g_autoptr (Link) link = NULL;
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autofree guint8 *der = NULL;
  guint8 *end;
  int der_length;

  if (with_everything)
    pair_set_application_protocol (pair, HANDSHAKE_PROTOCOL);
  link = link_new (pair, NULL);
  ticket = g_tls_session_ticket_new (pair_get_session (pair), with_everything ? link_get_chain (link) : NULL,
                                     with_everything ? HANDSHAKE_HOST : NULL, with_everything);
  bytes = g_tls_session_ticket_to_bytes (ticket);

  der_length = i2d_SSL_SESSION (pair_get_session (pair), NULL);
  der = end = g_malloc (der_length);
  i2d_SSL_SESSION (pair_get_session (pair), &end);

  for (guint8 way = 0; way < 3; way++)
    {
      g_autofree char *name = g_strdup_printf ("%s-%s-%u", handshake_kind_name (kind),
                                               with_everything ? "whole" : "bare", way);

      if (way == 2)
        write_seed (folder, name, way, der, der_length);
      else
        write_seed (folder, name, way, g_bytes_get_data (bytes, NULL),
                    g_bytes_get_size (bytes) - (way == 1 ? DIGEST_SIZE : 0));
    }
}

int
main (int argc, char **argv)
{
  if (argc != 2)
    {
      g_printerr ("Usage: ticket-seeds FOLDER\n");
      return 2;
    }

  for (HandshakeKind kind = 0; kind < N_HANDSHAKE_KINDS; kind++)
    {
      write_seeds (argv[1], kind, TRUE);
      write_seeds (argv[1], kind, FALSE);
    }
  return 0;
}
