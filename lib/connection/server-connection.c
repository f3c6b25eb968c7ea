/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gtls-session-server-connection.h"

#include "../ticket/ticket-keys-private.h"
#include "../trust/database-private.h"
#include "../trust/gtls-session-file-database.h"
#include "connection-private.h"

/**
 * GTlsSessionServerConnection:
 *
 * A TLS server's connection on OpenSSL, which resumes its clients' sessions.
 *
 * It implements [iface@Gio.TlsServerConnection] as Gio documents it, with these things to know:
 *
 * - It gives out session tickets, and resumes sessions, if it has
 *   [property@GTlsSession.ServerConnection:ticket-keys]. Without keys there are no tickets.
 * - [property@GTlsSession.Connection:resumption] says after the handshake what became of the session that the client
 *   offered, if it offered one.
 * - A session is resumed only where it began: with the same certificate, the same
 *   [property@Gio.TlsServerConnection:authentication-mode] and for the same server name, and at most a week after its
 *   full handshake (RFC 8446, section 4.6.1).
 * - A certificate that a client shows is put before this connection's database, and then, with the faults that were found
 *   or none, before [signal@Gio.TlsConnection::accept-certificate]. It is accepted only if a handler returns %TRUE.
 * - A client that showed a certificate when the session began is judged by it again when it resumes, the same way.
 * - While it handshakes asynchronously, a database of another kind than this library's is asked synchronously for the
 *   verdict on a client's certificate: OpenSSL cannot pause there.
 *
 * ## Early data
 *
 * With [property@GTlsSession.ServerConnection:max-early-data] a client may send that many bytes with its first flight
 * (RFC 8446, section 2.3). They are kept apart from the stream, in
 * [property@GTlsSession.ServerConnection:early-data], and given out once the handshake is done and the client accepted.
 * A program that has set the former reads them after the handshake, before the stream: they come first. As they are not
 * given out before, they save no round trip here, only with servers that answer before the handshake is done.
 *
 * A recorded first flight that somebody sends again (a replay; RFC 8446, section 8) is given out by no server of this
 * library: who only repeats cannot complete the handshake. Besides, each ticket is good for one handshake: while
 * a server takes early data, its TLS 1.3 tickets are but the names of sessions that are kept in memory, in its
 * [property@GTlsSession.ServerConnection:ticket-keys] object, at most 4096 of them. Such tickets do not survive a restart
 * and are worth nothing to another server, though it have the same keys; clients then do a full handshake. The same is
 * so where servers with and without early data share the object.
 *
 * ```c
 * g_autoptr (GError) error = NULL;
 * g_autoptr (GTlsSessionServerConnection) tls = NULL;
 *
 * // The same keys for all clients.
 * tls = g_tls_session_server_connection_new (tcp_connection, certificate, &error);
 * if (tls != NULL)
 *   {
 *     g_tls_session_server_connection_set_ticket_keys (tls, keys);
 *     if (!g_tls_connection_handshake (G_TLS_CONNECTION (tls), NULL, &error))
 *       g_printerr ("%s\n", error->message);
 *   }
 * ```
 *
 * ## Choosing the certificate by name
 *
 * The name that the client asks for (SNI; RFC 6066, section 3) is in
 * [property@GTlsSession.ServerConnection:server-name] once the client has said hello, before a session is looked for
 * and the certificate is needed. A handler of its `notify` signal may set [property@Gio.TlsConnection:certificate], if
 * the handshake is done from the thread and main context in which the connection was made.
 *
 * Since: 0.1
 */

#define DEFAULT_TICKET_COUNT 2 /* OpenSSL's own */
#define TICKET_COUNT_MAX 16
#define EARLY_DATA_MAX G_TLS_SESSION_EARLY_DATA_MAX

struct _GTlsSessionServerConnection
{
  GTlsSessionConnection parent_instance;

  /* With the connection's lock */
  GTlsAuthenticationMode authentication_mode;
  GTlsSessionTicketKeys *ticket_keys; /* nullable */
  GTlsSessionTicketKeys *keys_in_use; /* those of the handshake: they own the SSL_CTX of the engine; nullable */
  guint ticket_count;
  char *server_name; /* nullable */
  guint max_early_data;
  GBytes *early_data; /* nullable */
};

struct _GTlsSessionServerConnectionClass
{
  GTlsSessionConnectionClass parent_class;
};

