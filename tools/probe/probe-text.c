/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "probe.h"

#include "../terminal.h"

/* The report for a person. */

#define BAR_MAX 40 /* cells */
#define BAR_MIN 6
#define BAR_BESIDE 31 /* columns of a bar's line that are not the bar */
#define SECONDS_A_DAY (24 * 60 * 60)
#define SOON_DAYS 14 /* of a certificate's end that is worth a colour */

/* One node */

static void
tell_certificate (ProbeCertificate *certificate, guint number)
{
  const char *label = number == 1 ? "chain" : "";
  g_autofree char *end = certificate->ends != NULL ? g_date_time_format (certificate->ends, "%Y-%m-%d") : NULL;
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  gint64 left;

  if (end == NULL)
    {
      terminal_field (label, TERMINAL_BAD, "%u %s, without an end that can be read", number, certificate->subject);
      return;
    }

  left = g_date_time_difference (certificate->ends, now) / G_USEC_PER_SEC;
  if (left < 0)
    terminal_field (label, TERMINAL_BAD, "%u %s, until %s, which is over", number, certificate->subject, end);
  else
    terminal_field (label, left < (gint64) SOON_DAYS * SECONDS_A_DAY ? TERMINAL_BAD : TERMINAL_PLAIN,
                    "%u %s, until %s, for %" G_GINT64_FORMAT " more %s", number, certificate->subject, end,
                    left / SECONDS_A_DAY, left / SECONDS_A_DAY == 1 ? "day" : "days");
}

static void
tell_verification (ProbeNode *node)
{
  g_autofree char *words = probe_list_faults (node->faults);

  if (node->faults == 0)
    {
      terminal_field ("certificate", TERMINAL_GOOD, "verified");
      return;
    }

  terminal_field ("certificate", TERMINAL_BAD,
                  "NOT VERIFIED: %s. The probe accepted it by hand, for its own connections only.", words);
}

static void
tell_tickets (ProbeNode *node)
{
  guint max_early_data;

  if (node->n_tickets == 0 || node->ticket == NULL)
    {
      terminal_field ("tickets", TERMINAL_BAD, "none");
      return;
    }

  max_early_data = g_tls_session_ticket_get_max_early_data (node->ticket);
  if (max_early_data > 0)
    terminal_field ("tickets", TERMINAL_PLAIN, "%u, valid for %u s%s, with up to %u bytes of early data",
                    node->n_tickets, g_tls_session_ticket_get_lifetime (node->ticket),
                    g_tls_session_ticket_get_single_use (node->ticket) ? ", each to be used once" : "", max_early_data);
  else
    terminal_field ("tickets", TERMINAL_PLAIN, "%u, valid for %u s%s, no early data", node->n_tickets,
                    g_tls_session_ticket_get_lifetime (node->ticket),
                    g_tls_session_ticket_get_single_use (node->ticket) ? ", each to be used once" : "");
}

/* Runs */

static gint64
find_longest (ProbeNode *node)
{
  gint64 longest = 1;

  for (guint i = 0; i < node->runs->len; i++)
    {
      ProbeRun *run = &g_array_index (node->runs, ProbeRun, i);

      longest = MAX (longest, MAX (run->full_us, run->resumed_us));
    }
  return longest;
}

static guint
count_cells (void)
{
  guint width = terminal_get_width ();

  if (width == 0)
    return BAR_MAX;
  return (guint) CLAMP ((int) width - BAR_BESIDE, BAR_MIN, BAR_MAX);
}

static void
tell_bar (const char *label, const char *kind, TerminalStyle style, gint64 took, gint64 longest)
{
  g_autofree char *bar = NULL;
  g_autofree char *painted = NULL;

  if (took < 0)
    return;
  bar = terminal_bar ((double) took / (double) longest, count_cells ());
  painted = terminal_paint (style, bar);
  g_print ("  %4s  %-8s %s %9.2f ms\n", label, kind, painted, (double) took / 1000.0);
}

