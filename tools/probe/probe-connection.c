/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "probe.h"

#define CLOSE_TIMEOUT_MS 1000
#define QUIET_MS 250        /* so long without a ticket, and no more are awaited */
#define COUNT_MS 3000       /* so long at the most: what a server says by and by has no end, perhaps */
#define MAX_DISCARDED 65536 /* bytes of application data that are read past while looking for tickets */
#define BLOCK 4096

const char *
probe_stage_get_name (ProbeStage stage)
{
  static const char *const names[] = { "connect", "starttls", "handshake", "ticket", "done" };

  return names[stage];
}

/* A probe looks at servers whose certificates are wrong, too. It sends them nothing but its handshake. */
static gboolean
on_accept_certificate (GTlsConnection *connection,
                       GTlsCertificate *certificate,
                       GTlsCertificateFlags faults,
                       gpointer data)
{
  ProbeConnection *self = data;

  self->faults = faults;
  return TRUE;
}

static GSocketConnection *
connect_tcp (const ProbePlan *plan, GSocketAddress *address, GError **error)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();

  g_socket_client_set_enable_proxy (client, FALSE);
  g_socket_client_set_timeout (client, plan->timeout);
  return g_socket_client_connect (client, G_SOCKET_CONNECTABLE (address), NULL, error);
}

static void
configure (ProbeConnection *self, const ProbePlan *plan)
{
  GTlsConnection *tls = G_TLS_CONNECTION (g_tls_session_helper_get_connection (self->helper));

  /* What is offered here is up to the probe alone. */
  g_tls_session_client_connection_set_session_resumption_enabled (G_TLS_SESSION_CLIENT_CONNECTION (tls), FALSE);
  g_tls_session_connection_set_close_timeout (G_TLS_SESSION_CONNECTION (tls), CLOSE_TIMEOUT_MS);
  if (plan->database != NULL)
    g_tls_connection_set_database (tls, plan->database);
  if (plan->alpn != NULL)
    g_tls_connection_set_advertised_protocols (tls, (const char *const *) plan->alpn);
  if (plan->only_tls12)
    g_tls_session_connection_set_maximum_protocol_version (G_TLS_SESSION_CONNECTION (tls),
                                                           G_TLS_PROTOCOL_VERSION_TLS_1_2);
  g_signal_connect (tls, "accept-certificate", G_CALLBACK (on_accept_certificate), self);
}

static gboolean
on_time (gpointer has_come)
{
  *(gboolean *) has_come = TRUE;
  return G_SOURCE_REMOVE;
}

static void
on_handshaken (GObject *tls, GAsyncResult *result, gpointer handshaken)
{
  *(GAsyncResult **) handshaken = g_object_ref (result);
}

/* A socket's timeout is one of each wait, which a server that sends a byte now and then does not reach; this one is for the
 * whole handshake. */
static gboolean
shake_hands (ProbeConnection *self, guint timeout, GError **error)
{
  GTlsConnection *tls = G_TLS_CONNECTION (g_tls_session_helper_get_connection (self->helper));
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  gboolean is_late = FALSE;
  guint timer = g_timeout_add_seconds (timeout, on_time, &is_late);
  gint64 began = g_get_monotonic_time ();

  g_tls_connection_handshake_async (tls, G_PRIORITY_DEFAULT, cancellable, on_handshaken, &result);
  while (result == NULL)
    {
      g_main_context_iteration (NULL, TRUE);
      if (is_late)
        g_cancellable_cancel (cancellable);
    }
  self->handshake_us = g_get_monotonic_time () - began;
  if (!is_late)
    g_source_remove (timer);

  if (g_tls_connection_handshake_finish (tls, result, is_late ? NULL : error))
    return TRUE;
  if (is_late)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "The handshake did not end within %u s", timeout);
  return FALSE;
}

