/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ticket-private.h"

#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/obj_mac.h>

#include "../engine/context.h"
#include "../engine/openssl-error.h"
#include "gtls-session-error.h"
#include "ticket-object.h"

/* NOTES:
 *
 * A ticket is an SSL_SESSION of its own, and what is known about it. It is filled once, by
 * g_tls_session_ticket_take_parts(), and never changes after that, so any thread may ask it anything without a lock;
 * only the count of its uses moves, and its home is set once, both atomically.
 *
 * Own session: OpenSSL marks the session of a connection that failed, or was freed without close_notify, as not
 * resumable, in the very object that the connection had handed out. So a ticket holds a duplicate that no connection
 * ever sees, and gives each connection that offers it another duplicate.
 *
 * Time: OpenSSL keeps the time of receipt in the session, in seconds of the wall clock, and works out from it the age
 * that a TLS 1.3 ClientHello tells. The ticket takes the same time, so that both always agree. OpenSSL silently leaves
 * out a ticket that seems to come from the future; so a ticket from more than CLOCK_TOLERANCE ahead is not usable here
 * (the clock was set back, its age is unknown), and one from less is offered as new.
 *
 * Checks: a session from a connection and one from bytes must pass the same ones (session_flaws). They keep out what
 * OpenSSL's own decoder lets through and what could not be offered anyway.
 */

#define CLOCK_TOLERANCE 60     /* s */
#define TLS_1_2_SECRET_SIZE 48 /* RFC 5246, section 8.1 */
#define MAX_HANDLE_SIZE 49152  /* what is left of a ClientHello's 64 KiB of extensions is for the others */
#define ID_LABEL "gtls-session ticket id v1"
#define ID_BYTES 8

/**
 * GTlsSessionTicket:
 *
 * What a client needs to resume a TLS session: the session's secret, the
 * server's ticket or session id, and the certificate chain that the server
 * showed when the session began.
 *
 * A server gives tickets to its clients so that a later connection can skip
 * the costly part of the handshake, or prove that it belongs to the earlier
 * one. See RFC 8446, section 2.2 for TLS 1.3, and RFC 5077 (tickets) and
 * RFC 5246, section 7.3 (session ids) for TLS 1.2; here all of them are called
 * tickets.
 *
 * Tickets come from a connection, see
 * [signal@GTlsSession.Helper::ticket-available], or from bytes, see
 * [ctor@GTlsSession.Ticket.new_from_bytes]. One made with `g_object_new()` is
 * blank and never usable.
 *
 * A ticket never changes. It may be used from any thread, and lives on after
 * the connection it came from, however that one ended.
 *
 * ![The way of a session ticket](ticket.svg)
 *
 * One that is kept for a later run of the program, and then offered:
 *
 * ```c
 * g_autoptr (GError) error = NULL;
 * g_autoptr (GTlsSessionTicket) ticket = g_tls_session_helper_wait_for_ticket (helper, 5000, NULL, &error);
 * g_autoptr (GBytes) bytes = ticket != NULL ? g_tls_session_ticket_to_bytes (ticket) : NULL;
 * g_autoptr (GTlsSessionTicket) again = bytes != NULL ? g_tls_session_ticket_new_from_bytes (bytes, &error) : NULL;
 *
 * if (again == NULL || !g_tls_session_helper_set_ticket (other_helper, again, &error))
 *   g_print ("A full handshake it is: %s\n", error->message);
 * ```
 *
 * ## Tickets are secrets
 *
 * Who has a ticket can pass for its owner towards the server, until it
 * expires. Who can put a forged ticket in its place can pass for the server.
 * The secret is wiped from memory when the ticket is freed. Keep exported
 * tickets where only their user can read and write.
 *
 * Since: 0.1
 */
G_DEFINE_FINAL_TYPE (GTlsSessionTicket, g_tls_session_ticket, G_TYPE_OBJECT)

/* What a session says about itself */

static GTlsProtocolVersion
session_version (SSL_SESSION *session)
{
  return g_tls_session_protocol_from_openssl (SSL_SESSION_get_protocol_version (session));
}

