/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "probe.h"

#include <string.h>

/* NOTES:
 *
 * Asking: one connection after another, so that none disturbs another one's time. Each run is a full handshake and one
 * that offers the ticket which the first got; so the two kinds of handshake alternate, and what slows the machine down
 * slows down both.
 *
 * Whether two nodes share ticket keys is asked both ways, with a fresh ticket each: after a change of keys the one that
 * has the new keys may take tickets under the old ones, but not the other way round.
 */

#define TICKET_TIMEOUT_MS 3000

static void
certificate_free (gpointer data)
{
  ProbeCertificate *self = data;

  g_free (self->subject);
  g_free (self->issuer);
  g_clear_pointer (&self->begins, g_date_time_unref);
  g_clear_pointer (&self->ends, g_date_time_unref);
  g_free (self);
}

static void
run_clear (gpointer data)
{
  ProbeRun *self = data;

  g_free (self->explanation);
  g_free (self->failure);
}

void
probe_node_free (ProbeNode *self)
{
  g_clear_object (&self->address);
  g_clear_object (&self->ticket);
  g_clear_pointer (&self->chain, g_ptr_array_unref);
  g_clear_pointer (&self->runs, g_array_unref);
  g_free (self->name);
  g_free (self->failure);
  g_free (self->cipher);
  g_free (self->alpn);
  g_free (self);
}

static void
offer_free (gpointer data)
{
  ProbeOffer *self = data;

  g_free (self->explanation);
  g_free (self->failure);
  g_free (self);
}

static void
finding_free (gpointer data)
{
  ProbeFinding *self = data;

  g_free (self->node);
  g_free (self->text);
  g_free (self);
}

void
probe_report_free (ProbeReport *self)
{
  g_date_time_unref (self->began);
  g_ptr_array_unref (self->nodes);
  g_ptr_array_unref (self->offers);
  g_ptr_array_unref (self->groups);
  g_ptr_array_unref (self->findings);
  g_free (self);
}

/* What the first connection of a node says */

static void
describe_chain (ProbeNode *node, GTlsCertificate *certificate)
{
  for (; certificate != NULL; certificate = g_tls_certificate_get_issuer (certificate))
    {
      ProbeCertificate *told = g_new0 (ProbeCertificate, 1);

      told->subject = g_tls_certificate_get_subject_name (certificate);
      told->issuer = g_tls_certificate_get_issuer_name (certificate);
      told->begins = g_tls_certificate_get_not_valid_before (certificate);
      told->ends = g_tls_certificate_get_not_valid_after (certificate);
      g_ptr_array_add (node->chain, told);
    }
}

static void
describe (ProbeNode *node, ProbeConnection *connection)
{
  GTlsConnection *tls = G_TLS_CONNECTION (g_tls_session_helper_get_connection (connection->helper));

  node->version = g_tls_connection_get_protocol_version (tls);
  node->cipher = g_tls_connection_get_ciphersuite_name (tls);
  node->alpn = g_strdup (g_tls_connection_get_negotiated_protocol (tls));
  node->faults = connection->faults;
  describe_chain (node, g_tls_connection_get_peer_certificate (tls));
}

static void
describe_tickets (ProbeNode *node, ProbeConnection *connection, GTlsSessionTicket *ticket)
{
  g_set_object (&node->ticket, ticket);
  node->n_tickets = probe_connection_count_tickets (connection);
}

static ProbeNode *
node_new (const ProbePlan *plan, GSocketAddress *address)
{
  ProbeNode *node = g_new0 (ProbeNode, 1);
  GInetSocketAddress *inet = G_INET_SOCKET_ADDRESS (address);
  guint16 port = g_inet_socket_address_get_port (inet);
  gboolean is_ipv6 = g_socket_address_get_family (address) == G_SOCKET_FAMILY_IPV6;
  guint32 scope = is_ipv6 ? g_inet_socket_address_get_scope_id (inet) : 0;
  g_autofree char *plain = g_inet_address_to_string (g_inet_socket_address_get_address (inet));
  g_autofree char *host = scope != 0 ? g_strdup_printf ("%s%%%u", plain, scope) : g_strdup (plain);

  node->address = g_object_ref (address);
  if (port == plan->port)
    node->name = g_steal_pointer (&host);
  else
    node->name = g_strdup_printf (is_ipv6 ? "[%s]:%u" : "%s:%u", host, port);
  node->chain = g_ptr_array_new_with_free_func (certificate_free);
  node->runs = g_array_new (FALSE, TRUE, sizeof (ProbeRun));
  g_array_set_clear_func (node->runs, run_clear);
  return node;
}

/* Runs */

static void
offer_in_run (const ProbePlan *plan, ProbeNode *node, GTlsSessionTicket *ticket, ProbeRun *run)
{
  g_autoptr (GError) error = NULL;
  ProbeStage stage;
  g_autoptr (ProbeConnection) connection = probe_connection_open (plan, node->address, ticket, &stage, &error);

  if (connection == NULL)
    {
      run->failure = g_strdup (error->message);
      return;
    }
  run->resumed_us = connection->handshake_us;
  run->resumption = g_tls_session_helper_get_resumption (connection->helper);
  run->explanation = g_tls_session_helper_explain (connection->helper);
}

