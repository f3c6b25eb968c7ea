/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Several ways from a leaf to an anchor, some of which lead nowhere. */

#include "forge.h"
#include "trust/verify.h"

#define SERVER G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER

/* What is said of @chain by a store that trusts @anchors; frees both. */
static GTlsCertificateFlags
verdict (STACK_OF (X509) *anchors, STACK_OF (X509) *chain)
{
  X509_STORE *store = g_tls_session_store_new (anchors);
  GTlsCertificateFlags faults = g_tls_session_verify_chain (store, chain, SERVER, NULL, NULL);

  assert_queue_is_empty ();
  X509_STORE_free (store);
  sk_X509_pop_free (anchors, X509_free);
  sk_X509_pop_free (chain, X509_free);
  return faults;
}

/* An authority that was renewed under the same name and key, and a leaf of it. */
typedef struct
{
  Forged *root;
  Forged *before; /* out of date */
  Forged *now;
  Forged *leaf;
} Renewed;

static void
renewed_set_up (Renewed *renewed, gconstpointer data)
{
  renewed->root = forge (&(Order){ .name = "Root", .is_ca = TRUE }, NULL);
  renewed->now = forge (&(Order){ .name = "CA", .is_ca = TRUE }, renewed->root);
  renewed->before = forge (
    &(Order){ .name = "CA", .is_ca = TRUE, .from_day = -9, .to_day = -1, .key_of = renewed->now }, renewed->root);
  renewed->leaf = forge (&(Order){ .name = "leaf" }, renewed->now);
}

static void
renewed_tear_down (Renewed *renewed, gconstpointer data)
{
  forged_free (renewed->root);
  forged_free (renewed->before);
  forged_free (renewed->now);
  forged_free (renewed->leaf);
}

static void
an_expired_issuer_beside_its_successor_does_no_harm (Renewed *renewed, gconstpointer data)
{
  X509 *root = renewed->root->x509, *before = renewed->before->x509, *now = renewed->now->x509;
  X509 *leaf = renewed->leaf->x509;

  g_assert_cmphex (verdict (stack_of (root, NULL), stack_of (leaf, before, now, NULL)), ==, 0);
  g_assert_cmphex (verdict (stack_of (root, NULL), stack_of (leaf, now, before, NULL)), ==, 0);
  g_assert_cmphex (verdict (stack_of (before, now, NULL), stack_of (leaf, NULL)), ==, 0);
  g_assert_cmphex (verdict (stack_of (now, before, NULL), stack_of (leaf, NULL)), ==, 0);
}

static void
an_expired_issuer_alone_is_expired (Renewed *renewed, gconstpointer data)
{
  X509 *root = renewed->root->x509, *before = renewed->before->x509, *leaf = renewed->leaf->x509;

  g_assert_cmphex (verdict (stack_of (root, NULL), stack_of (leaf, before, NULL)), ==, G_TLS_CERTIFICATE_EXPIRED);
  g_assert_cmphex (verdict (stack_of (before, NULL), stack_of (leaf, NULL)), ==, G_TLS_CERTIFICATE_EXPIRED);
}

/* What happened to many on 2021-09-30. */
static void
an_expired_anchor_is_gone_round (Renewed *renewed, gconstpointer data)
{
  X509 *root = renewed->root->x509, *before = renewed->before->x509, *now = renewed->now->x509;
  X509 *leaf = renewed->leaf->x509;

  g_assert_cmphex (verdict (stack_of (before, root, NULL), stack_of (leaf, now, NULL)), ==, 0);
  g_assert_cmphex (verdict (stack_of (root, before, NULL), stack_of (leaf, before, now, NULL)), ==, 0);
}

static void
going_round_does_not_trust_strangers (Renewed *renewed, gconstpointer data)
{
  g_autoptr (Family) strangers = family_new ();
  X509 *before = renewed->before->x509, *now = renewed->now->x509, *leaf = renewed->leaf->x509;

  g_assert_cmphex (verdict (stack_of (before, NULL), stack_of (leaf, now, NULL)), !=, 0);
  g_assert_cmphex (verdict (stack_of (before, NULL), stack_of (leaf, now, renewed->root->x509, NULL)), !=, 0);
  g_assert_cmphex (verdict (stack_of (strangers->root->x509, NULL), stack_of (leaf, before, now, NULL)), !=, 0);
}

static void
going_round_does_not_mend_the_leaf (Renewed *renewed, gconstpointer data)
{
  g_autoptr (Forged) old = forge (&(Order){ .name = "old", .from_day = -9, .to_day = -1 }, renewed->now);

  g_assert_cmphex (verdict (stack_of (renewed->before->x509, renewed->root->x509, NULL),
                            stack_of (old->x509, renewed->before->x509, renewed->now->x509, NULL)),
                   ==, G_TLS_CERTIFICATE_EXPIRED);
}

/* Two roots, one of which is known, have each signed the same authority. */
static void
a_dead_end_is_left_again (void)
{
  g_autoptr (Forged) known = forge (&(Order){ .name = "Known", .is_ca = TRUE }, NULL);
  g_autoptr (Forged) unknown = forge (&(Order){ .name = "Unknown", .is_ca = TRUE }, NULL);
  g_autoptr (Forged) by_known = forge (&(Order){ .name = "CA", .is_ca = TRUE }, known);
  g_autoptr (Forged) by_unknown = forge (&(Order){ .name = "CA", .is_ca = TRUE, .key_of = by_known }, unknown);
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "leaf" }, by_known);
  X509 *x509 = leaf->x509, *right = by_known->x509, *wrong = by_unknown->x509;

  g_assert_cmphex (verdict (stack_of (known->x509, NULL), stack_of (x509, wrong, right, NULL)), ==, 0);
  g_assert_cmphex (verdict (stack_of (known->x509, NULL), stack_of (x509, right, wrong, NULL)), ==, 0);
  g_assert_cmphex (verdict (stack_of (known->x509, NULL), stack_of (x509, wrong, unknown->x509, right, NULL)), ==, 0);
  g_assert_cmphex (verdict (stack_of (known->x509, NULL), stack_of (x509, wrong, unknown->x509, NULL)), ==,
                   G_TLS_CERTIFICATE_UNKNOWN_CA);
}

