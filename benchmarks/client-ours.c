/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* This library, by its helper. No store: each ticket is handed on, as with the other clients. */

#include <gtls-session.h>

#include "client-glib.h"

static GTlsDatabase *database;

static void
prepare (const char *ca_path)
{
  if (ca_path == NULL)
    return;
  database = G_TLS_DATABASE (g_tls_session_file_database_new (ca_path, NULL));
  if (database == NULL)
    bench_fail ("there is no database");
}

static GTlsConnection *
get_connection (GObject *self)
{
  return G_TLS_CONNECTION (g_tls_session_helper_get_connection (G_TLS_SESSION_HELPER (self)));
}

static GObject *
create (GIOStream *base, GSocketConnectable *identity, GObject *ticket)
{
  GTlsSessionHelper *helper = g_tls_session_helper_new_for_stream (base, identity, NULL);
  GTlsConnection *connection;

  if (helper == NULL)
    bench_fail ("there is no helper");
  connection = get_connection (G_OBJECT (helper));
  if (database != NULL)
    g_tls_connection_set_database (connection, database);
  g_tls_session_client_connection_set_session_store (G_TLS_SESSION_CLIENT_CONNECTION (connection), NULL);
  if (ticket != NULL && !g_tls_session_helper_set_ticket (helper, G_TLS_SESSION_TICKET (ticket), NULL))
    bench_fail ("the ticket cannot be offered");
  return G_OBJECT (helper);
}

static GList *
gather (GObject *self)
{
  return g_tls_session_helper_list_tickets (G_TLS_SESSION_HELPER (self));
}

const BenchBackend bench_backend = {
  .prepare = prepare,
  .create = create,
  .get_connection = get_connection,
  .gather = gather,
};
