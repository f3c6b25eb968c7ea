/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libbench-count.so, to be preloaded: counts the system calls that a program makes through the C library, what it
 * allocates, and the threads it starts. It tells them at the program's end, on standard error:
 *
 *   count: system-calls=… allocations=… threads=…
 *
 * Seen are calls that come from outside the C library, not those that it makes for itself. What is passed on goes as it
 * came: as words, of which no function here has more than seven. So one macro does for all of them, whatever their types.
 */

#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>

/* Not from <stdio.h>, <stdlib.h> and <unistd.h>, which declare some of what is defined below, with its proper types. */
int dprintf (int fd, const char *format, ...);
void *__libc_malloc (size_t size);
void *__libc_calloc (size_t n, size_t size);
void *__libc_realloc (void *memory, size_t size);

#define EXPORT __attribute__ ((visibility ("default")))

static atomic_ulong n_system_calls, n_allocations, n_threads;

typedef long Word;
typedef Word (*Function) (Word, Word, Word, Word, Word, Word, Word);

#define PASS_ON(counter, name) \
  EXPORT Word name (Word a, Word b, Word c, Word d, Word e, Word f, Word g); \
  Word name (Word a, Word b, Word c, Word d, Word e, Word f, Word g) \
  { \
    static _Atomic Function next; \
    if (next == NULL) \
      next = (Function) dlsym (RTLD_NEXT, #name); \
    counter++; \
    return next (a, b, c, d, e, f, g); \
  }

PASS_ON (n_threads, pthread_create)

/* Reading and writing */
PASS_ON (n_system_calls, read)
PASS_ON (n_system_calls, __read_chk)
PASS_ON (n_system_calls, readv)
PASS_ON (n_system_calls, write)
PASS_ON (n_system_calls, writev)
PASS_ON (n_system_calls, recv)
PASS_ON (n_system_calls, __recv_chk)
PASS_ON (n_system_calls, recvfrom)
PASS_ON (n_system_calls, __recvfrom_chk)
PASS_ON (n_system_calls, recvmsg)
PASS_ON (n_system_calls, send)
PASS_ON (n_system_calls, sendto)
PASS_ON (n_system_calls, sendmsg)
PASS_ON (n_system_calls, sendmmsg)

/* Waiting */
PASS_ON (n_system_calls, poll)
PASS_ON (n_system_calls, __poll_chk)
PASS_ON (n_system_calls, ppoll)
PASS_ON (n_system_calls, select)
PASS_ON (n_system_calls, epoll_create1)
PASS_ON (n_system_calls, epoll_ctl)
PASS_ON (n_system_calls, epoll_wait)
PASS_ON (n_system_calls, eventfd)

/* Sockets and files */
PASS_ON (n_system_calls, socket)
PASS_ON (n_system_calls, connect)
PASS_ON (n_system_calls, shutdown)
PASS_ON (n_system_calls, close)
PASS_ON (n_system_calls, getsockname)
PASS_ON (n_system_calls, getpeername)
PASS_ON (n_system_calls, getsockopt)
PASS_ON (n_system_calls, setsockopt)
PASS_ON (n_system_calls, fcntl)
PASS_ON (n_system_calls, fcntl64)
PASS_ON (n_system_calls, ioctl)
PASS_ON (n_system_calls, open)
PASS_ON (n_system_calls, open64)
PASS_ON (n_system_calls, openat)
PASS_ON (n_system_calls, stat)
PASS_ON (n_system_calls, stat64)
PASS_ON (n_system_calls, fstat)
PASS_ON (n_system_calls, fstat64)
PASS_ON (n_system_calls, lstat)

/* The rest: locks of GLib's, random numbers, time that is not read from memory */
PASS_ON (n_system_calls, syscall)
PASS_ON (n_system_calls, getrandom)
PASS_ON (n_system_calls, getentropy)
PASS_ON (n_system_calls, getpid)
PASS_ON (n_system_calls, mmap)
PASS_ON (n_system_calls, munmap)
PASS_ON (n_system_calls, madvise)

EXPORT void *malloc (size_t size);
EXPORT void *calloc (size_t n, size_t size);
EXPORT void *realloc (void *memory, size_t size);

/* dlsym() allocates, so that these are not looked up. */

void *
malloc (size_t size)
{
  n_allocations++;
  return __libc_malloc (size);
}

void *
calloc (size_t n, size_t size)
{
  n_allocations++;
  return __libc_calloc (n, size);
}

void *
realloc (void *memory, size_t size)
{
  n_allocations++;
  return __libc_realloc (memory, size);
}

__attribute__ ((destructor)) static void
tell (void)
{
  dprintf (2, "count: system-calls=%lu allocations=%lu threads=%lu\n", n_system_calls, n_allocations, n_threads);
}
