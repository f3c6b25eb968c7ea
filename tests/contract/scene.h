/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtls-session.h>

#include "client.h"
#include "forge.h"
#include "paper.h"

G_BEGIN_DECLS

/* A client and a server of this library, over a pair of sockets, and the certificates they need. Nothing has been said
 * between them yet. Both trust the family's root. The server has the family's leaf and no wish for a certificate.
 */

typedef enum
{
  SCENE_BLOCKING, /* the client in the thread of the test, the server in another */
  SCENE_ASYNC,    /* both in the main context of the test */
} SceneManner;

typedef struct
{
  GTlsProtocolVersion version;
  SceneManner manner;

  Family *family;
  Forged *forged_client;               /* for clientAuth, from the family's intermediate */
  GTlsCertificate *client_certificate; /* with its key and chain; the client does not have it yet */
  char *anchors;                       /* a file with the root in it */
  GTlsDatabase *database;              /* of that file */

  GSocketConnection *client_socket;
  GSocketConnection *server_socket;
  GTlsConnection *client; /* nullable: a story may have let go of it */
  GTlsConnection *server;
} Scene;

typedef void (*Story) (Scene *scene);

/* Adds a test that tells the story in TLS 1.2 and 1.3, blocking and asynchronously. */
void scene_add_story (const char *path, Story story);

/* The same, blocking only. */
void scene_add_blocking_story (const char *path, Story story);

/* In TLS 1.2 only. */
void scene_add_tls12_story (const char *path, Story story);

/* In TLS 1.3, once. */
void scene_add_single_story (const char *path, Story story);

/* A certificate and what is below it, with @key (taken) behind them; NULL for no key. */
GTlsCertificate *scene_certificate (Scene *scene, const Forged *leaf, char *key);

void scene_pair_of_sockets (GSocketConnection **one, GSocketConnection **other);

/* New connections over new sockets, of the same family. */
void scene_begin_again (Scene *scene);

/* Lets the server want a certificate, and take any that its database takes. */
void scene_authenticate (Scene *scene, GTlsAuthenticationMode mode);

/* An accept-certificate handler: the answer is whether the certificate is without fault. */
gboolean scene_accept_faultless (GTlsConnection *connection,
                                 GTlsCertificate *certificate,
                                 GTlsCertificateFlags errors,
                                 gpointer data);

/* Both sides; the errors are what came of it. */
void scene_shake_hands (Scene *scene, GError **client_error, GError **server_error);

void scene_shake_hands_well (Scene *scene);

/* One side alone, in the scene's manner. */
gboolean scene_shake_one_hand (Scene *scene, GTlsConnection *side, GCancellable *cancellable, GError **error);

/* As a GThreadFunc with a GTlsConnection: shakes hands. Returns the error, or NULL. */
gpointer scene_shake_in_thread (gpointer connection);

GInputStream *scene_input (GTlsConnection *side);

GOutputStream *scene_output (GTlsConnection *side);

/* In the scene's manner. */
gssize scene_read (Scene *scene, GTlsConnection *side, void *buffer, gsize size, GError **error);

gssize scene_write (Scene *scene, GTlsConnection *side, const void *bytes, gsize size, GError **error);

gboolean scene_close (Scene *scene, gpointer stream, GError **error);

/* A short text, that arrives. */
void scene_say (Scene *scene, GTlsConnection *from, GTlsConnection *to, const char *text);

/* The same each way. */
void scene_talk (Scene *scene);

G_END_DECLS
