/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "verify.h"

#include "../engine/openssl-error.h"
#include "certificate-private.h"
#include "openssl-auto.h"

#include <string.h>

#include <openssl/objects.h>
#include <openssl/x509_vfy.h>

/* NOTES:
 *
 * The verdict on a chain (RFC 5280 section 6) is OpenSSL's; here it is asked for, and put into Gio's words. OpenSSL ends
 * at the first fault; here its callback notes each one and lets it go on, so that all that is wrong is told. The verdict
 * is what the callback noted, never just what X509_verify_cert() returned, which is 1 when every fault was passed over.
 *
 * Paths. From a leaf to an anchor there may be several: a certificate is renewed under the same name and key, authorities
 * sign each other's. OpenSSL takes the first issuer that fits, trusted ones before those that were sent, and does not turn
 * back from a dead end or from an anchor that is out of date (the fate of many on 2021-09-30). So where its path has a
 * fault and another way was possible, that is tried, a few times at most (RFC 4158 section 2.4). If none is good, the
 * faults told are those of the first path.
 *
 * Three choices:
 *
 * Anchors. Whatever certificate is in the store is trusted: a root, an intermediate, a server's own certificate
 * (X509_V_FLAG_PARTIAL_CHAIN). Gio says that the certificates in a file of anchors "will be treated as root authorities",
 * GLib's GnuTLS backend behaves so, and who puts a certificate there means it. It is still held to its dates.
 *
 * Strength. Keys and signatures need 112 bits of security, which RFC 9325 sections 4.2 to 4.5 ask for (RSA of 2048 bits;
 * no SHA-1), as Debian's and Ubuntu's OpenSSL do and everyone's from 3.2 on. Less is G_TLS_CERTIFICATE_INSECURE. An
 * anchor's own signature proves nothing and is not judged.
 *
 * Unknown faults. One that has no flag of its own is G_TLS_CERTIFICATE_GENERIC_ERROR. OpenSSL may add any.
 *
 * No file is written here and no network asked; a store of hashed directories reads from disk.
 */

/* A peer that sends a maze gets no more of our time: in a path, and in all that are tried after the first. */
#define MAX_ISSUERS 16
#define MAX_CERTIFICATES 64
#define SECURITY_LEVEL 2 /* SSL_CTX_set_security_level(3): 112 bits */

/* OpenSSL is not asked about revocation, nor about the identity. */
static GTlsCertificateFlags
fault_to_flag (int fault)
{
  switch (fault)
    {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
      return G_TLS_CERTIFICATE_UNKNOWN_CA;

    case X509_V_ERR_CERT_NOT_YET_VALID:
      return G_TLS_CERTIFICATE_NOT_ACTIVATED;

    case X509_V_ERR_CERT_HAS_EXPIRED:
      return G_TLS_CERTIFICATE_EXPIRED;

    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
      return G_TLS_CERTIFICATE_INSECURE;

    default:
      return G_TLS_CERTIFICATE_GENERIC_ERROR;
    }
}

typedef struct
{
  GTlsCertificateFlags faults;
  gboolean only_current; /* anchors that are out of date are not there */
} Judgement;

static int
note_fault_and_go_on (int ok, X509_STORE_CTX *context)
{
  Judgement *judgement = X509_STORE_CTX_get_app_data (context);

  if (ok != 1)
    judgement->faults |= fault_to_flag (X509_STORE_CTX_get_error (context));
  return 1;
}

/* OpenSSL takes the first anchor of the right name, though without key identifiers only the signature tells namesakes
 * apart. Where there are several, the one that signed @certificate comes to @issuer instead. FALSE if there was no memory
 * to know.
 */
static gboolean
choose_among_namesakes (X509 **issuer, X509_STORE_CTX *context, X509 *certificate)
{
  g_autoptr (X509Chain) namesakes = X509_STORE_CTX_get1_certs (context, X509_get_issuer_name (certificate));
  int found;

  if (namesakes == NULL)
    return FALSE; /* one was found, so there is one at least */
  if (sk_X509_num (namesakes) <= 1)
    return TRUE;
  if (!g_tls_session_chain_find_issuer (namesakes, certificate, &found))
    return FALSE;
  if (found >= 0)
    {
      X509_free (*issuer);
      *issuer = x509_ref (sk_X509_value (namesakes, found));
    }
  return TRUE;
}

/* OpenSSL's own choice, and ours, is one of today, if there is one. */
static int
find_anchor (X509 **issuer, X509_STORE_CTX *context, X509 *certificate)
{
  Judgement *judgement = X509_STORE_CTX_get_app_data (context);
  int found = X509_STORE_CTX_get1_issuer (issuer, context, certificate);

  if (found == 1 && !choose_among_namesakes (issuer, context, certificate))
    {
      g_clear_pointer (issuer, X509_free);
      return -1;
    }

  if (found != 1 || judgement == NULL || !judgement->only_current || g_tls_session_x509_is_current (*issuer))
    return found;

  X509_free (*issuer);
  *issuer = NULL;
  return 0;
}

