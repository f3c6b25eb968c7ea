/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a server may send that means no good: tickets without end and beyond measure, KeyUpdates, bytes one by one. The client
 * stays in order, in time, and in bounds.
 */

#include <malloc.h>
#include <string.h>

#include <openssl/ssl3.h>

#include "client.h"
#include "hostile-server.h"

#define MEMORY_MAX (4 * 1024 * 1024) /* bytes that one hostile connection may hold on to */
#define TICKETS_MAX 32               /* that a connection keeps */
#define WEEK (7 * 24 * 60 * 60)
#define FOREVER G_MAXSIZE

/* Under sanitizers and valgrind these are zero; the plain pass measures. */
static gint64
memory_in_use (void)
{
  return (gint64) mallinfo2 ().uordblks;
}

static void
assert_bounded (gint64 before)
{
  g_assert_cmpint (memory_in_use () - before, <, MEMORY_MAX);
}

static GTlsSessionHelper *
connect_to (HostileServer *server)
{
  GTlsSessionHelper *helper = client_prepare_to (hostile_server_get_port (server), hostile_server_get_ca_path (server));

  client_handshake (helper);
  return helper;
}

/* One that puts its tickets into @store and takes them from there. */
static GTlsSessionHelper *
connect_with_store (HostileServer *server, GTlsSessionMemoryStore *store)
{
  GTlsSessionHelper *helper = client_prepare_to (hostile_server_get_port (server), hostile_server_get_ca_path (server));

  g_object_set (client_connection (helper), "session-resumption-enabled", TRUE, "session-store", store, NULL);
  client_handshake (helper);
  return helper;
}

static void
assert_reads (GTlsSessionHelper *helper, const char *text)
{
  gsize size = strlen (text);
  g_autofree char *buffer = g_malloc (size);

  client_read (helper, buffer, size);
  g_assert_cmpmem (buffer, size, text, size);
}

/* Without a word to the peer. */
static void
leave (GTlsSessionHelper *helper)
{
  g_tls_session_connection_set_close_timeout (G_TLS_SESSION_CONNECTION (client_connection (helper)), 0);
  g_io_stream_close (G_IO_STREAM (client_connection (helper)), NULL, NULL);
}

static GTlsSessionTicket *
newest_ticket (GTlsSessionHelper *helper)
{
  GTlsSessionTicket *ticket = g_tls_session_helper_get_ticket (helper);

  g_assert_nonnull (ticket);
  return ticket;
}

/* Too many */

static void
send_many_tickets (HostileServer *server, gpointer count)
{
  guint8 ticket[64] = { 0 };

  for (guint i = 0; i < GPOINTER_TO_UINT (count); i++)
    {
      memcpy (ticket, &i, sizeof i);
      if (!hostile_send_ticket (server, 7200, ticket, sizeof ticket))
        return;
    }
  hostile_send_data (server, "done");
  hostile_receive (server, FOREVER);
}

static void
count_ticket (GTlsSessionHelper *helper, GTlsSessionTicket *ticket, gpointer count)
{
  (*(guint *) count)++;
}

static void
ten_thousand_tickets_are_bounded (void)
{
  guint n = client_scale (10000);
  g_autoptr (HostileServer) server = hostile_server_new (send_many_tickets, GUINT_TO_POINTER (n));
  g_autoptr (GTlsSessionMemoryStore) store = g_tls_session_memory_store_new ();
  g_autoptr (GTlsSessionHelper) helper = connect_with_store (server, store);
  gint64 before = memory_in_use ();
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  guint n_announced = 0;

  g_signal_connect (helper, "ticket-available", G_CALLBACK (count_ticket), &n_announced);
  assert_reads (helper, "done");
  assert_bounded (before);
  g_assert_cmpuint (client_count_tickets (helper), <=, TICKETS_MAX);
  g_assert_cmpuint (n_announced, >, 0);
  g_assert_cmpuint (n_announced, <=, n);
  ticket = newest_ticket (helper);
  g_assert_true (g_tls_session_ticket_is_usable (ticket));
  leave (helper);
}

