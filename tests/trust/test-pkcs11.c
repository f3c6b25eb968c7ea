/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Certificates and keys on PKCS #11 tokens, where OpenSSL has a provider for them, and where not. */

#include "paper.h"
#include "token.h"
#include "trust/certificate-private.h"

#include <string.h>

#include <glib/gstdio.h>

static GTlsCertificate *
made_of (const char *pem, const char *uri, const char *key_uri, const char *pin, GError **error)
{
  GTlsCertificate *certificate = g_initable_new (G_TLS_SESSION_TYPE_CERTIFICATE, NULL, error, "certificate-pem", pem,
                                                 "pkcs11-uri", uri, "private-key-pkcs11-uri", key_uri, "password", pin,
                                                 NULL);

  assert_queue_is_empty ();
  return certificate;
}

static gboolean
unlock (gpointer certificate, const char *pin, GError **error)
{
  return g_tls_session_certificate_unlock (certificate, (const guint8 *) pin, strlen (pin), error);
}

static void
assert_has_key (gpointer certificate, const Forged *forged)
{
  g_assert_false (g_tls_session_certificate_is_locked (certificate));
  g_assert_cmpint (EVP_PKEY_eq (g_tls_session_certificate_get_key (certificate), forged->key), ==, 1);
}

typedef struct
{
  Forged *leaf;
  char *pem;
  Token token;
} Scene;

static void
scene_set_up (Scene *scene, gconstpointer pin)
{
  scene->leaf = forge (&(Order){ .name = "a" }, NULL);
  scene->pem = forged_to_pem (scene->leaf);
  scene->token = (Token){ .forged = scene->leaf, .pin = pin };
  token_insert (&scene->token);
}

static void
scene_tear_down (Scene *scene, gconstpointer pin)
{
  token_remove ();
  forged_free (scene->leaf);
  g_free (scene->pem);
}

static void
without_a_provider_it_is_not_supported (void)
{
  g_autoptr (Forged) leaf = forge (&(Order){ .name = "a" }, NULL);
  g_autofree char *pem = forged_to_pem (leaf);
  GError *error = NULL;

  g_assert_null (made_of (NULL, "pkcs11:id=%01", NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);

  g_assert_null (made_of (pem, NULL, "pkcs11:id=%01", NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);
}

static void
a_certificate_and_its_key_are_found (Scene *scene, gconstpointer pin)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsCertificate) certificate = made_of (NULL, "pkcs11:id=%01", NULL, NULL, &error);
  g_autofree char *uri = NULL;
  g_autofree char *key_uri = NULL;

  g_assert_no_error (error);
  assert_is (certificate, scene->leaf);
  assert_has_key (certificate, scene->leaf);
  g_object_get (certificate, "pkcs11-uri", &uri, "private-key-pkcs11-uri", &key_uri, NULL);
  g_assert_cmpstr (uri, ==, "pkcs11:id=%01");
  g_assert_null (key_uri);
}

/* Gio: "if the private key is backed by a PKCS #11 URI [...] then this property will be NULL". */
static void
the_key_is_not_given_out (Scene *scene, gconstpointer pin)
{
  g_autoptr (GTlsCertificate) certificate = made_of (NULL, "pkcs11:id=%01", NULL, NULL, NULL);
  g_autofree char *pem = NULL;
  g_autoptr (GByteArray) der = NULL;

  g_object_get (certificate, "private-key-pem", &pem, "private-key", &der, NULL);
  g_assert_null (pem);
  g_assert_null (der);
}

static void
the_key_may_have_a_uri_of_its_own (Scene *scene, gconstpointer pin)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsCertificate) from_pem = made_of (scene->pem, NULL, "pkcs11:type=private", NULL, &error);
  g_autoptr (GTlsCertificate) from_both = NULL;
  g_autofree char *key_uri = NULL;

  g_assert_no_error (error);
  assert_has_key (from_pem, scene->leaf);
  from_both = made_of (NULL, "pkcs11:type=cert", "pkcs11:type=private", NULL, &error);
  g_assert_no_error (error);
  assert_has_key (from_both, scene->leaf);
  g_object_get (from_both, "private-key-pkcs11-uri", &key_uri, NULL);
  g_assert_cmpstr (key_uri, ==, "pkcs11:type=private");
}

