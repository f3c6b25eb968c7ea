/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "verify.h"

#include "../engine/openssl-error.h"
#include "openssl-auto.h"

#include <string.h>

/* NOTES:
 *
 * Who a peer should be comes as a GSocketConnectable, of which only some kinds have a name. That name is brought into
 * one form (ASCII, lower case, no dot at its end, no zone of an IPv6 address), which serves for the comparison here, for
 * SNI, and for the key that tickets are kept under.
 *
 * The comparison follows RFC 6125: a wildcard is a whole leftmost label and stands for exactly one label; an IP address
 * is compared with IP addresses only, never as text; the subject's common name counts only where the certificate has no
 * subject alternative name at all (section 6.4.4; OpenSSL by itself looks there also when the alternative names are just
 * not DNS names).
 */

/* RFC 1035 section 2.3.4; as text, without the last dot. */
#define MAX_NAME_LENGTH 253

/* A comparison must not read a pattern into the name that is looked for: OpenSSL takes ".example.org" for "anything under
 * example.org", and "*.example.org" equals a wildcard certificate's name.
 */
static gboolean
is_host_name (const char *name)
{
  gsize length = strlen (name);

  return length > 0 && length <= MAX_NAME_LENGTH && name[0] != '.' && strchr (name, '*') == NULL;
}

/* In one way of writing it, without the zone, which has a meaning on this host only (RFC 4007 section 6). */
static char *
normalise_ip (const char *name)
{
  g_autofree char *without_zone = g_strndup (name, strcspn (name, "%"));
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (without_zone);

  return address != NULL ? g_inet_address_to_string (address) : NULL;
}

static char *
normalise (const char *name)
{
  g_autofree char *ascii = g_hostname_to_ascii (name);
  g_autofree char *lower = ascii != NULL ? g_ascii_strdown (ascii, -1) : NULL;

  if (lower == NULL)
    return NULL;

  if (g_str_has_suffix (lower, "."))
    lower[strlen (lower) - 1] = '\0';
  if (g_tls_session_name_is_ip (lower))
    return normalise_ip (lower);

  return is_host_name (lower) ? g_steal_pointer (&lower) : NULL;
}

static char *
address_to_name (GInetSocketAddress *address)
{
  return g_inet_address_to_string (g_inet_socket_address_get_address (address));
}

/* The ASCII host name or the IP address that @identity stands for, to be freed with g_free(); NULL if it stands for
 * none, or for one that no host can have. Of a GProxyAddress it is the proxy's own address.
 */
char *
g_tls_session_identity_to_name (GSocketConnectable *identity)
{
  if (G_IS_NETWORK_ADDRESS (identity))
    return normalise (g_network_address_get_hostname (G_NETWORK_ADDRESS (identity)));
  if (G_IS_NETWORK_SERVICE (identity))
    return normalise (g_network_service_get_domain (G_NETWORK_SERVICE (identity)));
  if (G_IS_INET_SOCKET_ADDRESS (identity))
    return address_to_name (G_INET_SOCKET_ADDRESS (identity));
  return NULL;
}

gboolean
g_tls_session_name_is_ip (const char *name)
{
  return g_hostname_is_ip_address (name);
}

static gboolean
is_for_ip (X509 *leaf, const char *name)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (name);

  return address != NULL &&
         X509_check_ip (leaf, g_inet_address_to_bytes (address), g_inet_address_get_native_size (address), 0) == 1;
}

static gboolean
is_for_host (X509 *leaf, const char *name)
{
  unsigned int flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;

  if (X509_get_ext_by_NID (leaf, NID_subject_alt_name, -1) >= 0)
    flags |= X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;

  return X509_check_host (leaf, name, strlen (name), flags, NULL) == 1;
}

/* Whether @leaf is a certificate for @identity. An identity without a name is nobody's. */
gboolean
g_tls_session_verify_identity (X509 *leaf, GSocketConnectable *identity)
{
  g_autofree char *name = g_tls_session_identity_to_name (identity);
  gboolean matches;

  if (name == NULL)
    return FALSE;

  g_tls_session_openssl_clear_errors ();
  matches = g_tls_session_name_is_ip (name) ? is_for_ip (leaf, name) : is_for_host (leaf, name);
  g_tls_session_openssl_clear_errors ();
  return matches;
}
