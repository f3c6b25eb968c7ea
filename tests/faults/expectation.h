/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scenario.h"

G_BEGIN_DECLS

/* How a phase can end, as a program is told. */
typedef enum
{
  VERDICT_WELL,
  VERDICT_TLS_EOF,
  VERDICT_TLS_HANDSHAKE,
  VERDICT_TLS_NOT_TLS,
  VERDICT_TLS_BAD_CERTIFICATE,
  VERDICT_TLS_MISC,
  VERDICT_CONNECTION_CLOSED,
  VERDICT_TIMED_OUT,
  VERDICT_CANCELLED,
  VERDICT_NO_TICKET,
  VERDICT_OTHER,
  N_VERDICTS,
} Verdict;

/* As a programmer knows it. */
extern const char *const verdict_names[N_VERDICTS];

Verdict verdict_of_error (const GError *error);

/* What is wrong with an outcome, owned by the caller; NULL: nothing. */
char *expectation_complain (const Case *this_case, const Outcome *outcome);

G_END_DECLS