/* Two authorities that signed each other. */
typedef struct
{
  Forged *root;
  Forged *a_by_root;
  Forged *b_by_a;
  Forged *a_by_b;
  Forged *leaf;
} Circle;

static void
circle_set_up (Circle *circle, gconstpointer data)
{
  circle->root = forge (&(Order){ .name = "Root", .is_ca = TRUE }, NULL);
  circle->a_by_root = forge (&(Order){ .name = "A", .is_ca = TRUE }, circle->root);
  circle->b_by_a = forge (&(Order){ .name = "B", .is_ca = TRUE }, circle->a_by_root);
  circle->a_by_b = forge (&(Order){ .name = "A", .is_ca = TRUE, .key_of = circle->a_by_root }, circle->b_by_a);
  circle->leaf = forge (&(Order){ .name = "leaf" }, circle->a_by_root);
}

static void
circle_tear_down (Circle *circle, gconstpointer data)
{
  forged_free (circle->root);
  forged_free (circle->a_by_root);
  forged_free (circle->b_by_a);
  forged_free (circle->a_by_b);
  forged_free (circle->leaf);
}

static void
a_circle_ends_and_nobody_is_trusted (Circle *circle, gconstpointer data)
{
  X509 *leaf = circle->leaf->x509, *a = circle->a_by_b->x509, *b = circle->b_by_a->x509;

  g_assert_cmphex (verdict (stack_of (circle->root->x509, NULL), stack_of (leaf, a, b, NULL)), ==,
                   G_TLS_CERTIFICATE_UNKNOWN_CA);
  g_assert_cmphex (verdict (stack_of (circle->root->x509, NULL), stack_of (leaf, b, a, a, b, NULL)), ==,
                   G_TLS_CERTIFICATE_UNKNOWN_CA);
}

static void
a_circle_with_a_way_out_is_left (Circle *circle, gconstpointer data)
{
  X509 *leaf = circle->leaf->x509, *a = circle->a_by_b->x509, *b = circle->b_by_a->x509;
  X509 *way_out = circle->a_by_root->x509;

  g_assert_cmphex (verdict (stack_of (circle->root->x509, NULL), stack_of (leaf, a, b, way_out, NULL)), ==, 0);
  g_assert_cmphex (verdict (stack_of (circle->root->x509, NULL), stack_of (leaf, way_out, b, a, NULL)), ==, 0);
  g_assert_cmphex (verdict (stack_of (b, NULL), stack_of (leaf, a, b, NULL)), ==, 0);
}

/* A peer may send what it likes: five storeys of authorities, nineteen of one name in each, signed by all of the next, and
 * no way out at the top.
 */
static void
a_maze_takes_no_time_without_end (void)
{
  const char *const names[] = { "A", "B", "C", "D", "E" };
  g_autoptr (Forged) root = forge (&(Order){ .name = "Root", .is_ca = TRUE }, NULL);
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func ((GDestroyNotify) forged_free);
  STACK_OF (X509) *chain = stack_of (root->x509, NULL);
  const Forged *above = forge (&(Order){ .name = "Stranger", .is_ca = TRUE }, NULL);
  gint64 began;

  g_ptr_array_add (all, (gpointer) above);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      const Forged *first = NULL;

      for (int n = 0; n < 19; n++)
        {
          Forged *one = forge (&(Order){ .name = names[i], .is_ca = TRUE, .key_of = first }, above);

          first = first != NULL ? first : one;
          g_ptr_array_add (all, one);
          g_assert_cmpint (sk_X509_unshift (chain, one->x509), >, 0);
          X509_up_ref (one->x509);
        }
      above = first;
    }
  X509_free (sk_X509_pop (chain)); /* the root is not sent */

  began = g_get_monotonic_time ();
  g_assert_cmphex (verdict (stack_of (root->x509, NULL), chain), ==, G_TLS_CERTIFICATE_UNKNOWN_CA);
  g_assert_cmpint (g_get_monotonic_time () - began, <, 5 * G_USEC_PER_SEC);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define STORY(Kind, kind, name) g_test_add ("/trust/paths/" #name, Kind, NULL, kind##_set_up, name, kind##_tear_down)
  STORY (Renewed, renewed, an_expired_issuer_beside_its_successor_does_no_harm);
  STORY (Renewed, renewed, an_expired_issuer_alone_is_expired);
  STORY (Renewed, renewed, an_expired_anchor_is_gone_round);
  STORY (Renewed, renewed, going_round_does_not_trust_strangers);
  STORY (Renewed, renewed, going_round_does_not_mend_the_leaf);
  STORY (Circle, circle, a_circle_ends_and_nobody_is_trusted);
  STORY (Circle, circle, a_circle_with_a_way_out_is_left);
  g_test_add_func ("/trust/paths/a_dead_end_is_left_again", a_dead_end_is_left_again);
  g_test_add_func ("/trust/paths/a_maze_takes_no_time_without_end", a_maze_takes_no_time_without_end);

  return g_test_run ();
}
