/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a database remembers of chains that were good, and what it judges anew all the same. */

#include "forge.h"
#include "trust/path-memory.h"
#include "trust/verify.h"

#include <openssl/x509v3.h>

#define SERVER G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER
#define CLIENT G_TLS_DATABASE_PURPOSE_AUTHENTICATE_CLIENT
#define OPENSSL_SERVER X509_PURPOSE_SSL_SERVER
#define OPENSSL_CLIENT X509_PURPOSE_SSL_CLIENT

/* A family before a store with its root, and a memory. */
typedef struct
{
  Family *family;
  X509_STORE *store;
  STACK_OF (X509) *chain;
  GTlsSessionPathMemory *memory;
} Scene;

static void
set_up (Scene *scene, gconstpointer data)
{
  scene->family = family_new ();
  scene->store = store_of (scene->family->root->x509);
  scene->chain = stack_of (scene->family->leaf->x509, scene->family->intermediate->x509, NULL);
  scene->memory = g_tls_session_path_memory_new ();
}

static void
tear_down (Scene *scene, gconstpointer data)
{
  g_tls_session_path_memory_free (scene->memory);
  sk_X509_pop_free (scene->chain, X509_free);
  X509_STORE_free (scene->store);
  family_free (scene->family);
}

static GTlsCertificateFlags
judge (Scene *scene, const char *purpose, const char *name)
{
  g_autoptr (GSocketConnectable) identity = g_network_address_new (name, 443);

  return g_tls_session_verify_chain (scene->store, scene->chain, purpose, identity, scene->memory);
}

static gboolean
knows (Scene *scene, X509_STORE *store, STACK_OF (X509) *chain, int purpose)
{
  return g_tls_session_path_memory_knows (scene->memory, store, chain, purpose);
}

static void
good_chain_is_remembered (Scene *scene, gconstpointer data)
{
  g_assert_false (knows (scene, scene->store, scene->chain, OPENSSL_SERVER));
  g_assert_cmphex (judge (scene, SERVER, "server.example.org"), ==, 0);
  g_assert_true (knows (scene, scene->store, scene->chain, OPENSSL_SERVER));
  g_assert_cmphex (judge (scene, SERVER, "server.example.org"), ==, 0);
  assert_queue_is_empty ();
}

static void
bad_chain_is_not_remembered (Scene *scene, gconstpointer data)
{
  g_autoptr (Family) strangers = family_new ();

  sk_X509_pop_free (scene->chain, X509_free);
  scene->chain = stack_of (strangers->leaf->x509, strangers->intermediate->x509, NULL);
  for (guint i = 0; i < 2; i++)
    {
      g_assert_cmphex (judge (scene, SERVER, "server.example.org"), ==, G_TLS_CERTIFICATE_UNKNOWN_CA);
      g_assert_false (knows (scene, scene->store, scene->chain, OPENSSL_SERVER));
    }
}

static void
identity_is_looked_at_each_time (Scene *scene, gconstpointer data)
{
  g_assert_cmphex (judge (scene, SERVER, "server.example.org"), ==, 0);
  g_assert_cmphex (judge (scene, SERVER, "other.example.org"), ==, G_TLS_CERTIFICATE_BAD_IDENTITY);
  g_assert_cmphex (judge (scene, SERVER, "server.example.org"), ==, 0);
}

static void
another_purpose_is_judged_anew (Scene *scene, gconstpointer data)
{
  g_assert_cmphex (judge (scene, SERVER, "server.example.org"), ==, 0);
  g_assert_false (knows (scene, scene->store, scene->chain, OPENSSL_CLIENT));
}

static void
another_store_is_judged_anew (Scene *scene, gconstpointer data)
{
  X509_STORE *other = store_of (scene->family->root->x509);

  g_assert_cmphex (judge (scene, SERVER, "server.example.org"), ==, 0);
  g_assert_false (knows (scene, other, scene->chain, OPENSSL_SERVER));
  X509_STORE_free (other);
}

static void
another_chain_is_judged_anew (Scene *scene, gconstpointer data)
{
  g_autoptr (Family) strangers = family_new ();
  X509 *leaf = scene->family->leaf->x509;
  X509 *intermediate = scene->family->intermediate->x509;
  STACK_OF (X509) *others[] = {
    stack_of (leaf, NULL),
    stack_of (intermediate, leaf, NULL),
    stack_of (strangers->leaf->x509, intermediate, NULL),
    stack_of (leaf, strangers->intermediate->x509, NULL),
    stack_of (leaf, intermediate, leaf, NULL),
  };

  g_assert_cmphex (judge (scene, SERVER, "server.example.org"), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    {
      g_assert_false (knows (scene, scene->store, others[i], OPENSSL_SERVER));
      sk_X509_pop_free (others[i], X509_free);
    }
}

/* As it is when a certificate's time has run out since. */
static void
path_out_of_date_is_not_known (Scene *scene, gconstpointer data)
{
  g_autoptr (Forged) expired = forge (&(Order){ .name = "root", .is_ca = TRUE, .from_day = -3, .to_day = -1 }, NULL);
  g_autoptr (Forged) of_tomorrow = forge (&(Order){ .name = "root", .is_ca = TRUE, .from_day = 1, .to_day = 3 }, NULL);
  STACK_OF (X509) *paths[] = {
    stack_of (scene->family->leaf->x509, expired->x509, NULL),
    stack_of (scene->family->leaf->x509, of_tomorrow->x509, NULL),
  };

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_tls_session_path_memory_note (scene->memory, scene->store, scene->chain, OPENSSL_SERVER, paths[i]);
      g_assert_false (knows (scene, scene->store, scene->chain, OPENSSL_SERVER));
      sk_X509_pop_free (paths[i], X509_free);
    }
}

static void
memory_is_bounded (Scene *scene, gconstpointer data)
{
  X509 *leaf = scene->family->leaf->x509;
  STACK_OF (X509) *path = stack_of (leaf, scene->family->root->x509, NULL);
  STACK_OF (X509) *growing = stack_of (leaf, NULL);

  g_tls_session_path_memory_note (scene->memory, scene->store, scene->chain, OPENSSL_SERVER, path);
  for (guint i = 0; i < 300; i++)
    {
      g_assert_cmpint (X509_up_ref (leaf), ==, 1);
      g_assert_cmpint (sk_X509_push (growing, leaf), >, 0);
      g_tls_session_path_memory_note (scene->memory, scene->store, growing, OPENSSL_SERVER, path);
    }
  g_assert_true (knows (scene, scene->store, growing, OPENSSL_SERVER));
  g_assert_false (knows (scene, scene->store, scene->chain, OPENSSL_SERVER));
  sk_X509_pop_free (growing, X509_free);
  sk_X509_pop_free (path, X509_free);
}

#define STORY(name) g_test_add ("/trust/path-memory/" #name, Scene, NULL, set_up, name, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  STORY (good_chain_is_remembered);
  STORY (bad_chain_is_not_remembered);
  STORY (identity_is_looked_at_each_time);
  STORY (another_purpose_is_judged_anew);
  STORY (another_store_is_judged_anew);
  STORY (another_chain_is_judged_anew);
  STORY (path_out_of_date_is_not_known);
  STORY (memory_is_bounded);

  return g_test_run ();
}