/* The purposes that OpenSSL judges along the whole chain, extensions of all ages included. 0: another. */
static int
purpose_to_openssl (const char *purpose)
{
  if (strcmp (purpose, G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER) == 0)
    return X509_PURPOSE_SSL_SERVER;
  if (strcmp (purpose, G_TLS_DATABASE_PURPOSE_AUTHENTICATE_CLIENT) == 0)
    return X509_PURPOSE_SSL_CLIENT;
  return 0;
}

/* RFC 5280 section 4.2.1.12: without the extension a key may be used for any purpose. */
static gboolean
extended_key_usage_allows (X509 *leaf, const char *purpose)
{
  g_autoptr (ASN1_OBJECT) wanted = OBJ_txt2obj (purpose, 1);
  g_autoptr (EXTENDED_KEY_USAGE) allowed = NULL;
  int critical = -1;

  if (wanted == NULL)
    return FALSE;

  allowed = X509_get_ext_d2i (leaf, NID_ext_key_usage, &critical, NULL);
  if (allowed == NULL)
    return critical == -1; /* there is none; otherwise it is broken, or there are several */

  for (int i = 0; i < sk_ASN1_OBJECT_num (allowed); i++)
    {
      const ASN1_OBJECT *usage = sk_ASN1_OBJECT_value (allowed, i);

      if (OBJ_cmp (usage, wanted) == 0 || OBJ_obj2nid (usage) == NID_anyExtendedKeyUsage)
        return TRUE;
    }
  return FALSE;
}

static gboolean
prepare (X509_STORE_CTX *context, X509_STORE *store, X509Chain *chain, int purpose, Judgement *judgement)
{
  X509_VERIFY_PARAM *param;

  if (X509_STORE_CTX_init (context, store, sk_X509_value (chain, 0), chain) != 1)
    return FALSE;

  param = X509_STORE_CTX_get0_param (context);
  if (param == NULL || X509_VERIFY_PARAM_set_flags (param, X509_V_FLAG_PARTIAL_CHAIN) != 1)
    return FALSE;
  X509_VERIFY_PARAM_set_auth_level (param, SECURITY_LEVEL);
  X509_VERIFY_PARAM_set_depth (param, MAX_ISSUERS);

  if (purpose != 0 && X509_STORE_CTX_set_purpose (context, purpose) != 1)
    return FALSE;
  if (X509_STORE_CTX_set_app_data (context, judgement) != 1)
    return FALSE;
  X509_STORE_CTX_set_verify_cb (context, note_fault_and_go_on);
  return TRUE;
}

/* @path: the certificates that led from the leaf to an anchor, or to the end; nullable where nothing was built. */
static GTlsCertificateFlags
verify_path (X509_STORE *store, X509Chain *chain, int purpose, gboolean only_current, X509Chain **path)
{
  g_autoptr (X509_STORE_CTX) context = X509_STORE_CTX_new ();
  Judgement judgement = { .only_current = only_current };

  if (context == NULL || !prepare (context, store, chain, purpose, &judgement))
    return G_TLS_CERTIFICATE_GENERIC_ERROR;

  if (X509_verify_cert (context) != 1 && judgement.faults == 0)
    judgement.faults = G_TLS_CERTIFICATE_GENERIC_ERROR;
  *path = X509_STORE_CTX_get1_chain (context);
  return judgement.faults;
}

/* Other paths */

static gboolean
is_rival (X509 *one, X509 *other)
{
  return X509_NAME_cmp (X509_get_subject_name (one), X509_get_subject_name (other)) == 0 && X509_cmp (one, other) != 0;
}

/* @chain without @certificate; NULL if it is not in there, if nothing could take its place, or without memory. */
static X509Chain *
leave_to_rivals (X509Chain *chain, X509 *certificate)
{
  g_autoptr (X509Chain) rest = sk_X509_new_null ();
  gboolean has_rival = FALSE;

  for (int i = 0; i < sk_X509_num (chain); i++)
    {
      X509 *other = sk_X509_value (chain, i);

      has_rival |= is_rival (certificate, other);
      if (X509_cmp (certificate, other) != 0 && !x509_chain_push (rest, x509_ref (other)))
        return NULL;
    }
  return has_rival && sk_X509_num (rest) < sk_X509_num (chain) ? g_steal_pointer (&rest) : NULL;
}

typedef struct
{
  X509_STORE *store;
  int purpose;
  int certificates_left; /* to be looked at, each with a signature to check */
} Search;

