/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "matrix.h"
#include "server-play.h"

/* NOTES:
 *
 * After each case comes another connection to the same server, with the same keys and undisturbed: its client offers the
 * newest ticket that there is, that of the connection that was hurt if one came over it, and is resumed.
 *
 * A ticket with early data is good for one handshake. So each case is given the one of the connection before it, and where
 * the case was resumed, its ticket is offered once more, and refused. Such a ticket is the name of a session that the server
 * keeps, and after a fatal alert it does not (RFC 8446, section 6.2: tickets "SHOULD be discarded if possible").
 */

struct _Scenery
{
  Credentials *credentials;
  GTlsCertificate *server;
  GTlsCertificate *client;
  SSL_CTX *contexts[N_SHAPES];       /* of the peers */
  SSL_SESSION *sessions[N_SHAPES];   /* what is offered next; NULL: nothing */
  GTlsSessionTicketKeys *keys;       /* of all servers but those that take early data */
  GTlsSessionTicketKeys *early_keys; /* theirs */
  GTlsSessionTicketKeys *other_keys; /* another server's */
};

static GTlsSessionTicketKeys *
keys_of_shape (Scenery *self, Shape shape)
{
  return shape_traits[shape].has_early_data ? self->early_keys : self->keys;
}

typedef struct
{
  SSL_SESSION *session; /* nullable */
  GTlsSessionTicketKeys *keys;
  GTlsSessionResumption resumption;
  gboolean early_data;
} Offer;

static void
play_here (Scenery *self, const Case *this_case, const Offer *offer, Outcome *outcome)
{
  const ShapeTraits *traits = &shape_traits[this_case->shape];
  ServerOrder order = {
    .context = self->contexts[this_case->shape],
    .session = offer->session,
    .early_data = offer->early_data,
    .certificate = self->server,
    .keys = offer->keys,
    .version = traits->version,
    .max_early_data = traits->has_early_data ? PERMITTED_EARLY : 0,
    .client_database = traits->has_certificate ? self->credentials->database : NULL,
    .client = traits->has_certificate ? self->client : NULL,
    .resumption = offer->resumption,
  };

  server_play (&order, this_case, outcome);
}

/* @session, nullable, is offered to the server that gave it out, which takes it. */
static Offer
good_offer (Scenery *self, Shape shape, SSL_SESSION *session)
{
  return (Offer){ .session = session,
                  .keys = keys_of_shape (self, shape),
                  .resumption = session != NULL ? G_TLS_SESSION_RESUMPTION_RESUMED : G_TLS_SESSION_RESUMPTION_NONE,
                  .early_data = session != NULL && shape_traits[shape].has_early_data };
}

void
scenery_play (Scenery *self, const Case *this_case, Outcome *outcome)
{
  Offer offer = good_offer (self, this_case->shape, self->sessions[this_case->shape]);

  play_here (self, this_case, &offer, outcome);
  play_check_nothing_is_left (outcome);
}

/* Afterwards */

static SSL_SESSION *
session_of_ticket (GBytes *ticket)
{
  gsize size;
  const unsigned char *der = g_bytes_get_data (ticket, &size);
  SSL_SESSION *session = d2i_SSL_SESSION (NULL, &der, (long) size);

  g_assert_nonnull (session);
  return session;
}

static void
take_session (SSL_SESSION **place, GBytes *ticket)
{
  SSL_SESSION_free (*place);
  *place = ticket != NULL ? session_of_ticket (ticket) : NULL;
}

/* The ticket that came is put at @ticket, if that is not NULL. */
static char *
try_offer (Scenery *self, const Case *like, const Offer *offer, GBytes **ticket)
{
  Case again = { .shape = like->shape, .driver = like->driver, .transport = like->transport };
  g_auto (Outcome) outcome = { 0 };

  play_here (self, &again, offer, &outcome);
  play_check_nothing_is_left (&outcome);
  if (ticket != NULL)
    *ticket = g_steal_pointer (&outcome.ticket);
  return outcome_steal_failure (&outcome);
}

static char *
try_refused (Scenery *self, const Case *like, GTlsSessionTicketKeys *keys, SSL_SESSION *session)
{
  Offer offer = { .session = session, .keys = keys, .resumption = G_TLS_SESSION_RESUMPTION_REFUSED };

  return try_offer (self, like, &offer, NULL);
}

static gboolean
was_fatal (const GError *error)
{
  return error != NULL && error->domain == G_TLS_ERROR && error->code != G_TLS_ERROR_EOF;
}

