/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Files, while the kernel refuses to open, read, write, lock or name them: session stores with their keys, ticket keys in
 * them, certificates and trust anchors.
 */

#include <string.h>

#include <gtls-session.h>

#include "../server/papers.h"
#include "paper.h"
#include "shelf.h"
#include "trial.h"

#define RING "ring"

static Outcome
worse (Outcome one, Outcome other)
{
  return one == OUTCOME_ERROR ? one : other;
}

/* Stores */

static Outcome
open_store (Shelf *self)
{
  GError *error = NULL;

  self->store = g_tls_session_file_store_new (self->path, &error);
  g_assert_true ((self->store == NULL) == (error != NULL));
  return self->store != NULL ? OUTCOME_SUCCESS : trial_error (error);
}

static Outcome
put (Shelf *self, guint which)
{
  GError *error = NULL;

  if (g_tls_session_store_put (G_TLS_SESSION_STORE (self->store), shelf_key (which), self->tickets[which], &error))
    {
      self->places[which] = PLACE_INSIDE;
      return OUTCOME_SUCCESS;
    }
  return trial_error (error); /* all or nothing: it is not there */
}

/* It is there, or what put it there has failed. */
static Outcome
take (Shelf *self, guint which)
{
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  GError *error = NULL;

  ticket = g_tls_session_store_take (G_TLS_SESSION_STORE (self->store), shelf_key (which), &error);
  if (error != NULL)
    {
      g_assert_null (ticket);
      if (self->places[which] == PLACE_INSIDE)
        self->places[which] = PLACE_UNSURE;
      return trial_error (error);
    }

  g_assert_cmpint (ticket != NULL, ==, self->places[which] == PLACE_INSIDE);
  if (ticket != NULL)
    g_assert_cmpstr (g_tls_session_ticket_get_id (ticket), ==, g_tls_session_ticket_get_id (self->tickets[which]));
  self->places[which] = PLACE_OUTSIDE; /* a ticket of TLS 1.3 is given out once */
  return OUTCOME_SUCCESS;
}

static Outcome
remove_ticket (Shelf *self, guint which)
{
  GError *error = NULL;

  if (g_tls_session_store_remove (G_TLS_SESSION_STORE (self->store), shelf_key (which), self->tickets[which], &error))
    {
      self->places[which] = PLACE_OUTSIDE;
      return OUTCOME_SUCCESS;
    }
  return trial_error (error); /* it is still there */
}

static Outcome
make_store (gpointer data)
{
  Shelf *self = data;
  Outcome outcome = open_store (self);

  if (self->store == NULL)
    return outcome;
  outcome = worse (outcome, put (self, 0));
  outcome = worse (outcome, take (self, 0));
  outcome = worse (outcome, put (self, 1));
  g_clear_object (&self->store);
  return outcome;
}

static void
store_is_made_or_not_and_then_it_is (void)
{
  static const Call calls[] = { CALL_OPEN,  CALL_READ, CALL_WRITE,     CALL_CLOSE,     CALL_PREAD,  CALL_PWRITE,
                                CALL_FSYNC, CALL_LINK, CALL_FDATASYNC, CALL_FTRUNCATE, CALL_FCHMOD, CALL_UNLINK,
                                CALL_MKDIR, CALL_STAT, CALL_LOCK,      CALL_MMAP,      N_CALLS };
  g_autoptr (Shelf) shelf = shelf_new (FALSE);

  trial_run (&(Story){ .name = "store made",
                       .prepare = shelf_prepare,
                       .tell = make_store,
                       .look = shelf_look,
                       .data = shelf,
                       .calls = calls });
}

static void
prepare_open_store (gpointer data)
{
  Shelf *self = data;

  shelf_prepare (self);
  g_assert_cmpint (open_store (self), ==, OUTCOME_SUCCESS);
}

static Outcome
use_store (gpointer data)
{
  Shelf *self = data;
  Outcome outcome = take (self, 0);

  outcome = worse (outcome, put (self, 2));
  return worse (outcome, remove_ticket (self, 1));
}

static void
open_store_keeps_what_it_was_given (void)
{
  static const Call calls[] = { CALL_PREAD, CALL_PWRITE, CALL_STAT, CALL_LOCK, N_CALLS };
  g_autoptr (Shelf) shelf = shelf_new (TRUE);

  trial_run (&(Story){ .name = "store used",
                       .prepare = prepare_open_store,
                       .tell = use_store,
                       .look = shelf_look,
                       .data = shelf,
                       .calls = calls });
}

static Outcome
open_use_and_close_store (gpointer data)
{
  Shelf *self = data;
  Outcome outcome = open_store (self);

  if (self->store == NULL)
    return outcome;
  outcome = worse (outcome, use_store (self));
  g_clear_object (&self->store);
  return outcome;
}

