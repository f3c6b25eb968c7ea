/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a fuzz target is made of: libFuzzer's two functions, and seeds. libFuzzer drives it (see run), or standalone.c does
 * as a plain test.
 */

int LLVMFuzzerInitialize (int *argc, char ***argv);

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

typedef void (*FuzzAddSeed) (gpointer data, const char *name, gconstpointer seed, gsize size);

/* Good inputs to begin with; made anew each time, so that nothing in them grows old. */
void fuzz_make_seeds (FuzzAddSeed add, gpointer data);

/* How often the plain test changes its seeds: a target that shakes hands takes longer than one that parses. */
extern const guint fuzz_n_changes;

G_END_DECLS
