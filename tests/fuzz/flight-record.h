/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  guint8 type;
  GByteArray *content;
  gboolean was_added; /* by the script */
} FlightRecord;

FlightRecord *flight_record_new (guint8 type, const guint8 *content, gsize size);

void flight_record_free (gpointer record);

/* Records, and the record protection of TLS 1.3 (RFC 8446, section 5.2) with TLS_AES_128_GCM_SHA256 */

typedef struct
{
  guint8 key[16];
  guint8 iv[12];
  guint64 n_opened;
  guint64 n_closed;
} FlightKeys;

void flight_keys_derive (FlightKeys *keys, const guint8 *secret, gsize size);

/* To the next secret, behind a KeyUpdate (section 7.2). */
void flight_secret_update (guint8 *secret, gsize size);

/* NULL if it does not open. */
FlightRecord *flight_keys_open (FlightKeys *keys, const guint8 *record, gsize size);

void flight_keys_close (FlightKeys *keys, const FlightRecord *record, GByteArray *out);

G_END_DECLS