static GTlsSessionTicket *
await_ticket (ProbeConnection *connection, GError **error)
{
  return g_tls_session_helper_wait_for_ticket (connection->helper, TICKET_TIMEOUT_MS, NULL, error);
}

/* @connection, the full one of this run, is closed before its ticket is offered. */
static void
finish_run (const ProbePlan *plan, ProbeNode *node, ProbeConnection *connection, ProbeRun *run)
{
  g_autoptr (ProbeConnection) owned = connection;
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionTicket) ticket = await_ticket (owned, &error);

  run->full_us = owned->handshake_us;
  if (node->runs->len == 0)
    describe_tickets (node, owned, ticket);
  g_clear_pointer (&owned, probe_connection_free);

  if (ticket != NULL)
    offer_in_run (plan, node, ticket, run);
  else
    run->failure = g_strdup (error->message);
}

/* FALSE: no handshake. */
static gboolean
do_run (const ProbePlan *plan, ProbeNode *node)
{
  ProbeRun run = { .full_us = -1, .resumed_us = -1, .resumption = G_TLS_SESSION_RESUMPTION_NONE };
  gboolean is_first = node->runs->len == 0;
  g_autoptr (GError) error = NULL;
  ProbeStage stage;
  ProbeConnection *connection = probe_connection_open (plan, node->address, NULL, &stage, &error);

  if (is_first)
    node->stage = stage;
  if (connection == NULL && is_first)
    {
      node->failure = g_strdup (error->message);
      node->is_out_of_reach = stage == PROBE_STAGE_CONNECT && !plan->is_chosen &&
                              (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NETWORK_UNREACHABLE) ||
                               g_error_matches (error, G_IO_ERROR, G_IO_ERROR_HOST_UNREACHABLE));
      return FALSE;
    }

  if (connection == NULL)
    run.failure = g_strdup (error->message);
  else
    {
      if (is_first)
        describe (node, connection);
      finish_run (plan, node, connection, &run);
    }
  g_array_append_val (node->runs, run);
  return connection != NULL;
}

/* Without tickets, one run says all there is to say. */
static ProbeNode *
probe_node (const ProbePlan *plan, GSocketAddress *address)
{
  ProbeNode *node = node_new (plan, address);

  if (!do_run (plan, node))
    return node;
  for (guint i = 1; i < plan->count && node->n_tickets > 0; i++)
    if (!do_run (plan, node))
      break;
  return node;
}

/* From node to node */

static GTlsSessionTicket *
fetch_ticket (const ProbePlan *plan, ProbeNode *node, GError **error)
{
  ProbeStage stage;
  g_autoptr (ProbeConnection) connection = probe_connection_open (plan, node->address, NULL, &stage, error);

  return connection != NULL ? await_ticket (connection, error) : NULL;
}

static ProbeOffer *
ask (ProbeReport *self, guint from, guint to)
{
  ProbeNode *source = g_ptr_array_index (self->nodes, from);
  ProbeNode *target = g_ptr_array_index (self->nodes, to);
  ProbeOffer *offer = g_new0 (ProbeOffer, 1);
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionTicket) ticket = fetch_ticket (self->plan, source, &error);
  g_autoptr (ProbeConnection) connection = NULL;
  ProbeStage stage;

  offer->from = from;
  offer->to = to;
  offer->resumption = G_TLS_SESSION_RESUMPTION_NONE;
  if (ticket != NULL)
    connection = probe_connection_open (self->plan, target->address, ticket, &stage, &error);
  if (connection != NULL)
    {
      offer->resumption = g_tls_session_helper_get_resumption (connection->helper);
      offer->explanation = g_tls_session_helper_explain (connection->helper);
    }
  else
    offer->failure = g_strdup (error->message);
  return offer;
}

static void
ask_all (ProbeReport *self)
{
  for (guint from = 0; from < self->nodes->len; from++)
    for (guint to = 0; to < self->nodes->len; to++)
      {
        ProbeNode *source = g_ptr_array_index (self->nodes, from);
        ProbeNode *target = g_ptr_array_index (self->nodes, to);

        if (from != to && source->n_tickets > 0 && target->stage == PROBE_STAGE_DONE)
          g_ptr_array_add (self->offers, ask (self, from, to));
      }
}

ProbeReport *
probe_run (const ProbePlan *plan)
{
  ProbeReport *self = g_new0 (ProbeReport, 1);

  self->plan = plan;
  self->began = g_date_time_new_now_utc ();
  self->nodes = g_ptr_array_new_with_free_func ((GDestroyNotify) probe_node_free);
  self->offers = g_ptr_array_new_with_free_func (offer_free);
  self->groups = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  self->findings = g_ptr_array_new_with_free_func (finding_free);

  for (guint i = 0; i < plan->addresses->len; i++)
    g_ptr_array_add (self->nodes, probe_node (plan, g_ptr_array_index (plan->addresses, i)));
  ask_all (self);
  probe_report_conclude (self);
  return self;
}
