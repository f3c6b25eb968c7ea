/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtls-session.h>

#include "wire.h"

G_BEGIN_DECLS

/* A connection of ours meets a fault: which kind of connection, by which calls, over what, and what it was about. */

typedef enum
{
  SHAPE_FULL,
  SHAPE_RESUMED,
  SHAPE_EARLY_DATA,
  SHAPE_CLIENT_CERTIFICATE,
  SHAPE_TLS12,
  SHAPE_TLS12_RESUMED,
  N_SHAPES,
} Shape;

typedef enum
{
  DRIVER_SYNC,
  DRIVER_ASYNC,
  N_DRIVERS,
} Driver;

typedef enum
{
  PHASE_HANDSHAKE,
  PHASE_FIRST_READ,
  PHASE_BULK_READ,
  PHASE_BULK_WRITE,
  PHASE_TICKET_WAIT, /* a client's only */
  PHASE_CLOSE,
  PHASE_FIRST_WRITE, /* a server's only, which has shaken no hands yet */
  N_PHASES,
} Phase;

extern const char *const shape_names[N_SHAPES];

typedef struct
{
  GTlsProtocolVersion version;
  gboolean resumes;
  gboolean has_early_data;
  gboolean has_certificate; /* the client's */
} ShapeTraits;

extern const ShapeTraits shape_traits[N_SHAPES];

#define PERMITTED_EARLY 16384 /* bytes of early data */

extern const char *const driver_names[N_DRIVERS];

extern const char *const transport_names[N_TRANSPORTS];

extern const char *const phase_names[N_PHASES];

/* The handshake is a part of it. */
gboolean phase_shakes_hands (Phase phase);

typedef struct
{
  Shape shape;
  Driver driver;
  Transport transport;
  Phase phase;
  Fault fault;
} Case;

/* "resumed/async/socket/bulk-read/flip/in-byte-1234"; owned by the caller. */
char *case_to_string (const Case *self);

gboolean case_from_string (const char *name, Case *place);

typedef struct
{
  gboolean opened;       /* the handshake was done, by the end */
  gboolean struck;       /* the fault came to be before the phase was over */
  gboolean in_short;     /* something that the peer had said did not get through */
  gboolean damaged_body; /* see wire_damaged_body() */
  GError *error;         /* what the phase ended with; NULL: well */
  GError *close_error;   /* what the close after it ended with */
  char *flaw;            /* what nothing excuses; NULL: nothing */
  WireTraffic traffic;   /* of the phase */
  GBytes *ticket;        /* one that the client got, in whatever form; nullable */
} Outcome;

void outcome_clear (Outcome *self);

/* Why it did not go well, owned by the caller; NULL: it did. */
char *outcome_steal_failure (Outcome *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Outcome, outcome_clear)

G_END_DECLS
