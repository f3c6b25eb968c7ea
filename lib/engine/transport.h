/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What carries the engine's bytes. It never blocks. The engine knows no more of the world below than this. */

typedef enum
{
  G_TLS_SESSION_TRANSPORT_DONE,
  G_TLS_SESSION_TRANSPORT_WOULD_BLOCK,
  G_TLS_SESSION_TRANSPORT_END, /* the peer has ended its side: a FIN */
  G_TLS_SESSION_TRANSPORT_ERROR,
} GTlsSessionTransportStatus;

typedef struct
{
  GTlsSessionTransportStatus (*read) (gpointer data, void *buffer, gsize size, gsize *n_read, GError **error);
  GTlsSessionTransportStatus (*write) (gpointer data, const void *bytes, gsize size, gsize *n_written, GError **error);
} GTlsSessionTransportFuncs;

typedef struct
{
  const GTlsSessionTransportFuncs *funcs;
  gpointer data; /* outlives the engine */
} GTlsSessionTransport;

G_END_DECLS
