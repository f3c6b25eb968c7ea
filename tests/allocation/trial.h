/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "allocator.h"

G_BEGIN_DECLS

/* A story is told once for each call of OpenSSL's allocator in it, and this call fails. */

typedef enum
{
  OUTCOME_SUCCESS, /* and all was as it should be: the story has looked itself */
  OUTCOME_ERROR,   /* likewise */
} Outcome;

typedef struct
{
  const char *name;
  void (*prepare) (gpointer data); /* nullable; once in each process that tells cases, and nothing fails in it */
  Outcome (*tell) (gpointer data); /* fails the test where it finds a wrong success, or an error without words */
  gpointer data;
  Outcome whole;      /* how it ends when there is memory */
  gboolean from_cold; /* each case in a process in which it has not been told yet */
  guint stride;       /* every so many calls one fails; 0: each */
} Story;

/* Of a call that either succeeds or sets an error with words. */
Outcome trial_outcome (gboolean succeeded, const GError *error);

/* After g_test_init(). */
void trial_init (void);

/* Tells @story in all modes of the allocator, and prints how many cases there were and how they ended. */
void trial_run (const Story *story);

G_END_DECLS
