/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "redis-link.h"

#include <openssl/crypto.h>

#include "gtls-session-error.h"
#include "redis-wire.h"

/* NOTES:
 *
 * One connection serves all threads. A thread that wants to ask takes the turn, asks without the lock, and gives the turn
 * back; the lock covers no wait but the one for the turn, which has the asker's own deadline. So a call is over by its
 * deadline, whoever else calls and whatever the server does.
 *
 * A question that got no whole answer takes the connection with it: what would come next on it belongs to an older
 * question. It is never asked again by itself, because what it did is not known: a ticket that was taken may have been
 * lost on the way. What can be known is whether the connection still stands before a question is sent (the server may
 * have closed it as idle, or have been restarted), and if it does not, another one is made first.
 *
 * A connection is made RETRY_INTERVAL after the last attempt at the earliest, and after an attempt or a question that
 * failed otherwise than by the connection's end. Until then calls fail at once, with the words of the last failure. So a
 * server that is gone, or hangs, costs a time limit once in a while and not with each handshake.
 */

#define RETRY_INTERVAL (1 * G_USEC_PER_SEC)
#define TEXT_MAX 200 /* bytes of what a server says, that are repeated in an error */

struct _GTlsSessionRedisLink
{
  /* These do not change. */
  GTlsSessionRedisAddress *address;
  SSL_CTX *context; /* NULL: no TLS */
  guint time_limit; /* ms */

  GMutex lock; /* covers has_asker */
  GCond turn;
  gboolean has_asker;

  /* The asker's */
  GTlsSessionRedisWire *wire; /* NULL: there is no connection */
  gint64 may_connect_at;      /* on the monotonic clock */
  char *last_failure;         /* why there is no connection; NULL until there was one or an attempt at it */
};

GTlsSessionRedisLink *
g_tls_session_redis_link_new (const char *uri, const char *ca_file, guint time_limit, GError **error)
{
  g_autoptr (GTlsSessionRedisLink) self = g_new0 (GTlsSessionRedisLink, 1);

  g_mutex_init (&self->lock);
  g_cond_init (&self->turn);
  self->time_limit = time_limit;
  self->address = g_tls_session_redis_address_new (uri, error);
  if (self->address == NULL)
    return NULL;

  if (self->address->host != NULL)
    {
      self->context = g_tls_session_redis_wire_make_context (ca_file, error);
      if (self->context == NULL)
        return NULL;
    }
  return g_steal_pointer (&self);
}

void
g_tls_session_redis_link_free (GTlsSessionRedisLink *self)
{
  g_clear_pointer (&self->wire, g_tls_session_redis_wire_free);
  g_clear_pointer (&self->address, g_tls_session_redis_address_free);
  SSL_CTX_free (self->context);
  g_free (self->last_failure);
  g_cond_clear (&self->turn);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* When a call that begins now has to be over. */
gint64
g_tls_session_redis_link_get_deadline (GTlsSessionRedisLink *self)
{
  return g_get_monotonic_time () + (gint64) self->time_limit * 1000;
}

/* Failing */

gboolean
g_tls_session_redis_link_fail (GTlsSessionRedisLink *self, const char *complaint, GError **error)
{
  g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE, "The Redis server at %s %s", self->address->name,
               complaint);
  return FALSE;
}

gboolean
g_tls_session_redis_link_fail_unexpected (GTlsSessionRedisLink *self, const char *command, GError **error)
{
  g_autofree char *complaint = g_strdup_printf ("answered %s with something that is no answer to it", command);

  return g_tls_session_redis_link_fail (self, complaint, error);
}

/* What a server says is not to be trusted, nor to be printed as it is. */
static char *
make_printable (const char *text, gsize size)
{
  g_autofree char *valid = g_utf8_make_valid (text, (gssize) MIN (size, TEXT_MAX));

  for (char *at = valid; *at != '\0'; at++)
    if (g_ascii_iscntrl (*at))
      *at = ' ';
  return g_steal_pointer (&valid);
}