/* Too large */

static void
send_large_ticket (HostileServer *server, gpointer size)
{
  g_autofree guint8 *ticket = g_malloc0 (GPOINTER_TO_SIZE (size));

  if (hostile_send_ticket (server, 7200, ticket, GPOINTER_TO_SIZE (size)) && hostile_send_data (server, "done"))
    hostile_receive (server, FOREVER);
}

/* It may be too large to be offered (the identities of a ClientHello have 65535 bytes in all); then it must not keep the
 * next connection from coming about.
 */
static void
large_ticket_does_no_harm (gconstpointer size)
{
  g_autoptr (HostileServer) server = hostile_server_new (send_large_ticket, (gpointer) size);
  g_autoptr (GTlsSessionMemoryStore) store = g_tls_session_memory_store_new ();

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (GTlsSessionHelper) helper = connect_with_store (server, store);

      assert_reads (helper, "done");
      leave (helper);
    }
  g_assert_cmpuint (hostile_server_count_resumed (server), ==, 0);
}

/* The same by hand. The largest that can be offered is, and what is larger is not kept. */
static void
large_ticket_is_carried_or_is_none (gconstpointer size)
{
  gboolean can_be_offered = GPOINTER_TO_SIZE (size) <= 49152;
  g_autoptr (HostileServer) server = hostile_server_new (send_large_ticket, (gpointer) size);
  g_autoptr (GTlsSessionHelper) source = connect_to (server);
  g_autoptr (GTlsSessionHelper) helper = NULL;
  g_autoptr (GError) error = NULL;

  assert_reads (source, "done");
  leave (source);
  helper = client_prepare_to (hostile_server_get_port (server), hostile_server_get_ca_path (server));
  g_assert_cmpint (g_tls_session_helper_copy_session_state (helper, source, &error), ==, can_be_offered);
  if (!can_be_offered)
    g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_NO_TICKET);
  client_handshake (helper);
  g_assert_cmpint (g_tls_session_helper_get_resumption (helper), ==,
                   can_be_offered ? G_TLS_SESSION_RESUMPTION_REFUSED : G_TLS_SESSION_RESUMPTION_NONE);
  assert_reads (helper, "done");
  leave (helper);
}

/* Too short and too long */

static void
send_ticket_of_lifetime (HostileServer *server, gpointer lifetime)
{
  static const guint8 ticket[64] = { 1 };

  if (hostile_send_ticket (server, GPOINTER_TO_UINT (lifetime), ticket, sizeof ticket) &&
      hostile_send_data (server, "done"))
    hostile_receive (server, FOREVER);
}

static void
ticket_of_no_lifetime_is_thrown_away (void)
{
  g_autoptr (HostileServer) server = hostile_server_new (send_ticket_of_lifetime, GUINT_TO_POINTER (0));
  g_autoptr (GTlsSessionHelper) helper = connect_to (server);

  assert_reads (helper, "done");
  g_assert_cmpuint (client_count_tickets (helper), ==, 0);
  leave (helper);
}

/* RFC 8446, section 4.6.1: "Clients MUST NOT cache tickets for longer than 7 days". */
static void
no_ticket_lives_longer_than_a_week (gconstpointer lifetime)
{
  g_autoptr (HostileServer) server = hostile_server_new (send_ticket_of_lifetime, (gpointer) lifetime);
  g_autoptr (GTlsSessionHelper) helper = connect_to (server);
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  GTimeSpan span;

  assert_reads (helper, "done");
  ticket = newest_ticket (helper);
  g_assert_cmpuint (g_tls_session_ticket_get_lifetime (ticket), ==, WEEK);
  span = g_date_time_difference (g_tls_session_ticket_get_expires (ticket), g_tls_session_ticket_get_received (ticket));
  g_assert_cmpint (span, ==, WEEK * G_TIME_SPAN_SECOND);
  leave (helper);
}