static gboolean
session_is_tls_1_3 (SSL_SESSION *session)
{
  return SSL_SESSION_get_protocol_version (session) == TLS1_3_VERSION;
}

/* In seconds. TLS 1.3: what the server said, 0 meaning that the ticket is to be thrown away. Before: the server's hint
 * (RFC 5077, section 3.3), or without one the timeout that OpenSSL gave the session. A week at most in any case.
 */
static guint
session_lifetime (SSL_SESSION *session)
{
  gint64 lifetime = 0;

  if (SSL_SESSION_has_ticket (session))
    lifetime = (gint64) SSL_SESSION_get_ticket_lifetime_hint (session);
  if (lifetime == 0 && !session_is_tls_1_3 (session))
    lifetime = SSL_SESSION_get_timeout (session);

  return (guint) CLAMP (lifetime, 0, G_TLS_SESSION_TICKET_MAX_LIFETIME);
}

static const char *
session_application_protocol (SSL_SESSION *session, size_t *length)
{
  const unsigned char *name = NULL;

  SSL_SESSION_get0_alpn_selected (session, &name, length);
  return (const char *) name;
}

/* Sixteen hexadecimal digits that tell tickets apart in a log and give nothing of them away. */
static char *
session_id (SSL_SESSION *session)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  const unsigned char *name;
  size_t length;

  if (SSL_SESSION_has_ticket (session))
    {
      SSL_SESSION_get0_ticket (session, &name, &length);
    }
  else
    {
      unsigned int id_length;

      name = SSL_SESSION_get_id (session, &id_length);
      length = id_length;
    }

  g_checksum_update (checksum, (const guchar *) ID_LABEL, sizeof ID_LABEL);
  g_checksum_update (checksum, name, (gssize) length);
  return g_strndup (g_checksum_get_string (checksum), (gsize) 2 * ID_BYTES);
}

/* What keeps a session from serving */

static gboolean
has_sound_version (SSL_SESSION *session)
{
  return session_version (session) != G_TLS_PROTOCOL_VERSION_UNKNOWN;
}

static gboolean
has_sound_cipher (SSL_SESSION *session)
{
  const SSL_CIPHER *cipher = SSL_SESSION_get0_cipher (session);

  /* A suite of TLS 1.3 leaves the key exchange open, and no other does. */
  return cipher != NULL && SSL_CIPHER_get_handshake_digest (cipher) != NULL &&
         (SSL_CIPHER_get_kx_nid (cipher) == NID_kx_any) == session_is_tls_1_3 (session);
}

static gboolean
has_sound_secret (SSL_SESSION *session)
{
  const EVP_MD *hash = SSL_CIPHER_get_handshake_digest (SSL_SESSION_get0_cipher (session));
  int expected = session_is_tls_1_3 (session) ? EVP_MD_get_size (hash) : TLS_1_2_SECRET_SIZE;

  return expected > 0 && SSL_SESSION_get_master_key (session, NULL, 0) == (gsize) expected;
}

static gboolean
has_handle (SSL_SESSION *session)
{
  return SSL_SESSION_is_resumable (session) && (SSL_SESSION_has_ticket (session) || !session_is_tls_1_3 (session));
}

/* RFC 8446 permits a server tickets of 65535 bytes, and a client none that its ClientHello has no room for: OpenSSL then
 * fails the handshake instead of doing without.
 */
static gboolean
has_room_in_hello (SSL_SESSION *session)
{
  const unsigned char *ticket;
  size_t length = 0;

  if (SSL_SESSION_has_ticket (session))
    SSL_SESSION_get0_ticket (session, &ticket, &length);
  return length <= MAX_HANDLE_SIZE;
}

static gboolean
has_lifetime (SSL_SESSION *session)
{
  return session_lifetime (session) > 0;
}

static gboolean
has_sound_time (SSL_SESSION *session)
{
  gint64 received = SSL_SESSION_get_time (session);
  g_autoptr (GDateTime) latest = NULL;

  if (received <= 0 || received > G_MAXINT64 - G_TLS_SESSION_TICKET_MAX_LIFETIME)
    return FALSE;

  latest = g_date_time_new_from_unix_utc (received + G_TLS_SESSION_TICKET_MAX_LIFETIME);
  return latest != NULL;
}

