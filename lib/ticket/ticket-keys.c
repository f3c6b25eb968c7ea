/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ticket-keys-private.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "../engine/context.h"
#include "../engine/openssl-error.h"
#include "gtls-session-error.h"
#include "ticket-key-merge.h"
#include "ticket-private.h"

/**
 * GTlsSessionTicketKeys:
 *
 * The keys by which servers resume sessions.
 *
 * A server that gives out session tickets (RFC 8446, section 4.6.1; RFC 5077) keeps nothing: each ticket holds its whole
 * session, sealed with a key that only the server knows. All [class@GTlsSession.ServerConnection]s with the same object
 * in [property@GTlsSession.ServerConnection:ticket-keys] resume each other's sessions; without one they give out no
 * tickets. Clients that take no tickets are resumed by TLS 1.2's session id, from this process's memory.
 *
 * ```c
 * g_autoptr (GError) error = NULL;
 * g_autoptr (GTlsSessionTicketKeys) keys = g_tls_session_ticket_keys_new (&error);
 *
 * if (keys == NULL)
 *   g_error ("%s", error->message);
 * g_tls_session_server_connection_set_ticket_keys (server_connection, keys);
 * ```
 *
 * ## Sharing and rotating
 *
 * Servers share keys, and keep them over a restart, by a store that all of them reach
 * ([method@GTlsSession.TicketKeys.share]), or as bytes ([method@GTlsSession.TicketKeys.to_bytes],
 * [ctor@GTlsSession.TicketKeys.new_from_bytes]).
 *
 * Who knows a key can read every TLS 1.2 connection that was resumed with it, recorded ones too, and can pass for the
 * server towards the clients that hold its tickets. So let [method@GTlsSession.TicketKeys.rotate] put a new one in its
 * place regularly, about once a day. The old ones still open their tickets until those expire, and are then wiped.
 *
 * All methods may be called from any thread, while servers are at work.
 *
 * Since: 0.1
 */

/* NOTES:
 *
 * The object owns an SSL_CTX, from which all connections that use these keys are made: OpenSSL has its ticket callback
 * there, and its memory of sessions that have an id. A connection holds a reference to the object for as long as its
 * SSL lives. OpenSSL calls on_ticket() within a step of a connection, with that connection's lock held; the lock here
 * comes after it, and nothing is called with it held.
 */

#define DEFAULT_LIFETIME 7200 /* seconds, OpenSSL's own */

struct _GTlsSessionTicketKeys
{
  GObject parent_instance;

  SSL_CTX *context; /* NULL: not initialised */
  GBytes *bytes;    /* to begin with, until initialised; nullable */

  GMutex lock; /* covers what follows */
  GPtrArray *ring;
  guint lifetime; /* of tickets, in seconds */
};

static void g_tls_session_ticket_keys_initable_init (GInitableIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (GTlsSessionTicketKeys,
                               g_tls_session_ticket_keys,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, g_tls_session_ticket_keys_initable_init))

