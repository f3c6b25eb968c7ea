/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* OpenSSL alone, as an expert would write it: one SSL_CTX, sessions taken by the callback, OpenSSL's own verification.
 * Of what the system trusts only what is looked up by hash is used: that takes less time than reading all of it.
 *
 * Modes: sync; lean, in which OpenSSL gives its buffers back between records (SSL_MODE_RELEASE_BUFFERS); and gio, which
 * is sync where the benchmark has had libgio loaded, as each program on GLib has.
 */

#include "client-openssl.h"

#include <string.h>
#include <unistd.h>

static uint16_t port;
static SSL_CTX *context;
static SSL_SESSION *newest;
static SSL *current;

SSL_CTX *
bench_openssl_get_context (void)
{
  return context;
}

static int
keep_newest (SSL *ssl, SSL_SESSION *session)
{
  SSL_SESSION_free (newest);
  newest = session;
  return 1;
}

static void
prepare (const BenchServer *server)
{
  port = server->port;
  context = SSL_CTX_new (TLS_client_method ());
  if (context == NULL || (server->ca_path != NULL ? SSL_CTX_load_verify_locations (context, server->ca_path, NULL)
                                                  : SSL_CTX_set_default_verify_dir (context)) != 1)
    bench_fail ("there is no context");
  SSL_CTX_set_verify (context, SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_session_cache_mode (context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb (context, keep_newest);
  if (strcmp (server->mode, "lean") == 0)
    SSL_CTX_set_mode (context, SSL_MODE_RELEASE_BUFFERS);
}

SSL *
bench_openssl_new (SSL_SESSION *session)
{
  SSL *ssl = SSL_new (context);

  if (ssl == NULL || SSL_set_fd (ssl, bench_connect (port)) != 1 || SSL_set1_host (ssl, "localhost") != 1 ||
      SSL_set_tlsext_host_name (ssl, "localhost") != 1 || (session != NULL && SSL_set_session (ssl, session) != 1))
    bench_fail ("there is no SSL");
  return ssl;
}

static void
open_connection (bool resume)
{
  current = bench_openssl_new (resume ? newest : NULL);
  if (SSL_connect (current) != 1)
    bench_fail ("the handshake failed");
}

static size_t
write_bytes (const char *bytes, size_t size)
{
  size_t n;

  if (SSL_write_ex (current, bytes, size, &n) != 1)
    bench_fail ("nothing could be written");
  return n;
}

static size_t
read_bytes (char *bytes, size_t size)
{
  size_t n;

  if (SSL_read_ex (current, bytes, size, &n) != 1)
    bench_fail ("nothing could be read");
  return n;
}

void
bench_openssl_free (SSL *ssl)
{
  int fd = SSL_get_fd (ssl);

  SSL_shutdown (ssl);
  SSL_free (ssl);
  close (fd);
}

static void
close_connection (void)
{
  bench_openssl_free (current);
}

const BenchClient bench_client = {
  .prepare = prepare,
  .open = open_connection,
  .write = write_bytes,
  .read = read_bytes,
  .close = close_connection,
  .crowd = bench_openssl_crowd,
};