static gboolean
has_sound_application_protocol (SSL_SESSION *session)
{
  size_t length;
  const char *name = session_application_protocol (session, &length);

  return length == 0 || g_tls_session_ticket_codec_name_is_sound (name, length);
}

/* In this order: the later ones rely on the earlier. */
static const struct
{
  gboolean (*passes) (SSL_SESSION *session);
  const char *flaw;
} session_flaws[] = {
  { has_sound_version, "its session is of an unknown protocol version" },
  { has_sound_cipher, "its session's ciphersuite is unknown, or not one of its protocol version" },
  { has_handle, "its session has neither a ticket nor a session id to resume it by" },
  { has_room_in_hello, "its session's ticket is too large to be offered" },
  { has_sound_secret, "its session's secret has the wrong length" },
  { has_lifetime, "its session has no lifetime" },
  { has_sound_time, "its session's time of receipt is out of range" },
  { has_sound_application_protocol, "its session's application protocol is not printable UTF-8" },
};

static const char *
find_flaw (const GTlsSessionTicketParts *parts)
{
  for (gsize i = 0; i < G_N_ELEMENTS (session_flaws); i++)
    if (!session_flaws[i].passes (parts->session))
      return session_flaws[i].flaw;

  if (g_tls_session_ticket_codec_measure (parts) == 0)
    return "its session or its chain is too large";

  return NULL;
}

/* Making */

static void
note_facts (GTlsSessionTicket *self)
{
  SSL_SESSION *session = self->parts.session;
  size_t name_length;
  const char *name = session_application_protocol (session, &name_length);

  self->protocol_version = session_version (session);
  self->ciphersuite_name = SSL_CIPHER_standard_name (SSL_SESSION_get0_cipher (session));
  self->application_protocol = name_length > 0 ? g_strndup (name, name_length) : NULL;
  self->lifetime = session_lifetime (session);
  self->received = g_date_time_new_from_unix_utc (SSL_SESSION_get_time (session));
  self->expires = g_date_time_add_seconds (self->received, self->lifetime);
  self->max_early_data = SSL_SESSION_get_max_early_data (session);
  self->id = session_id (session);
}

/* Empties @parts into a new ticket; or leaves them and says in @flaw why they cannot be one. */
static GTlsSessionTicket *
g_tls_session_ticket_take_parts (GTlsSessionTicketParts *parts, const char **flaw)
{
  GTlsSessionTicket *self;

  g_tls_session_openssl_clear_errors ();
  *flaw = find_flaw (parts);
  g_tls_session_openssl_clear_errors ();
  if (*flaw != NULL)
    return NULL;

  self = g_object_new (G_TLS_SESSION_TYPE_TICKET, NULL);
  self->parts = *parts;
  *parts = (GTlsSessionTicketParts){ 0 };
  note_facts (self);
  return self;
}

static gboolean
is_name_or_null (const char *name)
{
  return name == NULL || g_tls_session_ticket_codec_name_is_sound (name, strlen (name));
}

/* Makes a ticket of a connection's session, of which it takes a duplicate, and of new references to the certificates
 * of @chain (leaf first, nullable).
 *
 * Returns: (transfer full) (nullable): %NULL if the session cannot serve: it is not resumable, or the server gave it no
 *   lifetime (RFC 8446, section 4.6.1: "a value of zero indicates that the ticket should be discarded immediately"), or
 *   its ticket is too large to be offered, or a name or the chain is beyond what a ticket's bytes can say
 */
GTlsSessionTicket *
g_tls_session_ticket_new (SSL_SESSION *session,
                          STACK_OF (X509) *chain,
                          const char *server_name,
                          gboolean accepted_by_hand)
{
  g_auto (GTlsSessionTicketParts) parts = { 0 };
  const char *flaw;

  g_return_val_if_fail (session != NULL, NULL);

  if (!SSL_SESSION_is_resumable (session) || !is_name_or_null (server_name))
    return NULL;

  g_tls_session_openssl_clear_errors ();
  parts.session = SSL_SESSION_dup (session);
  parts.chain = sk_X509_num (chain) > 0 ? X509_chain_up_ref (chain) : NULL;
  parts.server_name = g_strdup (server_name);
  parts.accepted_by_hand = accepted_by_hand;
  g_tls_session_openssl_clear_errors ();

  if (parts.session == NULL || (parts.chain == NULL && sk_X509_num (chain) > 0))
    return NULL;

  return g_tls_session_ticket_take_parts (&parts, &flaw);
}

