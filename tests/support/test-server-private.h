/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <openssl/ssl.h>

#include "test-server.h"

G_BEGIN_DECLS

typedef struct
{
  const TestServerOptions *options;
  const int *stopping; /* atomic; true once the server is being freed */
  int *n_greeted;      /* atomic */
  int fd;
  SSL *ssl;
  TestServerRecord record; /* this thread's own until the connection has ended */
  GChecksum *checksum;
} TestPeer;

/* Serves one connection after its handshake; fills in how it ended. */
void test_behave (TestPeer *peer);

G_END_DECLS