static void
tell_run (ProbeNode *node, guint i, gint64 longest)
{
  ProbeRun *run = &g_array_index (node->runs, ProbeRun, i);
  g_autofree char *number = g_strdup_printf ("%u", i + 1);

  tell_bar (number, "full", TERMINAL_FAINT, run->full_us, longest);
  tell_bar ("", probe_name_resumption (run->resumption),
            run->resumption == G_TLS_SESSION_RESUMPTION_RESUMED ? TERMINAL_GOOD : TERMINAL_BAD, run->resumed_us,
            longest);
  if (run->failure != NULL)
    terminal_field ("", TERMINAL_BAD, "%s", run->failure);
}

/* The first of each kind, as all others say the same. */
static void
tell_why (ProbeNode *node)
{
  gboolean is_told[G_TLS_SESSION_RESUMPTION_UNKNOWN + 1] = { FALSE };

  for (guint i = 0; i < node->runs->len; i++)
    {
      ProbeRun *run = &g_array_index (node->runs, ProbeRun, i);

      if (run->explanation == NULL || is_told[run->resumption])
        continue;
      is_told[run->resumption] = TRUE;
      terminal_field ("why", TERMINAL_PLAIN, "%s", run->explanation);
    }
}

static void
tell_times (ProbeNode *node)
{
  gint64 full = probe_node_median_full (node);
  gint64 resumed = probe_node_median_resumed (node);

  if (resumed > 0 && full > 0)
    terminal_field ("handshake", TERMINAL_PLAIN, "full %.2f ms, resumed %.2f ms (%.2f of it); medians",
                    (double) full / 1000.0, (double) resumed / 1000.0, (double) resumed / (double) full);
  else if (full > 0)
    terminal_field ("handshake", TERMINAL_PLAIN, "full %.2f ms (median)", (double) full / 1000.0);
}

static void
tell_runs (ProbeNode *node)
{
  guint n_resumed = probe_node_count_resumed (node);
  gint64 longest = find_longest (node);

  terminal_field ("resumed", n_resumed == node->runs->len ? TERMINAL_GOOD : TERMINAL_BAD, "%u of %u", n_resumed,
                  node->runs->len);
  tell_why (node);
  tell_times (node);
  for (guint i = 0; i < node->runs->len; i++)
    tell_run (node, i, longest);
}

static void
tell_node (ProbeNode *node)
{
  g_print ("\n");
  terminal_line (TERMINAL_TITLE, "%s", node->name);
  if (node->stage != PROBE_STAGE_DONE)
    {
      terminal_field (probe_stage_get_name (node->stage), TERMINAL_BAD, "%s", node->failure);
      return;
    }

  if (node->alpn != NULL)
    terminal_field ("version", TERMINAL_PLAIN, "%s, %s, ALPN %s", probe_name_version (node->version), node->cipher,
                    node->alpn);
  else
    terminal_field ("version", TERMINAL_PLAIN, "%s, %s", probe_name_version (node->version), node->cipher);
  tell_verification (node);
  for (guint i = 0; i < node->chain->len; i++)
    tell_certificate (g_ptr_array_index (node->chain, i), i + 1);
  tell_tickets (node);
  tell_runs (node);
}

/* Ticket keys */

static const char *
name_node (ProbeReport *report, guint number)
{
  return ((ProbeNode *) g_ptr_array_index (report->nodes, number))->name;
}

static char *
list_group (ProbeReport *report, GArray *group)
{
  GString *names = g_string_new (NULL);

  for (guint i = 0; i < group->len; i++)
    g_string_append_printf (names, "%s%s",
                            i == 0                ? ""
                            : i + 1 == group->len ? " and "
                                                  : ", ",
                            name_node (report, g_array_index (group, guint, i)));
  return g_string_free (names, FALSE);
}

