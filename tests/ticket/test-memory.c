/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* NOTES:
 *
 * Does a session's secret stay behind in freed memory? And what if there is no memory to be had? OpenSSL lets a program
 * bring its own malloc and free; these look through every block that is freed for the secret of the session at hand, and
 * refuse the n-th block when told to.
 *
 * What this sees: all that OpenSSL allocates, and the bytes of an exported ticket, which are OpenSSL's memory too. What
 * it does not see: the stack, registers, memory from g_malloc() (where the code puts no secret), and swap.
 */

#include "handshake.h"
#include "ticket/gtls-session-error.h"
#include "ticket/gtls-session-ticket-keys.h"
#include "ticket/ticket-private.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

/* Memory that is watched */

typedef union
{
  gsize size;
  max_align_t alignment;
} Header;

static struct
{
  guint8 bytes[SSL_MAX_MASTER_KEY_LENGTH];
  gsize length; /* 0: nothing is watched for */
  guint left_behind;
} secret;

static int blocks_until_refusal = -1; /* -1: none is refused; 0: one was */

static gboolean
is_refused (void)
{
  if (blocks_until_refusal <= 0)
    return FALSE;
  return --blocks_until_refusal == 0;
}

static void *
watched_malloc (size_t size, const char *file, int line)
{
  /* Zeroed, for what is never written is looked through as well. */
  Header *header = is_refused () ? NULL : calloc (1, sizeof (Header) + size);

  if (header == NULL)
    return NULL;
  header->size = size;
  return header + 1;
}

static void
watched_free (void *memory, const char *file, int line)
{
  Header *header = memory;

  if (memory == NULL)
    return;
  header--;
  if (secret.length > 0 && find_bytes (memory, header->size, secret.bytes, secret.length) != NULL)
    secret.left_behind++;
  free (header);
}

static void *
watched_realloc (void *memory, size_t size, const char *file, int line)
{
  void *other = watched_malloc (size, file, line);

  if (memory != NULL && other != NULL)
    {
      memcpy (other, memory, MIN (size, ((Header *) memory)[-1].size));
      watched_free (memory, file, line);
    }
  return other;
}

static void
watch_for (SSL_SESSION *session)
{
  secret.length = SSL_SESSION_get_master_key (session, secret.bytes, sizeof secret.bytes);
  g_assert_cmpuint (secret.length, >=, 32);
  secret.left_behind = 0;
}

static guint
stop_watching (void)
{
  secret.length = 0;
  return secret.left_behind;
}

static SSL_SESSION *
make_session (HandshakeKind kind)
{
  g_autoptr (Pair) pair = pair_new (kind);

  link_free (link_new (pair, NULL));
  return g_steal_pointer (&pair->sessions->pdata[0]);
}

static GBytes *
make_bytes (HandshakeKind kind)
{
  SSL_SESSION *session = make_session (kind);
  g_autoptr (GTlsSessionTicket) ticket = g_tls_session_ticket_new (session, NULL, HANDSHAKE_HOST, FALSE);

  SSL_SESSION_free (session);
  return g_tls_session_ticket_to_bytes (ticket);
}

/* The stories */

/* A watch that never barks proves nothing. */
static void
the_watch_sees_what_is_left (void)
{
  SSL_SESSION *session = make_session (HANDSHAKE_TLS_1_3);
  guint8 *copy = OPENSSL_malloc (1000);

  watch_for (session);
  memset (copy, 0, 1000);
  memcpy (copy + 500, secret.bytes, secret.length);
  OPENSSL_free (copy);
  g_assert_cmpuint (stop_watching (), ==, 1);
  SSL_SESSION_free (session);
}

static void
a_ticket_leaves_nothing (gconstpointer data)
{
  SSL_SESSION *session = make_session (GPOINTER_TO_UINT (data));
  GTlsSessionTicket *ticket;

  watch_for (session);
  ticket = g_tls_session_ticket_new (session, NULL, HANDSHAKE_HOST, FALSE);
  SSL_SESSION_free (g_tls_session_ticket_dup_session (ticket));
  g_object_unref (ticket);
  SSL_SESSION_free (session);
  g_assert_cmpuint (stop_watching (), ==, 0);
}

static void
its_bytes_leave_nothing (gconstpointer data)
{
  SSL_SESSION *session = make_session (GPOINTER_TO_UINT (data));
  g_autoptr (GTlsSessionTicket) ticket = g_tls_session_ticket_new (session, NULL, HANDSHAKE_HOST, FALSE);
  GBytes *bytes, *part;

  watch_for (session);
  bytes = g_tls_session_ticket_to_bytes (ticket);
  g_assert_nonnull (find_bytes (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), secret.bytes, secret.length));
  part = g_bytes_new_from_bytes (bytes, 10, 100);
  g_bytes_unref (bytes);
  g_bytes_unref (part);
  g_assert_cmpuint (stop_watching (), ==, 0);
  SSL_SESSION_free (session);
}

/* The decoder of OpenSSL 3.0 frees one copy without wiping it. That is beyond us; that it is one and no more is not. */
static void
reading_leaves_what_openssl_leaves (gconstpointer data)
{
  g_autoptr (GBytes) bytes = make_bytes (GPOINTER_TO_UINT (data));
  g_autoptr (GTlsSessionTicket) first = g_tls_session_ticket_new_from_bytes (bytes, NULL);
  SSL_SESSION *session = g_tls_session_ticket_dup_session (first);
  GTlsSessionTicket *second;
  guint left;

  watch_for (session);
  second = g_tls_session_ticket_new_from_bytes (bytes, NULL);
  g_assert_nonnull (second);
  g_object_unref (second);
  left = stop_watching ();
  SSL_SESSION_free (session);

  g_test_message ("OpenSSL's decoder left %u copies of the secret in freed memory", left);
  g_assert_cmpuint (left, <=, 1);
}

