/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The one header a program includes. */

#include "connection/gtls-session-client-connection.h"
#include "connection/gtls-session-connection.h"
#include "connection/gtls-session-early-data-status.h"
#include "connection/gtls-session-resumption.h"
#include "connection/gtls-session-server-connection.h"
#include "gtls-session-macros.h"
#include "gtls-session-version.h"
#include "helper/gtls-session-helper.h"
#include "module/gtls-session-backend.h"
#include "ticket/gtls-session-error.h"
#include "ticket/gtls-session-file-store.h"
#include "ticket/gtls-session-memory-store.h"
#include "ticket/gtls-session-redis-store.h"
#include "ticket/gtls-session-store-entry.h"
#include "ticket/gtls-session-store.h"
#include "ticket/gtls-session-ticket-keys.h"
#include "ticket/gtls-session-ticket.h"
#include "trust/gtls-session-certificate.h"
#include "trust/gtls-session-database.h"
#include "trust/gtls-session-file-database.h"
