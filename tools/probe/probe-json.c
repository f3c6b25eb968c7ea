/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "probe.h"

#include <json-glib/json-glib.h>

/* The report for a program. doc/probe-json.md documents it; what is there changes only together with FORMAT. */

#define FORMAT 1

static void
add_string (JsonBuilder *builder, const char *name, const char *text)
{
  g_autofree char *valid = text != NULL ? g_utf8_make_valid (text, -1) : NULL;

  json_builder_set_member_name (builder, name);
  if (valid != NULL)
    json_builder_add_string_value (builder, valid);
  else
    json_builder_add_null_value (builder);
}

static void
add_number (JsonBuilder *builder, const char *name, gint64 number)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, number);
}

/* Negative: not known. */
static void
add_time_taken (JsonBuilder *builder, const char *name, gint64 microseconds)
{
  json_builder_set_member_name (builder, name);
  if (microseconds >= 0)
    json_builder_add_int_value (builder, microseconds);
  else
    json_builder_add_null_value (builder);
}

static void
add_boolean (JsonBuilder *builder, const char *name, gboolean value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_boolean_value (builder, value);
}

static void
add_date (JsonBuilder *builder, const char *name, GDateTime *date)
{
  g_autoptr (GDateTime) utc = date != NULL ? g_date_time_to_utc (date) : NULL;
  g_autofree char *text = utc != NULL ? g_date_time_format (utc, "%Y-%m-%dT%H:%M:%SZ") : NULL;

  add_string (builder, name, text);
}

static void
begin_array (JsonBuilder *builder, const char *name)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
}

/* Nodes */

