/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "database-private.h"

#include "../engine/openssl-error.h"
#include "certificate-private.h"
#include "certificate-reader.h"
#include "openssl-auto.h"

#include <string.h>

#include <openssl/x509_vfy.h>

/* NOTES:
 *
 * Single certificates out of a database. By the name of their subject the store finds them itself. By anything else all of
 * them are looked through, which for the system's database means to read its directories: some 16 ms on a Debian 12. That
 * is done anew each time, because hardly a program ever asks.
 *
 * There are no asynchronous forms here: GTlsDatabase's own call these in a thread.
 *
 * A handle is the SHA-256 digest of the DER as a URI (RFC 6920): it outlives the process and is the same everywhere.
 */

#define HANDLE_PREFIX "ni:///sha-256;"

/* Finding */

/* Of the subject @name, into @found: NULL or empty if there are none. FALSE if there was no memory to know. OpenSSL has one
 * answer for both; a no is believed when it comes twice, and there is memory behind it.
 */
static gboolean
find_by_name (X509_STORE *store, const X509_NAME *name, X509Chain **found)
{
  g_autoptr (X509_STORE_CTX) context = NULL;

  *found = NULL;
  if (store == NULL)
    return TRUE;

  context = X509_STORE_CTX_new ();
  if (context == NULL || X509_STORE_CTX_init (context, store, NULL, NULL) != 1)
    return FALSE;

  *found = X509_STORE_CTX_get1_certs (context, name);
  if (*found == NULL)
    *found = X509_STORE_CTX_get1_certs (context, name);
  return *found != NULL || g_tls_session_there_is_memory ();
}

static gboolean
add_missing (X509Chain *all, X509Chain *more)
{
  for (int i = 0; i < sk_X509_num (more); i++)
    if (!g_tls_session_chain_contains (all, sk_X509_value (more, i)) &&
        !x509_chain_push (all, x509_ref (sk_X509_value (more, i))))
      return FALSE;
  return TRUE;
}

/* Files that cannot be read are passed over, as OpenSSL does when it looks for a name. */
static gboolean
add_file (X509Chain *all, const char *directory, const char *name)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  g_autofree char *contents = NULL;
  g_autoptr (X509Chain) certificates = NULL;
  gsize length;

  if (!g_tls_session_read_file (path, &contents, &length, NULL))
    return TRUE;

  certificates = g_tls_session_read_certificates (contents, length, NULL);
  if (certificates == NULL)
    return g_tls_session_there_is_memory ();
  return add_missing (all, certificates);
}

static gboolean
add_directory (X509Chain *all, const char *path)
{
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    if (g_tls_session_is_hashed_name (name) && !add_file (all, path, name))
      return FALSE;
  return TRUE;
}

/* NULL if OpenSSL has no memory. */
static X509Chain *
list_all (GTlsSessionDatabase *self)
{
  g_autoptr (X509_STORE) store = g_tls_session_database_ref_store (self);
  g_autoptr (X509Chain) all = store != NULL ? X509_STORE_get1_all_certs (store) : sk_X509_new_null ();

  for (gsize i = 0; all != NULL && self->directories != NULL && self->directories[i] != NULL; i++)
    if (!add_directory (all, self->directories[i]))
      return NULL;
  return g_steal_pointer (&all);
}

/* What a lookup asks of each certificate */

static char *
make_handle (X509 *certificate)
{
  guint8 digest[32];
  unsigned int size = sizeof digest;
  g_autofree char *text = NULL;

  if (X509_digest (certificate, EVP_sha256 (), digest, &size) != 1)
    return NULL;

  text = g_base64_encode (digest, size);
  g_strdelimit (text, "+", '-');
  g_strdelimit (text, "/", '_');
  g_strdelimit (text, "=", '\0');
  return g_strconcat (HANDLE_PREFIX, text, NULL);
}

typedef enum
{
  IS_ANOTHER,
  IS_WANTED,
  IS_UNKNOWN, /* there was no memory to look */
} Match;

static Match
has_handle (X509 *certificate, gconstpointer handle)
{
  g_autofree char *own = make_handle (certificate);

  if (own == NULL)
    return IS_UNKNOWN;
  return g_str_equal (own, handle) ? IS_WANTED : IS_ANOTHER;
}

static Match
is_issued_by (X509 *certificate, gconstpointer name)
{
  return X509_NAME_cmp (X509_get_issuer_name (certificate), name) == 0 ? IS_WANTED : IS_ANOTHER;
}

static void
free_certificates (GList *certificates)
{
  g_list_free_full (certificates, g_object_unref);
}

/* FALSE if it is not known of one of @all. */
static gboolean
select_matching (X509Chain *all,
                 Match (*match) (X509 *certificate, gconstpointer data),
                 gconstpointer data,
                 GList **list)
{
  for (int i = sk_X509_num (all) - 1; i >= 0; i--)
    {
      X509 *certificate = sk_X509_value (all, i);

      switch (match (certificate, data))
        {
        case IS_WANTED:
          *list = g_list_prepend (*list, g_tls_session_certificate_new_from_x509 (certificate));
          break;
        case IS_UNKNOWN:
          return FALSE;
        case IS_ANOTHER:
        default:
          break;
        }
    }
  return TRUE;
}

