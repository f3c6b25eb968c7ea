/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

/* What is measured, one executable for each: bench-openssl, bench-ours, bench-gio. main.c has the verbs, which are the
 * same for all, and calls the client by this table. It knows no GLib, for the client on OpenSSL alone must not load it.
 *
 * A client has one connection at a time, the last that it opened. Those that it opened before and did not close stay
 * open.
 */

typedef struct
{
  uint16_t port;
  const char *ca_path; /* NULL: what the system trusts */
  const char *mode;    /* how the client works; each knows its own */
} BenchServer;

typedef struct
{
  double cpu_us;
  double seconds;
  unsigned n_resumed;
  unsigned n_failed;
} BenchCrowd;

typedef struct
{
  /* What a program makes once. */
  void (*prepare) (const BenchServer *server);

  /* Connects, and does the handshake. RESUME: by a ticket of the connection closed before, if there was one. */
  void (*open) (bool resume);

  /* At least a byte, or it does not return. */
  size_t (*write) (const char *bytes, size_t size);
  size_t (*read) (char *bytes, size_t size);

  void (*close) (void);

  /* N connections at once in one main loop, each resumed, a byte there and back, and closed; ROUNDS times over. */
  void (*crowd) (unsigned n, unsigned rounds, BenchCrowd *crowd);
} BenchClient;

extern const BenchClient bench_client;

/* For the clients */

noreturn void bench_fail (const char *what);

int bench_connect (uint16_t port);

/* Of this process, in the kernel too. */
double bench_cpu_us (void);

double bench_seconds (void);

/* What a client sends first, and what the server answers if the session was resumed. */
#define BENCH_HELLO 'x'
#define BENCH_WANTS_TICKETS 't'
#define BENCH_RESUMED '1'
