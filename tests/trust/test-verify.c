/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The verdict on a chain, and whose certificate it is. */

#include "forge.h"
#include "trust/verify.h"

#include <openssl/err.h>

#define SERVER G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER
#define CLIENT G_TLS_DATABASE_PURPOSE_AUTHENTICATE_CLIENT

/* What @store says of @chain, both of which it frees. */
static GTlsCertificateFlags
verdict_for (X509_STORE *store, STACK_OF (X509) *chain, const char *purpose, GSocketConnectable *identity)
{
  GTlsCertificateFlags faults;

  ERR_raise (ERR_LIB_USER, ERR_R_INTERNAL_ERROR); /* somebody else's, from before */
  faults = g_tls_session_verify_chain (store, chain, purpose, identity, NULL);
  assert_queue_is_empty ();

  X509_STORE_free (store);
  sk_X509_pop_free (chain, X509_free);
  return faults;
}

static GTlsCertificateFlags
verdict (X509_STORE *store, STACK_OF (X509) *chain)
{
  return verdict_for (store, chain, SERVER, NULL);
}

/* A leaf made to order, with its intermediate, before a store with the root. */
static GTlsCertificateFlags
verdict_on_leaf (const Order *order)
{
  g_autoptr (Family) family = family_new ();
  g_autoptr (Forged) leaf = forge (order, family->intermediate);

  return verdict (store_of (family->root->x509), stack_of (leaf->x509, family->intermediate->x509, NULL));
}

static void
accepts_a_sound_chain (void)
{
  g_autoptr (Family) family = family_new ();
  X509 *leaf = family->leaf->x509;
  X509 *intermediate = family->intermediate->x509;
  X509 *root = family->root->x509;

  g_assert_cmphex (verdict (store_of (root), stack_of (leaf, intermediate, NULL)), ==, 0);
  g_assert_cmphex (verdict (store_of (root), stack_of (leaf, intermediate, root, NULL)), ==, 0);
  g_assert_cmphex (verdict (store_of (root), stack_of (leaf, root, intermediate, leaf, NULL)), ==, 0);
}

static void
trusts_any_certificate_that_is_an_anchor (void)
{
  g_autoptr (Family) family = family_new ();
  g_autoptr (Forged) alone = forge (&(Order){ .name = "alone.example.org" }, NULL);
  X509 *leaf = family->leaf->x509;
  X509 *intermediate = family->intermediate->x509;

  g_assert_cmphex (verdict (store_of (intermediate), stack_of (leaf, NULL)), ==, 0);
  g_assert_cmphex (verdict (store_of (intermediate), stack_of (leaf, intermediate, family->root->x509, NULL)), ==, 0);
  g_assert_cmphex (verdict (store_of (leaf), stack_of (leaf, NULL)), ==, 0);
  g_assert_cmphex (verdict (store_of (leaf), stack_of (leaf, intermediate, NULL)), ==, 0);
  g_assert_cmphex (verdict (store_of (alone->x509), stack_of (alone->x509, NULL)), ==, 0);
}

static void
an_anchor_that_is_no_ca_vouches_for_itself_only (void)
{
  g_autoptr (Forged) server = forge (&(Order){ .name = "server.example.org" }, NULL);
  g_autoptr (Forged) other = forge (&(Order){ .name = "other.example.org" }, server);

  g_assert_cmphex (verdict (store_of (server->x509), stack_of (other->x509, server->x509, NULL)), !=, 0);
}

