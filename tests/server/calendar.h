/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* This program's calendar, which a story can turn on: hours pass without a wait. It never goes back. What is made after
 * that (certificates, tickets) is dated by it.
 */

void calendar_advance (gint64 seconds);

gint64 calendar_now (void);

/* Sees that OpenSSL reads this calendar, without which all stories that turn it on would prove nothing. */
void calendar_check (void);

G_END_DECLS
