/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "matrix.h"

/* What a server of this library meets. Below the connection all is the same for both sides, and test-faults.c tries each
 * group over both transports; here they take turns, so that each phase of each kind of connection still meets both.
 */

static gboolean
has_group (const Case *like)
{
  return like->phase != PHASE_TICKET_WAIT &&
         like->transport == (like->shape + like->driver + like->phase) % N_TRANSPORTS;
}

int
main (int argc, char **argv)
{
  const Matrix matrix = {
    .name = "server-faults",
    .heading = "fault on a server",
    .places = 4,
    .n_promised = 5000,
    .has_group = has_group,
    .expectation = &server_expectation,
  };

  return matrix_main (&matrix, argc, argv);
}
