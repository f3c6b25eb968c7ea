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

gboolean
fault_is_to_near_end (const Fault *fault)
{
  return fault->unit == UNIT_IN_BYTE || fault->unit == UNIT_IN_RECORD;
}

gboolean
fault_is_damage (const Fault *fault)
{
  return fault->kind == FAULT_GARBAGE || fault->kind == FAULT_FLIP;
}

gboolean
expectation_has_to_notice (const Case *this_case, const Outcome *outcome)
{
  const Fault *fault = &this_case->fault;
  gboolean reads = phase_shakes_hands (this_case->phase) || this_case->phase == PHASE_FIRST_READ ||
                   this_case->phase == PHASE_BULK_READ;
  gboolean changes = fault_is_damage (fault) || fault->kind == FAULT_DROP;

  return reads && changes && fault_is_to_near_end (fault) && outcome->damaged_body;
}

/* The close after the phase; what was cancelled went on undisturbed. */
static guint
allowed_of_close (const Expectation *self, const Case *this_case, const Outcome *outcome)
{
  if (!outcome->struck || this_case->fault.kind == FAULT_CANCEL)
    return WELL;
  return self->allowed[this_case->fault.kind][PHASE_CLOSE] | WELL;
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
expectation_complain (const Expectation *self, const Case *this_case, const Outcome *outcome)
{
  char *complaint;

  if (outcome->flaw != NULL)
    return g_strdup (outcome->flaw);
  complaint = complain_of (phase_names[this_case->phase], self->of_phase (this_case, outcome), outcome->error);
  if (complaint == NULL)
    complaint = complain_of ("the close", allowed_of_close (self, this_case, outcome), outcome->close_error);
  return complaint;
}
