/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "probe.h"

#include <string.h>

#include "../terminal.h"
#include "../tool.h"

/* gtls-session probe: the command line, and what it ends with. */

#define DEFAULT_PORT 443
#define DEFAULT_COUNT 5
#define MAX_COUNT 1000
#define DEFAULT_TIMEOUT 10 /* s */
#define MAX_TIMEOUT 3600

typedef struct
{
  char *starttls;
  char *alpn;
  gboolean only_tls12;
  int count;
  char **addresses;
  char *ca;
  int timeout;
  gboolean json;
} Options;

static const char description[] =
  "Examples:\n"
  "  gtls-session probe example.org\n"
  "  gtls-session probe example.org:8443 --alpn h2,http/1.1 --count 20\n"
  "  gtls-session probe imap.example.org --starttls imap --ca root.pem\n"
  "  gtls-session probe www.example.org --address 192.0.2.1 --address 192.0.2.2\n"
  "\n"
  "HOST is the name that the server's certificate has to be for. Without --address each address of the name is\n"
  "probed, 16 at the most; a ticket of each is offered to each other one, to see which of them share ticket keys.\n"
  "A certificate that cannot be verified is told, and the rest too: the probe accepts it by hand, for its own\n"
  "connections only.\n"
  "\n"
  "Exit status: 0 verified, and all tickets taken everywhere; 1 there are findings; 2 the command line is not\n"
  "understood; 3 no address could be probed.";

static void
options_clear (Options *self)
{
  g_free (self->starttls);
  g_free (self->alpn);
  g_strfreev (self->addresses);
  g_free (self->ca);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static void
plan_clear (ProbePlan *self)
{
  g_free (self->host);
  g_strfreev (self->alpn);
  g_clear_pointer (&self->addresses, g_ptr_array_unref);
  g_clear_object (&self->database);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ProbePlan, plan_clear)

/* From options to a plan */

static ToolExit
read_options (Options *options, int *argc, char ***argv)
{
  const GOptionEntry entries[] = {
    { "starttls", 0, 0, G_OPTION_ARG_STRING, &options->starttls,
      "Begin in the clear: ftp, smtp, imap, pop3, xmpp, postgres or ldap", "PROTOCOL" },
    { "alpn", 0, 0, G_OPTION_ARG_STRING, &options->alpn, "Offer these application protocols", "NAME[,NAME…]" },
    { "tls1.2", 0, 0, G_OPTION_ARG_NONE, &options->only_tls12, "Speak TLS 1.2, not 1.3", NULL },
    { "count", 'n', 0, G_OPTION_ARG_INT, &options->count, "Runs for each address, 5 unless told", "N" },
    { "address", 'a', 0, G_OPTION_ARG_STRING_ARRAY, &options->addresses,
      "Connect to this address, not to those of HOST; may be given again", "ADDRESS[:PORT]" },
    { "ca", 0, 0, G_OPTION_ARG_FILENAME, &options->ca, "Trust the certificates in this file, not the system's",
      "FILE" },
    { "timeout", 't', 0, G_OPTION_ARG_INT, &options->timeout, "Wait so long for a server's answer, 10 unless told",
      "SECONDS" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &options->json, "Tell it to a program, as doc/probe-json.md says", NULL },
    G_OPTION_ENTRY_NULL,
  };

  return tool_parse (entries, "HOST[:PORT]", "Asks a server whether it resumes TLS sessions, how, and what that saves.",
                     description, argc, argv);
}

static gboolean
set_starttls (ProbePlan *plan, const char *name, char **complaint)
{
  g_autofree char *known = NULL;

  if (name == NULL)
    return TRUE;
  plan->starttls = starttls_find (name);
  if (plan->starttls != NULL)
    return TRUE;
  known = starttls_list_names ();
  *complaint = g_strdup_printf ("--starttls knows %s, not \"%s\"", known, name);
  return FALSE;
}

/* RFC 7301: a name has 1 to 255 bytes. */
static gboolean
set_alpn (ProbePlan *plan, const char *names, char **complaint)
{
  if (names == NULL)
    return TRUE;
  plan->alpn = g_strsplit (names, ",", -1);
  for (char **name = plan->alpn; *name != NULL; name++)
    if (**name == '\0' || strlen (*name) > 255)
      {
        *complaint = g_strdup_printf ("--alpn takes names with commas between them, not \"%s\"", names);
        return FALSE;
      }
  return TRUE;
}

/* With more than one colon a URL would be taken for an IPv6 address, and looked up. */
static gboolean
is_host (const char *name)
{
  return *name != '\0' && strchr (name, '/') == NULL;
}

static gboolean
set_host (ProbePlan *plan, const char *text, char **complaint)
{
  guint16 default_port = plan->starttls != NULL ? starttls_get_default_port (plan->starttls) : DEFAULT_PORT;
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketConnectable) address = g_network_address_parse (text, default_port, &error);

  if (address == NULL || g_network_address_get_port (G_NETWORK_ADDRESS (address)) == 0 ||
      !is_host (g_network_address_get_hostname (G_NETWORK_ADDRESS (address))))
    {
      *complaint = g_strdup_printf ("\"%s\" is no HOST[:PORT]", text);
      return FALSE;
    }
  plan->host = g_strdup (g_network_address_get_hostname (G_NETWORK_ADDRESS (address)));
  plan->port = g_network_address_get_port (G_NETWORK_ADDRESS (address));
  return TRUE;
}

