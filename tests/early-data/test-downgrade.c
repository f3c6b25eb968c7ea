/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "early-client.h"

#define PERMITTED 16384
#define EARLY "early bird. "

/* RFC 8446, section 4.2.10: a client that has sent early data fails if the server goes back to an older version. */
static void
fail_at_a_downgrade (void)
{
  g_autoptr (EarlyServer) server = early_server_new (PERMITTED);
  g_autoptr (GTlsSessionTicket) ticket = early_get_ticket (server);
  g_autoptr (GTlsSessionHelper) helper = NULL;

  early_server_set_maximum (server, G_TLS_PROTOCOL_VERSION_TLS_1_2);
  helper = early_prepare (server);
  early_set (helper, ticket, EARLY, strlen (EARLY));
  early_fail (helper, "early data had been sent and may have arrived");
  early_assert_status (helper, G_TLS_SESSION_EARLY_DATA_STATUS_UNCERTAIN);
  early_assert_explains (helper, "may have arrived");
  g_io_stream_close (G_IO_STREAM (client_connection (helper)), NULL, NULL);
  g_assert_null (early_server_get_record (server, 1)->early_data);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/early-data-downgrade/fail_at_a_downgrade", fail_at_a_downgrade);

  return g_test_run ();
}
