/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-client.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

noreturn void
bench_fail (const char *what)
{
  fprintf (stderr, "benchmark: %s\n", what);
  exit (1);
}

static double
read_clock (clockid_t clock)
{
  struct timespec now;

  clock_gettime (clock, &now);
  return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

double
bench_cpu_us (void)
{
  return read_clock (CLOCK_PROCESS_CPUTIME_ID) * 1e6;
}

double
bench_seconds (void)
{
  return read_clock (CLOCK_MONOTONIC);
}

int
bench_connect (uint16_t port)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons (port) };
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int on = 1;

  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  if (fd < 0 || connect (fd, (struct sockaddr *) &address, sizeof address) != 0)
    bench_fail ("there is no connection to the server");
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}
