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

/* A Markdown table, owned by the caller. */
char *counts_to_table (const Counts *self);

/* Puts the table where the page has one. */
void page_write (const char *path, const Counts *counts);

/* What is wrong with the page's table, owned by the caller; NULL: nothing. */
char *page_complain (const char *path, const Counts *counts);

G_END_DECLS
