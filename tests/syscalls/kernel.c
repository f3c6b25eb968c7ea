/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* NOTES:
 *
 * A function of a program, if it is visible outside it, goes before one of the same name in a shared library. So these are
 * the library's, GLib's and SQLite's, too, all of whom call the kernel through glibc's functions; what glibc itself calls
 * (in fopen(), say) passes by. Each counts, and fails where it was told to; else it calls the next one of its name, which
 * may be a sanitizer's.
 *
 * Where files are large by default, a program's open() is called open64(); others may call the one or the other. So here
 * both names are what they are, and neither has the checked forms of its header.
 *
 * Nothing waits for the disk, or for SQLite, which sleeps after some failures: fsync() does nothing when it does not fail,
 * and neither does usleep(). A descriptor whose close() fails is closed, as
 * on Linux.
 */

#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT, open64() and the like, ppoll() */

#include "kernel.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define VISIBLE __attribute__ ((visibility ("default")))

static struct
{
  Call call;
  guint nth; /* 0: never */
  int fault;
  KernelMode mode;
  guint n_calls;
  gboolean has_failed;
} plan;

static __thread gboolean on_stage;

const char *
kernel_name (Call call)
{
  static const char *const names[N_CALLS] = {
    [CALL_RECV] = "recv",
    [CALL_SEND] = "send",
    [CALL_POLL] = "poll",
    [CALL_SHUTDOWN] = "shutdown",
    [CALL_OPEN] = "open",
    [CALL_READ] = "read",
    [CALL_WRITE] = "write",
    [CALL_CLOSE] = "close",
    [CALL_PREAD] = "pread",
    [CALL_PWRITE] = "pwrite",
    [CALL_FSYNC] = "fsync",
    [CALL_FDATASYNC] = "fdatasync",
    [CALL_FTRUNCATE] = "ftruncate",
    [CALL_FCHMOD] = "fchmod",
    [CALL_LINK] = "link",
    [CALL_UNLINK] = "unlink",
    [CALL_MKDIR] = "mkdir",
    [CALL_STAT] = "stat",
    [CALL_LOCK] = "fcntl (F_SETLK)",
    [CALL_MMAP] = "mmap",
  };

  return names[call];
}

void
kernel_arm (Call call, guint nth, int fault, KernelMode mode)
{
  plan.call = call;
  plan.nth = nth;
  plan.fault = fault;
  plan.mode = mode;
  plan.n_calls = 0;
  plan.has_failed = FALSE;
  on_stage = TRUE;
}

gboolean
kernel_disarm (void)
{
  plan.nth = 0;
  on_stage = FALSE;
  return plan.has_failed;
}

gboolean
kernel_has_failed (void)
{
  return plan.has_failed;
}

Call
kernel_get_call (void)
{
  return plan.call;
}

void
kernel_enter (void)
{
  on_stage = TRUE;
}

void
kernel_leave (void)
{
  on_stage = FALSE;
}

static gboolean
is_turn (void)
{
  switch (plan.mode)
    {
    case KERNEL_FAILS_ON:
      return plan.n_calls >= plan.nth;
    case KERNEL_FAILS_EACH_TIME:
      return plan.n_calls >= plan.nth && (plan.n_calls - plan.nth) % 2 == 0;
    case KERNEL_FAILS_ONCE:
    default:
      return plan.n_calls == plan.nth;
    }
}

/* 0: this call does not fail. */
static int
count (Call call)
{
  if (!on_stage || plan.nth == 0 || plan.call != call)
    return 0;

  plan.n_calls++;
  if (!is_turn ())
    return 0;
  plan.has_failed = TRUE;
  return plan.fault;
}

static gboolean
fails (Call call)
{
  int fault = count (call);

  if (fault > 0)
    errno = fault;
  return fault > 0;
}

/* The same for what transfers bytes: @size becomes smaller, where that is the fault. */
static gboolean
fails_or_falls_short (Call call, size_t *size)
{
  int fault = count (call);

  if (fault > 0)
    errno = fault;
  else if (fault == FAULT_SHORT && *size > 1)
    *size = plan.mode == KERNEL_FAILS_ONCE ? 1 : (*size + 1) / 2;
  return fault > 0;
}

static gboolean
is_file (int fd)
{
  int saved = errno;
  struct stat info;
  gboolean answer;

  if (!on_stage)
    return FALSE;

  kernel_leave ();
  answer = fstat (fd, &info) == 0 && S_ISREG (info.st_mode);
  kernel_enter ();
  errno = saved;
  return answer;
}

/* To let go of a lock never fails. */
static gboolean
is_locking (int command, const struct flock *lock)
{
  return command == F_SETLK && lock->l_type != F_UNLCK;
}

