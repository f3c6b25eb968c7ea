/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backend-private.h"

/* libgiogtlssession.so: what GIO loads. All of it is in the library, which the module is linked with, so that a program
 * that uses both has each type once.
 */

G_TLS_SESSION_API void g_io_module_load (GIOModule *module);
G_TLS_SESSION_API void g_io_module_unload (GIOModule *module);
G_TLS_SESSION_API char **g_io_module_query (void);

void
g_io_module_load (GIOModule *module)
{
  /* The types are static: what made them must stay. */
  g_type_module_use (G_TYPE_MODULE (module));
  g_tls_session_backend_register ();
}

void
g_io_module_unload (GIOModule *module)
{
}

/* For gio-querymodules: the module need not be loaded for any other extension point. */
char **
g_io_module_query (void)
{
  const char *points[] = { G_TLS_BACKEND_EXTENSION_POINT_NAME, NULL };

  return g_strdupv ((char **) points);
}
