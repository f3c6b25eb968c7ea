/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ticket-object.h"

enum
{
  PROP_0,
  PROP_PROTOCOL_VERSION,
  PROP_CIPHERSUITE_NAME,
  PROP_SERVER_NAME,
  PROP_APPLICATION_PROTOCOL,
  PROP_RECEIVED,
  PROP_EXPIRES,
  PROP_LIFETIME,
  PROP_MAX_EARLY_DATA,
  PROP_SINGLE_USE,
  PROP_ID,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

/**
 * g_tls_session_ticket_get_protocol_version: (get-property protocol-version)
 * @self: a ticket
 *
 * Gets the version of TLS that the session is of.
 *
 * A connection can offer the ticket only if its bounds include this version.
 *
 * Returns: the protocol version
 *
 * Since: 0.1
 */
GTlsProtocolVersion
g_tls_session_ticket_get_protocol_version (GTlsSessionTicket *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_TICKET (self), G_TLS_PROTOCOL_VERSION_UNKNOWN);

  return self->protocol_version;
}

/**
 * g_tls_session_ticket_get_ciphersuite_name: (get-property ciphersuite-name)
 * @self: a ticket
 *
 * Gets the IANA name of the session's ciphersuite, such as
 * `TLS_AES_256_GCM_SHA384`.
 *
 * Returns: (transfer none): the name of the ciphersuite
 *
 * Since: 0.1
 */
const char *
g_tls_session_ticket_get_ciphersuite_name (GTlsSessionTicket *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_TICKET (self), NULL);

  return self->ciphersuite_name;
}

/**
 * g_tls_session_ticket_get_server_name: (get-property server-name)
 * @self: a ticket
 *
 * Gets the name by which the connection that received the ticket knew its
 * server.
 *
 * Returns: (transfer none) (nullable): the host name, or %NULL if the
 *   connection had none
 *
 * Since: 0.1
 */
const char *
g_tls_session_ticket_get_server_name (GTlsSessionTicket *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_TICKET (self), NULL);

  return self->parts.server_name;
}

/**
 * g_tls_session_ticket_get_application_protocol: (get-property application-protocol)
 * @self: a ticket
 *
 * Gets the application protocol that was negotiated through ALPN (RFC 7301)
 * when the session began, such as `h2`.
 *
 * Returns: (transfer none) (nullable): the application protocol, or %NULL if
 *   none was negotiated
 *
 * Since: 0.1
 */
const char *
g_tls_session_ticket_get_application_protocol (GTlsSessionTicket *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_TICKET (self), NULL);

  return self->application_protocol;
}

/**
 * g_tls_session_ticket_get_received: (get-property received)
 * @self: a ticket
 *
 * Gets when the ticket came from the server, by this machine's clock, in UTC
 * and whole seconds.
 *
 * Returns: (transfer none): the time of receipt
 *
 * Since: 0.1
 */
GDateTime *
g_tls_session_ticket_get_received (GTlsSessionTicket *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_TICKET (self), NULL);

  return self->received;
}

/**
 * g_tls_session_ticket_get_expires: (get-property expires)
 * @self: a ticket
 *
 * Gets when the ticket's lifetime ends, by this machine's clock, in UTC and
 * whole seconds.
 *
 * Returns: (transfer none): the time of receipt plus the lifetime
 *
 * Since: 0.1
 */
GDateTime *
g_tls_session_ticket_get_expires (GTlsSessionTicket *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_TICKET (self), NULL);

  return self->expires;
}

/**
 * g_tls_session_ticket_get_lifetime: (get-property lifetime)
 * @self: a ticket
 *
 * Gets how long after its receipt the ticket can be offered, in seconds.
 *
 * For TLS 1.3 it is the `ticket_lifetime` that the server sent; a ticket that
 * the server gave a lifetime of 0 never becomes a [class@GTlsSession.Ticket]
 * (RFC 8446, section 4.6.1). For TLS 1.2 it is the server's
 * `ticket_lifetime_hint` (RFC 5077, section 3.3); where the server gave none,
 * or uses session ids, it is OpenSSL's timeout for sessions, 7200 seconds
 * unless set otherwise. It is at most 604800 seconds, a week.
 *
 * Returns: the lifetime, in seconds; at least 1
 *
 * Since: 0.1
 */
guint
g_tls_session_ticket_get_lifetime (GTlsSessionTicket *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_TICKET (self), 0);

  return self->lifetime;
}

/**
 * g_tls_session_ticket_get_max_early_data: (get-property max-early-data)
 * @self: a ticket
 *
 * Gets how much early data (0-RTT) the server takes with this ticket, in bytes
 * (RFC 8446, section 4.2.10).
 *
 * Returns: a number of bytes; 0 if the server takes no early data
 *
 * Since: 0.1
 */
guint
g_tls_session_ticket_get_max_early_data (GTlsSessionTicket *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_TICKET (self), 0);

  return self->max_early_data;
}

/**
 * g_tls_session_ticket_get_single_use: (get-property single-use)
 * @self: a ticket
 *
 * Gets whether the ticket should be offered only once.
 *
 * That is so for TLS 1.3, where a ticket that is offered twice lets an
 * onlooker link the two connections (RFC 8446, appendix C.4). Servers issue
 * several and a new one with each connection. With TLS 1.2, sessions are made
 * to be used again.
 *
 * Returns: %TRUE for TLS 1.3
 *
 * Since: 0.1
 */
