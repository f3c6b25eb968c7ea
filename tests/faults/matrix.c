/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "matrix.h"

#include <signal.h>
#include <unistd.h>

#include "page.h"

/* NOTES:
 *
 * A fault matrix: every kind of fault, at every place where it can happen, in every kind of connection, by both drivers
 * and over both transports, in every phase. What is to come of each is the Matrix's Expectation.
 *
 * A phase is played once undisturbed, to see how much passes in it. Then it is played for each kind of fault at each piece
 * and each record that passes, and at some places of each direction's bytes, spread evenly. Where the places begin is
 * another one in each group, so that all groups together meet many more. GTLS_FAULT_EVERY=1 is for all bytes, which takes
 * hours; GTLS_FAULT_CASE plays one case, by the name that a failure is told with; GTLS_FAULT_TRACE=1 tells of each case.
 * Where tests are to be short (GTLS_SESSION_SLOW), there is one place for each kind of fault and unit, again another one in
 * each group.
 */

#define PLACES_WHEN_SLOW 1
#define PATIENCE 300 /* s for one case; it takes a millisecond */
#define FAILURES_TOLD 20

#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED TRUE
#else
#define IS_SANITIZED FALSE
#endif

typedef struct
{
  Case like; /* all but the fault */
  guint index;
} Group;

#define CUTS (1 << UNIT_OPERATION | 1 << UNIT_IN_BYTE | 1 << UNIT_OUT_BYTE)
#define BYTES (1 << UNIT_IN_BYTE | 1 << UNIT_OUT_BYTE)
#define RECORDS (1 << UNIT_IN_RECORD | 1 << UNIT_OUT_RECORD)

static const guint units_of_kind[N_FAULTS] = {
  [FAULT_END] = CUTS,    [FAULT_RESET] = CUTS,     [FAULT_STALL] = CUTS,
  [FAULT_CANCEL] = CUTS, [FAULT_TRICKLE] = CUTS,   [FAULT_GARBAGE] = BYTES,
  [FAULT_FLIP] = BYTES,  [FAULT_REPEAT] = RECORDS, [FAULT_DROP] = RECORDS,
};

static const Matrix *matrix;
static Scenery *scenery;
static Counts counts;
static guint n_failures;

static char *running; /* for the alarm */

static void
on_alarm (int signal)
{
  gsize length = 0;

  while (running[length] != '\0')
    length++;
  if (write (STDERR_FILENO, running, length) < 0 || write (STDERR_FILENO, " does not end\n", 14) < 0)
    _exit (2);
  _exit (1);
}

static void
tell_failure (const char *name, const char *complaint)
{
  if (++n_failures <= FAILURES_TOLD)
    g_test_message ("GTLS_FAULT_CASE=%s: %s", name, complaint);
  g_test_fail ();
}

static void
play_case (const Case *this_case, guint nth, Outcome *outcome)
{
  g_autofree char *complaint = NULL;
  g_autofree char *aftermath = NULL;

  g_free (running);
  running = case_to_string (this_case);
  alarm (PATIENCE);
  scenery_play (scenery, this_case, outcome);
  counts.n[this_case->fault.kind][verdict_of_error (outcome->error)]++;
  complaint = expectation_complain (matrix->expectation, this_case, outcome);
  aftermath = scenery_look_after_case (scenery, this_case, outcome, nth);
  alarm (0);

  if (complaint != NULL)
    tell_failure (running, complaint);
  if (aftermath != NULL)
    tell_failure (running, aftermath);
  if (g_getenv ("GTLS_FAULT_TRACE") != NULL)
    g_printerr ("%s %d %d %d %s -- %s\n", running, outcome->struck, outcome->in_short, outcome->damaged_body,
                outcome->error ? outcome->error->message : "well",
                outcome->close_error ? outcome->close_error->message : "well");
}

static guint
count_descriptors (void)
{
  g_autoptr (GDir) directory = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (directory != NULL && g_dir_read_name (directory) != NULL)
    n++;
  return n;
}

static gboolean
is_slow (void)
{
  return g_getenv ("GTLS_SESSION_SLOW") != NULL;
}

/* How many places out of @total are played. */
static guint
count_places (FaultUnit unit, guint total)
{
  if (g_getenv ("GTLS_FAULT_EVERY") != NULL)
    return total;
  if (is_slow ())
    return MIN (total, PLACES_WHEN_SLOW);
  return (1 << unit & BYTES) != 0 ? MIN (total, matrix->places) : total;
}

/* Under valgrind there is time for one in three of the kinds and units in each group, others in the next one. */
static gboolean
is_left_out (const Group *group, FaultKind kind, FaultUnit unit)
{
  return is_slow () && !IS_SANITIZED && (group->index + kind + unit) % 3 != 0;
}

