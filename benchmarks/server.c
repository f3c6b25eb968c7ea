/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* bench-server: a TLS 1.3 server on OpenSSL alone for all benchmarks, a thread for each connection. It prints
 * "port=NNN ca=PATH", and ends with its input.
 *
 * The first byte that a client sends says what it wants: 's', a sink; 'f' and a number, so many MiB of data. Anything else
 * ('t': after some more tickets) is answered with a byte, '1' if the session was resumed and '0' if not, and all that follows is sent back. So what a
 * client says of itself need not be believed.
 */

#include <arpa/inet.h>
#include <glib.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test-pki.h"

#define BLOCK_SIZE (64 * 1024)
#define STACK_SIZE (128 * 1024)
#define N_MORE_TICKETS 8

static SSL_CTX *context;

static void
fail (const char *what)
{
  perror (what);
  exit (1);
}

static void
flood (SSL *ssl, int mebibytes, char *block)
{
  memset (block, 'z', BLOCK_SIZE);
  for (int i = 0; i < mebibytes * (1024 * 1024 / BLOCK_SIZE); i++)
    if (SSL_write (ssl, block, BLOCK_SIZE) != BLOCK_SIZE)
      return;
}

static bool
answer (SSL *ssl, char what)
{
  for (int i = 0; what == 't' && i < N_MORE_TICKETS; i++)
    SSL_new_session_ticket (ssl);
  return SSL_write (ssl, SSL_session_reused (ssl) ? "1" : "0", 1) == 1;
}

static void
serve (SSL *ssl)
{
  g_autofree char *block = g_malloc (BLOCK_SIZE + 1);
  int n_read = SSL_read (ssl, block, BLOCK_SIZE);
  char what = n_read > 0 ? block[0] : '\0';

  block[MAX (n_read, 0)] = '\0';
  if (what == 'f')
    flood (ssl, atoi (block + 1), block);
  else if (what != 's' && n_read > 0 && !answer (ssl, what))
    return;

  while ((n_read = SSL_read (ssl, block, BLOCK_SIZE)) > 0)
    if (what != 's' && SSL_write (ssl, block, n_read) != n_read)
      return;
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
