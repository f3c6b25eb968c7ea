/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

char *g_tls_session_object_mark (GObject *object);

char *g_tls_session_database_mark (GTlsDatabase *database);

G_END_DECLS
