/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ticket-key-merge.h"

#include <string.h>
#include <time.h>

/* NOTES:
 *
 * Two rings become one. It has the keys of both, and one that seals:
 *
 * - A key that either ring has as retired is retired: whoever retired it had a newer one. The later time of the two
 *   counts, and if one ring still sealed with it, it has sealed until the time of that ring: the own one's is now.
 * - If two keys are left that seal (two servers rotated at once, or two fleets became one), the one with the smaller name
 *   does from now on. Names are random, so this is a draw, but one in which all servers see the same winner.
 * - If that key of the own ring has never sealed anything, nor been given to anybody, it was made for want of another
 *   one, by a server that has just started: it goes without a trace. Else each restart would leave a key behind.
 *
 * What comes out does not depend on the order of merging, but for the times of retirement, of which the latest wins
 * everywhere in the end. So the servers of a fleet come to the same ring, whatever gets lost in between.
 */

/* When a key sealed its last ticket; 0: it still does. */
static gint64
merge_retired (gint64 own, gint64 shared, gint64 saved)
{
  if (own == 0 && shared == 0)
    return 0;
  return MAX (own != 0 ? own : time (NULL), shared != 0 ? shared : saved);
}

static void
take_in (GPtrArray *ring, const GTlsSessionTicketKey *key, gint64 saved)
{
  GTlsSessionTicketKey *known = g_tls_session_key_ring_find (ring, key->name);

  if (known == NULL)
    {
      g_tls_session_key_ring_add (ring, key);
      return;
    }
  known->retired = merge_retired (key->retired, known->retired, saved);
  known->is_used = known->is_used || key->is_used;
}

/* Whether @a is the better one to seal with. */
static gboolean
goes_before (const GTlsSessionTicketKey *a, const GTlsSessionTicketKey *b)
{
  if (a->is_used != b->is_used)
    return a->is_used;
  return memcmp (a->name, b->name, sizeof a->name) < 0;
}

/* NULL if each ring has the other's as retired, which no order of rotating brings about. */
static GTlsSessionTicketKey *
choose_sealing (GPtrArray *ring)
{
  GTlsSessionTicketKey *chosen = NULL;

  for (guint i = 0; i < ring->len; i++)
    {
      GTlsSessionTicketKey *key = g_ptr_array_index (ring, i);

      if (key->retired == 0 && (chosen == NULL || goes_before (key, chosen)))
        chosen = key;
    }
  return chosen;
}

static void
retire_others (GPtrArray *ring, const GTlsSessionTicketKey *sealing)
{
  for (guint i = ring->len; i > 0; i--)
    {
      GTlsSessionTicketKey *key = g_ptr_array_index (ring, i - 1);

      if (key == sealing || key->retired != 0)
        continue;
      if (key->is_used)
        key->retired = time (NULL);
      else
        g_ptr_array_remove_index (ring, i - 1);
    }
}

/* The one that seals, then from the youngest to the oldest; the same for all who have the same keys. */
static gint
compare_keys (gconstpointer a, gconstpointer b)
{
  const GTlsSessionTicketKey *first = *(GTlsSessionTicketKey *const *) a;
  const GTlsSessionTicketKey *second = *(GTlsSessionTicketKey *const *) b;

  if ((first->retired == 0) != (second->retired == 0))
    return first->retired == 0 ? -1 : 1;
  if (first->retired != second->retired)
    return first->retired > second->retired ? -1 : 1;
  return memcmp (first->name, second->name, sizeof first->name);
}

/* A new ring of the keys of @own, this server's, and of @shared, the fleet's of the time @saved, which come from bytes and so count as used.
 * What retired longer than @lifetime ago is left out.
 */
GPtrArray *
g_tls_session_key_ring_merge (GPtrArray *own, GPtrArray *shared, gint64 saved, gint64 lifetime)
{
  GPtrArray *ring = g_tls_session_key_ring_new ();
  GTlsSessionTicketKey *sealing;

  for (guint i = 0; i < shared->len; i++)
    g_tls_session_key_ring_add (ring, g_ptr_array_index (shared, i));
  for (guint i = 0; i < own->len; i++)
    take_in (ring, g_ptr_array_index (own, i), saved);

  sealing = choose_sealing (ring);
  if (sealing == NULL)
    {
      sealing = g_tls_session_key_ring_find (ring, ((GTlsSessionTicketKey *) g_ptr_array_index (own, 0))->name);
      sealing->retired = 0;
    }
  retire_others (ring, sealing);

  g_ptr_array_sort (ring, compare_keys);
  g_tls_session_key_ring_prune (ring, lifetime);
  return ring;
}