gboolean
g_tls_session_ticket_get_single_use (GTlsSessionTicket *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_TICKET (self), FALSE);

  return self->protocol_version == G_TLS_PROTOCOL_VERSION_TLS_1_3;
}

/**
 * g_tls_session_ticket_get_id: (get-property id)
 * @self: a ticket
 *
 * Gets a short name for the ticket, for logs.
 *
 * It is the same for the same ticket everywhere and always, and nothing can
 * be done with it: 16 hexadecimal digits of a hash of what the server sent.
 *
 * Returns: (transfer none): the identifier
 *
 * Since: 0.1
 */
const char *
g_tls_session_ticket_get_id (GTlsSessionTicket *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_TICKET (self), NULL);

  return self->id;
}

/* As properties */

static void
g_tls_session_ticket_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GTlsSessionTicket *self = G_TLS_SESSION_TICKET (object);

  switch (id)
    {
    case PROP_PROTOCOL_VERSION:
      g_value_set_enum (value, self->protocol_version);
      break;
    case PROP_CIPHERSUITE_NAME:
      g_value_set_string (value, self->ciphersuite_name);
      break;
    case PROP_SERVER_NAME:
      g_value_set_string (value, self->parts.server_name);
      break;
    case PROP_APPLICATION_PROTOCOL:
      g_value_set_string (value, self->application_protocol);
      break;
    case PROP_RECEIVED:
      g_value_set_boxed (value, self->received);
      break;
    case PROP_EXPIRES:
      g_value_set_boxed (value, self->expires);
      break;
    case PROP_LIFETIME:
      g_value_set_uint (value, self->lifetime);
      break;
    case PROP_MAX_EARLY_DATA:
      g_value_set_uint (value, self->max_early_data);
      break;
    case PROP_SINGLE_USE:
      g_value_set_boolean (value, g_tls_session_ticket_get_single_use (self));
      break;
    case PROP_ID:
      g_value_set_string (value, self->id);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

void
g_tls_session_ticket_install_properties (GObjectClass *object_class)
{
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->get_property = g_tls_session_ticket_get_property;

  /**
   * GTlsSessionTicket:protocol-version: (getter get_protocol_version)
   *
   * The version of TLS that the session is of.
   *
   * Since: 0.1
   */
  properties[PROP_PROTOCOL_VERSION] = g_param_spec_enum ("protocol-version", NULL, NULL, G_TYPE_TLS_PROTOCOL_VERSION,
                                                         G_TLS_PROTOCOL_VERSION_UNKNOWN, flags);

  /**
   * GTlsSessionTicket:ciphersuite-name: (getter get_ciphersuite_name)
   *
   * The IANA name of the session's ciphersuite.
   *
   * Since: 0.1
   */
  properties[PROP_CIPHERSUITE_NAME] = g_param_spec_string ("ciphersuite-name", NULL, NULL, NULL, flags);

  /**
   * GTlsSessionTicket:server-name: (getter get_server_name)
   *
   * The name by which the server was known to the connection that received
   * the ticket.
   *
   * Since: 0.1
   */
  properties[PROP_SERVER_NAME] = g_param_spec_string ("server-name", NULL, NULL, NULL, flags);

  /**
   * GTlsSessionTicket:application-protocol: (getter get_application_protocol)
   *
   * The application protocol that was negotiated through ALPN when the
   * session began.
   *
   * Since: 0.1
   */
  properties[PROP_APPLICATION_PROTOCOL] = g_param_spec_string ("application-protocol", NULL, NULL, NULL, flags);

  /**
   * GTlsSessionTicket:received: (getter get_received)
   *
   * When the ticket came from the server, in UTC.
   *
   * Since: 0.1
   */
  properties[PROP_RECEIVED] = g_param_spec_boxed ("received", NULL, NULL, G_TYPE_DATE_TIME, flags);

  /**
   * GTlsSessionTicket:expires: (getter get_expires)
   *
   * When the ticket's lifetime ends, in UTC.
   *
   * Since: 0.1
   */
  properties[PROP_EXPIRES] = g_param_spec_boxed ("expires", NULL, NULL, G_TYPE_DATE_TIME, flags);

  /**
   * GTlsSessionTicket:lifetime: (getter get_lifetime)
   *
   * How long after its receipt the ticket can be offered, in seconds.
   *
   * Since: 0.1
   */
  properties[PROP_LIFETIME] = g_param_spec_uint ("lifetime", NULL, NULL, 0, G_TLS_SESSION_TICKET_MAX_LIFETIME, 0,
                                                 flags);

  /**
   * GTlsSessionTicket:max-early-data: (getter get_max_early_data)
   *
   * How much early data the server takes with this ticket, in bytes.
   *
   * Since: 0.1
   */
  properties[PROP_MAX_EARLY_DATA] = g_param_spec_uint ("max-early-data", NULL, NULL, 0, G_MAXUINT, 0, flags);

  /**
   * GTlsSessionTicket:single-use: (getter get_single_use)
   *
   * Whether the ticket should be offered only once.
   *
   * Since: 0.1
   */
  properties[PROP_SINGLE_USE] = g_param_spec_boolean ("single-use", NULL, NULL, FALSE, flags);

  /**
   * GTlsSessionTicket:id: (getter get_id)
   *
   * A short name for the ticket, for logs; not a secret.
   *
   * Since: 0.1
   */
  properties[PROP_ID] = g_param_spec_string ("id", NULL, NULL, NULL, flags);

  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}
