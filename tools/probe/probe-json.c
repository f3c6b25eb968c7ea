/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "probe.h"

#include "../tool-json.h"

/* The report for a program. doc/probe-json.md documents it; what is there changes only together with FORMAT. */

#define FORMAT 1

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

/* Nodes */

static void
add_verification (JsonBuilder *builder, ProbeNode *node)
{
  tool_json_begin_object (builder, "verification");
  tool_json_add_boolean (builder, "verified", node->faults == 0);
  tool_json_add_boolean (builder, "accepted_by_hand", node->faults != 0);
  tool_json_begin_array (builder, "faults");
  for (const ProbeFault *fault = probe_faults; fault->name != NULL; fault++)
    if (node->faults & fault->flag)
      json_builder_add_string_value (builder, fault->name);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

static void
add_certificate (JsonBuilder *builder, gpointer element, gpointer user_data)
{
  ProbeCertificate *certificate = element;

  tool_json_add_string (builder, "subject", certificate->subject);
  tool_json_add_string (builder, "issuer", certificate->issuer);
  tool_json_add_date (builder, "not_before", certificate->begins);
  tool_json_add_date (builder, "not_after", certificate->ends);
}

static void
add_tickets (JsonBuilder *builder, ProbeNode *node)
{
  GTlsSessionTicket *ticket = node->ticket;

  tool_json_begin_object (builder, "tickets");
  tool_json_add_number (builder, "count", node->n_tickets);
  tool_json_add_number (builder, "lifetime_s", ticket != NULL ? g_tls_session_ticket_get_lifetime (ticket) : 0);
  tool_json_add_number (builder, "max_early_data",
                        ticket != NULL ? g_tls_session_ticket_get_max_early_data (ticket) : 0);
  tool_json_add_boolean (builder, "single_use", ticket != NULL && g_tls_session_ticket_get_single_use (ticket));
  json_builder_end_object (builder);
}

static void
add_runs (JsonBuilder *builder, ProbeNode *node)
{
  tool_json_begin_array (builder, "runs");
  for (guint i = 0; i < node->runs->len; i++)
    {
      ProbeRun *run = &g_array_index (node->runs, ProbeRun, i);

      json_builder_begin_object (builder);
      add_time_taken (builder, "full_us", run->full_us);
      add_time_taken (builder, "second_us", run->resumed_us);
      tool_json_add_string (builder, "resumption", probe_name_resumption (run->resumption));
      tool_json_add_string (builder, "explanation", run->explanation);
      tool_json_add_string (builder, "failure", run->failure);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

static void
add_answer (JsonBuilder *builder, ProbeNode *node)
{
  tool_json_add_string (builder, "version", probe_name_version (node->version));
  tool_json_add_string (builder, "cipher", node->cipher);
  tool_json_add_string (builder, "alpn", node->alpn);
  add_verification (builder, node);
  tool_json_add_objects (builder, "chain", node->chain, add_certificate, NULL);
  add_tickets (builder, node);
  tool_json_add_number (builder, "resumed", probe_node_count_resumed (node));
  add_time_taken (builder, "median_full_us", probe_node_median_full (node));
  add_time_taken (builder, "median_resumed_us", probe_node_median_resumed (node));
  add_runs (builder, node);
}

static void
add_node (JsonBuilder *builder, gpointer element, gpointer user_data)
{
  ProbeNode *node = element;
  GInetSocketAddress *inet = G_INET_SOCKET_ADDRESS (node->address);
  g_autofree char *address = g_inet_address_to_string (g_inet_socket_address_get_address (inet));

  tool_json_add_string (builder, "name", node->name);
  tool_json_add_string (builder, "address", address);
  tool_json_add_number (builder, "port", g_inet_socket_address_get_port (inet));
  tool_json_add_string (builder, "stage", probe_stage_get_name (node->stage));
  tool_json_add_string (builder, "failure", node->failure);
  json_builder_set_member_name (builder, "answer");
  if (node->stage == PROBE_STAGE_DONE)
    {
      json_builder_begin_object (builder);
      add_answer (builder, node);
      json_builder_end_object (builder);
    }
  else
    json_builder_add_null_value (builder);
}

/* Sharing */

static const char *
name_node (ProbeReport *report, guint number)
{
  return ((ProbeNode *) g_ptr_array_index (report->nodes, number))->name;
}

static void
add_offer (JsonBuilder *builder, gpointer element, gpointer report)
{
  ProbeOffer *offer = element;

  tool_json_add_string (builder, "from", name_node (report, offer->from));
  tool_json_add_string (builder, "to", name_node (report, offer->to));
  tool_json_add_string (builder, "resumption", probe_name_resumption (offer->resumption));
  tool_json_add_string (builder, "explanation", offer->explanation);
  tool_json_add_string (builder, "failure", offer->failure);
}

static void
add_groups (JsonBuilder *builder, ProbeReport *report)
{
  tool_json_begin_array (builder, "groups");
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
add_finding (JsonBuilder *builder, gpointer element, gpointer user_data)
{
  ProbeFinding *finding = element;

  tool_json_add_string (builder, "code", finding->code);
  tool_json_add_string (builder, "node", finding->node);
  tool_json_add_string (builder, "text", finding->text);
}

/* The whole */

static void
add_plan (JsonBuilder *builder, const ProbePlan *plan)
{
  const char *const *alpn = (const char *const *) plan->alpn;

  tool_json_add_string (builder, "host", plan->host);
  tool_json_add_number (builder, "port", plan->port);
  tool_json_add_string (builder, "starttls", plan->starttls != NULL ? starttls_get_name (plan->starttls) : NULL);
  tool_json_add_strings (builder, "alpn_offered", alpn, alpn != NULL ? g_strv_length (plan->alpn) : 0);
  tool_json_add_boolean (builder, "only_tls12", plan->only_tls12);
}

static void
add_report (JsonBuilder *builder, ProbeReport *report)
{
  tool_json_add_number (builder, "format", FORMAT);
  tool_json_add_date (builder, "began", report->began);
  add_plan (builder, report->plan);
  tool_json_add_objects (builder, "nodes", report->nodes, add_node, NULL);
  tool_json_add_objects (builder, "offers", report->offers, add_offer, report);
  add_groups (builder, report);
  tool_json_add_objects (builder, "findings", report->findings, add_finding, NULL);
}

void
probe_tell_json (ProbeReport *report)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  add_report (builder, report);
  json_builder_end_object (builder);
  tool_json_print (builder);
}
