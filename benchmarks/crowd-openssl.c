/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Many connections at once with OpenSSL alone: sockets that do not block, and epoll. */

#include "client-openssl.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>

#define N_EVENTS 256
#define N_AT_ONCE 200 /* while sessions are gathered */

/* Sessions to offer, each once. */
static SSL_SESSION **pile;
static unsigned pile_size, pile_n;

static int
put_on_pile (SSL *ssl, SSL_SESSION *session)
{
  if (pile_n == pile_size)
    {
      pile_size = pile_size == 0 ? 64 : 2 * pile_size;
      pile = realloc (pile, pile_size * sizeof *pile);
      if (pile == NULL)
        bench_fail ("there is no memory");
    }
  pile[pile_n++] = session;
  return 1;
}

typedef enum
{
  HANDSHAKES,
  WRITES,
  READS,
  DONE,
} Stage;

typedef struct
{
  SSL *ssl;
  Stage stage;
  char byte;
  uint32_t waits_for;
} Visitor;

static int loop;
static unsigned n_open;

static void
watch (Visitor *self, uint32_t events)
{
  struct epoll_event event = { .events = events, .data.ptr = self };

  if (self->waits_for == events)
    return;
  if (epoll_ctl (loop, self->waits_for == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, SSL_get_fd (self->ssl), &event) != 0)
    bench_fail ("epoll does not watch");
  self->waits_for = events;
}

static void
leave (Visitor *self, BenchCrowd *crowd)
{
  crowd->n_failed += self->stage != DONE;
  bench_openssl_free (self->ssl);
  free (self);
  n_open--;
}

static int
step (Visitor *self, BenchCrowd *crowd)
{
  int result;

  switch (self->stage)
    {
    case HANDSHAKES:
      return SSL_connect (self->ssl);
    case WRITES:
      return SSL_write (self->ssl, &self->byte, 1);
    case READS:
      result = SSL_read (self->ssl, &self->byte, 1);
      crowd->n_resumed += result == 1 && self->byte == BENCH_RESUMED;
      return result;
    case DONE:
    default:
      return 0;
    }
}

static void
go_on (Visitor *self, BenchCrowd *crowd)
{
  while (self->stage != DONE)
    {
      int result = step (self, crowd);

      if (result == 1)
        {
          self->stage++;
          continue;
        }
      switch (SSL_get_error (self->ssl, result))
        {
        case SSL_ERROR_WANT_READ:
          watch (self, EPOLLIN);
          return;
        case SSL_ERROR_WANT_WRITE:
          watch (self, EPOLLOUT);
          return;
        default:
          leave (self, crowd);
          return;
        }
    }
  leave (self, crowd);
}

static Visitor *
come (bool resume)
{
  Visitor *self = calloc (1, sizeof *self);
  SSL_SESSION *session = resume && pile_n > 0 ? pile[--pile_n] : NULL;

  if (self == NULL || (resume && session == NULL))
    bench_fail ("there is no session for each of the crowd");
  self->ssl = bench_openssl_new (session);
  SSL_SESSION_free (session);
  self->byte = resume ? BENCH_HELLO : BENCH_WANTS_TICKETS;
  fcntl (SSL_get_fd (self->ssl), F_SETFL, O_NONBLOCK);
  n_open++;
  return self;
}

/* All are connected before the first begins its handshake. */
static void
run_round (unsigned n, bool resume, BenchCrowd *crowd)
{
  Visitor **visitors = malloc (n * sizeof *visitors);
  struct epoll_event events[N_EVENTS];

  if (visitors == NULL)
    bench_fail ("there is no memory");
  for (unsigned i = 0; i < n; i++)
    visitors[i] = come (resume);
  for (unsigned i = 0; i < n; i++)
    go_on (visitors[i], crowd);
  free (visitors);

  while (n_open > 0)
    {
      int n_events = epoll_wait (loop, events, N_EVENTS, -1);

      for (int i = 0; i < n_events; i++)
        go_on (events[i].data.ptr, crowd);
    }
}

void
bench_openssl_crowd (unsigned n, unsigned rounds, BenchCrowd *crowd)
{
  BenchCrowd first = { 0 };

  SSL_CTX_sess_set_new_cb (bench_openssl_get_context (), put_on_pile);
  loop = epoll_create1 (EPOLL_CLOEXEC);
  while (pile_n < n)
    run_round (n < N_AT_ONCE ? n : N_AT_ONCE, false, &first);

  crowd->cpu_us = bench_cpu_us ();
  crowd->seconds = bench_seconds ();
  for (unsigned i = 0; i < rounds; i++)
    run_round (n, true, crowd);
  crowd->cpu_us = bench_cpu_us () - crowd->cpu_us;
  crowd->seconds = bench_seconds () - crowd->seconds;
}
