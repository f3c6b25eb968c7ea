/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* NOTES:
 *
 * Reads what a Redis server might answer. The first byte of an input says what the others are:
 *
 *   even  answers to a batch of commands; the second byte says to how many, and in how large pieces they arrive. What is
 *         read must be the same in whichever pieces, and is walked through
 *   odd   what a server says in a conversation with a GTlsSessionRedisStore; the second byte says which call is made. Each
 *         0xff byte ends an answer; after the last one the server hangs up
 */

#include <string.h>

#include <openssl/err.h>

#include "../redis/tickets.h"
#include "fuzz.h"
#include "ticket/gtls-session-error.h"
#include "ticket/gtls-session-redis-store.h"
#include "ticket/redis-protocol.h"

#define PATIENCE (20 * 1000) /* µs that the server waits for a question */
#define TIME_LIMIT 2000      /* ms that the store waits for an answer */

const guint fuzz_n_changes = 400;

/* The reader */

static guint
walk (const GTlsSessionRedisReply *reply)
{
  guint count = 1;

  g_assert (reply->text == NULL || reply->text[reply->size] == '\0');
  g_assert ((reply->kind == G_TLS_SESSION_REDIS_ARRAY) == (reply->elements != NULL));
  for (guint i = 0; reply->elements != NULL && i < reply->elements->len; i++)
    count += walk (reply->elements->pdata[i]);
  return count;
}

/* How many replies and elements were read; 0 if it was no protocol, -1 if it broke off. */
static int
read_answers (const guint8 *data, gsize size, guint n_replies, gsize piece)
{
  g_autoptr (GTlsSessionRedisReader) reader = g_tls_session_redis_reader_new (n_replies);
  g_autoptr (GPtrArray) replies = NULL;
  g_autoptr (GError) error = NULL;
  int count = 0;

  for (gsize at = 0; at < size; at += piece)
    {
      if (!g_tls_session_redis_reader_feed (reader, data + at, MIN (piece, size - at), &error))
        {
          g_assert (g_error_matches (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA));
          return 0;
        }
      g_assert (error == NULL);
    }

  if (!g_tls_session_redis_reader_is_complete (reader))
    return -1;
  replies = g_tls_session_redis_reader_steal_replies (reader);
  g_assert (replies->len == n_replies);
  for (guint i = 0; i < replies->len; i++)
    count += (int) walk (replies->pdata[i]);
  return count;
}

static void
read_in_pieces (guint8 how, const guint8 *data, gsize size)
{
  guint n_replies = 1 + how % 8;
  gsize piece = 1 + how / 8;

  g_assert (read_answers (data, size, n_replies, size > 0 ? size : 1) == read_answers (data, size, n_replies, piece));
}

/* The store */

typedef struct
{
  GSocket *listener;
  GThread *thread;
  char *uri;
  GMutex lock;
  GBytes *script; /* what the next connection is answered; covered by the lock */
} Server;

static Server server;
static TicketMaker *maker;

static gboolean
hear (GSocket *socket)
{
  char buffer[4096];

  return g_socket_condition_timed_wait (socket, G_IO_IN, PATIENCE, NULL, NULL) &&
         g_socket_receive (socket, buffer, sizeof buffer, NULL, NULL) > 0;
}

static void
answer (GSocket *socket, const guint8 *data, gsize size)
{
  const guint8 *end = size > 0 ? data + size : data;

  while (data != end && hear (socket))
    {
      const guint8 *stop = memchr (data, 0xff, (gsize) (end - data));
      gsize length = (gsize) ((stop != NULL ? stop : end) - data);

      for (gsize sent = 0; sent < length;)
        {
          gssize n = g_socket_send (socket, (const char *) data + sent, length - sent, NULL, NULL);

          if (n <= 0)
            return;
          sent += (gsize) n;
        }
      data = stop != NULL ? stop + 1 : end;
    }
}

static gpointer
serve (gpointer unused)
{
  for (;;)
    {
      g_autoptr (GSocket) socket = g_socket_accept (server.listener, NULL, NULL);
      g_autoptr (GBytes) script = NULL;
      gsize size;
      const guint8 *data;

      if (socket == NULL)
        return NULL;
      g_mutex_lock (&server.lock);
      script = g_bytes_ref (server.script);
      g_mutex_unlock (&server.lock);
      data = g_bytes_get_data (script, &size);
      answer (socket, data, size);
    }
}

static void
make_call (GTlsSessionStore *store, guint call, GTlsSessionTicket *ticket, GError **error)
{
  g_autoptr (Ticket) taken = NULL;
  g_autoptr (GBytes) bytes = NULL;

  switch (call)
    {
    case 0:
      taken = g_tls_session_store_take (store, "peer", error);
      break;
    case 1:
      (void) g_tls_session_store_put (store, "peer", ticket, error);
      break;
    case 2:
      (void) g_tls_session_store_remove (store, "peer", ticket, error);
      break;
    case 3:
      (void) g_tls_session_store_clear (store, error);
      break;
    default:
      bytes = g_tls_session_store_load_bytes (store, "name", error);
    }
  g_assert (taken == NULL || strlen (g_tls_session_ticket_get_id (taken)) == 16);
}