static gboolean
add_address (ProbePlan *plan, const char *text, char **complaint)
{
  g_autoptr (GInetAddress) plain = g_inet_address_new_from_string (text); /* an IPv6 one needs no brackets */
  g_autoptr (GSocketConnectable) parsed = plain == NULL ? g_network_address_parse (text, plan->port, NULL) : NULL;
  GSocketAddress *address = NULL;

  if (plain != NULL)
    address = g_inet_socket_address_new (plain, plan->port);
  else if (parsed != NULL)
    address = g_inet_socket_address_new_from_string (g_network_address_get_hostname (G_NETWORK_ADDRESS (parsed)),
                                                     g_network_address_get_port (G_NETWORK_ADDRESS (parsed)));
  if (address == NULL)
    {
      *complaint = g_strdup_printf ("--address takes an IP address, with a port perhaps, not \"%s\"", text);
      return FALSE;
    }
  g_ptr_array_add (plan->addresses, address);
  return TRUE;
}

static gboolean
add_addresses (ProbePlan *plan, char **texts, char **complaint)
{
  plan->is_chosen = texts != NULL;
  for (char **text = texts; text != NULL && *text != NULL; text++)
    if (!add_address (plan, *text, complaint))
      return FALSE;
  if (plan->addresses->len <= PROBE_MAX_NODES)
    return TRUE;
  *complaint = g_strdup_printf ("%d addresses at the most", PROBE_MAX_NODES);
  return FALSE;
}

static gboolean
fill_plan (ProbePlan *plan, const Options *options, const char *host, char **complaint)
{
  plan->addresses = g_ptr_array_new_with_free_func (g_object_unref);
  plan->only_tls12 = options->only_tls12;
  plan->count = (guint) options->count;
  plan->timeout = (guint) options->timeout;
  return tool_check_range ("--count", options->count, MAX_COUNT, complaint) &&
         tool_check_range ("--timeout", options->timeout, MAX_TIMEOUT, complaint) &&
         set_starttls (plan, options->starttls, complaint) && set_alpn (plan, options->alpn, complaint) &&
         set_host (plan, host, complaint) && add_addresses (plan, options->addresses, complaint);
}

/* What is not a matter of the command line */

static gboolean
has_address (ProbePlan *plan, GInetAddress *address)
{
  for (guint i = 0; i < plan->addresses->len; i++)
    if (g_inet_address_equal (address, g_inet_socket_address_get_address (g_ptr_array_index (plan->addresses, i))))
      return TRUE;
  return FALSE;
}

static void
free_addresses (GList **addresses)
{
  g_resolver_free_addresses (*addresses);
}

static gboolean
look_up (ProbePlan *plan, GError **error)
{
  g_autoptr (GResolver) resolver = g_resolver_get_default ();
  __attribute__ ((cleanup (free_addresses)))
  GList *found = g_resolver_lookup_by_name (resolver, plan->host, NULL, error);
  guint n_left_out = 0;

  if (found == NULL)
    return FALSE;
  for (GList *item = found; item != NULL; item = item->next)
    {
      if (has_address (plan, item->data))
        continue;
      if (plan->addresses->len < PROBE_MAX_NODES)
        g_ptr_array_add (plan->addresses, g_inet_socket_address_new (item->data, plan->port));
      else
        n_left_out++;
    }
  if (n_left_out > 0)
    tool_warn ("%s has more addresses than %d; %u are left out", plan->host, PROBE_MAX_NODES, n_left_out);
  return TRUE;
}

/* An address needs no looking up, which would lose its scope, the part behind the % (RFC 4007). Certificates know none. */
static gboolean
take_literal (ProbePlan *plan)
{
  GSocketAddress *address = g_inet_socket_address_new_from_string (plan->host, plan->port);
  char *scope = strchr (plan->host, '%');

  if (address == NULL)
    return FALSE;
  if (scope != NULL)
    *scope = '\0';
  g_ptr_array_add (plan->addresses, address);
  return TRUE;
}

static gboolean
prepare (ProbePlan *plan, const char *ca, GError **error)
{
  if (ca != NULL)
    {
      plan->database = G_TLS_DATABASE (g_tls_session_file_database_new (ca, error));
      if (plan->database == NULL)
        return FALSE;
    }
  return plan->addresses->len > 0 || take_literal (plan) || look_up (plan, error);
}

static ToolExit
tell (ProbeReport *report, gboolean as_json)
{
  if (as_json)
    probe_tell_json (report);
  else
    probe_tell_text (report);

  if (!probe_report_has_answer (report))
    return TOOL_EXIT_FAILED;
  return report->findings->len > 0 ? TOOL_EXIT_NO : TOOL_EXIT_DONE;
}

int
gtls_session_tool_probe (int argc, char **argv)
{
  g_auto (Options) options = { .count = DEFAULT_COUNT, .timeout = DEFAULT_TIMEOUT };
  g_auto (ProbePlan) plan = { 0 };
  g_autofree char *complaint = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (ProbeReport) report = NULL;
  const char *verb = argv[0];

  if (read_options (&options, &argc, &argv) != TOOL_EXIT_DONE)
    return TOOL_EXIT_USAGE;
  if (argc != 2)
    return tool_complain (verb, argc < 2 ? "HOST is missing" : "One HOST at a time");
  if (!fill_plan (&plan, &options, argv[1], &complaint))
    return tool_complain (verb, "%s", complaint);
  if (!prepare (&plan, options.ca, &error))
    return tool_fail (error);

  report = probe_run (&plan);
  return tell (report, options.json);
}