/* In the wrong place */

#define N_PIECES 200

static void
send_tickets_between_data (HostileServer *server, gpointer unused)
{
  guint8 ticket[64] = { 0 };

  for (guint i = 0; i < N_PIECES; i++)
    {
      g_autofree char *text = g_strdup_printf ("%04u", i);

      ticket[0] = (guint8) i;
      if (!hostile_send_data (server, text) || !hostile_send_ticket (server, 7200, ticket, sizeof ticket))
        return;
    }
  hostile_receive (server, FOREVER);
}

static void
tickets_in_the_midst_of_data_lose_none (void)
{
  g_autoptr (HostileServer) server = hostile_server_new (send_tickets_between_data, NULL);
  g_autoptr (GTlsSessionHelper) helper = connect_to (server);

  for (guint i = 0; i < N_PIECES; i++)
    {
      g_autofree char *text = g_strdup_printf ("%04u", i);

      assert_reads (helper, text);
    }
  g_assert_cmpuint (client_count_tickets (helper), <=, TICKETS_MAX);
  g_assert_cmpuint (client_count_tickets (helper), >, 0);
  leave (helper);
}

static void
send_ticket_after_close_notify (HostileServer *server, gpointer unused)
{
  static const guint8 ticket[64] = { 1 };

  if (hostile_send_data (server, "done") && hostile_send_close_notify (server))
    hostile_send_ticket (server, 7200, ticket, sizeof ticket);
  hostile_receive (server, FOREVER);
}

/* RFC 8446, section 6.1: "Any data received after a closure alert has been received MUST be ignored." */
static void
ticket_after_close_notify_is_none (void)
{
  g_autoptr (HostileServer) server = hostile_server_new (send_ticket_after_close_notify, NULL);
  g_autoptr (GTlsSessionHelper) helper = connect_to (server);
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (client_connection (helper)));
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  char byte;

  assert_reads (helper, "done");
  g_assert_cmpint (g_input_stream_read (input, &byte, 1, NULL, &error), ==, 0);
  g_assert_no_error (error);
  ticket = g_tls_session_helper_wait_for_ticket (helper, 10000, NULL, &error);
  g_assert_null (ticket);
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_NO_TICKET);
  g_assert_cmpuint (client_count_tickets (helper), ==, 0);
  leave (helper);
}

/* New keys without end */

typedef struct
{
  guint count;
  gboolean ask;
} Updates;

static void
send_key_updates (HostileServer *server, gpointer data)
{
  const Updates *updates = data;

  for (guint i = 0; i < updates->count; i++)
    if (!hostile_send_key_update (server, updates->ask))
      return;
  if (hostile_send_data (server, "done"))
    hostile_receive (server, FOREVER);
}

static void
flood_of_key_updates_is_bounded (gconstpointer asks)
{
  Updates updates = { client_scale (20000), GPOINTER_TO_INT (asks) };
  g_autoptr (HostileServer) server = hostile_server_new (send_key_updates, &updates);
  g_autoptr (GTlsSessionHelper) helper = connect_to (server);
  gint64 before = memory_in_use ();

  assert_reads (helper, "done");
  assert_bounded (before);
  leave (helper);
}

/* One byte at a time */

static void
trickle (HostileServer *server, gpointer unused)
{
  static const guint8 head[] = { SSL3_RT_APPLICATION_DATA, 3, 3, 0x40, 0 };

  if (!hostile_send_bytes (server, head, sizeof head))
    return;
  while (!hostile_is_stopping (server) && hostile_send_bytes (server, "x", 1))
    g_usleep (10 * 1000);
}

/* Each byte wakes the client, and none of them gives it more time. */
static void
trickle_does_not_extend_a_wait (void)
{
  g_autoptr (HostileServer) server = hostile_server_new (trickle, NULL);
  g_autoptr (GTlsSessionHelper) helper = connect_to (server);
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionTicket) ticket = g_tls_session_helper_wait_for_ticket (helper, 300, NULL, &error);

  g_assert_null (ticket);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  leave (helper);
}

