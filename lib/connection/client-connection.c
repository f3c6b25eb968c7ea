/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client-connection-private.h"

#include "../ticket/gtls-session-memory-store.h"
#include "../trust/verify.h"
#include "client-early-data.h"
#include "client-offer.h"
#include "client-store.h"
#include "connection-private.h"

/**
 * GTlsSessionClientConnection:
 *
 * A TLS client's connection on OpenSSL, which can resume sessions and tells whether it did.
 *
 * It implements [iface@Gio.TlsClientConnection] as Gio documents it, with five things to know:
 *
 * - [method@Gio.TlsClientConnection.copy_session_state] does what
 *   [method@GTlsSession.Helper.copy_session_state] does, only silently: where the helper's raises an error, this one
 *   leaves the connection to do a full handshake.
 * - It resumes sessions without being told to, from its [property@GTlsSession.ClientConnection:session-store]: only those
 *   of the same server identity, application protocols, client certificate, trusted certificates and protocol bounds, and
 *   none whose certificate was accepted by hand; TLS 1.3's tickets once, and none that is older than ten minutes
 *   (arXiv:1810.07304, section 6). [property@GTlsSession.ClientConnection:session-resumption-enabled] turns that off.
 * - A resumed connection is judged as a full one is: the chain that the ticket carries is put before this connection's
 *   own database, identity and flags, and before [signal@Gio.TlsConnection::accept-certificate] where that finds faults.
 * - It can send early data, see [method@GTlsSession.Helper.set_early_data]; it does so only if told to.
 * - Without a server identity the certificate is at fault (%G_TLS_CERTIFICATE_BAD_IDENTITY), as Gio documents for
 *   [property@Gio.TlsClientConnection:server-identity].
 *
 * Two connections, the second of which resumes the first one's session:
 *
 * ```c
 * g_autoptr (GError) error = NULL;
 *
 * for (int i = 0; i < 2; i++)
 *   {
 *     g_autoptr (GSocketClient) client = g_socket_client_new ();
 *     g_autoptr (GSocketConnection) tcp = g_socket_client_connect (client, identity, NULL, &error);
 *     g_autoptr (GTlsSessionClientConnection) tls = NULL;
 *
 *     if (tcp != NULL)
 *       tls = g_tls_session_client_connection_new (G_IO_STREAM (tcp), identity, &error);
 *     if (tls == NULL || !g_tls_connection_handshake (G_TLS_CONNECTION (tls), NULL, &error))
 *       break;
 *
 *     g_print ("%s\n", g_tls_session_client_connection_get_session_reused (tls) ? "resumed" : "a full handshake");
 *
 *     // Closing reads off the tickets that have arrived, for the next one.
 *     if (!g_io_stream_close (G_IO_STREAM (tls), NULL, &error))
 *       break;
 *   }
 * if (error != NULL)
 *   g_printerr ("%s\n", error->message);
 * ```
 *
 * Most programs do not use it directly but wrap it with [class@GTlsSession.Helper].
 *
 * Since: 0.1
 */

struct _GTlsSessionClientConnection
{
  GTlsSessionConnection parent_instance;

  /* With the connection's lock */
  GSocketConnectable *server_identity;
  char *server_name; /* the identity as a name or IP literal */
  GTlsCertificateFlags validation_flags;
  gboolean use_ssl3; /* kept for Gio, without any effect, as Gio documents */
  GTlsSessionClientOffer offer;
  GTlsSessionClientStoring storing;
  GTlsSessionClientEarlyData early;
};

struct _GTlsSessionClientConnectionClass
{
  GTlsSessionConnectionClass parent_class;
};