static void
does_not_trust_strangers (void)
{
  g_autoptr (Family) family = family_new ();
  g_autoptr (Family) strangers = family_new ();
  g_autoptr (Forged) alone = forge (&(Order){ .name = "alone.example.org" }, NULL);
  X509 *leaf = family->leaf->x509;
  X509 *intermediate = family->intermediate->x509;
  X509 *root = family->root->x509;

  g_assert_cmphex (verdict (store_of (root), stack_of (leaf, NULL)), ==, G_TLS_CERTIFICATE_UNKNOWN_CA);
  g_assert_cmphex (verdict (store_of (root), stack_of (alone->x509, NULL)), ==, G_TLS_CERTIFICATE_UNKNOWN_CA);
  g_assert_cmphex (verdict (store_of (alone->x509), stack_of (leaf, intermediate, NULL)), ==,
                   G_TLS_CERTIFICATE_UNKNOWN_CA);
  g_assert_cmphex (verdict (store_of (alone->x509), stack_of (leaf, intermediate, root, NULL)), ==,
                   G_TLS_CERTIFICATE_UNKNOWN_CA);

  /* The same names, other keys. */
  g_assert_cmphex (verdict (store_of (strangers->root->x509), stack_of (leaf, intermediate, root, NULL)), ==,
                   G_TLS_CERTIFICATE_UNKNOWN_CA);
  g_assert_cmphex (verdict (store_of (root), stack_of (leaf, strangers->intermediate->x509, NULL)), ==,
                   G_TLS_CERTIFICATE_UNKNOWN_CA);
}

static void
a_namesake_of_an_anchor_is_a_stranger (void)
{
  const Order ca_order = { .name = "CA", .is_ca = TRUE, .without_key_identifiers = TRUE };
  g_autoptr (Forged) ca = forge (&ca_order, NULL);
  g_autoptr (Forged) namesake = forge (&ca_order, NULL);
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "a", .without_key_identifiers = TRUE }, namesake);

  g_assert_cmphex (verdict (store_of (ca->x509), stack_of (leaf->x509, NULL)), !=, 0);
  g_assert_cmphex (verdict (store_of (ca->x509), stack_of (leaf->x509, namesake->x509, NULL)), !=, 0);
}

/* Nothing but the signature tells which of them it was. */
static void
of_two_anchors_of_one_name_the_one_that_signed_counts (void)
{
  const Order ca_order = { .name = "CA", .is_ca = TRUE, .without_key_identifiers = TRUE };
  g_autoptr (Forged) one = forge (&ca_order, NULL);
  g_autoptr (Forged) other = forge (&ca_order, NULL);
  g_autoptr (Forged) stranger = forge (&ca_order, NULL);
  const Forged *issuers[] = { one, other, stranger };

  for (gsize i = 0; i < G_N_ELEMENTS (issuers); i++)
    for (gsize order = 0; order < 2; order++)
      {
        g_autoptr (Forged) leaf = forge (&(Order){ .name = "a", .without_key_identifiers = TRUE }, issuers[i]);
        X509_STORE *store = g_tls_session_store_new (NULL);

        g_assert_cmpint (X509_STORE_add_cert (store, order == 0 ? one->x509 : other->x509), ==, 1);
        g_assert_cmpint (X509_STORE_add_cert (store, order == 0 ? other->x509 : one->x509), ==, 1);
        if (issuers[i] == stranger)
          g_assert_cmphex (verdict (store, stack_of (leaf->x509, NULL)), !=, 0);
        else
          g_assert_cmphex (verdict (store, stack_of (leaf->x509, NULL)), ==, 0);
      }
}

static void
trusts_nobody_without_a_store (void)
{
  g_autoptr (Family) family = family_new ();

  g_assert_cmphex (verdict (NULL, stack_of (family->leaf->x509, family->intermediate->x509, family->root->x509, NULL)),
                   ==, G_TLS_CERTIFICATE_UNKNOWN_CA);
}

static void
refuses_an_empty_chain (void)
{
  g_autoptr (Family) family = family_new ();

  g_assert_cmphex (verdict (store_of (family->root->x509), sk_X509_new_null ()), !=, 0);
  g_assert_cmphex (verdict (store_of (family->root->x509), NULL), !=, 0);
}

static void
tells_dates_apart (void)
{
  g_assert_cmphex (verdict_on_leaf (&(Order){ .name = "a", .from_day = -9, .to_day = -1 }), ==,
                   G_TLS_CERTIFICATE_EXPIRED);
  g_assert_cmphex (verdict_on_leaf (&(Order){ .name = "a", .from_day = 1, .to_day = 9 }), ==,
                   G_TLS_CERTIFICATE_NOT_ACTIVATED);
}

