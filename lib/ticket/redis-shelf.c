/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "redis-shelf.h"

#include <string.h>
#include <time.h>

#include "gtls-session-error.h"
#include "redis-sweep.h"
#include "store-rules.h"

/* NOTES:
 *
 * A peer's tickets are named in two sorted sets, scored by the time at which they were put, in microseconds: `once` has
 * those that are to be used once, `again` the others. What a ticket is lies under a key of its own, which the server
 * forgets when the ticket's time is over. Taking pops the youngest name (ZPOPMAX) and takes what is under it (GETDEL);
 * each of the two alone is done by the server for one client only, so a ticket is given out once, also if the taker dies
 * in between; then it is lost.
 *
 * A name whose ticket is gone (expired, removed) is passed over. How many there are is bounded like the tickets: putting
 * cuts the set to its bound, and off those that are too old, in one transaction, which tells what was cut so that their
 * tickets can be deleted.
 *
 * The braces around a peer's name are what Redis's cluster chooses the machine by: all that is one peer's is on one. Only
 * a transaction's and a command's keys have to be.
 *
 * What the server answers is foreign: it is looked through for its kind, and names for their form, before use.
 */

#define VALUE_MAX (1024 * 1024)
#define PREFIX_MAX 100
#define ID_LENGTH 16 /* of GTlsSessionTicket:id */
#define TAKE_ROUNDS_MAX 4096
#define TICKETS 't'
#define BYTES 'b'

/* Names */

/* Braces and what is no printable ASCII have a meaning elsewhere. */
gboolean
g_tls_session_redis_shelf_check_prefix (const char *prefix, GError **error)
{
  gsize length = strlen (prefix);
  gboolean is_sound = length >= 1 && length <= PREFIX_MAX;

  for (const char *at = prefix; *at != '\0'; at++)
    is_sound = is_sound && g_ascii_isgraph (*at) && *at != '{' && *at != '}';
  if (!is_sound)
    g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE,
                 "The prefix of a Redis store's keys has 1 to %d printable ASCII characters, no braces and no spaces",
                 PREFIX_MAX);
  return is_sound;
}

/* PREFIX{t.NAME} for tickets, PREFIX{b.NAME} for bytes */
static char *
make_base (const GTlsSessionRedisShelf *self, char kind, const char *name, GError **error)
{
  g_autofree char *told = self->seal != NULL ? g_tls_session_seal_hash_name (self->seal, name, error)
                                             : g_uri_escape_string (name, NULL, FALSE);

  return told != NULL ? g_strdup_printf ("%s{%c.%s}", self->prefix, kind, told) : NULL;
}

static char *
ticket_key (const char *base, const char *id)
{
  return g_strconcat (base, ":ticket:", id, NULL);
}

static char *
set_key (const char *base, gboolean single_use)
{
  return g_strconcat (base, single_use ? ":once" : ":again", NULL);
}

static gboolean
is_id (const GTlsSessionRedisReply *reply)
{
  if (reply->kind != G_TLS_SESSION_REDIS_STRING || reply->size != ID_LENGTH)
    return FALSE;
  for (gsize i = 0; i < ID_LENGTH; i++)
    if (!g_ascii_isxdigit (reply->text[i]))
      return FALSE;
  return TRUE;
}

/* Contents */

/* What is kept under @key for @bytes. */
static GBytes *
close_content (const GTlsSessionRedisShelf *self, GBytes *bytes, const char *key, GError **error)
{
  if (g_bytes_get_size (bytes) > VALUE_MAX)
    {
      g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE,
                   "What is to be kept on the Redis server has %" G_GSIZE_FORMAT " bytes, more than %d",
                   g_bytes_get_size (bytes), VALUE_MAX);
      return NULL;
    }
  return self->seal != NULL ? g_tls_session_seal_close (self->seal, bytes, key, error) : g_bytes_ref (bytes);
}

