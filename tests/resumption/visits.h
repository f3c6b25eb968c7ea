/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtls-session.h>

#include "test-server.h"

G_BEGIN_DECLS

/* Connections that resume without being asked to, and come and go. */

void forget_all (void);

guint count_kept_peers (void);

GTlsSessionHelper *prepare_for (TestServer *server, const char *name);

GTlsSessionHelper *prepare (TestServer *server);

GTlsSessionHelper *prepare_with_certificate (TestServer *server, TestCertificate which);

void use_store (GTlsSessionHelper *helper, gpointer store);

GTlsSessionResumption visit_with (GTlsSessionHelper *helper);

GTlsSessionResumption visit (TestServer *server);

void assert_explains (GTlsSessionHelper *helper, const char *clause);

G_END_DECLS
