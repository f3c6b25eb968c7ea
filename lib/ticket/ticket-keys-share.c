/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gtls-session-ticket-keys.h"

#include <string.h>
#include <time.h>

#include "gtls-session-error.h"
#include "secret-block.h"
#include "ticket-keys-private.h"

/* NOTES:
 *
 * A store knows to load and to save, and not to do both at once. So what one server saves may be overwritten by another
 * that loaded before: with A's and B's keys on their way at the same time, the store ends up with the keys of one of them,
 * say B. Nothing is lost by that, for A still has its own. It loads B's the next time, merges them with its own, sees that
 * the store lacks some, and saves them all. A server whose save nobody overwrites any more is done; as each of them saves
 * only what the store lacks, all have the same keys after as many rounds as there were servers at once, mostly after two.
 * Until then, a ticket that a server cannot open costs its client a full handshake, and nothing more. How two rings merge
 * is in ticket-key-merge.c.
 *
 * The ring takes in what was loaded before it is saved, so that a key that others seal with is known here even if the
 * store fails then.
 *
 * Who runs the store, and has not the key that seals what is in it, can still give out what was there before. So the
 * time of saving stands before the keys. What is older than a ticket's lifetime is passed over: no ticket is left that
 * its keys could open, but for those of servers at work, and those have the keys themselves. And what was sealed with a
 * key is said of no later time than that. So a key that is over does not come back, and none lives longer, by being
 * played back. For the time to be a late one, keys that have not changed are saved again at half a lifetime.
 */

#define MAGIC "GTLSRNG\001" /* with the format's version */
#define MAGIC_SIZE 8
#define CLOCK_TOLERANCE 60 /* s */
#define HEAD_SIZE 16

static GBytes *
add_time (GBytes *ring)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (ring, &size);
  GTlsSessionSecretBlock *block = g_tls_session_secret_block_new (HEAD_SIZE + size);
  guint64 now = GUINT64_TO_BE ((guint64) time (NULL));

  memcpy (block->data, MAGIC, MAGIC_SIZE);
  memcpy (block->data + MAGIC_SIZE, &now, sizeof now);
  memcpy (block->data + HEAD_SIZE, data, size);
  return g_tls_session_secret_block_to_bytes (block);
}

/* Another server's clock may be ahead a little. What is from further ahead could be played back until then, so it counts
 * as too old.
 */
static gint64
time_of_save (guint64 told, gint64 now)
{
  if (told <= (guint64) now)
    return (gint64) told;
  return told - (guint64) now <= CLOCK_TOLERANCE ? now : 0;
}

/* The keys, and in @saved when they were; NULL with an error. */
static GBytes *
split_time (GBytes *bytes, gint64 *saved, GError **error)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  gint64 now = time (NULL);
  guint64 big;

  if (size < HEAD_SIZE || memcmp (data, MAGIC, MAGIC_SIZE) != 0)
    {
      g_set_error_literal (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA,
                           "They do not begin like shared ticket keys of a format that is known");
      return NULL;
    }

  memcpy (&big, data + MAGIC_SIZE, sizeof big);
  *saved = time_of_save (GUINT64_FROM_BE (big), now);
  return g_bytes_new_from_bytes (bytes, HEAD_SIZE, size - HEAD_SIZE);
}

static gboolean
save (GTlsSessionStore *store, const char *name, GBytes *ring, GError **error)
{
  g_autoptr (GBytes) bytes = add_time (ring);

  return g_tls_session_store_save_bytes (store, name, bytes, error);
}

static gboolean
save_own (GTlsSessionTicketKeys *self, GTlsSessionStore *store, const char *name, GError **error)
{
  g_autoptr (GBytes) ring = g_tls_session_ticket_keys_to_bytes (self);

  return save (store, name, ring, error);
}