static void
free_reply (gpointer reply)
{
  g_tls_session_redis_reply_free (reply);
}

/* The bytes are the reply's, and wiped with it. */
static GBytes *
steal_text (GPtrArray *replies)
{
  GTlsSessionRedisReply *reply = g_ptr_array_steal_index (replies, 0);

  return g_bytes_new_with_free_func (reply->text, reply->size, free_reply, reply);
}

static void
prefix_damaged (const GTlsSessionRedisShelf *self, GError *reason, GError **error)
{
  g_autofree char *complaint = g_strdup_printf ("holds something that cannot be used: %s", reason->message);

  g_tls_session_redis_link_fail (self->link, complaint, error);
  g_error_free (reason);
}

/* What @command answered about @key: nil is success with nothing in @bytes. */
static gboolean
open_content (const GTlsSessionRedisShelf *self,
              GPtrArray *replies,
              const char *command,
              const char *key,
              GBytes **bytes,
              GError **error)
{
  const GTlsSessionRedisReply *reply = g_ptr_array_index (replies, 0);
  g_autoptr (GBytes) text = NULL;
  GError *reason = NULL;

  if (reply->kind == G_TLS_SESSION_REDIS_NIL)
    return TRUE;
  if (reply->kind != G_TLS_SESSION_REDIS_STRING)
    return g_tls_session_redis_link_fail_unexpected (self->link, command, error);

  text = steal_text (replies);
  *bytes = self->seal != NULL ? g_tls_session_seal_open (self->seal, text, key, &reason) : g_bytes_ref (text);
  if (*bytes == NULL)
    prefix_damaged (self, reason, error);
  return *bytes != NULL;
}

static gboolean
read_ticket (const GTlsSessionRedisShelf *self,
             GPtrArray *replies,
             const char *command,
             const char *key,
             GTlsSessionTicket **ticket,
             GError **error)
{
  g_autoptr (GBytes) bytes = NULL;
  GError *reason = NULL;

  if (!open_content (self, replies, command, key, &bytes, error))
    return FALSE;
  if (bytes == NULL)
    return TRUE;

  *ticket = g_tls_session_ticket_new_from_bytes (bytes, &reason);
  if (*ticket == NULL)
    prefix_damaged (self, reason, error);
  return *ticket != NULL;
}

/* Putting */

static void
add_put (const GTlsSessionRedisShelf *self,
         GTlsSessionRedisBatch *batch,
         const char *base,
         GTlsSessionTicket *ticket,
         GBytes *content,
         gint64 lifetime)
{
  const char *id = g_tls_session_ticket_get_id (ticket);
  g_autofree char *key = ticket_key (base, id);
  g_autofree char *set = set_key (base, g_tls_session_ticket_get_single_use (ticket));
  gint64 now = g_get_real_time ();
  gint64 oldest = now - (gint64) self->max_age * G_USEC_PER_SEC;
  g_autofree char *score = g_strdup_printf ("%" G_GINT64_FORMAT, now);
  g_autofree char *too_old = g_strdup_printf ("(%" G_GINT64_FORMAT, oldest);
  g_autofree char *last_too_many = g_strdup_printf ("-%u", self->max_tickets_per_peer + 1);
  g_autofree char *max_age = g_strdup_printf ("%u", self->max_age);

  g_tls_session_redis_batch_add (batch, "MULTI", NULL);
  g_tls_session_redis_batch_add_set (batch, key, content, lifetime);
  g_tls_session_redis_batch_add (batch, "ZADD", set, score, id, NULL);
  g_tls_session_redis_batch_add (batch, "ZREMRANGEBYSCORE", set, "-inf", too_old, NULL);
  g_tls_session_redis_batch_add (batch, "ZRANGE", set, "0", last_too_many, NULL);
  g_tls_session_redis_batch_add (batch, "ZREMRANGEBYRANK", set, "0", last_too_many, NULL);
  g_tls_session_redis_batch_add (batch, "EXPIRE", set, max_age, NULL);
  g_tls_session_redis_batch_add (batch, "EXEC", NULL);
}

