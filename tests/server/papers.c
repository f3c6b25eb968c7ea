/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "papers.h"

#include "paper.h"

GTlsCertificate *
papers_issue (const Order *order, const Forged *issuer)
{
  g_autoptr (Forged) leaf = forge (order, issuer);
  g_autofree char *pem = joined (forged_to_pem (leaf), forged_to_pem (issuer), key_as_pkcs8 (leaf), NULL);

  return G_TLS_CERTIFICATE (certificate_from (pem));
}

static GTlsDatabase *
trust (const Forged *root)
{
  g_autofree char *pem = forged_to_pem (root);

  return database_of (pem);
}

Papers *
papers_new (void)
{
  Papers *self = g_new0 (Papers, 1);

  self->root = forge (&(Order){ .name = "Root", .is_ca = TRUE, .from_day = -1, .to_day = 300 }, NULL);
  self->stranger = forge (&(Order){ .name = "Stranger", .is_ca = TRUE, .from_day = -1, .to_day = 300 }, NULL);
  self->intermediate = forge (&(Order){ .name = "Intermediate", .is_ca = TRUE, .from_day = -1, .to_day = 300 },
                              self->root);
  self->database = trust (self->root);
  self->other_database = trust (self->stranger);
  self->server = papers_issue (&(Order){ .name = "Server", .alternative_names = "DNS:" SERVER_NAME ",DNS:" OTHER_NAME },
                               self->intermediate);
  return self;
}

void
papers_free (Papers *self)
{
  g_object_unref (self->server);
  g_object_unref (self->database);
  g_object_unref (self->other_database);
  forged_free (self->root);
  forged_free (self->intermediate);
  forged_free (self->stranger);
  g_free (self);
}
