/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <openssl/x509.h>

G_BEGIN_DECLS

#define SERVER_NAME "server.example.org"

/* One root, and a certificate of a server and of a client by it. */
typedef struct
{
  X509 *root;
  X509 *server;
  X509 *client;
  EVP_PKEY *root_key;
  EVP_PKEY *server_key;
  EVP_PKEY *client_key;
  GTlsDatabase *database; /* trusts the root */
} Credentials;

Credentials *credentials_new (void);

void credentials_free (Credentials *self);

/* With its key; owned by the caller. */
GTlsCertificate *credentials_dup_certificate (X509 *x509, EVP_PKEY *key);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Credentials, credentials_free)

G_END_DECLS
