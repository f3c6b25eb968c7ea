/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A GTlsInteraction that answers as it was told to. */

typedef enum
{
  PERSON_BLOCKING, /* implements the blocking functions only */
  PERSON_PATIENT,  /* the asynchronous ones only, and answers later */
  PERSON_SILENT,   /* none */
  PERSON_N_MANNERS,
} PersonManner;

typedef struct
{
  GTlsInteraction parent_instance;

  /* What to answer */
  GTlsCertificate *certificate; /* nullable: the request is answered by the result alone */
  GTlsInteractionResult certificate_result;
  const char *const *passwords; /* one after the other, the last again and again; NULL: the result alone */
  GTlsInteractionResult password_result;
  GError *failure;         /* for FAILED; nullable */
  GCancellable *to_cancel; /* cancelled before the answer; nullable */

  /* What happened */
  guint n_requests;
  guint n_passwords;
  GTlsPasswordFlags flags; /* of the last password asked for */
  char *description;       /* likewise */
  GThread *thread;         /* in which it was asked last; borrowed */
} Person;

/* One that gives @certificate; FAILED or UNHANDLED is for the caller to set. */
Person *person_new (PersonManner manner);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Person, g_object_unref)

G_END_DECLS