/* No alert is sent behind a close_notify: what a close finds out for itself discards nothing. */
static gboolean
is_discarded (const Case *this_case, const Outcome *outcome)
{
  gboolean found_by_close = this_case->phase == PHASE_CLOSE || outcome->error == NULL;

  if (!shape_traits[this_case->shape].has_early_data)
    return FALSE;
  if (found_by_close && fault_is_to_near_end (&this_case->fault))
    return FALSE;
  return was_fatal (outcome->error) || was_fatal (outcome->close_error);
}

static char *
try_next (Scenery *self, const Case *this_case, const Outcome *outcome)
{
  const ShapeTraits *traits = &shape_traits[this_case->shape];
  SSL_SESSION **kept = &self->sessions[this_case->shape];
  g_autoptr (GBytes) ticket = NULL;
  SSL_SESSION *session = NULL;
  Offer offer;
  char *failure;

  if (outcome->ticket != NULL)
    session = session_of_ticket (outcome->ticket);
  else if (*kept != NULL && !traits->has_early_data && SSL_SESSION_up_ref (*kept) == 1)
    session = *kept;

  offer = good_offer (self, this_case->shape, session);
  if (outcome->ticket != NULL && is_discarded (this_case, outcome))
    {
      offer.resumption = G_TLS_SESSION_RESUMPTION_REFUSED;
      offer.early_data = FALSE;
    }
  failure = try_offer (self, this_case, &offer, &ticket);
  SSL_SESSION_free (session);
  if (traits->has_early_data)
    take_session (kept, ticket);
  return failure;
}

char *
scenery_look_after_case (Scenery *self, const Case *this_case, const Outcome *outcome, guint nth)
{
  Shape shape = this_case->shape;
  g_autofree char *failure = NULL;

  if (shape_traits[shape].has_early_data && outcome->opened)
    failure = try_refused (self, this_case, self->early_keys, self->sessions[shape]);
  if (failure != NULL)
    return g_strdup_printf ("its ticket, offered once more: %s", failure);

  failure = try_next (self, this_case, outcome);
  return failure != NULL ? g_strdup_printf ("the next connection: %s", failure) : NULL;
}

/* A server with other keys does not take what those of the group sealed. */
char *
scenery_look_after_group (Scenery *self, const Case *like)
{
  SSL_SESSION *session = self->sessions[like->shape];

  return session != NULL ? try_refused (self, like, self->other_keys, session) : NULL;
}

/* The scenery */

static void
obtain_session (Scenery *self, Shape shape)
{
  /* GLib's first GTask opens descriptors for good, before they are counted. */
  Case first = { .shape = shape, .driver = DRIVER_ASYNC };
  g_autoptr (GBytes) ticket = NULL;
  Offer nothing = good_offer (self, shape, NULL);
  g_autofree char *failure = try_offer (self, &first, &nothing, &ticket);

  g_assert_cmpstr (failure, ==, NULL);
  g_assert_nonnull (ticket);
  take_session (&self->sessions[shape], ticket);
}

static GTlsSessionTicketKeys *
make_keys (void)
{
  g_autoptr (GError) error = NULL;
  GTlsSessionTicketKeys *keys = g_tls_session_ticket_keys_new (&error);

  g_assert_no_error (error);
  return keys;
}

static SSL_CTX *
make_context (Scenery *self, const ShapeTraits *traits)
{
  int version = traits->version == G_TLS_PROTOCOL_VERSION_TLS_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;

  return peer_client_context_new (self->credentials, version, traits->has_certificate);
}

Scenery *
scenery_new (void)
{
  Scenery *self = g_new0 (Scenery, 1);

  self->credentials = credentials_new ();
  self->server = credentials_dup_certificate (self->credentials->server, self->credentials->server_key);
  self->client = credentials_dup_certificate (self->credentials->client, self->credentials->client_key);
  self->keys = make_keys ();
  self->early_keys = make_keys ();
  self->other_keys = make_keys ();
  for (Shape shape = 0; shape < N_SHAPES; shape++)
    self->contexts[shape] = make_context (self, &shape_traits[shape]);
  for (Shape shape = 0; shape < N_SHAPES; shape++)
    if (shape_traits[shape].resumes)
      obtain_session (self, shape);
  return self;
}

void
scenery_free (Scenery *self)
{
  for (Shape shape = 0; shape < N_SHAPES; shape++)
    {
      SSL_CTX_free (self->contexts[shape]);
      SSL_SESSION_free (self->sessions[shape]);
    }
  g_object_unref (self->keys);
  g_object_unref (self->early_keys);
  g_object_unref (self->other_keys);
  g_object_unref (self->server);
  g_object_unref (self->client);
  credentials_free (self->credentials);
  g_free (self);
}
