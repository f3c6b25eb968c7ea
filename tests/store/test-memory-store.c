/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "contract.h"
#include "ticket/gtls-session-memory-store.h"
#include "ticket/ticket-private.h"

static GTlsSessionStore *
make_memory_store (void)
{
  return G_TLS_SESSION_STORE (g_tls_session_memory_store_new ());
}

static GTlsSessionMemoryStore *
make_bounded (const char *property, guint value)
{
  return g_object_new (G_TLS_SESSION_TYPE_MEMORY_STORE, property, value, NULL);
}

static void
peer_used_longest_ago_goes (void)
{
  g_autoptr (GTlsSessionMemoryStore) store = make_bounded ("max-peers", 3);
  g_autoptr (GTlsSessionTicket) ticket = mill_make_one (HANDSHAKE_TLS_1_2_TICKET, 1);

  store_put (store, "a", ticket);
  store_put (store, "b", ticket);
  store_put (store, "c", ticket);
  assert_takes (store, "a", ticket); /* to take is to use */
  store_put (store, "b", ticket);    /* and so is to put */
  store_put (store, "d", ticket);

  g_assert_cmpuint (g_tls_session_memory_store_get_n_peers (store), ==, 3);
  assert_takes_nothing (store, "c");
  assert_takes (store, "a", ticket);
  assert_takes (store, "b", ticket);
  assert_takes (store, "d", ticket);
}

static void
peers_are_bounded (void)
{
  g_autoptr (GTlsSessionMemoryStore) store = make_bounded ("max-peers", 10);
  g_autoptr (GTlsSessionTicket) ticket = mill_make_one (HANDSHAKE_TLS_1_3, 1);

  for (guint i = 0; i < 100; i++)
    {
      g_autofree char *key = g_strdup_printf ("%u", i);

      store_put (store, key, ticket);
      g_assert_cmpuint (g_tls_session_memory_store_get_n_peers (store), ==, MIN (i + 1, 10));
    }
}

static void
peer_without_tickets_is_forgotten (void)
{
  g_autoptr (GTlsSessionMemoryStore) store = g_tls_session_memory_store_new ();
  g_autoptr (GTlsSessionTicket) ticket = mill_make_one (HANDSHAKE_TLS_1_3, 1);

  store_put (store, "a", ticket);
  store_put (store, "b", ticket);
  store_put (store, "c", ticket);
  g_assert_cmpuint (g_tls_session_memory_store_get_n_peers (store), ==, 3);
  assert_takes (store, "a", ticket);
  g_assert_cmpuint (g_tls_session_memory_store_get_n_peers (store), ==, 2);
  store_remove (store, "b", ticket);
  g_assert_cmpuint (g_tls_session_memory_store_get_n_peers (store), ==, 1);
  g_tls_session_ticket_add_use (ticket); /* since it was put */
  assert_takes_nothing (store, "c");
  g_assert_cmpuint (g_tls_session_memory_store_get_n_peers (store), ==, 0);
  assert_takes_nothing (store, "d");
  g_assert_cmpuint (g_tls_session_memory_store_get_n_peers (store), ==, 0);
}

static void
tickets_of_a_peer_are_bounded (void)
{
  g_autoptr (GTlsSessionMemoryStore) store = make_bounded ("max-tickets-per-peer", 2);
  g_autoptr (Mill) mill = mill_new (HANDSHAKE_TLS_1_3);
  g_autoptr (GTlsSessionTicket) first = mill_make (mill, 1);
  g_autoptr (GTlsSessionTicket) second = mill_make (mill, 2);
  g_autoptr (GTlsSessionTicket) third = mill_make (mill, 3);

  store_put (store, "a", first);
  store_put (store, "a", second);
  store_put (store, "a", third);
  assert_takes (store, "a", third);
  assert_takes (store, "a", second);
  assert_takes_nothing (store, "a");
}

static void
age_is_bounded (void)
{
  g_autoptr (GTlsSessionMemoryStore) store = make_bounded ("max-age", 100);
  g_autoptr (Mill) old_mill = mill_new_aged (HANDSHAKE_TLS_1_3, 101);
  g_autoptr (Mill) young_mill = mill_new_aged (HANDSHAKE_TLS_1_3, 50);
  g_autoptr (GTlsSessionTicket) old = mill_make (old_mill, 1);
  g_autoptr (GTlsSessionTicket) young = mill_make (young_mill, 1);

  store_put (store, "a", old);
  assert_takes_nothing (store, "a");
  store_put (store, "a", young);
  assert_takes (store, "a", young);
}

/* The object is the same, so the store sees what became of it. */
static void
ticket_offered_since_it_was_put_is_not_given_out (void)
{
  g_autoptr (GTlsSessionMemoryStore) store = g_tls_session_memory_store_new ();
  g_autoptr (GTlsSessionTicket) ticket = mill_make_one (HANDSHAKE_TLS_1_3, 1);

  store_put (store, "a", ticket);
  g_tls_session_ticket_add_use (ticket);
  assert_takes_nothing (store, "a");
}

static void
tells_its_bounds (void)
{
  g_autoptr (GTlsSessionMemoryStore) store = g_object_new (G_TLS_SESSION_TYPE_MEMORY_STORE, "max-peers", 5,
                                                           "max-tickets-per-peer", 6, "max-age", 7, NULL);
  guint max_peers, max_tickets_per_peer, max_age;

  g_object_get (store, "max-peers", &max_peers, "max-tickets-per-peer", &max_tickets_per_peer, "max-age", &max_age,
                NULL);
  g_assert_cmpuint (max_peers, ==, 5);
  g_assert_cmpuint (max_tickets_per_peer, ==, 6);
  g_assert_cmpuint (max_age, ==, 7);
  g_assert_cmpuint (g_tls_session_memory_store_get_max_peers (store), ==, 5);
  g_assert_cmpuint (g_tls_session_memory_store_get_max_tickets_per_peer (store), ==, 6);
  g_assert_cmpuint (g_tls_session_memory_store_get_max_age (store), ==, 7);
}

static void
process_has_one_default (void)
{
  GTlsSessionMemoryStore *store = g_tls_session_memory_store_get_default ();

  g_assert_true (G_TLS_SESSION_IS_MEMORY_STORE (store));
  g_assert_true (store == g_tls_session_memory_store_get_default ());
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  contract_add ("memory", make_memory_store);
  g_test_add_func ("/store/memory/peer_used_longest_ago_goes", peer_used_longest_ago_goes);
  g_test_add_func ("/store/memory/peers_are_bounded", peers_are_bounded);
  g_test_add_func ("/store/memory/peer_without_tickets_is_forgotten", peer_without_tickets_is_forgotten);
  g_test_add_func ("/store/memory/tickets_of_a_peer_are_bounded", tickets_of_a_peer_are_bounded);
  g_test_add_func ("/store/memory/age_is_bounded", age_is_bounded);
  g_test_add_func ("/store/memory/ticket_offered_since_it_was_put_is_not_given_out",
                   ticket_offered_since_it_was_put_is_not_given_out);
  g_test_add_func ("/store/memory/tells_its_bounds", tells_its_bounds);
  g_test_add_func ("/store/memory/process_has_one_default", process_has_one_default);

  return g_test_run ();
}
