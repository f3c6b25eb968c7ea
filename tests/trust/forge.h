/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <openssl/x509.h>

#include "trust/gtls-session-certificate.h"

G_BEGIN_DECLS

/* Certificates made to order, good ones and bad ones. What is not said in an order is as in a sound certificate of
 * today: P-256, SHA-256, valid from yesterday for thirty days.
 */
typedef struct _Forged Forged;

typedef struct
{
  const char *name;               /* the subject's common name */
  const char *alternative_names;  /* "DNS:a.example,IP:127.0.0.1" */
  const char *extended_key_usage; /* "serverAuth" */
  const char *name_constraints;   /* "permitted;DNS:example.org" */
  gboolean is_ca;
  gboolean without_key_identifiers; /* namesakes then differ by their keys only */
  int from_day;                     /* counted from today */
  int to_day;
  int rsa_bits;
  const char *digest;
  const Forged *key_of; /* whose key it has, instead of a new one */
} Order;

struct _Forged
{
  X509 *x509;
  EVP_PKEY *key;
};

Forged *forge (const Order *order, const Forged *issuer);

void forged_free (Forged *self);

char *forged_to_pem (const Forged *self);

GBytes *forged_to_der (const Forged *self);

/* A leaf for server.example.org, its intermediate, and their root. */
typedef struct
{
  Forged *root;
  Forged *intermediate;
  Forged *leaf;
} Family;

Family *family_new (void);

void family_free (Family *self);

/* A NULL-terminated list of X509 *; the stack has references of its own. */
STACK_OF (X509) *stack_of (X509 *first, ...) G_GNUC_NULL_TERMINATED;

X509_STORE *store_of (X509 *anchor);

/* Sees that nothing was left in OpenSSL's error queue. */
void assert_queue_is_empty (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Forged, forged_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Family, family_free)

G_END_DECLS
