/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connection-private.h"

#include "../trust/database-private.h"

/* The properties of a connection of either role, GTlsConnection's and our own. */

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
uses_default_database (GTlsSessionConnection *self)
{
  g_autoptr (GTlsDatabase) database = g_tls_session_database_get_default ();

  return database != NULL && self->database == database;
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
      g_value_set_boolean (value, uses_default_database (self));
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
choose_default_database (GTlsSessionConnection *self, gboolean use_it)
{
  GObject *before = (GObject *) self->database;

  self->database = use_it ? g_tls_session_database_get_default () : NULL;
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
  self->settings_serial++;
  switch (property_id)
    {
    case PROP_BASE_IO_STREAM:
      self->base_io_stream = g_value_dup_object (value);
      break;
    case PROP_USE_SYSTEM_CERTDB:
      before = choose_default_database (self, g_value_get_boolean (value));
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

static void
install_own_properties (GObjectClass *object_class)
{
  /**
   * GTlsSessionConnection:minimum-protocol-version:
   *
   * The lowest version of TLS to agree to, set before the handshake.
   *
   * %G_TLS_PROTOCOL_VERSION_UNKNOWN, the default, leaves it to the system's configuration of OpenSSL. TLS 1.2 is the least
   * in any case, also where a lower version is set (RFC 8996).
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
  properties[PROP_CLOSE_TIMEOUT] = g_param_spec_uint ("close-timeout", NULL, NULL, 0, G_MAXUINT,
                                                      G_TLS_SESSION_DEFAULT_CLOSE_TIMEOUT,
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

void
g_tls_session_connection_install_properties (GObjectClass *object_class)
{
  object_class->get_property = g_tls_session_connection_get_property;
  object_class->set_property = g_tls_session_connection_set_property;
  install_own_properties (object_class);
  override_properties (object_class);
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
