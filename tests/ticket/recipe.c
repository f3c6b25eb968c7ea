/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe.h"

#include <string.h>

#include <openssl/err.h>

#include "ticket/gtls-session-error.h"

/* Recipes */

GBytes *
session_to_der (SSL_SESSION *session)
{
  int length = i2d_SSL_SESSION (session, NULL);
  guint8 *der = g_malloc (length), *end = der;

  g_assert_cmpint (i2d_SSL_SESSION (session, &end), ==, length);
  return g_bytes_new_take (der, length);
}

static GBytes *
certificate_to_der (X509 *certificate)
{
  unsigned char *der = NULL;
  int length = i2d_X509 (certificate, &der);
  GBytes *bytes = g_bytes_new (der, length);

  OPENSSL_free (der);
  return bytes;
}

void
recipe_free (Recipe *self)
{
  g_bytes_unref (self->session);
  g_bytes_unref (self->server_name);
  g_bytes_unref (self->trailing);
  g_ptr_array_unref (self->certificates);
  g_free (self);
}

Recipe *
recipe_new (SSL_SESSION *session, STACK_OF (X509) *chain)
{
  Recipe *self = g_new0 (Recipe, 1);

  self->version = 1;
  self->received = SSL_SESSION_get_time (session);
  self->session = session_to_der (session);
  self->server_name = g_bytes_new_static (HANDSHAKE_HOST, strlen (HANDSHAKE_HOST));
  self->certificates = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  for (int i = 0; i < sk_X509_num (chain); i++)
    g_ptr_array_add (self->certificates, certificate_to_der (sk_X509_value (chain, i)));
  self->claimed_certificates = self->certificates->len;
  self->trailing = g_bytes_new_static ("", 0);
  return self;
}

void
replace (GBytes **bytes, gconstpointer data, gsize length)
{
  g_bytes_unref (*bytes);
  *bytes = g_bytes_new (data, length);
}

void
append_bytes (GByteArray *array, GBytes *bytes)
{
  g_byte_array_append (array, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

void
append_u32 (GByteArray *array, guint32 value)
{
  const guint8 bytes[] = { value >> 24, value >> 16, value >> 8, value };

  g_byte_array_append (array, bytes, sizeof bytes);
}

static void
append_field (GByteArray *array, GBytes *field)
{
  append_u32 (array, (guint32) g_bytes_get_size (field));
  append_bytes (array, field);
}

/* Sets the length of the whole, and the checksum behind it. */
GBytes *
seal (GByteArray *array)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  guint32 length = GUINT32_TO_BE (array->len + DIGEST_SIZE);
  guint8 digest[DIGEST_SIZE];
  gsize digest_size = sizeof digest;

  memcpy (array->data + 8, &length, 4);
  g_checksum_update (checksum, array->data, array->len);
  g_checksum_get_digest (checksum, digest, &digest_size);
  g_byte_array_append (array, digest, sizeof digest);
  return g_byte_array_free_to_bytes (array);
}

GBytes *
cook (const Recipe *recipe)
{
  GByteArray *array = g_byte_array_new ();

  g_byte_array_append (array, (const guint8 *) "GTLSTKT", 7);
  g_byte_array_append (array, &recipe->version, 1);
  append_u32 (array, 0);
  append_u32 (array, recipe->flags);
  append_u32 (array, (guint32) ((guint64) recipe->received >> 32));
  append_u32 (array, (guint32) recipe->received);
  append_field (array, recipe->session);
  append_field (array, recipe->server_name);
  append_u32 (array, recipe->claimed_certificates);
  for (guint i = 0; i < recipe->certificates->len; i++)
    append_field (array, recipe->certificates->pdata[i]);
  append_bytes (array, recipe->trailing);
  return seal (array);
}

Recipe *
recipe_of_kind (HandshakeKind kind)
{
  g_autoptr (Pair) pair = pair_new (kind);
  g_autoptr (Link) link = NULL;

  pair_set_application_protocol (pair, HANDSHAKE_PROTOCOL);
  pair_set_lifetime (pair, 100);
  link = link_new (pair, NULL);
  return recipe_new (pair_get_session (pair), link_get_chain (link));
}

Recipe *
sound_recipe (void)
{
  return recipe_of_kind (HANDSHAKE_TLS_1_3);
}

/* Puts @new_bytes in the place of @old_bytes, where the session's DER has them. */
void
change_session (Recipe *recipe, const char *old_bytes, const char *new_bytes, gsize length)
{
  gsize size;
  guint8 *der = g_bytes_unref_to_data (g_steal_pointer (&recipe->session), &size);
  guint8 *place = find_bytes (der, size, old_bytes, length);

  g_assert_nonnull (place);
  memcpy (place, new_bytes, length);
  recipe->session = g_bytes_new_take (der, size);
}

/* Verdicts */

void
assert_bad (GBytes *bytes, const char *message)
{
  g_autoptr (GError) error = NULL;

  ERR_raise (ERR_LIB_USER, ERR_R_INTERNAL_ERROR); /* somebody else's, from before */
  g_assert_null (g_tls_session_ticket_new_from_bytes (bytes, &error));
  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_BAD_DATA);
  g_assert_cmpuint (ERR_peek_error (), ==, 0);
  if (message != NULL && strstr (error->message, message) == NULL)
    g_error ("\"%s\" should have said \"%s\"", error->message, message);
}

void
assert_data_bad (gconstpointer data, gsize length, const char *message)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, length); /* a block of its own, so that ASan sees its end */

  assert_bad (bytes, message);
}

void
assert_recipe_bad (const Recipe *recipe, const char *message)
{
  g_autoptr (GBytes) bytes = cook (recipe);

  assert_bad (bytes, message);
}

GTlsSessionTicket *
read_ticket (GBytes *bytes)
{
  g_autoptr (GError) error = NULL;
  GTlsSessionTicket *ticket = g_tls_session_ticket_new_from_bytes (bytes, &error);

  g_assert_no_error (error);
  g_assert_nonnull (ticket);
  return ticket;
}

GTlsSessionTicket *
there_and_back (GTlsSessionTicket *ticket)
{
  g_autoptr (GBytes) bytes = g_tls_session_ticket_to_bytes (ticket);

  return read_ticket (bytes);
}