static void
add_verification (JsonBuilder *builder, ProbeNode *node)
{
  json_builder_set_member_name (builder, "verification");
  json_builder_begin_object (builder);
  add_boolean (builder, "verified", node->faults == 0);
  add_boolean (builder, "accepted_by_hand", node->faults != 0);
  begin_array (builder, "faults");
  for (const ProbeFault *fault = probe_faults; fault->name != NULL; fault++)
    if (node->faults & fault->flag)
      json_builder_add_string_value (builder, fault->name);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

static void
add_chain (JsonBuilder *builder, ProbeNode *node)
{
  begin_array (builder, "chain");
  for (guint i = 0; i < node->chain->len; i++)
    {
      ProbeCertificate *certificate = g_ptr_array_index (node->chain, i);

      json_builder_begin_object (builder);
      add_string (builder, "subject", certificate->subject);
      add_string (builder, "issuer", certificate->issuer);
      add_date (builder, "not_before", certificate->begins);
      add_date (builder, "not_after", certificate->ends);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

static void
add_tickets (JsonBuilder *builder, ProbeNode *node)
{
  GTlsSessionTicket *ticket = node->ticket;

  json_builder_set_member_name (builder, "tickets");
  json_builder_begin_object (builder);
  add_number (builder, "count", node->n_tickets);
  add_number (builder, "lifetime_s", ticket != NULL ? g_tls_session_ticket_get_lifetime (ticket) : 0);
  add_number (builder, "max_early_data", ticket != NULL ? g_tls_session_ticket_get_max_early_data (ticket) : 0);
  add_boolean (builder, "single_use", ticket != NULL && g_tls_session_ticket_get_single_use (ticket));
  json_builder_end_object (builder);
}

static void
add_runs (JsonBuilder *builder, ProbeNode *node)
{
  begin_array (builder, "runs");
  for (guint i = 0; i < node->runs->len; i++)
    {
      ProbeRun *run = &g_array_index (node->runs, ProbeRun, i);

      json_builder_begin_object (builder);
      add_time_taken (builder, "full_us", run->full_us);
      add_time_taken (builder, "second_us", run->resumed_us);
      add_string (builder, "resumption", probe_name_resumption (run->resumption));
      add_string (builder, "explanation", run->explanation);
      add_string (builder, "failure", run->failure);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

static void
add_answer (JsonBuilder *builder, ProbeNode *node)
{
  add_string (builder, "version", probe_name_version (node->version));
  add_string (builder, "cipher", node->cipher);
  add_string (builder, "alpn", node->alpn);
  add_verification (builder, node);
  add_chain (builder, node);
  add_tickets (builder, node);
  add_number (builder, "resumed", probe_node_count_resumed (node));
  add_time_taken (builder, "median_full_us", probe_node_median_full (node));
  add_time_taken (builder, "median_resumed_us", probe_node_median_resumed (node));
  add_runs (builder, node);
}

static void
add_node (JsonBuilder *builder, ProbeNode *node)
{
  GInetSocketAddress *inet = G_INET_SOCKET_ADDRESS (node->address);
  g_autofree char *address = g_inet_address_to_string (g_inet_socket_address_get_address (inet));

  json_builder_begin_object (builder);
  add_string (builder, "name", node->name);
  add_string (builder, "address", address);
  add_number (builder, "port", g_inet_socket_address_get_port (inet));
  add_string (builder, "stage", probe_stage_get_name (node->stage));
  add_string (builder, "failure", node->failure);
  json_builder_set_member_name (builder, "answer");
  if (node->stage == PROBE_STAGE_DONE)
    {
      json_builder_begin_object (builder);
      add_answer (builder, node);
      json_builder_end_object (builder);
    }
  else
    json_builder_add_null_value (builder);
  json_builder_end_object (builder);
}

/* Sharing */

static const char *
name_node (ProbeReport *report, guint number)
{
  return ((ProbeNode *) g_ptr_array_index (report->nodes, number))->name;
}

static void
add_offers (JsonBuilder *builder, ProbeReport *report)
{
  begin_array (builder, "offers");
  for (guint i = 0; i < report->offers->len; i++)
    {
      ProbeOffer *offer = g_ptr_array_index (report->offers, i);

      json_builder_begin_object (builder);
      add_string (builder, "from", name_node (report, offer->from));
      add_string (builder, "to", name_node (report, offer->to));
      add_string (builder, "resumption", probe_name_resumption (offer->resumption));
      add_string (builder, "explanation", offer->explanation);
      add_string (builder, "failure", offer->failure);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

static void
add_groups (JsonBuilder *builder, ProbeReport *report)
{
  begin_array (builder, "groups");
  for (guint i = 0; i < report->groups->len; i++)
    {
      GArray *group = g_ptr_array_index (report->groups, i);

      json_builder_begin_array (builder);
      for (guint j = 0; j < group->len; j++)
        json_builder_add_string_value (builder, name_node (report, g_array_index (group, guint, j)));
      json_builder_end_array (builder);
    }
  json_builder_end_array (builder);
}

static void
add_findings (JsonBuilder *builder, ProbeReport *report)
{
  begin_array (builder, "findings");
  for (guint i = 0; i < report->findings->len; i++)
    {
      ProbeFinding *finding = g_ptr_array_index (report->findings, i);

      json_builder_begin_object (builder);
      add_string (builder, "code", finding->code);
      add_string (builder, "node", finding->node);
      add_string (builder, "text", finding->text);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

/* The whole */

static void
add_plan (JsonBuilder *builder, const ProbePlan *plan)
{
  add_string (builder, "host", plan->host);
  add_number (builder, "port", plan->port);
  add_string (builder, "starttls", plan->starttls != NULL ? starttls_get_name (plan->starttls) : NULL);
  begin_array (builder, "alpn_offered");
  for (char **name = plan->alpn; name != NULL && *name != NULL; name++)
    json_builder_add_string_value (builder, *name);
  json_builder_end_array (builder);
  add_boolean (builder, "only_tls12", plan->only_tls12);
}

static void
add_report (JsonBuilder *builder, ProbeReport *report)
{
  add_number (builder, "format", FORMAT);
  add_date (builder, "began", report->began);
  add_plan (builder, report->plan);
  begin_array (builder, "nodes");
  for (guint i = 0; i < report->nodes->len; i++)
    add_node (builder, g_ptr_array_index (report->nodes, i));
  json_builder_end_array (builder);
  add_offers (builder, report);
  add_groups (builder, report);
  add_findings (builder, report);
}

char *
probe_tell_json (ProbeReport *report)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (builder);
  add_report (builder, report);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return json_to_string (root, TRUE);
}
