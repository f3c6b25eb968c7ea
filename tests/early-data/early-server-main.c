/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Our server as a program, for the early data tests in other languages.
 *
 * It prints "port=NNN ca=PATH" when it listens, then answers each line it reads with one line:
 *
 *   max-early-data N  "ok"; for the connections to come
 *   record I          "resumption=… early-data=… stream=…" once connection I has ended; data without blanks only
 *   quit              ends it, as the end of its input does
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "early-server.h"

#define PERMITTED 16384

static char *
text_of (const void *bytes, gsize size)
{
  return size > 0 ? g_strndup (bytes, size) : g_strdup ("");
}

static void
answer_record (EarlyServer *server, guint index)
{
  const EarlyRecord *record = early_server_get_record (server, index);
  g_autofree char *early_data = NULL;
  g_autofree char *stream = NULL;
  gsize size = 0;
  const void *bytes;

  if (record == NULL)
    {
      printf ("none\n");
      return;
    }

  bytes = record->early_data != NULL ? g_bytes_get_data (record->early_data, &size) : NULL;
  early_data = text_of (bytes, size);
  stream = text_of (record->stream->data, record->stream->len);
  printf ("resumption=%s early-data=%s stream=%s\n",
          record->resumption == G_TLS_SESSION_RESUMPTION_RESUMED ? "resumed" : "full", early_data, stream);
}

/* FALSE to end. */
static gboolean
answer (EarlyServer *server, char *line)
{
  g_strchomp (line);
  if (strcmp (line, "quit") == 0)
    return FALSE;

  if (g_str_has_prefix (line, "max-early-data "))
    {
      early_server_set_max_early_data (server, (guint) atoi (line + strlen ("max-early-data ")));
      printf ("ok\n");
    }
  else if (g_str_has_prefix (line, "record "))
    answer_record (server, (guint) atoi (line + strlen ("record ")));
  else
    printf ("unknown command\n");
  fflush (stdout);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  char line[256];

  printf ("port=%u ca=%s\n", early_server_get_port (server), test_pki_get_ca_path (early_server_get_pki (server)));
  fflush (stdout);
  while (fgets (line, sizeof line, stdin) != NULL && answer (server, line))
    ;
  return 0;
}
