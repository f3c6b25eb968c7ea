/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connection-private.h"

#include "../trust/gtls-session-database.h"

/**
 * GTlsSessionConnection:
 *
 * What this library's TLS connections of either role have in common.
 *
 * It is a [class@Gio.TlsConnection] over OpenSSL and behaves as Gio documents that class. What it adds: it says what
 * became of a session that was offered ([property@GTlsSession.Connection:resumption]), it can be kept to certain
 * protocol versions, and closing it loses nothing.
 *
 * ## Closing
 *
 * When the last application data was ours, or none was sent at all, [method@Gio.IOStream.close] sends `close_notify`,
 * ends our side of the socket, and reads on until the peer's `close_notify` or FIN, at most
 * [property@GTlsSession.Connection:close-timeout]. A peer that has not answered by then may not have read everything:
 * the close then fails with %G_IO_ERROR_TIMED_OUT. When the last application data was the peer's, what has arrived is
 * read off and the close does not wait. The base stream is closed in any case. Dropping the last reference to a
 * connection that was not closed closes it the same way, which may block; close it yourself, best asynchronously.
 *
 * ## Threads
 *
 * One thread may read while another one writes. Property changes and tickets are announced in the main context that was
 * thread-default when the connection was made, or right away in a call that is made from there.
 * [signal@Gio.TlsConnection::accept-certificate] is emitted in the thread whose call does the handshake, because that
 * call waits for its answer.
 *
 * No thread is started, but a [class@Gio.TlsDatabase] of another kind than this library's may do so when it is asked
 * asynchronously.
 *
 * Since: 0.1
 */

#define DEFAULT_CLOSE_TIMEOUT 5000

G_DEFINE_ABSTRACT_TYPE (GTlsSessionConnection, g_tls_session_connection, G_TYPE_TLS_CONNECTION)

enum
{
  PROP_0,
  PROP_MINIMUM_PROTOCOL_VERSION,
  PROP_MAXIMUM_PROTOCOL_VERSION,
  PROP_CLOSE_TIMEOUT,
  PROP_RESUMPTION,
  N_OWN_PROPERTIES,
  /* GTlsConnection's */
  PROP_BASE_IO_STREAM = N_OWN_PROPERTIES,
  PROP_USE_SYSTEM_CERTDB,
  PROP_DATABASE,
  PROP_INTERACTION,
  PROP_REQUIRE_CLOSE_NOTIFY,
  PROP_REHANDSHAKE_MODE,
  PROP_CERTIFICATE,
  PROP_PEER_CERTIFICATE,
  PROP_PEER_CERTIFICATE_ERRORS,
  PROP_ADVERTISED_PROTOCOLS,
  PROP_NEGOTIATED_PROTOCOL,
  PROP_PROTOCOL_VERSION,
  PROP_CIPHERSUITE_NAME,
};

static GParamSpec *properties[N_OWN_PROPERTIES];

/* Properties */

/* The peer's certificate is for reading once the handshake has completed or failed, not while it is being judged. */
static gboolean
handshake_has_ended (GTlsSessionConnection *self)
{
  return self->life >= G_TLS_SESSION_LIFE_OPEN ||
         (self->engine != NULL && g_tls_session_engine_get_state (self->engine) == G_TLS_SESSION_ENGINE_STATE_FAILED);
}

static void
get_fact (GTlsSessionConnection *self, guint property_id, GValue *value)
{
  switch (property_id)
    {
    case PROP_PEER_CERTIFICATE:
      g_value_set_object (value, handshake_has_ended (self) ? self->peer_certificate : NULL);
      break;
    case PROP_PEER_CERTIFICATE_ERRORS:
      g_value_set_flags (value, handshake_has_ended (self) ? self->peer_certificate_errors : 0);
      break;
    case PROP_NEGOTIATED_PROTOCOL:
      g_value_set_string (value, self->negotiated_protocol);
      break;
    case PROP_PROTOCOL_VERSION:
      g_value_set_enum (value, self->protocol_version);
      break;
    case PROP_CIPHERSUITE_NAME:
      g_value_set_string (value, self->ciphersuite_name);
      break;
    case PROP_RESUMPTION:
    default:
      g_value_set_enum (value, self->resumption);
      break;
    }
}

