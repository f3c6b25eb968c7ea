/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A relay between one client and a server. It holds back what the client sends until that is a ClientHello and one record
 * of early data, keeps a copy of it, sends it on, and from then on passes everything in both directions.
 */

typedef struct _FirstFlight FirstFlight;

FirstFlight *first_flight_relay (guint16 server_port);

guint16 first_flight_get_port (FirstFlight *self);

/* Waits until the connection has ended; owned by the caller, as is @self, which is freed. */
GBytes *first_flight_finish (FirstFlight *self);

G_END_DECLS
