/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engine/engine.h"
#include "flight-record.h"
#include "fuzz.h"

G_BEGIN_DECLS

/* NOTES:
 *
 * An engine and a peer on OpenSSL alone talk through memory, and what the peer says is changed on its way. The keys are
 * new each time, so an input is not a flight but a script that says what is to be changed in one. The script knows the
 * peer's secrets (OpenSSL's key log tells them): it changes what is inside a record of TLS 1.3 and closes it again, so the
 * change gets past the record's authentication, as a hostile peer's would. In TLS 1.2 it does so until the
 * ChangeCipherSpec.
 *
 * A script is a mode (1 byte, FlightMode) and edits: the number of the peer's record that it is about, an operation
 * (FlightOperation), a position (2 bytes), a length (1 byte), and for some operations as many bytes.
 *
 * What must hold: no flight in which the handshake was changed before the peer's Finished message opens a connection; every
 * failure is an error with words; everything ends.
 */

enum
{
  FLIGHT_TLS_1_2 = 1 << 0,
  FLIGHT_RESUMED = 1 << 1,
  FLIGHT_CLIENT_CERTIFICATE = 1 << 2,
  FLIGHT_RAW = 1 << 3,       /* no peer: what follows the mode is all that comes */
  FLIGHT_BYTE_WISE = 1 << 4, /* it trickles */
  FLIGHT_ALPN = 1 << 5,
};

typedef enum
{
  FLIGHT_OVERWRITE,
  FLIGHT_INSERT,
  FLIGHT_DELETE,     /* no bytes follow */
  FLIGHT_REPLACE,    /* all of the record's content */
  FLIGHT_ADD_BEFORE, /* a record; its type is the position's lower byte */
  FLIGHT_DROP,       /* no bytes follow */
  FLIGHT_REPEAT,     /* no bytes follow */
  FLIGHT_RETYPE,     /* to the position's lower byte; no bytes follow */
  FLIGHT_CUT,        /* the stream ends in the midst of the record; no bytes follow */
  FLIGHT_N_OPERATIONS,
} FlightOperation;

#define FLIGHT_MEND_LENGTH 0x80 /* with an operation: the message's length is set right after it */

typedef struct
{
  guint8 mode;
  const guint8 *edits;
  gsize size;
} FlightScript;

/* flight-script.c: a record on its way */

/* What becomes of the peer's record number @number: FlightRecord, none or several. @cut: how much of the last one gets
 * through before the stream ends; -1: all.
 */
GPtrArray *flight_script_apply (const FlightScript *script,
                                guint number,
                                guint8 type,
                                const guint8 *content,
                                gsize size,
                                int *cut);

/* flight.c */

typedef enum
{
  FLIGHT_TO_CLIENT, /* the engine is a client */
  FLIGHT_TO_SERVER,
} FlightDirection;

void flight_init (FlightDirection direction);

void flight_run (const guint8 *data, gsize size);

void flight_make_seeds (FuzzAddSeed add, gpointer data);

G_END_DECLS