static void
holds_the_whole_chain_to_its_dates (void)
{
  g_autoptr (Forged) root = forge (&(Order){ .name = "Root", .is_ca = TRUE, .from_day = -9, .to_day = -1 }, NULL);
  g_autoptr (Forged) ca = forge (&(Order){ .name = "CA", .is_ca = TRUE, .from_day = 1, .to_day = 9 }, root);
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "leaf" }, ca);

  g_assert_cmphex (verdict (store_of (root->x509), stack_of (leaf->x509, ca->x509, NULL)), ==,
                   G_TLS_CERTIFICATE_EXPIRED | G_TLS_CERTIFICATE_NOT_ACTIVATED);
}

static void
holds_a_pinned_certificate_to_its_dates (void)
{
  g_autoptr (Forged) pinned = forge (&(Order){ .name = "a", .from_day = -9, .to_day = -1 }, NULL);

  g_assert_cmphex (verdict (store_of (pinned->x509), stack_of (pinned->x509, NULL)), ==, G_TLS_CERTIFICATE_EXPIRED);
}

static void
tells_all_that_is_wrong (void)
{
  g_autoptr (GSocketConnectable) identity = g_network_address_new ("other.example.org", 443);
  g_autoptr (Forged)
    leaf = forge (&(Order){ .name = "a", .from_day = -9, .to_day = -1, .extended_key_usage = "clientAuth" }, NULL);

  g_assert_cmphex (verdict_for (NULL, stack_of (leaf->x509, NULL), SERVER, identity), ==,
                   G_TLS_CERTIFICATE_EXPIRED | G_TLS_CERTIFICATE_UNKNOWN_CA | G_TLS_CERTIFICATE_BAD_IDENTITY |
                     G_TLS_CERTIFICATE_GENERIC_ERROR);
}

static void
weak_keys_and_digests_are_insecure (void)
{
  g_assert_cmphex (verdict_on_leaf (&(Order){ .name = "a", .rsa_bits = 1024 }), ==, G_TLS_CERTIFICATE_INSECURE);
  g_assert_cmphex (verdict_on_leaf (&(Order){ .name = "a", .digest = "SHA1" }), ==, G_TLS_CERTIFICATE_INSECURE);
  g_assert_cmphex (verdict_on_leaf (&(Order){ .name = "a", .rsa_bits = 2048 }), ==, 0);
}

static void
the_digest_of_an_anchor_does_not_matter (void)
{
  g_autoptr (Forged) root = forge (&(Order){ .name = "Root", .is_ca = TRUE, .digest = "SHA1" }, NULL);
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "a" }, root);

  g_assert_cmphex (verdict (store_of (root->x509), stack_of (leaf->x509, NULL)), ==, 0);
}

static void
only_a_ca_may_issue (void)
{
  g_autoptr (Family) family = family_new ();
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "a" }, family->leaf);
  X509 *issuer = family->leaf->x509;

  g_assert_cmphex (
    verdict (store_of (family->root->x509), stack_of (leaf->x509, issuer, family->intermediate->x509, NULL)), ==,
    G_TLS_CERTIFICATE_GENERIC_ERROR);
}

static void
name_constraints_bind (void)
{
  g_autoptr (Forged)
    ca = forge (&(Order){ .name = "CA", .is_ca = TRUE, .name_constraints = "permitted;DNS:example.org" }, NULL);
  g_autoptr (Forged) inside = forge (&(Order){ .name = "a", .alternative_names = "DNS:a.example.org" }, ca);
  g_autoptr (Forged) outside = forge (&(Order){ .name = "a", .alternative_names = "DNS:a.example.net" }, ca);
  g_autoptr (Forged) by_subject = forge (&(Order){ .name = "a.example.net" }, ca);

  g_assert_cmphex (verdict (store_of (ca->x509), stack_of (inside->x509, NULL)), ==, 0);
  g_assert_cmphex (verdict (store_of (ca->x509), stack_of (outside->x509, NULL)), ==, G_TLS_CERTIFICATE_GENERIC_ERROR);
  g_assert_cmphex (verdict (store_of (ca->x509), stack_of (by_subject->x509, NULL)), ==,
                   G_TLS_CERTIFICATE_GENERIC_ERROR);
}

