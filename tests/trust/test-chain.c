/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Certificates and their issuers: out of one PEM, from a peer, from another backend. */

#include "paper.h"
#include "trust/certificate-private.h"

static void
assert_family (gpointer certificate, const Family *family)
{
  assert_is (certificate, family->leaf);
  assert_is (issuer_of (certificate), family->intermediate);
  assert_is (issuer_of (issuer_of (certificate)), family->root);
  g_assert_null (issuer_of (issuer_of (issuer_of (certificate))));
}

static void
a_pem_with_several_makes_a_chain (void)
{
  g_autoptr (Family) family = family_new ();
  g_autofree char *pem = joined (forged_to_pem (family->leaf), forged_to_pem (family->intermediate),
                                 forged_to_pem (family->root), NULL);
  g_autoptr (GTlsSessionCertificate) certificate = certificate_from (pem);
  g_autoptr (GTlsCertificate)
    by_property = g_initable_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL, NULL, "certificate-pem", pem, NULL);

  assert_family (certificate, family);
  assert_family (by_property, family);
}

static void
the_issuers_may_stand_in_any_order (void)
{
  g_autoptr (Family) family = family_new ();
  g_autoptr (Forged) extra = forge (&(Order){ .name = "extra" }, NULL);
  g_autofree char *pem = joined (forged_to_pem (family->leaf), forged_to_pem (family->root), forged_to_pem (extra),
                                 forged_to_pem (family->leaf), forged_to_pem (family->intermediate),
                                 forged_to_pem (family->root), NULL);
  g_autoptr (GTlsSessionCertificate) certificate = certificate_from (pem);

  assert_family (certificate, family);
}

/* Wherever the key stands, and the certificate that it belongs to. */
static void
the_certificate_is_the_one_that_the_key_belongs_to (void)
{
  g_autoptr (Family) family = family_new ();
  g_autofree char *pem = joined (forged_to_pem (family->root), key_as_pkcs8 (family->leaf),
                                 forged_to_pem (family->intermediate), forged_to_pem (family->leaf), NULL);
  g_autofree char *certificates = joined (forged_to_pem (family->root), forged_to_pem (family->leaf),
                                          forged_to_pem (family->intermediate), NULL);
  g_autofree char *key = key_as_pkcs8 (family->leaf);
  g_autoptr (GTlsSessionCertificate) certificate = certificate_from (pem);
  g_autoptr (GTlsCertificate) by_property = g_initable_new (
    G_TLS_SESSION_TYPE_CERTIFICATE, NULL, NULL, "private-key-pem", key, "certificate-pem", certificates, NULL);

  assert_family (certificate, family);
  assert_family (by_property, family);
}

static void
without_a_key_the_certificate_is_the_first (void)
{
  g_autoptr (Family) family = family_new ();
  g_autofree char *pem = joined (forged_to_pem (family->intermediate), forged_to_pem (family->leaf), NULL);
  g_autoptr (GTlsSessionCertificate) certificate = certificate_from (pem);

  assert_is (certificate, family->intermediate);
  g_assert_null (issuer_of (certificate));
}

static void
an_issuer_of_today_goes_before_an_expired_one (void)
{
  g_autoptr (Forged) now = forge (&(Order){ .name = "CA", .is_ca = TRUE }, NULL);
  g_autoptr (Forged)
    before = forge (&(Order){ .name = "CA", .is_ca = TRUE, .from_day = -9, .to_day = -1, .key_of = now }, NULL);
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "a" }, now);
  g_autofree char *pem = joined (forged_to_pem (leaf), forged_to_pem (before), forged_to_pem (now), NULL);
  g_autoptr (GTlsSessionCertificate) certificate = certificate_from (pem);

  assert_is (issuer_of (certificate), now);
}

static void
authorities_that_signed_each_other_make_a_chain_with_an_end (void)
{
  g_autoptr (Forged) a = forge (&(Order){ .name = "A", .is_ca = TRUE }, NULL);
  g_autoptr (Forged) b_by_a = forge (&(Order){ .name = "B", .is_ca = TRUE }, a);
  g_autoptr (Forged) a_by_b = forge (&(Order){ .name = "A", .is_ca = TRUE, .key_of = a }, b_by_a);
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "a" }, a);
  g_autofree char *pem = joined (forged_to_pem (leaf), forged_to_pem (b_by_a), forged_to_pem (a_by_b), NULL);
  g_autoptr (GTlsSessionCertificate) certificate = certificate_from (pem);

  assert_is (issuer_of (certificate), a_by_b);
  assert_is (issuer_of (issuer_of (certificate)), b_by_a);
  g_assert_null (issuer_of (issuer_of (issuer_of (certificate))));
}

