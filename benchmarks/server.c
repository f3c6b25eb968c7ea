/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* bench-server: a TLS 1.3 server on OpenSSL alone for all benchmarks, a thread for each connection. It prints
 * "port=NNN ca=PATH", and ends with its input.
 *
 * The first byte that a client sends says what it wants: 's', a sink; 'f' and a digit d, 2^d MiB of data; anything else is
 * sent back, and so is all that follows.
 */

#include <arpa/inet.h>
#include <glib.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test-pki.h"

#define BLOCK_SIZE (64 * 1024)
#define STACK_SIZE (128 * 1024)

static SSL_CTX *context;

static void
fail (const char *what)
{
  perror (what);
  exit (1);
}

static void
flood (SSL *ssl, int exponent, char *block)
{
  memset (block, 'z', BLOCK_SIZE);
  for (int i = 0; i < 16 << exponent; i++)
    if (SSL_write (ssl, block, BLOCK_SIZE) != BLOCK_SIZE)
      return;
}

static void
serve (SSL *ssl)
{
  g_autofree char *block = g_malloc (BLOCK_SIZE);
  int n_read = SSL_read (ssl, block, BLOCK_SIZE);

  if (n_read > 1 && block[0] == 'f')
    flood (ssl, block[1] - '0', block);
  else if (n_read > 0 && block[0] != 's' && SSL_write (ssl, block, n_read) != n_read)
    return;

  if (n_read > 0 && block[0] == 's')
    while (SSL_read (ssl, block, BLOCK_SIZE) > 0)
      ;
  else
    while ((n_read = SSL_read (ssl, block, BLOCK_SIZE)) > 0 && SSL_write (ssl, block, n_read) == n_read)
      ;
  SSL_shutdown (ssl);
}

static gpointer
meet (gpointer data)
{
  int fd = GPOINTER_TO_INT (data);
  SSL *ssl = SSL_new (context);
  int on = 1;

  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (ssl != NULL && SSL_set_fd (ssl, fd) == 1 && SSL_accept (ssl) == 1)
    serve (ssl);
  SSL_free (ssl);
  close (fd);
  return NULL;
}

/* GLib's threads have stacks too large for ten thousand of them. */
static void
start_thread (int fd)
{
  pthread_attr_t attributes;
  pthread_t thread;

  pthread_attr_init (&attributes);
  pthread_attr_setdetachstate (&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize (&attributes, STACK_SIZE);
  if (pthread_create (&thread, &attributes, meet, GINT_TO_POINTER (fd)) != 0)
    close (fd);
  pthread_attr_destroy (&attributes);
}

static gpointer
accept_all (gpointer data)
{
  for (;;)
    {
      int fd = accept (GPOINTER_TO_INT (data), NULL, NULL);

      if (fd >= 0)
        start_thread (fd);
    }
  return NULL;
}

static void
raise_file_limit (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) == 0)
    {
      limit.rlim_cur = limit.rlim_max;
      setrlimit (RLIMIT_NOFILE, &limit);
    }
}

int
main (void)
{
  g_autoptr (TestPki) pki = test_pki_new ();
  const char *path = test_pki_get_path (pki, TEST_CERTIFICATE_GOOD);
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t size = sizeof address;
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  char line[16];

  signal (SIGPIPE, SIG_IGN);
  raise_file_limit ();
  context = SSL_CTX_new (TLS_server_method ());
  if (context == NULL || SSL_CTX_use_certificate_chain_file (context, path) != 1 ||
      SSL_CTX_use_PrivateKey_file (context, path, SSL_FILETYPE_PEM) != 1)
    fail ("certificate");
  SSL_CTX_set_session_cache_mode (context, SSL_SESS_CACHE_OFF);

  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  if (bind (fd, (struct sockaddr *) &address, sizeof address) != 0 || listen (fd, 4096) != 0 ||
      getsockname (fd, (struct sockaddr *) &address, &size) != 0)
    fail ("listen");

  g_thread_unref (g_thread_new ("accept", accept_all, GINT_TO_POINTER (fd)));
  printf ("port=%u ca=%s\n", ntohs (address.sin_port), test_pki_get_ca_path (pki));
  fflush (stdout);
  while (fgets (line, sizeof line, stdin) != NULL)
    ;
  return 0;
}
