/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>

#include "client-play.h"
#include "matrix.h"

#define TRY_TICKET_EVERY 40 /* cases */

enum
{
  STORE_MEMORY,
  STORE_FILE,
  N_STORES,
};

struct _Scenery
{
  Credentials *credentials;
  GTlsCertificate *client_certificate;
  SSL_CTX *contexts[N_SHAPES];
  GTlsSessionTicket *tickets[N_SHAPES]; /* what is offered, again and again; NULL: nothing */
  GTlsSessionStore *stores[N_STORES];
  char *directory;
};

static void
clear_store (GTlsSessionStore *store)
{
  g_autoptr (GError) error = NULL;

  g_tls_session_store_clear (store, &error);
  g_assert_no_error (error);
}

static void
play_here (Scenery *self,
           const Case *this_case,
           GTlsSessionTicket *ticket,
           GTlsSessionStore *store,
           GTlsSessionResumption resumption,
           Outcome *outcome)
{
  const ShapeTraits *traits = &shape_traits[this_case->shape];
  ClientOrder order = {
    .context = self->contexts[this_case->shape],
    .database = self->credentials->database,
    .certificate = traits->has_certificate ? self->client_certificate : NULL,
    .ticket = ticket,
    .store = store,
    .early_data = ticket != NULL && traits->has_early_data,
    .resumption = resumption,
  };

  client_play (&order, this_case, outcome);
}

void
scenery_play (Scenery *self, const Case *this_case, Outcome *outcome)
{
  GTlsSessionStore *store = self->stores[STORE_MEMORY];
  GTlsSessionTicket *ticket = self->tickets[this_case->shape];

  clear_store (store);
  play_here (self, this_case, ticket, store,
             ticket != NULL ? G_TLS_SESSION_RESUMPTION_RESUMED : G_TLS_SESSION_RESUMPTION_NONE, outcome);
  clear_store (store);
  play_check_nothing_is_left (outcome);
}

/* Afterwards */

static Case
undisturbed (const Case *like)
{
  return (
    Case){ .shape = like->shape, .driver = like->driver, .transport = like->transport, .phase = PHASE_TICKET_WAIT };
}

static Shape
shape_that_resumes (Shape shape)
{
  return shape == SHAPE_FULL ? SHAPE_RESUMED : shape == SHAPE_TLS12 ? SHAPE_TLS12_RESUMED : shape;
}

static char *
try_ticket (Scenery *self, const Case *like, GBytes *bytes)
{
  g_autoptr (GTlsSessionTicket) ticket = g_tls_session_ticket_new_from_bytes (bytes, NULL);
  g_auto (Outcome) outcome = { 0 };
  Case again = undisturbed (like);

  g_assert_nonnull (ticket);
  again.shape = shape_that_resumes (like->shape);
  play_here (self, &again, ticket, NULL, G_TLS_SESSION_RESUMPTION_RESUMED, &outcome);
  play_check_nothing_is_left (&outcome);
  return outcome_steal_failure (&outcome);
}

char *
scenery_look_after_case (Scenery *self, const Case *this_case, const Outcome *outcome, guint nth)
{
  g_autofree char *failure = NULL;

  if (outcome->ticket == NULL || nth % TRY_TICKET_EVERY != 0)
    return NULL;
  failure = try_ticket (self, this_case, outcome->ticket);
  return failure != NULL ? g_strdup_printf ("its ticket is not good any more: %s", failure) : NULL;
}

static char *
try_store (Scenery *self, const Case *like, GTlsSessionStore *store)
{
  Case first = undisturbed (like);
  Case second = first;
  g_auto (Outcome) first_outcome = { 0 };
  g_auto (Outcome) second_outcome = { 0 };
  char *failure;

  /* What is taken from a store is not offered with early data. */
  if (shape_traits[like->shape].resumes)
    return NULL;
  second.shape = shape_that_resumes (like->shape);
  clear_store (store);
  play_here (self, &first, NULL, store, G_TLS_SESSION_RESUMPTION_NONE, &first_outcome);
  play_here (self, &second, NULL, store, G_TLS_SESSION_RESUMPTION_RESUMED, &second_outcome);
  clear_store (store);
  play_check_nothing_is_left (&second_outcome);
  failure = outcome_steal_failure (&first_outcome);
  return failure != NULL ? failure : outcome_steal_failure (&second_outcome);
}

