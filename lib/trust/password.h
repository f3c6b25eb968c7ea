/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Bytes to open something with; borrowed. In PKCS #8 and PKCS #12 they should be UTF-8. */
typedef struct
{
  const guint8 *data; /* nullable: no password is known, which is not the same as an empty one */
  gsize length;
} GTlsSessionPassword;

GTlsSessionPassword g_tls_session_password_from_text (const char *text);

int g_tls_session_password_tell_pem (char *buffer, int size, int for_writing, void *password);

void g_tls_session_password_set_error (GError **error, const char *what, GTlsSessionPassword password);

void g_tls_session_secret_free (char *secret);

G_END_DECLS