ProbeConnection *
probe_connection_open (const ProbePlan *plan,
                       GSocketAddress *address,
                       GTlsSessionTicket *ticket,
                       ProbeStage *stage,
                       GError **error)
{
  g_autoptr (ProbeConnection) self = g_new0 (ProbeConnection, 1);
  g_autoptr (GSocketConnectable) identity = g_network_address_new (plan->host, plan->port);
  g_autoptr (GSocketConnection) tcp = NULL;

  *stage = PROBE_STAGE_CONNECT;
  tcp = connect_tcp (plan, address, error);
  if (tcp == NULL)
    return NULL;

  *stage = PROBE_STAGE_STARTTLS;
  if (plan->starttls != NULL && !starttls_run (plan->starttls, tcp, plan->host, plan->timeout, error))
    return NULL;

  *stage = PROBE_STAGE_HANDSHAKE;
  self->helper = g_tls_session_helper_new_for_stream (G_IO_STREAM (tcp), identity, error);
  if (self->helper == NULL)
    return NULL;
  configure (self, plan);

  *stage = PROBE_STAGE_TICKET;
  if (ticket != NULL && !g_tls_session_helper_set_ticket (self->helper, ticket, error))
    return NULL;

  *stage = PROBE_STAGE_HANDSHAKE;
  g_socket_set_timeout (g_socket_connection_get_socket (tcp), 0); /* that of shake_hands() does */
  if (!shake_hands (self, plan->timeout, error))
    return NULL;

  g_socket_set_timeout (g_socket_connection_get_socket (tcp), plan->timeout);
  *stage = PROBE_STAGE_DONE;
  return g_steal_pointer (&self);
}

void
probe_connection_free (ProbeConnection *self)
{
  if (self->helper != NULL)
    {
      GTlsClientConnection *tls = g_tls_session_helper_get_connection (self->helper);
      g_autoptr (GError) error = NULL;

      /* How a server takes leave of a client that wanted nothing does not matter here. */
      if (!g_io_stream_close (G_IO_STREAM (tls), NULL, &error))
        g_debug ("Closing: %s", error->message);
      g_signal_handlers_disconnect_by_data (tls, self);
    }
  g_clear_object (&self->helper);
  g_free (self);
}

/* Counting */

static gboolean
on_readable (GObject *stream, gpointer is_readable)
{
  *(gboolean *) is_readable = TRUE;
  return G_SOURCE_REMOVE;
}

static GSource *
attach (GSource *source, GSourceFunc func, gboolean *flag, GMainContext *context)
{
  g_source_set_callback (source, func, flag, NULL);
  g_source_attach (source, context);
  return source;
}

/* FALSE if nothing came for a while. */
static gboolean
wait_for_more (GPollableInputStream *input)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  gboolean is_quiet = FALSE, is_readable = FALSE;
  g_autoptr (GSource) timer = attach (g_timeout_source_new (QUIET_MS), on_time, &is_quiet, context);
  g_autoptr (GSource) source = attach (g_pollable_input_stream_create_source (input, NULL), G_SOURCE_FUNC (on_readable),
                                       &is_readable, context);

  while (!is_quiet && !is_readable)
    g_main_context_iteration (context, TRUE);
  g_source_destroy (timer);
  g_source_destroy (source);
  return is_readable;
}

/* TRUE while there may be more. */
static gboolean
read_past (GPollableInputStream *input, gsize *n_discarded)
{
  g_autoptr (GError) error = NULL;
  char block[BLOCK];
  gssize n_read = g_pollable_input_stream_read_nonblocking (input, block, sizeof block, NULL, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    return wait_for_more (input);
  *n_discarded += n_read > 0 ? (gsize) n_read : 0;
  return n_read > 0 && *n_discarded < MAX_DISCARDED; /* an end, or a failure, is the end of tickets too */
}

guint
probe_connection_count_tickets (ProbeConnection *self)
{
  GTlsClientConnection *tls = g_tls_session_helper_get_connection (self->helper);
  GPollableInputStream *input = G_POLLABLE_INPUT_STREAM (g_io_stream_get_input_stream (G_IO_STREAM (tls)));
  g_autolist (GTlsSessionTicket) tickets = NULL;
  gint64 deadline = g_get_monotonic_time () + (gint64) COUNT_MS * 1000;
  gsize n_discarded = 0;

  while (g_get_monotonic_time () < deadline && read_past (input, &n_discarded))
    ;

  tickets = g_tls_session_helper_list_tickets (self->helper);
  return g_list_length (tickets);
}
