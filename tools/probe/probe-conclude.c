/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "probe.h"

/* What follows from the answers. */

const ProbeFault probe_faults[] = {
  { G_TLS_CERTIFICATE_UNKNOWN_CA, "unknown-ca", "it is not signed by anybody who is trusted" },
  { G_TLS_CERTIFICATE_BAD_IDENTITY, "bad-identity", "it is for another name" },
  { G_TLS_CERTIFICATE_NOT_ACTIVATED, "not-activated", "it is not valid yet" },
  { G_TLS_CERTIFICATE_EXPIRED, "expired", "it has expired" },
  { G_TLS_CERTIFICATE_REVOKED, "revoked", "it was revoked" },
  { G_TLS_CERTIFICATE_INSECURE, "insecure", "its algorithm or its key is too weak" },
  { G_TLS_CERTIFICATE_GENERIC_ERROR, "generic-error", "it has another fault" },
  { 0, NULL, NULL },
};

const char *
probe_name_version (GTlsProtocolVersion version)
{
  switch (version)
    {
    case G_TLS_PROTOCOL_VERSION_TLS_1_2:
      return "TLS 1.2";
    case G_TLS_PROTOCOL_VERSION_TLS_1_3:
      return "TLS 1.3";
    default:
      return "unknown";
    }
}

const char *
probe_name_resumption (GTlsSessionResumption resumption)
{
  switch (resumption)
    {
    case G_TLS_SESSION_RESUMPTION_RESUMED:
      return "resumed";
    case G_TLS_SESSION_RESUMPTION_REFUSED:
      return "refused";
    default:
      return "none";
    }
}

/* Of a node's runs */

guint
probe_node_count_resumed (ProbeNode *self)
{
  guint n_resumed = 0;

  for (guint i = 0; i < self->runs->len; i++)
    if (g_array_index (self->runs, ProbeRun, i).resumption == G_TLS_SESSION_RESUMPTION_RESUMED)
      n_resumed++;
  return n_resumed;
}

static int
compare_times (gconstpointer a, gconstpointer b)
{
  gint64 first = *(const gint64 *) a;
  gint64 second = *(const gint64 *) b;

  return first < second ? -1 : first > second;
}

static gint64
median (GArray *times)
{
  guint middle = times->len / 2;

  if (times->len == 0)
    return -1;
  g_array_sort (times, compare_times);
  if (times->len % 2 == 1)
    return g_array_index (times, gint64, middle);
  return (g_array_index (times, gint64, middle - 1) + g_array_index (times, gint64, middle)) / 2;
}

gint64
probe_node_median_full (ProbeNode *self)
{
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (gint64));

  for (guint i = 0; i < self->runs->len; i++)
    if (g_array_index (self->runs, ProbeRun, i).full_us >= 0)
      g_array_append_val (times, g_array_index (self->runs, ProbeRun, i).full_us);
  return median (times);
}

/* A handshake whose ticket was refused was a full one, and counts nowhere. */
gint64
probe_node_median_resumed (ProbeNode *self)
{
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (gint64));

  for (guint i = 0; i < self->runs->len; i++)
    if (g_array_index (self->runs, ProbeRun, i).resumption == G_TLS_SESSION_RESUMPTION_RESUMED)
      g_array_append_val (times, g_array_index (self->runs, ProbeRun, i).resumed_us);
  return median (times);
}

/* Of the nodes */

gboolean
probe_report_has_answer (ProbeReport *self)
{
  for (guint i = 0; i < self->nodes->len; i++)
    if (((ProbeNode *) g_ptr_array_index (self->nodes, i))->stage == PROBE_STAGE_DONE)
      return TRUE;
  return FALSE;
}

ProbeOffer *
probe_report_find_offer (ProbeReport *self, guint from, guint to)
{
  for (guint i = 0; i < self->offers->len; i++)
    {
      ProbeOffer *offer = g_ptr_array_index (self->offers, i);

      if (offer->from == from && offer->to == to)
        return offer;
    }
  return NULL;
}

