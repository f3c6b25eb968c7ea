/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* NOTES:
 *
 * Does a session's secret stay behind in freed memory? OpenSSL lets a program bring its own malloc and free; these look
 * through every block that is freed for the secret of the session at hand.
 *
 * What this sees: all that OpenSSL allocates, and the bytes of an exported ticket, which are OpenSSL's memory too. What
 * it does not see: the stack, registers, memory from g_malloc() (where the code puts no secret), and swap.
 */

#include "handshake.h"
#include "ticket/ticket-private.h"

#include <string.h>

#include <openssl/crypto.h>

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

static void *
watched_malloc (size_t size, const char *file, int line)
{
  Header *header = malloc (sizeof (Header) + size);

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

static void
add (const char *name, GTestDataFunc story)
{
  for (HandshakeKind kind = 0; kind < N_HANDSHAKE_KINDS; kind++)
    {
      g_autofree char *path = g_strdup_printf ("/ticket/wiping/%s/%s", name, handshake_kind_name (kind));

      g_test_add_data_func (path, GUINT_TO_POINTER (kind), story);
    }
}

int
main (int argc, char **argv)
{
  g_assert_cmpint (CRYPTO_set_mem_functions (watched_malloc, watched_realloc, watched_free), ==, 1);
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/ticket/wiping/the_watch_sees_what_is_left", the_watch_sees_what_is_left);
  add ("a_ticket_leaves_nothing", a_ticket_leaves_nothing);
  add ("its_bytes_leave_nothing", its_bytes_leave_nothing);
  add ("reading_leaves_what_openssl_leaves", reading_leaves_what_openssl_leaves);

  return g_test_run ();
}