static void
tell_group (ProbeReport *report, GArray *group)
{
  g_autofree char *names = list_group (report, group);

  if (group->len > 1)
    terminal_line (TERMINAL_GOOD, "%s share ticket keys.", names);
  else
    terminal_line (TERMINAL_BAD, "%s shares ticket keys with no other address.", names);
}

/* After a change of keys, perhaps. */
static void
tell_one_way (ProbeReport *report, ProbeOffer *offer)
{
  ProbeOffer *back = probe_report_find_offer (report, offer->to, offer->from);

  if (offer->resumption == G_TLS_SESSION_RESUMPTION_RESUMED &&
      (back == NULL || back->resumption != G_TLS_SESSION_RESUMPTION_RESUMED))
    terminal_line (TERMINAL_BAD, "%s takes tickets of %s, but not the other way round.", name_node (report, offer->to),
                   name_node (report, offer->from));
  if (offer->failure != NULL)
    terminal_line (TERMINAL_BAD, "A ticket of %s could not be offered to %s: %s", name_node (report, offer->from),
                   name_node (report, offer->to), offer->failure);
}

static void
tell_cell (ProbeReport *report, guint from, guint to)
{
  ProbeOffer *offer = probe_report_find_offer (report, from, to);
  gboolean is_resumed = offer != NULL && offer->resumption == G_TLS_SESSION_RESUMPTION_RESUMED;
  g_autofree char *painted = NULL;

  if (offer == NULL)
    painted = terminal_paint (TERMINAL_FAINT, from == to ? "  ." : "  ?");
  else
    painted = terminal_paint (is_resumed ? TERMINAL_GOOD : TERMINAL_BAD, is_resumed ? "yes" : " no");
  g_print (" %s", painted);
}

static void
tell_matrix (ProbeReport *report)
{
  terminal_line (TERMINAL_FAINT, "Line: whose ticket; column: to whom it was offered; was it taken?");
  g_print ("    ");
  for (guint to = 0; to < report->nodes->len; to++)
    g_print (" %3u", to + 1);
  g_print ("\n");
  for (guint from = 0; from < report->nodes->len; from++)
    {
      g_print ("%4u", from + 1);
      for (guint to = 0; to < report->nodes->len; to++)
        tell_cell (report, from, to);
      g_print ("  %s\n", name_node (report, from));
    }
}

static void
tell_sharing (ProbeReport *report)
{
  g_print ("\n");
  terminal_line (TERMINAL_TITLE, "Ticket keys of %u addresses", report->nodes->len);
  for (guint i = 0; i < report->groups->len; i++)
    tell_group (report, g_ptr_array_index (report->groups, i));
  for (guint i = 0; i < report->offers->len; i++)
    tell_one_way (report, g_ptr_array_index (report->offers, i));
  tell_matrix (report);
}

static void
tell_findings (ProbeReport *report)
{
  g_print ("\n");
  if (report->findings->len == 0)
    {
      terminal_line (TERMINAL_GOOD, "All is well: verified, and every ticket was taken.");
      return;
    }
  terminal_line (TERMINAL_TITLE, "Findings");
  for (guint i = 0; i < report->findings->len; i++)
    {
      ProbeFinding *finding = g_ptr_array_index (report->findings, i);

      terminal_line (TERMINAL_BAD, "- %s%s%s", finding->node != NULL ? finding->node : "",
                     finding->node != NULL ? ": " : "", finding->text);
    }
}

void
probe_tell_text (ProbeReport *report)
{
  const ProbePlan *plan = report->plan;

  if (plan->starttls != NULL)
    terminal_line (TERMINAL_TITLE, "%s, port %u, STARTTLS for %s", plan->host, plan->port,
                   starttls_get_name (plan->starttls));
  else
    terminal_line (TERMINAL_TITLE, "%s, port %u", plan->host, plan->port);
  for (guint i = 0; i < report->nodes->len; i++)
    tell_node (g_ptr_array_index (report->nodes, i));
  if (report->offers->len > 0)
    tell_sharing (report);
  tell_findings (report);
}
