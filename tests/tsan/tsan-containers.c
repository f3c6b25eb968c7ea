/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tsan-glib.h"

/* GLib's containers have no lock, so whoever changes one from two threads needs one of his own. What GLib does to them
 * inside is not seen; so a change is told here, as a write to what callers read themselves (the length, the head).
 */

extern void __tsan_write4 (void *address) __attribute__ ((weak));
extern void __tsan_write8 (void *address) __attribute__ ((weak));

static void
tell_array_changes (GPtrArray *array)
{
  if (__tsan_write4 != NULL)
    __tsan_write4 (&array->len);
}

static void
tell_queue_changes (GQueue *queue)
{
  if (__tsan_write8 != NULL)
    __tsan_write8 (&queue->head);
}

void
g_ptr_array_add (GPtrArray *array, gpointer data)
{
  FIND_REAL (g_ptr_array_add);

  tell_array_changes (array);
  real (array, data);
}

gpointer
g_ptr_array_steal_index (GPtrArray *array, guint index)
{
  FIND_REAL (g_ptr_array_steal_index);

  tell_array_changes (array);
  return real (array, index);
}

gboolean
g_ptr_array_remove_fast (GPtrArray *array, gpointer data)
{
  FIND_REAL (g_ptr_array_remove_fast);

  tell_array_changes (array);
  return real (array, data);
}

void
g_queue_push_tail (GQueue *queue, gpointer data)
{
  FIND_REAL (g_queue_push_tail);

  tell_queue_changes (queue);
  real (queue, data);
}

gpointer
g_queue_pop_head (GQueue *queue)
{
  FIND_REAL (g_queue_pop_head);

  tell_queue_changes (queue);
  return real (queue);
}