static void
an_issuer_that_did_not_sign_is_none (void)
{
  const Order ca_order = { .name = "CA", .is_ca = TRUE, .without_key_identifiers = TRUE };
  g_autoptr (Forged) ca = forge (&ca_order, NULL);
  g_autoptr (Forged) namesake = forge (&ca_order, NULL);
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "a", .without_key_identifiers = TRUE }, ca);
  g_autofree char *alone = joined (forged_to_pem (leaf), forged_to_pem (namesake), NULL);
  g_autofree char *both = joined (forged_to_pem (leaf), forged_to_pem (namesake), forged_to_pem (ca), NULL);
  g_autoptr (GTlsSessionCertificate) without = certificate_from (alone);
  g_autoptr (GTlsSessionCertificate) with = certificate_from (both);

  g_assert_null (issuer_of (without));
  assert_is (issuer_of (with), ca);
}

static void
an_issuer_given_goes_before_those_found (void)
{
  g_autoptr (Family) family = family_new ();
  g_autofree char *pem = joined (forged_to_pem (family->leaf), forged_to_pem (family->intermediate), NULL);
  g_autoptr (GTlsSessionCertificate) root = certificate_of (family->root);
  g_autoptr (GTlsCertificate) certificate = g_initable_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL, NULL,
                                                            "certificate-pem", pem, "issuer", root, NULL);

  assert_is (issuer_of (certificate), family->root);
}

static void
a_received_chain_keeps_its_order (void)
{
  g_autoptr (Family) family = family_new ();
  STACK_OF (X509) *sent = stack_of (family->leaf->x509, family->root->x509, family->intermediate->x509, NULL);
  g_autoptr (GTlsSessionCertificate) certificate = g_tls_session_certificate_new_from_chain (sent);
  STACK_OF (X509) *back = g_tls_session_chain_from_certificate (G_TLS_CERTIFICATE (certificate));

  assert_is (certificate, family->leaf);
  assert_is (issuer_of (certificate), family->root);
  assert_is (issuer_of (issuer_of (certificate)), family->intermediate);
  g_assert_cmpint (sk_X509_num (back), ==, 3);
  for (int i = 0; i < 3; i++)
    g_assert_cmpint (X509_cmp (sk_X509_value (back, i), sk_X509_value (sent, i)), ==, 0);

  sk_X509_pop_free (sent, X509_free);
  sk_X509_pop_free (back, X509_free);
}

static void
a_chain_without_end_is_cut (void)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func ((GDestroyNotify) forged_free);
  g_autoptr (GTlsSessionCertificate) certificate = NULL;
  STACK_OF (X509) *sent = sk_X509_new_null ();
  STACK_OF (X509) *back;

  for (int i = 0; i < G_TLS_SESSION_MAX_CHAIN_LENGTH + 20; i++)
    {
      Forged *forged = forge (&(Order){ .name = "a" }, NULL);

      g_ptr_array_add (all, forged);
      g_assert_cmpint (sk_X509_push (sent, forged->x509), >, 0);
    }

  certificate = g_tls_session_certificate_new_from_chain (sent);
  back = g_tls_session_chain_from_certificate (G_TLS_CERTIFICATE (certificate));
  g_assert_cmpint (sk_X509_num (back), ==, G_TLS_SESSION_MAX_CHAIN_LENGTH);

  sk_X509_pop_free (back, X509_free);
  sk_X509_free (sent);
}

/* A certificate of another backend */

#define TYPE_FOREIGN (foreign_get_type ())
G_DECLARE_FINAL_TYPE (Foreign, foreign, TEST, FOREIGN, GTlsCertificate)

struct _Foreign
{
  GTlsCertificate parent_instance;

  GByteArray *der;
  GTlsCertificate *issuer; /* not owned, so that it may be itself */
};

G_DEFINE_FINAL_TYPE (Foreign, foreign, G_TYPE_TLS_CERTIFICATE)

static void
foreign_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == 1)
    g_value_set_boxed (value, TEST_FOREIGN (object)->der);
  else if (id == 2)
    g_value_set_object (value, TEST_FOREIGN (object)->issuer);
}

static void
foreign_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
}

static void
foreign_finalize (GObject *object)
{
  g_clear_pointer (&TEST_FOREIGN (object)->der, g_byte_array_unref);
  G_OBJECT_CLASS (foreign_parent_class)->finalize (object);
}

static void
foreign_class_init (ForeignClass *class)
{
  static const char *const names[] = {
    "certificate", "issuer", "certificate-pem", "private-key", "private-key-pem",
  };
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->get_property = foreign_get_property;
  object_class->set_property = foreign_set_property;
  object_class->finalize = foreign_finalize;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_object_class_override_property (object_class, i + 1, names[i]);
}

static void
foreign_init (Foreign *self)
{
}

static Foreign *
foreign_new (const Forged *forged, GTlsCertificate *issuer)
{
  Foreign *self = g_object_new (TYPE_FOREIGN, NULL);

  self->der = g_bytes_unref_to_array (forged_to_der (forged));
  self->issuer = issuer;
  return self;
}