static void
g_tls_session_server_connection_server_init (GTlsServerConnectionInterface *iface)
{
}

G_DEFINE_FINAL_TYPE_WITH_CODE (GTlsSessionServerConnection,
                               g_tls_session_server_connection,
                               G_TLS_SESSION_TYPE_CONNECTION,
                               G_IMPLEMENT_INTERFACE (G_TYPE_TLS_SERVER_CONNECTION,
                                                      g_tls_session_server_connection_server_init))

enum
{
  PROP_0,
  PROP_TICKET_KEYS,
  PROP_TICKET_COUNT,
  PROP_SERVER_NAME,
  PROP_MAX_EARLY_DATA,
  PROP_EARLY_DATA,
  N_OWN_PROPERTIES,
  /* GTlsServerConnection's */
  PROP_AUTHENTICATION_MODE = N_OWN_PROPERTIES,
};

static GParamSpec *properties[N_OWN_PROPERTIES];

static GTlsSessionServerConnection *
server_of (GTlsSessionConnection *connection)
{
  return G_TLS_SESSION_SERVER_CONNECTION (connection);
}

/* GTlsSessionConnection */

static X509 *
g_tls_session_server_connection_dup_server_certificate (GTlsSessionConnection *connection)
{
  return connection->certificate != NULL ? g_tls_session_x509_from_certificate (connection->certificate) : NULL;
}

/* Whose certificates are welcome: told to the client, to choose by. */
static STACK_OF (X509_NAME) *
accepted_cas_of (GTlsSessionServerConnection *self)
{
  GTlsDatabase *database = G_TLS_SESSION_CONNECTION (self)->database;

  if (self->authentication_mode == G_TLS_AUTHENTICATION_NONE || !G_TLS_SESSION_IS_FILE_DATABASE (database))
    return NULL;
  return g_tls_session_database_list_names (G_TLS_SESSION_DATABASE (database));
}

static void
g_tls_session_server_connection_fill_settings (GTlsSessionConnection *connection, GTlsSessionEngineSettings *settings)
{
  GTlsSessionServerConnection *self = server_of (connection);

  settings->peer_name = "the client";
  settings->authentication = self->authentication_mode;
  settings->accepted_cas = accepted_cas_of (self);
  settings->judge = g_tls_session_connection_judge_in_step;
  settings->judge_data = connection;
  if (self->ticket_keys == NULL)
    return;

  g_set_object (&self->keys_in_use, self->ticket_keys);
  settings->context = g_tls_session_ticket_keys_get_context (self->keys_in_use);
  settings->ticket_count = self->ticket_count;
  settings->max_early_data = self->max_early_data;
}

static void
note_server_name (GTlsSessionServerConnection *self)
{
  GTlsSessionConnection *connection = G_TLS_SESSION_CONNECTION (self);
  const char *name = g_tls_session_engine_get_requested_name (connection->engine);

  if (g_strcmp0 (name, self->server_name) == 0)
    return;

  g_free (self->server_name);
  self->server_name = g_strdup (name);
  g_tls_session_connection_note_change (connection, "server-name");
}

static void
g_tls_session_server_connection_certificate_asked (GTlsSessionConnection *connection)
{
  note_server_name (server_of (connection));
}

static STACK_OF (X509) *
g_tls_session_server_connection_get_peer_chain (GTlsSessionConnection *connection)
{
  return g_tls_session_engine_get_peer_chain (connection->engine);
}

static void
take_early_data (GTlsSessionServerConnection *self)
{
  GTlsSessionConnection *connection = G_TLS_SESSION_CONNECTION (self);

  self->early_data = g_tls_session_engine_take_early_data (connection->engine);
  if (self->early_data != NULL)
    g_tls_session_connection_note_change (connection, "early-data");
}

static void
g_tls_session_server_connection_handshake_done (GTlsSessionConnection *connection)
{
  note_server_name (server_of (connection));
  take_early_data (server_of (connection));
  if (g_tls_session_engine_was_resumed (connection->engine))
    g_tls_session_connection_set_resumption (connection, G_TLS_SESSION_RESUMPTION_RESUMED);
  else if (g_tls_session_engine_was_offered_session (connection->engine))
    g_tls_session_connection_set_resumption (connection, G_TLS_SESSION_RESUMPTION_REFUSED);
}

/* GObject */

