/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token.h"

#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/provider.h>

#define PROVIDER "test-token"

static Token *inserted;
static OSSL_PROVIDER *provider;
static OSSL_PROVIDER *default_provider;

/* What is left to load of a URI. */
typedef struct
{
  gboolean certificate;
  gboolean key;
} Reading;

static void *
open_uri (void *context, const char *uri)
{
  Reading *reading = g_new0 (Reading, 1);

  reading->certificate = strstr (uri, "type=private") == NULL && strstr (uri, "object=none") == NULL;
  reading->key = strstr (uri, "type=cert") == NULL && strstr (uri, "object=none") == NULL;
  return reading;
}

static int
hand_over (int type, unsigned char *der, int length, OSSL_CALLBACK *take, void *data)
{
  const OSSL_PARAM parameters[] = {
    OSSL_PARAM_int (OSSL_OBJECT_PARAM_TYPE, &type),
    OSSL_PARAM_octet_string (OSSL_OBJECT_PARAM_DATA, der, (gsize) length),
    OSSL_PARAM_END,
  };
  int taken = take (parameters, data);

  OPENSSL_free (der);
  return taken;
}

static int
load_certificate (OSSL_CALLBACK *take, void *data)
{
  unsigned char *der = NULL;
  int length = i2d_X509 (inserted->forged->x509, &der);

  return hand_over (OSSL_OBJECT_CERT, der, length, take, data);
}

static gboolean
pin_is_right (OSSL_PASSPHRASE_CALLBACK *ask, void *data)
{
  char answer[32] = { 0 };
  size_t length = 0;

  if (inserted->pin == NULL)
    return TRUE;
  if (ask (answer, sizeof answer, &length, NULL, data) != 1)
    return FALSE;
  if (length == strlen (inserted->pin) && memcmp (answer, inserted->pin, length) == 0)
    return TRUE;

  inserted->n_wrong++;
  return FALSE;
}

static int
load_key (OSSL_CALLBACK *take, void *data, OSSL_PASSPHRASE_CALLBACK *ask, void *ask_data)
{
  unsigned char *der = NULL;
  int length;

  if (!pin_is_right (ask, ask_data))
    return 0;

  length = i2d_PrivateKey (inserted->forged->key, &der);
  return hand_over (OSSL_OBJECT_PKEY, der, length, take, data);
}

static int
load_next (void *context, OSSL_CALLBACK *take, void *data, OSSL_PASSPHRASE_CALLBACK *ask, void *ask_data)
{
  Reading *reading = context;

  if (reading->certificate)
    {
      reading->certificate = FALSE;
      return load_certificate (take, data);
    }
  reading->key = FALSE;
  return load_key (take, data, ask, ask_data);
}

static int
is_at_end (void *context)
{
  Reading *reading = context;

  return !reading->certificate && !reading->key;
}

static int
close_uri (void *context)
{
  g_free (context);
  return 1;
}

static const OSSL_DISPATCH store_functions[] = {
  { OSSL_FUNC_STORE_OPEN, (void (*) (void)) open_uri },
  { OSSL_FUNC_STORE_LOAD, (void (*) (void)) load_next },
  { OSSL_FUNC_STORE_EOF, (void (*) (void)) is_at_end },
  { OSSL_FUNC_STORE_CLOSE, (void (*) (void)) close_uri },
  { 0, NULL },
};

static const OSSL_ALGORITHM stores[] = {
  { "pkcs11", "provider=" PROVIDER, store_functions, NULL },
  { NULL, NULL, NULL, NULL },
};

static const OSSL_ALGORITHM *
query_operation (void *context, int operation, int *no_cache)
{
  *no_cache = 0;
  return operation == OSSL_OP_STORE ? stores : NULL;
}

static const OSSL_DISPATCH provider_functions[] = {
  { OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*) (void)) query_operation },
  { 0, NULL },
};

static int
init_provider (const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out, void **context)
{
  *out = provider_functions;
  *context = (void *) handle;
  return 1;
}

void
token_insert (Token *token)
{
  static gboolean added;

  if (!added)
    g_assert_cmpint (OSSL_PROVIDER_add_builtin (NULL, PROVIDER, init_provider), ==, 1);
  added = TRUE;

  inserted = token;
  default_provider = OSSL_PROVIDER_load (NULL, "default");
  provider = OSSL_PROVIDER_load (NULL, PROVIDER);
  g_assert_nonnull (provider);
}

void
token_remove (void)
{
  OSSL_PROVIDER_unload (provider);
  OSSL_PROVIDER_unload (default_provider);
  inserted = NULL;
}
