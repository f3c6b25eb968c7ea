/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "expectation.h"

#define RECORD_HEADER 5         /* bytes */
#define END_OF_HELLO_VERSION 11 /* bytes from the beginning of a ClientHello's record */

/* NOTES:
 *
 * What may come of a fault. Where there is a choice, it is for these reasons:
 *
 *   - A write is well once the transport has the bytes. What becomes of them is for the close to say, and that is checked
 *     for all cases: if the write and the close are well, the peer has everything.
 *   - A wait for a ticket is over with the first one. What comes after it does not matter.
 *   - A length that was damaged makes one side wait for bytes that do not come, and so does a record that was lost if
 *     nothing follows it. There is nothing but time to tell that by.
 *   - TLS does not look at everything: a record of change_cipher_spec says nothing in TLS 1.3, the version in a record's
 *     header counts for nothing in a handshake's plain part, and what follows close_notify is not looked at. A client's
 *     handshake is over before the server has read its last flight.
 *   - A FIN is a good answer to a close, so that a close_notify may be lost, or never become whole.
 *
 * But no change of a record that matters is ever taken for good by the one who reads it.
 */
static const guint allowed[N_FAULTS][N_PHASES] = {
  [FAULT_NONE] = { WELL, WELL, WELL, WELL, WELL, WELL },
  [FAULT_END] = { TLS_EOF, TLS_EOF, TLS_EOF, WELL, TLS_EOF | WELL, WELL },
  [FAULT_RESET] = { CLOSED, CLOSED, CLOSED, CLOSED | WELL, CLOSED | WELL, CLOSED },
  [FAULT_STALL] = { TIMED_OUT, TIMED_OUT, TIMED_OUT, TIMED_OUT | WELL, TIMED_OUT | WELL, TIMED_OUT },
  [FAULT_CANCEL] = { CANCELLED, CANCELLED, CANCELLED, CANCELLED | WELL, CANCELLED | WELL, CANCELLED },
  [FAULT_TRICKLE] = { WELL, WELL, WELL, WELL, WELL, WELL },
  [FAULT_GARBAGE] = { HANDSHAKE | TLS_EOF | NOT_TLS | BAD_CERTIFICATE | TIMED_OUT | WELL, MISC | TIMED_OUT,
                      MISC | TIMED_OUT, WELL, MISC | TIMED_OUT | WELL, MISC | TIMED_OUT | WELL },
  [FAULT_FLIP] = { HANDSHAKE | TLS_EOF | NOT_TLS | BAD_CERTIFICATE | TIMED_OUT | WELL, MISC | TIMED_OUT,
                   MISC | TIMED_OUT, WELL, MISC | TIMED_OUT | WELL, MISC | TIMED_OUT | WELL },
  [FAULT_REPEAT] = { HANDSHAKE | WELL, MISC | WELL, MISC | WELL, WELL, MISC | WELL, MISC | WELL },
  [FAULT_DROP] = { HANDSHAKE | TIMED_OUT | WELL, MISC | TIMED_OUT | WELL, MISC | TIMED_OUT | WELL, WELL,
                   MISC | TIMED_OUT | WELL, MISC | TIMED_OUT | WELL },
};

/* Once its first record has been read, there is no doubt that it speaks TLS. But a server that is asked in a version that
 * there is not may answer in that one.
 */
static gboolean
can_be_not_tls (const Fault *fault)
{
  return (fault->unit == UNIT_IN_BYTE && fault->n < RECORD_HEADER) ||
         (fault->unit == UNIT_OUT_BYTE && fault->n < END_OF_HELLO_VERSION);
}

/* A server that is asked in another language goes without a word. */
static gboolean
goes_without_word (const Fault *fault)
{
  return fault->unit == UNIT_OUT_BYTE && fault->n < RECORD_HEADER;
}

static gboolean
can_be_bad_certificate (const Case *this_case)
{
  return this_case->shape == SHAPE_TLS12 && this_case->fault.unit == UNIT_IN_BYTE;
}

static guint
allowed_of_phase (const Case *this_case, const Outcome *outcome)
{
  guint verdicts = allowed[this_case->fault.kind][this_case->phase];

  if (!outcome->struck)
    return WELL;
  if (expectation_has_to_notice (this_case, outcome))
    verdicts &= ~(guint) WELL;
  if (fault_is_damage (&this_case->fault) && !goes_without_word (&this_case->fault))
    verdicts &= ~(guint) TLS_EOF;
  if (!can_be_not_tls (&this_case->fault))
    verdicts &= ~(guint) NOT_TLS;
  if (!can_be_bad_certificate (this_case))
    verdicts &= ~(guint) BAD_CERTIFICATE;
  return verdicts;
}

const Expectation client_expectation = { allowed, allowed_of_phase };