static void
closed_store_keeps_what_it_was_given (void)
{
  static const Call calls[] = { CALL_OPEN, CALL_READ, CALL_CLOSE,     CALL_PREAD, CALL_PWRITE, CALL_UNLINK,
                                CALL_STAT, CALL_LOCK, CALL_FDATASYNC, CALL_MMAP,  N_CALLS };
  g_autoptr (Shelf) shelf = shelf_new (TRUE);

  trial_run (&(Story){ .name = "store opened, used and closed",
                       .prepare = shelf_prepare,
                       .tell = open_use_and_close_store,
                       .look = shelf_look,
                       .data = shelf,
                       .calls = calls });
}

static Outcome
list_store (gpointer data)
{
  Shelf *self = data;
  GError *error = NULL;
  GList *entries;
  guint n_entries;

  entries = g_tls_session_file_store_list (self->store, &error);
  n_entries = g_list_length (entries);
  g_list_free_full (entries, (GDestroyNotify) g_tls_session_store_entry_unref);
  g_assert_cmpuint (n_entries, ==, error == NULL ? 2 : 0);
  return error == NULL ? OUTCOME_SUCCESS : trial_error (error);
}

static void
store_is_listed_whole_or_not_at_all (void)
{
  static const Call calls[] = { CALL_PREAD, CALL_STAT, CALL_LOCK, N_CALLS };
  g_autoptr (Shelf) shelf = shelf_new (TRUE);

  trial_run (&(Story){ .name = "store listed",
                       .prepare = prepare_open_store,
                       .tell = list_store,
                       .look = shelf_look,
                       .data = shelf,
                       .calls = calls });
}

static Outcome
clear_store (gpointer data)
{
  Shelf *self = data;
  GError *error = NULL;
  gboolean cleared;

  cleared = g_tls_session_store_clear (G_TLS_SESSION_STORE (self->store), &error);
  for (guint i = 0; i < SHELF_N_TICKETS; i++)
    self->places[i] = cleared ? PLACE_OUTSIDE : PLACE_UNSURE;
  return cleared ? OUTCOME_SUCCESS : trial_error (error);
}

static void
look_at_cleared_store (gpointer data)
{
  Shelf *self = data;
  gint64 n_tickets;

  g_clear_object (&self->store); /* files_count() closes the file, and would take away its locks */
  n_tickets = files_count (self->path);

  g_assert_true (n_tickets == 0 || n_tickets == 2);
  shelf_look (data);
}

static void
store_is_cleared_whole_or_not_at_all (void)
{
  static const Call calls[] = {
    CALL_PREAD, CALL_PWRITE, CALL_FTRUNCATE, CALL_STAT, CALL_LOCK, CALL_FDATASYNC, N_CALLS
  };
  g_autoptr (Shelf) shelf = shelf_new (TRUE);

  trial_run (&(Story){ .name = "store cleared",
                       .prepare = prepare_open_store,
                       .tell = clear_store,
                       .look = look_at_cleared_store,
                       .data = shelf,
                       .calls = calls });
}

/* Ticket keys */

typedef struct
{
  Shelf *shelf;
  GTlsSessionTicketKeys *own; /* of this case */
  GTlsSessionTicketKeys *other;
  gboolean is_shared;
} Fleet;

static GTlsSessionTicketKeys *
make_keys (void)
{
  g_autoptr (GError) error = NULL;
  GTlsSessionTicketKeys *keys = g_tls_session_ticket_keys_new (&error);

  g_assert_no_error (error);
  return keys;
}

static void
share (GTlsSessionTicketKeys *keys, gpointer store)
{
  g_autoptr (GError) error = NULL;

  g_tls_session_ticket_keys_share (keys, store, RING, &error);
  g_assert_no_error (error);
}

static void
prepare_fleet (gpointer data)
{
  Fleet *self = data;
  g_autoptr (GTlsSessionFileStore) store = NULL;

  shelf_prepare (self->shelf);
  store = files_open (self->shelf->path);
  share (self->other, store);
  self->own = make_keys ();
  g_assert_true (g_tls_session_ticket_keys_rotate (self->own, NULL));
  self->shelf->store = g_steal_pointer (&store);
}

static Outcome
share_keys (gpointer data)
{
  Fleet *self = data;
  GError *error = NULL;

  self->is_shared = g_tls_session_ticket_keys_share (self->own, G_TLS_SESSION_STORE (self->shelf->store), RING, &error);
  return self->is_shared ? OUTCOME_SUCCESS : trial_error (error);
}

/* What was shared is found by others. What was not is, once both have asked again. */
static void
look_at_fleet (gpointer data)
{
  Fleet *self = data;
  GTlsSessionFileStore *store = self->shelf->store;
  g_autoptr (GTlsSessionTicketKeys) other = NULL;
  g_autoptr (GBytes) bytes = g_tls_session_ticket_keys_to_bytes (self->other);
  g_autoptr (GError) error = NULL;

  other = g_tls_session_ticket_keys_new_from_bytes (bytes, &error);
  g_assert_no_error (error);
  if (!self->is_shared)
    share (self->own, store);
  share (other, store);
  g_assert_cmpuint (g_tls_session_ticket_keys_get_n_keys (self->own), ==, g_tls_session_ticket_keys_get_n_keys (other));
  g_assert_cmpuint (g_tls_session_ticket_keys_get_n_keys (other), >,
                    g_tls_session_ticket_keys_get_n_keys (self->other));
  g_clear_object (&self->own);
  shelf_look (self->shelf);
}

