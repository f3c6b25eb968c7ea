/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* gtls-session demo: four scenes of a session's life, against a server of its own on loopback, or three of them against
 * a server that is named.
 */

#include <gtls-session.h>

#include "../terminal.h"
#include "../tool.h"
#include "demo-server.h"

#define TICKET_TIMEOUT_MS 5000
#define DEFAULT_TIMEOUT 10 /* s */
#define MAX_TIMEOUT 3600

typedef struct
{
  DemoServer *server; /* NULL: somebody else's server */
  GSocketConnectable *address;
  GTlsDatabase *database; /* NULL: the system's */
  gboolean only_tls12;
  int timeout;           /* s; of each wait for the server */
  gboolean is_surprised; /* the server did something else than was to be shown */
} Stage;

/* Telling */

static void tell (const char *scene, gint64 began, const char *format, ...) G_GNUC_PRINTF (3, 4);

static void
tell (const char *scene, gint64 began, const char *format, ...)
{
  g_autofree char *what = NULL;
  gint64 took = g_get_monotonic_time () - began;
  va_list args;

  va_start (args, format);
  what = terminal_clean_format (format, args);
  va_end (args);
  g_print ("%-18s %s  [%.1f ms]\n", scene, what, (double) took / 1000.0);
}

static const char *
name_version (GTlsConnection *connection)
{
  return g_tls_connection_get_protocol_version (connection) == G_TLS_PROTOCOL_VERSION_TLS_1_3 ? "TLS 1.3" : "TLS 1.2";
}

/* Connecting */

static GTlsConnection *
connection_of (GTlsSessionHelper *helper)
{
  return G_TLS_CONNECTION (g_tls_session_helper_get_connection (helper));
}

/* A connection whose handshake is still to come. */
static GTlsSessionHelper *
prepare (Stage *stage, GError **error)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) tcp = NULL;
  GTlsSessionHelper *helper;

  g_socket_client_set_enable_proxy (client, FALSE);
  g_socket_client_set_timeout (client, (guint) stage->timeout);
  tcp = g_socket_client_connect (client, stage->address, NULL, error);
  if (tcp == NULL)
    return NULL;

  helper = g_tls_session_helper_new_for_stream (G_IO_STREAM (tcp), stage->address, error);
  if (helper == NULL)
    return NULL;

  if (stage->database != NULL)
    g_tls_connection_set_database (connection_of (helper), stage->database);
  if (stage->only_tls12)
    g_tls_session_connection_set_maximum_protocol_version (G_TLS_SESSION_CONNECTION (connection_of (helper)),
                                                           G_TLS_PROTOCOL_VERSION_TLS_1_2);
  return helper;
}

/* One scene's second connection: offers what @source has, and says what became of it. */
static gboolean
offer (Stage *stage, const char *scene, GTlsSessionHelper *source, GTlsSessionResumption expected, GError **error)
{
  g_autoptr (GTlsSessionHelper) helper = prepare (stage, error);
  g_autofree char *sentence = NULL;
  gint64 began;

  if (helper == NULL || !g_tls_session_helper_copy_session_state (helper, source, error))
    return FALSE;

  began = g_get_monotonic_time ();
  if (!g_tls_connection_handshake (connection_of (helper), NULL, error))
    return FALSE;

  sentence = g_tls_session_helper_explain (helper);
  tell (scene, began, "%s", sentence);
  if (g_tls_session_helper_get_resumption (helper) == expected)
    return g_io_stream_close (G_IO_STREAM (connection_of (helper)), NULL, error);

  stage->is_surprised = TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "That is not what was to be shown (%s)", scene);
  return FALSE;
}

/* The scenes */

static gboolean
show_full_handshake (Stage *stage, GTlsSessionHelper *helper, GError **error)
{
  gint64 began = g_get_monotonic_time ();
  g_autofree char *cipher = NULL;

  if (!g_tls_connection_handshake (connection_of (helper), NULL, error))
    return FALSE;

  cipher = g_tls_connection_get_ciphersuite_name (connection_of (helper));
  tell ("1 full handshake", began, "%s, %s; the certificate was verified.", name_version (connection_of (helper)),
        cipher);
  return TRUE;
}

/* Our own server says something behind its tickets: who has read that has them all. */
static gboolean
read_greeting (GTlsSessionHelper *helper, GError **error)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (connection_of (helper)));
  char greeting[sizeof DEMO_SERVER_GREETING - 1];
  gsize n_read;

  return g_input_stream_read_all (input, greeting, sizeof greeting, &n_read, NULL, error);
}

