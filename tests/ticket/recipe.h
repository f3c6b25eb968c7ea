/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "handshake.h"
#include "ticket/gtls-session-ticket.h"

G_BEGIN_DECLS

#define DIGEST_SIZE 32

/* A second writer of the format, made from doc/ticket-format.md and not from the library. A recipe can be wrong in one
 * thing and right in all others, its checksum included; a flipped bit would not get past that.
 */
typedef struct
{
  guint8 version;
  guint32 flags;
  gint64 received;
  GBytes *session;
  GBytes *server_name;
  GPtrArray *certificates; /* GBytes */
  guint32 claimed_certificates;
  GBytes *trailing;
} Recipe;

Recipe *recipe_new (SSL_SESSION *session, STACK_OF (X509) *chain);
Recipe *recipe_of_kind (HandshakeKind kind);
Recipe *sound_recipe (void);
void recipe_free (Recipe *self);
void change_session (Recipe *recipe, const char *old_bytes, const char *new_bytes, gsize length);
GBytes *cook (const Recipe *recipe);

GBytes *session_to_der (SSL_SESSION *session);
void replace (GBytes **bytes, gconstpointer data, gsize length);
void append_bytes (GByteArray *array, GBytes *bytes);
void append_u32 (GByteArray *array, guint32 value);
GBytes *seal (GByteArray *array);

/* All of them: BAD_DATA, with @message somewhere in it, and nothing left in OpenSSL's error queue. */
void assert_bad (GBytes *bytes, const char *message);
void assert_data_bad (gconstpointer data, gsize length, const char *message);
void assert_recipe_bad (const Recipe *recipe, const char *message);

GTlsSessionTicket *read_ticket (GBytes *bytes);
GTlsSessionTicket *there_and_back (GTlsSessionTicket *ticket);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Recipe, recipe_free)

G_END_DECLS
