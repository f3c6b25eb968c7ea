/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dlfcn.h>
#include <string.h>

#include <glib.h>

/* NOTES:
 *
 * Preloaded into glib-networking's test programs, which insist on the backend that they were built for: they set
 * GIO_USE_TLS and GIO_MODULE_DIR themselves, compare the name of the backend's type, and hand their PKCS #11 module to
 * GnuTLS, from a path where it is not unpacked. Here the environment stays as it is, and the backend has to be ours.
 */

#define THEIR_BACKEND "GTlsBackendgnutls"
#define OUR_BACKEND "GTlsSessionBackend"

int gnutls_pkcs11_add_provider (const char *name, const char *parameters);

gboolean
g_setenv (const char *variable, const char *value, gboolean overwrite)
{
  gboolean (*next) (const char *, const char *, gboolean) = dlsym (RTLD_NEXT, "g_setenv");

  if (strcmp (variable, "GIO_USE_TLS") == 0 || strcmp (variable, "GIO_MODULE_DIR") == 0)
    return TRUE;
  return next (variable, value, overwrite);
}

int
g_ascii_strcasecmp (const char *one, const char *other)
{
  int (*next) (const char *, const char *) = dlsym (RTLD_NEXT, "g_ascii_strcasecmp");

  if (strcmp (other, THEIR_BACKEND) == 0)
    return strcmp (one, OUR_BACKEND);
  return next (one, other);
}

int
gnutls_pkcs11_add_provider (const char *name, const char *parameters)
{
  return 0;
}