static gboolean
was_taken (ProbeReport *self, guint from, guint to)
{
  ProbeOffer *offer = probe_report_find_offer (self, from, to);

  return offer != NULL && offer->resumption == G_TLS_SESSION_RESUMPTION_RESUMED;
}

gboolean
probe_report_is_shared (ProbeReport *self, guint a, guint b)
{
  return was_taken (self, a, b) && was_taken (self, b, a);
}

static gboolean
fits (ProbeReport *self, GArray *group, guint node)
{
  for (guint i = 0; i < group->len; i++)
    if (!probe_report_is_shared (self, g_array_index (group, guint, i), node))
      return FALSE;
  return TRUE;
}

static GArray *
find_group (ProbeReport *self, guint node)
{
  GArray *group;

  for (guint i = 0; i < self->groups->len; i++)
    if (fits (self, g_ptr_array_index (self->groups, i), node))
      return g_ptr_array_index (self->groups, i);

  group = g_array_new (FALSE, FALSE, sizeof (guint));
  g_ptr_array_add (self->groups, group);
  return group;
}

/* In a group each shares with each. Who gives no tickets is in none. */
static void
group_nodes (ProbeReport *self)
{
  for (guint i = 0; i < self->nodes->len; i++)
    if (((ProbeNode *) g_ptr_array_index (self->nodes, i))->n_tickets > 0)
      g_array_append_val (find_group (self, i), i);
}

/* Findings */

static void find (ProbeReport *self, const char *code, const char *node, const char *format, ...) G_GNUC_PRINTF (4, 5);

static void
find (ProbeReport *self, const char *code, const char *node, const char *format, ...)
{
  ProbeFinding *finding = g_new0 (ProbeFinding, 1);
  va_list args;

  va_start (args, format);
  finding->text = g_strdup_vprintf (format, args);
  va_end (args);
  finding->code = code;
  finding->node = g_strdup (node);
  g_ptr_array_add (self->findings, finding);
}

char *
probe_list_faults (GTlsCertificateFlags faults)
{
  GString *words = g_string_new (NULL);

  for (const ProbeFault *fault = probe_faults; fault->name != NULL; fault++)
    if (faults & fault->flag)
      g_string_append_printf (words, "%s%s", words->len > 0 ? ", " : "", fault->words);
  return g_string_free (words, FALSE);
}

static void
judge_runs (ProbeReport *self, ProbeNode *node)
{
  guint n_resumed = probe_node_count_resumed (node);

  if (n_resumed == node->runs->len)
    return;
  if (n_resumed == 0)
    find (self, "not-resumed", node->name, "None of its tickets was taken.");
  else
    find (
      self, "partly-resumed", node->name,
      "%u of %u tickets were taken: there may be several servers behind this address that do not share ticket keys.",
      n_resumed, node->runs->len);
}

static void
judge_node (ProbeReport *self, ProbeNode *node)
{
  if (node->stage != PROBE_STAGE_DONE)
    {
      if (!node->is_out_of_reach || !probe_report_has_answer (self))
        find (self, node->stage == PROBE_STAGE_CONNECT ? "unreachable" : "no-handshake", node->name, "%s",
              node->failure);
      return;
    }

  if (node->faults != 0)
    {
      g_autofree char *words = probe_list_faults (node->faults);

      find (self, "not-verified", node->name, "The certificate was not verified: %s.", words);
    }
  if (node->n_tickets == 0)
    find (self, "no-tickets", node->name, "It gives no session tickets.");
  else
    judge_runs (self, node);
}

void
probe_report_conclude (ProbeReport *self)
{
  group_nodes (self);
  for (guint i = 0; i < self->nodes->len; i++)
    judge_node (self, g_ptr_array_index (self->nodes, i));
  if (self->groups->len > 1)
    find (self, "keys-not-shared", NULL, "The addresses do not all share their ticket keys.");
}
