/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Makes this library's certificates and databases those of Gio's own functions, for the rest of the process. */
void become_the_backend_of_gio (void);

G_END_DECLS