/* A server's keys */

/* Watches for the @index-th key that encrypts tickets, as it stands in the keys' bytes (doc/ticket-keys-format.md). */
static void
watch_for_key (GTlsSessionTicketKeys *keys, guint index)
{
  g_autoptr (GBytes) bytes = g_tls_session_ticket_keys_to_bytes (keys);

  g_assert_cmpuint (g_tls_session_ticket_keys_get_n_keys (keys), >, index);
  secret.length = 32;
  secret.left_behind = 0;
  memcpy (secret.bytes, (const guint8 *) g_bytes_get_data (bytes, NULL) + 16 + 88 * index + 16, secret.length);
}

static void
keys_leave_nothing (void)
{
  g_autoptr (GError) error = NULL;
  GTlsSessionTicketKeys *keys = g_tls_session_ticket_keys_new (&error);
  GTlsSessionTicketKeys *copy;
  GBytes *bytes;

  g_assert_no_error (error);
  watch_for_key (keys, 0);
  bytes = g_tls_session_ticket_keys_to_bytes (keys);
  copy = g_tls_session_ticket_keys_new_from_bytes (bytes, &error);
  g_assert_no_error (error);
  g_assert_nonnull (find_bytes (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), secret.bytes, secret.length));
  g_bytes_unref (bytes);
  g_object_unref (copy);
  g_object_unref (keys);
  g_assert_cmpuint (stop_watching (), ==, 0);
}

static void
key_that_is_thrown_away_leaves_nothing (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionTicketKeys) keys = g_tls_session_ticket_keys_new (&error);

  g_assert_no_error (error);
  watch_for_key (keys, 0);
  for (int i = 0; i < 64; i++)
    g_assert_true (g_tls_session_ticket_keys_rotate (keys, &error));
  g_assert_cmpuint (g_tls_session_ticket_keys_get_n_keys (keys), ==, 64);
  g_assert_cmpuint (stop_watching (), ==, 0);
}

/* Does @attempt with its first, second, ... block refused, until it no longer asks for that many. */
static int
refuse_each_block (gboolean (*attempt) (gpointer data), gpointer data)
{
  int failures = 0;

  for (int n = 1;; n++)
    {
      gboolean succeeded;

      blocks_until_refusal = n;
      succeeded = attempt (data);
      if (blocks_until_refusal > 0)
        break;
      failures += !succeeded;
    }

  blocks_until_refusal = -1;
  g_assert_true (attempt (data));
  g_assert_cmpuint (ERR_peek_error (), ==, 0);
  return failures;
}

static gboolean
read_it (gpointer bytes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionTicket) ticket = g_tls_session_ticket_new_from_bytes (bytes, &error);

  if (ticket == NULL)
    g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA);
  return ticket != NULL;
}

static gboolean
make_it (gpointer session)
{
  STACK_OF (X509) *chain = sk_X509_new_reserve (NULL, 1);
  g_autoptr (GTlsSessionTicket) ticket = NULL;

  if (chain == NULL)
    return FALSE;
  sk_X509_push (chain, SSL_SESSION_get0_peer (session));
  ticket = g_tls_session_ticket_new (session, chain, HANDSHAKE_HOST, FALSE);
  sk_X509_free (chain);
  return ticket != NULL;
}

static gboolean
duplicate_it (gpointer ticket)
{
  SSL_SESSION *session = g_tls_session_ticket_dup_session (ticket);

  SSL_SESSION_free (session);
  return session != NULL;
}

static void
lack_of_memory_is_an_answer (gconstpointer data)
{
  SSL_SESSION *session = make_session (GPOINTER_TO_UINT (data));
  g_autoptr (GTlsSessionTicket) ticket = g_tls_session_ticket_new (session, NULL, HANDSHAKE_HOST, FALSE);
  g_autoptr (GBytes) bytes = g_tls_session_ticket_to_bytes (ticket);
  int reading = refuse_each_block (read_it, bytes);
  int making = refuse_each_block (make_it, session);
  int duplicating = refuse_each_block (duplicate_it, ticket);

  SSL_SESSION_free (session);
  g_test_message ("It failed %d times in reading, %d in making, %d in duplicating", reading, making, duplicating);
  g_assert_cmpint (reading, >, 10);
  g_assert_cmpint (making, >, 5);
  g_assert_cmpint (duplicating, >, 2);
}

static void
add (const char *name, GTestDataFunc story)
{
  for (HandshakeKind kind = 0; kind < N_HANDSHAKE_KINDS; kind++)
    {
      g_autofree char *path = g_strdup_printf ("/ticket/memory/%s/%s", name, handshake_kind_name (kind));

      g_test_add_data_func (path, GUINT_TO_POINTER (kind), story);
    }
}

int
main (int argc, char **argv)
{
  g_assert_cmpint (CRYPTO_set_mem_functions (watched_malloc, watched_realloc, watched_free), ==, 1);
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/ticket/memory/the_watch_sees_what_is_left", the_watch_sees_what_is_left);
  add ("a_ticket_leaves_nothing", a_ticket_leaves_nothing);
  add ("its_bytes_leave_nothing", its_bytes_leave_nothing);
  add ("reading_leaves_what_openssl_leaves", reading_leaves_what_openssl_leaves);
  g_test_add_func ("/ticket/memory/keys_leave_nothing", keys_leave_nothing);
  g_test_add_func ("/ticket/memory/key_that_is_thrown_away_leaves_nothing", key_that_is_thrown_away_leaves_nothing);
  add ("lack_of_memory_is_an_answer", lack_of_memory_is_an_answer);

  return g_test_run ();
}
