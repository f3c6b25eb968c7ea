/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Lets what is around a connection move on when somebody waits. TRUE: something has moved. */
typedef gboolean (*StageMove) (gpointer data);

/* Somebody waits for ever for what never comes. */
typedef void (*StageHang) (gpointer data);

/* From here on this thread waits only as long as something moves; then time passes at once. */
void stage_enter (StageMove move, StageHang hang, gpointer data);

void stage_leave (void);

G_END_DECLS
