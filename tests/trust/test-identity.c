/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who a certificate is for, as g_tls_certificate_verify() and g_tls_database_verify_chain() are asked. */

#include "paper.h"
#include "trust/certificate-private.h"
#include "trust/gtls-session-database.h"

#define NAMES "DNS:server.example.org,DNS:*.wild.example.org,DNS:xn--bcher-kva.example,IP:192.0.2.7,IP:2001:db8::7"

/* A connectable that Gio does not know: it has no name that a certificate could be for. */

#define TYPE_NAMELESS (nameless_get_type ())
G_DECLARE_FINAL_TYPE (Nameless, nameless, TEST, NAMELESS, GObject)

struct _Nameless
{
  GObject parent_instance;
};

static char *
nameless_to_string (GSocketConnectable *connectable)
{
  return g_strdup ("server.example.org");
}

static void
nameless_iface_init (GSocketConnectableIface *iface)
{
  iface->to_string = nameless_to_string;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (Nameless,
                               nameless,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_SOCKET_CONNECTABLE, nameless_iface_init))

static void
nameless_class_init (NamelessClass *class)
{
}

static void
nameless_init (Nameless *self)
{
}

/* A certificate for many names, which is asked in both ways. */
typedef struct
{
  GTlsCertificate *certificate;
  GTlsDatabase *database; /* trusts nothing */
} Scene;

static void
scene_set_up (Scene *scene, gconstpointer data)
{
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "subject.example.org", .alternative_names = NAMES }, NULL);

  scene->certificate = G_TLS_CERTIFICATE (certificate_of (leaf));
  scene->database = g_object_new (G_TLS_SESSION_TYPE_DATABASE, NULL);
}

static void
scene_tear_down (Scene *scene, gconstpointer data)
{
  g_object_unref (scene->certificate);
  g_object_unref (scene->database);
}

/* Takes @identity. */
static void
assert_identity (Scene *scene, gpointer identity, gboolean matches)
{
  GTlsCertificateFlags expected = matches ? 0 : G_TLS_CERTIFICATE_BAD_IDENTITY;
  GError *error = NULL;

  g_assert_cmphex (g_tls_certificate_verify (scene->certificate, identity, NULL), ==, expected);
  g_assert_cmphex (g_tls_database_verify_chain (scene->database, scene->certificate,
                                                G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER, identity, NULL, 0, NULL,
                                                &error),
                   ==, expected | G_TLS_CERTIFICATE_UNKNOWN_CA);
  g_assert_no_error (error);
  g_object_unref (identity);
}

static void
assert_host (Scene *scene, const char *host, gboolean matches)
{
  assert_identity (scene, g_network_address_new (host, 443), matches);
}

static void
a_host_name_is_compared (Scene *scene, gconstpointer data)
{
  assert_host (scene, "server.example.org", TRUE);
  assert_host (scene, "SERVER.Example.ORG.", TRUE);
  assert_host (scene, "other.example.org", FALSE);
  assert_host (scene, "subject.example.org", FALSE);
}

static void
a_wildcard_stands_for_one_label (Scene *scene, gconstpointer data)
{
  assert_host (scene, "a.wild.example.org", TRUE);
  assert_host (scene, "a.b.wild.example.org", FALSE);
  assert_host (scene, "wild.example.org", FALSE);
}

static void
an_internationalised_name_has_two_forms (Scene *scene, gconstpointer data)
{
  assert_host (scene, "bücher.example", TRUE);
  assert_host (scene, "BÜCHER.example", TRUE);
  assert_host (scene, "xn--bcher-kva.example", TRUE);
  assert_host (scene, "XN--BCHER-KVA.example", TRUE);
  assert_host (scene, "bucher.example", FALSE);
}

static void
an_address_is_compared (Scene *scene, gconstpointer data)
{
  assert_host (scene, "192.0.2.7", TRUE);
  assert_host (scene, "192.0.2.8", FALSE);
  assert_host (scene, "2001:db8::7", TRUE);
  assert_host (scene, "2001:DB8:0:0::7", TRUE);
  assert_host (scene, "2001:db8::8", FALSE);
}

static void
a_service_is_its_domain (Scene *scene, gconstpointer data)
{
  assert_identity (scene, g_network_service_new ("ftp", "tcp", "server.example.org"), TRUE);
  assert_identity (scene, g_network_service_new ("ftp", "tcp", "other.example.org"), FALSE);
}

static void
a_socket_address_is_its_address (Scene *scene, gconstpointer data)
{
  assert_identity (scene, g_inet_socket_address_new_from_string ("192.0.2.7", 443), TRUE);
  assert_identity (scene, g_inet_socket_address_new_from_string ("192.0.2.8", 443), FALSE);
  assert_identity (scene, g_inet_socket_address_new_from_string ("2001:db8::7", 443), TRUE);
  assert_identity (scene, g_inet_socket_address_new_from_string ("2001:db8::8", 443), FALSE);
}

static void
what_has_no_name_is_nobody (Scene *scene, gconstpointer data)
{
  assert_identity (scene, g_unix_socket_address_new ("/run/server.example.org"), FALSE);
  assert_identity (scene, g_object_new (TYPE_NAMELESS, NULL), FALSE);
}

/* "If @identity is NULL, that bit will never be set in the return value." */
static void
without_an_identity_none_is_asked_for (Scene *scene, gconstpointer data)
{
  g_assert_cmphex (g_tls_certificate_verify (scene->certificate, NULL, NULL), ==, 0);
  g_assert_cmphex (g_tls_database_verify_chain (scene->database, scene->certificate,
                                                G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER, NULL, NULL, 0, NULL, NULL),
                   ==, G_TLS_CERTIFICATE_UNKNOWN_CA);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define STORY(name) g_test_add ("/trust/identity/" #name, Scene, NULL, scene_set_up, name, scene_tear_down)
  STORY (a_host_name_is_compared);
  STORY (a_wildcard_stands_for_one_label);
  STORY (an_internationalised_name_has_two_forms);
  STORY (an_address_is_compared);
  STORY (a_service_is_its_domain);
  STORY (a_socket_address_is_its_address);
  STORY (what_has_no_name_is_nobody);
  STORY (without_an_identity_none_is_asked_for);

  return g_test_run ();
}