static gboolean
show_tickets (Stage *stage, GTlsSessionHelper *helper, GError **error)
{
  gint64 began = g_get_monotonic_time ();
  g_autoptr (GTlsSessionTicket) ticket = g_tls_session_helper_wait_for_ticket (helper, TICKET_TIMEOUT_MS, NULL, error);
  g_autolist (GTlsSessionTicket) tickets = NULL;

  if (ticket == NULL || (stage->server != NULL && !read_greeting (helper, error)))
    return FALSE;

  tickets = g_tls_session_helper_list_tickets (helper);
  tell ("2 tickets arrive", began, "%u so far, valid for %u s%s.", g_list_length (tickets),
        g_tls_session_ticket_get_lifetime (ticket),
        g_tls_session_ticket_get_single_use (ticket) ? ", each to be used once" : "");
  return TRUE;
}

static gboolean
show_resumed (Stage *stage, GTlsSessionHelper *helper, GError **error)
{
  return offer (stage, "3 resumed", helper, G_TLS_SESSION_RESUMPTION_RESUMED, error);
}

static gboolean
show_refused (Stage *stage, GTlsSessionHelper *helper, GError **error)
{
  /* One that has not been used, so that it is the keys that matter. */
  g_autoptr (GTlsSessionTicket) ticket = g_tls_session_helper_wait_for_ticket (helper, TICKET_TIMEOUT_MS, NULL, error);

  if (ticket == NULL || !demo_server_lose_keys (stage->server, error))
    return FALSE;
  return offer (stage, "4 refused", helper, G_TLS_SESSION_RESUMPTION_REFUSED, error);
}

static gboolean
play (Stage *stage, GError **error)
{
  g_autoptr (GTlsSessionHelper) helper = prepare (stage, error);

  return helper != NULL && show_full_handshake (stage, helper, error) && show_tickets (stage, helper, error) &&
         show_resumed (stage, helper, error) && (stage->server == NULL || show_refused (stage, helper, error)) &&
         g_io_stream_close (G_IO_STREAM (connection_of (helper)), NULL, error);
}

/* The stages */

static gboolean
play_here (Stage *stage, GError **error)
{
  g_autoptr (DemoServer) server = demo_server_new (error);
  gboolean played;

  if (server == NULL)
    return FALSE;

  stage->server = server;
  stage->address = g_network_address_new ("localhost", demo_server_get_port (server));
  stage->database = G_TLS_DATABASE (g_tls_session_file_database_new (demo_server_get_ca_path (server), error));

  g_print ("A server of our own on 127.0.0.1, port %u\n", demo_server_get_port (server));
  played = stage->database != NULL && play (stage, error);

  g_clear_object (&stage->database);
  g_object_unref (stage->address);
  return played;
}

static gboolean
play_at (Stage *stage, const char *host, GError **error)
{
  gboolean played;

  stage->address = g_network_address_parse (host, 443, error);
  if (stage->address == NULL)
    return FALSE;

  terminal_line (TERMINAL_PLAIN, "The server at %s", host);
  played = play (stage, error);
  g_object_unref (stage->address);
  return played;
}

int
gtls_session_tool_demo (int argc, char **argv)
{
  Stage stage = { .timeout = DEFAULT_TIMEOUT };
  const GOptionEntry entries[] = {
    { "tls1.2", 0, 0, G_OPTION_ARG_NONE, &stage.only_tls12, "Speak TLS 1.2, not 1.3", NULL },
    { "timeout", 't', 0, G_OPTION_ARG_INT, &stage.timeout, "Wait so long for HOST's answer, 10 unless told",
      "SECONDS" },
    G_OPTION_ENTRY_NULL,
  };
  g_autofree char *complaint = NULL;
  g_autoptr (GError) error = NULL;
  const char *verb = argv[0];

  if (tool_parse (entries, "[HOST[:PORT]]",
                  "Without HOST it starts a TLS server of its own and shows four scenes: a full handshake, tickets\n"
                  "arriving, a resumed handshake, and a ticket that the server refuses. With HOST it shows the first "
                  "three there.",
                  "Exit status: 0 shown; 1 the server did something else; 2 the command line is not understood; 3 it "
                  "could\nnot be shown.",
                  &argc, &argv) != TOOL_EXIT_DONE)
    return TOOL_EXIT_USAGE;
  if (argc > 2)
    return tool_complain (verb, "One HOST at most");
  if (!tool_check_range ("--timeout", stage.timeout, MAX_TIMEOUT, &complaint))
    return tool_complain (verb, "%s", complaint);

  if (argc == 2 ? play_at (&stage, argv[1], &error) : play_here (&stage, &error))
    return TOOL_EXIT_DONE;
  tool_warn ("The demo failed: %s", error->message);
  return stage.is_surprised ? TOOL_EXIT_NO : TOOL_EXIT_FAILED;
}
