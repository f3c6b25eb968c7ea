/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client-early-data.h"

#include <string.h>

#include <openssl/crypto.h>

#include "../ticket/gtls-session-error.h"
#include "../trust/verify.h"
#include "client-offer.h"
#include "connection-private.h"

/* NOTES:
 *
 * Early data leave before the server has said a word, under the keys of the session that is offered. So the chain that
 * the ticket carries is judged before (the status WANTS_FORECAST, which the drivers answer as they do a verdict's), by
 * this connection's database and identity. Where that finds any fault, even one that the program's flags do not look
 * at, or for which accept-certificate would be asked, they wait for the verdict proper, which comes in any case. A
 * forecast is good for the settings that it was made with, and is made again if those change meanwhile.
 *
 * The program's bytes are copied, so that what we hold can be wiped.
 */

static GTlsSessionConnection *
base_of (GTlsSessionClientConnection *self)
{
  return G_TLS_SESSION_CONNECTION (self);
}

/* All of this with the lock held. */

void
g_tls_session_client_early_data_clear (GTlsSessionClientEarlyData *early)
{
  g_clear_pointer (&early->bytes, g_bytes_unref);
  g_clear_pointer (&early->why_late, g_free);
}

/* Why the session that is offered does not allow it: a clause; NULL if it does. */
static char *
explain_obstacle (GTlsSessionClientConnection *self, SSL_SESSION *session)
{
  const GTlsSessionClientEarlyData *early = g_tls_session_client_connection_get_early (self);
  const char *name = g_tls_session_client_connection_get_server_name (self);

  if (session == NULL)
    return g_strdup ("no session was offered");
  if (name != NULL && g_tls_session_name_is_ip (name))
    name = NULL; /* SNI has none (RFC 6066, section 3) */
  return g_tls_session_engine_explain_no_early_data (
    session, name, (const char *const *) base_of (self)->advertised_protocols, early->size);
}

static gboolean
has_forecast (GTlsSessionClientConnection *self)
{
  const GTlsSessionClientEarlyData *early = g_tls_session_client_connection_get_early (self);

  return early->forecast == G_TLS_SESSION_FORECAST_MADE && early->forecast_serial == base_of (self)->settings_serial;
}

/* Before the handshake: whether it has to wait for the chain of the offered ticket to be judged. */
gboolean
g_tls_session_client_connection_wants_forecast (GTlsSessionClientConnection *self)
{
  const GTlsSessionClientEarlyData *early = g_tls_session_client_connection_get_early (self);
  const GTlsSessionClientOffer *offer = g_tls_session_client_connection_get_offer (self);
  g_autofree char *obstacle = NULL;
  SSL_SESSION *session;

  if (early->bytes == NULL || offer->state != G_TLS_SESSION_OFFER_MADE || has_forecast (self))
    return FALSE;

  session = g_tls_session_ticket_dup_session (offer->ticket);
  obstacle = explain_obstacle (self, session);
  SSL_SESSION_free (session);
  return obstacle == NULL;
}

void
g_tls_session_client_connection_note_forecast (GTlsSessionClientConnection *self,
                                               guint settings_serial,
                                               GTlsCertificateFlags faults)
{
  GTlsSessionClientEarlyData *early = g_tls_session_client_connection_get_early (self);

  early->forecast = G_TLS_SESSION_FORECAST_MADE;
  early->forecast_serial = settings_serial;
  early->forecast_faults = faults;
}

static char *
explain_why_late (GTlsSessionClientConnection *self, SSL_SESSION *session)
{
  g_autofree char *obstacle = explain_obstacle (self, session);

  if (obstacle != NULL)
    return g_steal_pointer (&obstacle);
  if (!has_forecast (self))
    return g_strdup ("the certificate of its session had not been verified");
  if (g_tls_session_client_connection_get_early (self)->forecast_faults != 0)
    return g_strdup ("the certificate of its session is not beyond doubt for this connection");
  return NULL;
}

/* For the engine. The settings' session is set. */
void
g_tls_session_client_connection_plan_early_data (GTlsSessionClientConnection *self, GTlsSessionEngineSettings *settings)
{
  GTlsSessionClientEarlyData *early = g_tls_session_client_connection_get_early (self);

  if (early->bytes == NULL)
    return;

  g_free (early->why_late);
  early->why_late = explain_why_late (self, settings->session);
  settings->early_data = early->bytes;
  settings->early_data_timing = early->why_late == NULL ? G_TLS_SESSION_EARLY_DATA_FIRST
                                                        : G_TLS_SESSION_EARLY_DATA_LATE;
}

/* The handshake has ended, well or not. */
void
g_tls_session_client_connection_end_early_data (GTlsSessionClientConnection *self)
{
  GTlsSessionClientEarlyData *early = g_tls_session_client_connection_get_early (self);

  if (early->bytes == NULL)
    return;

  g_clear_pointer (&early->bytes, g_bytes_unref);
  g_tls_session_connection_note_change (base_of (self), "early-data");
  g_tls_session_connection_note_change (base_of (self), "early-data-status");
}

static gboolean
is_over (GTlsSessionConnection *connection)
{
  return connection->life >= G_TLS_SESSION_LIFE_CLOSING ||
         g_tls_session_engine_get_state (connection->engine) == G_TLS_SESSION_ENGINE_STATE_FAILED;
}

