/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "fault.h"
#include "peer.h"

G_BEGIN_DECLS

/* What lies between the connection under test and its peer, and does damage on demand. */
typedef struct _Wire Wire;

typedef enum
{
  TRANSPORT_STREAM, /* a pollable GIOStream */
  TRANSPORT_SOCKET, /* a GSocketConnection on a pair of sockets */
  N_TRANSPORTS,
} Transport;

/* How much passed since the wire was armed. */
typedef struct
{
  guint counts[N_UNITS];
} WireTraffic;

/* How long a read or a write waits before it is G_IO_ERROR_TIMED_OUT. */
#define WIRE_TIMEOUT 20 /* s */

/* @peer is borrowed. */
Wire *wire_new (Transport transport, Peer *peer);

void wire_free (Wire *self);

/* The near end, for the connection under test. */
GIOStream *wire_dup_stream (Wire *self);

/* Counts anew, and brings @fault. @cancellable, for FAULT_CANCEL, is borrowed and outlives the wire. */
void wire_arm (Wire *self, const Fault *fault, GCancellable *cancellable);

/* One piece in each direction; FALSE if there is nothing to pass. */
gboolean wire_move (Wire *self);

gboolean wire_has_struck (Wire *self);

/* Something that the peer said has not been passed on. */
gboolean wire_is_in_short (Wire *self);

/* What was changed, repeated or lost is more than the header of a record, or a record that says nothing. */
gboolean wire_damaged_body (Wire *self);

const WireTraffic *wire_get_traffic (Wire *self);

/* For the stream at the near end */

typedef enum
{
  NEAR_OPEN,
  NEAR_ENDED, /* nothing more comes */
  NEAR_RESET,
} NearState;

/* What a stream of memory, other than a socket, is made of. */
typedef struct
{
  GByteArray *to_read;
  GByteArray *written;
  NearState state;
  gboolean is_closed;
} Near;

#define NEAR_CAPACITY 4096 /* bytes written before somebody has to take them */

GIOStream *near_stream_new (Near *near);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Wire, wire_free)

G_END_DECLS
