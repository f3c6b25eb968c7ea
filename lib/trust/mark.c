/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mark.h"

#include "database-private.h"

/* NOTES:
 *
 * A mark is a text by which things are told apart: two databases with the same mark trust the same certificates. This
 * library's databases have one that is the same in every process. Of any other object all that is known is which one it
 * is: its mark is given out once, and no other object has it, in this process or another. (An address would not do: it
 * is used again.)
 */

static const char *
process_mark (void)
{
  static gsize mark;

  if (g_once_init_enter (&mark))
    g_once_init_leave (&mark, (gsize) g_uuid_string_random ());
  return (const char *) mark;
}

/* The mark of one object, owned by the caller. */
char *
g_tls_session_object_mark (GObject *object)
{
  static GMutex lock;
  static guint64 n_marks;
  GQuark quark = g_quark_from_static_string ("gtls-session-mark");
  const char *mark;

  g_mutex_lock (&lock);
  mark = g_object_get_qdata (object, quark);
  if (mark == NULL)
    {
      char *new_mark = g_strdup_printf ("object %" G_GUINT64_FORMAT " of %s", n_marks++, process_mark ());

      g_object_set_qdata_full (object, quark, new_mark, g_free);
      mark = new_mark;
    }
  g_mutex_unlock (&lock);
  return g_strdup (mark);
}

/* The mark of what a database trusts, owned by the caller. */
char *
g_tls_session_database_mark (GTlsDatabase *database)
{
  char *mark = G_TLS_SESSION_IS_DATABASE (database)
                 ? g_tls_session_database_dup_mark (G_TLS_SESSION_DATABASE (database))
                 : NULL;

  return mark != NULL ? mark : g_tls_session_object_mark (G_OBJECT (database));
}
