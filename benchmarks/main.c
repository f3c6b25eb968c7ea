/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* bench-CLIENT MODE PORT CA VERB…: one client's figures, for bench.py, as NAME=VALUE. CA: a file, or "system".
 *
 *   handshakes full|resumed N   connections one after the other: handshake, a byte there and back, close
 *   bulk read|write SIZE MIB    in calls of SIZE bytes, over one connection; handshake and close left out
 *   trips N                     a hundred bytes there and back, over one connection
 *   idle N                      connections that have exchanged a byte, and wait: what of the heap each holds
 *   first                       one connection: when the first byte had come, since bench-start started this program
 *   crowd N ROUNDS              N connections at once in one main loop
 *
 * client.py has the same for Python.
 */

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench-client.h"

#define TRIP_SIZE 100

/* Threads are counted where they start: the libraries find this function instead of the C library's. GLib starts one for
 * itself with the first GTask of a process; the first connection of each measurement is there for that, too.
 */

typedef void *(*ThreadFunction) (void *);
typedef int (*CreateThread) (pthread_t *, const pthread_attr_t *, ThreadFunction, void *);

static atomic_uint n_threads;

__attribute__ ((visibility ("default"))) int
pthread_create (pthread_t *thread, const pthread_attr_t *attributes, ThreadFunction function, void *data)
{
  CreateThread create = (CreateThread) dlsym (RTLD_NEXT, "pthread_create");

  n_threads++;
  return create (thread, attributes, function, data);
}

/* A byte there, and one back, which says whether the session was resumed. */
static bool
say_hello (void)
{
  char byte = BENCH_HELLO;

  bench_client.write (&byte, 1);
  bench_client.read (&byte, 1);
  return byte == BENCH_RESUMED;
}

static bool
visit (bool resume)
{
  bool resumed;

  bench_client.open (resume);
  resumed = say_hello ();
  bench_client.close ();
  return resumed;
}

static void
measure_handshakes (char **arguments)
{
  bool resume = strcmp (arguments[0], "resumed") == 0;
  unsigned n = (unsigned) atoi (arguments[1]);
  unsigned n_resumed = 0;
  double began;

  visit (resume); /* what is made once is made now */
  n_threads = 0;
  began = bench_cpu_us ();
  for (unsigned i = 0; i < n; i++)
    n_resumed += visit (resume);
  printf ("cpu-us=%.2f resumed=%u", (bench_cpu_us () - began) / n, n_resumed);
}

static void
measure_bulk (char **arguments)
{
  bool writing = strcmp (arguments[0], "write") == 0;
  size_t size = (size_t) atol (arguments[1]);
  size_t total = (size_t) atol (arguments[2]) * 1024 * 1024;
  char *block = calloc (1, size);
  char wish[16] = { 0 };
  size_t done = 0;
  double began;

  if (block == NULL)
    bench_fail ("there is no memory");
  snprintf (wish, sizeof wish, "%c%s", writing ? 's' : 'f', arguments[2]);
  bench_client.open (false);
  bench_client.write (wish, sizeof wish);

  began = bench_cpu_us ();
  /* A block is filled from its beginning to its end, also by a client that gives out a record at a time: were it always
   * the same 16 KiB that it is given for that, they would not leave the processor's cache.
   */
  while (done < total)
    {
      char *rest = block + done % size;
      size_t n = size - done % size;

      done += writing ? bench_client.write (rest, n) : bench_client.read (rest, n);
    }
  printf ("ns-per-kib=%.2f", (bench_cpu_us () - began) * 1000 / ((double) total / 1024));
}

static void
measure_trips (char **arguments)
{
  unsigned n = (unsigned) atoi (arguments[0]);
  char message[TRIP_SIZE] = { 0 };
  double cpu_began, began;

  bench_client.open (false);
  say_hello ();
  cpu_began = bench_cpu_us ();
  began = bench_seconds ();
  for (unsigned i = 0; i < n; i++)
    {
      if (bench_client.write (message, TRIP_SIZE) != TRIP_SIZE)
        bench_fail ("a message went in pieces");
      for (size_t done = 0; done < TRIP_SIZE;)
        done += bench_client.read (message, TRIP_SIZE - done);
    }
  printf ("per-second=%.1f cpu-us=%.3f", n / (bench_seconds () - began), (bench_cpu_us () - cpu_began) / n);
}

static void
measure_idle (char **arguments)
{
  unsigned n = (unsigned) atoi (arguments[0]);
  size_t before = 0;

  for (unsigned i = 0; i < 10 + n; i++)
    {
      if (i == 10) /* what is made once is made by now */
        before = mallinfo2 ().uordblks;
      bench_client.open (false);
      say_hello ();
    }
  printf ("bytes=%.1f", (double) (mallinfo2 ().uordblks - before) / n);
}

static void
measure_first (char **arguments)
{
  const char *began = getenv ("BENCH_BEGAN");

  if (began == NULL)
    bench_fail ("first needs to be started by bench-start");
  bench_client.open (false);
  say_hello ();
  printf ("ms=%.3f cpu-ms=%.3f", (bench_seconds () - atof (began)) * 1000, bench_cpu_us () / 1000);
}

static void
measure_crowd (char **arguments)
{
  unsigned n = (unsigned) atoi (arguments[0]);
  unsigned rounds = (unsigned) atoi (arguments[1]);
  struct rlimit limit;
  BenchCrowd crowd = { 0 };

  if (getrlimit (RLIMIT_NOFILE, &limit) == 0)
    {
      limit.rlim_cur = limit.rlim_max;
      setrlimit (RLIMIT_NOFILE, &limit);
    }
  visit (false);
  n_threads = 0;
  bench_client.crowd (n, rounds, &crowd);
  printf ("cpu-us=%.2f per-second=%.1f resumed=%u failed=%u", crowd.cpu_us / (n * rounds), n * rounds / crowd.seconds,
          crowd.n_resumed, crowd.n_failed);
}

static const struct
{
  const char *name;
  int n_arguments;
  void (*measure) (char **arguments);
} verbs[] = {
  { "handshakes", 2, measure_handshakes }, { "bulk", 3, measure_bulk },
  { "trips", 1, measure_trips },           { "idle", 1, measure_idle },
  { "first", 0, measure_first },           { "crowd", 2, measure_crowd },
};

int
main (int argc, char **argv)
{
  BenchServer server = { 0 };

  if (argc < 5)
    bench_fail ("usage: bench-CLIENT MODE PORT CA VERB…");
  server.mode = argv[1];
  server.port = (uint16_t) atoi (argv[2]);
  server.ca_path = strcmp (argv[3], "system") == 0 ? NULL : argv[3];
  bench_client.prepare (&server);

  for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
    if (strcmp (verbs[i].name, argv[4]) == 0 && verbs[i].n_arguments == argc - 5)
      {
        verbs[i].measure (argv + 5);
        printf (" threads=%u\n", n_threads);
        return 0;
      }
  bench_fail ("there is no such verb, or it has other arguments");
}