/* @loaded is not empty. */
static gboolean
merge_and_save (GTlsSessionTicketKeys *self, GTlsSessionStore *store, const char *name, GBytes *loaded, GError **error)
{
  gint64 saved;
  g_autoptr (GBytes) ring = split_time (loaded, &saved, error);
  g_autoptr (GBytes) merged = NULL;
  gint64 age;

  age = ring != NULL ? time (NULL) - saved : 0;
  if (age > g_tls_session_ticket_keys_get_lifetime (self))
    return save_own (self, store, name, error);

  merged = ring != NULL ? g_tls_session_ticket_keys_merge (self, ring, saved, error) : NULL;
  if (merged == NULL)
    {
      g_prefix_error (error, "The ticket keys in the store under the name \"%s\" cannot be used: ", name);
      return FALSE;
    }
  return (g_bytes_equal (merged, ring) && age <= g_tls_session_ticket_keys_get_lifetime (self) / 2) ||
         save (store, name, merged, error);
}

static GBytes *
load (GTlsSessionStore *store, const char *name, gboolean *failed, GError **error)
{
  GError *reason = NULL;
  GBytes *bytes = g_tls_session_store_load_bytes (store, name, &reason);

  *failed = reason != NULL;
  if (reason != NULL)
    g_propagate_error (error, reason);
  return bytes;
}

/**
 * g_tls_session_ticket_keys_share:
 * @self: ticket keys
 * @store: a store that keeps bytes, see [method@GTlsSession.Store.save_bytes]
 * @name: what to keep the keys by
 * @error: return location for an error
 *
 * Brings these keys and those in a store together, so that all servers that do this open each other's tickets.
 *
 * Each server of a fleet calls it once before it begins, and then regularly, every minute perhaps; and after
 * [method@GTlsSession.TicketKeys.rotate], which one of them does about once a day:
 *
 * ```c
 * g_autoptr (GError) error = NULL;
 *
 * if (!g_tls_session_ticket_keys_share (keys, store, "www.example.org", &error))
 *   g_warning ("The ticket keys are not shared: %s", error->message);
 * ```
 *
 * Afterwards this object has all keys of the store that still open tickets, and the store has all of this object's. The
 * newest seals; of two that were made at the same time one is chosen, the same one by all servers. A key that was made
 * with this object and has never sealed a ticket gives way to the store's. All servers of a fleet should have the same
 * [property@GTlsSession.TicketKeys:lifetime]; the store goes by the longest.
 *
 * If several servers do this at once, what one has saved may be overwritten by another, and is saved again at its next
 * call; so it is good to call it a second time soon after the first. Each call waits for the store.
 *
 * What was saved longer than a [property@GTlsSession.TicketKeys:lifetime] ago is passed over and replaced, so that nobody
 * can bring back old keys by putting back what the store had before. So the servers' clocks have to agree roughly.
 *
 * The keys are as secret as a private key (see [class@GTlsSession.TicketKeys]): give the store a key of its own that
 * seals them, such as [property@GTlsSession.RedisStore:key].
 *
 * It fails with %G_TLS_SESSION_ERROR_BAD_DATA if what the store keeps by that name is no set of ticket keys, is damaged
 * or of a newer format; nothing has changed then. It fails as the store does if that cannot be asked; if it failed in
 * saving, this object has the store's keys nevertheless.
 *
 * Returns: %TRUE on success
 * Since: 0.1
 */
gboolean
g_tls_session_ticket_keys_share (GTlsSessionTicketKeys *self, GTlsSessionStore *store, const char *name, GError **error)
{
  g_autoptr (GBytes) loaded = NULL;
  gboolean failed;

  g_return_val_if_fail (G_TLS_SESSION_IS_TICKET_KEYS (self), FALSE);
  g_return_val_if_fail (G_TLS_SESSION_IS_STORE (store), FALSE);
  g_return_val_if_fail (name != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  loaded = load (store, name, &failed, error);
  if (failed)
    return FALSE;
  return loaded != NULL ? merge_and_save (self, store, name, loaded, error) : save_own (self, store, name, error);
}
