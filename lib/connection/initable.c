/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "initable.h"

#include "connection-private.h"

static gboolean
initable_init (GInitable *initable, GCancellable *cancellable, GError **error)
{
  GTlsSessionConnection *connection = G_TLS_SESSION_CONNECTION (initable);

  if (connection->base != NULL)
    return TRUE;
  return g_tls_session_connection_init_base (connection, error);
}

void
g_tls_session_connection_initable_init (GInitableIface *iface)
{
  iface->init = initable_init;
}

/* Gio's own would start a thread for what never blocks. */
static void
init_async (GAsyncInitable *initable,
            int io_priority,
            GCancellable *cancellable,
            GAsyncReadyCallback callback,
            gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (initable, cancellable, callback, user_data);
  GError *error = NULL;

  g_task_set_source_tag (task, init_async);
  g_task_set_priority (task, io_priority);
  if (g_initable_init (G_INITABLE (initable), cancellable, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static gboolean
init_finish (GAsyncInitable *initable, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
g_tls_session_connection_async_initable_init (GAsyncInitableIface *iface)
{
  iface->init_async = init_async;
  iface->init_finish = init_finish;
}
