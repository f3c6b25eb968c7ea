/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Clients and servers of ours in many threads, with one database, one session store and one set of ticket keys. */

#include <glib/gstdio.h>

#include "crew.h"
#include "meeting.h"

#define CREW_SIZE 4

typedef struct
{
  Papers *papers;
  GTlsSessionTicketKeys *keys;
  GTlsSessionStore *store;
  Host host;
  int n_full; /* atomic */
} Town;

/* One ticket for each connection: what has come and what is left can be counted. */
static Town *
town_new (GTlsProtocolVersion version, GTlsSessionStore *store)
{
  Town *self = g_new0 (Town, 1);

  self->papers = papers_new ();
  self->keys = keys_new ();
  self->store = store;
  self->host = host_of (self->papers, self->keys, version);
  self->host.ticket_count = 1;
  return self;
}

static void
town_free (Town *self)
{
  papers_free (self->papers);
  g_object_unref (self->keys);
  g_clear_object (&self->store);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Town, town_free)

/* Whether a session was resumed; both sides say the same. */
static gboolean
meet (Town *town)
{
  g_autoptr (Meeting) meeting = meeting_new (&town->host, town->papers, SERVER_NAME);
  GTlsSessionResumption resumption;

  g_object_set (meeting_get_client (meeting), "session-store", town->store, NULL);
  meeting_hold (meeting);
  resumption = g_tls_session_helper_get_resumption (meeting->client);
  meeting_assert (meeting, resumption);
  return resumption == G_TLS_SESSION_RESUMPTION_RESUMED;
}

static void
meet_often (guint number, gpointer data)
{
  Town *town = data;

  for (guint i = 0; i < crew_scale (10); i++)
    if (!meet (town))
      g_atomic_int_inc (&town->n_full);
}

/* Each connection brought a ticket, and each that was resumed took one: so what is left is as many as were not resumed,
 * unless one was lost, or given to two.
 */
static void
assert_nothing_lost_or_doubled (Town *town)
{
  int n_left = 0;

  town->host.ticket_count = 0;
  while (meet (town))
    n_left++;
  g_assert_cmpint (n_left, ==, g_atomic_int_get (&town->n_full));
}

static void
share_a_store (GTlsSessionStore *store)
{
  g_autoptr (Town) town = town_new (G_TLS_PROTOCOL_VERSION_TLS_1_3, store);

  crew_work (CREW_SIZE, meet_often, town);
  assert_nothing_lost_or_doubled (town);
}

static void
many_threads_share_a_memory_store (void)
{
  share_a_store (g_object_new (G_TLS_SESSION_TYPE_MEMORY_STORE, "max-tickets-per-peer", 64, NULL));
}

static void
remove_all (const char *directory)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (directory, 0, &error);
  const char *name;

  g_assert_no_error (error);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (directory, name, NULL);

      g_assert_cmpint (g_unlink (path), ==, 0);
    }
  g_assert_cmpint (g_rmdir (directory), ==, 0);
}

static void
many_threads_share_a_file_store (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *directory = g_dir_make_tmp ("gtls-session-XXXXXX", &error);
  g_autofree char *path = g_build_filename (directory, "sessions", NULL);

  g_assert_no_error (error);
  share_a_store (
    g_initable_new (G_TLS_SESSION_TYPE_FILE_STORE, NULL, &error, "path", path, "max-tickets-per-peer", 64, NULL));
  g_assert_no_error (error);
  remove_all (directory);
}

/* Before TLS 1.3 a ticket is offered more than once, perhaps by all of them at the same time. */
static void
many_threads_share_sessions_of_tls12 (void)
{
  g_autoptr (Town)
    town = town_new (G_TLS_PROTOCOL_VERSION_TLS_1_2, G_TLS_SESSION_STORE (g_tls_session_memory_store_new ()));

  crew_work (CREW_SIZE, meet_often, town);
  g_assert_true (meet (town));
}

/* What a database has loaded, and which paths it knows, is all to be found out at the same time. */
static void
many_threads_ask_a_new_database (void)
{
  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (Town) town = town_new (G_TLS_PROTOCOL_VERSION_TLS_1_3, NULL);

      crew_work (CREW_SIZE, meet_often, town);
      g_assert_cmpint (town->n_full, ==, CREW_SIZE * crew_scale (10));
    }
}

/* A database reads another file as soon as it is told of it, even while it is asked. */

typedef struct
{
  Papers *papers;
  GTlsDatabase *database;
  char *path;
} Registry;

static void
set_anchors_or_ask (guint number, gpointer data)
{
  Registry *registry = data;
  g_autoptr (GSocketConnectable) identity = g_network_address_new (SERVER_NAME, 443);

  for (guint i = 0; i < crew_scale (100); i++)
    {
      g_autoptr (GError) error = NULL;
      GTlsCertificateFlags faults;

      if (number < 2)
        g_object_set (registry->database, "anchors", registry->path, NULL);
      faults = g_tls_database_verify_chain (registry->database, registry->papers->server,
                                            G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER, identity, NULL,
                                            G_TLS_DATABASE_VERIFY_NONE, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpint (faults, ==, 0);
    }
}

static void
anchors_are_set_while_others_ask (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Papers) papers = papers_new ();
  g_autofree char *directory = g_dir_make_tmp ("gtls-session-XXXXXX", &error);
  g_autofree char *path = g_build_filename (directory, "root.pem", NULL);
  g_autofree char *pem = forged_to_pem (papers->root);
  g_autoptr (GTlsSessionFileDatabase) database = NULL;
  Registry registry = { .papers = papers, .path = path };

  g_file_set_contents (path, pem, -1, &error);
  g_assert_no_error (error);
  database = g_tls_session_file_database_new (path, &error);
  g_assert_no_error (error);
  registry.database = G_TLS_DATABASE (database);
  crew_work (CREW_SIZE, set_anchors_or_ask, &registry);
  remove_all (directory);
}

static void
rotate_or_meet (guint number, gpointer data)
{
  Town *town = data;

  for (guint i = 0; i < crew_scale (20); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) bytes = NULL;

      meet (town);
      if (number > 0)
        continue;
      g_tls_session_ticket_keys_rotate (town->keys, &error);
      g_assert_no_error (error);
      bytes = g_tls_session_ticket_keys_to_bytes (town->keys);
      g_assert_cmpuint (g_bytes_get_size (bytes), >, 0);
    }
}

static void
keys_are_rotated_under_the_hands_of_others (void)
{
  g_autoptr (Town)
    town = town_new (G_TLS_PROTOCOL_VERSION_TLS_1_3, G_TLS_SESSION_STORE (g_tls_session_memory_store_new ()));

  crew_work (CREW_SIZE, rotate_or_meet, town);
  meet (town);
  g_assert_true (meet (town));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/threads/shared/many_threads_share_a_memory_store", many_threads_share_a_memory_store);
  g_test_add_func ("/threads/shared/many_threads_share_a_file_store", many_threads_share_a_file_store);
  g_test_add_func ("/threads/shared/many_threads_share_sessions_of_tls12", many_threads_share_sessions_of_tls12);
  g_test_add_func ("/threads/shared/many_threads_ask_a_new_database", many_threads_ask_a_new_database);
  g_test_add_func ("/threads/shared/anchors_are_set_while_others_ask", anchors_are_set_while_others_ask);
  g_test_add_func ("/threads/shared/keys_are_rotated_under_the_hands_of_others",
                   keys_are_rotated_under_the_hands_of_others);
  return g_test_run ();
}