static void
converse (guint call, const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GObject) store = NULL;
  g_autoptr (Ticket) ticket = ticket_maker_make (maker);

  g_mutex_lock (&server.lock);
  g_clear_pointer (&server.script, g_bytes_unref);
  server.script = g_bytes_new (data, size);
  g_mutex_unlock (&server.lock);

  store = g_initable_new (G_TLS_SESSION_TYPE_REDIS_STORE, NULL, &error, "uri", server.uri, "time-limit", TIME_LIMIT,
                          NULL);
  g_assert_no_error (error);
  make_call (G_TLS_SESSION_STORE (store), call, ticket, &error);
  if (error != NULL)
    {
      g_assert (error->domain == G_TLS_SESSION_ERROR);
      g_assert (g_utf8_validate (error->message, -1, NULL) && strchr (error->message, '\033') == NULL);
    }
  g_assert (ERR_peek_error () == 0);
}

/* The target */

static void
leave (void)
{
  g_socket_shutdown (server.listener, TRUE, TRUE, NULL);
  g_thread_join (server.thread);
  g_object_unref (server.listener);
  g_bytes_unref (server.script);
  g_free (server.uri);
  ticket_maker_free (maker);
}

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GError) error = NULL;

  server.listener = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &error);
  g_assert_no_error (error);
  g_assert (g_socket_bind (server.listener, any, FALSE, NULL) && g_socket_listen (server.listener, NULL));
  bound = g_socket_get_local_address (server.listener, NULL);
  server.uri = g_strdup_printf ("redis://127.0.0.1:%u", g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound)));
  server.script = g_bytes_new (NULL, 0);
  server.thread = g_thread_new ("redis", serve, NULL);
  maker = ticket_maker_new (HANDSHAKE_TLS_1_3);
  atexit (leave);
  return 0;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  if (size < 2)
    return 0;

  if (data[0] % 2 == 0)
    read_in_pieces (data[1], data + 2, size - 2);
  else
    converse (data[1] % 5, data + 2, size - 2);
  return 0;
}

/* Seeds */

static const char *const answers[] = {
  "+OK\r\n",
  ":1\r\n",
  "$-1\r\n",
  "$5\r\nhello\r\n",
  "*2\r\n$16\r\n0123456789abcdef\r\n$1\r\n1\r\n*0\r\n",
  "-ERR no\r\n",
  "*-1\r\n",
  "%1\r\n+a\r\n+b\r\n~1\r\n,1.5\r\n",
};

static const char *const conversations[] = {
  "*2\r\n$16\r\n0123456789abcdef\r\n$1\r\n1\r\n*0\r\n\xff$7\r\nGTLSTKT\r\n\xff*0\r\n*0\r\n",
  "*0\r\n*2\r\n$16\r\n0123456789abcdef\r\n$1\r\n1\r\n\xff$-1\r\n\xff*0\r\n*0\r\n",
  "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*6\r\n:1\r\n:1\r\n:1\r\n*0\r\n:1\r\n:1\r\n",
  ":1\r\n:1\r\n:1\r\n",
  "*2\r\n$1\r\n0\r\n*1\r\n$20\r\ngtls-session{t.a}:onc\r\n\xff:1\r\n",
  "$5\r\nbytes\r\n",
};

static void
add_seed (FuzzAddSeed add, gpointer data, const char *kind, guint number, guint8 way, guint8 how, const char *text)
{
  g_autofree char *name = g_strdup_printf ("%s-%u", kind, number);
  g_autofree guint8 *seed = g_malloc (strlen (text) + 2);

  seed[0] = way;
  seed[1] = how;
  memcpy (seed + 2, text, strlen (text));
  add (data, name, seed, strlen (text) + 2);
}

/* A ticket that is really there, so that what follows a good answer is seen too. */
static void
add_whole_conversation (FuzzAddSeed add, gpointer data)
{
  g_autoptr (Ticket) ticket = ticket_maker_make (maker);
  g_autoptr (GBytes) bytes = g_tls_session_ticket_to_bytes (ticket);
  g_autoptr (GString) text = g_string_new ("\1");

  g_string_append_c (text, '\0');
  g_string_append_printf (text, "*2\r\n$16\r\n%s\r\n$1\r\n1\r\n*0\r\n\xff$%" G_GSIZE_FORMAT "\r\n",
                          g_tls_session_ticket_get_id (ticket), g_bytes_get_size (bytes));
  g_string_append_len (text, g_bytes_get_data (bytes, NULL), (gssize) g_bytes_get_size (bytes));
  g_string_append (text, "\r\n");
  add (data, "whole", text->str, text->len);
}

void
fuzz_make_seeds (FuzzAddSeed add, gpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    add_seed (add, data, "answer", i, 0, (guint8) (i + 8), answers[i]);
  for (guint i = 0; i < G_N_ELEMENTS (conversations); i++)
    add_seed (add, data, "conversation", i, 1, (guint8) (i == 0 ? 0 : i - 1), conversations[i]);
  add_whole_conversation (add, data);
}
