/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session-memo.h"

#include <string.h>
#include <time.h>

/* NOTES:
 *
 * What a server's session has to remember beside what OpenSSL keeps of it: when its full handshake was (a resumed TLS
 * 1.3 session gives new tickets, and would live for ever), and the client's whole chain (OpenSSL keeps the leaf only,
 * and a resumed connection is judged by the whole chain). It travels inside the ticket, sealed by the ticket's key.
 *
 * 8 bytes: seconds since 1970, big-endian. Then certificates in DER, leaf first, one after the other.
 */

#define TIME_SIZE 8

static void
append_now (GByteArray *bytes)
{
  guint64 now = GUINT64_TO_BE ((guint64) time (NULL));

  g_byte_array_append (bytes, (const guint8 *) &now, TIME_SIZE);
}

static gboolean
append_certificate (GByteArray *bytes, X509 *certificate)
{
  unsigned char *der = NULL;
  int length = i2d_X509 (certificate, &der);

  if (length <= 0)
    return FALSE;

  g_byte_array_append (bytes, der, (guint) length);
  OPENSSL_free (der);
  return TRUE;
}

/* For a session that begins now. @chain: nullable. */
gboolean
g_tls_session_memo_store (SSL_SESSION *session, STACK_OF (X509) *chain)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  append_now (bytes);
  for (int i = 0; i < sk_X509_num (chain); i++)
    if (!append_certificate (bytes, sk_X509_value (chain, i)))
      return FALSE;

  return SSL_SESSION_set1_ticket_appdata (session, bytes->data, bytes->len) == 1;
}

static const guint8 *
get_memo (SSL_SESSION *session, size_t *length)
{
  void *data = NULL;

  *length = 0;
  if (SSL_SESSION_get0_ticket_appdata (session, &data, length) != 1 || data == NULL || *length < TIME_SIZE)
    return NULL;
  return data;
}

gboolean
g_tls_session_memo_exists (SSL_SESSION *session)
{
  size_t length;

  return get_memo (session, &length) != NULL;
}

/* Seconds since the full handshake; G_MAXINT64 if that is not known. */
gint64
g_tls_session_memo_get_age (SSL_SESSION *session)
{
  size_t length;
  const guint8 *memo = get_memo (session, &length);
  guint64 begun;

  if (memo == NULL)
    return G_MAXINT64;

  memcpy (&begun, memo, TIME_SIZE);
  return (gint64) time (NULL) - (gint64) GUINT64_FROM_BE (begun);
}

static STACK_OF (X509) *
decode_chain (const guint8 *der, size_t length)
{
  STACK_OF (X509) *chain = sk_X509_new_null ();
  const unsigned char *at = der;

  while (chain != NULL && at < der + length)
    {
      X509 *certificate = d2i_X509 (NULL, &at, (long) (der + length - at));

      if (certificate != NULL && sk_X509_push (chain, certificate) > 0)
        continue;

      X509_free (certificate);
      sk_X509_pop_free (chain, X509_free);
      return NULL;
    }
  return chain;
}

/* Owned by the caller; NULL if there is none, or none that could be read. */
STACK_OF (X509) *
g_tls_session_memo_load_chain (SSL_SESSION *session)
{
  size_t length;
  const guint8 *memo = get_memo (session, &length);

  return memo != NULL && length > TIME_SIZE ? decode_chain (memo + TIME_SIZE, length - TIME_SIZE) : NULL;
}
