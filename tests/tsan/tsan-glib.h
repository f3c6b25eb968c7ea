/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <dlfcn.h>

#include <glib-object.h>

G_BEGIN_DECLS

/* NOTES:
 *
 * ThreadSanitizer sees what this project's own code does to memory, and what anybody asks of pthread. It sees neither
 * what GLib's own locks order, which are futexes, nor what its reference counts do: GLib is not built for it. Without
 * being told, it would take every lock of ours for none.
 *
 * This library is preloaded, and stands before GLib. It calls GLib's function and tells ThreadSanitizer what that one
 * orders, and nothing beyond that: an order that GLib does not promise would hide a race.
 *
 *   tsan-locks.c    GMutex, GCond, g_once_init_enter()
 *   tsan-objects.c  reference counts, and the first use of a class
 *   tsan-sources.c  GSource: what was done before one was attached or woken, its callback may count on;
 *                   likewise what is pushed to a GThreadPool or GAsyncQueue
 *   tsan-containers.c  that GPtrArray and GQueue were changed
 *
 * It sees calls from one library to another. What GLib's libraries call within themselves stays unseen, and so does
 * what they do to memory (GHashTable, say): a race is found where this project's own code touches the memory.
 */

/* Weak: a program that is not built for ThreadSanitizer may be started with this library as well. */
extern void __tsan_acquire (void *address) __attribute__ ((weak));
extern void __tsan_release (void *address) __attribute__ ((weak));
extern void __tsan_mutex_destroy (void *address, unsigned flags) __attribute__ ((weak));
extern void __tsan_mutex_pre_lock (void *address, unsigned flags) __attribute__ ((weak));
extern void __tsan_mutex_post_lock (void *address, unsigned flags, int recursion) __attribute__ ((weak));
extern int __tsan_mutex_pre_unlock (void *address, unsigned flags) __attribute__ ((weak));
extern void __tsan_mutex_post_unlock (void *address, unsigned flags) __attribute__ ((weak));

static inline void
tell_acquire (gconstpointer address)
{
  if (__tsan_acquire != NULL)
    __tsan_acquire ((gpointer) address);
}

static inline void
tell_release (gconstpointer address)
{
  if (__tsan_release != NULL)
    __tsan_release ((gpointer) address);
}

/* GLib's own function of this name, in @real: looked up at the first call, and always the same. */
#define FIND_REAL(name) \
  static __typeof__ (&(name)) real; \
  if (__atomic_load_n (&real, __ATOMIC_RELAXED) == NULL) \
  __atomic_store_n (&real, (__typeof__ (&(name))) dlsym (RTLD_NEXT, #name), __ATOMIC_RELAXED)

/* A callback with what its user did before it was set. */
typedef struct
{
  GSourceFunc func;
  gpointer data;
  GDestroyNotify notify;
} TsanCall;

G_END_DECLS