GTlsSessionEarlyDataStatus
g_tls_session_client_connection_find_early_data_status (GTlsSessionClientConnection *self)
{
  GTlsSessionConnection *connection = base_of (self);

  if (g_tls_session_client_connection_get_early (self)->size == 0)
    return G_TLS_SESSION_EARLY_DATA_STATUS_NONE;
  if (connection->engine == NULL)
    return G_TLS_SESSION_EARLY_DATA_STATUS_PENDING;

  switch (g_tls_session_engine_get_early_data_state (connection->engine))
    {
    case G_TLS_SESSION_EARLY_DATA_ACCEPTED:
      return G_TLS_SESSION_EARLY_DATA_STATUS_ACCEPTED;
    case G_TLS_SESSION_EARLY_DATA_GONE_AGAIN:
      return G_TLS_SESSION_EARLY_DATA_STATUS_RESENT;
    case G_TLS_SESSION_EARLY_DATA_GONE_LATE:
      return G_TLS_SESSION_EARLY_DATA_STATUS_DEFERRED;
    default:
      break;
    }

  if (!is_over (connection))
    return G_TLS_SESSION_EARLY_DATA_STATUS_PENDING;
  return g_tls_session_engine_may_early_data_have_arrived (connection->engine)
           ? G_TLS_SESSION_EARLY_DATA_STATUS_UNCERTAIN
           : G_TLS_SESSION_EARLY_DATA_STATUS_UNSENT;
}

/* Setting them */

typedef struct
{
  gsize size;
  guint8 data[];
} Copy;

static void
copy_free (gpointer data)
{
  Copy *copy = data;

  OPENSSL_cleanse (copy->data, copy->size);
  g_free (copy);
}

static GBytes *
copy_bytes (GBytes *bytes)
{
  gsize size = bytes != NULL ? g_bytes_get_size (bytes) : 0;
  Copy *copy;

  if (size == 0)
    return NULL;

  copy = g_malloc (sizeof *copy + size);
  copy->size = size;
  memcpy (copy->data, g_bytes_get_data (bytes, NULL), size);
  return g_bytes_new_with_free_func (copy->data, size, copy_free, copy);
}

static gboolean
set_locked (GTlsSessionClientConnection *self, GBytes *bytes, GError **error)
{
  GTlsSessionClientEarlyData *early = g_tls_session_client_connection_get_early (self);

  if (base_of (self)->life != G_TLS_SESSION_LIFE_FRESH)
    {
      g_set_error_literal (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_TOO_LATE,
                           "The connection's handshake has begun; early data have to be set before that");
      return FALSE;
    }

  g_clear_pointer (&early->bytes, g_bytes_unref);
  early->bytes = copy_bytes (bytes);
  early->size = early->bytes != NULL ? g_bytes_get_size (early->bytes) : 0;
  g_tls_session_connection_note_change (base_of (self), "early-data");
  g_tls_session_connection_note_change (base_of (self), "early-data-status");
  return TRUE;
}

/* Public functions */

/**
 * g_tls_session_client_connection_set_early_data:
 * @self: a connection whose handshake has not begun
 * @bytes: (nullable): the bytes; %NULL, or none, for no early data
 * @error: return location for an error
 *
 * Sets what to send with the first flight of the handshake, if the session that is offered allows it.
 *
 * See [method@GTlsSession.Helper.set_early_data], which says what that means. It fails with
 * %G_TLS_SESSION_ERROR_TOO_LATE if the handshake has begun.
 *
 * Returns: %TRUE if they will be sent
 * Since: 0.1
 */
gboolean
g_tls_session_client_connection_set_early_data (GTlsSessionClientConnection *self, GBytes *bytes, GError **error)
{
  gboolean set;

  g_return_val_if_fail (G_TLS_SESSION_IS_CLIENT_CONNECTION (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  g_mutex_lock (&base_of (self)->lock);
  set = set_locked (self, bytes, error);
  g_mutex_unlock (&base_of (self)->lock);

  g_tls_session_connection_announce (base_of (self));
  return set;
}

/**
 * g_tls_session_client_connection_get_early_data: (get-property early-data)
 * @self: a connection
 *
 * Gets what is to be sent with the first flight of the handshake.
 *
 * Returns: (transfer full) (nullable): the bytes; %NULL if there are none, and once the handshake has ended, for they are
 *   then no longer kept
 * Since: 0.1
 */
GBytes *
g_tls_session_client_connection_get_early_data (GTlsSessionClientConnection *self)
{
  GBytes *bytes;

  g_return_val_if_fail (G_TLS_SESSION_IS_CLIENT_CONNECTION (self), NULL);

  g_object_get (self, "early-data", &bytes, NULL);
  return bytes;
}

/**
 * g_tls_session_client_connection_get_early_data_status: (get-property early-data-status)
 * @self: a connection
 *
 * Tells what became of the early data.
 *
 * Returns: the status
 * Since: 0.1
 */
GTlsSessionEarlyDataStatus
g_tls_session_client_connection_get_early_data_status (GTlsSessionClientConnection *self)
{
  GTlsSessionEarlyDataStatus status;

  g_return_val_if_fail (G_TLS_SESSION_IS_CLIENT_CONNECTION (self), G_TLS_SESSION_EARLY_DATA_STATUS_NONE);

  g_mutex_lock (&base_of (self)->lock);
  status = g_tls_session_client_connection_find_early_data_status (self);
  g_mutex_unlock (&base_of (self)->lock);
  return status;
}
