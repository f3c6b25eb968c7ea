/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What the kernel answers, which can be told to fail. For one thread at a time. */

typedef enum
{
  CALL_RECV,
  CALL_SEND,
  CALL_POLL,
  CALL_SHUTDOWN,
  CALL_OPEN,
  CALL_READ, /* of files, as the next two; descriptors of other kinds are left alone */
  CALL_WRITE,
  CALL_CLOSE,
  CALL_PREAD,
  CALL_PWRITE,
  CALL_FSYNC,
  CALL_FDATASYNC,
  CALL_FTRUNCATE,
  CALL_FCHMOD,
  CALL_LINK,
  CALL_UNLINK,
  CALL_MKDIR,
  CALL_STAT,
  CALL_LOCK, /* fcntl() with F_SETLK */
  CALL_MMAP, /* of a file, shared */
  N_CALLS,
} Call;

typedef enum
{
  KERNEL_FAILS_ONCE,
  KERNEL_FAILS_ON,        /* each call of the kind from then on */
  KERNEL_FAILS_EACH_TIME, /* once before each that succeeds */
} KernelMode;

/* In the place of an errno: less is read or written than was asked for. */
#define FAULT_SHORT (-1)

const char *kernel_name (Call call);

/* Counts from here, and fails at the @nth call of this kind from here. This thread is on the stage. */
void kernel_arm (Call call, guint nth, int fault, KernelMode mode);

/* From here on no call fails. TRUE if one has. */
gboolean kernel_disarm (void);

/* TRUE if a call has failed since kernel_arm(). */
gboolean kernel_has_failed (void);

/* The kind that kernel_arm() was told. */
Call kernel_get_call (void);

/* Calls fail in one thread, which is on the stage. */
void kernel_enter (void);

void kernel_leave (void);

G_END_DECLS
