/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* Everything that is not marked with this stays inside the library. */
#ifndef G_TLS_SESSION_API
#if defined(_WIN32)
#define G_TLS_SESSION_API extern
#else
#define G_TLS_SESSION_API extern __attribute__ ((visibility ("default")))
#endif
#endif