static gboolean
uses_system_database (GTlsSessionConnection *self)
{
  g_autoptr (GTlsSessionDatabase) database = g_tls_session_database_get_system (NULL);

  return database != NULL && self->database == (GTlsDatabase *) database;
}

static void
get_setting (GTlsSessionConnection *self, guint property_id, GValue *value)
{
  switch (property_id)
    {
    case PROP_BASE_IO_STREAM:
      g_value_set_object (value, self->base_io_stream);
      break;
    case PROP_USE_SYSTEM_CERTDB:
      g_value_set_boolean (value, uses_system_database (self));
      break;
    case PROP_DATABASE:
      g_value_set_object (value, self->database);
      break;
    case PROP_INTERACTION:
      g_value_set_object (value, self->interaction);
      break;
    case PROP_REQUIRE_CLOSE_NOTIFY:
      g_value_set_boolean (value, self->require_close_notify);
      break;
    case PROP_REHANDSHAKE_MODE:
      g_value_set_enum (value, self->rehandshake_mode);
      break;
    case PROP_CERTIFICATE:
      g_value_set_object (value, self->certificate);
      break;
    case PROP_ADVERTISED_PROTOCOLS:
      g_value_set_boxed (value, self->advertised_protocols);
      break;
    case PROP_MINIMUM_PROTOCOL_VERSION:
      g_value_set_enum (value, self->minimum);
      break;
    case PROP_MAXIMUM_PROTOCOL_VERSION:
      g_value_set_enum (value, self->maximum);
      break;
    case PROP_CLOSE_TIMEOUT:
    default:
      g_value_set_uint (value, self->close_timeout);
      break;
    }
}

static void
g_tls_session_connection_get_property (GObject *object, guint property_id, GValue *value, GParamSpec *pspec)
{
  GTlsSessionConnection *self = G_TLS_SESSION_CONNECTION (object);

  g_mutex_lock (&self->lock);
  switch (property_id)
    {
    case PROP_RESUMPTION:
    case PROP_PEER_CERTIFICATE:
    case PROP_PEER_CERTIFICATE_ERRORS:
    case PROP_NEGOTIATED_PROTOCOL:
    case PROP_PROTOCOL_VERSION:
    case PROP_CIPHERSUITE_NAME:
      get_fact (self, property_id, value);
      break;
    default:
      get_setting (self, property_id, value);
      break;
    }
  g_mutex_unlock (&self->lock);
}

/* What was there before is released by the caller, without the lock: it may be the last reference. */
static GObject *
exchange_object (gpointer place, const GValue *value)
{
  GObject **object = place;
  GObject *before = *object;

  *object = g_value_dup_object (value);
  return before;
}

static GObject *
choose_system_database (GTlsSessionConnection *self, gboolean use_it)
{
  GObject *before = (GObject *) self->database;

  self->database = use_it ? (GTlsDatabase *) g_tls_session_database_get_system (NULL) : NULL;
  return before;
}

static void
set_require_close_notify (GTlsSessionConnection *self, gboolean require)
{
  self->require_close_notify = require;
  if (self->engine != NULL)
    g_tls_session_engine_set_require_close_notify (self->engine, require);
}

