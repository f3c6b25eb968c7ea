/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "expectation.h"

const char *const verdict_names[N_VERDICTS] = {
  [VERDICT_WELL] = "all is well",
  [VERDICT_TLS_EOF] = "G_TLS_ERROR_EOF",
  [VERDICT_TLS_HANDSHAKE] = "G_TLS_ERROR_HANDSHAKE",
  [VERDICT_TLS_NOT_TLS] = "G_TLS_ERROR_NOT_TLS",
  [VERDICT_TLS_BAD_CERTIFICATE] = "G_TLS_ERROR_BAD_CERTIFICATE",
  [VERDICT_TLS_MISC] = "G_TLS_ERROR_MISC",
  [VERDICT_CONNECTION_CLOSED] = "G_IO_ERROR_CONNECTION_CLOSED",
  [VERDICT_TIMED_OUT] = "G_IO_ERROR_TIMED_OUT",
  [VERDICT_CANCELLED] = "G_IO_ERROR_CANCELLED",
  [VERDICT_NO_TICKET] = "G_TLS_SESSION_ERROR_NO_TICKET",
  [VERDICT_OTHER] = "another",
};

Verdict
verdict_of_error (const GError *error)
{
  const struct
  {
    GQuark domain;
    int code;
    Verdict verdict;
  } known[] = {
    { G_TLS_ERROR, G_TLS_ERROR_EOF, VERDICT_TLS_EOF },
    { G_TLS_ERROR, G_TLS_ERROR_HANDSHAKE, VERDICT_TLS_HANDSHAKE },
    { G_TLS_ERROR, G_TLS_ERROR_NOT_TLS, VERDICT_TLS_NOT_TLS },
    { G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, VERDICT_TLS_BAD_CERTIFICATE },
    { G_TLS_ERROR, G_TLS_ERROR_MISC, VERDICT_TLS_MISC },
    { G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED, VERDICT_CONNECTION_CLOSED },
    { G_IO_ERROR, G_IO_ERROR_TIMED_OUT, VERDICT_TIMED_OUT },
    { G_IO_ERROR, G_IO_ERROR_CANCELLED, VERDICT_CANCELLED },
    { G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_NO_TICKET, VERDICT_NO_TICKET },
  };

  if (error == NULL)
    return VERDICT_WELL;
  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_error_matches (error, known[i].domain, known[i].code))
      return known[i].verdict;
  return VERDICT_OTHER;
}

#define RECORD_HEADER 5         /* bytes */
#define END_OF_HELLO_VERSION 11 /* bytes from the beginning of a ClientHello's record */

#define WELL (1 << VERDICT_WELL)
#define TLS_EOF (1 << VERDICT_TLS_EOF)
#define HANDSHAKE (1 << VERDICT_TLS_HANDSHAKE)
#define NOT_TLS (1 << VERDICT_TLS_NOT_TLS)
#define BAD_CERTIFICATE (1 << VERDICT_TLS_BAD_CERTIFICATE)
#define MISC (1 << VERDICT_TLS_MISC)
#define CLOSED (1 << VERDICT_CONNECTION_CLOSED)
#define TIMED_OUT (1 << VERDICT_TIMED_OUT)
#define CANCELLED (1 << VERDICT_CANCELLED)

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

static gboolean
is_to_near_end (const Fault *fault)
{
  return fault->unit == UNIT_IN_BYTE || fault->unit == UNIT_IN_RECORD;
}

static gboolean
is_damage (const Fault *fault)
{
  return fault->kind == FAULT_GARBAGE || fault->kind == FAULT_FLIP;
}

/* The client reads all that passes to it in these phases, and could not have been content with what it got. */
static gboolean
cannot_be_well (const Case *this_case, const Outcome *outcome)
{
  const Fault *fault = &this_case->fault;
  gboolean reads = this_case->phase == PHASE_HANDSHAKE || this_case->phase == PHASE_FIRST_READ ||
                   this_case->phase == PHASE_BULK_READ;
  gboolean changes = is_damage (fault) || fault->kind == FAULT_DROP;

  return reads && changes && is_to_near_end (fault) && outcome->damaged_body;
}

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
allowed_verdicts (const Case *this_case, const Outcome *outcome)
{
  guint verdicts = allowed[this_case->fault.kind][this_case->phase];

  if (!outcome->struck)
    return WELL;
  if (cannot_be_well (this_case, outcome))
    verdicts &= ~(guint) WELL;
  if (is_damage (&this_case->fault) && !goes_without_word (&this_case->fault))
    verdicts &= ~(guint) TLS_EOF;
  if (!can_be_not_tls (&this_case->fault))
    verdicts &= ~(guint) NOT_TLS;
  if (!can_be_bad_certificate (this_case))
    verdicts &= ~(guint) BAD_CERTIFICATE;
  return verdicts;
}

/* The close after the phase; what was cancelled went on undisturbed. */
static guint
allowed_of_close (const Case *this_case, const Outcome *outcome)
{
  if (!outcome->struck || this_case->fault.kind == FAULT_CANCEL)
    return WELL;
  return allowed[this_case->fault.kind][PHASE_CLOSE] | WELL;
}

static char *
list_verdicts (guint verdicts)
{
  GString *list = g_string_new (NULL);

  for (guint i = 0; i < N_VERDICTS; i++)
    if ((verdicts & 1 << i) != 0)
      g_string_append_printf (list, "%s%s", list->len > 0 ? " or " : "", verdict_names[i]);
  return g_string_free (list, FALSE);
}

static char *
complain_of (const char *what, guint expected, const GError *error)
{
  Verdict verdict = verdict_of_error (error);
  g_autofree char *names = list_verdicts (expected);

  if ((expected & 1 << verdict) != 0)
    return NULL;
  return g_strdup_printf ("%s ended with %s (%s) instead of %s", what, verdict_names[verdict],
                          error != NULL ? error->message : "no error", names);
}

char *
expectation_complain (const Case *this_case, const Outcome *outcome)
{
  char *complaint;

  if (outcome->flaw != NULL)
    return g_strdup (outcome->flaw);
  complaint = complain_of (phase_names[this_case->phase], allowed_verdicts (this_case, outcome), outcome->error);
  if (complaint == NULL)
    complaint = complain_of ("the close", allowed_of_close (this_case, outcome), outcome->close_error);
  return complaint;
}
