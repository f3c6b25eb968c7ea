/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The client's flight, as seen by the server: see the notes in flight.h. */

#include "flight.h"

const guint fuzz_n_changes = 150;

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  flight_init (FLIGHT_TO_SERVER);
  return 0;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  flight_run (data, size);
  return 0;
}

void
fuzz_make_seeds (FuzzAddSeed add, gpointer data)
{
  flight_make_seeds (add, data);
}
