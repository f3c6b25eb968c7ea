/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtls-session.h>

#include "forge.h"

G_BEGIN_DECLS

#define SERVER_NAME "server.example.org"
#define OTHER_NAME "www.server.example.org" /* the server's certificate is good for this one too */
#define DAY (24 * 60 * 60)
#define WEEK (7 * DAY)

/* Two roots, who trusts them, and what they signed. */
typedef struct
{
  Forged *root;
  Forged *intermediate;         /* the root's */
  Forged *stranger;             /* another root */
  GTlsDatabase *database;       /* trusts the root */
  GTlsDatabase *other_database; /* trusts the stranger */
  GTlsCertificate *server;      /* SERVER_NAME and OTHER_NAME, for thirty days */
} Papers;

Papers *papers_new (void);

void papers_free (Papers *self);

/* With its key and its chain. Papers of the stranger come without an intermediate. */
GTlsCertificate *papers_issue (const Order *order, const Forged *issuer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Papers, papers_free)

G_END_DECLS
