/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scenario.h"

#include <stdlib.h>
#include <string.h>

const char *const shape_names[N_SHAPES] = { "full",  "resumed",      "early-data", "client-certificate",
                                            "tls12", "tls12-resumed" };

const ShapeTraits shape_traits[N_SHAPES] = {
  [SHAPE_FULL] = { G_TLS_PROTOCOL_VERSION_TLS_1_3, FALSE, FALSE, FALSE },
  [SHAPE_RESUMED] = { G_TLS_PROTOCOL_VERSION_TLS_1_3, TRUE, FALSE, FALSE },
  [SHAPE_EARLY_DATA] = { G_TLS_PROTOCOL_VERSION_TLS_1_3, TRUE, TRUE, FALSE },
  [SHAPE_CLIENT_CERTIFICATE] = { G_TLS_PROTOCOL_VERSION_TLS_1_3, FALSE, FALSE, TRUE },
  [SHAPE_TLS12] = { G_TLS_PROTOCOL_VERSION_TLS_1_2, FALSE, FALSE, FALSE },
  [SHAPE_TLS12_RESUMED] = { G_TLS_PROTOCOL_VERSION_TLS_1_2, TRUE, FALSE, FALSE },
};

const char *const driver_names[N_DRIVERS] = { "sync", "async" };

const char *const transport_names[N_TRANSPORTS] = { "stream", "socket" };

const char *const phase_names[N_PHASES] = { "handshake",   "first-read", "bulk-read",  "bulk-write",
                                            "ticket-wait", "close",      "first-write" };

gboolean
phase_shakes_hands (Phase phase)
{
  return phase == PHASE_HANDSHAKE || phase == PHASE_FIRST_WRITE;
}

char *
case_to_string (const Case *self)
{
  return g_strdup_printf ("%s/%s/%s/%s/%s/%s-%u", shape_names[self->shape], driver_names[self->driver],
                          transport_names[self->transport], phase_names[self->phase],
                          fault_kind_names[self->fault.kind], fault_unit_names[self->fault.unit], self->fault.n);
}

static gboolean
find (const char *const *names, guint n_names, const char *name, guint *place)
{
  for (guint i = 0; i < n_names; i++)
    if (g_str_equal (names[i], name))
      {
        *place = i;
        return TRUE;
      }
  return FALSE;
}

gboolean
case_from_string (const char *name, Case *place)
{
  g_auto (GStrv) parts = g_strsplit (name, "/", -1);
  guint shape, driver, transport, phase, kind, unit;
  char *dash;

  if (g_strv_length (parts) != 6 || (dash = strrchr (parts[5], '-')) == NULL)
    return FALSE;

  *dash = '\0';
  if (!find (shape_names, N_SHAPES, parts[0], &shape) || !find (driver_names, N_DRIVERS, parts[1], &driver) ||
      !find (transport_names, N_TRANSPORTS, parts[2], &transport) || !find (phase_names, N_PHASES, parts[3], &phase) ||
      !find (fault_kind_names, N_FAULTS, parts[4], &kind) || !find (fault_unit_names, N_UNITS, parts[5], &unit))
    return FALSE;

  *place = (Case){ .shape = shape,
                   .driver = driver,
                   .transport = transport,
                   .phase = phase,
                   .fault = { kind, unit, (guint) strtoul (dash + 1, NULL, 10) } };
  return TRUE;
}
