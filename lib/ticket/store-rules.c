/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store-rules.h"

#include <time.h>

#include "ticket-private.h"

/* When @ticket stops being given out, in seconds since 1970: at its own end, or at the age of @max_age seconds. */
gint64
g_tls_session_store_last_use (GTlsSessionTicket *ticket, guint max_age)
{
  return MIN (g_date_time_to_unix (g_tls_session_ticket_get_expires (ticket)),
              g_date_time_to_unix (g_tls_session_ticket_get_received (ticket)) + max_age);
}

/* A program may have offered the ticket by hand, since it was put into the store. */
static gboolean
is_used_up (GTlsSessionTicket *ticket)
{
  return g_tls_session_ticket_get_single_use (ticket) && g_tls_session_ticket_get_uses (ticket) > 0;
}

gboolean
g_tls_session_store_may_give_out (GTlsSessionTicket *ticket, guint max_age)
{
  return g_tls_session_ticket_is_usable (ticket) && !is_used_up (ticket) &&
         time (NULL) < g_tls_session_store_last_use (ticket, max_age);
}

/* The property max-age of a store, in seconds. */
GParamSpec *
g_tls_session_store_make_max_age_property (void)
{
  return g_param_spec_uint ("max-age", NULL, NULL, 1, G_TLS_SESSION_TICKET_MAX_LIFETIME,
                            G_TLS_SESSION_STORE_DEFAULT_MAX_AGE,
                            G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
}