static void
ticket_keys_are_shared_or_as_they_were (void)
{
  static const Call calls[] = { CALL_PWRITE, CALL_STAT, CALL_LOCK, N_CALLS };
  g_autoptr (Shelf) shelf = shelf_new (TRUE);
  g_autoptr (GTlsSessionTicketKeys) other = make_keys ();
  Fleet fleet = { .shelf = shelf, .other = other };

  trial_run (&(Story){ .name = "ticket keys shared",
                       .prepare = prepare_fleet,
                       .tell = share_keys,
                       .look = look_at_fleet,
                       .data = &fleet,
                       .calls = calls });
}

/* Certificates */

static const Call calls_of_reader[] = { CALL_OPEN, CALL_READ, CALL_STAT, CALL_CLOSE, N_CALLS };

typedef struct
{
  Papers *papers;
  char *path;
} Paper;

static char *
write_new_file (char *text)
{
  g_autofree char *contents = text;
  g_autofree char *store_path = files_new_path ();
  g_autofree char *directory = g_path_get_dirname (store_path);
  char *path = g_build_filename (directory, "certificates.pem", NULL);

  write_file (path, contents, strlen (contents));
  return path;
}

static Outcome
read_certificate (gpointer data)
{
  Paper *self = data;
  GError *error = NULL;
  g_autoptr (GTlsSessionCertificate) certificate = g_tls_session_certificate_new_from_file (self->path, &error);
  g_autoptr (GTlsCertificate) issuer = NULL;

  if (certificate == NULL)
    return trial_error (error);
  issuer = g_tls_certificate_get_issuer (G_TLS_CERTIFICATE (certificate));
  g_assert_nonnull (issuer);
  g_object_ref (issuer);
  assert_is (issuer, self->papers->intermediate);
  return OUTCOME_SUCCESS;
}

static void
certificate_is_read_whole_or_not (void)
{
  g_autoptr (Papers) papers = papers_new ();
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "Leaf" }, papers->intermediate);
  Paper paper = { papers, write_new_file (joined (forged_to_pem (leaf), key_as_pkcs8 (leaf),
                                                  forged_to_pem (papers->intermediate), NULL)) };

  trial_run (
    &(Story){ .name = "certificate file", .tell = read_certificate, .data = &paper, .calls = calls_of_reader });
  g_free (paper.path);
}

/* An unread anchor is an untrusted one. */
static Outcome
read_anchors (gpointer data)
{
  Paper *self = data;
  GError *error = NULL;
  g_autoptr (GTlsSessionFileDatabase) database = g_tls_session_file_database_new (self->path, &error);
  g_autoptr (GSocketConnectable) identity = g_network_address_new (SERVER_NAME, 443);

  if (database == NULL)
    return trial_error (error);
  g_assert_cmpint (g_tls_database_verify_chain (G_TLS_DATABASE (database), self->papers->server,
                                                G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER, identity, NULL,
                                                G_TLS_DATABASE_VERIFY_NONE, NULL, NULL),
                   ==, 0);
  return OUTCOME_SUCCESS;
}

static void
anchors_are_read_whole_or_not (void)
{
  g_autoptr (Papers) papers = papers_new ();
  Paper paper = { papers,
                  write_new_file (joined (forged_to_pem (papers->stranger), forged_to_pem (papers->root), NULL)) };

  trial_run (&(Story){ .name = "trust anchors", .tell = read_anchors, .data = &paper, .calls = calls_of_reader });
  g_free (paper.path);
}

int
main (int argc, char **argv)
{
  files_init (&argc, &argv);
  trial_init ();

  g_test_add_func ("/syscalls/files/store_is_made_or_not_and_then_it_is", store_is_made_or_not_and_then_it_is);
  g_test_add_func ("/syscalls/files/open_store_keeps_what_it_was_given", open_store_keeps_what_it_was_given);
  g_test_add_func ("/syscalls/files/closed_store_keeps_what_it_was_given", closed_store_keeps_what_it_was_given);
  g_test_add_func ("/syscalls/files/store_is_listed_whole_or_not_at_all", store_is_listed_whole_or_not_at_all);
  g_test_add_func ("/syscalls/files/store_is_cleared_whole_or_not_at_all", store_is_cleared_whole_or_not_at_all);
  g_test_add_func ("/syscalls/files/ticket_keys_are_shared_or_as_they_were", ticket_keys_are_shared_or_as_they_were);
  g_test_add_func ("/syscalls/files/certificate_is_read_whole_or_not", certificate_is_read_whole_or_not);
  g_test_add_func ("/syscalls/files/anchors_are_read_whole_or_not", anchors_are_read_whole_or_not);
  return files_run ();
}
