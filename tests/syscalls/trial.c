/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "trial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gio/gio.h>

/* NOTES:
 *
 * The cases are told in a process of their own, so that one that crashes, or hangs, ends that process and not the test;
 * the next one goes on behind it. What they find is in memory that both share.
 *
 * A case is a kind of call, a fault, a mode and a number. Numbers go up until there is no such call any more.
 */

#define PATIENCE 60 /* seconds for a case */
#define DESCRIPTORS_MAX 256
#define FAULTS_MAX 6
#define MODES_MAX 2

typedef enum
{
  PROMISE_NONE,
  PROMISE_ERROR_OR_RIGHT, /* there is an error with words, or nothing is to be seen of it */
  PROMISE_INVISIBLE,      /* nothing is to be seen of it */
} Promise;

typedef struct
{
  int fault;
  Promise promise;
  gboolean once_only; /* it would not go on in the world either, or would make SQLite wait for seconds */
} Fault;

/* Reading and writing are tried again after EINTR by everybody here. What SQLite calls and does not try again (fdatasync())
 * fails with words. Linux has no EINTR for the others.
 */
static const Fault faults[N_CALLS][FAULTS_MAX] = {
  [CALL_RECV] = { { EINTR, PROMISE_INVISIBLE },
                  { EAGAIN, PROMISE_INVISIBLE },
                  { FAULT_SHORT, PROMISE_INVISIBLE },
                  { ECONNRESET, PROMISE_ERROR_OR_RIGHT },
                  { ENOMEM, PROMISE_ERROR_OR_RIGHT } },
  [CALL_SEND] = { { EINTR, PROMISE_INVISIBLE },
                  { EAGAIN, PROMISE_INVISIBLE },
                  { FAULT_SHORT, PROMISE_INVISIBLE },
                  { ECONNRESET, PROMISE_ERROR_OR_RIGHT },
                  { EPIPE, PROMISE_ERROR_OR_RIGHT },
                  { ENOMEM, PROMISE_ERROR_OR_RIGHT } },
  [CALL_POLL] = { { EINTR, PROMISE_INVISIBLE }, { ENOMEM, PROMISE_ERROR_OR_RIGHT, .once_only = TRUE } },
  [CALL_SHUTDOWN] = { { ENOTCONN, PROMISE_ERROR_OR_RIGHT }, { ENOMEM, PROMISE_ERROR_OR_RIGHT } },
  [CALL_OPEN] = { { EINTR, PROMISE_INVISIBLE },
                  { EMFILE, PROMISE_ERROR_OR_RIGHT },
                  { ENOSPC, PROMISE_ERROR_OR_RIGHT },
                  { EACCES, PROMISE_ERROR_OR_RIGHT },
                  { EIO, PROMISE_ERROR_OR_RIGHT },
                  { ENOMEM, PROMISE_ERROR_OR_RIGHT } },
  [CALL_READ] = { { EINTR, PROMISE_INVISIBLE }, { FAULT_SHORT, PROMISE_INVISIBLE }, { EIO, PROMISE_ERROR_OR_RIGHT } },
  [CALL_WRITE] = { { EINTR, PROMISE_INVISIBLE },
                   { FAULT_SHORT, PROMISE_INVISIBLE },
                   { ENOSPC, PROMISE_ERROR_OR_RIGHT },
                   { EIO, PROMISE_ERROR_OR_RIGHT } },
  [CALL_CLOSE] = { { EINTR, PROMISE_INVISIBLE }, { EIO, PROMISE_ERROR_OR_RIGHT } },
  [CALL_PREAD] = { { EINTR, PROMISE_INVISIBLE }, { FAULT_SHORT, PROMISE_INVISIBLE }, { EIO, PROMISE_ERROR_OR_RIGHT } },
  [CALL_PWRITE] = { { EINTR, PROMISE_INVISIBLE },
                    { FAULT_SHORT, PROMISE_INVISIBLE },
                    { ENOSPC, PROMISE_ERROR_OR_RIGHT },
                    { EIO, PROMISE_ERROR_OR_RIGHT } },
  [CALL_FSYNC] = { { EINTR, PROMISE_INVISIBLE }, { EIO, PROMISE_ERROR_OR_RIGHT }, { ENOSPC, PROMISE_ERROR_OR_RIGHT } },
  [CALL_FDATASYNC] = { { EINTR, PROMISE_ERROR_OR_RIGHT },
                       { EIO, PROMISE_ERROR_OR_RIGHT },
                       { ENOSPC, PROMISE_ERROR_OR_RIGHT } },
  [CALL_FTRUNCATE] = { { EINTR, PROMISE_INVISIBLE },
                       { EIO, PROMISE_ERROR_OR_RIGHT },
                       { ENOSPC, PROMISE_ERROR_OR_RIGHT } },
  [CALL_FCHMOD] = { { EPERM, PROMISE_ERROR_OR_RIGHT }, { EIO, PROMISE_ERROR_OR_RIGHT } },
  [CALL_LINK] = { { EACCES, PROMISE_ERROR_OR_RIGHT },
                  { ENOSPC, PROMISE_ERROR_OR_RIGHT },
                  { EIO, PROMISE_ERROR_OR_RIGHT } },
  [CALL_UNLINK] = { { EACCES, PROMISE_ERROR_OR_RIGHT }, { EIO, PROMISE_ERROR_OR_RIGHT } },
  [CALL_MKDIR] = { { EACCES, PROMISE_ERROR_OR_RIGHT }, { ENOSPC, PROMISE_ERROR_OR_RIGHT } },
  [CALL_STAT] = { { EACCES, PROMISE_ERROR_OR_RIGHT }, { EIO, PROMISE_ERROR_OR_RIGHT } },
  [CALL_LOCK] = { { EAGAIN, PROMISE_ERROR_OR_RIGHT, .once_only = TRUE },
                  { EIO, PROMISE_ERROR_OR_RIGHT, .once_only = TRUE } },
  [CALL_MMAP] = { { ENOMEM, PROMISE_ERROR_OR_RIGHT }, { EACCES, PROMISE_ERROR_OR_RIGHT } },
};