static void
g_tls_session_connection_set_property (GObject *object, guint property_id, const GValue *value, GParamSpec *pspec)
{
  GTlsSessionConnection *self = G_TLS_SESSION_CONNECTION (object);
  g_autoptr (GObject) before = NULL;

  g_mutex_lock (&self->lock);
  switch (property_id)
    {
    case PROP_BASE_IO_STREAM:
      self->base_io_stream = g_value_dup_object (value);
      break;
    case PROP_USE_SYSTEM_CERTDB:
      before = choose_system_database (self, g_value_get_boolean (value));
      break;
    case PROP_DATABASE:
      before = exchange_object (&self->database, value);
      break;
    case PROP_INTERACTION:
      before = exchange_object (&self->interaction, value);
      break;
    case PROP_REQUIRE_CLOSE_NOTIFY:
      set_require_close_notify (self, g_value_get_boolean (value));
      break;
    case PROP_REHANDSHAKE_MODE:
      self->rehandshake_mode = g_value_get_enum (value);
      break;
    case PROP_CERTIFICATE:
      before = exchange_object (&self->certificate, value);
      break;
    case PROP_ADVERTISED_PROTOCOLS:
      g_strfreev (self->advertised_protocols);
      self->advertised_protocols = g_value_dup_boxed (value);
      break;
    case PROP_MINIMUM_PROTOCOL_VERSION:
      self->minimum = g_value_get_enum (value);
      break;
    case PROP_MAXIMUM_PROTOCOL_VERSION:
      self->maximum = g_value_get_enum (value);
      break;
    case PROP_CLOSE_TIMEOUT:
      self->close_timeout = g_value_get_uint (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
      break;
    }
  g_mutex_unlock (&self->lock);
}

/* With the lock held. */
void
g_tls_session_connection_set_resumption (GTlsSessionConnection *self, GTlsSessionResumption resumption)
{
  if (self->resumption == resumption)
    return;

  self->resumption = resumption;
  g_tls_session_connection_note_change (self, "resumption");
}

/* GTlsConnection */

static const GTlsSessionStep handshake = { g_tls_session_connection_step_handshake, NULL,
                                           G_TLS_SESSION_LANE_HANDSHAKE };

static gboolean
g_tls_session_connection_handshake (GTlsConnection *connection, GCancellable *cancellable, GError **error)
{
  GTlsSessionEngineStatus status;

  return g_tls_session_connection_run (G_TLS_SESSION_CONNECTION (connection), &handshake, -1, cancellable, &status,
                                       error);
}

static void
g_tls_session_connection_handshake_async (GTlsConnection *connection,
                                          int io_priority,
                                          GCancellable *cancellable,
                                          GAsyncReadyCallback callback,
                                          gpointer user_data)
{
  GTask *task = g_task_new (connection, cancellable, callback, user_data);

  g_task_set_source_tag (task, g_tls_session_connection_handshake_async);
  g_task_set_priority (task, io_priority);
  g_tls_session_connection_run_async (G_TLS_SESSION_CONNECTION (connection), &handshake, -1, task);
}

static gboolean
g_tls_session_connection_handshake_finish (GTlsConnection *connection, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, connection), FALSE);

  return g_task_propagate_int (G_TASK (result), error) >= 0;
}

static const char *
g_tls_session_connection_get_negotiated_protocol (GTlsConnection *connection)
{
  GTlsSessionConnection *self = G_TLS_SESSION_CONNECTION (connection);
  const char *protocol;

  g_mutex_lock (&self->lock);
  protocol = self->negotiated_protocol;
  g_mutex_unlock (&self->lock);
  return protocol;
}

/* GIOStream */

static GInputStream *
g_tls_session_connection_get_input_stream (GIOStream *stream)
{
  return G_TLS_SESSION_CONNECTION (stream)->input;
}

static GOutputStream *
g_tls_session_connection_get_output_stream (GIOStream *stream)
{
  return G_TLS_SESSION_CONNECTION (stream)->output;
}

static gboolean
g_tls_session_connection_close_stream (GIOStream *stream, GCancellable *cancellable, GError **error)
{
  return g_tls_session_connection_close (G_TLS_SESSION_CONNECTION (stream), cancellable, error);
}

static void
g_tls_session_connection_close_stream_async (GIOStream *stream,
                                             int io_priority,
                                             GCancellable *cancellable,
                                             GAsyncReadyCallback callback,
                                             gpointer user_data)
{
  GTask *task = g_task_new (stream, cancellable, callback, user_data);

  g_task_set_source_tag (task, g_tls_session_connection_close_stream_async);
  g_task_set_priority (task, io_priority);
  g_tls_session_connection_close_async (G_TLS_SESSION_CONNECTION (stream), task);
}

static gboolean
g_tls_session_connection_close_stream_finish (GIOStream *stream, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, stream), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/* Making and freeing */