static gboolean has_good_path (Search *search, X509Chain *chain);

static gboolean
has_good_path_beside (Search *search, X509Chain *chain, X509Chain *path)
{
  for (int i = 1; i < sk_X509_num (path); i++)
    {
      g_autoptr (X509Chain) rest = leave_to_rivals (chain, sk_X509_value (path, i));

      if (rest != NULL && has_good_path (search, rest))
        return TRUE;
    }
  return FALSE;
}

static gboolean
has_good_path (Search *search, X509Chain *chain)
{
  g_autoptr (X509Chain) path = NULL;

  if (search->certificates_left <= 0)
    return FALSE;
  if (verify_path (search->store, chain, search->purpose, TRUE, &path) == 0)
    return TRUE;

  search->certificates_left -= MAX (1, sk_X509_num (path));
  return has_good_path_beside (search, chain, path);
}

static gboolean
passes_one_out_of_date (X509Chain *path)
{
  for (int i = 1; i < sk_X509_num (path); i++)
    if (!g_tls_session_x509_is_current (sk_X509_value (path, i)))
      return TRUE;
  return FALSE;
}

static GTlsCertificateFlags
verify_best_path (X509_STORE *store, X509Chain *chain, int purpose, GTlsSessionPathMemory *memory)
{
  Search search = { .store = store, .purpose = purpose, .certificates_left = MAX_CERTIFICATES };
  g_autoptr (X509Chain) path = NULL;
  GTlsCertificateFlags faults;

  if (memory != NULL && g_tls_session_path_memory_knows (memory, store, chain, purpose))
    return 0;

  faults = verify_path (store, chain, purpose, FALSE, &path);
  if (faults == 0 && memory != NULL && path != NULL)
    g_tls_session_path_memory_note (memory, store, chain, purpose, path);

  if (faults == 0 || (passes_one_out_of_date (path) && has_good_path (&search, chain)) ||
      has_good_path_beside (&search, chain, path))
    return 0;
  return faults;
}

/* Every store that is verified against needs this. */
void
g_tls_session_store_prepare (X509_STORE *store)
{
  X509_STORE_set_get_issuer (store, find_anchor);
}

/* A store that trusts @anchors and nothing else, the caller's. NULL if OpenSSL cannot make it; then its queue says why.
 */
X509_STORE *
g_tls_session_store_new (STACK_OF (X509) *anchors)
{
  g_autoptr (X509_STORE) store = NULL;

  g_tls_session_openssl_clear_errors ();
  store = X509_STORE_new ();
  if (store == NULL)
    return NULL;

  for (int i = 0; i < sk_X509_num (anchors); i++)
    if (X509_STORE_add_cert (store, sk_X509_value (anchors, i)) != 1)
      return NULL;

  g_tls_session_store_prepare (store);
  g_tls_session_openssl_clear_errors ();
  return g_steal_pointer (&store);
}

/* The verdict on @chain, leaf first; 0 only if it is good.
 *
 * @store: what to trust; nullable: nothing. @purpose: an OID, G_TLS_DATABASE_PURPOSE_…; nullable: not judged. @identity:
 * who the leaf must be for; nullable: not judged. @memory: of paths in @store; nullable.
 */
GTlsCertificateFlags
g_tls_session_verify_chain (X509_STORE *store,
                            STACK_OF (X509) *chain,
                            const char *purpose,
                            GSocketConnectable *identity,
                            GTlsSessionPathMemory *memory)
{
  g_autoptr (X509_STORE) nothing = NULL;
  GTlsCertificateFlags faults = 0;
  int openssl_purpose = purpose != NULL ? purpose_to_openssl (purpose) : 0;

  g_tls_session_openssl_clear_errors ();

  if (chain == NULL || sk_X509_num (chain) == 0)
    return G_TLS_CERTIFICATE_GENERIC_ERROR | G_TLS_CERTIFICATE_UNKNOWN_CA;

  if (store == NULL)
    {
      faults |= G_TLS_CERTIFICATE_UNKNOWN_CA;
      nothing = X509_STORE_new ();
      if (nothing == NULL)
        return faults | G_TLS_CERTIFICATE_GENERIC_ERROR;
      store = nothing;
    }

  faults |= verify_best_path (store, chain, openssl_purpose, memory);
  if (purpose != NULL && openssl_purpose == 0 && !extended_key_usage_allows (sk_X509_value (chain, 0), purpose))
    faults |= G_TLS_CERTIFICATE_GENERIC_ERROR;
  if (identity != NULL && !g_tls_session_verify_identity (sk_X509_value (chain, 0), identity))
    faults |= G_TLS_CERTIFICATE_BAD_IDENTITY;

  g_tls_session_openssl_clear_errors ();
  return faults;
}