static void
trickle_does_not_extend_a_close (void)
{
  g_autoptr (HostileServer) server = hostile_server_new (trickle, NULL);
  g_autoptr (GTlsSessionHelper) helper = connect_to (server);
  g_autoptr (GError) error = NULL;

  client_write (helper, "all that is to be said", 22);
  g_tls_session_connection_set_close_timeout (G_TLS_SESSION_CONNECTION (client_connection (helper)), 300);
  g_assert_false (g_io_stream_close (G_IO_STREAM (client_connection (helper)), NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
}

static gpointer
cancel_soon (gpointer cancellable)
{
  g_usleep (100 * 1000);
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
trickle_does_not_outlast_a_cancellable (void)
{
  g_autoptr (HostileServer) server = hostile_server_new (trickle, NULL);
  g_autoptr (GTlsSessionHelper) helper = connect_to (server);
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (client_connection (helper)));
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GThread *thread = g_thread_new ("cancel", cancel_soon, cancellable);
  g_autoptr (GError) error = NULL;
  char byte;

  g_assert_cmpint (g_input_stream_read (input, &byte, 1, cancellable, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);
  leave (helper);
}

int
main (int argc, char **argv)
{
  static const guint sizes[] = { 16384, 49152, 49153, 65535 };

  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/hostile/tickets/ten_thousand_tickets_are_bounded", ten_thousand_tickets_are_bounded);
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree char *harmless = g_strdup_printf ("/hostile/tickets/%u-bytes/large_ticket_does_no_harm", sizes[i]);
      g_autofree char *carried = g_strdup_printf ("/hostile/tickets/%u-bytes/large_ticket_is_carried_or_is_none",
                                                  sizes[i]);

      g_test_add_data_func (harmless, GSIZE_TO_POINTER (sizes[i]), large_ticket_does_no_harm);
      g_test_add_data_func (carried, GSIZE_TO_POINTER (sizes[i]), large_ticket_is_carried_or_is_none);
    }
  g_test_add_func ("/hostile/tickets/ticket_of_no_lifetime_is_thrown_away", ticket_of_no_lifetime_is_thrown_away);
  g_test_add_data_func ("/hostile/tickets/a-week/no_ticket_lives_longer_than_a_week", GUINT_TO_POINTER (WEEK),
                        no_ticket_lives_longer_than_a_week);
  g_test_add_data_func ("/hostile/tickets/longer/no_ticket_lives_longer_than_a_week", GUINT_TO_POINTER (WEEK + 1),
                        no_ticket_lives_longer_than_a_week);
  g_test_add_data_func ("/hostile/tickets/136-years/no_ticket_lives_longer_than_a_week", GUINT_TO_POINTER (G_MAXUINT32),
                        no_ticket_lives_longer_than_a_week);
  g_test_add_func ("/hostile/tickets/tickets_in_the_midst_of_data_lose_none", tickets_in_the_midst_of_data_lose_none);
  g_test_add_func ("/hostile/tickets/ticket_after_close_notify_is_none", ticket_after_close_notify_is_none);
  g_test_add_data_func ("/hostile/key-updates/flood_is_bounded", GINT_TO_POINTER (FALSE),
                        flood_of_key_updates_is_bounded);
  g_test_add_data_func ("/hostile/key-updates/flood_that_asks_for_answers_is_bounded", GINT_TO_POINTER (TRUE),
                        flood_of_key_updates_is_bounded);
  g_test_add_func ("/hostile/trickle/does_not_extend_a_wait", trickle_does_not_extend_a_wait);
  g_test_add_func ("/hostile/trickle/does_not_extend_a_close", trickle_does_not_extend_a_close);
  g_test_add_func ("/hostile/trickle/does_not_outlast_a_cancellable", trickle_does_not_outlast_a_cancellable);
  return g_test_run ();
}