static void
a_certificate_that_is_not_there_is_an_error (Scene *scene, gconstpointer pin)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (made_of (NULL, "pkcs11:object=none", NULL, NULL, &error));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
}

/* Gio: "the private key is not accessed until usage and may fail [...] later". */
static void
a_key_that_is_not_there_fails_when_it_is_wanted (Scene *scene, gconstpointer pin)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsCertificate) with_pin = made_of (scene->pem, NULL, "pkcs11:object=none", "1234", &error);
  g_autoptr (GTlsCertificate) certificate = made_of (scene->pem, NULL, "pkcs11:object=none", NULL, &error);

  g_assert_no_error (error);
  g_assert_true (g_tls_session_certificate_is_locked (G_TLS_SESSION_CERTIFICATE (with_pin)));
  g_assert_true (g_tls_session_certificate_is_locked (G_TLS_SESSION_CERTIFICATE (certificate)));
  g_assert_false (unlock (certificate, "1234", &error));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
}

static void
other_uris_and_files_are_not_opened (Scene *scene, gconstpointer pin)
{
  g_autofree char *directory = g_dir_make_tmp ("trust-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (directory, "pkcs11:here", NULL);
  g_autofree char *file_uri = g_filename_to_uri (path, NULL, NULL);
  g_autofree char *before = g_get_current_dir ();
  const char *const uris[] = { path, file_uri, "pkcs11:here", "", "pkcs11" };

  write_file (path, scene->pem, strlen (scene->pem));
  g_assert_cmpint (g_chdir (directory), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (uris); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (made_of (NULL, uris[i], NULL, NULL, &error));
      g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
    }
  g_assert_cmpint (g_chdir (before), ==, 0);
  g_unlink (path);
  g_rmdir (directory);
}

/* With a PIN */

static void
assert_waits_for_its_pin (Scene *scene, GTlsCertificate *certificate)
{
  GError *error = NULL;

  assert_is (certificate, scene->leaf);
  g_assert_true (g_tls_session_certificate_is_locked (G_TLS_SESSION_CERTIFICATE (certificate)));
  g_assert_false (unlock (certificate, "4321", &error));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE_PASSWORD);
  g_clear_error (&error);
  g_assert_true (unlock (certificate, "1234", &error));
  g_assert_no_error (error);
  assert_has_key (certificate, scene->leaf);
}

static void
a_key_behind_a_pin_waits_for_it (Scene *scene, gconstpointer pin)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsCertificate) one = made_of (NULL, "pkcs11:id=%01", NULL, NULL, &error);
  g_autoptr (GTlsCertificate) other = NULL;

  g_assert_no_error (error);
  other = made_of (scene->pem, NULL, "pkcs11:type=private", NULL, &error);
  g_assert_no_error (error);
  assert_waits_for_its_pin (scene, one);
  assert_waits_for_its_pin (scene, other);
}

static void
the_password_is_the_pin (Scene *scene, gconstpointer pin)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsCertificate) certificate = made_of (NULL, "pkcs11:id=%01", NULL, "1234", &error);

  g_assert_no_error (error);
  assert_has_key (certificate, scene->leaf);
}

/* A card locks itself after a few wrong ones. */
static void
a_wrong_pin_is_tried_once (Scene *scene, gconstpointer pin)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (made_of (NULL, "pkcs11:id=%01", NULL, "4321", &error));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE_PASSWORD);
  g_assert_cmpint (scene->token.n_wrong, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define STORY(name, pin) g_test_add ("/trust/pkcs11/" #name, Scene, pin, scene_set_up, name, scene_tear_down)
  g_test_add_func ("/trust/pkcs11/without_a_provider_it_is_not_supported", without_a_provider_it_is_not_supported);
  STORY (a_certificate_and_its_key_are_found, NULL);
  STORY (the_key_is_not_given_out, NULL);
  STORY (the_key_may_have_a_uri_of_its_own, NULL);
  STORY (a_certificate_that_is_not_there_is_an_error, NULL);
  STORY (a_key_that_is_not_there_fails_when_it_is_wanted, NULL);
  STORY (other_uris_and_files_are_not_opened, NULL);
  STORY (a_key_behind_a_pin_waits_for_it, "1234");
  STORY (the_password_is_the_pin, "1234");
  STORY (a_wrong_pin_is_tried_once, "1234");

  return g_test_run ();
}
