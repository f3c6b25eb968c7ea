/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtls-session.h>

#include "test-server.h"

G_BEGIN_DECLS

/* The client's side of the C tests. What fails here ends the test. */

GIOStream *client_connect_tcp_to (guint16 port);

GIOStream *client_connect_tcp (TestServer *server);

GTlsSessionHelper *client_prepare_to (guint16 port, const char *ca_path);

GTlsSessionHelper *client_prepare (TestServer *server);

GTlsSessionHelper *client_prepare_for (TestServer *server, const char *name);

GTlsSessionHelper *client_prepare_over (TestServer *server, GIOStream *base);

GTlsConnection *client_connection (GTlsSessionHelper *helper);

void client_handshake (GTlsSessionHelper *helper);

GTlsSessionHelper *client_connect (TestServer *server);

GTlsSessionHelper *client_connect_with_ticket (TestServer *server);

GTlsSessionHelper *client_resume (TestServer *server, GTlsSessionHelper *source);

void client_write (GTlsSessionHelper *helper, const void *bytes, gsize size);

void client_read (GTlsSessionHelper *helper, void *buffer, gsize size);

void client_exchange (GTlsSessionHelper *helper, const char *text);

void client_close (GTlsSessionHelper *helper);

guint client_count_tickets (GTlsSessionHelper *helper);

/* Runs the thread-default main context until *@done. */
void client_run_until (const gboolean *done);

/* An async call's callback: keeps the result in a GAsyncResult * that @data points to. */
void client_keep_result (GObject *object, GAsyncResult *result, gpointer data);

GAsyncResult *client_await (GAsyncResult **result);

/* @count, or a tenth of it where everything is slow (under valgrind). */
guint client_scale (guint count);

G_END_DECLS
