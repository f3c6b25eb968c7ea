/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel.h"

G_BEGIN_DECLS

/* A story is told once for each system call in it and each way in which that call can fail. */

typedef enum
{
  OUTCOME_SUCCESS, /* and all was as it should be: the story has looked itself */
  OUTCOME_ERROR,   /* likewise */
} Outcome;

typedef struct
{
  const char *name;
  void (*prepare) (gpointer data); /* nullable; nothing fails in it */
  Outcome (*tell) (gpointer data); /* fails the test where it finds a wrong success, or an error without words */
  void (*look) (gpointer data);    /* nullable; what came of it: nothing fails in it */
  gpointer data;
  const Call *calls; /* those that there have to be, and are made to fail; ends with N_CALLS */
} Story;

/* After g_test_init(). */
void trial_init (void);

/* Says why a story ends with an error. The error is taken, and is one with words. */
Outcome trial_error (GError *error);

/* Prints how many cases there were of each kind of call, and how they ended. */
void trial_run (const Story *story);

G_END_DECLS
