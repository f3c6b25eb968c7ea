/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gtls-session-ticket.h"
#include "redis-link.h"
#include "seal.h"

G_BEGIN_DECLS

/* How tickets and bytes lie in a Redis server; doc/redis-store-format.md has it in words. All of it is borrowed by whom
 * made it, and does not change.
 */
typedef struct
{
  GTlsSessionRedisLink *link;
  GTlsSessionSeal *seal; /* NULL: names and contents as they are */
  const char *prefix;
  guint max_age; /* s */
  guint max_tickets_per_peer;
} GTlsSessionRedisShelf;

gboolean g_tls_session_redis_shelf_check_prefix (const char *prefix, GError **error);

gboolean g_tls_session_redis_shelf_put (const GTlsSessionRedisShelf *self,
                                        const char *peer,
                                        GTlsSessionTicket *ticket,
                                        GError **error);

GTlsSessionTicket *g_tls_session_redis_shelf_take (const GTlsSessionRedisShelf *self, const char *peer, GError **error);

gboolean g_tls_session_redis_shelf_remove (const GTlsSessionRedisShelf *self,
                                           const char *peer,
                                           GTlsSessionTicket *ticket,
                                           GError **error);

gboolean g_tls_session_redis_shelf_clear (const GTlsSessionRedisShelf *self, GError **error);

gboolean g_tls_session_redis_shelf_save_bytes (const GTlsSessionRedisShelf *self,
                                               const char *name,
                                               GBytes *bytes,
                                               GError **error);

GBytes *g_tls_session_redis_shelf_load_bytes (const GTlsSessionRedisShelf *self, const char *name, GError **error);

G_END_DECLS