/* What EXEC answered to ZRANGE, which is the fourth in the transaction and the last but two; NULL if it did not. */
static const GTlsSessionRedisReply *
find_too_many (GPtrArray *replies)
{
  const GTlsSessionRedisReply *result = g_ptr_array_index (replies, replies->len - 1);
  const GTlsSessionRedisReply *range;

  if (result->kind != G_TLS_SESSION_REDIS_ARRAY || result->elements->len != replies->len - 2)
    return NULL;

  range = g_ptr_array_index (result->elements, result->elements->len - 3);
  return range->kind == G_TLS_SESSION_REDIS_ARRAY ? range : NULL;
}

static gboolean
delete_tickets (const GTlsSessionRedisShelf *self,
                const char *base,
                const GTlsSessionRedisReply *ids,
                gint64 deadline,
                GError **error)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GTlsSessionRedisBatch) batch = g_tls_session_redis_batch_new ();
  g_autoptr (GPtrArray) replies = NULL;

  for (guint i = 0; i < ids->elements->len; i++)
    {
      const GTlsSessionRedisReply *id = g_ptr_array_index (ids->elements, i);

      if (!is_id (id))
        return g_tls_session_redis_link_fail_unexpected (self->link, "ZRANGE", error);
      g_ptr_array_add (keys, ticket_key (base, id->text));
    }
  if (keys->len == 0)
    return TRUE;

  g_ptr_array_add (keys, NULL);
  g_tls_session_redis_batch_add_argv (batch, "UNLINK", (const char *const *) keys->pdata);
  replies = g_tls_session_redis_link_ask (self->link, batch, deadline, error);
  return replies != NULL;
}

gboolean
g_tls_session_redis_shelf_put (const GTlsSessionRedisShelf *self,
                               const char *peer,
                               GTlsSessionTicket *ticket,
                               GError **error)
{
  gint64 deadline = g_tls_session_redis_link_get_deadline (self->link);
  gint64 lifetime = g_tls_session_store_last_use (ticket, self->max_age) - time (NULL);
  g_autofree char *base = make_base (self, TICKETS, peer, error);
  g_autofree char *key = base != NULL ? ticket_key (base, g_tls_session_ticket_get_id (ticket)) : NULL;
  g_autoptr (GTlsSessionRedisBatch) batch = g_tls_session_redis_batch_new ();
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GBytes) content = NULL;
  g_autoptr (GPtrArray) replies = NULL;
  const GTlsSessionRedisReply *too_many;

  if (base == NULL)
    return FALSE;
  if (!g_tls_session_store_may_give_out (ticket, self->max_age))
    return TRUE; /* nobody would ever get it */

  bytes = g_tls_session_ticket_to_bytes (ticket);
  content = close_content (self, bytes, key, error);
  if (content == NULL)
    return FALSE;

  add_put (self, batch, base, ticket, content, MAX (lifetime, 1));
  replies = g_tls_session_redis_link_ask (self->link, batch, deadline, error);
  if (replies == NULL)
    return FALSE;

  too_many = find_too_many (replies);
  return too_many != NULL ? delete_tickets (self, base, too_many, deadline, error)
                          : g_tls_session_redis_link_fail_unexpected (self->link, "EXEC", error);
}

/* Taking */

typedef struct
{
  char *id; /* NULL: there is none */
  gboolean single_use;
} Candidate;

