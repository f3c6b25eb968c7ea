/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The allocator of OpenSSL in this process, which can be told to fail. For one thread. */

typedef enum
{
  ALLOCATOR_FAILS_ONCE, /* memory is short for a moment */
  ALLOCATOR_FAILS_ON,   /* and does not come back */
  ALLOCATOR_N_MODES,
} AllocatorMode;

/* Before anything else of OpenSSL is called. */
void allocator_install (void);

/* Counts from here, and fails at the @nth call from here; 0 for never. */
void allocator_arm (guint nth, AllocatorMode mode);

/* The calls since allocator_arm(). From here on none fails. */
guint allocator_disarm (void);

gboolean allocator_has_failed (void);

/* Where OpenSSL last asked in vain; NULL if it never did. */
const char *allocator_get_failed_file (int *line);

/* Blocks that are allocated now. */
gint64 allocator_count_live (void);

/* Where those blocks were asked for that came after allocator_arm() and are still there, for a person. */
char *allocator_describe_live (void);

G_END_DECLS
