/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tsan-glib.h"

/* Reference counts: to drop a reference is an atomic operation with a full barrier, in all of GLib's counts. Whoever
 * drops the last one may count on all that was done before the others were dropped. To take one promises nothing.
 */

#define UNREF(type, name) \
  void name (type object) \
  { \
    FIND_REAL (name); \
    tell_release (object); \
    tell_acquire (object); \
    real (object); \
  }

UNREF (gpointer, g_object_unref)
UNREF (GBytes *, g_bytes_unref)
UNREF (GClosure *, g_closure_unref)
UNREF (GMainContext *, g_main_context_unref)

void
g_atomic_rc_box_release_full (gpointer block, GDestroyNotify clear)
{
  FIND_REAL (g_atomic_rc_box_release_full);

  tell_release (block);
  tell_acquire (block);
  real (block, clear);
}

/* The first object of a class makes the class, under a lock of GObject's that those who come later do not take: they read
 * atomically that it is made.
 */

static char classes_made;

typedef struct
{
  GClassInitFunc func;
  gconstpointer data;
} ClassInit;

static void
init_class (gpointer class, gpointer data)
{
  const ClassInit *init = data;

  if (init->func != NULL)
    init->func (class, (gpointer) init->data);
  tell_release (&classes_made);
}

static gpointer
watch_class (GClassInitFunc func, gconstpointer data)
{
  ClassInit *init = g_new (ClassInit, 1);

  init->func = func;
  init->data = data;
  return init;
}

GType
g_type_register_static (GType parent, const char *name, const GTypeInfo *info, GTypeFlags flags)
{
  FIND_REAL (g_type_register_static);
  GTypeInfo watched = *info;

  if (G_TYPE_IS_INTERFACE (parent) || info->class_size < sizeof (GTypeClass))
    return real (parent, name, info, flags);

  watched.class_data = watch_class (info->class_init, info->class_data);
  watched.class_init = init_class;
  return real (parent, name, &watched, flags);
}

GType
g_type_register_static_simple (GType parent,
                               const char *name,
                               guint class_size,
                               GClassInitFunc class_init,
                               guint instance_size,
                               GInstanceInitFunc instance_init,
                               GTypeFlags flags)
{
  GTypeInfo info = { .class_size = (guint16) class_size,
                     .class_init = class_init,
                     .instance_size = (guint16) instance_size,
                     .instance_init = instance_init };

  return g_type_register_static (parent, name, &info, flags);
}

static void
meet_class (GType type)
{
  g_type_class_unref (g_type_class_ref (type));
  tell_acquire (&classes_made);
}

GObject *
g_object_new_with_properties (GType type, guint n_properties, const char *names[], const GValue values[])
{
  FIND_REAL (g_object_new_with_properties);

  meet_class (type);
  return real (type, n_properties, names, values);
}

GObject *
g_object_new_valist (GType type, const char *first_property, va_list arguments)
{
  FIND_REAL (g_object_new_valist);

  meet_class (type);
  return real (type, first_property, arguments);
}

gpointer
g_object_new (GType type, const char *first_property, ...)
{
  va_list arguments;
  gpointer object;

  va_start (arguments, first_property);
  object = first_property != NULL ? g_object_new_valist (type, first_property, arguments)
                                  : g_object_new_with_properties (type, 0, NULL, NULL);
  va_end (arguments);
  return object;
}
