/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stranger.h"

#include <fcntl.h>
#include <signal.h>

#include <openssl/err.h>

static SSL *
new_ssl (Scene *scene, gboolean is_server, int fd)
{
  SSL_CTX *context = SSL_CTX_new (is_server ? TLS_server_method () : TLS_client_method ());
  SSL *ssl;

  g_assert_nonnull (context);
  if (is_server)
    {
      g_assert_cmpint (SSL_CTX_use_certificate (context, scene->family->leaf->x509), ==, 1);
      g_assert_cmpint (SSL_CTX_add1_chain_cert (context, scene->family->intermediate->x509), ==, 1);
      g_assert_cmpint (SSL_CTX_use_PrivateKey (context, scene->family->leaf->key), ==, 1);
    }
  ssl = SSL_new (context);
  SSL_CTX_free (context);
  g_assert_nonnull (ssl);
  g_assert_cmpint (SSL_set_fd (ssl, fd), ==, 1);
  if (is_server)
    SSL_set_accept_state (ssl);
  else
    SSL_set_connect_state (ssl);
  return ssl;
}

/* In this thread only, so that the program under test has to do without. */
static void
block_sigpipe (void)
{
  sigset_t signals;

  sigemptyset (&signals);
  sigaddset (&signals, SIGPIPE);
  g_assert_cmpint (pthread_sigmask (SIG_BLOCK, &signals, NULL), ==, 0);
}

static gpointer
play (gpointer data)
{
  Stranger *self = data;

  block_sigpipe ();
  self->part (self);
  SSL_free (self->ssl);
  ERR_clear_error ();
  return NULL;
}

void
stranger_begin (Stranger *self, Scene *scene, GTlsConnection *place, StrangerPart part)
{
  gboolean is_server = place == scene->server;
  GSocket *socket = g_socket_connection_get_socket (is_server ? scene->server_socket : scene->client_socket);

  self->part = part;
  self->fd = g_socket_get_fd (socket);
  g_assert_cmpint (fcntl (self->fd, F_SETFL, 0), ==, 0);
  self->ssl = new_ssl (scene, is_server, self->fd);
  self->thread = g_thread_new ("stranger", play, self);
}

void
stranger_end (Stranger *self)
{
  g_thread_join (self->thread);
}

int
stranger_take_reason (void)
{
  int reason = ERR_GET_REASON (ERR_peek_error ());

  ERR_clear_error ();
  return reason;
}
