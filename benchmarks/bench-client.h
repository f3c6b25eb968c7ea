/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What the benchmarks' clients have in common. */

G_NORETURN void fail (const char *what);

gint64 cpu_time (void);

int connect_socket (guint16 port);