static void
g_tls_session_server_connection_get_property (GObject *object, guint property_id, GValue *value, GParamSpec *pspec)
{
  GTlsSessionConnection *connection = G_TLS_SESSION_CONNECTION (object);
  GTlsSessionServerConnection *self = server_of (connection);

  g_mutex_lock (&connection->lock);
  switch (property_id)
    {
    case PROP_TICKET_KEYS:
      g_value_set_object (value, self->ticket_keys);
      break;
    case PROP_TICKET_COUNT:
      g_value_set_uint (value, self->ticket_count);
      break;
    case PROP_SERVER_NAME:
      g_value_set_string (value, self->server_name);
      break;
    case PROP_MAX_EARLY_DATA:
      g_value_set_uint (value, self->max_early_data);
      break;
    case PROP_EARLY_DATA:
      g_value_set_boxed (value, self->early_data);
      break;
    case PROP_AUTHENTICATION_MODE:
      g_value_set_enum (value, self->authentication_mode);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
      break;
    }
  g_mutex_unlock (&connection->lock);
}

static void
g_tls_session_server_connection_set_property (GObject *object,
                                              guint property_id,
                                              const GValue *value,
                                              GParamSpec *pspec)
{
  GTlsSessionConnection *connection = G_TLS_SESSION_CONNECTION (object);
  GTlsSessionServerConnection *self = server_of (connection);
  g_autoptr (GTlsSessionTicketKeys) before = NULL;

  g_mutex_lock (&connection->lock);
  switch (property_id)
    {
    case PROP_TICKET_KEYS:
      before = self->ticket_keys; /* released without the lock: it may be the last reference */
      self->ticket_keys = g_value_dup_object (value);
      break;
    case PROP_TICKET_COUNT:
      self->ticket_count = g_value_get_uint (value);
      break;
    case PROP_MAX_EARLY_DATA:
      self->max_early_data = g_value_get_uint (value);
      break;
    case PROP_AUTHENTICATION_MODE:
      self->authentication_mode = g_value_get_enum (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
      break;
    }
  g_mutex_unlock (&connection->lock);
}

static void
g_tls_session_server_connection_finalize (GObject *object)
{
  GTlsSessionServerConnection *self = G_TLS_SESSION_SERVER_CONNECTION (object);
  g_autoptr (GTlsSessionTicketKeys) keys_in_use G_GNUC_UNUSED = g_steal_pointer (&self->keys_in_use);

  g_clear_object (&self->ticket_keys);
  g_clear_pointer (&self->server_name, g_free);
  g_clear_pointer (&self->early_data, g_bytes_unref);

  G_OBJECT_CLASS (g_tls_session_server_connection_parent_class)
    ->finalize (object); /* the engine goes before its keys */
}

static void
install_own_properties (GObjectClass *object_class)
{
  /**
   * GTlsSessionServerConnection:ticket-keys:
   *
   * The keys by which sessions are resumed, set before the handshake; %NULL, the default, means that none are.
   *
   * Since: 0.1
   */
  properties[PROP_TICKET_KEYS] = g_param_spec_object ("ticket-keys", NULL, NULL, G_TLS_SESSION_TYPE_TICKET_KEYS,
                                                      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);

  /**
   * GTlsSessionServerConnection:ticket-count:
   *
   * How many session tickets a full TLS 1.3 handshake gives out, set before the handshake.
   *
   * A client uses each ticket for one connection. A resumed handshake gives out one, or none if this is 0. With TLS 1.2
   * there is one ticket, which serves for many connections.
   *
   * Since: 0.1
   */
  properties[PROP_TICKET_COUNT] = g_param_spec_uint ("ticket-count", NULL, NULL, 0, TICKET_COUNT_MAX,
                                                     DEFAULT_TICKET_COUNT, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);

  /**
   * GTlsSessionServerConnection:server-name: (getter dup_server_name)
   *
   * The name that the client asked for (SNI; RFC 6066, section 3), in lower case; %NULL before the client has said
   * hello, and if it asked for none.
   *
   * Since: 0.1
   */
  properties[PROP_SERVER_NAME] = g_param_spec_string ("server-name", NULL, NULL, NULL,
                                                      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  /**
   * GTlsSessionServerConnection:max-early-data:
   *
   * How many bytes of early data (RFC 8446, section 4.2.10) to permit in the tickets that are given out, and to take from
   * a client that has such a ticket; set before the handshake. 0, the default, means none.
   *
   * It has no effect without [property@GTlsSession.ServerConnection:ticket-keys]. Early data of a ticket that permits more
   * than this are refused, and a client that sends more than its ticket permits is refused altogether.
   *
   * Since: 0.1
   */
  properties[PROP_MAX_EARLY_DATA] = g_param_spec_uint ("max-early-data", NULL, NULL, 0, EARLY_DATA_MAX, 0,
                                                       G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);

  /**
   * GTlsSessionServerConnection:early-data: (getter dup_early_data)
   *
   * The early data that the client sent and this server accepted; %NULL if there are none, and before the handshake is
   * done.
   *
   * They come before what the stream brings. The bytes are wiped from memory when they are freed.
   *
   * Since: 0.1
   */
  properties[PROP_EARLY_DATA] = g_param_spec_boxed ("early-data", NULL, NULL, G_TYPE_BYTES,
                                                    G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  g_object_class_install_properties (object_class, N_OWN_PROPERTIES, properties);
}

static void
g_tls_session_server_connection_class_init (GTlsSessionServerConnectionClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GTlsSessionConnectionClass *connection_class = (GTlsSessionConnectionClass *) class;

  object_class->get_property = g_tls_session_server_connection_get_property;
  object_class->set_property = g_tls_session_server_connection_set_property;
  object_class->finalize = g_tls_session_server_connection_finalize;

  connection_class->create_engine = g_tls_session_engine_new_server;
  connection_class->fill_settings = g_tls_session_server_connection_fill_settings;
  connection_class->certificate_asked = g_tls_session_server_connection_certificate_asked;
  connection_class->handshake_done = g_tls_session_server_connection_handshake_done;
  connection_class->get_peer_chain = g_tls_session_server_connection_get_peer_chain;
  connection_class->dup_server_certificate = g_tls_session_server_connection_dup_server_certificate;
  connection_class->verify_purpose = G_TLS_DATABASE_PURPOSE_AUTHENTICATE_CLIENT;

  install_own_properties (object_class);
  g_object_class_override_property (object_class, PROP_AUTHENTICATION_MODE, "authentication-mode");
}

static void
g_tls_session_server_connection_init (GTlsSessionServerConnection *self)
{
  self->authentication_mode = G_TLS_AUTHENTICATION_NONE;
  self->ticket_count = DEFAULT_TICKET_COUNT;
}

/* Public functions */

/**
 * g_tls_session_server_connection_new:
 * @base_io_stream: (not nullable): the stream to speak TLS over; its own streams are pollable
 * @certificate: (nullable): the server's certificate, with its private key; %NULL if it is set later
 * @error: return location for an error
 *
 * Makes a TLS server's connection over a stream.
 *
 * The handshake is done by [method@Gio.TlsConnection.handshake], or by the first read or write. The stream is kept, and
 * closed together with the connection. This does not block.
 *
 * It fails with %G_IO_ERROR_NOT_SUPPORTED if the stream is not pollable, and with %G_TLS_ERROR_MISC if OpenSSL cannot be
 * set up.
 *
 * Returns: (transfer full): the connection
 * Since: 0.1
 */
GTlsSessionServerConnection *
g_tls_session_server_connection_new (GIOStream *base_io_stream, GTlsCertificate *certificate, GError **error)
{
  g_return_val_if_fail (G_IS_IO_STREAM (base_io_stream), NULL);
  g_return_val_if_fail (certificate == NULL || G_IS_TLS_CERTIFICATE (certificate), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return g_initable_new (G_TLS_SESSION_TYPE_SERVER_CONNECTION, NULL, error, "base-io-stream", base_io_stream,
                         "certificate", certificate, NULL);
}

/**
 * g_tls_session_server_connection_set_ticket_keys:
 * @self: a connection
 * @keys: (nullable): the keys by which to resume sessions; %NULL to resume none
 *
 * Sets the keys by which sessions are resumed; to be called before the handshake.
 *
 * Since: 0.1
 */
void
g_tls_session_server_connection_set_ticket_keys (GTlsSessionServerConnection *self, GTlsSessionTicketKeys *keys)
{
  g_return_if_fail (G_TLS_SESSION_IS_SERVER_CONNECTION (self));
  g_return_if_fail (keys == NULL || G_TLS_SESSION_IS_TICKET_KEYS (keys));

  g_object_set (self, "ticket-keys", keys, NULL);
}

/**
 * g_tls_session_server_connection_get_ticket_keys:
 * @self: a connection
 *
 * Gets the keys by which sessions are resumed.
 *
 * Returns: (transfer none) (nullable): the keys; %NULL if sessions are not resumed
 * Since: 0.1
 */
GTlsSessionTicketKeys *
g_tls_session_server_connection_get_ticket_keys (GTlsSessionServerConnection *self)
{
  GTlsSessionConnection *connection = G_TLS_SESSION_CONNECTION (self);
  GTlsSessionTicketKeys *keys;

  g_return_val_if_fail (G_TLS_SESSION_IS_SERVER_CONNECTION (self), NULL);

  g_mutex_lock (&connection->lock);
  keys = self->ticket_keys;
  g_mutex_unlock (&connection->lock);
  return keys;
}

/**
 * g_tls_session_server_connection_set_ticket_count:
 * @self: a connection
 * @count: how many, 16 at most
 *
 * Sets how many session tickets a full TLS 1.3 handshake gives out; to be called before the handshake.
 *
 * Since: 0.1
 */
void
g_tls_session_server_connection_set_ticket_count (GTlsSessionServerConnection *self, guint count)
{
  g_return_if_fail (G_TLS_SESSION_IS_SERVER_CONNECTION (self));

  g_object_set (self, "ticket-count", count, NULL);
}

/**
 * g_tls_session_server_connection_get_ticket_count:
 * @self: a connection
 *
 * Gets how many session tickets a full TLS 1.3 handshake gives out.
 *
 * Returns: how many
 * Since: 0.1
 */
guint
g_tls_session_server_connection_get_ticket_count (GTlsSessionServerConnection *self)
{
  guint count;

  g_return_val_if_fail (G_TLS_SESSION_IS_SERVER_CONNECTION (self), 0);

  g_object_get (self, "ticket-count", &count, NULL);
  return count;
}

/**
 * g_tls_session_server_connection_dup_server_name: (get-property server-name)
 * @self: a connection
 *
 * Gets the name that the client asked for (SNI; RFC 6066, section 3), in lower case.
 *
 * Returns: (transfer full) (nullable): the name; %NULL before the client has said hello, and if it asked for none
 * Since: 0.1
 */
char *
g_tls_session_server_connection_dup_server_name (GTlsSessionServerConnection *self)
{
  char *name;

  g_return_val_if_fail (G_TLS_SESSION_IS_SERVER_CONNECTION (self), NULL);

  g_object_get (self, "server-name", &name, NULL);
  return name;
}

/**
 * g_tls_session_server_connection_set_max_early_data:
 * @self: a connection
 * @size: bytes, 1048576 (1 MiB) at most; 0 for none
 *
 * Sets how many bytes of early data to permit and to take; to be called before the handshake.
 *
 * Since: 0.1
 */
void
g_tls_session_server_connection_set_max_early_data (GTlsSessionServerConnection *self, guint size)
{
  g_return_if_fail (G_TLS_SESSION_IS_SERVER_CONNECTION (self));

  g_object_set (self, "max-early-data", size, NULL);
}

/**
 * g_tls_session_server_connection_get_max_early_data:
 * @self: a connection
 *
 * Gets how many bytes of early data to permit and to take.
 *
 * Returns: bytes; 0 if none
 * Since: 0.1
 */
guint
g_tls_session_server_connection_get_max_early_data (GTlsSessionServerConnection *self)
{
  guint size;

  g_return_val_if_fail (G_TLS_SESSION_IS_SERVER_CONNECTION (self), 0);

  g_object_get (self, "max-early-data", &size, NULL);
  return size;
}

/**
 * g_tls_session_server_connection_dup_early_data: (get-property early-data)
 * @self: a connection
 *
 * Gets the early data that the client sent and this server accepted.
 *
 * Returns: (transfer full) (nullable): the bytes; %NULL if there are none, and before the handshake is done
 * Since: 0.1
 */
GBytes *
g_tls_session_server_connection_dup_early_data (GTlsSessionServerConnection *self)
{
  GBytes *bytes;

  g_return_val_if_fail (G_TLS_SESSION_IS_SERVER_CONNECTION (self), NULL);

  g_object_get (self, "early-data", &bytes, NULL);
  return bytes;
}