enum
{
  PROP_0,
  PROP_BYTES,
  PROP_LIFETIME,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

/* Sealing and opening tickets. With the lock held. */

static gboolean
set_up_mac (EVP_MAC_CTX *mac, GTlsSessionTicketKey *key)
{
  OSSL_PARAM params[] = {
    OSSL_PARAM_construct_octet_string (OSSL_MAC_PARAM_KEY, key->mac_key, sizeof key->mac_key),
    OSSL_PARAM_construct_utf8_string (OSSL_MAC_PARAM_DIGEST, (char *) "SHA256", 0),
    OSSL_PARAM_construct_end (),
  };

  return EVP_MAC_CTX_set_params (mac, params) == 1;
}

static int
seal (GPtrArray *ring, guint8 *name, guint8 *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
  GTlsSessionTicketKey *key = g_ptr_array_index (ring, 0);

  key->is_used = TRUE;
  memcpy (name, key->name, sizeof key->name);
  if (RAND_bytes (iv, EVP_CIPHER_get_iv_length (EVP_aes_256_cbc ())) == 1 &&
      EVP_EncryptInit_ex2 (cipher, EVP_aes_256_cbc (), key->cipher_key, iv, NULL) == 1 && set_up_mac (mac, key))
    return 1;
  return -1;
}

/* 2 asks for a new ticket: in TLS 1.3 each is to be used once, and before it the old key is about to go. */
static int
open_sealed (SSL *ssl, GPtrArray *ring, const guint8 *name, guint8 *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
  GTlsSessionTicketKey *key = g_tls_session_key_ring_find (ring, name);

  if (key == NULL)
    return 0;
  if (EVP_DecryptInit_ex2 (cipher, EVP_aes_256_cbc (), key->cipher_key, iv, NULL) != 1 || !set_up_mac (mac, key))
    return -1;
  return SSL_version (ssl) >= TLS1_3_VERSION || key->retired != 0 ? 2 : 1;
}

static int
on_ticket (SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int sealing)
{
  GTlsSessionTicketKeys *self = SSL_CTX_get_app_data (SSL_get_SSL_CTX (ssl));
  int result;

  if (self == NULL)
    return -1;

  g_mutex_lock (&self->lock);
  g_tls_session_key_ring_prune (self->ring, self->lifetime);
  result = sealing ? seal (self->ring, name, iv, cipher, mac) : open_sealed (ssl, self->ring, name, iv, cipher, mac);
  g_mutex_unlock (&self->lock);
  return result;
}

/* Borrowed; for servers, each of which keeps a reference to @self as long as it uses it. */
SSL_CTX *
g_tls_session_ticket_keys_get_context (GTlsSessionTicketKeys *self)
{
  return self->context;
}

/* Takes in the keys in @bytes, which are of the time @saved, as g_tls_session_key_ring_merge() does; and gives the bytes of what came out, with the
 * longer of the two lifetimes. Or fails, and has changed nothing.
 */
GBytes *
g_tls_session_ticket_keys_merge (GTlsSessionTicketKeys *self, GBytes *bytes, gint64 saved, GError **error)
{
  guint lifetime;
  g_autoptr (GPtrArray) shared = g_tls_session_key_ring_from_bytes (bytes, &lifetime, error);
  GPtrArray *ring;
  GBytes *merged;

  if (shared == NULL)
    return NULL;

  g_mutex_lock (&self->lock);
  lifetime = CLAMP (lifetime, self->lifetime, G_TLS_SESSION_TICKET_MAX_LIFETIME);
  g_tls_session_key_ring_prune (self->ring, self->lifetime);
  ring = g_tls_session_key_ring_merge (self->ring, shared, saved, lifetime);
  merged = g_tls_session_key_ring_to_bytes (ring, lifetime);
  g_clear_pointer (&self->ring, g_ptr_array_unref);
  self->ring = ring;
  g_mutex_unlock (&self->lock);
  return merged;
}

/* GInitable */

static GPtrArray *
first_ring (GTlsSessionTicketKeys *self, GError **error)
{
  g_autoptr (GPtrArray) ring = NULL;
  guint lifetime = self->lifetime;

  if (self->bytes != NULL)
    {
      ring = g_tls_session_key_ring_from_bytes (self->bytes, &lifetime, error);
      self->lifetime = lifetime;
      return g_steal_pointer (&ring);
    }

  ring = g_tls_session_key_ring_new ();
  return g_tls_session_key_ring_rotate (ring, error) ? g_steal_pointer (&ring) : NULL;
}

static gboolean
set_up_context (GTlsSessionTicketKeys *self, SSL_CTX *context)
{
  if (SSL_CTX_set_app_data (context, self) != 1 || SSL_CTX_set_tlsext_ticket_key_evp_cb (context, on_ticket) != 1)
    return FALSE;

  SSL_CTX_set_timeout (context, (long) self->lifetime);
  return TRUE;
}

static gboolean
g_tls_session_ticket_keys_initable (GInitable *initable, GCancellable *cancellable, GError **error)
{
  GTlsSessionTicketKeys *self = G_TLS_SESSION_TICKET_KEYS (initable);
  SSL_CTX *context;

  if (self->context != NULL)
    return TRUE;

  if (self->ring == NULL)
    self->ring = first_ring (self, error);
  context = self->ring != NULL ? g_tls_session_context_new_resuming_server (error) : NULL;
  if (context == NULL)
    return FALSE;

  if (!set_up_context (self, context))
    {
      g_autofree char *reason = g_tls_session_openssl_take_errors ();

      SSL_CTX_free (context);
      g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_MISC, "OpenSSL cannot be set up for ticket keys: %s", reason);
      return FALSE;
    }

  self->context = context;
  g_clear_pointer (&self->bytes, g_bytes_unref);
  return TRUE;
}