static void
purposes_bind (void)
{
  g_autoptr (Family) family = family_new ();
  g_autoptr (Forged) any = forge (&(Order){ .name = "a", .extended_key_usage = "anyExtendedKeyUsage" }, family->root);
  g_autoptr (Forged) none_said = forge (&(Order){ .name = "a" }, family->root);
  g_autoptr (Forged) server = forge (&(Order){ .name = "a", .extended_key_usage = "serverAuth" }, family->root);
  g_autoptr (Forged) client = forge (&(Order){ .name = "a", .extended_key_usage = "clientAuth" }, family->root);
  g_autoptr (Forged) special = forge (&(Order){ .name = "a", .extended_key_usage = "1.2.3.4" }, family->root);
  const struct
  {
    Forged *leaf;
    const char *purpose;
    gboolean allowed;
  } cases[] = {
    { none_said, SERVER, TRUE },     { none_said, CLIENT, TRUE }, { none_said, "1.2.3.4", TRUE },
    { server, SERVER, TRUE },        { server, CLIENT, FALSE },   { server, "1.2.3.4", FALSE },
    { client, SERVER, FALSE },       { client, CLIENT, TRUE },    { client, NULL, TRUE },
    { special, "1.2.3.4", TRUE },    { special, SERVER, FALSE },  { any, "1.2.3.4", TRUE },
    { none_said, "rubbish", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      GTlsCertificateFlags faults = verdict_for (store_of (family->root->x509), stack_of (cases[i].leaf->x509, NULL),
                                                 cases[i].purpose, NULL);

      g_test_message ("case %u", i);
      g_assert_cmphex (faults, ==, cases[i].allowed ? 0 : G_TLS_CERTIFICATE_GENERIC_ERROR);
    }
}

/* One bit in any byte of the leaf: it is then not a certificate, or not a good one. */
static void
a_changed_bit_is_seen (void)
{
  g_autoptr (Family) family = family_new ();
  g_autoptr (GBytes) der = forged_to_der (family->leaf);
  gsize size;
  const guint8 *data = g_bytes_get_data (der, &size);
  guint n_judged = 0;

  for (gsize i = 0; i < size; i++)
    {
      g_autofree guint8 *changed = g_memdup2 (data, size);
      const guint8 *end = changed;
      X509 *leaf;

      changed[i] ^= (guint8) (1u << (i % 8));
      leaf = d2i_X509 (NULL, &end, (long) size);
      ERR_clear_error ();
      if (leaf == NULL)
        continue;

      n_judged++;
      g_assert_cmphex (verdict (store_of (family->root->x509), stack_of (leaf, family->intermediate->x509, NULL)), !=,
                       0);
      X509_free (leaf);
    }
  g_assert_cmpuint (n_judged, >, 100);
}

/* Identities */

static gboolean
is_for (const Forged *leaf, const char *host)
{
  g_autoptr (GSocketConnectable) identity = g_network_address_new (host, 443);

  return g_tls_session_verify_identity (leaf->x509, identity);
}

static void
compares_host_names (void)
{
  g_autoptr (Forged) leaf = forge (
    &(Order){
      .name = "subject.example.org",
      .alternative_names = "DNS:Server.example.org,DNS:*.wild.example.org,DNS:f*.partial.example.org,DNS:*.net,"
                           "DNS:a.*.middle.example.org,DNS:xn--bcher-kva.example,DNS:*.xn--bcher-kva.example,"
                           "DNS:192.0.2.9",
    },
    NULL);
  const struct
  {
    const char *host;
    gboolean matches;
  } cases[] = {
    { "server.example.org", TRUE },
    { "SERVER.example.ORG", TRUE },
    { "server.example.org.", TRUE },
    { "server.example.org..", FALSE },
    { "xserver.example.org", FALSE },
    { "server.example.org.net", FALSE },
    { "example.org", FALSE },
    { "subject.example.org", FALSE }, /* there are alternative names */
    { "a.wild.example.org", TRUE },
    { "a.wild.example.org.", TRUE },
    { "a.b.wild.example.org", FALSE },
    { "wild.example.org", FALSE },
    { ".wild.example.org", FALSE },
    { "foo.partial.example.org", FALSE },
    { "example.net", FALSE }, /* a wildcard for a whole top-level domain */
    { "a.b.middle.example.org", FALSE },
    { "bücher.example", TRUE },
    { "BÜCHER.example.", TRUE },
    { "kein.bücher.example", TRUE },
    { "xn--bcher-kva.example", TRUE },
    { "bucher.example", FALSE },
    { ".example.org", FALSE }, /* to OpenSSL: anything below */
    { "*.wild.example.org", FALSE },
    { "192.0.2.9", FALSE }, /* an address is not text */
    { "", FALSE },
    { ".", FALSE },
    { "server.example.org\n", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_test_message ("%s", cases[i].host);
      g_assert_cmpint (is_for (leaf, cases[i].host), ==, cases[i].matches);
    }
  assert_queue_is_empty ();
}

static void
compares_addresses (void)
{
  g_autoptr (Family) family = family_new ();

  g_assert_true (is_for (family->leaf, "192.0.2.7"));
  g_assert_true (is_for (family->leaf, "2001:db8::7"));
  g_assert_true (is_for (family->leaf, "2001:DB8:0:0::0:7"));
  g_assert_true (is_for (family->leaf, "2001:db8::7%eth0"));
  g_assert_false (is_for (family->leaf, "192.0.2.8"));
  g_assert_false (is_for (family->leaf, "2001:db8::8"));
  g_assert_false (is_for (family->leaf, "::ffff:192.0.2.7"));
}

static void
the_common_name_is_the_last_resort (void)
{
  g_autoptr (Forged) bare = forge (&(Order){ .name = "host.example.org" }, NULL);
  g_autoptr (Forged)
    with_address = forge (&(Order){ .name = "host.example.org", .alternative_names = "IP:192.0.2.7" }, NULL);
  g_autoptr (Forged) address_as_name = forge (&(Order){ .name = "192.0.2.7" }, NULL);

  g_assert_true (is_for (bare, "host.example.org"));
  g_assert_false (is_for (bare, "other.example.org"));
  g_assert_false (is_for (with_address, "host.example.org"));
  g_assert_false (is_for (address_as_name, "192.0.2.7"));
}

static void
a_nul_in_a_name_does_not_shorten_it (void)
{
  g_autoptr (Forged)
    leaf = forge (&(Order){ .name = "a", .alternative_names = "DNS:host.example.orgX.evil.example" }, NULL);
  g_autoptr (GBytes) der = forged_to_der (leaf);
  gsize size;
  g_autofree guint8 *data = g_memdup2 (g_bytes_get_data (der, NULL), g_bytes_get_size (der));
  const guint8 *end = data;
  g_autoptr (Forged) changed = g_new0 (Forged, 1);

  size = g_bytes_get_size (der);
  for (gsize i = 0; i + 5 < size; i++)
    if (memcmp (data + i, "orgX.", 5) == 0)
      data[i + 3] = '\0';

  changed->x509 = d2i_X509 (NULL, &end, (long) size);
  g_assert_nonnull (changed->x509);
  g_assert_false (is_for (changed, "host.example.org"));
}

static void
an_identity_counts_only_when_given (void)
{
  g_autoptr (Family) family = family_new ();
  g_autoptr (GSocketConnectable) right = g_network_address_new ("server.example.org", 443);
  g_autoptr (GSocketConnectable) wrong = g_network_address_new ("other.example.org", 443);
  X509 *leaf = family->leaf->x509;
  X509 *intermediate = family->intermediate->x509;
  X509 *root = family->root->x509;

  g_assert_cmphex (verdict_for (store_of (root), stack_of (leaf, intermediate, NULL), SERVER, right), ==, 0);
  g_assert_cmphex (verdict_for (store_of (root), stack_of (leaf, intermediate, NULL), SERVER, wrong), ==,
                   G_TLS_CERTIFICATE_BAD_IDENTITY);
  g_assert_cmphex (verdict_for (store_of (root), stack_of (leaf, intermediate, NULL), SERVER, NULL), ==, 0);
}

static void
assert_name (GSocketConnectable *identity, const char *expected)
{
  g_autofree char *name = g_tls_session_identity_to_name (identity);

  g_assert_cmpstr (name, ==, expected);
  g_object_unref (identity);
}

static void
identities_have_one_form (void)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string ("2001:db8::7");

  assert_name (g_network_address_new ("Server.Example.ORG.", 1), "server.example.org");
  assert_name (g_network_address_new ("Bücher.Example", 1), "xn--bcher-kva.example");
  assert_name (g_network_address_new ("192.0.2.7", 1), "192.0.2.7");
  assert_name (g_network_address_new ("fe80::1%eth0", 1), "fe80::1");
  assert_name (g_network_address_new ("2001:DB8:0::7", 1), "2001:db8::7");
  assert_name (g_network_address_new ("", 1), NULL);
  assert_name (g_network_address_new ("ex ämple.org", 1), NULL);
  assert_name (g_network_service_new ("ftp", "tcp", "Example.org"), "example.org");
  assert_name (G_SOCKET_CONNECTABLE (g_inet_socket_address_new (address, 1)), "2001:db8::7");
  assert_name (G_SOCKET_CONNECTABLE (g_unix_socket_address_new ("/run/socket")), NULL);
}

static void
an_identity_without_a_name_is_nobody (void)
{
  g_autoptr (Family) family = family_new ();
  g_autoptr (GSocketConnectable) identity = G_SOCKET_CONNECTABLE (g_unix_socket_address_new ("/run/socket"));

  g_assert_false (g_tls_session_verify_identity (family->leaf->x509, identity));
}

static void
knows_addresses_from_names (void)
{
  g_assert_true (g_tls_session_name_is_ip ("192.0.2.7"));
  g_assert_true (g_tls_session_name_is_ip ("::1"));
  g_assert_false (g_tls_session_name_is_ip ("192.0.2.example"));
  g_assert_false (g_tls_session_name_is_ip ("localhost"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define STORY(name) g_test_add_func ("/trust/verify/" #name, name)
  STORY (accepts_a_sound_chain);
  STORY (trusts_any_certificate_that_is_an_anchor);
  STORY (an_anchor_that_is_no_ca_vouches_for_itself_only);
  STORY (does_not_trust_strangers);
  STORY (a_namesake_of_an_anchor_is_a_stranger);
  STORY (of_two_anchors_of_one_name_the_one_that_signed_counts);
  STORY (trusts_nobody_without_a_store);
  STORY (refuses_an_empty_chain);
  STORY (tells_dates_apart);
  STORY (holds_the_whole_chain_to_its_dates);
  STORY (holds_a_pinned_certificate_to_its_dates);
  STORY (tells_all_that_is_wrong);
  STORY (weak_keys_and_digests_are_insecure);
  STORY (the_digest_of_an_anchor_does_not_matter);
  STORY (only_a_ca_may_issue);
  STORY (name_constraints_bind);
  STORY (purposes_bind);
  STORY (a_changed_bit_is_seen);
  STORY (compares_host_names);
  STORY (compares_addresses);
  STORY (the_common_name_is_the_last_resort);
  STORY (a_nul_in_a_name_does_not_shorten_it);
  STORY (an_identity_counts_only_when_given);
  STORY (identities_have_one_form);
  STORY (an_identity_without_a_name_is_nobody);
  STORY (knows_addresses_from_names);

  return g_test_run ();
}