static void
certificates_of_another_backend_are_read (void)
{
  g_autoptr (Family) family = family_new ();
  g_autoptr (GTlsSessionCertificate) intermediate = certificate_of (family->intermediate);
  g_autoptr (GTlsSessionCertificate) own = certificate_of (family->leaf);
  g_autoptr (GTlsSessionCertificate) root = certificate_of (family->root);
  g_autoptr (Foreign) leaf = foreign_new (family->leaf, G_TLS_CERTIFICATE (intermediate));
  STACK_OF (X509) *chain = g_tls_session_chain_from_certificate (G_TLS_CERTIFICATE (leaf));

  g_assert_cmpint (sk_X509_num (chain), ==, 2);
  g_assert_cmpint (X509_cmp (sk_X509_value (chain, 0), family->leaf->x509), ==, 0);
  g_assert_true (g_tls_certificate_is_same (G_TLS_CERTIFICATE (leaf), G_TLS_CERTIFICATE (own)));

  g_assert_cmphex (g_tls_certificate_verify (G_TLS_CERTIFICATE (own), NULL, G_TLS_CERTIFICATE (leaf)), ==, 0);
  sk_X509_pop_free (chain, X509_free);
}

static void
one_of_another_backend_that_cannot_be_read_is_none (void)
{
  g_autoptr (Family) family = family_new ();
  g_autoptr (GTlsSessionCertificate) own = certificate_of (family->leaf);
  g_autoptr (Foreign) broken = foreign_new (family->leaf, NULL);
  g_autoptr (Foreign) empty = foreign_new (family->leaf, NULL);
  g_autoptr (Foreign) above = foreign_new (family->leaf, G_TLS_CERTIFICATE (broken));

  g_byte_array_set_size (broken->der, 20);
  g_clear_pointer (&empty->der, g_byte_array_unref);
  g_assert_null (g_tls_session_chain_from_certificate (G_TLS_CERTIFICATE (broken)));
  g_assert_null (g_tls_session_chain_from_certificate (G_TLS_CERTIFICATE (empty)));
  g_assert_cmphex (g_tls_certificate_verify (G_TLS_CERTIFICATE (own), NULL, G_TLS_CERTIFICATE (broken)), ==,
                   G_TLS_CERTIFICATE_UNKNOWN_CA);

  /* The leaf can be read, its issuer cannot. */
  above->der = (g_byte_array_unref (above->der), g_bytes_unref_to_array (forged_to_der (family->root)));
  g_assert_null (g_tls_session_chain_from_certificate (G_TLS_CERTIFICATE (above)));
}

static void
issuers_in_a_circle_end (void)
{
  g_autoptr (Family) family = family_new ();
  g_autoptr (Foreign) leaf = foreign_new (family->leaf, NULL);
  g_autoptr (Foreign) root = foreign_new (family->root, G_TLS_CERTIFICATE (leaf));
  STACK_OF (X509) *chain;

  leaf->issuer = G_TLS_CERTIFICATE (root);
  chain = g_tls_session_chain_from_certificate (G_TLS_CERTIFICATE (leaf));
  g_assert_cmpint (sk_X509_num (chain), ==, 2);
  sk_X509_pop_free (chain, X509_free);
}

/* As Gio's g_tls_certificate_new_from_pem() links a file in which one stands twice. */
static void
one_that_comes_twice_does_not_end_the_chain (void)
{
  g_autoptr (Family) family = family_new ();
  X509 *leaf = family->leaf->x509;
  STACK_OF (X509) *sent = stack_of (leaf, leaf, family->intermediate->x509, NULL);
  g_autoptr (GTlsSessionCertificate) certificate = g_tls_session_certificate_new_from_chain (sent);
  STACK_OF (X509) *chain = g_tls_session_chain_from_certificate (G_TLS_CERTIFICATE (certificate));

  g_assert_cmpint (sk_X509_num (chain), ==, 2);
  g_assert_cmpint (X509_cmp (sk_X509_value (chain, 1), family->intermediate->x509), ==, 0);
  sk_X509_pop_free (sent, X509_free);
  sk_X509_pop_free (chain, X509_free);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define STORY(name) g_test_add_func ("/trust/chain/" #name, name)
  STORY (a_pem_with_several_makes_a_chain);
  STORY (the_issuers_may_stand_in_any_order);
  STORY (the_certificate_is_the_one_that_the_key_belongs_to);
  STORY (without_a_key_the_certificate_is_the_first);
  STORY (an_issuer_of_today_goes_before_an_expired_one);
  STORY (authorities_that_signed_each_other_make_a_chain_with_an_end);
  STORY (an_issuer_that_did_not_sign_is_none);
  STORY (an_issuer_given_goes_before_those_found);
  STORY (a_received_chain_keeps_its_order);
  STORY (a_chain_without_end_is_cut);
  STORY (certificates_of_another_backend_are_read);
  STORY (one_of_another_backend_that_cannot_be_read_is_none);
  STORY (issuers_in_a_circle_end);
  STORY (one_that_comes_twice_does_not_end_the_chain);

  return g_test_run ();
}
