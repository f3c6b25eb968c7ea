/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "circumstances.h"

#include <string.h>

/* NOTES:
 *
 * What binds a ticket to the circumstances it was received in: g_tls_session_circumstances_to_key(). A store knows the
 * key only, and gives a ticket to nobody who asks for another one.
 *
 * So nobody could tell why there is none for a connection. For explain() this process remembers under which
 * circumstances it last kept a ticket of each server in each store: what one store got says nothing of another one.
 * That memory decides nothing; it is bounded, and begins anew when it is full.
 */

#define KEY_LABEL "gtls-session store key v1"
#define REMEMBERED_MAX 1024

void
g_tls_session_circumstances_clear (GTlsSessionCircumstances *self)
{
  g_clear_pointer (&self->server, g_free);
  g_clear_pointer (&self->application_protocols, g_free);
  g_clear_pointer (&self->certificate, g_free);
  g_clear_pointer (&self->database, g_free);
  g_clear_pointer (&self->bounds, g_free);
}

/* The end of a field is a part of what is hashed, so that no two lists of fields are hashed alike. */
static void
add_field (GChecksum *checksum, const char *field)
{
  g_checksum_update (checksum, (const guchar *) field, (gssize) strlen (field) + 1);
}

/* The key under which a store keeps the tickets of connections in these circumstances: 64 hexadecimal digits, the
 * SHA-256 of the following fields, each with a zero byte behind it.
 *
 *   a label with a version: a later form of the key is another key
 *   the server's name in lower case, or its address, and its port: another name may be another server's, and its
 *     certificate is checked against the name only in a full handshake (RFC 8446, section 4.6.1)
 *   the application protocols: what one protocol's session proves must not serve another's (RFC 8446, section 4.6.1;
 *     RFC 9325, section 3.7)
 *   the client's certificate: a resumed session has the client identity of the first, so that who shows none, or
 *     another, must not become somebody else (RFC 8446, appendix C.4, on linking what is to be apart)
 *   the trusted certificates: who trusts others asks for another verdict
 *   the protocol bounds: who sets them does not want what an earlier connection had
 *
 * Neither time nor flags are in it. Time is a matter of the ticket and the store; flags are looked at when the verdict
 * on the resumed session is found.
 */
char *
g_tls_session_circumstances_to_key (const GTlsSessionCircumstances *self)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);

  add_field (checksum, KEY_LABEL);
  add_field (checksum, self->server);
  add_field (checksum, self->application_protocols);
  add_field (checksum, self->certificate);
  add_field (checksum, self->database);
  add_field (checksum, self->bounds);
  return g_strdup (g_checksum_get_string (checksum));
}

/* What was kept last */

static GMutex remembered_lock;
static GHashTable *remembered; /* GTlsSessionCircumstances, by their store and server */

static void
circumstances_free (gpointer data)
{
  g_tls_session_circumstances_clear (data);
  g_free (data);
}

static char *
to_place (const GTlsSessionCircumstances *self, const char *store)
{
  return g_strjoin (" ", store, self->server, NULL);
}

/* @copy is empty. */
void
g_tls_session_circumstances_copy (const GTlsSessionCircumstances *self, GTlsSessionCircumstances *copy)
{
  copy->server = g_strdup (self->server);
  copy->application_protocols = g_strdup (self->application_protocols);
  copy->certificate = g_strdup (self->certificate);
  copy->database = g_strdup (self->database);
  copy->bounds = g_strdup (self->bounds);
}

/* A ticket was put into a store, of which @store is the mark. */
void
g_tls_session_circumstances_note_kept (const GTlsSessionCircumstances *self, const char *store)
{
  GTlsSessionCircumstances *copy = g_new0 (GTlsSessionCircumstances, 1);

  g_tls_session_circumstances_copy (self, copy);
  g_mutex_lock (&remembered_lock);
  if (remembered == NULL)
    remembered = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, circumstances_free);
  if (g_hash_table_size (remembered) >= REMEMBERED_MAX)
    g_hash_table_remove_all (remembered);
  g_hash_table_replace (remembered, to_place (copy, store), copy);
  g_mutex_unlock (&remembered_lock);
}

static char *
compare (const GTlsSessionCircumstances *self, const GTlsSessionCircumstances *kept)
{
  if (kept == NULL)
    return g_strdup ("the session store has none of this server");
  if (!g_str_equal (self->application_protocols, kept->application_protocols))
    return g_strdup_printf ("the session store has one of this server for other application protocols (%s) only",
                            *kept->application_protocols != '\0' ? kept->application_protocols : "none");
  if (!g_str_equal (self->certificate, kept->certificate))
    return g_strdup ("the session store has one of this server with another client certificate only");
  if (!g_str_equal (self->database, kept->database))
    return g_strdup ("the session store has one of this server with other trusted certificates only");
  if (!g_str_equal (self->bounds, kept->bounds))
    return g_strdup_printf ("the session store has one of this server with other protocol bounds (%s) only",
                            kept->bounds);
  return g_strdup ("those of this server in the session store are used up or too old");
}

/* Why a store, of which @store is the mark, gave no ticket: a clause. */
char *
g_tls_session_circumstances_explain_none (const GTlsSessionCircumstances *self, const char *store)
{
  g_autofree char *place = to_place (self, store);
  char *clause;

  g_mutex_lock (&remembered_lock);
  clause = compare (self, remembered != NULL ? g_hash_table_lookup (remembered, place) : NULL);
  g_mutex_unlock (&remembered_lock);
  return clause;
}