/**
 * g_tls_session_ticket_new_from_bytes:
 * @bytes: what [method@GTlsSession.Ticket.to_bytes] returned
 * @error: return location for a #GError, or %NULL
 *
 * Reads a ticket back from bytes, of this process or another one.
 *
 * A ticket whose lifetime has ended meanwhile is still a ticket: it is
 * returned, and [method@GTlsSession.Ticket.is_usable] says `FALSE`.
 *
 * The bytes are checked for accidents, not for forgery: take them only from
 * where nobody but the ticket's owner can write. They are not wiped here; they
 * wipe themselves if they come from [method@GTlsSession.Ticket.to_bytes].
 *
 * The possible error is `G_TLS_SESSION_ERROR_BAD_DATA`: the bytes are not a
 * ticket, are damaged or truncated, are followed by others, are of a newer
 * format than this library reads, or hold a session that this library or its
 * OpenSSL does not know how to resume. The message says which.
 *
 * Returns: (transfer full): a new ticket, or %NULL with @error set
 *
 * Since: 0.1
 */
GTlsSessionTicket *
g_tls_session_ticket_new_from_bytes (GBytes *bytes, GError **error)
{
  g_auto (GTlsSessionTicketParts) parts = { 0 };
  GTlsSessionTicket *self;
  const char *flaw;

  g_return_val_if_fail (bytes != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!g_tls_session_ticket_codec_decode (bytes, &parts, error))
    return NULL;

  self = g_tls_session_ticket_take_parts (&parts, &flaw);
  if (self == NULL)
    g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA, "The session ticket cannot serve: %s", flaw);
  return self;
}

/**
 * g_tls_session_ticket_to_bytes:
 * @self: a ticket
 *
 * Writes the ticket as bytes, to be kept or handed to another process.
 *
 * The format has a version and is documented in doc/ticket-format.md; this
 * and every later version of the library read it.
 *
 * The bytes hold the session's secret. Whoever reads them can pass for this
 * client towards the server. They are wiped from memory when the last
 * reference to the returned #GBytes goes; copies of them are yours to wipe,
 * such as the one that Python's `get_data()` makes. A file for them belongs in
 * mode 0600.
 *
 * Returns: (transfer full): the ticket as bytes
 *
 * Since: 0.1
 */
GBytes *
g_tls_session_ticket_to_bytes (GTlsSessionTicket *self)
{
  GBytes *bytes;

  g_return_val_if_fail (G_TLS_SESSION_IS_TICKET (self), NULL);
  g_return_val_if_fail (self->parts.session != NULL, NULL);

  /* What was measured when the ticket was made does not fail for any other reason later. */
  bytes = g_tls_session_ticket_codec_encode (&self->parts);
  if (bytes == NULL)
    g_error ("Out of memory for the bytes of a session ticket");

  return bytes;
}

/* Offering */

/* time() as OpenSSL does: g_get_real_time() is some milliseconds ahead of it, at times into the next second, and a ticket
 * stamped with that would seem to come from the future. */
static gint64
now_in_seconds (void)
{
  return time (NULL);
}

/**
 * g_tls_session_ticket_is_usable:
 * @self: a ticket
 *
 * Checks whether the ticket can be offered to its server now.
 *
 * It can while its lifetime lasts, that is before
 * [property@GTlsSession.Ticket:expires]. It cannot if it seems to have been
 * received more than 60 seconds in the future: then the clock was set back,
 * and how old the ticket is cannot be known.
 *
 * That a ticket is usable is no promise that its server takes it: the server
 * may have lost its keys, or used the ticket up. Whether this client has
 * offered it before plays no part either.
 *
 * Returns: %TRUE if the ticket can be offered
 *
 * Since: 0.1
 */
