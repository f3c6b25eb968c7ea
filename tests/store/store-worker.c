/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One of the many processes of test-processes.c.
 *
 *   store-worker take PATH N-KEYS     takes from the keys 0, 1, ... until there is nothing left, and writes down what
 *   store-worker save PATH NAME       keeps NAME under NAME
 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ticket/gtls-session-file-store.h"

static GTlsSessionStore *
open_store (const char *path)
{
  g_autoptr (GError) error = NULL;
  GObject *store = g_initable_new (G_TLS_SESSION_TYPE_FILE_STORE, NULL, &error, "path", path, "busy-timeout", 600000,
                                   NULL);

  if (store == NULL)
    g_error ("%s", error->message);
  return G_TLS_SESSION_STORE (store);
}

/* In one write(), so that a process that is killed has written all of it or nothing. */
static void
report (GTlsSessionTicket *ticket)
{
  g_autofree char *line = g_strconcat (g_tls_session_ticket_get_id (ticket), "\n", NULL);

  if (write (STDOUT_FILENO, line, strlen (line)) != (gssize) strlen (line))
    g_error ("What was taken could not be written down");
}

static void
take_all (GTlsSessionStore *store, guint n_keys)
{
  for (guint i = 0; i < n_keys;)
    {
      g_autofree char *key = g_strdup_printf ("%u", i);
      g_autoptr (GError) error = NULL;
      g_autoptr (GTlsSessionTicket) ticket = g_tls_session_store_take (store, key, &error);

      if (error != NULL)
        g_error ("%s", error->message);
      if (ticket != NULL)
        report (ticket);
      else
        i++;
    }
}

static void
save (GTlsSessionStore *store, const char *name)
{
  g_autoptr (GBytes) bytes = g_bytes_new (name, strlen (name));
  g_autoptr (GError) error = NULL;

  if (!g_tls_session_store_save_bytes (store, name, bytes, &error))
    g_error ("%s", error->message);
}

int
main (int argc, char **argv)
{
  g_autoptr (GTlsSessionStore) store = NULL;

  if (argc != 4)
    return 2;

  store = open_store (argv[2]);
  if (g_str_equal (argv[1], "take"))
    take_all (store, (guint) atoi (argv[3]));
  else
    save (store, argv[3]);
  return 0;
}
