/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The test server as a program, for tests in other languages.
 *
 * It prints "port=NNN ca=PATH" when it listens, then answers each line it reads with one line:
 *
 *   lose-keys     "ok"
 *   stats         "connections=N handshakes=N resumed=N"
 *   wait N        "ok" once N connections have ended, "timeout" after a minute
 *   record I      "handshaken=yes|no resumed=yes|no protocol=… server-name=… alpn=… received=N sha256=… end=… error=…"
 *   quit          ends it, as the end of its input does
 */

#include "test-server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *behaviour_names[TEST_N_BEHAVIOURS] = {
  "echo",    "sink",    "greet",      "greet-then-ticket", "ticket-on-request", "silent",
  "abrupt",  "reset",   "flood",      "ticket-flood",      "garbage",           "stall",
  "not-tls", "decline", "key-update", "farewell",          "greet-then-silent",
};

static const char *certificate_names[TEST_N_CERTIFICATES] = { "good", "expired", "not-yet-valid", "other-name",
                                                              "stranger" };

static char *behaviour_name;
static char *certificate_name;
static char *alpn;
static gboolean only_tls12;
static gboolean only_tls13;
static gboolean session_ids;
static gboolean no_tickets;
static int n_tickets;
static int ticket_lifetime;
static int read_delay_ms;
static int pause_ms;
static int greeting_size;

static const GOptionEntry option_entries[] = {
  { "behaviour", 0, 0, G_OPTION_ARG_STRING, &behaviour_name,
    "echo, sink, greet, greet-then-ticket, ticket-on-request, silent, abrupt, reset, flood, ticket-flood, garbage, "
    "stall, not-tls, decline, "
    "key-update, farewell, greet-then-silent",
    "B" },
  { "certificate", 0, 0, G_OPTION_ARG_STRING, &certificate_name, "good, expired, not-yet-valid, other-name, stranger",
    "C" },
  { "alpn", 0, 0, G_OPTION_ARG_STRING, &alpn, "choose this application protocol", "NAME" },
  { "tls1.2", 0, 0, G_OPTION_ARG_NONE, &only_tls12, "TLS 1.2 at most", NULL },
  { "tls1.3", 0, 0, G_OPTION_ARG_NONE, &only_tls13, "TLS 1.3 at least", NULL },
  { "session-ids", 0, 0, G_OPTION_ARG_NONE, &session_ids, "with --tls1.2: session ids instead of tickets", NULL },
  { "no-tickets", 0, 0, G_OPTION_ARG_NONE, &no_tickets, "issue neither tickets nor session ids", NULL },
  { "tickets", 0, 0, G_OPTION_ARG_INT, &n_tickets, "TLS 1.3 tickets for a full handshake (2)", "N" },
  { "lifetime", 0, 0, G_OPTION_ARG_INT, &ticket_lifetime, "of tickets, in seconds (7200)", "S" },
  { "read-delay", 0, 0, G_OPTION_ARG_INT, &read_delay_ms, "sink and greet: before the first read", "MS" },
  { "pause", 0, 0, G_OPTION_ARG_INT, &pause_ms, "sink: after each 64 KiB", "MS" },
  { "greeting-size", 0, 0, G_OPTION_ARG_INT, &greeting_size, "greet: bytes, 'a' to 'w' over and over (1000)", "N" },
  G_OPTION_ENTRY_NULL,
};

/* The index of @name; it ends the program if there is none. */
static int
find_name (const char *name, const char *const *names, int n_names)
{
  if (name == NULL)
    return 0;
  for (int i = 0; i < n_names; i++)
    if (strcmp (names[i], name) == 0)
      return i;

  g_printerr ("There is no '%s'; see --help\n", name);
  exit (2);
}

static TestTls12
choose_tls12 (void)
{
  if (no_tickets)
    return TEST_TLS12_NOTHING;
  return session_ids ? TEST_TLS12_SESSION_IDS : TEST_TLS12_TICKETS;
}

static void
answer_record (TestServer *server, guint index)
{
  g_auto (TestServerRecord) record = { 0 };

  if (!test_server_get_record (server, index, &record))
    {
      printf ("none\n");
      return;
    }
  printf ("handshaken=%s resumed=%s protocol=%s server-name=%s alpn=%s received=%" G_GUINT64_FORMAT
          " sha256=%s end=%s error=%s\n",
          record.handshaken ? "yes" : "no", record.resumed ? "yes" : "no", record.protocol ? record.protocol : "",
          record.server_name ? record.server_name : "", record.alpn ? record.alpn : "", record.n_received,
          record.sha256 ? record.sha256 : "", test_end_to_string (record.end), record.error ? record.error : "");
}

/* FALSE to end. */
static gboolean
answer (TestServer *server, char *line)
{
  g_strchomp (line);
  if (strcmp (line, "quit") == 0)
    return FALSE;

  if (strcmp (line, "lose-keys") == 0)
    {
      test_server_lose_keys (server);
      printf ("ok\n");
    }
  else if (strcmp (line, "stats") == 0)
    printf ("connections=%u handshakes=%u resumed=%u\n", test_server_count_connections (server),
            test_server_count_handshakes (server), test_server_count_resumed (server));
  else if (g_str_has_prefix (line, "wait "))
    printf (test_server_wait_ended (server, (guint) atoi (line + 5)) ? "ok\n" : "timeout\n");
  else if (g_str_has_prefix (line, "record "))
    answer_record (server, (guint) atoi (line + 7));
  else
    printf ("unknown command\n");
  fflush (stdout);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("- a TLS server for tests");
  g_autoptr (GError) error = NULL;
  g_autoptr (TestServer) server = NULL;
  TestServerOptions options = { 0 };
  char line[256];

  g_option_context_add_main_entries (context, option_entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      g_printerr ("%s\n", error->message);
      return 2;
    }

  options.behaviour = (TestBehaviour) find_name (behaviour_name, behaviour_names, TEST_N_BEHAVIOURS);
  options.certificate = (TestCertificate) find_name (certificate_name, certificate_names, TEST_N_CERTIFICATES);
  options.only_tls12 = only_tls12;
  options.only_tls13 = only_tls13;
  options.tls12 = choose_tls12 ();
  options.no_tickets = no_tickets;
  options.n_tickets = (guint) n_tickets;
  options.ticket_lifetime = (guint) ticket_lifetime;
  options.alpn = alpn;
  options.read_delay_ms = (guint) read_delay_ms;
  options.pause_ms = (guint) pause_ms;
  options.greeting_size = (guint) greeting_size;

  server = test_server_new (&options);
  printf ("port=%u ca=%s\n", test_server_get_port (server), test_server_get_ca_path (server));
  fflush (stdout);

  while (fgets (line, sizeof line, stdin) != NULL && answer (server, line))
    ;
  g_free (behaviour_name);
  g_free (certificate_name);
  g_free (alpn);
  return 0;
}