static gboolean
fail_refused (GTlsSessionRedisLink *self, const char *command, const GTlsSessionRedisReply *reply, GError **error)
{
  g_autofree char *text = make_printable (reply->text, reply->size);
  g_autofree char *complaint = g_strdup_printf ("refused the command %s: %s", command, text);

  return g_tls_session_redis_link_fail (self, complaint, error);
}

static gboolean
fail_wire (GTlsSessionRedisLink *self, const char *attempt, const GError *reason, GError **error)
{
  g_autofree char *complaint = NULL;

  if (g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    complaint = g_strdup_printf ("%s within %u ms", attempt, self->time_limit);
  else
    complaint = g_strdup_printf ("%s: %s", attempt, reason->message);
  return g_tls_session_redis_link_fail (self, complaint, error);
}

/* Asking */

static gboolean
receive_answers (GTlsSessionRedisWire *wire, GTlsSessionRedisReader *reader, gint64 deadline, GError **error)
{
  guint8 buffer[16 * 1024];
  gboolean going_on = TRUE;

  while (going_on && !g_tls_session_redis_reader_is_complete (reader))
    {
      gssize n = g_tls_session_redis_wire_receive (wire, buffer, sizeof buffer, deadline, error);

      going_on = n >= 0 && g_tls_session_redis_reader_feed (reader, buffer, (gsize) n, error);
    }
  OPENSSL_cleanse (buffer, sizeof buffer);
  return going_on;
}

static GPtrArray *
exchange (GTlsSessionRedisWire *wire, GTlsSessionRedisBatch *batch, gint64 deadline, GError **error)
{
  g_autoptr (GTlsSessionRedisReader) reader = g_tls_session_redis_reader_new (batch->names->len);

  if (!g_tls_session_redis_wire_send (wire, batch->bytes->data, batch->bytes->len, deadline, error) ||
      !receive_answers (wire, reader, deadline, error))
    return NULL;
  return g_tls_session_redis_reader_steal_replies (reader);
}

static const GTlsSessionRedisReply *
find_refusal (GPtrArray *replies, guint *index)
{
  for (*index = 0; *index < replies->len; (*index)++)
    {
      const GTlsSessionRedisReply *reply = g_ptr_array_index (replies, *index);
      guint inner;

      if (reply->kind == G_TLS_SESSION_REDIS_ARRAY) /* EXEC's; hiredis bounds the depth */
        reply = find_refusal (reply->elements, &inner);
      if (reply != NULL && reply->kind == G_TLS_SESSION_REDIS_ERROR)
        return reply;
    }
  return NULL;
}

static gboolean
check_none_refused (GTlsSessionRedisLink *self, GTlsSessionRedisBatch *batch, GPtrArray *replies, GError **error)
{
  guint index;
  const GTlsSessionRedisReply *refusal = find_refusal (replies, &index);

  return refusal == NULL || fail_refused (self, g_ptr_array_index (batch->names, index), refusal, error);
}

/* Connecting. By the asker only. */

static void
drop_wire (GTlsSessionRedisLink *self, const GError *failure, gboolean lost)
{
  g_clear_pointer (&self->wire, g_tls_session_redis_wire_free);
  g_free (self->last_failure);
  self->last_failure = g_strdup (failure->message);
  if (!lost)
    self->may_connect_at = g_get_monotonic_time () + RETRY_INTERVAL;
}

static GTlsSessionRedisBatch *
make_greeting (GTlsSessionRedisLink *self)
{
  GTlsSessionRedisBatch *batch = g_tls_session_redis_batch_new ();
  const GTlsSessionRedisAddress *address = self->address;

  if (address->user != NULL)
    g_tls_session_redis_batch_add (batch, "AUTH", address->user, address->password, NULL);
  else if (address->password != NULL)
    g_tls_session_redis_batch_add (batch, "AUTH", address->password, NULL);

  if (address->database > 0)
    {
      g_autofree char *number = g_strdup_printf ("%u", address->database);

      g_tls_session_redis_batch_add (batch, "SELECT", number, NULL);
    }
  return batch;
}

static gboolean
greet (GTlsSessionRedisLink *self, GTlsSessionRedisWire *wire, gint64 deadline, GError **error)
{
  g_autoptr (GTlsSessionRedisBatch) greeting = make_greeting (self);
  g_autoptr (GPtrArray) replies = NULL;
  g_autoptr (GError) reason = NULL;

  if (greeting->names->len == 0)
    return TRUE;

  replies = exchange (wire, greeting, deadline, &reason);
  if (replies == NULL)
    return fail_wire (self, "did not take the login", reason, error);
  return check_none_refused (self, greeting, replies, error);
}

static gboolean
make_wire (GTlsSessionRedisLink *self, gint64 deadline, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (GTlsSessionRedisWire)
    wire = g_tls_session_redis_wire_new (self->address, self->context, deadline, &reason);

  if (wire == NULL)
    return fail_wire (self, "could not be connected to", reason, error);
  if (!greet (self, wire, deadline, error))
    return FALSE;
  self->wire = g_steal_pointer (&wire);
  return TRUE;
}

static gboolean
fail_resting (GTlsSessionRedisLink *self, gint64 remaining, GError **error)
{
  g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE, "%s (it is not tried again for %d ms)",
               self->last_failure, (int) (remaining / 1000) + 1);
  return FALSE;
}

