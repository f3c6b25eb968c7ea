/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gtls-session-helper.h"

#include "../connection/client-connection-private.h"
#include "../ticket/gtls-session-error.h"

/**
 * GTlsSessionHelper:
 *
 * Carries TLS sessions from one client connection to another, and says what became of them.
 *
 * A helper wraps one [iface@Gio.TlsClientConnection]. It tells when there is something to carry (the signal
 * [signal@GTlsSession.Helper::ticket-available]), carries it ([method@GTlsSession.Helper.copy_session_state]), and
 * after the handshake tells as a fact whether the server took it ([property@GTlsSession.Helper:resumption],
 * [method@GTlsSession.Helper.explain]).
 *
 * ```c
 * g_autoptr (GTlsSessionHelper) first = g_tls_session_helper_connect_to_host ("ftp.example.org", 990, NULL, &error);
 * g_autoptr (GTlsSessionTicket) ticket = g_tls_session_helper_wait_for_ticket (first, 5000, NULL, &error);
 *
 * g_autoptr (GTlsSessionHelper) second = g_tls_session_helper_new_for_stream (tcp_connection, identity, &error);
 * if (!g_tls_session_helper_copy_session_state (second, first, &error))
 *   g_print ("A full handshake it is: %s\n", error->message);
 * ```
 *
 * Wrapped around a connection of another TLS backend, it still calls that backend's
 * [method@Gio.TlsClientConnection.copy_session_state], but what that does cannot be known: the outcome is
 * %G_TLS_SESSION_RESUMPTION_UNKNOWN, and what cannot be done raises %G_TLS_SESSION_ERROR_UNSUPPORTED.
 *
 * Since: 0.1
 */

struct _GTlsSessionHelper
{
  GObject parent_instance;

  GTlsClientConnection *connection;    /* NULL only if an object was made without its construct property */
  GTlsSessionClientConnection *client; /* the same, if it is one of ours; borrowed */
};

G_DEFINE_FINAL_TYPE (GTlsSessionHelper, g_tls_session_helper, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_CONNECTION,
  PROP_RESUMPTION,
  PROP_EARLY_DATA,
  PROP_EARLY_DATA_STATUS,
  N_PROPERTIES,
};

enum
{
  SIGNAL_TICKET_AVAILABLE,
  N_SIGNALS,
};

static GParamSpec *properties[N_PROPERTIES];
static guint signals[N_SIGNALS];

static gboolean
check_ours (GTlsSessionHelper *self, const char *what, GError **error)
{
  if (self->client != NULL)
    return TRUE;

  if (self->connection == NULL)
    g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_UNSUPPORTED, "The helper wraps no connection, so %s",
                 what);
  else
    g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_UNSUPPORTED,
                 "The connection is a %s of another TLS backend, so %s", G_OBJECT_TYPE_NAME (self->connection), what);
  return FALSE;
}

/* Following the connection */

static void
on_ticket (GObject *observer, GTlsSessionTicket *ticket)
{
  g_signal_emit (observer, signals[SIGNAL_TICKET_AVAILABLE], 0, ticket);
}

static void
on_changed (GObject *connection, GParamSpec *pspec, gpointer data)
{
  g_object_notify (data, pspec->name);
}

static void
g_tls_session_helper_constructed (GObject *object)
{
  GTlsSessionHelper *self = G_TLS_SESSION_HELPER (object);

  G_OBJECT_CLASS (g_tls_session_helper_parent_class)->constructed (object);

  if (!G_TLS_SESSION_IS_CLIENT_CONNECTION (self->connection))
    return;

  self->client = G_TLS_SESSION_CLIENT_CONNECTION (self->connection);
  g_tls_session_client_connection_observe_tickets (self->client, object, on_ticket);
  g_signal_connect_object (self->client, "notify::resumption", G_CALLBACK (on_changed), self, 0);
  g_signal_connect_object (self->client, "notify::early-data", G_CALLBACK (on_changed), self, 0);
  g_signal_connect_object (self->client, "notify::early-data-status", G_CALLBACK (on_changed), self, 0);
}

/* GObject */

