/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "trial.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/err.h>

/* NOTES:
 *
 * The cases are told in a process of their own, so that one that crashes ends that process and not the test; the next
 * one goes on behind it. What they find is in memory that both share. A case that leaves blocks behind is followed by one
 * with enough memory before it is called a leak: OpenSSL may have filled a cache in it, for good, or have put off to free
 * something.
 */

#define WARM_UPS 3
#define QUEUE_LENGTH_MAX 32 /* OpenSSL has 16 places, and fills them in turn */
#define WORKS_AGAIN_EVERY 64

typedef struct
{
  guint nth; /* the case that is told now */
  gboolean is_over;
  guint n_errors;
  guint n_successes;
  guint n_leaks;
} Findings;

/* Where memory does not come back, most cases end soon, and much as their neighbours do. */
static guint
stride_of (const Story *story, AllocatorMode mode)
{
  guint stride = MAX (story->stride, 1);

  if (mode == ALLOCATOR_FAILS_ON)
    stride *= 5;
  return g_getenv ("GTLS_SESSION_SLOW") != NULL ? 23 * stride : stride;
}

static void
tell_where (const Story *story)
{
  int line;
  const char *file = allocator_get_failed_file (&line);

  if (file != NULL)
    g_printerr ("%s: it does not work again after a call in %s:%d failed\n", story->name, file, line);
}

static Outcome
tell_whole (const Story *story)
{
  Outcome outcome;

  allocator_arm (0, ALLOCATOR_FAILS_ONCE);
  outcome = story->tell (story->data);
  allocator_disarm ();
  if (outcome != story->whole)
    tell_where (story);
  g_assert_cmpint (outcome, ==, story->whole);
  return outcome;
}

/* Each place of the queue keeps the memory for its text. */
static void
fill_error_queue (void)
{
  for (guint i = 0; i < QUEUE_LENGTH_MAX; i++)
    ERR_raise_data (ERR_LIB_USER, 1, "%s",
                    "a text that is longer than most of those that OpenSSL has to tell in a queue");
}

static gint64
warm_up (const Story *story)
{
  if (story->prepare != NULL)
    story->prepare (story->data);
  fill_error_queue ();
  for (guint i = 0; i < WARM_UPS; i++)
    tell_whole (story);
  ERR_clear_error ();
  return allocator_count_live ();
}

static void
look_for_leaks (const Story *story, Findings *findings, gint64 *n_live)
{
  g_autofree char *left = NULL;

  ERR_clear_error ();
  if (allocator_count_live () <= *n_live)
    return;

  left = allocator_describe_live ();
  tell_whole (story);
  ERR_clear_error ();
  if (allocator_count_live () > *n_live)
    {
      g_printerr ("%s: %" G_GINT64_FORMAT " blocks are left of case %u:%s\n", story->name,
                  allocator_count_live () - *n_live, findings->nth, left);
      findings->n_leaks++;
      *n_live = allocator_count_live ();
    }
}

static void
tell_case (const Story *story, AllocatorMode mode, Findings *findings)
{
  Outcome outcome;

  allocator_arm (findings->nth, mode);
  outcome = story->tell (story->data);
  allocator_disarm ();

  if (!allocator_has_failed ())
    {
      findings->is_over = TRUE;
      return;
    }
  if (outcome == OUTCOME_ERROR)
    findings->n_errors++;
  else
    findings->n_successes++;
}

static void
tell_cases (const Story *story, AllocatorMode mode, Findings *findings)
{
  gint64 n_live = warm_up (story);

  for (guint n_told = 1; !findings->is_over; n_told++)
    {
      tell_case (story, mode, findings);
      look_for_leaks (story, findings, &n_live);
      if (n_told % WORKS_AGAIN_EVERY == 0)
        tell_whole (story);
      findings->nth += stride_of (story, mode);
    }
  tell_whole (story);
}

static void
tell_case_from_cold (const Story *story, AllocatorMode mode, Findings *findings)
{
  tell_case (story, mode, findings);
  findings->nth += stride_of (story, mode);
  tell_whole (story);
}

/* In a process of its own; FALSE if that crashed or failed. */
static gboolean
tell_apart (const Story *story, AllocatorMode mode, Findings *findings)
{
  pid_t child;
  int status;

  fflush (NULL);
  child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      if (story->from_cold)
        tell_case_from_cold (story, mode, findings);
      else
        tell_cases (story, mode, findings);
      exit (EXIT_SUCCESS); /* AddressSanitizer then looks for leaks of its own */
    }

  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  if (status == 0)
    return TRUE;

  g_printerr ("%s: case %u ended the process (wait status %d)\n", story->name, findings->nth, status);
  return FALSE;
}

static void
try_mode (const Story *story, AllocatorMode mode)
{
  Findings *findings = mmap (NULL, sizeof *findings, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  guint n_crashes = 0;

  g_assert_true (findings != MAP_FAILED);
  findings->nth = 1;
  while (!findings->is_over)
    if (!tell_apart (story, mode, findings))
      {
        n_crashes++;
        findings->nth += stride_of (story, mode);
        g_assert_cmpuint (n_crashes, <, 100);
      }

  g_test_message ("%s, memory fails %s: %u cases, %u ended with an error, %u went on without harm", story->name,
                  mode == ALLOCATOR_FAILS_ONCE ? "once" : "from then on", findings->n_errors + findings->n_successes,
                  findings->n_errors, findings->n_successes);
  g_assert_cmpuint (n_crashes, ==, 0);
  g_assert_cmpuint (findings->n_leaks, ==, 0);
  g_assert_cmpuint (findings->n_errors + findings->n_successes, >, 0);
  munmap (findings, sizeof *findings);
}

Outcome
trial_outcome (gboolean succeeded, const GError *error)
{
  g_assert_true (succeeded == (error == NULL));
  if (error != NULL)
    g_assert_cmpstr (error->message, !=, "");
  return succeeded ? OUTCOME_SUCCESS : OUTCOME_ERROR;
}

/* A ticket that OpenSSL has no memory for is lost, with a warning, and the connection goes on. */
void
trial_init (void)
{
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
}

void
trial_run (const Story *story)
{
  for (AllocatorMode mode = 0; mode < ALLOCATOR_N_MODES; mode++)
    try_mode (story, mode);
}
