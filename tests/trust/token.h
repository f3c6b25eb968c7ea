/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "forge.h"

G_BEGIN_DECLS

/* A PKCS #11 token as OpenSSL sees one: a provider whose store answers to the scheme pkcs11. It holds one certificate and
 * its key; "type=cert" and "type=private" in a URI name one of them, "object=none" neither.
 */
typedef struct
{
  const Forged *forged;
  const char *pin; /* nullable: the key is had without one */
  int n_wrong;     /* PINs, so far */
} Token;

/* One at a time. @token lives until it is taken out. */
void token_insert (Token *token);

void token_remove (void);

G_END_DECLS
