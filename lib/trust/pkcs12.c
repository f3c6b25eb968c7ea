/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs12.h"

#include "../engine/openssl-error.h"
#include "certificate-reader.h"
#include "openssl-auto.h"

#include <limits.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pkcs12.h>

/* NOTES:
 *
 * PKCS #12 (RFC 7292) is a container with a password over all of it (the MAC) and over its parts. The MAC is tried first:
 * it alone tells a wrong password for sure. A container without one is legal; there a part that does not open means that.
 * "No password" and "an empty password" are two things in PKCS #12 that people cannot tell apart, so both are tried.
 *
 * Since 3.0, OpenSSL reads what was encrypted with AES or Triple DES by itself, and RC2 of 40 bits, which the files of
 * old programs have their certificates under, only with its legacy provider.
 */

#define WHAT "The PKCS #12 data"

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PKCS12, PKCS12_free)

static PKCS12 *
decode (const void *data, gsize length, GError **error)
{
  const unsigned char *end = data;
  g_autoptr (PKCS12) container = NULL;

  if (length > 0 && length <= LONG_MAX)
    container = d2i_PKCS12 (NULL, &end, (long) length);
  if (container == NULL || end != (const unsigned char *) data + length)
    {
      g_autofree char *reason = g_tls_session_openssl_take_errors ();

      g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, "The data is not PKCS #12, or is corrupt (%s)",
                   reason);
      return NULL;
    }
  return g_steal_pointer (&container);
}

/* PKCS12_parse() of OpenSSL 3.0 insists on a MAC. */
static gboolean
add_mac (PKCS12 *container, const char *text)
{
  return PKCS12_set_mac (container, text, -1, NULL, 0, 1, NULL) == 1;
}

/* Whether the MAC is right, or there is none. @text becomes what opens the rest. */
static gboolean
password_fits (PKCS12 *container, const char **text)
{
  if (PKCS12_mac_present (container) != 1)
    return add_mac (container, *text);
  if (*text != NULL && **text != '\0')
    return PKCS12_verify_mac (container, *text, -1) == 1;

  *text = PKCS12_verify_mac (container, NULL, 0) == 1 ? NULL : "";
  return *text == NULL || PKCS12_verify_mac (container, "", 0) == 1;
}

/* What PKCS12_parse() says when a part does not open, the MAC being right or missing. */
static gboolean
part_did_not_open (void)
{
  unsigned long code = ERR_peek_error ();

  return ERR_GET_LIB (code) == ERR_LIB_PROV || ERR_GET_LIB (code) == ERR_LIB_EVP ||
         (ERR_GET_LIB (code) == ERR_LIB_PKCS12 && ERR_GET_REASON (code) == PKCS12_R_PKCS12_CIPHERFINAL_ERROR);
}

static void
set_parse_error (GError **error, GTlsSessionPassword password)
{
  g_autofree char *reason = NULL;

  if (part_did_not_open ())
    {
      g_tls_session_password_set_error (error, WHAT, password);
      return;
    }

  reason = g_tls_session_openssl_take_errors ();
  g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, WHAT " is corrupt (%s)", reason);
}

static gboolean
parse (PKCS12 *container, GTlsSessionPassword password, X509 **leaf, EVP_PKEY **key, X509Chain **others, GError **error)
{
  const char *text = (const char *) password.data;

  if (!password_fits (container, &text))
    {
      g_tls_session_password_set_error (error, WHAT, password);
      return FALSE;
    }

  g_tls_session_openssl_clear_errors ();
  if (PKCS12_parse (container, text, key, leaf, others) != 1)
    {
      set_parse_error (error, password);
      return FALSE;
    }
  return TRUE;
}

/* Gio's g_tls_certificate_new_from_pkcs12(): "It must contain a certificate and matching private key." */
static gboolean
is_whole (X509 *leaf, EVP_PKEY *key, GError **error)
{
  if (key != NULL && leaf != NULL)
    return TRUE;

  g_set_error_literal (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
                       key == NULL ? "There is no private key in the PKCS #12 data"
                                   : "There is no certificate in the PKCS #12 data that its private key belongs to");
  return FALSE;
}

static gboolean
read_whole (X509Chain *certificates)
{
  for (int i = 0; i < sk_X509_num (certificates); i++)
    {
      X509 *certificate = g_tls_session_x509_read_whole (sk_X509_value (certificates, i));

      sk_X509_set (certificates, i, certificate);
      if (certificate == NULL)
        return FALSE;
    }
  return TRUE;
}

/* The certificates of a PKCS #12, the one that the key belongs to first, and that key; both the caller's. The password
 * ends with a NUL byte.
 */
gboolean
g_tls_session_read_pkcs12 (const void *data,
                           gsize length,
                           GTlsSessionPassword password,
                           STACK_OF (X509) **certificates,
                           EVP_PKEY **key,
                           GError **error)
{
  g_autoptr (PKCS12) container = NULL;
  g_autoptr (X509) leaf = NULL;
  g_autoptr (EVP_PKEY) found_key = NULL;
  g_autoptr (X509Chain) others = NULL;
  gboolean sound;

  g_tls_session_openssl_clear_errors ();
  container = decode (data, length, error);
  sound = container != NULL && parse (container, password, &leaf, &found_key, &others, error) &&
          is_whole (leaf, found_key, error);
  g_tls_session_openssl_clear_errors ();
  if (!sound)
    return FALSE;

  if (others == NULL)
    others = sk_X509_new_null ();
  if (!x509_chain_push (others, g_steal_pointer (&leaf)) || !read_whole (others))
    {
      g_tls_session_openssl_set_error (error, "The certificates of the PKCS #12 data cannot be kept");
      return FALSE;
    }

  x509_chain_put_first (others, sk_X509_num (others) - 1);
  *certificates = g_steal_pointer (&others);
  *key = g_steal_pointer (&found_key);
  return TRUE;
}
