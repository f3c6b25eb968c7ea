/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A client may ask for records of 512 bytes (max_fragment_length, RFC 6066, section 4), as devices with little memory do.
 * OpenSSL then makes many records of one write, and none of them may be lost or counted wrongly.
 */

#include <gtls-session.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test-pki.h"

#define TEXT_SIZE 200000 /* more than a socket takes at once, and no multiple of anything */

typedef struct
{
  GIOStream *tls;
  guint8 *text;
  gsize chunk;
} Server;

static GIOStream *
stream_of (int fd)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket = g_socket_new_from_fd (fd, &error);

  g_assert_no_error (error);
  return G_IO_STREAM (g_socket_connection_factory_create_connection (socket));
}

static gpointer
serve (gpointer data)
{
  Server *self = data;
  GOutputStream *output = g_io_stream_get_output_stream (self->tls);
  g_autoptr (GError) error = NULL;

  for (gsize at = 0; at < TEXT_SIZE; at += self->chunk)
    {
      g_output_stream_write_all (output, self->text + at, MIN (self->chunk, TEXT_SIZE - at), NULL, NULL, &error);
      g_assert_no_error (error);
    }
  g_io_stream_close (self->tls, NULL, &error);
  g_assert_no_error (error);
  return NULL;
}

static void
read_all (SSL *ssl, guint8 *buffer, gsize size)
{
  for (gsize n_read = 0; n_read < size;)
    {
      size_t n = 0;

      g_assert_cmpint (SSL_read_ex (ssl, buffer + n_read, size - n_read, &n), ==, 1);
      g_assert_cmpuint (n, <=, 512);
      n_read += n;
    }
}

typedef struct
{
  int version;
  gsize chunk;
} Case;

static void
small_records_lose_nothing (gconstpointer data)
{
  const Case *the_case = data;
  g_autoptr (TestPki) pki = test_pki_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionCertificate)
    certificate = g_tls_session_certificate_new_from_file (test_pki_get_path (pki, TEST_CERTIFICATE_GOOD), &error);
  g_autofree guint8 *text = g_malloc (TEXT_SIZE);
  g_autofree guint8 *arrived = g_malloc0 (TEXT_SIZE);
  g_autoptr (GIOStream) base = NULL;
  Server server = { .text = text, .chunk = the_case->chunk };
  SSL_CTX *context = SSL_CTX_new (TLS_client_method ());
  SSL *ssl = SSL_new (context);
  GThread *thread;
  char byte;
  int fds[2];

  for (gsize i = 0; i < TEXT_SIZE; i++)
    text[i] = (guint8) ('a' + i % 23);
  g_assert_no_error (error);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
  base = stream_of (fds[0]);
  server.tls = G_IO_STREAM (g_tls_session_server_connection_new (base, G_TLS_CERTIFICATE (certificate), &error));
  g_assert_no_error (error);
  thread = g_thread_new ("server", serve, &server);

  g_assert_cmpint (SSL_set_fd (ssl, fds[1]), ==, 1);
  g_assert_cmpint (SSL_set_max_proto_version (ssl, the_case->version), ==, 1);
  g_assert_cmpint (SSL_set_tlsext_max_fragment_length (ssl, TLSEXT_max_fragment_length_512), ==, 1);
  g_assert_cmpint (SSL_connect (ssl), ==, 1);
  read_all (ssl, arrived, TEXT_SIZE);
  g_assert_cmpmem (arrived, TEXT_SIZE, text, TEXT_SIZE);
  g_assert_cmpint (SSL_read (ssl, &byte, 1), ==, 0);
  g_assert_cmpint (SSL_shutdown (ssl), ==, 1);

  shutdown (fds[1], SHUT_RDWR);
  g_thread_join (thread);
  g_object_unref (server.tls);
  SSL_free (ssl);
  SSL_CTX_free (context);
  close (fds[1]);
}

int
main (int argc, char **argv)
{
  static const Case cases[] = {
    { TLS1_3_VERSION, 1000 }, { TLS1_3_VERSION, 16384 }, { TLS1_3_VERSION, TEXT_SIZE },
    { TLS1_2_VERSION, 1000 }, { TLS1_2_VERSION, 16384 }, { TLS1_2_VERSION, TEXT_SIZE },
  };

  g_test_init (&argc, &argv, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/fragments/tls1.%d/%" G_GSIZE_FORMAT "/small_records_lose_nothing",
                                               cases[i].version == TLS1_3_VERSION ? 3 : 2, cases[i].chunk);

      g_test_add_data_func (path, &cases[i], small_records_lose_nothing);
    }

  return g_test_run ();
}
