/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "page.h"

#include <stdlib.h>
#include <string.h>

guint
counts_of_kind (const Counts *self, FaultKind kind)
{
  guint total = 0;

  for (guint i = 0; i < N_VERDICTS; i++)
    total += self->n[kind][i];
  return total;
}

guint
counts_total (const Counts *self)
{
  guint total = 0;

  for (FaultKind kind = 0; kind < N_FAULTS; kind++)
    total += counts_of_kind (self, kind);
  return total;
}

static void
append_kind (GString *table, const Counts *counts, FaultKind kind)
{
  const char *comma = "";

  g_string_append_printf (table, "| %s | %u | ", fault_kind_names[kind], counts_of_kind (counts, kind));
  for (guint i = 0; i < N_VERDICTS; i++)
    if (counts->n[kind][i] > 0)
      {
        g_string_append_printf (table, "%s%s %u", comma, verdict_names[i], counts->n[kind][i]);
        comma = ", ";
      }
  g_string_append (table, " |\n");
}

char *
counts_to_table (const Counts *self, const char *heading)
{
  GString *table = g_string_new (NULL);

  g_string_append_printf (table, "| %s | cases | how they ended |\n|---|---|---|\n", heading);
  for (FaultKind kind = 0; kind < N_FAULTS; kind++)
    append_kind (table, self, kind);
  g_string_append_printf (table, "| all | %u | |\n", counts_total (self));
  return g_string_free (table, FALSE);
}

static char *
load (const char *path)
{
  g_autoptr (GError) error = NULL;
  char *page = NULL;

  g_file_get_contents (path, &page, NULL, &error);
  g_assert_no_error (error);
  return page;
}

static char *
find_table (char *page, const char *heading)
{
  g_autofree char *begin = g_strdup_printf ("| %s | cases |", heading);
  char *table = strstr (page, begin);

  g_assert_nonnull (table);
  return table;
}

/* Where its last row has ended. */
static char *
end_of_table (char *table)
{
  while (*table == '|')
    {
      char *end = strchr (table, '\n');

      g_assert_nonnull (end);
      table = end + 1;
    }
  return table;
}

void
page_write (const char *path, const char *heading, const Counts *counts)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *page = load (path);
  g_autofree char *table = counts_to_table (counts, heading);
  g_autofree char *written = NULL;
  char *place = find_table (page, heading);
  char *rest = end_of_table (place);

  *place = '\0';
  written = g_strconcat (page, table, rest, NULL);
  g_file_set_contents (path, written, -1, &error);
  g_assert_no_error (error);
}

/* Another OpenSSL's handshake has some bytes and records more, or less. */
static gboolean
is_about (guint number, guint expected)
{
  guint room = expected / 20 + 10;

  return number + room >= expected && number <= expected + room;
}

/* What stands behind @name in @text; 0 if it does not. */
static guint
number_after (const char *text, const char *name)
{
  const char *place = strstr (text, name);

  return place != NULL ? (guint) strtoul (place + strlen (name), NULL, 10) : 0;
}

static char *
complain_of_kind (const char *row, FaultKind kind, const Counts *counts)
{
  for (guint i = 0; i < N_VERDICTS; i++)
    {
      g_autofree char *name = g_strdup_printf ("%s ", verdict_names[i]);
      guint told = number_after (row, name);

      if (!is_about (told, counts->n[kind][i]))
        return g_strdup_printf ("%s: %s %u times; the page says %u", fault_kind_names[kind], verdict_names[i],
                                counts->n[kind][i], told);
    }
  return NULL;
}

char *
page_complain (const char *path, const char *heading, const Counts *counts)
{
  g_autofree char *page = load (path);
  char *table = find_table (page, heading);
  g_autofree char *own = g_strndup (table, (gsize) (end_of_table (table) - table));
  g_auto (GStrv) rows = g_strsplit (own, "\n", -1);
  char *complaint = NULL;

  for (FaultKind kind = 0; complaint == NULL && kind < N_FAULTS; kind++)
    {
      g_autofree char *begin = g_strdup_printf ("| %s | ", fault_kind_names[kind]);
      const char *row = NULL;

      for (guint i = 0; rows[i] != NULL; i++)
        if (g_str_has_prefix (rows[i], begin))
          row = rows[i];
      complaint = row == NULL ? g_strdup_printf ("the page has nothing of %s", fault_kind_names[kind])
                              : complain_of_kind (row, kind, counts);
    }
  return complaint;
}
