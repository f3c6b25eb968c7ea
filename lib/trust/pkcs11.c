/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11.h"

#include "../engine/openssl-error.h"
#include "openssl-auto.h"

#include <openssl/store.h>
#include <openssl/ui.h>

/* NOTES:
 *
 * Certificates and keys on PKCS #11 tokens are found by URI (RFC 7512). OpenSSL has no PKCS #11 itself; a provider that is
 * loaded by its configuration may bring it, as a loader of its "store" for the scheme pkcs11. Where there is none, all
 * this is G_IO_ERROR_NOT_SUPPORTED.
 *
 * Whether a PIN is wanted shows when the loader asks for it. A wrong one is not tried a second time, since tokens lock
 * themselves after a few. Nobody is asked on a terminal.
 */

#define SCHEME "pkcs11"
#define MAX_OBJECTS 100 /* of a token, that are looked at */

typedef struct
{
  GTlsSessionPassword pin;
  gboolean was_asked;
} PinPad;

typedef struct
{
  X509 *certificate;
  EVP_PKEY *key;
  gboolean pin_was_asked;
} Found;

static void
found_clear (Found *found)
{
  X509_free (found->certificate);
  EVP_PKEY_free (found->key);
}

static void
close_store (OSSL_STORE_CTX *store)
{
  OSSL_STORE_close (store);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Found, found_clear)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (OSSL_STORE_CTX, close_store)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (OSSL_STORE_INFO, OSSL_STORE_INFO_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (OSSL_STORE_LOADER, OSSL_STORE_LOADER_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (UI_METHOD, UI_destroy_method)

static gboolean
loader_is_there (void)
{
  g_autoptr (OSSL_STORE_LOADER) loader = OSSL_STORE_LOADER_fetch (NULL, SCHEME, NULL);

  g_tls_session_openssl_clear_errors ();
  return loader != NULL;
}

/* OpenSSL opens a file of that very name first, if there is one, whatever the scheme. */
static gboolean
is_token_uri (const char *uri)
{
  return g_ascii_strncasecmp (uri, SCHEME ":", strlen (SCHEME ":")) == 0 && !g_file_test (uri, G_FILE_TEST_EXISTS);
}

static gboolean
can_be_asked_for (const char *uri, GError **error)
{
  if (!loader_is_there ())
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                   "PKCS #11 needs an OpenSSL provider with a loader for \"" SCHEME ":\", and none is loaded: %s", uri);
      return FALSE;
    }
  if (!is_token_uri (uri))
    {
      g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, "This is not a PKCS #11 URI (RFC 7512): %s", uri);
      return FALSE;
    }
  return TRUE;
}

static int
tell_pin (char *buffer, int size, int for_writing, void *data)
{
  PinPad *pad = data;

  pad->was_asked = TRUE;
  return g_tls_session_password_tell_pem (buffer, size, for_writing, &pad->pin);
}

static void
note_object (OSSL_STORE_INFO *object, Found *found)
{
  int type = OSSL_STORE_INFO_get_type (object);

  if (type == OSSL_STORE_INFO_CERT && found->certificate == NULL)
    found->certificate = OSSL_STORE_INFO_get1_CERT (object);
  else if (type == OSSL_STORE_INFO_PKEY && found->key == NULL)
    found->key = OSSL_STORE_INFO_get1_PKEY (object);
}

/* The first certificate and the first private key under @uri; OpenSSL's queue says what was in the way. */
static void
look_up (const char *uri, GTlsSessionPassword pin, Found *found)
{
  PinPad pad = { .pin = pin };
  g_autoptr (UI_METHOD) method = UI_UTIL_wrap_read_pem_callback (tell_pin, 0);
  g_autoptr (OSSL_STORE_CTX) store = NULL;

  if (method != NULL)
    store = OSSL_STORE_open_ex (uri, NULL, NULL, method, &pad, NULL, NULL, NULL);

  for (int i = 0; store != NULL && i < MAX_OBJECTS && !OSSL_STORE_eof (store); i++)
    {
      g_autoptr (OSSL_STORE_INFO) object = OSSL_STORE_load (store);

      if (object != NULL)
        note_object (object, found);
    }
  found->pin_was_asked = pad.was_asked;
}

static void
set_missing_error (GError **error, const char *what, const char *uri)
{
  g_autofree char *reason = g_tls_session_openssl_take_errors ();

  g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, "No %s was found at %s (%s)", what, uri, reason);
}

/* The key into @key: open, or closed if the token wants a PIN that is not known yet. */
static gboolean
take_key (const char *uri, GTlsSessionPassword pin, Found *found, GTlsSessionPrivateKey *key, GError **error)
{
  if (found->key == NULL && found->pin_was_asked && pin.data != NULL)
    {
      g_tls_session_password_set_error (error, "The token", pin);
      return FALSE;
    }

  g_tls_session_private_key_clear (key);
  key->open = g_steal_pointer (&found->key);
  if (key->open == NULL && found->pin_was_asked)
    key->locked = g_tls_session_locked_key_new_for_token (uri);
  return TRUE;
}

static gboolean
find (const char *uri, GTlsSessionPassword pin, Found *found, GTlsSessionPrivateKey *key, GError **error)
{
  if (!can_be_asked_for (uri, error))
    return FALSE;

  look_up (uri, pin, found);
  return take_key (uri, pin, found, key, error);
}

/* What is at @uri: a certificate, and perhaps its key. */
gboolean
g_tls_session_token_read (const char *uri,
                          GTlsSessionPassword pin,
                          X509 **certificate,
                          GTlsSessionPrivateKey *key,
                          GError **error)
{
  g_auto (Found) found = { 0 };
  gboolean sound = find (uri, pin, &found, key, error);

  if (sound && found.certificate == NULL)
    {
      set_missing_error (error, "certificate", uri);
      sound = FALSE;
    }
  g_tls_session_openssl_clear_errors ();

  if (sound)
    *certificate = g_steal_pointer (&found.certificate);
  return sound;
}

/* Gio: "the private key is not accessed until usage and may fail or require a PIN later". So one that cannot be had now
 * is a closed one.
 */
gboolean
g_tls_session_token_read_key (const char *uri, GTlsSessionPassword pin, GTlsSessionPrivateKey *key, GError **error)
{
  g_auto (Found) found = { 0 };
  gboolean sound = find (uri, pin, &found, key, error);

  if (sound && !g_tls_session_private_key_is_there (key))
    key->locked = g_tls_session_locked_key_new_for_token (uri);
  g_tls_session_openssl_clear_errors ();
  return sound;
}

/* The key at @uri, to be freed. */
EVP_PKEY *
g_tls_session_token_open_key (const char *uri, GTlsSessionPassword pin, GError **error)
{
  g_auto (Found) found = { 0 };

  if (!can_be_asked_for (uri, error))
    return NULL;

  look_up (uri, pin, &found);
  if (found.key == NULL && found.pin_was_asked)
    g_tls_session_password_set_error (error, "The token", pin);
  else if (found.key == NULL)
    set_missing_error (error, "private key", uri);
  g_tls_session_openssl_clear_errors ();
  return g_steal_pointer (&found.key);
}