typedef struct
{
  guint call; /* the place in the story's list */
  guint fault;
  guint mode;
  guint nth;
  gboolean is_over;
  guint n_cases[N_CALLS];
  guint n_errors;
  guint n_successes;
  guint n_broken; /* promises */
} Findings;

static char last_error[512]; /* of this process */

Outcome
trial_error (GError *error)
{
  g_assert_nonnull (error);
  g_assert_cmpstr (error->message, !=, "");
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_strlcpy (last_error, error->message, sizeof last_error);
  g_error_free (error);
  return OUTCOME_ERROR;
}

/* Which case */

static Call
call_of (const Story *story, const Findings *findings)
{
  return story->calls[findings->call];
}

static const Fault *
fault_of (const Story *story, const Findings *findings)
{
  return &faults[call_of (story, findings)][findings->fault];
}

static KernelMode
mode_of (const Story *story, const Findings *findings)
{
  if (findings->mode == 0)
    return KERNEL_FAILS_ONCE;
  return fault_of (story, findings)->promise == PROMISE_INVISIBLE ? KERNEL_FAILS_EACH_TIME : KERNEL_FAILS_ON;
}

static char *
name_case (const Story *story, const Findings *findings)
{
  static const char *const modes[] = {
    [KERNEL_FAILS_ONCE] = "once",
    [KERNEL_FAILS_ON] = "from then on",
    [KERNEL_FAILS_EACH_TIME] = "each time",
  };
  int fault = fault_of (story, findings)->fault;

  return g_strdup_printf ("%s, %s no. %u, %s, %s", story->name, kernel_name (call_of (story, findings)), findings->nth,
                          fault == FAULT_SHORT ? "too little" : g_strerror (fault), modes[mode_of (story, findings)]);
}

static gboolean
is_slow (void)
{
  return g_getenv ("GTLS_SESSION_SLOW") != NULL;
}

static void
go_to_next_number (Findings *findings)
{
  findings->nth += is_slow () ? 17 : 1;
}

static void
go_to_next_kind (const Story *story, Findings *findings)
{
  findings->nth = 1;
  findings->mode++;
  if (findings->mode < MODES_MAX && !is_slow () && !fault_of (story, findings)->once_only)
    return;

  findings->mode = 0;
  findings->fault++;
  if (findings->fault < FAULTS_MAX && fault_of (story, findings)->promise != PROMISE_NONE)
    return;

  findings->fault = 0;
  findings->call++;
  findings->is_over = call_of (story, findings) == N_CALLS;
}

/* Cases */

