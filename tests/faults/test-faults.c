/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "matrix.h"

/* What a client of this library meets. */

static gboolean
has_group (const Case *like)
{
  return like->phase != PHASE_FIRST_WRITE;
}

int
main (int argc, char **argv)
{
  const Matrix matrix = {
    .name = "faults",
    .heading = "fault",
    .places = 10,
    .n_promised = 20000,
    .has_group = has_group,
    .expectation = &client_expectation,
  };

  return matrix_main (&matrix, argc, argv);
}