static gboolean
need_wire (GTlsSessionRedisLink *self, gint64 deadline, GError **error)
{
  g_autoptr (GError) failure = NULL;
  gint64 now = g_get_monotonic_time ();

  if (self->wire != NULL && g_tls_session_redis_wire_is_quiet (self->wire))
    return TRUE;
  if (self->wire != NULL)
    {
      g_autoptr (GError) loss = NULL;

      g_tls_session_redis_link_fail (self, "closed the connection", &loss);
      drop_wire (self, loss, TRUE);
    }

  if (now < self->may_connect_at)
    return fail_resting (self, self->may_connect_at - now, error);

  self->may_connect_at = now + RETRY_INTERVAL;
  if (make_wire (self, deadline, &failure))
    return TRUE;

  drop_wire (self, failure, FALSE);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* The end of a connection that stood: a restart of the server, mostly. */
static gboolean
is_loss (const GError *reason)
{
  return g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_CLOSED) ||
         g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE);
}

static GPtrArray *
ask_in_turn (GTlsSessionRedisLink *self, GTlsSessionRedisBatch *batch, gint64 deadline, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (GError) failure = NULL;
  GPtrArray *replies;

  if (!need_wire (self, deadline, error))
    return NULL;

  replies = exchange (self->wire, batch, deadline, &reason);
  if (replies != NULL)
    return replies;

  fail_wire (self, "did not answer", reason, &failure);
  drop_wire (self, failure, is_loss (reason));
  g_propagate_error (error, g_steal_pointer (&failure));
  return NULL;
}

/* Turns */

static gboolean
take_turn (GTlsSessionRedisLink *self, gint64 deadline)
{
  gboolean taken;

  g_mutex_lock (&self->lock);
  while (self->has_asker && g_cond_wait_until (&self->turn, &self->lock, deadline))
    continue;
  taken = !self->has_asker;
  self->has_asker = TRUE;
  g_mutex_unlock (&self->lock);
  return taken;
}

static void
give_turn (GTlsSessionRedisLink *self)
{
  g_mutex_lock (&self->lock);
  self->has_asker = FALSE;
  g_cond_signal (&self->turn);
  g_mutex_unlock (&self->lock);
}

/* Sends the commands of @batch, and gives the replies to them, none of which is an error.
 *
 * Returns: (transfer full) (nullable): GTlsSessionRedisReply; %NULL with G_TLS_SESSION_ERROR_STORE
 */
GPtrArray *
g_tls_session_redis_link_ask (GTlsSessionRedisLink *self, GTlsSessionRedisBatch *batch, gint64 deadline, GError **error)
{
  g_autoptr (GPtrArray) replies = NULL;

  if (!take_turn (self, deadline))
    {
      g_autofree char *complaint = g_strdup_printf ("was busy with this program's other calls for %u ms",
                                                    self->time_limit);

      g_tls_session_redis_link_fail (self, complaint, error);
      return NULL;
    }

  replies = ask_in_turn (self, batch, deadline, error);
  give_turn (self);

  if (replies == NULL || !check_none_refused (self, batch, replies, error))
    return NULL;
  return g_steal_pointer (&replies);
}