static guint
count_descriptors (void)
{
  guint n = 0;

  for (int fd = 0; fd < DESCRIPTORS_MAX; fd++)
    if (fcntl (fd, F_GETFD) >= 0)
      n++;
  return n;
}

/* Of a call that there never is. */
static void
tell_whole (const Story *story)
{
  Outcome outcome;

  last_error[0] = '\0';
  if (story->prepare != NULL)
    story->prepare (story->data);
  outcome = story->tell (story->data);
  if (outcome != OUTCOME_SUCCESS)
    g_printerr ("%s: it fails by itself: %s\n", story->name, last_error);
  g_assert_cmpint (outcome, ==, OUTCOME_SUCCESS);
  if (story->look != NULL)
    story->look (story->data);
}

static void
judge_case (const Story *story, Findings *findings, Outcome outcome, guint n_leaked)
{
  g_autofree char *name = name_case (story, findings);

  findings->n_cases[call_of (story, findings)]++;
  if (outcome == OUTCOME_ERROR)
    findings->n_errors++;
  else
    findings->n_successes++;

  if (outcome == OUTCOME_ERROR && fault_of (story, findings)->promise == PROMISE_INVISIBLE)
    {
      findings->n_broken++;
      g_printerr ("%s: it is seen: %s\n", name, last_error);
    }
  if (n_leaked > 0)
    {
      findings->n_broken++;
      g_printerr ("%s: %u descriptors are left\n", name, n_leaked);
    }
}

static void
tell_case (const Story *story, Findings *findings)
{
  guint n_descriptors = count_descriptors ();
  Outcome outcome;
  gboolean has_failed;

  alarm (PATIENCE);
  last_error[0] = '\0';
  if (story->prepare != NULL)
    story->prepare (story->data);
  kernel_arm (call_of (story, findings), findings->nth, fault_of (story, findings)->fault, mode_of (story, findings));
  outcome = story->tell (story->data);
  has_failed = kernel_disarm ();
  if (story->look != NULL)
    story->look (story->data);
  alarm (0);

  if (has_failed)
    {
      judge_case (story, findings, outcome, count_descriptors () - n_descriptors);
      go_to_next_number (findings);
    }
  else
    go_to_next_kind (story, findings);
}

static void
tell_cases (const Story *story, Findings *findings)
{
  tell_whole (story);
  while (!findings->is_over)
    tell_case (story, findings);
  tell_whole (story);
}

/* In a process of its own; FALSE if that crashed or failed. */
static gboolean
tell_apart (const Story *story, Findings *findings)
{
  g_autofree char *name = NULL;
  pid_t child;
  int status;

  fflush (NULL);
  child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      tell_cases (story, findings);
      exit (EXIT_SUCCESS); /* AddressSanitizer then looks for leaks of its own */
    }

  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  if (status == 0)
    return TRUE;

  name = findings->is_over ? g_strdup (story->name) : name_case (story, findings);
  g_printerr ("%s: this ended the process (wait status %d)\n", name, status);
  return FALSE;
}

static void
print_findings (const Story *story, const Findings *findings)
{
  g_autoptr (GString) kinds = g_string_new (NULL);

  for (const Call *call = story->calls; *call != N_CALLS; call++)
    g_string_append_printf (kinds, "%s%s %u", kinds->len > 0 ? ", " : "", kernel_name (*call),
                            findings->n_cases[*call]);
  g_test_message ("%s: %u cases, %u ended with an error, %u went on without harm (%s)", story->name,
                  findings->n_errors + findings->n_successes, findings->n_errors, findings->n_successes, kinds->str);
}

/* A call is made to fail twice at the most, and there are signals and full disks that are over then. */
void
trial_init (void)
{
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
}

void
trial_run (const Story *story)
{
  Findings *findings = mmap (NULL, sizeof *findings, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  guint n_crashes = 0;

  g_assert_true (findings != MAP_FAILED);
  findings->nth = 1;
  while (!tell_apart (story, findings))
    {
      n_crashes++;
      g_assert_cmpuint (n_crashes, <, 100);
      g_assert_false (findings->is_over);
      go_to_next_number (findings);
    }

  print_findings (story, findings);
  g_assert_cmpuint (n_crashes, ==, 0);
  g_assert_cmpuint (findings->n_broken, ==, 0);
  for (const Call *call = story->calls; *call != N_CALLS; call++)
    g_assert_cmpuint (findings->n_cases[*call], >, 0);
  munmap (findings, sizeof *findings);
}
