/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mill.h"

#include <string.h>
#include <time.h>

Mill *
mill_new_aged (HandshakeKind kind, gint64 age)
{
  g_autoptr (Pair) pair = pair_new (kind);
  g_autoptr (Link) link = link_new (pair, NULL);
  SSL_SESSION *session = pair_get_session (pair);
  Mill *self = g_new0 (Mill, 1);
  const unsigned char *name;
  size_t length;
  gsize size;
  guint8 *der;

  SSL_SESSION_set_time (session, (long) (time (NULL) - age));
  self->recipe = recipe_new (session, link_get_chain (link));

  g_assert_true (SSL_SESSION_has_ticket (session));
  SSL_SESSION_get0_ticket (session, &name, &length);
  g_assert_cmpuint (length, >=, sizeof (guint32));
  der = g_bytes_unref_to_data (self->recipe->session, &size);
  self->name = find_bytes (der, size, name, length);
  g_assert_nonnull (self->name);
  self->recipe->session = g_bytes_new_take (der, size);
  return self;
}

Mill *
mill_new (HandshakeKind kind)
{
  return mill_new_aged (kind, 0);
}

void
mill_free (Mill *self)
{
  recipe_free (self->recipe);
  g_free (self);
}

GTlsSessionTicket *
mill_make (Mill *self, guint number)
{
  guint32 bytes = GUINT32_TO_BE ((guint32) number);
  g_autoptr (GBytes) cooked = NULL;

  memcpy (self->name, &bytes, sizeof bytes);
  cooked = cook (self->recipe);
  return read_ticket (cooked);
}

GTlsSessionTicket *
mill_make_one (HandshakeKind kind, guint number)
{
  g_autoptr (Mill) mill = mill_new (kind);

  return mill_make (mill, number);
}
