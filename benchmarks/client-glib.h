/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "bench-client.h"

/* What the two clients on GIO share: streams, synchronous and asynchronous, and a crowd of them. Each has a table of
 * what only it knows.
 */

typedef struct
{
  /* Sessions of the same identity, which nobody asked for: so each full handshake has another identity. */
  gboolean resumes_by_itself;

  void (*prepare) (const char *ca_path);

  /* What stands for a connection: it, or a helper that has it. SOURCE: what gather() gave, to resume by, or NULL. */
  GObject *(*create) (GIOStream *base, GSocketConnectable *identity, GObject *source);
  GTlsConnection *(*get_connection) (GObject *self);

  /* What other connections can resume by, from one that was closed. */
  GList *(*gather) (GObject *self);
} BenchBackend;

extern const BenchBackend bench_backend;

GObject *bench_glib_create (GObject *source);

void bench_glib_crowd (unsigned n, unsigned rounds, BenchCrowd *crowd);
