/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What can happen to a connection under way, and when. */

typedef enum
{
  FAULT_NONE,
  FAULT_END,     /* the peer's side ends: a FIN. It still reads */
  FAULT_RESET,   /* the connection is gone: an RST */
  FAULT_STALL,   /* nothing comes or goes any more */
  FAULT_CANCEL,  /* the GCancellable of the operation fires */
  FAULT_TRICKLE, /* a byte at a time for a while */
  FAULT_GARBAGE, /* some bytes are noise */
  FAULT_FLIP,    /* one bit of a byte is another */
  FAULT_REPEAT,  /* a record comes twice */
  FAULT_DROP,    /* a record is lost */
  N_FAULTS,
} FaultKind;

/* What is counted from the beginning of the phase, 0 being before anything has passed. */
typedef enum
{
  UNIT_OPERATION, /* pieces that pass, in whichever direction */
  UNIT_IN_BYTE,   /* to the connection under test */
  UNIT_OUT_BYTE,  /* from it */
  UNIT_IN_RECORD,
  UNIT_OUT_RECORD,
  N_UNITS,
} FaultUnit;

typedef struct
{
  FaultKind kind;
  FaultUnit unit;
  guint n;
} Fault;

extern const char *const fault_kind_names[N_FAULTS];

extern const char *const fault_unit_names[N_UNITS];

G_END_DECLS
