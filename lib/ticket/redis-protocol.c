/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "redis-protocol.h"

#include <string.h>

#include <hiredis.h>
#include <openssl/crypto.h>
#include <sds.h>

#include "gtls-session-error.h"

/* NOTES:
 *
 * hiredis writes the commands and reads the replies. What it reads it does not keep itself but hands to functions of
 * ours, which make a GTlsSessionRedisReply of it. So nothing that a server may send, also one that is none, gets further
 * than the kinds named there, and it is bounded: ANSWER_MAX bytes for a batch, and ELEMENTS_MAX elements of arrays, which
 * are counted before there is room made for them.
 *
 * hiredis from version 1.0 on reads the protocol's third version too, which is never asked for. Its further kinds have to
 * be caught all the same, because hiredis makes a number instead of a pointer of those that have no function.
 */

#define ANSWER_MAX (2 * 1024 * 1024)
#define ELEMENTS_MAX (64 * 1024)

gboolean
g_tls_session_redis_protocol_is_there (GError **error)
{
  return TRUE;
}

/* Replies */

void
g_tls_session_redis_reply_free (GTlsSessionRedisReply *self)
{
  if (self->text != NULL)
    OPENSSL_cleanse (self->text, self->size);
  g_free (self->text);
  g_clear_pointer (&self->elements, g_ptr_array_unref);
  g_free (self);
}

static GTlsSessionRedisKind
kind_from_hiredis (int type)
{
  switch (type)
    {
    case REDIS_REPLY_NIL:
      return G_TLS_SESSION_REDIS_NIL;
    case REDIS_REPLY_STATUS:
      return G_TLS_SESSION_REDIS_STATUS;
    case REDIS_REPLY_ERROR:
      return G_TLS_SESSION_REDIS_ERROR;
    case REDIS_REPLY_INTEGER:
      return G_TLS_SESSION_REDIS_INTEGER;
    case REDIS_REPLY_STRING:
      return G_TLS_SESSION_REDIS_STRING;
    case REDIS_REPLY_ARRAY:
      return G_TLS_SESSION_REDIS_ARRAY;
    default:
      return G_TLS_SESSION_REDIS_OTHER;
    }
}

/* An array owns what is in it, and is there before it. */
static GTlsSessionRedisReply *
make_reply (const redisReadTask *task)
{
  GTlsSessionRedisReply *self = g_new0 (GTlsSessionRedisReply, 1);
  GTlsSessionRedisReply *parent = task->parent != NULL ? task->parent->obj : NULL;

  self->kind = kind_from_hiredis (task->type);
  if (parent != NULL)
    g_ptr_array_add (parent->elements, self);
  return self;
}

static void *
make_string (const redisReadTask *task, char *text, size_t size)
{
  GTlsSessionRedisReply *self = make_reply (task);

  self->text = g_malloc (size + 1);
  memcpy (self->text, text, size);
  self->text[size] = '\0';
  self->size = size;
  return self;
}

static void *
make_integer (const redisReadTask *task, long long number)
{
  GTlsSessionRedisReply *self = make_reply (task);

  self->integer = number;
  return self;
}

/* The task's type is still that of the string or the array that there is none of. */
static void *
make_nil (const redisReadTask *task)
{
  GTlsSessionRedisReply *self = make_reply (task);

  self->kind = G_TLS_SESSION_REDIS_NIL;
  return self;
}

#if HIREDIS_MAJOR >= 1
typedef size_t ElementCount;

static void *
make_double (const redisReadTask *task, double number, char *text, size_t size)
{
  return make_reply (task);
}

static void *
make_boolean (const redisReadTask *task, int truth)
{
  return make_reply (task);
}
#else
typedef int ElementCount;
#endif

static void *
make_array (const redisReadTask *task, ElementCount n_elements)
{
  gsize *elements_left = task->privdata;
  GTlsSessionRedisReply *self;

  if ((gsize) n_elements > *elements_left)
    return NULL;

  *elements_left -= (gsize) n_elements;
  self = make_reply (task);
  self->elements = g_ptr_array_new_with_free_func ((GDestroyNotify) g_tls_session_redis_reply_free);
  return self;
}

static void
free_reply (void *reply)
{
  g_tls_session_redis_reply_free (reply);
}

static redisReplyObjectFunctions reply_functions = {
  .createString = make_string,
  .createArray = make_array,
  .createInteger = make_integer,
  .createNil = make_nil,
  .freeObject = free_reply,
#if HIREDIS_MAJOR >= 1
  .createDouble = make_double,
  .createBool = make_boolean,
#endif
};

/* Commands */

GTlsSessionRedisBatch *
g_tls_session_redis_batch_new (void)
{
  GTlsSessionRedisBatch *self = g_new0 (GTlsSessionRedisBatch, 1);

  self->bytes = g_byte_array_new ();
  self->names = g_ptr_array_new ();
  return self;
}

void
g_tls_session_redis_batch_free (GTlsSessionRedisBatch *self)
{
  OPENSSL_cleanse (self->bytes->data, self->bytes->len);
  g_byte_array_unref (self->bytes);
  g_ptr_array_unref (self->names);
  g_free (self);
}