static void g_tls_session_client_connection_client_init (GTlsClientConnectionInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (GTlsSessionClientConnection,
                               g_tls_session_client_connection,
                               G_TLS_SESSION_TYPE_CONNECTION,
                               G_IMPLEMENT_INTERFACE (G_TYPE_TLS_CLIENT_CONNECTION,
                                                      g_tls_session_client_connection_client_init))

enum
{
  PROP_0,
  PROP_SESSION_REUSED,
  PROP_SESSION_STORE,
  PROP_SESSION_RESUMPTION_ENABLED,
  PROP_EARLY_DATA,
  PROP_EARLY_DATA_STATUS,
  N_OWN_PROPERTIES,
  /* GTlsClientConnection's */
  PROP_VALIDATION_FLAGS = N_OWN_PROPERTIES,
  PROP_SERVER_IDENTITY,
  PROP_USE_SSL3,
  PROP_ACCEPTED_CAS,
};

static GParamSpec *properties[N_OWN_PROPERTIES];

static GTlsSessionClientConnection *
client_of (GTlsSessionConnection *connection)
{
  return G_TLS_SESSION_CLIENT_CONNECTION (connection);
}

GTlsSessionClientOffer *
g_tls_session_client_connection_get_offer (GTlsSessionClientConnection *self)
{
  return &self->offer;
}

GTlsSessionClientStoring *
g_tls_session_client_connection_get_storing (GTlsSessionClientConnection *self)
{
  return &self->storing;
}

GTlsSessionClientEarlyData *
g_tls_session_client_connection_get_early (GTlsSessionClientConnection *self)
{
  return &self->early;
}

const char *
g_tls_session_client_connection_get_server_name (GTlsSessionClientConnection *self)
{
  return self->server_name;
}

GSocketConnectable *
g_tls_session_client_connection_get_identity (GTlsSessionClientConnection *self)
{
  return self->server_identity;
}

/* GTlsSessionConnection */

static void
g_tls_session_client_connection_fill_settings (GTlsSessionConnection *connection, GTlsSessionEngineSettings *settings)
{
  GTlsSessionClientConnection *self = client_of (connection);

  settings->peer_name = self->server_name;
  if (self->server_name != NULL && !g_tls_session_name_is_ip (self->server_name))
    settings->server_name = self->server_name;
  g_tls_session_client_connection_note_circumstances (self);
  settings->session = g_tls_session_client_connection_begin_offer (self);
  g_tls_session_client_connection_plan_early_data (self, settings);
}

/* The chain of a resumed session is the one the ticket carries, and only of a resumed one. */
static STACK_OF (X509) *
g_tls_session_client_connection_get_peer_chain (GTlsSessionConnection *connection)
{
  GTlsSessionTicket *ticket = client_of (connection)->offer.ticket;

  if (!g_tls_session_engine_was_resumed (connection->engine))
    return g_tls_session_engine_get_peer_chain (connection->engine);
  return ticket != NULL ? g_tls_session_ticket_get_chain (ticket) : NULL;
}

static X509 *
g_tls_session_client_connection_dup_server_certificate (GTlsSessionConnection *connection)
{
  STACK_OF (X509) *chain = g_tls_session_client_connection_get_peer_chain (connection);
  X509 *certificate = sk_X509_num (chain) > 0 ? sk_X509_value (chain, 0) : NULL;

  return certificate != NULL && X509_up_ref (certificate) == 1 ? certificate : NULL;
}

static void
g_tls_session_client_connection_certificate_asked (GTlsSessionConnection *connection)
{
  g_tls_session_connection_note_change (connection, "accepted-cas");
}

static void
g_tls_session_client_connection_handshake_done (GTlsSessionConnection *connection)
{
  g_tls_session_client_connection_end_offer (client_of (connection));
  g_tls_session_client_connection_end_early_data (client_of (connection));
}

static void
g_tls_session_client_connection_handshake_failed (GTlsSessionConnection *connection)
{
  g_tls_session_client_connection_end_early_data (client_of (connection));
}

static GSocketConnectable *
g_tls_session_client_connection_dup_peer_identity (GTlsSessionConnection *connection)
{
  GTlsSessionClientConnection *self = client_of (connection);

  return self->server_identity != NULL ? g_object_ref (self->server_identity) : NULL;
}

static GTlsCertificateFlags
g_tls_session_client_connection_read_validation_flags (GTlsSessionConnection *connection)
{
  return client_of (connection)->validation_flags;
}

static GTlsSessionTicket *
g_tls_session_client_connection_make_ticket (GTlsSessionConnection *connection, SSL_SESSION *session)
{
  g_autofree char *home = g_tls_session_client_connection_find_home (client_of (connection));
  GTlsSessionTicket *ticket = g_tls_session_ticket_new (
    session, g_tls_session_client_connection_get_peer_chain (connection), client_of (connection)->server_name,
    connection->accepted_despite_faults);

  if (ticket != NULL && home != NULL)
    g_tls_session_ticket_set_home (ticket, home);
  return ticket;
}

static gboolean
g_tls_session_client_connection_wants_a_session (GTlsSessionConnection *connection)
{
  return g_tls_session_client_connection_wants_session (client_of (connection));
}

static void
g_tls_session_client_connection_find_a_session (GTlsSessionConnection *connection)
{
  g_tls_session_client_connection_find_session (client_of (connection));
}

static gboolean
g_tls_session_client_connection_wants_a_forecast (GTlsSessionConnection *connection)
{
  return g_tls_session_client_connection_wants_forecast (client_of (connection));
}

static STACK_OF (X509) *
g_tls_session_client_connection_get_offered_chain (GTlsSessionConnection *connection)
{
  GTlsSessionTicket *ticket = client_of (connection)->offer.ticket;

  return ticket != NULL ? g_tls_session_ticket_get_chain (ticket) : NULL;
}

static void
g_tls_session_client_connection_note_a_forecast (GTlsSessionConnection *connection,
                                                 guint settings_serial,
                                                 GTlsCertificateFlags faults)
{
  g_tls_session_client_connection_note_forecast (client_of (connection), settings_serial, faults);
}

static void
g_tls_session_client_connection_keep_a_ticket (GTlsSessionConnection *connection, GTlsSessionTicket *ticket)
{
  g_tls_session_client_connection_keep_ticket (client_of (connection), ticket);
}

/* GTlsClientConnection */

static void
g_tls_session_client_connection_copy_session_state (GTlsClientConnection *connection, GTlsClientConnection *source)
{
  g_autoptr (GError) error = NULL;

  if (!G_TLS_SESSION_IS_CLIENT_CONNECTION (source))
    return;

  if (!g_tls_session_client_connection_offer_from (G_TLS_SESSION_CLIENT_CONNECTION (connection),
                                                   G_TLS_SESSION_CLIENT_CONNECTION (source), &error))
    g_debug ("Session state was not copied: %s", error->message);
}

static void
g_tls_session_client_connection_client_init (GTlsClientConnectionInterface *iface)
{
  iface->copy_session_state = g_tls_session_client_connection_copy_session_state;
}

/* GObject */

static void
g_tls_session_client_connection_get_property (GObject *object, guint property_id, GValue *value, GParamSpec *pspec)
{
  GTlsSessionConnection *connection = G_TLS_SESSION_CONNECTION (object);
  GTlsSessionClientConnection *self = client_of (connection);

  g_mutex_lock (&connection->lock);
  switch (property_id)
    {
    case PROP_SESSION_REUSED:
      g_value_set_boolean (value, connection->resumption == G_TLS_SESSION_RESUMPTION_RESUMED);
      break;
    case PROP_SESSION_STORE:
      g_value_set_object (value, self->storing.store);
      break;
    case PROP_SESSION_RESUMPTION_ENABLED:
      g_value_set_boolean (value, self->storing.enabled);
      break;
    case PROP_EARLY_DATA:
      g_value_set_boxed (value, self->early.bytes);
      break;
    case PROP_EARLY_DATA_STATUS:
      g_value_set_enum (value, g_tls_session_client_connection_find_early_data_status (self));
      break;
    case PROP_VALIDATION_FLAGS:
      g_value_set_flags (value, self->validation_flags);
      break;
    case PROP_SERVER_IDENTITY:
      g_value_set_object (value, self->server_identity);
      break;
    case PROP_USE_SSL3:
      g_value_set_boolean (value, self->use_ssl3);
      break;
    case PROP_ACCEPTED_CAS:
      g_value_set_pointer (
        value, connection->engine != NULL ? g_tls_session_engine_list_accepted_cas (connection->engine) : NULL);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
      break;
    }
  g_mutex_unlock (&connection->lock);
}

static GSocketConnectable *
exchange_identity (GTlsSessionClientConnection *self, GSocketConnectable *identity)
{
  GSocketConnectable *before = self->server_identity;

  self->server_identity = identity;
  g_free (self->server_name);
  self->server_name = identity != NULL ? g_tls_session_identity_to_name (identity) : NULL;
  return before;
}

static void
g_tls_session_client_connection_set_property (GObject *object,
                                              guint property_id,
                                              const GValue *value,
                                              GParamSpec *pspec)
{
  GTlsSessionConnection *connection = G_TLS_SESSION_CONNECTION (object);
  GTlsSessionClientConnection *self = client_of (connection);
  g_autoptr (GSocketConnectable) before = NULL;
  g_autoptr (GTlsSessionStore) store_before = NULL; /* released without the lock: it may be the last reference */

  g_mutex_lock (&connection->lock);
  connection->settings_serial++;
  switch (property_id)
    {
    case PROP_SESSION_STORE:
      store_before = self->storing.store;
      self->storing.store = g_value_dup_object (value);
      break;
    case PROP_SESSION_RESUMPTION_ENABLED:
      self->storing.enabled = g_value_get_boolean (value);
      break;
    case PROP_VALIDATION_FLAGS:
      self->validation_flags = g_value_get_flags (value);
      break;
    case PROP_SERVER_IDENTITY:
      before = exchange_identity (self, g_value_dup_object (value));
      break;
    case PROP_USE_SSL3:
      self->use_ssl3 = g_value_get_boolean (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
      break;
    }
  g_mutex_unlock (&connection->lock);
}

static void
g_tls_session_client_connection_finalize (GObject *object)
{
  GTlsSessionClientConnection *self = G_TLS_SESSION_CLIENT_CONNECTION (object);

  g_clear_object (&self->server_identity);
  g_clear_pointer (&self->server_name, g_free);
  g_tls_session_client_offer_clear (&self->offer);
  g_tls_session_client_storing_clear (&self->storing);
  g_tls_session_client_early_data_clear (&self->early);

  G_OBJECT_CLASS (g_tls_session_client_connection_parent_class)->finalize (object);
}

static void
install_own_properties (GObjectClass *object_class)
{
  /**
   * GTlsSessionClientConnection:session-reused: (getter get_session_reused)
   *
   * Whether the handshake resumed a session; %FALSE before it is done.
   *
   * The name is the one that glib-networking's connections have, so that code which probes for it works.
   *
   * Since: 0.1
   */
  properties[PROP_SESSION_REUSED] = g_param_spec_boolean ("session-reused", NULL, NULL, FALSE,
                                                          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  /**
   * GTlsSessionClientConnection:session-store:
   *
   * Where the tickets that this connection receives go, and where it looks for one to offer.
   *
   * By default it is [func@GTlsSession.MemoryStore.get_default]. It is set before the handshake; %NULL means that this
   * connection takes part in no automatic resumption.
   *
   * Since: 0.1
   */
  properties[PROP_SESSION_STORE] = g_param_spec_object ("session-store", NULL, NULL, G_TLS_SESSION_TYPE_STORE,
                                                        G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);

  /**
   * GTlsSessionClientConnection:session-resumption-enabled:
   *
   * Whether sessions are resumed without being asked for, and kept for other connections to resume; %TRUE by default.
   *
   * It is set before the handshake. A session that was given by hand
   * ([method@GTlsSession.Helper.copy_session_state]) is offered in any case.
   *
   * The name is the one that glib-networking's connections have, so that code which sets it works.
   *
   * Since: 0.1
   */
  properties[PROP_SESSION_RESUMPTION_ENABLED] = g_param_spec_boolean (
    "session-resumption-enabled", NULL, NULL, TRUE, G_PARAM_READWRITE | G_PARAM_CONSTRUCT | G_PARAM_STATIC_STRINGS);

  /**
   * GTlsSessionClientConnection:early-data: (getter get_early_data)
   *
   * What [method@GTlsSession.ClientConnection.set_early_data] set; %NULL if there is nothing, and after the handshake.
   *
   * Since: 0.1
   */
  properties[PROP_EARLY_DATA] = g_param_spec_boxed ("early-data", NULL, NULL, G_TYPE_BYTES,
                                                    G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  /**
   * GTlsSessionClientConnection:early-data-status: (getter get_early_data_status)
   *
   * What became of the early data.
   *
   * Since: 0.1
   */
  properties[PROP_EARLY_DATA_STATUS] = g_param_spec_enum (
    "early-data-status", NULL, NULL, G_TLS_SESSION_TYPE_EARLY_DATA_STATUS, G_TLS_SESSION_EARLY_DATA_STATUS_NONE,
    G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  g_object_class_install_properties (object_class, N_OWN_PROPERTIES, properties);
}

static void
g_tls_session_client_connection_class_init (GTlsSessionClientConnectionClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GTlsSessionConnectionClass *connection_class = (GTlsSessionConnectionClass *) class;

  object_class->get_property = g_tls_session_client_connection_get_property;
  object_class->set_property = g_tls_session_client_connection_set_property;
  object_class->finalize = g_tls_session_client_connection_finalize;

  connection_class->create_engine = g_tls_session_engine_new_client;
  connection_class->fill_settings = g_tls_session_client_connection_fill_settings;
  connection_class->certificate_asked = g_tls_session_client_connection_certificate_asked;
  connection_class->asks_for_certificate = TRUE;
  connection_class->handshake_done = g_tls_session_client_connection_handshake_done;
  connection_class->handshake_failed = g_tls_session_client_connection_handshake_failed;
  connection_class->get_peer_chain = g_tls_session_client_connection_get_peer_chain;
  connection_class->dup_server_certificate = g_tls_session_client_connection_dup_server_certificate;
  connection_class->dup_peer_identity = g_tls_session_client_connection_dup_peer_identity;
  connection_class->get_validation_flags = g_tls_session_client_connection_read_validation_flags;
  connection_class->make_ticket = g_tls_session_client_connection_make_ticket;
  connection_class->wants_session = g_tls_session_client_connection_wants_a_session;
  connection_class->find_session = g_tls_session_client_connection_find_a_session;
  connection_class->wants_forecast = g_tls_session_client_connection_wants_a_forecast;
  connection_class->get_offered_chain = g_tls_session_client_connection_get_offered_chain;
  connection_class->note_forecast = g_tls_session_client_connection_note_a_forecast;
  connection_class->keep_ticket = g_tls_session_client_connection_keep_a_ticket;
  connection_class->verify_purpose = G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER;

  install_own_properties (object_class);
  g_object_class_override_property (object_class, PROP_VALIDATION_FLAGS, "validation-flags");
  g_object_class_override_property (object_class, PROP_SERVER_IDENTITY, "server-identity");
  g_object_class_override_property (object_class, PROP_USE_SSL3, "use-ssl3");
  g_object_class_override_property (object_class, PROP_ACCEPTED_CAS, "accepted-cas");
}

static void
g_tls_session_client_connection_init (GTlsSessionClientConnection *self)
{
  self->validation_flags = G_TLS_CERTIFICATE_VALIDATE_ALL;
  self->storing.store = G_TLS_SESSION_STORE (g_object_ref (g_tls_session_memory_store_get_default ()));
}

/* Public functions */

/**
 * g_tls_session_client_connection_new:
 * @base_io_stream: (not nullable): the stream to speak TLS over; its own streams are pollable
 * @server_identity: (nullable): whom the connection is to; its host name is sent as SNI (RFC 6066) and has to be in the
 *   server's certificate
 * @error: return location for an error
 *
 * Makes a TLS client's connection over a stream.
 *
 * The handshake is done by [method@Gio.TlsConnection.handshake], or by the first read or write. The stream is kept, and
 * closed together with the connection.
 *
 * This does not block, so that there is no need of [method@Gio.AsyncInitable.init_async], though that works as well.
 *
 * It fails with %G_IO_ERROR_NOT_SUPPORTED if the stream is not pollable, and with %G_TLS_ERROR_MISC if OpenSSL cannot be
 * set up.
 *
 * Returns: (transfer full): the connection
 * Since: 0.1
 */
GTlsSessionClientConnection *
g_tls_session_client_connection_new (GIOStream *base_io_stream, GSocketConnectable *server_identity, GError **error)
{
  g_return_val_if_fail (G_IS_IO_STREAM (base_io_stream), NULL);
  g_return_val_if_fail (server_identity == NULL || G_IS_SOCKET_CONNECTABLE (server_identity), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return g_initable_new (G_TLS_SESSION_TYPE_CLIENT_CONNECTION, NULL, error, "base-io-stream", base_io_stream,
                         "server-identity", server_identity, NULL);
}

/**
 * g_tls_session_client_connection_get_session_reused: (get-property session-reused)
 * @self: a connection
 *
 * Tells whether the handshake resumed a session.
 *
 * Returns: %TRUE if it did; %FALSE before the handshake is done
 * Since: 0.1
 */
gboolean
g_tls_session_client_connection_get_session_reused (GTlsSessionClientConnection *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_CLIENT_CONNECTION (self), FALSE);

  return g_tls_session_connection_get_resumption (G_TLS_SESSION_CONNECTION (self)) == G_TLS_SESSION_RESUMPTION_RESUMED;
}

/**
 * g_tls_session_client_connection_set_session_store:
 * @self: a connection
 * @store: (nullable): the store; %NULL for none
 *
 * Sets where the tickets that this connection receives go, and where it looks for one to offer; to be called before the
 * handshake.
 *
 * Since: 0.1
 */
void
g_tls_session_client_connection_set_session_store (GTlsSessionClientConnection *self, GTlsSessionStore *store)
{
  g_return_if_fail (G_TLS_SESSION_IS_CLIENT_CONNECTION (self));
  g_return_if_fail (store == NULL || G_TLS_SESSION_IS_STORE (store));

  g_object_set (self, "session-store", store, NULL);
}

/**
 * g_tls_session_client_connection_get_session_store:
 * @self: a connection
 *
 * Gets where the tickets that this connection receives go, and where it looks for one to offer.
 *
 * Returns: (transfer none) (nullable): the store; %NULL if there is none
 * Since: 0.1
 */
GTlsSessionStore *
g_tls_session_client_connection_get_session_store (GTlsSessionClientConnection *self)
{
  GTlsSessionConnection *connection = G_TLS_SESSION_CONNECTION (self);
  GTlsSessionStore *store;

  g_return_val_if_fail (G_TLS_SESSION_IS_CLIENT_CONNECTION (self), NULL);

  g_mutex_lock (&connection->lock);
  store = self->storing.store;
  g_mutex_unlock (&connection->lock);
  return store;
}

/**
 * g_tls_session_client_connection_set_session_resumption_enabled:
 * @self: a connection
 * @enabled: whether to
 *
 * Sets whether sessions are resumed without being asked for, and kept for other connections to resume; to be called
 * before the handshake.
 *
 * Since: 0.1
 */
void
g_tls_session_client_connection_set_session_resumption_enabled (GTlsSessionClientConnection *self, gboolean enabled)
{
  g_return_if_fail (G_TLS_SESSION_IS_CLIENT_CONNECTION (self));

  g_object_set (self, "session-resumption-enabled", enabled, NULL);
}

/**
 * g_tls_session_client_connection_get_session_resumption_enabled:
 * @self: a connection
 *
 * Tells whether sessions are resumed without being asked for, and kept for other connections to resume.
 *
 * Returns: %TRUE if they are
 * Since: 0.1
 */
gboolean
g_tls_session_client_connection_get_session_resumption_enabled (GTlsSessionClientConnection *self)
{
  gboolean enabled;

  g_return_val_if_fail (G_TLS_SESSION_IS_CLIENT_CONNECTION (self), FALSE);

  g_object_get (self, "session-resumption-enabled", &enabled, NULL);
  return enabled;
}
