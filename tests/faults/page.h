/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "expectation.h"

G_BEGIN_DECLS

/* How many cases ended how, and the table of it on the manual's page. */
typedef struct
{
  guint n[N_FAULTS][N_VERDICTS];
} Counts;

guint counts_of_kind (const Counts *self, FaultKind kind);

guint counts_total (const Counts *self);

/* A Markdown table, owned by the caller. @heading is that of its first column, by which it is known. */
char *counts_to_table (const Counts *self, const char *heading);

/* Puts the table where the page has it. */
void page_write (const char *path, const char *heading, const Counts *counts);

/* What is wrong with the page's table, owned by the caller; NULL: nothing. */
char *page_complain (const char *path, const char *heading, const Counts *counts);

G_END_DECLS
