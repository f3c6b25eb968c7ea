/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stub-store.h"

static void stub_store_store_init (GTlsSessionStoreInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (StubStore,
                               stub_store,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TLS_SESSION_TYPE_STORE, stub_store_store_init))

static gboolean
answer_call (StubStore *self, GError **error)
{
  if (self->failure != NULL && *self->failure != '\0')
    g_set_error_literal (error, G_TLS_SESSION_ERROR, G_TLS_SESSION_ERROR_STORE, self->failure);
  return self->failure == NULL;
}

static gboolean
begin_call (StubStore *self, const char *key, GError **error)
{
  self->called_in = g_thread_self ();
  g_free (self->last_key);
  self->last_key = g_strdup (key);
  if (self->on_call != NULL)
    self->on_call (self);
  return answer_call (self, error);
}

static gboolean
stub_store_put (GTlsSessionStore *store, const char *key, GTlsSessionTicket *ticket, GError **error)
{
  StubStore *self = STUB_STORE (store);

  self->n_puts++;
  return begin_call (self, key, error) &&
         g_tls_session_store_put (G_TLS_SESSION_STORE (self->inner), key, ticket, error);
}

static GTlsSessionTicket *
stub_store_take (GTlsSessionStore *store, const char *key, GError **error)
{
  StubStore *self = STUB_STORE (store);

  self->n_takes++;
  return begin_call (self, key, error) ? g_tls_session_store_take (G_TLS_SESSION_STORE (self->inner), key, error)
                                       : NULL;
}

static gboolean
stub_store_remove (GTlsSessionStore *store, const char *key, GTlsSessionTicket *ticket, GError **error)
{
  StubStore *self = STUB_STORE (store);

  self->n_removes++;
  return answer_call (self, error) &&
         g_tls_session_store_remove (G_TLS_SESSION_STORE (self->inner), key, ticket, error);
}

static gboolean
stub_store_clear (GTlsSessionStore *store, GError **error)
{
  return g_tls_session_store_clear (G_TLS_SESSION_STORE (STUB_STORE (store)->inner), error);
}

static void
stub_store_store_init (GTlsSessionStoreInterface *iface)
{
  iface->put = stub_store_put;
  iface->take = stub_store_take;
  iface->remove = stub_store_remove;
  iface->clear = stub_store_clear;
}

static void
stub_store_finalize (GObject *object)
{
  StubStore *self = STUB_STORE (object);

  g_clear_object (&self->inner);
  g_free (self->last_key);

  G_OBJECT_CLASS (stub_store_parent_class)->finalize (object);
}

static void
stub_store_class_init (StubStoreClass *class)
{
  G_OBJECT_CLASS (class)->finalize = stub_store_finalize;
}

static void
stub_store_init (StubStore *self)
{
  self->inner = g_tls_session_memory_store_new ();
}

StubStore *
stub_store_new (void)
{
  return g_object_new (STUB_TYPE_STORE, NULL);
}
