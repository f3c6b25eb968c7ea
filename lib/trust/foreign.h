/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gtls-session-certificate.h"

G_BEGIN_DECLS

GTlsCertificate *g_tls_session_certificate_for_database (GTlsSessionCertificate *certificate, GTlsDatabase *database);

G_END_DECLS
