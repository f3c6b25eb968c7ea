/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tickets.h"

#include <string.h>

#include "ticket/gtls-session-error.h"

#define HANDLE_OFFSET 16 /* behind the name of the server's key */
#define HANDLE_SIZE 8

struct _TicketMaker
{
  Recipe *recipe;
  guint64 number;
  guint64 handle; /* the bytes that differ, as they are in the recipe now */
};

TicketMaker *
ticket_maker_new (HandshakeKind kind)
{
  TicketMaker *self = g_new0 (TicketMaker, 1);
  g_autoptr (Pair) pair = pair_new (kind);
  g_autoptr (Link) link = link_new (pair, NULL);
  const unsigned char *handle;
  size_t length;

  SSL_SESSION_get0_ticket (pair_get_session (pair), &handle, &length);
  g_assert_cmpuint (length, >, HANDLE_OFFSET + HANDLE_SIZE);
  memcpy (&self->handle, handle + HANDLE_OFFSET, HANDLE_SIZE);
  self->recipe = recipe_new (pair_get_session (pair), link_get_chain (link));
  self->number = (guint64) g_random_int () << 32;
  return self;
}

void
ticket_maker_free (TicketMaker *self)
{
  recipe_free (self->recipe);
  g_free (self);
}

GTlsSessionTicket *
ticket_maker_make (TicketMaker *self)
{
  guint64 handle = ++self->number;
  g_autoptr (GBytes) bytes = NULL;

  change_session (self->recipe, (const char *) &self->handle, (const char *) &handle, HANDLE_SIZE);
  self->handle = handle;
  bytes = cook (self->recipe);
  return read_ticket (bytes);
}

void
put (gpointer store, const char *key, GTlsSessionTicket *ticket)
{
  g_autoptr (GError) error = NULL;
  gboolean kept = g_tls_session_store_put (store, key, ticket, &error);

  g_assert_no_error (error);
  g_assert_true (kept);
}

void
assert_takes (gpointer store, const char *key, GTlsSessionTicket *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionTicket) ticket = g_tls_session_store_take (store, key, &error);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GBytes) expected_bytes = g_tls_session_ticket_to_bytes (expected);

  g_assert_no_error (error);
  g_assert_nonnull (ticket);
  bytes = g_tls_session_ticket_to_bytes (ticket);
  g_assert_cmpstr (g_tls_session_ticket_get_id (ticket), ==, g_tls_session_ticket_get_id (expected));
  g_assert_true (g_bytes_equal (bytes, expected_bytes));
}

void
assert_has_none (gpointer store, const char *key)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionTicket) ticket = g_tls_session_store_take (store, key, &error);

  g_assert_no_error (error);
  g_assert_null (ticket);
}

void
save (gpointer store, const char *name, const char *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  g_autoptr (GError) error = NULL;
  gboolean saved = g_tls_session_store_save_bytes (store, name, bytes, &error);

  g_assert_no_error (error);
  g_assert_true (saved);
}

void
assert_loads (gpointer store, const char *name, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_tls_session_store_load_bytes (store, name, &error);

  g_assert_no_error (error);
  if (text == NULL)
    {
      g_assert_null (bytes);
      return;
    }
  g_assert_nonnull (bytes);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), text, strlen (text));
}

void
assert_says (const GError *error, const char *first, const char *second)
{
  const char *at;

  g_assert_error (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE);
  g_test_message ("%s", error->message);
  at = strstr (error->message, first);
  if (at == NULL || strstr (at, second) == NULL)
    g_error ("\"%s\" should have said \"%s … %s\"", error->message, first, second);
}
