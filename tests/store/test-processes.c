/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What becomes of a GTlsSessionFileStore that many processes use, some of which are killed. */

#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>

#define N_WORKERS 8
#define TICKETS_PER_KEY 50
#define ID_LENGTH 16

/* Workers */

static pid_t
start_worker (const char *verb, const char *path, const char *argument, int output)
{
  const char *program = g_getenv ("GTLS_SESSION_STORE_WORKER");
  pid_t worker;

  g_assert_nonnull (program);
  worker = fork ();
  g_assert_cmpint (worker, >=, 0);
  if (worker == 0)
    {
      if (output >= 0)
        dup2 (output, STDOUT_FILENO);
      execl (program, program, verb, path, argument, NULL);
      _exit (127);
    }
  return worker;
}

static void
assert_ended_well (int status)
{
  if (!WIFEXITED (status) || WEXITSTATUS (status) != 0)
    g_error ("A worker ended with the wait status %d", status);
}

/* Whether @worker has ended. */
static gboolean
has_ended (pid_t worker)
{
  int status;
  pid_t ended = waitpid (worker, &status, WNOHANG);

  g_assert_cmpint (ended, >=, 0);
  if (ended == worker)
    assert_ended_well (status);
  return ended == worker;
}

static void
wait_for (pid_t worker)
{
  int status;

  g_assert_cmpint (waitpid (worker, &status, 0), ==, worker);
  assert_ended_well (status);
}

/* TRUE if it was killed, FALSE if it had ended by itself. */
static gboolean
kill_worker (pid_t worker)
{
  int status;

  g_assert_cmpint (kill (worker, SIGKILL), ==, 0);
  g_assert_cmpint (waitpid (worker, &status, 0), ==, worker);
  if (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL)
    return TRUE;
  assert_ended_well (status);
  return FALSE;
}

/* A store full of tickets, and what the workers say that they took of it */

typedef struct
{
  char *path;
  guint n_tickets;
  guint n_keys;
  char *n_keys_text;
  GHashTable *expected; /* the tickets' ids */
  char *reports;
  int output;
} Heap;

static guint
scale (guint count)
{
  return g_getenv ("GTLS_SESSION_SLOW") != NULL ? count / 10 : count;
}

static Heap *
heap_new (void)
{
  Heap *self = g_new0 (Heap, 1);
  g_autoptr (Mill) mill = mill_new (HANDSHAKE_TLS_1_3);
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionStore) store = NULL;

  /* Certificates are most of the work of reading a ticket; the server's own is in the session anyway. */
  g_ptr_array_set_size (mill->recipe->certificates, 0);
  mill->recipe->claimed_certificates = 0;

  self->path = files_new_path ();
  self->n_tickets = scale (10000);
  self->n_keys = self->n_tickets / TICKETS_PER_KEY;
  self->n_keys_text = g_strdup_printf ("%u", self->n_keys);
  self->expected = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->reports = files_beside (self->path, ".reports");
  self->output = g_open (self->reports, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  g_assert_cmpint (self->output, >=, 0);

  store = g_initable_new (G_TLS_SESSION_TYPE_FILE_STORE, NULL, &error, "path", self->path, "max-tickets", 100000,
                          "max-tickets-per-peer", TICKETS_PER_KEY, NULL);
  g_assert_no_error (error);
  for (guint i = 0; i < self->n_tickets; i++)
    {
      g_autofree char *key = g_strdup_printf ("%u", i % self->n_keys);
      g_autoptr (GTlsSessionTicket) ticket = mill_make (mill, i);

      store_put (store, key, ticket);
      g_assert_true (g_hash_table_add (self->expected, g_strdup (g_tls_session_ticket_get_id (ticket))));
    }
  return self;
}

static void
heap_free (Heap *self)
{
  close (self->output);
  g_hash_table_unref (self->expected);
  g_free (self->reports);
  g_free (self->n_keys_text);
  g_free (self->path);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Heap, heap_free)

static pid_t
heap_start_taker (Heap *self)
{
  return start_worker ("take", self->path, self->n_keys_text, self->output);
}

static guint
heap_count_reports (Heap *self)
{
  GStatBuf info;

  g_assert_cmpint (g_stat (self->reports, &info), ==, 0);
  return (guint) (info.st_size / (ID_LENGTH + 1));
}

/* Each one that was put, and none twice. How many there are. */
static guint
heap_check_reports (Heap *self)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autofree char *contents = NULL;
  g_auto (GStrv) lines = NULL;

  g_assert_true (g_file_get_contents (self->reports, &contents, NULL, NULL));
  lines = g_strsplit (g_strchomp (contents), "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      if (!g_hash_table_contains (self->expected, lines[i]))
        g_error ("\"%s\" was taken and never put", lines[i]);
      if (!g_hash_table_add (seen, lines[i]))
        g_error ("%s was taken twice", lines[i]);
    }
  return g_hash_table_size (seen);
}

/* The stories */

