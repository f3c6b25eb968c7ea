/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "database-private.h"

#include "../engine/openssl-error.h"

static gboolean
push_name (STACK_OF (X509_NAME) *names, X509 *certificate)
{
  X509_NAME *name = X509_NAME_dup (X509_get_subject_name (certificate));

  if (name != NULL && sk_X509_NAME_push (names, name) > 0)
    return TRUE;

  X509_NAME_free (name);
  return FALSE;
}

/* The subjects of the certificates that @self has in memory: all anchors of a file. Owned by the caller; NULL if there
 * are none.
 */
STACK_OF (X509_NAME) *
g_tls_session_database_list_names (GTlsSessionDatabase *self)
{
  STACK_OF (X509_NAME) *names = sk_X509_NAME_new_null ();
  STACK_OF (X509) *anchors = NULL;
  gboolean good = names != NULL;
  X509_STORE *store;

  g_tls_session_openssl_clear_errors ();
  g_mutex_lock (&self->lock);
  store = g_tls_session_database_get_filled_store (self);
  if (store != NULL)
    anchors = X509_STORE_get1_all_certs (store);
  g_mutex_unlock (&self->lock);

  for (int i = 0; good && i < sk_X509_num (anchors); i++)
    good = push_name (names, sk_X509_value (anchors, i));
  sk_X509_pop_free (anchors, X509_free);
  g_tls_session_openssl_clear_errors ();

  if (good && sk_X509_NAME_num (names) > 0)
    return names;
  sk_X509_NAME_pop_free (names, X509_NAME_free);
  return NULL;
}