static void
play_unit (const Group *group, FaultKind kind, FaultUnit unit, guint total)
{
  guint n_places = is_left_out (group, kind, unit) ? 0 : count_places (unit, total);
  Case this_case = group->like;

  this_case.fault.kind = kind;
  this_case.fault.unit = unit;
  for (guint i = 0; i < n_places; i++)
    {
      g_auto (Outcome) outcome = { 0 };
      guint begin = (guint) ((guint64) i * total / n_places);
      guint width = (guint) ((guint64) (i + 1) * total / n_places) - begin;

      this_case.fault.n = begin + (group->index * 7 + kind * 3) % width;
      play_case (&this_case, i, &outcome);
    }
}

static void
play_group (gconstpointer data)
{
  const Group *group = data;
  guint n_descriptors = count_descriptors ();
  g_auto (Outcome) plain = { 0 };
  g_autofree char *failure = NULL;

  n_failures = 0;
  play_case (&group->like, 0, &plain);

  for (FaultKind kind = FAULT_END; kind < N_FAULTS; kind++)
    for (FaultUnit unit = 0; unit < N_UNITS; unit++)
      if ((units_of_kind[kind] & 1 << unit) != 0)
        play_unit (group, kind, unit, plain.traffic.counts[unit]);

  failure = scenery_look_after_group (scenery, &group->like);
  if (failure != NULL)
    tell_failure ("afterwards", failure);
  if (count_descriptors () != n_descriptors)
    {
      g_autofree char *complaint = g_strdup_printf ("%u descriptors, %u before", count_descriptors (), n_descriptors);

      tell_failure ("descriptors", complaint);
    }
}

static void
tell_counts (void)
{
  g_autofree char *table = counts_to_table (&counts, matrix->heading);
  g_auto (GStrv) rows = g_strsplit (table, "\n", -1);

  for (guint i = 0; rows[i] != NULL; i++)
    g_print ("# %s\n", rows[i]);
}

/* doc/faults.md says how many they are, and is right. */
static void
counts_are_those_of_the_page (gconstpointer path)
{
  g_autofree char *complaint = NULL;

  if (is_slow ())
    return; /* there are fewer */

  g_assert_cmpuint (counts_total (&counts), >=, matrix->n_promised);
  if (g_getenv ("GTLS_FAULT_WRITE") != NULL)
    page_write (path, matrix->heading, &counts);
  complaint = page_complain (path, matrix->heading, &counts);
  g_assert_cmpstr (complaint, ==, NULL);
}

static Group groups[N_SHAPES * N_DRIVERS * N_TRANSPORTS * N_PHASES];

static void
add_group (const Case *like, guint index)
{
  g_autofree char *path = g_strdup_printf ("/%s/%s/%s/%s/%s", matrix->name, shape_names[like->shape],
                                           driver_names[like->driver], transport_names[like->transport],
                                           phase_names[like->phase]);
  Group *group = &groups[index];

  group->like = *like;
  group->index = index;
  g_test_add_data_func (path, group, play_group);
}

static void
add_groups (void)
{
  guint index = 0;

  for (Shape shape = 0; shape < N_SHAPES; shape++)
    for (Driver driver = 0; driver < N_DRIVERS; driver++)
      for (Transport transport = 0; transport < N_TRANSPORTS; transport++)
        for (Phase phase = 0; phase < N_PHASES; phase++)
          {
            Case like = { .shape = shape, .driver = driver, .transport = transport, .phase = phase };

            if (matrix->has_group (&like))
              add_group (&like, index++);
          }
}

static void
play_named (gconstpointer name)
{
  g_auto (Outcome) outcome = { 0 };
  Case this_case;

  g_assert_true (case_from_string (name, &this_case));
  play_case (&this_case, 0, &outcome);
  g_test_message ("%s, then %s", outcome.error != NULL ? outcome.error->message : "all is well",
                  outcome.close_error != NULL ? outcome.close_error->message : "closed well");
}

int
matrix_main (const Matrix *self, int argc, char **argv)
{
  const char *name = g_getenv ("GTLS_FAULT_CASE");
  int result;

  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 2);
  signal (SIGALRM, on_alarm);
  matrix = self;
  scenery = scenery_new ();
  if (name != NULL)
    {
      g_test_add_data_func ("/one", name, play_named);
    }
  else
    {
      add_groups ();
      g_test_add_data_func ("/counts/are_those_of_the_page", argv[1], counts_are_those_of_the_page);
    }
  result = g_test_run ();
  tell_counts ();
  scenery_free (scenery);
  g_free (running);
  return result;
}
