/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <openssl/ssl.h>

#include "bench-client.h"

/* The client on OpenSSL alone, as its two files share it. */

SSL_CTX *bench_openssl_get_context (void);

/* A connection that is ready for its handshake; SESSION: what to offer, or NULL. */
SSL *bench_openssl_new (SSL_SESSION *session);

/* And its socket. */
void bench_openssl_free (SSL *ssl);

void bench_openssl_crowd (unsigned n, unsigned rounds, BenchCrowd *crowd);