/* For the subclass's GInitable. */
gboolean
g_tls_session_connection_init_base (GTlsSessionConnection *self, GError **error)
{
  g_autoptr (GTlsSessionBaseStream) base = g_tls_session_base_stream_new (self->base_io_stream, error);

  if (base == NULL)
    return FALSE;

  self->engine = G_TLS_SESSION_CONNECTION_GET_CLASS (self)->create_engine (
    self, g_tls_session_base_stream_get_transport (base), error);
  if (self->engine == NULL)
    return FALSE;

  g_tls_session_engine_set_require_close_notify (self->engine, self->require_close_notify);
  self->base = g_steal_pointer (&base);
  return TRUE;
}

/* Who drops the last reference listens no more, and a garbage collector that drops it must not be called back. */
static void
fall_silent (GTlsSessionConnection *self)
{
  GMainContext *context;

  g_mutex_lock (&self->lock);
  context = g_steal_pointer (&self->context);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&context, g_main_context_unref);
}

static void
g_tls_session_connection_dispose (GObject *object)
{
  fall_silent (G_TLS_SESSION_CONNECTION (object));
  G_OBJECT_CLASS (g_tls_session_connection_parent_class)->dispose (object); /* closes */
}

static void
g_tls_session_connection_finalize (GObject *object)
{
  GTlsSessionConnection *self = G_TLS_SESSION_CONNECTION (object);

  g_clear_pointer (&self->engine, g_tls_session_engine_free);
  g_clear_pointer (&self->base, g_tls_session_base_stream_free);
  g_clear_object (&self->base_io_stream);
  g_clear_object (&self->input);
  g_clear_object (&self->output);
  g_clear_pointer (&self->home, g_thread_unref);
  g_clear_object (&self->database);
  g_clear_object (&self->interaction);
  g_clear_object (&self->certificate);
  g_clear_object (&self->peer_certificate);
  g_clear_pointer (&self->advertised_protocols, g_strfreev);
  g_clear_pointer (&self->negotiated_protocol, g_free);
  g_clear_pointer (&self->shelf, g_tls_session_ticket_shelf_free);
  g_queue_clear_full (&self->new_tickets, g_object_unref);
  g_clear_pointer (&self->changed, g_ptr_array_unref);
  g_clear_pointer (&self->sources, g_ptr_array_unref);
  g_cond_clear (&self->turn_cond);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (g_tls_session_connection_parent_class)->finalize (object);
}

