/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "openssl-error.h"

#include <gio/gio.h>
#include <openssl/err.h>

/* It is called before each operation, and ERR_clear_error() goes over the whole queue, also if that is empty. */
void
g_tls_session_openssl_clear_errors (void)
{
  if (ERR_peek_error () != 0)
    ERR_clear_error ();
}

static void
append_error (GString *text, unsigned long code, const char *detail, int flags)
{
  const char *reason = ERR_reason_error_string (code);

  if (text->len > 0)
    g_string_append (text, "; ");

  if (reason != NULL)
    g_string_append (text, reason);
  else
    g_string_append_printf (text, "OpenSSL error %08lX", code);

  if ((flags & ERR_TXT_STRING) != 0 && detail != NULL && *detail != '\0')
    g_string_append_printf (text, " (%s)", detail);
}

/* The text of the whole queue, the oldest error first; never NULL. */
char *
g_tls_session_openssl_take_errors (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  const char *detail;
  unsigned long code;
  int flags;

  while ((code = ERR_get_error_all (NULL, NULL, NULL, &detail, &flags)) != 0)
    append_error (text, code, detail, flags);

  if (text->len == 0)
    g_string_append (text, "OpenSSL gives no reason");

  return g_string_free (g_steal_pointer (&text), FALSE);
}

typedef struct
{
  unsigned long code;
  char *file;
  char *function;
  char *detail; /* NULL: there is none */
  int line;
} HeldError;

static void
held_error_clear (gpointer data)
{
  HeldError *self = data;

  g_free (self->file);
  g_free (self->function);
  g_free (self->detail);
}

GArray *
g_tls_session_openssl_hold_errors (void)
{
  GArray *held;
  const char *file, *function, *detail;
  unsigned long code;
  int line, flags;

  if (ERR_peek_error () == 0)
    return NULL;

  held = g_array_new (FALSE, FALSE, sizeof (HeldError));
  g_array_set_clear_func (held, held_error_clear);
  while ((code = ERR_get_error_all (&file, &line, &function, &detail, &flags)) != 0)
    {
      HeldError error = { code, g_strdup (file), g_strdup (function), NULL, line };

      if ((flags & ERR_TXT_STRING) != 0)
        error.detail = g_strdup (detail);
      g_array_append_val (held, error);
    }
  return held;
}

static void
put_back (const HeldError *error)
{
  ERR_new ();
  ERR_set_debug (error->file, error->line, error->function);
  if (error->detail != NULL)
    ERR_set_error (ERR_GET_LIB (error->code), ERR_GET_REASON (error->code), "%s", error->detail);
  else
    ERR_set_error (ERR_GET_LIB (error->code), ERR_GET_REASON (error->code), NULL);
}

void
g_tls_session_openssl_put_back_errors (GArray *held)
{
  g_tls_session_openssl_clear_errors ();
  if (held == NULL)
    return;

  for (guint i = 0; i < held->len; i++)
    put_back (&g_array_index (held, HeldError, i));
  g_array_unref (held);
}

void
g_tls_session_openssl_set_error (GError **error, const char *what)
{
  g_autofree char *reason = g_tls_session_openssl_take_errors ();

  g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_MISC, "%s: %s", what, reason);
}
