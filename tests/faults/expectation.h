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

/* Sets of them */
#define WELL (1 << VERDICT_WELL)
#define TLS_EOF (1 << VERDICT_TLS_EOF)
#define HANDSHAKE (1 << VERDICT_TLS_HANDSHAKE)
#define NOT_TLS (1 << VERDICT_TLS_NOT_TLS)
#define BAD_CERTIFICATE (1 << VERDICT_TLS_BAD_CERTIFICATE)
#define MISC (1 << VERDICT_TLS_MISC)
#define CLOSED (1 << VERDICT_CONNECTION_CLOSED)
#define TIMED_OUT (1 << VERDICT_TIMED_OUT)
#define CANCELLED (1 << VERDICT_CANCELLED)

gboolean fault_is_to_near_end (const Fault *fault);

/* Bytes are changed. */
gboolean fault_is_damage (const Fault *fault);

/* The connection reads all that passes to it in such a phase, and could not have been content with what it got. */
gboolean expectation_has_to_notice (const Case *this_case, const Outcome *outcome);

/* What may come of a case: sets of verdicts. @of_phase is what is @allowed, but for what the case itself excludes. */
typedef struct
{
  const guint (*allowed)[N_PHASES]; /* by the kind of fault */
  guint (*of_phase) (const Case *this_case, const Outcome *outcome);
} Expectation;

extern const Expectation client_expectation;

extern const Expectation server_expectation;

/* What is wrong with an outcome, owned by the caller; NULL: nothing. */
char *expectation_complain (const Expectation *self, const Case *this_case, const Outcome *outcome);

G_END_DECLS