static void
install_own_properties (GObjectClass *object_class)
{
  /**
   * GTlsSessionConnection:minimum-protocol-version:
   *
   * The lowest version of TLS to agree to, set before the handshake.
   *
   * %G_TLS_PROTOCOL_VERSION_UNKNOWN, the default, leaves it to the system's configuration of OpenSSL, but TLS 1.2 is the
   * least (RFC 8996).
   *
   * Since: 0.1
   */
  properties[PROP_MINIMUM_PROTOCOL_VERSION] = g_param_spec_enum (
    "minimum-protocol-version", NULL, NULL, G_TYPE_TLS_PROTOCOL_VERSION, G_TLS_PROTOCOL_VERSION_UNKNOWN,
    G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);

  /**
   * GTlsSessionConnection:maximum-protocol-version:
   *
   * The highest version of TLS to agree to, set before the handshake.
   *
   * %G_TLS_PROTOCOL_VERSION_UNKNOWN, the default, leaves it to the system's configuration of OpenSSL.
   *
   * Since: 0.1
   */
  properties[PROP_MAXIMUM_PROTOCOL_VERSION] = g_param_spec_enum (
    "maximum-protocol-version", NULL, NULL, G_TYPE_TLS_PROTOCOL_VERSION, G_TLS_PROTOCOL_VERSION_UNKNOWN,
    G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);

  /**
   * GTlsSessionConnection:close-timeout:
   *
   * How long a close waits for the peer to end its side, in milliseconds.
   *
   * It waits only when the last application data was ours. 0 means not at all: what the peer has not read by then may
   * be lost.
   *
   * Since: 0.1
   */
  properties[PROP_CLOSE_TIMEOUT] = g_param_spec_uint ("close-timeout", NULL, NULL, 0, G_MAXUINT, DEFAULT_CLOSE_TIMEOUT,
                                                      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);

  /**
   * GTlsSessionConnection:resumption:
   *
   * What became of the session that was offered, if one was.
   *
   * Since: 0.1
   */
  properties[PROP_RESUMPTION] = g_param_spec_enum ("resumption", NULL, NULL, G_TLS_SESSION_TYPE_RESUMPTION,
                                                   G_TLS_SESSION_RESUMPTION_NONE,
                                                   G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  g_object_class_install_properties (object_class, N_OWN_PROPERTIES, properties);
}

static void
override_properties (GObjectClass *object_class)
{
  static const struct
  {
    guint id;
    const char *name;
  } overridden[] = {
    { PROP_BASE_IO_STREAM, "base-io-stream" },
    { PROP_USE_SYSTEM_CERTDB, "use-system-certdb" },
    { PROP_DATABASE, "database" },
    { PROP_INTERACTION, "interaction" },
    { PROP_REQUIRE_CLOSE_NOTIFY, "require-close-notify" },
    { PROP_REHANDSHAKE_MODE, "rehandshake-mode" },
    { PROP_CERTIFICATE, "certificate" },
    { PROP_PEER_CERTIFICATE, "peer-certificate" },
    { PROP_PEER_CERTIFICATE_ERRORS, "peer-certificate-errors" },
    { PROP_ADVERTISED_PROTOCOLS, "advertised-protocols" },
    { PROP_NEGOTIATED_PROTOCOL, "negotiated-protocol" },
    { PROP_PROTOCOL_VERSION, "protocol-version" },
    { PROP_CIPHERSUITE_NAME, "ciphersuite-name" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (overridden); i++)
    g_object_class_override_property (object_class, overridden[i].id, overridden[i].name);
}

static void
g_tls_session_connection_class_init (GTlsSessionConnectionClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GIOStreamClass *stream_class = G_IO_STREAM_CLASS (class);
  GTlsConnectionClass *tls_class = G_TLS_CONNECTION_CLASS (class);

  object_class->get_property = g_tls_session_connection_get_property;
  object_class->set_property = g_tls_session_connection_set_property;
  object_class->dispose = g_tls_session_connection_dispose;
  object_class->finalize = g_tls_session_connection_finalize;

  stream_class->get_input_stream = g_tls_session_connection_get_input_stream;
  stream_class->get_output_stream = g_tls_session_connection_get_output_stream;
  stream_class->close_fn = g_tls_session_connection_close_stream;
  stream_class->close_async = g_tls_session_connection_close_stream_async;
  stream_class->close_finish = g_tls_session_connection_close_stream_finish;

  tls_class->handshake = g_tls_session_connection_handshake;
  tls_class->handshake_async = g_tls_session_connection_handshake_async;
  tls_class->handshake_finish = g_tls_session_connection_handshake_finish;
  tls_class->get_negotiated_protocol = g_tls_session_connection_get_negotiated_protocol;

  install_own_properties (object_class);
  override_properties (object_class);
}

static void
g_tls_session_connection_init (GTlsSessionConnection *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->turn_cond);
  g_queue_init (&self->new_tickets);
  self->changed = g_ptr_array_new ();
  self->sources = g_ptr_array_new ();
  self->shelf = g_tls_session_ticket_shelf_new ();
  self->context = g_main_context_ref_thread_default ();
  self->home = g_thread_ref (g_thread_self ());
  self->input = g_tls_session_input_stream_new (self);
  self->output = g_tls_session_output_stream_new (self);
  self->database = (GTlsDatabase *) g_tls_session_database_get_system (NULL);
  self->require_close_notify = TRUE;
  self->close_timeout = DEFAULT_CLOSE_TIMEOUT;
}

/* Public functions */

/**
 * g_tls_session_connection_get_resumption:
 * @self: a connection
 *
 * Tells what became of the session that was offered, if one was.
 *
 * After the handshake this is a fact: it is what the handshake did.
 *
 * Returns: the outcome
 * Since: 0.1
 */
GTlsSessionResumption
g_tls_session_connection_get_resumption (GTlsSessionConnection *self)
{
  GTlsSessionResumption resumption;

  g_return_val_if_fail (G_TLS_SESSION_IS_CONNECTION (self), G_TLS_SESSION_RESUMPTION_NONE);

  g_mutex_lock (&self->lock);
  resumption = self->resumption;
  g_mutex_unlock (&self->lock);
  return resumption;
}

/**
 * g_tls_session_connection_set_minimum_protocol_version:
 * @self: a connection
 * @version: the lowest version to agree to; %G_TLS_PROTOCOL_VERSION_UNKNOWN for the system's choice
 *
 * Sets the lowest version of TLS to agree to; to be called before the handshake.
 *
 * Since: 0.1
 */
void
g_tls_session_connection_set_minimum_protocol_version (GTlsSessionConnection *self, GTlsProtocolVersion version)
{
  g_return_if_fail (G_TLS_SESSION_IS_CONNECTION (self));

  g_object_set (self, "minimum-protocol-version", version, NULL);
}

/**
 * g_tls_session_connection_get_minimum_protocol_version:
 * @self: a connection
 *
 * Gets the lowest version of TLS to agree to, as the program set it.
 *
 * Returns: the version, %G_TLS_PROTOCOL_VERSION_UNKNOWN if it is the system's choice
 * Since: 0.1
 */
GTlsProtocolVersion
g_tls_session_connection_get_minimum_protocol_version (GTlsSessionConnection *self)
{
  GTlsProtocolVersion version;

  g_return_val_if_fail (G_TLS_SESSION_IS_CONNECTION (self), G_TLS_PROTOCOL_VERSION_UNKNOWN);

  g_object_get (self, "minimum-protocol-version", &version, NULL);
  return version;
}

/**
 * g_tls_session_connection_set_maximum_protocol_version:
 * @self: a connection
 * @version: the highest version to agree to; %G_TLS_PROTOCOL_VERSION_UNKNOWN for the system's choice
 *
 * Sets the highest version of TLS to agree to; to be called before the handshake.
 *
 * Since: 0.1
 */
void
g_tls_session_connection_set_maximum_protocol_version (GTlsSessionConnection *self, GTlsProtocolVersion version)
{
  g_return_if_fail (G_TLS_SESSION_IS_CONNECTION (self));

  g_object_set (self, "maximum-protocol-version", version, NULL);
}

/**
 * g_tls_session_connection_get_maximum_protocol_version:
 * @self: a connection
 *
 * Gets the highest version of TLS to agree to, as the program set it.
 *
 * Returns: the version, %G_TLS_PROTOCOL_VERSION_UNKNOWN if it is the system's choice
 * Since: 0.1
 */
GTlsProtocolVersion
g_tls_session_connection_get_maximum_protocol_version (GTlsSessionConnection *self)
{
  GTlsProtocolVersion version;

  g_return_val_if_fail (G_TLS_SESSION_IS_CONNECTION (self), G_TLS_PROTOCOL_VERSION_UNKNOWN);

  g_object_get (self, "maximum-protocol-version", &version, NULL);
  return version;
}

/**
 * g_tls_session_connection_set_close_timeout:
 * @self: a connection
 * @timeout_ms: milliseconds; 0 means that a close does not wait
 *
 * Sets how long a close waits for the peer to end its side.
 *
 * Since: 0.1
 */
void
g_tls_session_connection_set_close_timeout (GTlsSessionConnection *self, guint timeout_ms)
{
  g_return_if_fail (G_TLS_SESSION_IS_CONNECTION (self));

  g_object_set (self, "close-timeout", timeout_ms, NULL);
}

/**
 * g_tls_session_connection_get_close_timeout:
 * @self: a connection
 *
 * Gets how long a close waits for the peer to end its side.
 *
 * Returns: milliseconds; 0 means that a close does not wait
 * Since: 0.1
 */
guint
g_tls_session_connection_get_close_timeout (GTlsSessionConnection *self)
{
  guint timeout_ms;

  g_return_val_if_fail (G_TLS_SESSION_IS_CONNECTION (self), 0);

  g_mutex_lock (&self->lock);
  timeout_ms = self->close_timeout;
  g_mutex_unlock (&self->lock);
  return timeout_ms;
}