static gboolean
note_candidate (const GTlsSessionRedisShelf *self,
                GPtrArray *replies,
                guint index,
                gboolean single_use,
                Candidate *candidate,
                GError **error)
{
  const GTlsSessionRedisReply *reply = g_ptr_array_index (replies, index);
  const char *command = single_use ? "ZPOPMAX" : "ZREVRANGE";

  if (reply->kind != G_TLS_SESSION_REDIS_ARRAY)
    return g_tls_session_redis_link_fail_unexpected (self->link, command, error);
  if (reply->elements->len == 0 || candidate->id != NULL)
    return TRUE;
  if (!is_id (g_ptr_array_index (reply->elements, 0)))
    return g_tls_session_redis_link_fail_unexpected (self->link, command, error);

  candidate->id = g_strdup (((GTlsSessionRedisReply *) g_ptr_array_index (reply->elements, 0))->text);
  candidate->single_use = single_use;
  return TRUE;
}

/* One that is to be used once goes first: it leaves the store for it, while the other is still there the next time. */
static gboolean
find_candidate (const GTlsSessionRedisShelf *self,
                const char *base,
                gint64 deadline,
                Candidate *candidate,
                GError **error)
{
  g_autofree char *once = set_key (base, TRUE);
  g_autofree char *again = set_key (base, FALSE);
  g_autoptr (GTlsSessionRedisBatch) batch = g_tls_session_redis_batch_new ();
  g_autoptr (GPtrArray) replies = NULL;

  g_tls_session_redis_batch_add (batch, "ZPOPMAX", once, NULL);
  g_tls_session_redis_batch_add (batch, "ZREVRANGE", again, "0", "0", NULL);
  replies = g_tls_session_redis_link_ask (self->link, batch, deadline, error);
  return replies != NULL && note_candidate (self, replies, 0, TRUE, candidate, error) &&
         note_candidate (self, replies, 1, FALSE, candidate, error);
}

static gboolean
fetch (const GTlsSessionRedisShelf *self,
       const char *base,
       const Candidate *candidate,
       gint64 deadline,
       GTlsSessionTicket **ticket,
       GError **error)
{
  const char *command = candidate->single_use ? "GETDEL" : "GET";
  g_autofree char *key = ticket_key (base, candidate->id);
  g_autoptr (GTlsSessionRedisBatch) batch = g_tls_session_redis_batch_new ();
  g_autoptr (GPtrArray) replies = NULL;

  g_tls_session_redis_batch_add (batch, command, key, NULL);
  replies = g_tls_session_redis_link_ask (self->link, batch, deadline, error);
  return replies != NULL && read_ticket (self, replies, command, key, ticket, error);
}

static gboolean
forget (const GTlsSessionRedisShelf *self,
        const char *base,
        const Candidate *candidate,
        gint64 deadline,
        GError **error)
{
  g_autofree char *set = set_key (base, candidate->single_use);
  g_autoptr (GTlsSessionRedisBatch) batch = g_tls_session_redis_batch_new ();
  g_autoptr (GPtrArray) replies = NULL;

  g_tls_session_redis_batch_add (batch, "ZREM", set, candidate->id, NULL);
  replies = g_tls_session_redis_link_ask (self->link, batch, deadline, error);
  return replies != NULL;
}

/* TRUE with neither a ticket nor *@done: that candidate was none, and there may be another. */
static gboolean
take_one (const GTlsSessionRedisShelf *self,
          const char *base,
          gint64 deadline,
          GTlsSessionTicket **ticket,
          gboolean *done,
          GError **error)
{
  g_autofree char *id = NULL;
  Candidate candidate = { 0 };
  gboolean found = find_candidate (self, base, deadline, &candidate, error);

  id = candidate.id;
  if (!found)
    return FALSE;

  *done = id == NULL;
  if (*done)
    return TRUE;
  if (!fetch (self, base, &candidate, deadline, ticket, error))
    return FALSE;

  *done = *ticket != NULL && g_tls_session_store_may_give_out (*ticket, self->max_age);
  if (*done)
    return TRUE;

  g_clear_object (ticket);
  return candidate.single_use || forget (self, base, &candidate, deadline, error);
}

