/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connection-private.h"

/* NOTES:
 *
 * Tickets arrive and properties change while a step runs with the lock held, perhaps in a thread of the program's that
 * knows nothing of who listens. Nothing is emitted then: it is noted, and told afterwards, without the lock, where it
 * is expected: in the main context that was thread-default when the connection was made, or right away in a call made
 * from there. A language binding must not see a signal in any other thread.
 */

/* With the lock held. */
void
g_tls_session_connection_note_change (GTlsSessionConnection *self, const char *property)
{
  GParamSpec *pspec = g_object_class_find_property (G_OBJECT_GET_CLASS (self), property);

  g_return_if_fail (pspec != NULL);
  if (!g_ptr_array_find (self->changed, pspec, NULL))
    g_ptr_array_add (self->changed, pspec);
}

static gboolean
has_news (GTlsSessionConnection *self)
{
  return self->changed->len > 0 || !g_queue_is_empty (&self->new_tickets);
}

static gboolean
is_expected_here (GTlsSessionConnection *self)
{
  GMainContext *here = g_main_context_get_thread_default ();

  if (here == NULL)
    here = g_main_context_default ();
  return g_main_context_is_owner (self->context) || (g_thread_self () == self->home && here == self->context);
}

static void
tell_ticket (GTlsSessionTicket *ticket, GPtrArray *observers)
{
  for (guint i = 0; i < observers->len; i++)
    {
      GTlsSessionTicketObserver *observer = g_ptr_array_index (observers, i);

      observer->func (observer->object, ticket);
    }
}

/* Tells one piece of news; FALSE if there was none. */
static gboolean
tell_one (GTlsSessionConnection *self)
{
  g_autoptr (GTlsSessionTicket) ticket = NULL;
  g_autoptr (GPtrArray) observers = NULL;
  GParamSpec *pspec = NULL;

  g_mutex_lock (&self->lock);
  if (self->changed->len > 0)
    pspec = g_ptr_array_steal_index (self->changed, 0);
  else if ((ticket = g_queue_pop_head (&self->new_tickets)) != NULL)
    observers = g_tls_session_ticket_shelf_list_observers (self->shelf);
  g_mutex_unlock (&self->lock);

  if (pspec != NULL)
    g_object_notify_by_pspec (G_OBJECT (self), pspec);
  if (ticket != NULL)
    tell_ticket (ticket, observers);
  return pspec != NULL || ticket != NULL;
}

static void
tell_all (GTlsSessionConnection *self)
{
  g_autoptr (GTlsSessionConnection) alive = g_object_ref (self);

  while (tell_one (alive))
    ;
}

static gboolean
on_idle (gpointer data)
{
  GTlsSessionConnection *self = data;

  g_mutex_lock (&self->lock);
  self->announcement = G_TLS_SESSION_ANNOUNCEMENT_NONE;
  g_mutex_unlock (&self->lock);

  tell_all (self);
  return G_SOURCE_REMOVE;
}

static void
queue_announcement (GTlsSessionConnection *self)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_static_name (source, "gtls-session announcement");
  g_source_set_callback (source, on_idle, g_object_ref (self), g_object_unref);
  g_source_attach (source, self->context);
}

/* Tells what has been noted, here or where it is expected. Without the lock. */
void
g_tls_session_connection_announce (GTlsSessionConnection *self)
{
  gboolean tell_here = FALSE;
  gboolean queue_it = FALSE;

  g_mutex_lock (&self->lock);
  if (has_news (self) && self->context != NULL)
    {
      tell_here = is_expected_here (self);
      queue_it = !tell_here && self->announcement == G_TLS_SESSION_ANNOUNCEMENT_NONE;
      if (queue_it)
        self->announcement = G_TLS_SESSION_ANNOUNCEMENT_QUEUED;
    }
  g_mutex_unlock (&self->lock);

  if (tell_here)
    tell_all (self);
  if (queue_it)
    queue_announcement (self);
}
