/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "expectation.h"

#define RECORD_HEADER 5 /* bytes */

/* NOTES:
 *
 * What may come of a fault to a server. Where there is a choice, it is for the reasons in client-expectation.c, and these:
 *
 *   - With TLS 1.2 and a full handshake a server's is over before the client has read its last flight. What was hurt of
 *     that is told by the first read.
 *   - A ClientHello may be changed so that its session is not known any more. Early data are then refused, and what cannot
 *     be read is taken for some of them, the client's alert as well (RFC 8446, section 4.2.10); then comes the end.
 *   - Who has heard something before closes a dialogue, and nothing is wrong if the client does not answer that. In the
 *     matrix it is only with early data that somebody has.
 */
static const guint allowed[N_FAULTS][N_PHASES] = {
  [FAULT_NONE] = { [PHASE_HANDSHAKE] = WELL,
                   [PHASE_FIRST_READ] = WELL,
                   [PHASE_BULK_READ] = WELL,
                   [PHASE_BULK_WRITE] = WELL,
                   [PHASE_CLOSE] = WELL },
  [FAULT_END] = { [PHASE_HANDSHAKE] = TLS_EOF,
                  [PHASE_FIRST_READ] = TLS_EOF,
                  [PHASE_BULK_READ] = TLS_EOF,
                  [PHASE_BULK_WRITE] = WELL,
                  [PHASE_CLOSE] = WELL },
  [FAULT_RESET] = { [PHASE_HANDSHAKE] = CLOSED,
                    [PHASE_FIRST_READ] = CLOSED,
                    [PHASE_BULK_READ] = CLOSED,
                    [PHASE_BULK_WRITE] = CLOSED,
                    [PHASE_CLOSE] = CLOSED },
  [FAULT_STALL] = { [PHASE_HANDSHAKE] = TIMED_OUT,
                    [PHASE_FIRST_READ] = TIMED_OUT,
                    [PHASE_BULK_READ] = TIMED_OUT,
                    [PHASE_BULK_WRITE] = TIMED_OUT,
                    [PHASE_CLOSE] = TIMED_OUT },
  [FAULT_CANCEL] = { [PHASE_HANDSHAKE] = CANCELLED,
                     [PHASE_FIRST_READ] = CANCELLED,
                     [PHASE_BULK_READ] = CANCELLED,
                     [PHASE_BULK_WRITE] = CANCELLED,
                     [PHASE_CLOSE] = CANCELLED },
  [FAULT_TRICKLE] = { [PHASE_HANDSHAKE] = WELL,
                      [PHASE_FIRST_READ] = WELL,
                      [PHASE_BULK_READ] = WELL,
                      [PHASE_BULK_WRITE] = WELL,
                      [PHASE_CLOSE] = WELL },
  [FAULT_GARBAGE] = { [PHASE_HANDSHAKE] = HANDSHAKE | NOT_TLS | TIMED_OUT | WELL,
                      [PHASE_FIRST_READ] = MISC | TIMED_OUT,
                      [PHASE_BULK_READ] = MISC | TIMED_OUT,
                      [PHASE_BULK_WRITE] = WELL,
                      [PHASE_CLOSE] = MISC | TIMED_OUT | WELL },
  [FAULT_FLIP] = { [PHASE_HANDSHAKE] = HANDSHAKE | NOT_TLS | TIMED_OUT | WELL,
                   [PHASE_FIRST_READ] = MISC | TIMED_OUT,
                   [PHASE_BULK_READ] = MISC | TIMED_OUT,
                   [PHASE_BULK_WRITE] = WELL,
                   [PHASE_CLOSE] = MISC | TIMED_OUT | WELL },
  [FAULT_REPEAT] = { [PHASE_HANDSHAKE] = HANDSHAKE | WELL,
                     [PHASE_FIRST_READ] = MISC | WELL,
                     [PHASE_BULK_READ] = MISC | WELL,
                     [PHASE_BULK_WRITE] = WELL,
                     [PHASE_CLOSE] = MISC | WELL },
  [FAULT_DROP] = { [PHASE_HANDSHAKE] = HANDSHAKE | TIMED_OUT | WELL,
                   [PHASE_FIRST_READ] = MISC | TIMED_OUT | WELL,
                   [PHASE_BULK_READ] = MISC | TIMED_OUT | WELL,
                   [PHASE_BULK_WRITE] = WELL,
                   [PHASE_CLOSE] = MISC | TIMED_OUT | WELL },
};

/* All that passes to the client while the server reads is tickets, and the client has spoken before it looks at them. */
static gboolean
hurts_tickets_only (const Case *this_case)
{
  gboolean reads = this_case->phase == PHASE_FIRST_READ || this_case->phase == PHASE_BULK_READ;

  return reads && this_case->shape != SHAPE_TLS12 && this_case->fault.kind >= FAULT_GARBAGE &&
         !fault_is_to_near_end (&this_case->fault);
}

/* Once its first record has been read, there is no doubt that it speaks TLS. */
static gboolean
can_be_not_tls (const Fault *fault)
{
  return fault->unit == UNIT_IN_BYTE && fault->n < RECORD_HEADER;
}

/* The client's alert may be skipped as refused early data are. */
static gboolean
can_miss_alert (const Case *this_case)
{
  return this_case->shape == SHAPE_EARLY_DATA && phase_shakes_hands (this_case->phase) &&
         fault_is_damage (&this_case->fault) && this_case->fault.unit == UNIT_IN_BYTE;
}

/* Nor does a client say anything that is answered in another language. */
static gboolean
can_miss_word (const Case *this_case)
{
  const Fault *fault = &this_case->fault;

  return can_miss_alert (this_case) || (phase_shakes_hands (this_case->phase) && fault_is_damage (fault) &&
                                        fault->unit == UNIT_OUT_BYTE && fault->n < RECORD_HEADER);
}

static gboolean
ends_dialogue (const Case *this_case)
{
  return this_case->phase == PHASE_CLOSE && this_case->shape == SHAPE_EARLY_DATA;
}

static guint
allowed_of_phase (const Case *this_case, const Outcome *outcome)
{
  Phase phase = this_case->phase == PHASE_FIRST_WRITE ? PHASE_HANDSHAKE : this_case->phase;
  guint verdicts = allowed[this_case->fault.kind][phase];

  if (!outcome->struck || hurts_tickets_only (this_case))
    return WELL;
  if (this_case->fault.kind == FAULT_STALL && ends_dialogue (this_case))
    return WELL;
  if (expectation_has_to_notice (this_case, outcome))
    verdicts &= ~(guint) WELL;
  if (!can_be_not_tls (&this_case->fault))
    verdicts &= ~(guint) NOT_TLS;
  if (can_miss_word (this_case))
    verdicts |= TLS_EOF;
  return verdicts;
}

const Expectation server_expectation = { allowed, allowed_of_phase };
