/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What client and server say to each other, in the clear, before TLS begins. */

typedef struct _StarttlsProtocol StarttlsProtocol;

/* NULL if it is not known. */
const StarttlsProtocol *starttls_find (const char *name);

const char *starttls_get_name (const StarttlsProtocol *protocol);

guint16 starttls_get_default_port (const StarttlsProtocol *protocol);

/* All names, with commas between them. Owned by the caller. */
char *starttls_list_names (void);

/* One dialogue, as a state machine that is fed with bytes. */
typedef struct _StarttlsDialogue StarttlsDialogue;

typedef enum
{
  STARTTLS_MORE,   /* the server has to say more */
  STARTTLS_AGREED, /* the next byte is TLS */
  STARTTLS_FAILED, /* with an error */
} StarttlsStatus;

StarttlsDialogue *starttls_dialogue_new (const StarttlsProtocol *protocol, const char *host);

void starttls_dialogue_free (StarttlsDialogue *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (StarttlsDialogue, starttls_dialogue_free)

/* @bytes: what came; may be empty. @say: what to send now, nullable; owned by the caller. */
StarttlsStatus starttls_dialogue_feed (StarttlsDialogue *self,
                                       const guint8 *bytes,
                                       gsize size,
                                       GBytes **say,
                                       GError **error);

/* Does it all on a socket, within @timeout seconds. */
gboolean starttls_run (const StarttlsProtocol *protocol,
                       GSocketConnection *connection,
                       const char *host,
                       guint timeout,
                       GError **error);

G_END_DECLS
