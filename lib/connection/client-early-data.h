/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../engine/engine.h"
#include "client-connection-private.h"

G_BEGIN_DECLS

/* A client's early data. */

typedef enum
{
  G_TLS_SESSION_FORECAST_NOT_MADE,
  G_TLS_SESSION_FORECAST_MADE,
} GTlsSessionForecast;

typedef struct
{
  GBytes *bytes;  /* a copy that is wiped when it is freed; NULL if there are none, and once they are not needed */
  gsize size;     /* 0: there are none */
  char *why_late; /* why they cannot go with the first flight: a clause; NULL if they can, and before the handshake */

  GTlsSessionForecast forecast;         /* of the verdict on the chain of the offered ticket */
  guint forecast_serial;                /* the connection's settings that it was made with */
  GTlsCertificateFlags forecast_faults; /* any at all; not only those that the program's flags look at */
} GTlsSessionClientEarlyData;

/* With the connection's lock held. */

GTlsSessionClientEarlyData *g_tls_session_client_connection_get_early (GTlsSessionClientConnection *self);

void g_tls_session_client_early_data_clear (GTlsSessionClientEarlyData *early);

gboolean g_tls_session_client_connection_wants_forecast (GTlsSessionClientConnection *self);

void g_tls_session_client_connection_note_forecast (GTlsSessionClientConnection *self,
                                                    guint settings_serial,
                                                    GTlsCertificateFlags faults);

void g_tls_session_client_connection_plan_early_data (GTlsSessionClientConnection *self,
                                                      GTlsSessionEngineSettings *settings);

void g_tls_session_client_connection_end_early_data (GTlsSessionClientConnection *self);

GTlsSessionEarlyDataStatus g_tls_session_client_connection_find_early_data_status (GTlsSessionClientConnection *self);

G_END_DECLS