GTlsSessionTicket *
g_tls_session_redis_shelf_take (const GTlsSessionRedisShelf *self, const char *peer, GError **error)
{
  gint64 deadline = g_tls_session_redis_link_get_deadline (self->link);
  g_autofree char *base = make_base (self, TICKETS, peer, error);
  GTlsSessionTicket *ticket = NULL;
  gboolean done = FALSE;

  if (base == NULL)
    return NULL;

  for (guint i = 0; !done; i++)
    if (i == TAKE_ROUNDS_MAX ? !g_tls_session_redis_link_fail_unexpected (self->link, "ZPOPMAX", error)
                             : !take_one (self, base, deadline, &ticket, &done, error))
      return NULL;
  return ticket;
}

/* Removing */

gboolean
g_tls_session_redis_shelf_remove (const GTlsSessionRedisShelf *self,
                                  const char *peer,
                                  GTlsSessionTicket *ticket,
                                  GError **error)
{
  const char *id = g_tls_session_ticket_get_id (ticket);
  gint64 deadline = g_tls_session_redis_link_get_deadline (self->link);
  g_autofree char *base = make_base (self, TICKETS, peer, error);
  g_autofree char *key = base != NULL ? ticket_key (base, id) : NULL;
  g_autofree char *set = base != NULL ? set_key (base, g_tls_session_ticket_get_single_use (ticket)) : NULL;
  g_autoptr (GTlsSessionRedisBatch) batch = g_tls_session_redis_batch_new ();
  g_autoptr (GPtrArray) replies = NULL;

  if (base == NULL)
    return FALSE;

  g_tls_session_redis_batch_add (batch, "MULTI", NULL);
  g_tls_session_redis_batch_add (batch, "UNLINK", key, NULL);
  g_tls_session_redis_batch_add (batch, "ZREM", set, id, NULL);
  g_tls_session_redis_batch_add (batch, "EXEC", NULL);
  replies = g_tls_session_redis_link_ask (self->link, batch, deadline, error);
  return replies != NULL;
}

/* Clearing */

gboolean
g_tls_session_redis_shelf_clear (const GTlsSessionRedisShelf *self, GError **error)
{
  g_autofree char *start = g_strdup_printf ("%s{%c.", self->prefix, TICKETS);

  return g_tls_session_redis_sweep (self->link, start, error);
}

/* Bytes */

gboolean
g_tls_session_redis_shelf_save_bytes (const GTlsSessionRedisShelf *self,
                                      const char *name,
                                      GBytes *bytes,
                                      GError **error)
{
  gint64 deadline = g_tls_session_redis_link_get_deadline (self->link);
  g_autofree char *key = make_base (self, BYTES, name, error);
  g_autoptr (GBytes) content = key != NULL ? close_content (self, bytes, key, error) : NULL;
  g_autoptr (GTlsSessionRedisBatch) batch = g_tls_session_redis_batch_new ();
  g_autoptr (GPtrArray) replies = NULL;

  if (content == NULL)
    return FALSE;

  g_tls_session_redis_batch_add_set (batch, key, content, 0);
  replies = g_tls_session_redis_link_ask (self->link, batch, deadline, error);
  return replies != NULL;
}

GBytes *
g_tls_session_redis_shelf_load_bytes (const GTlsSessionRedisShelf *self, const char *name, GError **error)
{
  gint64 deadline = g_tls_session_redis_link_get_deadline (self->link);
  g_autofree char *key = make_base (self, BYTES, name, error);
  g_autoptr (GTlsSessionRedisBatch) batch = g_tls_session_redis_batch_new ();
  g_autoptr (GPtrArray) replies = NULL;
  GBytes *bytes = NULL;

  if (key == NULL)
    return NULL;

  g_tls_session_redis_batch_add (batch, "GET", key, NULL);
  replies = g_tls_session_redis_link_ask (self->link, batch, deadline, error);
  return replies != NULL && open_content (self, replies, "GET", key, &bytes, error) ? bytes : NULL;
}
