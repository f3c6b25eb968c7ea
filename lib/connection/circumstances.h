/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What has to be the same about two connections for the second to resume the first's session without being told to.
 * All fields are text, in one form only: what is equal is the same.
 */
typedef struct
{
  char *server;                /* the server identity: name or address, and port */
  char *application_protocols; /* those of ALPN, in their order */
  char *certificate;           /* the client's: a digest */
  char *database;              /* the trusted certificates: a digest, or a mark of this process's */
  char *bounds;                /* protocol versions */
} GTlsSessionCircumstances;

void g_tls_session_circumstances_clear (GTlsSessionCircumstances *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GTlsSessionCircumstances, g_tls_session_circumstances_clear)

void g_tls_session_circumstances_copy (const GTlsSessionCircumstances *self, GTlsSessionCircumstances *copy);

char *g_tls_session_circumstances_to_key (const GTlsSessionCircumstances *self);

void g_tls_session_circumstances_note_kept (const GTlsSessionCircumstances *self, const char *store);

char *g_tls_session_circumstances_explain_none (const GTlsSessionCircumstances *self, const char *store);

G_END_DECLS