/* The function of that name that stands behind the one here. Threads may look it up at the same time; all find the same. */
#define NEXT(name) \
  ({ \
    static __typeof__ (&(name)) found; \
    __typeof__ (&(name)) next = __atomic_load_n (&found, __ATOMIC_RELAXED); \
    if (next == NULL) \
      { \
        next = (__typeof__ (&(name))) dlsym (RTLD_NEXT, #name); \
        __atomic_store_n (&found, next, __ATOMIC_RELAXED); \
      } \
    next; \
  })

/* Sockets */

VISIBLE ssize_t
recv (int fd, void *buffer, size_t size, int flags)
{
  return fails_or_falls_short (CALL_RECV, &size) ? -1 : NEXT (recv) (fd, buffer, size, flags);
}

VISIBLE ssize_t
send (int fd, const void *bytes, size_t size, int flags)
{
  return fails_or_falls_short (CALL_SEND, &size) ? -1 : NEXT (send) (fd, bytes, size, flags);
}

VISIBLE int
shutdown (int fd, int how)
{
  return fails (CALL_SHUTDOWN) ? -1 : NEXT (shutdown) (fd, how);
}

VISIBLE int
poll (struct pollfd *fds, nfds_t n, int timeout)
{
  return fails (CALL_POLL) ? -1 : NEXT (poll) (fds, n, timeout);
}

/* Later GLibs wait with this one. */
VISIBLE int
ppoll (struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
  return fails (CALL_POLL) ? -1 : NEXT (ppoll) (fds, n, timeout, mask);
}

/* Files */

#define DEFINE_OPEN(name) \
  VISIBLE int name (const char *path, int flags, ...) \
  { \
    va_list rest; \
    mode_t mode = 0; \
\
    va_start (rest, flags); \
    if ((flags & O_CREAT) != 0) \
      mode = va_arg (rest, mode_t); \
    va_end (rest); \
    return fails (CALL_OPEN) ? -1 : NEXT (name) (path, flags, mode); \
  }

#define DEFINE_FCNTL(name) \
  VISIBLE int name (int fd, int command, ...) \
  { \
    va_list rest; \
    void *argument; \
\
    va_start (rest, command); \
    argument = va_arg (rest, void *); \
    va_end (rest); \
    return is_locking (command, argument) && fails (CALL_LOCK) ? -1 : NEXT (name) (fd, command, argument); \
  }

#define DEFINE_STATS(suffix) \
  VISIBLE int stat##suffix (const char *path, struct stat##suffix *info) \
  { \
    return fails (CALL_STAT) ? -1 : NEXT (stat##suffix) (path, info); \
  } \
\
  VISIBLE int lstat##suffix (const char *path, struct stat##suffix *info) \
  { \
    return fails (CALL_STAT) ? -1 : NEXT (lstat##suffix) (path, info); \
  } \
\
  VISIBLE int fstat##suffix (int fd, struct stat##suffix *info) \
  { \
    return fails (CALL_STAT) ? -1 : NEXT (fstat##suffix) (fd, info); \
  }

#define DEFINE_TRANSFERS(suffix, Offset) \
  VISIBLE ssize_t pread##suffix (int fd, void *buffer, size_t size, Offset offset) \
  { \
    return fails_or_falls_short (CALL_PREAD, &size) ? -1 : NEXT (pread##suffix) (fd, buffer, size, offset); \
  } \
\
  VISIBLE ssize_t pwrite##suffix (int fd, const void *bytes, size_t size, Offset offset) \
  { \
    return fails_or_falls_short (CALL_PWRITE, &size) ? -1 : NEXT (pwrite##suffix) (fd, bytes, size, offset); \
  } \
\
  VISIBLE int ftruncate##suffix (int fd, Offset length) \
  { \
    return fails (CALL_FTRUNCATE) ? -1 : NEXT (ftruncate##suffix) (fd, length); \
  } \
\
  VISIBLE void *mmap##suffix (void *place, size_t size, int protection, int flags, int fd, Offset offset) \
  { \
    if ((flags & MAP_SHARED) != 0 && fd >= 0 && fails (CALL_MMAP)) \
      return MAP_FAILED; \
    return NEXT (mmap##suffix) (place, size, protection, flags, fd, offset); \
  }

DEFINE_OPEN (open)
DEFINE_FCNTL (fcntl)
DEFINE_STATS ()
DEFINE_TRANSFERS (, off_t)

#ifdef __GLIBC__
DEFINE_OPEN (open64)
DEFINE_FCNTL (fcntl64)
DEFINE_STATS (64)
DEFINE_TRANSFERS (64, off64_t)
#endif

VISIBLE ssize_t
read (int fd, void *buffer, size_t size)
{
  return is_file (fd) && fails_or_falls_short (CALL_READ, &size) ? -1 : NEXT (read) (fd, buffer, size);
}

VISIBLE ssize_t
write (int fd, const void *bytes, size_t size)
{
  return is_file (fd) && fails_or_falls_short (CALL_WRITE, &size) ? -1 : NEXT (write) (fd, bytes, size);
}

VISIBLE int
close (int fd)
{
  int fault = is_file (fd) ? count (CALL_CLOSE) : 0;
  int result = NEXT (close) (fd);

  if (fault == 0)
    return result;
  errno = fault;
  return -1;
}

VISIBLE int
fsync (int fd)
{
  return fails (CALL_FSYNC) ? -1 : 0;
}

VISIBLE int
fdatasync (int fd)
{
  return fails (CALL_FDATASYNC) ? -1 : 0;
}

VISIBLE int
usleep (useconds_t us)
{
  return on_stage ? 0 : NEXT (usleep) (us);
}

VISIBLE int
fchmod (int fd, mode_t mode)
{
  return fails (CALL_FCHMOD) ? -1 : NEXT (fchmod) (fd, mode);
}

/* Names */

VISIBLE int
link (const char *path, const char *other)
{
  return fails (CALL_LINK) ? -1 : NEXT (link) (path, other);
}

VISIBLE int
unlink (const char *path)
{
  return fails (CALL_UNLINK) ? -1 : NEXT (unlink) (path);
}

VISIBLE int
mkdir (const char *path, mode_t mode)
{
  return fails (CALL_MKDIR) ? -1 : NEXT (mkdir) (path, mode);
}