static void
add (GTlsSessionRedisBatch *self, int argc, const char **argv, const size_t *sizes)
{
  char *bytes = NULL;
  int size = (int) redisFormatCommandArgv (&bytes, argc, argv, sizes);

  if (size < 0)
    g_error ("Out of memory for a command to a Redis server");

  g_byte_array_append (self->bytes, (const guint8 *) bytes, (guint) size);
  g_ptr_array_add (self->names, (gpointer) argv[0]);
  OPENSSL_cleanse (bytes, (gsize) size);
  redisFreeCommand (bytes);
}

/* @command is static; @argv is what follows it. */
void
g_tls_session_redis_batch_add_argv (GTlsSessionRedisBatch *self, const char *command, const char *const *argv)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new ();

  g_ptr_array_add (words, (gpointer) command);
  for (; *argv != NULL; argv++)
    g_ptr_array_add (words, (gpointer) *argv);
  add (self, (int) words->len, (const char **) words->pdata, NULL);
}

void
g_tls_session_redis_batch_add (GTlsSessionRedisBatch *self, const char *command, ...)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  const char *word;
  va_list arguments;

  va_start (arguments, command);
  while ((word = va_arg (arguments, const char *)) != NULL)
    g_ptr_array_add (words, (gpointer) word);
  va_end (arguments);

  g_ptr_array_add (words, NULL);
  g_tls_session_redis_batch_add_argv (self, command, (const char *const *) words->pdata);
}

/* SET. @lifetime is in seconds; 0: without end. */
void
g_tls_session_redis_batch_add_set (GTlsSessionRedisBatch *self, const char *key, GBytes *value, gint64 lifetime)
{
  g_autofree char *seconds = g_strdup_printf ("%" G_GINT64_FORMAT, lifetime);
  gsize value_size;
  const char *value_data = g_bytes_get_data (value, &value_size);
  const char *argv[] = { "SET", key, value_data != NULL ? value_data : "", "EX", seconds };
  const size_t sizes[] = { strlen ("SET"), strlen (key), value_size, strlen ("EX"), strlen (seconds) };

  add (self, lifetime > 0 ? 5 : 3, argv, sizes);
}

/* Reading */

struct _GTlsSessionRedisReader
{
  redisReader *parser;
  guint n_replies; /* that are expected */
  GPtrArray *replies;
  gsize bytes_left;
  gsize elements_left;
};

GTlsSessionRedisReader *
g_tls_session_redis_reader_new (guint n_replies)
{
  GTlsSessionRedisReader *self = g_new0 (GTlsSessionRedisReader, 1);

  self->parser = redisReaderCreateWithFunctions (&reply_functions);
  if (self->parser == NULL)
    g_error ("Out of memory for what a Redis server answers");

  self->parser->privdata = &self->elements_left;
  self->n_replies = n_replies;
  self->replies = g_ptr_array_new_with_free_func ((GDestroyNotify) g_tls_session_redis_reply_free);
  self->bytes_left = ANSWER_MAX;
  self->elements_left = ELEMENTS_MAX;
  return self;
}

void
g_tls_session_redis_reader_free (GTlsSessionRedisReader *self)
{
  /* Without a key for the store, a ticket was in it as it is. After an error hiredis has freed it already. */
  if (self->parser->buf != NULL)
    OPENSSL_cleanse (self->parser->buf, sdsalloc (self->parser->buf));
  redisReaderFree (self->parser);
  g_clear_pointer (&self->replies, g_ptr_array_unref);
  g_free (self);
}

static gboolean
fail (const char *flaw, GError **error)
{
  g_set_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA, "What it answers is not Redis's protocol: %s",
               flaw);
  return FALSE;
}

gboolean
g_tls_session_redis_reader_is_complete (GTlsSessionRedisReader *self)
{
  return self->replies->len == self->n_replies;
}

static gboolean
read_replies (GTlsSessionRedisReader *self, GError **error)
{
  while (!g_tls_session_redis_reader_is_complete (self))
    {
      void *reply = NULL;

      if (redisReaderGetReply (self->parser, &reply) != REDIS_OK)
        return fail (self->parser->errstr, error);
      if (reply == NULL)
        return TRUE;
      g_ptr_array_add (self->replies, reply);
    }
  return self->parser->pos == self->parser->len || fail ("it says more than it was asked", error);
}

gboolean
g_tls_session_redis_reader_feed (GTlsSessionRedisReader *self, const guint8 *bytes, gsize size, GError **error)
{
  if (size > self->bytes_left)
    return fail ("it says too much", error);

  self->bytes_left -= size;
  if (redisReaderFeed (self->parser, (const char *) bytes, size) != REDIS_OK)
    return fail (self->parser->errstr, error);
  return read_replies (self, error);
}

/* GTlsSessionRedisReply, one for each command, once all are there. */
GPtrArray *
g_tls_session_redis_reader_steal_replies (GTlsSessionRedisReader *self)
{
  return g_steal_pointer (&self->replies);
}