static void
g_tls_session_helper_get_property (GObject *object, guint property_id, GValue *value, GParamSpec *pspec)
{
  GTlsSessionHelper *self = G_TLS_SESSION_HELPER (object);

  switch (property_id)
    {
    case PROP_CONNECTION:
      g_value_set_object (value, self->connection);
      break;
    case PROP_RESUMPTION:
      g_value_set_enum (value, g_tls_session_helper_get_resumption (self));
      break;
    case PROP_EARLY_DATA:
      g_value_take_boxed (value, g_tls_session_helper_get_early_data (self));
      break;
    case PROP_EARLY_DATA_STATUS:
      g_value_set_enum (value, g_tls_session_helper_get_early_data_status (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
      break;
    }
}

static void
g_tls_session_helper_set_property (GObject *object, guint property_id, const GValue *value, GParamSpec *pspec)
{
  GTlsSessionHelper *self = G_TLS_SESSION_HELPER (object);

  switch (property_id)
    {
    case PROP_CONNECTION:
      self->connection = g_value_dup_object (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
      break;
    }
}

static void
g_tls_session_helper_finalize (GObject *object)
{
  GTlsSessionHelper *self = G_TLS_SESSION_HELPER (object);

  g_clear_object (&self->connection);

  G_OBJECT_CLASS (g_tls_session_helper_parent_class)->finalize (object);
}

static void
g_tls_session_helper_class_init (GTlsSessionHelperClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->constructed = g_tls_session_helper_constructed;
  object_class->get_property = g_tls_session_helper_get_property;
  object_class->set_property = g_tls_session_helper_set_property;
  object_class->finalize = g_tls_session_helper_finalize;

  /**
   * GTlsSessionHelper:connection: (getter get_connection)
   *
   * The connection that the helper wraps.
   *
   * Since: 0.1
   */
  properties[PROP_CONNECTION] = g_param_spec_object ("connection", NULL, NULL, G_TYPE_TLS_CLIENT_CONNECTION,
                                                     G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY |
                                                       G_PARAM_STATIC_STRINGS);

  /**
   * GTlsSessionHelper:resumption: (getter get_resumption)
   *
   * What became of the session that was offered, if one was.
   *
   * Since: 0.1
   */
  properties[PROP_RESUMPTION] = g_param_spec_enum ("resumption", NULL, NULL, G_TLS_SESSION_TYPE_RESUMPTION,
                                                   G_TLS_SESSION_RESUMPTION_NONE,
                                                   G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  /**
   * GTlsSessionHelper:early-data: (getter get_early_data)
   *
   * What is to be sent with the first flight of the handshake; %NULL if there is nothing, and once the handshake has ended.
   *
   * [method@GTlsSession.Helper.set_early_data] sets it.
   *
   * Since: 0.1
   */
  properties[PROP_EARLY_DATA] = g_param_spec_boxed ("early-data", NULL, NULL, G_TYPE_BYTES,
                                                    G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  /**
   * GTlsSessionHelper:early-data-status: (getter get_early_data_status)
   *
   * What became of the early data.
   *
   * Since: 0.1
   */
  properties[PROP_EARLY_DATA_STATUS] = g_param_spec_enum (
    "early-data-status", NULL, NULL, G_TLS_SESSION_TYPE_EARLY_DATA_STATUS, G_TLS_SESSION_EARLY_DATA_STATUS_NONE,
    G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  g_object_class_install_properties (object_class, N_PROPERTIES, properties);

  /**
   * GTlsSessionHelper::ticket-available:
   * @self: the helper
   * @ticket: the ticket, which can be used from now on
   *
   * Emitted once for each session ticket that arrives.
   *
   * It is emitted in the main context that was thread-default when the connection was made, or right away in a call
   * that is made from there. A ticket that arrived before somebody listened is still to be had from
   * [method@GTlsSession.Helper.get_ticket] and [method@GTlsSession.Helper.list_tickets].
   *
   * With TLS 1.3 tickets arrive after the handshake, while the connection is read from (RFC 8446, section 4.6.1); with
   * TLS 1.2 there is one when the handshake is done (RFC 5077), for which a session id counts as well. A TLS 1.2
   * connection that was resumed announces the ticket that it was resumed with, unless the server issued a new one.
   *
   * Since: 0.1
   */
  signals[SIGNAL_TICKET_AVAILABLE] = g_signal_new ("ticket-available", G_TYPE_FROM_CLASS (class), G_SIGNAL_RUN_LAST, 0,
                                                   NULL, NULL, NULL, G_TYPE_NONE, 1, G_TLS_SESSION_TYPE_TICKET);
}

static void
g_tls_session_helper_init (GTlsSessionHelper *self)
{
}

/* Public functions */

/**
 * g_tls_session_helper_new:
 * @connection: a TLS client's connection of any backend
 *
 * Makes a helper for a connection that exists already.
 *
 * Only of a [class@GTlsSession.ClientConnection] everything can be known; make one, helper included, with
 * [ctor@GTlsSession.Helper.new_for_stream].
 *
 * Returns: (transfer full): the helper
 * Since: 0.1
 */
GTlsSessionHelper *
g_tls_session_helper_new (GTlsClientConnection *connection)
{
  g_return_val_if_fail (G_IS_TLS_CLIENT_CONNECTION (connection), NULL);

  return g_object_new (G_TLS_SESSION_TYPE_HELPER, "connection", connection, NULL);
}

/**
 * g_tls_session_helper_new_for_stream:
 * @base_io_stream: (not nullable): the stream to speak TLS over, such as a [class@Gio.SocketConnection]
 * @server_identity: (nullable): whom the connection is to, such as a [class@Gio.NetworkAddress]; its host name is sent
 *   as SNI (RFC 6066) and has to be in the server's certificate
 * @error: return location for an error
 *
 * Makes a TLS client's connection over a stream, and a helper for it.
 *
 * The handshake has not been done when this returns, so that a session can still be offered.
 *
 * It fails with %G_IO_ERROR_NOT_SUPPORTED if the stream is not pollable, and with %G_TLS_ERROR_MISC if OpenSSL cannot be
 * set up.
 *
 * Returns: (transfer full): the helper
 * Since: 0.1
 */
GTlsSessionHelper *
g_tls_session_helper_new_for_stream (GIOStream *base_io_stream, GSocketConnectable *server_identity, GError **error)
{
  g_autoptr (GTlsSessionClientConnection) connection = NULL;

  g_return_val_if_fail (G_IS_IO_STREAM (base_io_stream), NULL);
  g_return_val_if_fail (server_identity == NULL || G_IS_SOCKET_CONNECTABLE (server_identity), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  connection = g_tls_session_client_connection_new (base_io_stream, server_identity, error);
  return connection != NULL ? g_tls_session_helper_new (G_TLS_CLIENT_CONNECTION (connection)) : NULL;
}

/**
 * g_tls_session_helper_get_connection: (get-property connection)
 * @self: a helper
 *
 * Gets the connection that the helper wraps.
 *
 * Returns: (transfer none) (nullable): the connection; %NULL only for a helper that was constructed without one
 * Since: 0.1
 */
GTlsClientConnection *
g_tls_session_helper_get_connection (GTlsSessionHelper *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_HELPER (self), NULL);

  return self->connection;
}

/**
 * g_tls_session_helper_get_resumption: (get-property resumption)
 * @self: a helper
 *
 * Tells what became of the session that was offered, if one was.
 *
 * After the handshake this is a fact: it is what the handshake did. Of another backend's connection it is always
 * %G_TLS_SESSION_RESUMPTION_UNKNOWN.
 *
 * Returns: the outcome
 * Since: 0.1
 */
GTlsSessionResumption
g_tls_session_helper_get_resumption (GTlsSessionHelper *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_HELPER (self), G_TLS_SESSION_RESUMPTION_UNKNOWN);

  if (self->client == NULL)
    return G_TLS_SESSION_RESUMPTION_UNKNOWN;
  return g_tls_session_connection_get_resumption (G_TLS_SESSION_CONNECTION (self->client));
}

/**
 * g_tls_session_helper_explain:
 * @self: a helper
 *
 * Says in one sentence, for a person, what was offered and what the server did, or why nothing was offered.
 *
 * The sentence is in English and may change from version to version; programs decide by
 * [property@GTlsSession.Helper:resumption]. It contains no secret.
 *
 * Returns: (transfer full): the sentence
 * Since: 0.1
 */
char *
g_tls_session_helper_explain (GTlsSessionHelper *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_HELPER (self), NULL);

  if (self->client != NULL)
    return g_tls_session_client_connection_explain (self->client);
  if (self->connection == NULL)
    return g_strdup ("The helper wraps no connection.");
  return g_strdup_printf ("The connection is a %s of another TLS backend, which does not tell whether it resumed a "
                          "session.",
                          G_OBJECT_TYPE_NAME (self->connection));
}

/**
 * g_tls_session_helper_get_ticket:
 * @self: a helper
 *
 * Gets the ticket that [method@GTlsSession.Helper.copy_session_state] would take from this connection: the newest that
 * was not offered yet, else the one that was offered the least.
 *
 * Returns: (transfer full) (nullable): the ticket; %NULL if there is none that can be used
 * Since: 0.1
 */
GTlsSessionTicket *
g_tls_session_helper_get_ticket (GTlsSessionHelper *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_HELPER (self), NULL);

  return self->client != NULL ? g_tls_session_client_connection_pick_ticket (self->client) : NULL;
}

/**
 * g_tls_session_helper_list_tickets:
 * @self: a helper
 *
 * Lists the tickets that the connection has received, the oldest first, whether they were used or not.
 *
 * At most 32 are kept; older ones go.
 *
 * Returns: (transfer full) (element-type GTlsSessionTicket): the tickets; %NULL, the empty list, if there is none
 * Since: 0.1
 */
GList *
g_tls_session_helper_list_tickets (GTlsSessionHelper *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_HELPER (self), NULL);

  return self->client != NULL ? g_tls_session_client_connection_list_tickets (self->client) : NULL;
}

/**
 * g_tls_session_helper_set_ticket:
 * @self: a helper whose connection's handshake has not begun
 * @ticket: the ticket to offer, perhaps one that was kept as bytes
 * @error: return location for an error
 *
 * Will offer a ticket to the server in the handshake.
 *
 * A ticket that was set before is replaced. The errors are those of [method@GTlsSession.Helper.copy_session_state],
 * except those about the source.
 *
 * A resumed session is that of the client it began with. So where the ticket is of a connection with other settings (with
 * another client certificate, say), or was kept as bytes, what this connection receives in turn does not go into its
 * session store, and no other connection resumes it without being told to.
 *
 * Returns: %TRUE if the ticket will be offered
 * Since: 0.1
 */
gboolean
g_tls_session_helper_set_ticket (GTlsSessionHelper *self, GTlsSessionTicket *ticket, GError **error)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_HELPER (self), FALSE);
  g_return_val_if_fail (G_TLS_SESSION_IS_TICKET (ticket), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return check_ours (self, "a session ticket cannot be given to it", error) &&
         g_tls_session_client_connection_offer (self->client, ticket, error);
}

static gboolean
has_shaken_hands (GTlsClientConnection *connection)
{
  return g_tls_connection_get_protocol_version (G_TLS_CONNECTION (connection)) != G_TLS_PROTOCOL_VERSION_UNKNOWN;
}

/* Another backend's copy_session_state() is called where both connections are its own, and at their right moment, as far
 * as that can be seen from here. It takes anything else for a programming error.
 */
static void
copy_between_foreign (GTlsSessionHelper *self, GTlsSessionHelper *source)
{
  if (self->connection != NULL && source->connection != NULL && self->client == NULL && source->client == NULL &&
      G_OBJECT_TYPE (self->connection) == G_OBJECT_TYPE (source->connection) && !has_shaken_hands (self->connection) &&
      has_shaken_hands (source->connection))
    g_tls_client_connection_copy_session_state (self->connection, source->connection);
}

/**
 * g_tls_session_helper_copy_session_state:
 * @self: a helper whose connection's handshake has not begun
 * @source: a helper whose connection has completed its handshake
 * @error: return location for an error
 *
 * Will offer a ticket of @source to the server in this connection's handshake.
 *
 * After it returned %TRUE, the ticket will be offered; what the server does then is told by
 * [property@GTlsSession.Helper:resumption]. A ticket that was not offered yet is taken first, and one that was offered
 * already only if there is no other: a server or an onlooker can tell that two connections belong together if they
 * offer the same ticket (RFC 8446, appendix C.4).
 *
 * The two connections may be to different ports or addresses, as FTP over TLS needs it, but the certificate of @source
 * has to be valid for this connection's server identity.
 *
 * It fails with:
 *
 * - %G_TLS_SESSION_ERROR_SOURCE_NOT_READY if @source has not completed its handshake
 * - %G_TLS_SESSION_ERROR_NO_TICKET if @source has none; with TLS 1.3 tickets arrive only while @source is read from, see
 *   [method@GTlsSession.Helper.wait_for_ticket]
 * - %G_TLS_SESSION_ERROR_EXPIRED if the lifetime of all it has is over
 * - %G_TLS_SESSION_ERROR_TOO_LATE if this connection's handshake has begun
 * - %G_TLS_SESSION_ERROR_IDENTITY_MISMATCH if the certificate of @source is not valid for this connection's server
 *   identity
 * - %G_TLS_SESSION_ERROR_UNSUPPORTED if this connection's protocol bounds exclude the ticket's version, or if one of the
 *   connections is another backend's. If both are the same other backend's, and no handshake but that of @source is
 *   done, its own [method@Gio.TlsClientConnection.copy_session_state] has been called nevertheless, with an effect that
 *   nobody can know; the program can go on.
 *
 * None of these prevents the connection from being used: its handshake is a full one then.
 *
 * Returns: %TRUE if a ticket will be offered
 * Since: 0.1
 */
gboolean
g_tls_session_helper_copy_session_state (GTlsSessionHelper *self, GTlsSessionHelper *source, GError **error)
{
  const char *what = "whether copy_session_state() had any effect cannot be known";

  g_return_val_if_fail (G_TLS_SESSION_IS_HELPER (self), FALSE);
  g_return_val_if_fail (G_TLS_SESSION_IS_HELPER (source), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  copy_between_foreign (self, source);
  return check_ours (self, what, error) && check_ours (source, what, error) &&
         g_tls_session_client_connection_offer_from (self->client, source->client, error);
}

/**
 * g_tls_session_helper_wait_for_ticket:
 * @self: a helper
 * @timeout_ms: how long to wait, in milliseconds; 0 only looks at what has arrived, -1 waits without limit
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Waits until the connection has a ticket that was not offered yet.
 *
 * It does the handshake if that has not been done, then reads what is needed for a ticket to arrive: TLS 1.3 delivers
 * tickets only to a client that reads. Application data that comes in the way is kept for the next read; not a byte is
 * lost. It counts as a read: do not call it while another thread reads from the connection.
 *
 * With TLS 1.2 nothing comes after the handshake, so that it returns at once; the ticket may then have been offered
 * already, which TLS 1.2 allows.
 *
 * It fails with:
 *
 * - %G_IO_ERROR_TIMED_OUT if no ticket arrived in time
 * - %G_IO_ERROR_CANCELLED if @cancellable was cancelled
 * - %G_TLS_SESSION_ERROR_NO_TICKET if none can come any more
 * - %G_IO_ERROR_NO_SPACE if 256 KiB of application data came before a ticket; read them, then call again
 * - %G_TLS_SESSION_ERROR_UNSUPPORTED if the connection is another backend's
 * - the errors of [method@Gio.TlsConnection.handshake] and of a read
 *
 * Returns: (transfer full): the ticket
 * Since: 0.1
 */
GTlsSessionTicket *
g_tls_session_helper_wait_for_ticket (GTlsSessionHelper *self,
                                      int timeout_ms,
                                      GCancellable *cancellable,
                                      GError **error)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_HELPER (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!check_ours (self, "its session tickets cannot be seen", error))
    return NULL;
  return g_tls_session_client_connection_wait_for_ticket (self->client, timeout_ms, cancellable, error);
}

static void
on_waited (GObject *client, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;
  GError *error = NULL;
  GTlsSessionTicket *ticket = g_tls_session_client_connection_wait_for_ticket_finish (
    G_TLS_SESSION_CLIENT_CONNECTION (client), result, &error);

  if (ticket != NULL)
    g_task_return_pointer (task, ticket, g_object_unref);
  else
    g_task_return_error (task, error);
}

/**
 * g_tls_session_helper_wait_for_ticket_async:
 * @self: a helper
 * @timeout_ms: how long to wait, in milliseconds; 0 only looks at what has arrived, -1 waits without limit
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when a ticket is there, or none will come
 * @user_data: data for @callback
 *
 * Waits, without blocking, until the connection has a ticket that was not offered yet.
 *
 * See [method@GTlsSession.Helper.wait_for_ticket]. An asynchronous read may be under way at the same time.
 *
 * Since: 0.1
 */
void
g_tls_session_helper_wait_for_ticket_async (GTlsSessionHelper *self,
                                            int timeout_ms,
                                            GCancellable *cancellable,
                                            GAsyncReadyCallback callback,
                                            gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  GError *error = NULL;

  g_return_if_fail (G_TLS_SESSION_IS_HELPER (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, g_tls_session_helper_wait_for_ticket_async);
  if (!check_ours (self, "its session tickets cannot be seen", &error))
    g_task_return_error (task, error);
  else
    g_tls_session_client_connection_wait_for_ticket_async (self->client, timeout_ms, cancellable, on_waited,
                                                           g_steal_pointer (&task));
}

/**
 * g_tls_session_helper_wait_for_ticket_finish:
 * @self: a helper
 * @result: the result that the callback got
 * @error: return location for an error
 *
 * Finishes [method@GTlsSession.Helper.wait_for_ticket_async].
 *
 * Returns: (transfer full): the ticket
 * Since: 0.1
 */
GTlsSessionTicket *
g_tls_session_helper_wait_for_ticket_finish (GTlsSessionHelper *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_HELPER (self), NULL);
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