static void
each_ticket_goes_to_one_process (void)
{
  g_autoptr (Heap) heap = heap_new ();
  pid_t workers[N_WORKERS];

  for (guint i = 0; i < N_WORKERS; i++)
    workers[i] = heap_start_taker (heap);
  for (guint i = 0; i < N_WORKERS; i++)
    wait_for (workers[i]);

  g_assert_cmpuint (heap_check_reports (heap), ==, heap->n_tickets);
  g_assert_cmpint (files_count (heap->path), ==, 0);
  files_assert_sound (heap->path);
}

/* Kills one worker after the other, each as soon as 50 ms have passed and some tickets were taken since the last, so that
 * there is an end to it however slow everything is. Another one takes its place. How many were killed.
 */
static guint
take_and_kill (Heap *heap)
{
  pid_t workers[N_WORKERS];
  guint n_running = N_WORKERS, n_killed = 0, n_reports = 0;
  guint next = 0;

  for (guint i = 0; i < N_WORKERS; i++)
    workers[i] = heap_start_taker (heap);

  while (n_running > 0)
    {
      guint n_now;

      g_usleep (50 * 1000);
      n_running = 0;
      for (guint i = 0; i < N_WORKERS; i++)
        {
          if (workers[i] != 0 && has_ended (workers[i]))
            workers[i] = 0;
          n_running += workers[i] != 0;
        }

      n_now = heap_count_reports (heap);
      next = (next + 1) % N_WORKERS;
      if (n_now < n_reports + heap->n_tickets / 200 || workers[next] == 0)
        continue;
      n_reports = n_now;
      n_killed += kill_worker (workers[next]);
      workers[next] = heap_start_taker (heap);
      n_running++;
    }
  return n_killed;
}

static void
killed_processes_give_nothing_out_twice (void)
{
  g_autoptr (Heap) heap = heap_new ();
  guint n_killed = take_and_kill (heap);
  guint n_reported = heap_check_reports (heap);
  guint n_left = (guint) files_count (heap->path);
  guint n_in_hand = heap->n_tickets - n_reported - n_left; /* of processes that were killed before they wrote it down */

  g_test_message ("%u processes were killed; of %u tickets %u were reported, %u were left, %u were lost with a process",
                  n_killed, heap->n_tickets, n_reported, n_left, n_in_hand);
  g_assert_cmpuint (n_killed, >, 0);
  g_assert_cmpuint (n_left, ==, 0);
  g_assert_cmpuint (n_reported + n_left, <=, heap->n_tickets);
  g_assert_cmpuint (n_in_hand, <=, n_killed);
  files_assert_sound (heap->path);
}

/* None of them finds the file, and all make it: one file and one key have to come of it. */
static void
processes_that_make_it_at_once_share_it (void)
{
  for (guint round = 0; round < scale (20); round++)
    {
      g_autofree char *path = files_new_path ();
      g_autoptr (GTlsSessionFileStore) store = NULL;
      pid_t workers[N_WORKERS];

      for (guint i = 0; i < N_WORKERS; i++)
        {
          g_autofree char *name = g_strdup_printf ("%u", i);

          workers[i] = start_worker ("save", path, name, -1);
        }
      for (guint i = 0; i < N_WORKERS; i++)
        wait_for (workers[i]);

      store = files_open (path);
      for (guint i = 0; i < N_WORKERS; i++)
        {
          g_autofree char *name = g_strdup_printf ("%u", i);
          g_autofree char *text = store_load (store, name);

          g_assert_cmpstr (text, ==, name);
        }
    }
}

/* However far it got, the next one can open it. */
static void
process_killed_while_it_makes_the_file_harms_nobody (void)
{
  guint n_rounds = scale (100), n_killed = 0;

  for (guint round = 0; round < n_rounds; round++)
    {
      g_autofree char *path = files_new_path ();
      g_autoptr (GTlsSessionFileStore) store = NULL;
      g_autofree char *text = NULL;
      pid_t worker = start_worker ("save", path, "name", -1);

      g_usleep (round * 20 * 1000 / n_rounds);
      n_killed += kill_worker (worker);
      store = files_open (path);
      text = store_load (store, "name");
      g_assert_true (text == NULL || g_str_equal (text, "name"));
      store_save (store, "name", "other");
      g_clear_object (&store);
      files_assert_sound (path);
    }
  g_test_message ("%u of %u processes were killed", n_killed, n_rounds);
  g_assert_cmpuint (n_killed, >, 0);
}

int
main (int argc, char **argv)
{
  files_init (&argc, &argv);

  g_test_add_func ("/store/processes/each_ticket_goes_to_one_process", each_ticket_goes_to_one_process);
  g_test_add_func ("/store/processes/killed_processes_give_nothing_out_twice", killed_processes_give_nothing_out_twice);
  g_test_add_func ("/store/processes/processes_that_make_it_at_once_share_it", processes_that_make_it_at_once_share_it);
  g_test_add_func ("/store/processes/process_killed_while_it_makes_the_file_harms_nobody",
                   process_killed_while_it_makes_the_file_harms_nobody);

  return files_run ();
}
