/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ticket-shelf.h"

#include "../ticket/ticket-private.h"

typedef struct
{
  GWeakRef object;
  GTlsSessionTicketFunc func;
} WeakObserver;

struct _GTlsSessionTicketShelf
{
  GPtrArray *tickets;   /* GTlsSessionTicket */
  GPtrArray *observers; /* WeakObserver */
};

static void
weak_observer_free (WeakObserver *observer)
{
  g_weak_ref_clear (&observer->object);
  g_free (observer);
}

GTlsSessionTicketShelf *
g_tls_session_ticket_shelf_new (void)
{
  GTlsSessionTicketShelf *self = g_new0 (GTlsSessionTicketShelf, 1);

  self->tickets = g_ptr_array_new_with_free_func (g_object_unref);
  self->observers = g_ptr_array_new_with_free_func ((GDestroyNotify) weak_observer_free);
  return self;
}

void
g_tls_session_ticket_shelf_free (GTlsSessionTicketShelf *self)
{
  g_ptr_array_unref (self->tickets);
  g_ptr_array_unref (self->observers);
  g_free (self);
}

void
g_tls_session_ticket_shelf_add (GTlsSessionTicketShelf *self, GTlsSessionTicket *ticket)
{
  g_ptr_array_add (self->tickets, g_object_ref (ticket));
  if (self->tickets->len > G_TLS_SESSION_TICKETS_MAX)
    g_ptr_array_remove_index (self->tickets, 0);
}

static gboolean
is_unused (GTlsSessionTicket *ticket)
{
  return g_tls_session_ticket_get_uses (ticket) == 0;
}

/* The ticket to offer next: the newest that nobody has offered yet, else the one that was offered least; NULL if none
 * can be used any more. Owned by the caller.
 */
GTlsSessionTicket *
g_tls_session_ticket_shelf_pick (GTlsSessionTicketShelf *self)
{
  GTlsSessionTicket *best = NULL;

  for (guint i = 0; i < self->tickets->len; i++)
    {
      GTlsSessionTicket *ticket = g_ptr_array_index (self->tickets, i);

      if (g_tls_session_ticket_is_usable (ticket) &&
          (best == NULL || g_tls_session_ticket_get_uses (ticket) <= g_tls_session_ticket_get_uses (best)))
        best = ticket;
    }
  return best != NULL ? g_object_ref (best) : NULL;
}

gboolean
g_tls_session_ticket_shelf_has_unused (GTlsSessionTicketShelf *self)
{
  g_autoptr (GTlsSessionTicket) ticket = g_tls_session_ticket_shelf_pick (self);

  return ticket != NULL && is_unused (ticket);
}

gboolean
g_tls_session_ticket_shelf_is_empty (GTlsSessionTicketShelf *self)
{
  return self->tickets->len == 0;
}

/* All of them, the expired ones too; owned by the caller. */
GList *
g_tls_session_ticket_shelf_list (GTlsSessionTicketShelf *self)
{
  GList *list = NULL;

  for (guint i = self->tickets->len; i > 0; i--)
    list = g_list_prepend (list, g_object_ref (g_ptr_array_index (self->tickets, i - 1)));
  return list;
}

/* @func is called for every ticket that is announced from now on, for as long as @observer lives. */
void
g_tls_session_ticket_shelf_observe (GTlsSessionTicketShelf *self, GObject *observer, GTlsSessionTicketFunc func)
{
  WeakObserver *weak = g_new0 (WeakObserver, 1);

  g_weak_ref_init (&weak->object, observer);
  weak->func = func;
  g_ptr_array_add (self->observers, weak);
}

static void
observer_free (GTlsSessionTicketObserver *observer)
{
  g_object_unref (observer->object);
  g_free (observer);
}

/* Those that are alive, as GTlsSessionTicketObserver, so that they can be called without the lock; forgets the others. */
GPtrArray *
g_tls_session_ticket_shelf_list_observers (GTlsSessionTicketShelf *self)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) observer_free);

  for (guint i = self->observers->len; i > 0; i--)
    {
      WeakObserver *weak = g_ptr_array_index (self->observers, i - 1);
      GObject *object = g_weak_ref_get (&weak->object);

      if (object == NULL)
        {
          g_ptr_array_remove_index (self->observers, i - 1);
        }
      else
        {
          GTlsSessionTicketObserver *observer = g_new0 (GTlsSessionTicketObserver, 1);

          observer->object = object;
          observer->func = weak->func;
          g_ptr_array_insert (list, 0, observer);
        }
    }
  return list;
}
