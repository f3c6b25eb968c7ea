/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "certificate-private.h"

/* Until encrypted private keys are kept: none is locked. */

gboolean
g_tls_session_certificate_is_locked (GTlsSessionCertificate *self)
{
  return FALSE;
}

gboolean
g_tls_session_certificate_unlock (GTlsSessionCertificate *self, const guint8 *password, gsize length, GError **error)
{
  return TRUE;
}