static void
g_tls_session_ticket_keys_initable_init (GInitableIface *iface)
{
  iface->init = g_tls_session_ticket_keys_initable;
}

/* GObject */

static void
set_lifetime (GTlsSessionTicketKeys *self, guint lifetime)
{
  g_mutex_lock (&self->lock);
  self->lifetime = lifetime;
  if (self->context != NULL)
    SSL_CTX_set_timeout (self->context, (long) lifetime);
  g_mutex_unlock (&self->lock);
}

static void
g_tls_session_ticket_keys_get_property (GObject *object, guint property_id, GValue *value, GParamSpec *pspec)
{
  GTlsSessionTicketKeys *self = G_TLS_SESSION_TICKET_KEYS (object);

  switch (property_id)
    {
    case PROP_LIFETIME:
      g_value_set_uint (value, g_tls_session_ticket_keys_get_lifetime (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
      break;
    }
}

static void
g_tls_session_ticket_keys_set_property (GObject *object, guint property_id, const GValue *value, GParamSpec *pspec)
{
  GTlsSessionTicketKeys *self = G_TLS_SESSION_TICKET_KEYS (object);

  switch (property_id)
    {
    case PROP_BYTES:
      self->bytes = g_value_dup_boxed (value);
      break;
    case PROP_LIFETIME:
      set_lifetime (self, g_value_get_uint (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
      break;
    }
}

static void
g_tls_session_ticket_keys_finalize (GObject *object)
{
  GTlsSessionTicketKeys *self = G_TLS_SESSION_TICKET_KEYS (object);

  SSL_CTX_free (self->context);
  g_clear_pointer (&self->bytes, g_bytes_unref);
  g_clear_pointer (&self->ring, g_ptr_array_unref);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (g_tls_session_ticket_keys_parent_class)->finalize (object);
}

static void
g_tls_session_ticket_keys_class_init (GTlsSessionTicketKeysClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->get_property = g_tls_session_ticket_keys_get_property;
  object_class->set_property = g_tls_session_ticket_keys_set_property;
  object_class->finalize = g_tls_session_ticket_keys_finalize;

  /**
   * GTlsSessionTicketKeys:bytes:
   *
   * What to begin with, from [method@GTlsSession.TicketKeys.to_bytes]; %NULL for a new key.
   *
   * Since: 0.1
   */
  properties[PROP_BYTES] = g_param_spec_boxed ("bytes", NULL, NULL, G_TYPE_BYTES,
                                               G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  /**
   * GTlsSessionTicketKeys:lifetime:
   *
   * How long a ticket is good for, in seconds.
   *
   * A week is the most that TLS 1.3 allows (RFC 8446, section 4.6.1). Tickets given out already keep what they were
   * given, as long as their key is kept: a retired key is wiped once this time has passed.
   *
   * Since: 0.1
   */
  properties[PROP_LIFETIME] = g_param_spec_uint ("lifetime", NULL, NULL, 1, G_TLS_SESSION_TICKET_MAX_LIFETIME,
                                                 DEFAULT_LIFETIME, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);

  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
g_tls_session_ticket_keys_init (GTlsSessionTicketKeys *self)
{
  g_mutex_init (&self->lock);
  self->lifetime = DEFAULT_LIFETIME;
}

/* Public functions */

/**
 * g_tls_session_ticket_keys_new:
 * @error: return location for an error
 *
 * Makes a set of ticket keys with one new key in it.
 *
 * It fails with %G_TLS_ERROR_MISC if OpenSSL cannot be set up.
 *
 * Returns: (transfer full): the keys
 * Since: 0.1
 */
GTlsSessionTicketKeys *
g_tls_session_ticket_keys_new (GError **error)
{
  return g_initable_new (G_TLS_SESSION_TYPE_TICKET_KEYS, NULL, error, NULL);
}

/**
 * g_tls_session_ticket_keys_new_from_bytes:
 * @bytes: (not nullable): what [method@GTlsSession.TicketKeys.to_bytes] gave
 * @error: return location for an error
 *
 * Makes a set of ticket keys from bytes: those of another server, or of this one before it was restarted.
 *
 * It fails with %G_TLS_SESSION_ERROR_BAD_DATA if the bytes are no ticket keys, are damaged, or of a newer format, and
 * with %G_TLS_ERROR_MISC if OpenSSL cannot be set up.
 *
 * Returns: (transfer full): the keys
 * Since: 0.1
 */
GTlsSessionTicketKeys *
g_tls_session_ticket_keys_new_from_bytes (GBytes *bytes, GError **error)
{
  g_return_val_if_fail (bytes != NULL, NULL);

  return g_initable_new (G_TLS_SESSION_TYPE_TICKET_KEYS, NULL, error, "bytes", bytes, NULL);
}

/**
 * g_tls_session_ticket_keys_to_bytes:
 * @self: ticket keys
 *
 * Gives the keys as bytes, with their lifetime, for other servers or for later.
 *
 * They are as secret as a private key: who has them can read what they seal. The bytes are wiped when their last
 * reference goes.
 *
 * Returns: (transfer full): the bytes
 * Since: 0.1
 */
GBytes *
g_tls_session_ticket_keys_to_bytes (GTlsSessionTicketKeys *self)
{
  GBytes *bytes;

  g_return_val_if_fail (G_TLS_SESSION_IS_TICKET_KEYS (self), NULL);
  g_return_val_if_fail (self->context != NULL, NULL);

  g_mutex_lock (&self->lock);
  g_tls_session_key_ring_prune (self->ring, self->lifetime);
  ((GTlsSessionTicketKey *) g_ptr_array_index (self->ring, 0))->is_used = TRUE;
  bytes = g_tls_session_key_ring_to_bytes (self->ring, self->lifetime);
  g_mutex_unlock (&self->lock);
  return bytes;
}

/**
 * g_tls_session_ticket_keys_rotate:
 * @self: ticket keys
 * @error: return location for an error
 *
 * Makes a new key, which seals all tickets from now on.
 *
 * The old ones still open theirs for [property@GTlsSession.TicketKeys:lifetime], and are then wiped. There are 64 at
 * most; a further one takes the place of the oldest.
 *
 * It fails with %G_TLS_ERROR_MISC if OpenSSL has no random bytes; then nothing has changed.
 *
 * Returns: %TRUE on success
 * Since: 0.1
 */
gboolean
g_tls_session_ticket_keys_rotate (GTlsSessionTicketKeys *self, GError **error)
{
  gboolean rotated;

  g_return_val_if_fail (G_TLS_SESSION_IS_TICKET_KEYS (self), FALSE);
  g_return_val_if_fail (self->context != NULL, FALSE);

  g_mutex_lock (&self->lock);
  rotated = g_tls_session_key_ring_rotate (self->ring, error);
  g_tls_session_key_ring_prune (self->ring, self->lifetime);
  g_mutex_unlock (&self->lock);
  return rotated;
}

/**
 * g_tls_session_ticket_keys_set_lifetime:
 * @self: ticket keys
 * @lifetime: seconds, from 1 to 604800 (a week)
 *
 * Sets how long a ticket is good for.
 *
 * Since: 0.1
 */
void
g_tls_session_ticket_keys_set_lifetime (GTlsSessionTicketKeys *self, guint lifetime)
{
  g_return_if_fail (G_TLS_SESSION_IS_TICKET_KEYS (self));

  g_object_set (self, "lifetime", lifetime, NULL);
}

/**
 * g_tls_session_ticket_keys_get_lifetime:
 * @self: ticket keys
 *
 * Gets how long a ticket is good for.
 *
 * Returns: seconds
 * Since: 0.1
 */
guint
g_tls_session_ticket_keys_get_lifetime (GTlsSessionTicketKeys *self)
{
  guint lifetime;

  g_return_val_if_fail (G_TLS_SESSION_IS_TICKET_KEYS (self), 0);

  g_mutex_lock (&self->lock);
  lifetime = self->lifetime;
  g_mutex_unlock (&self->lock);
  return lifetime;
}

/**
 * g_tls_session_ticket_keys_get_n_keys:
 * @self: ticket keys
 *
 * Counts the keys: the one that seals tickets, and the older ones that still open some.
 *
 * Returns: how many there are, 1 at least
 * Since: 0.1
 */
guint
g_tls_session_ticket_keys_get_n_keys (GTlsSessionTicketKeys *self)
{
  guint n_keys;

  g_return_val_if_fail (G_TLS_SESSION_IS_TICKET_KEYS (self), 0);
  g_return_val_if_fail (self->context != NULL, 0);

  g_mutex_lock (&self->lock);
  g_tls_session_key_ring_prune (self->ring, self->lifetime);
  n_keys = self->ring->len;
  g_mutex_unlock (&self->lock);
  return n_keys;
}
