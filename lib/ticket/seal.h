/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Keeps what a store writes down from everybody who has not its key. */

#define G_TLS_SESSION_SEAL_KEY_SIZE 32

typedef struct _GTlsSessionSeal GTlsSessionSeal;

GTlsSessionSeal *g_tls_session_seal_new (GBytes *key, GError **error);

void g_tls_session_seal_free (GTlsSessionSeal *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GTlsSessionSeal, g_tls_session_seal_free)

GBytes *g_tls_session_seal_make_key (GError **error);

char *g_tls_session_seal_hash_name (GTlsSessionSeal *self, const char *name, GError **error);

/* @text with its zero byte, then @bytes; wiped when the last reference goes. */
GBytes *g_tls_session_seal_join (const char *text, GBytes *bytes);

GBytes *g_tls_session_seal_close (GTlsSessionSeal *self, GBytes *content, const char *place, GError **error);

GBytes *g_tls_session_seal_open (GTlsSessionSeal *self, GBytes *sealed, const char *place, GError **error);

G_END_DECLS