/* Of GTlsCertificate. @match: is asked of each certificate of the database. */
static GList *
list_matching (GTlsDatabase *database,
               Match (*match) (X509 *certificate, gconstpointer data),
               gconstpointer data,
               GError **error)
{
  g_autoptr (X509Chain) all = list_all (G_TLS_SESSION_DATABASE (database));
  GList *list = NULL;

  if (all == NULL || !select_matching (all, match, data, &list))
    {
      g_clear_pointer (&list, free_certificates);
      g_tls_session_openssl_set_error (error, "The certificates of the database cannot be listed");
      return NULL;
    }
  g_tls_session_openssl_clear_errors ();
  return list;
}

/* As Gio calls it */

/* Whether to look at all. No certificate here has a key, so who wants one with a key gets none, and no error. */
static gboolean
may_look (GTlsDatabaseLookupFlags flags, GCancellable *cancellable, GError **error)
{
  return !g_cancellable_set_error_if_cancelled (cancellable, error) && (flags & G_TLS_DATABASE_LOOKUP_KEYPAIR) == 0;
}

static char *
g_tls_session_database_create_certificate_handle (GTlsDatabase *database, GTlsCertificate *certificate)
{
  g_autoptr (X509_STORE) store = g_tls_session_database_ref_store (G_TLS_SESSION_DATABASE (database));
  g_autoptr (X509) x509 = g_tls_session_x509_from_certificate (certificate);
  g_autoptr (X509Chain) namesakes = NULL;
  gboolean is_there = x509 != NULL && find_by_name (store, X509_get_subject_name (x509), &namesakes) &&
                      g_tls_session_chain_contains (namesakes, x509);

  g_tls_session_openssl_clear_errors ();
  return is_there ? make_handle (x509) : NULL;
}

static GTlsCertificate *
g_tls_session_database_lookup_certificate_for_handle (GTlsDatabase *database,
                                                      const char *handle,
                                                      GTlsInteraction *interaction,
                                                      GTlsDatabaseLookupFlags flags,
                                                      GCancellable *cancellable,
                                                      GError **error)
{
  GList *found;
  GTlsCertificate *certificate;

  if (!may_look (flags, cancellable, error) || !g_str_has_prefix (handle, HANDLE_PREFIX))
    return NULL;

  found = list_matching (database, has_handle, handle, error);
  certificate = found != NULL ? g_object_ref (found->data) : NULL;
  g_list_free_full (found, g_object_unref);
  return certificate;
}

static GTlsCertificate *
g_tls_session_database_lookup_certificate_issuer (GTlsDatabase *database,
                                                  GTlsCertificate *certificate,
                                                  GTlsInteraction *interaction,
                                                  GTlsDatabaseLookupFlags flags,
                                                  GCancellable *cancellable,
                                                  GError **error)
{
  g_autoptr (X509_STORE) store = NULL;
  g_autoptr (X509) x509 = NULL;
  g_autoptr (X509Chain) namesakes = NULL;
  int found;

  if (!may_look (flags, cancellable, error))
    return NULL;

  x509 = g_tls_session_x509_from_certificate (certificate);
  if (x509 == NULL)
    {
      g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
                   "The issuer cannot be looked up: the certificate (%s) cannot be read",
                   G_OBJECT_TYPE_NAME (certificate));
      return NULL;
    }

  store = g_tls_session_database_ref_store (G_TLS_SESSION_DATABASE (database));
  if (!find_by_name (store, X509_get_issuer_name (x509), &namesakes) ||
      !g_tls_session_chain_find_issuer (namesakes, x509, &found))
    {
      g_set_error_literal (error, G_TLS_ERROR, G_TLS_ERROR_MISC,
                           "The issuer cannot be looked up: there is no memory to check who signed the certificate");
      g_tls_session_openssl_clear_errors ();
      return NULL;
    }
  g_tls_session_openssl_clear_errors ();
  if (found < 0)
    return NULL;
  return G_TLS_CERTIFICATE (g_tls_session_certificate_new_from_x509 (sk_X509_value (namesakes, found)));
}

static X509_NAME *
decode_name (const GByteArray *der, GError **error)
{
  const unsigned char *end = der->data;
  g_autoptr (X509_NAME) name = der->len > 0 ? d2i_X509_NAME (NULL, &end, (long) der->len) : NULL;

  g_tls_session_openssl_clear_errors ();
  if (name == NULL || end != der->data + der->len)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                           "The name of the issuer is not a distinguished name in DER");
      return NULL;
    }
  return g_steal_pointer (&name);
}

static GList *
g_tls_session_database_lookup_certificates_issued_by (GTlsDatabase *database,
                                                      GByteArray *issuer_raw_dn,
                                                      GTlsInteraction *interaction,
                                                      GTlsDatabaseLookupFlags flags,
                                                      GCancellable *cancellable,
                                                      GError **error)
{
  g_autoptr (X509_NAME) name = NULL;

  if (!may_look (flags, cancellable, error))
    return NULL;

  name = decode_name (issuer_raw_dn, error);
  return name != NULL ? list_matching (database, is_issued_by, name, error) : NULL;
}

void
g_tls_session_database_class_add_lookups (GTlsDatabaseClass *class)
{
  class->create_certificate_handle = g_tls_session_database_create_certificate_handle;
  class->lookup_certificate_for_handle = g_tls_session_database_lookup_certificate_for_handle;
  class->lookup_certificate_issuer = g_tls_session_database_lookup_certificate_issuer;
  class->lookup_certificates_issued_by = g_tls_session_database_lookup_certificates_issued_by;
}