gboolean
g_tls_session_ticket_is_usable (GTlsSessionTicket *self)
{
  gint64 now = now_in_seconds ();

  g_return_val_if_fail (G_TLS_SESSION_IS_TICKET (self), FALSE);

  return self->parts.session != NULL && SSL_SESSION_is_resumable (self->parts.session) &&
         g_date_time_to_unix (self->received) <= now + CLOCK_TOLERANCE && now < g_date_time_to_unix (self->expires);
}

/* Returns: (transfer full) (nullable): a fresh session to offer with SSL_set_session(); %NULL if OpenSSL fails */
SSL_SESSION *
g_tls_session_ticket_dup_session (GTlsSessionTicket *self)
{
  SSL_SESSION *session;
  gint64 now = now_in_seconds ();

  g_return_val_if_fail (G_TLS_SESSION_IS_TICKET (self), NULL);
  g_return_val_if_fail (self->parts.session != NULL, NULL);

  g_tls_session_openssl_clear_errors ();
  session = SSL_SESSION_dup (self->parts.session);
  if (session != NULL && SSL_SESSION_get_time (session) > now && SSL_SESSION_set_time (session, (long) now) == 0)
    g_clear_pointer (&session, SSL_SESSION_free);
  g_tls_session_openssl_clear_errors ();

  return session;
}

/* Returns: (transfer none) (nullable): the peer's chain, leaf first; %NULL if it showed none. It must not be changed. */
STACK_OF (X509) *
g_tls_session_ticket_get_chain (GTlsSessionTicket *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_TICKET (self), NULL);

  return self->parts.chain;
}

/* Whether the chain was bad and a person, or accept-certificate, took it nevertheless. */
gboolean
g_tls_session_ticket_was_accepted_by_hand (GTlsSessionTicket *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_TICKET (self), FALSE);

  return self->parts.accepted_by_hand;
}

/* How many times this process has offered this very object. Bytes do not carry it. */
guint
g_tls_session_ticket_get_uses (GTlsSessionTicket *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_TICKET (self), 0);

  return (guint) g_atomic_int_get (&self->uses);
}

void
g_tls_session_ticket_add_use (GTlsSessionTicket *self)
{
  g_return_if_fail (G_TLS_SESSION_IS_TICKET (self));

  g_atomic_int_inc (&self->uses);
}

/* The key of the circumstances that this very object was received in, as a session store has it; NULL if they are not
 * known, as of a ticket that comes from bytes. The string lives as long as the ticket.
 */
const char *
g_tls_session_ticket_get_home (GTlsSessionTicket *self)
{
  g_return_val_if_fail (G_TLS_SESSION_IS_TICKET (self), NULL);

  return g_atomic_pointer_get (&self->home);
}

/* The first one stays. */
void
g_tls_session_ticket_set_home (GTlsSessionTicket *self, const char *home)
{
  char *copy;

  g_return_if_fail (G_TLS_SESSION_IS_TICKET (self));

  copy = g_strdup (home);
  if (!g_atomic_pointer_compare_and_exchange (&self->home, NULL, copy))
    g_free (copy);
}

/* The object */

static void
g_tls_session_ticket_finalize (GObject *object)
{
  GTlsSessionTicket *self = G_TLS_SESSION_TICKET (object);

  g_tls_session_ticket_parts_clear (&self->parts);
  g_clear_pointer (&self->application_protocol, g_free);
  g_clear_pointer (&self->received, g_date_time_unref);
  g_clear_pointer (&self->expires, g_date_time_unref);
  g_clear_pointer (&self->id, g_free);
  g_clear_pointer (&self->home, g_free);

  G_OBJECT_CLASS (g_tls_session_ticket_parent_class)->finalize (object);
}

static void
g_tls_session_ticket_class_init (GTlsSessionTicketClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = g_tls_session_ticket_finalize;
  g_tls_session_ticket_install_properties (object_class);
}

static void
g_tls_session_ticket_init (GTlsSessionTicket *self)
{
}
