/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "allocator.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

typedef struct _Block Block;

/* Stands before what OpenSSL gets. */
struct _Block
{
  Block *previous;
  Block *next;
  const char *file;
  int line;
  guint serial;
} __attribute__ ((aligned (16))); /* as malloc() aligns what follows */

static struct
{
  Block first; /* of a ring */
  gint64 n_live;
  guint n_calls;
  guint fail_at; /* 0: never */
  AllocatorMode mode;
  gboolean has_failed;
  const char *failed_file; /* of the last call that failed */
  int failed_line;
} allocator;

static gboolean
is_to_fail (const char *file, int line)
{
  allocator.n_calls++;
  if (allocator.fail_at == 0 || allocator.n_calls < allocator.fail_at)
    return FALSE;
  if (allocator.mode == ALLOCATOR_FAILS_ONCE && allocator.n_calls > allocator.fail_at)
    return FALSE;

  allocator.has_failed = TRUE;
  allocator.failed_file = file;
  allocator.failed_line = line;
  return TRUE;
}

static void
link_block (Block *block)
{
  block->previous = allocator.first.previous;
  block->next = &allocator.first;
  block->previous->next = block;
  block->next->previous = block;
  allocator.n_live++;
}

static void
unlink_block (Block *block)
{
  block->previous->next = block->next;
  block->next->previous = block->previous;
  allocator.n_live--;
}

static void *
allocate (size_t size, const char *file, int line)
{
  Block *block;

  if (size == 0 || is_to_fail (file, line))
    return NULL;

  block = malloc (sizeof (Block) + size);
  g_assert_nonnull (block);
  block->file = file;
  block->line = line;
  block->serial = allocator.n_calls;
  link_block (block);
  return block + 1;
}

static void
release (void *bytes, const char *file, int line)
{
  Block *block;

  if (bytes == NULL)
    return;

  block = (Block *) bytes - 1;
  unlink_block (block);
  free (block);
}

static void *
reallocate (void *bytes, size_t size, const char *file, int line)
{
  Block *block;

  if (bytes == NULL)
    return allocate (size, file, line);
  if (size == 0)
    {
      release (bytes, file, line);
      return NULL;
    }
  if (is_to_fail (file, line))
    return NULL;

  block = (Block *) bytes - 1;
  unlink_block (block);
  block = realloc (block, sizeof (Block) + size);
  g_assert_nonnull (block);
  link_block (block);
  return block + 1;
}

void
allocator_install (void)
{
  allocator.first.previous = allocator.first.next = &allocator.first;
  g_assert_cmpint (CRYPTO_set_mem_functions (allocate, reallocate, release), ==, 1);
}

void
allocator_arm (guint nth, AllocatorMode mode)
{
  allocator.n_calls = 0;
  allocator.fail_at = nth;
  allocator.mode = mode;
  allocator.has_failed = FALSE;
  for (Block *block = allocator.first.next; block != &allocator.first; block = block->next)
    block->serial = 0;
}

guint
allocator_disarm (void)
{
  allocator.fail_at = 0;
  return allocator.n_calls;
}

gboolean
allocator_has_failed (void)
{
  return allocator.has_failed;
}

const char *
allocator_get_failed_file (int *line)
{
  *line = allocator.failed_line;
  return allocator.failed_file;
}

gint64
allocator_count_live (void)
{
  return allocator.n_live;
}

char *
allocator_describe_live (void)
{
  GString *text = g_string_new (NULL);

  for (Block *block = allocator.first.next; block != &allocator.first; block = block->next)
    if (block->serial != 0)
      g_string_append_printf (
        text, " %s:%d", strrchr (block->file, '/') != NULL ? strrchr (block->file, '/') + 1 : block->file, block->line);
  return g_string_free (text, FALSE);
}
