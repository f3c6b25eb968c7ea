/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "client.h"
#include "early-server.h"

G_BEGIN_DECLS

#define TICKET_TIMEOUT 60000 /* ms */

/* How a handshake is done */
typedef enum
{
  EARLY_WAY_HANDSHAKE,
  EARLY_WAY_HANDSHAKE_ASYNC,
  EARLY_WAY_WRITE,             /* by the first write, which blocks */
  EARLY_WAY_WRITE_ASYNC,       /* by the first write, in a main context */
  EARLY_WAY_WRITE_NONBLOCKING, /* by the first write of a pollable stream */
  EARLY_N_WAYS,
} EarlyWay;

extern const char *early_way_names[EARLY_N_WAYS];

GTlsSessionHelper *early_prepare (EarlyServer *server);

GTlsSessionTicket *early_get_ticket_with (EarlyServer *server, const char *const *alpn);

GTlsSessionTicket *early_get_ticket (EarlyServer *server);

void early_set (GTlsSessionHelper *helper, GTlsSessionTicket *ticket, const void *bytes, gsize size);

/* The handshake, and then "rest" is written. */
void early_go (GTlsSessionHelper *helper, EarlyWay way);

void early_fail (GTlsSessionHelper *helper, const char *words);

void early_assert_status (GTlsSessionHelper *helper, GTlsSessionEarlyDataStatus status);

/* What the server of connection @index got, as early data and then as ordinary data. NULL: no early data. */
void early_assert_arrived (EarlyServer *server, guint index, const char *early_data, const char *stream);

void early_assert_explains (GTlsSessionHelper *helper, const char *words);

G_END_DECLS