char *
scenery_look_after_group (Scenery *self, const Case *like)
{
  char *failure;

  failure = try_store (self, like, self->stores[STORE_MEMORY]);
  /* Files are slow: once for all phases. */
  if (failure == NULL && like->phase == PHASE_CLOSE)
    failure = try_store (self, like, self->stores[STORE_FILE]);
  return failure;
}

/* The scenery */

static GTlsSessionTicket *
obtain_ticket (Scenery *self, Shape shape)
{
  /* GLib's first GTask opens descriptors for good, before they are counted. */
  Case first = { .shape = shape, .driver = DRIVER_ASYNC, .phase = PHASE_TICKET_WAIT };
  g_auto (Outcome) outcome = { 0 };
  GTlsSessionTicket *ticket;

  play_here (self, &first, NULL, NULL, G_TLS_SESSION_RESUMPTION_NONE, &outcome);
  g_assert_no_error (outcome.error);
  ticket = g_tls_session_ticket_new_from_bytes (outcome.ticket, NULL);
  g_assert_nonnull (ticket);
  play_check_nothing_is_left (&outcome);
  return ticket;
}

static SSL_CTX *
make_context (Scenery *self, const ShapeTraits *traits)
{
  int version = traits->version == G_TLS_PROTOCOL_VERSION_TLS_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;

  return peer_server_context_new (self->credentials, version, traits->has_certificate,
                                  traits->has_early_data ? PERMITTED_EARLY : 0);
}

static GTlsSessionStore *
make_file_store (Scenery *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;
  GTlsSessionFileStore *store;

  self->directory = g_dir_make_tmp ("gtls-session-XXXXXX", &error);
  g_assert_no_error (error);
  path = g_build_filename (self->directory, "tickets", NULL);
  store = g_tls_session_file_store_new (path, &error);
  g_assert_no_error (error);
  return G_TLS_SESSION_STORE (store);
}

/* Tickets of one shape are for the servers of that shape; a full connection's context is shared with its resumed one's. */
Scenery *
scenery_new (void)
{
  Scenery *self = g_new0 (Scenery, 1);

  self->credentials = credentials_new ();
  self->client_certificate = credentials_dup_certificate (self->credentials->client, self->credentials->client_key);
  for (guint i = 0; i < N_SHAPES; i++)
    self->contexts[i] = make_context (self, &shape_traits[i]);
  SSL_CTX_free (self->contexts[SHAPE_RESUMED]);
  SSL_CTX_up_ref (self->contexts[SHAPE_FULL]);
  self->contexts[SHAPE_RESUMED] = self->contexts[SHAPE_FULL];
  SSL_CTX_free (self->contexts[SHAPE_TLS12_RESUMED]);
  SSL_CTX_up_ref (self->contexts[SHAPE_TLS12]);
  self->contexts[SHAPE_TLS12_RESUMED] = self->contexts[SHAPE_TLS12];

  self->stores[STORE_MEMORY] = G_TLS_SESSION_STORE (g_tls_session_memory_store_new ());
  self->stores[STORE_FILE] = make_file_store (self);
  for (guint i = 0; i < N_SHAPES; i++)
    if (shape_traits[i].resumes)
      self->tickets[i] = obtain_ticket (self, i);
  return self;
}

static void
remove_directory (const char *path)
{
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *file = g_build_filename (path, name, NULL);

      g_assert_cmpint (g_unlink (file), ==, 0);
    }
  g_assert_cmpint (g_rmdir (path), ==, 0);
}

void
scenery_free (Scenery *self)
{
  for (guint i = 0; i < N_SHAPES; i++)
    {
      SSL_CTX_free (self->contexts[i]);
      g_clear_object (&self->tickets[i]);
    }
  for (guint i = 0; i < N_STORES; i++)
    g_object_unref (self->stores[i]);
  remove_directory (self->directory);
  g_free (self->directory);
  g_object_unref (self->client_certificate);
  credentials_free (self->credentials);
  g_free (self);
}
