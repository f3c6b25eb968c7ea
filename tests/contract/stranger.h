/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <openssl/ssl.h>

#include "scene.h"

G_BEGIN_DECLS

/* A peer on OpenSSL alone, or on a bare socket, that does what no connection of ours would. It takes the place of one
 * side of a scene, and does its part in a thread.
 */

typedef struct _Stranger Stranger;

typedef void (*StrangerPart) (Stranger *self);

struct _Stranger
{
  StrangerPart part;
  int fd;     /* blocking */
  SSL *ssl;   /* over fd; of the role it takes; a server has the certificate of the family's leaf */
  int reason; /* what OpenSSL said last, as in ERR_GET_REASON(); for the part to set */
  GThread *thread;
};

void stranger_begin (Stranger *self, Scene *scene, GTlsConnection *place, StrangerPart part);

/* Waits until it has done its part. Its end of the socket stays open until the scene is over. */
void stranger_end (Stranger *self);

/* Takes OpenSSL's queue. */
int stranger_take_reason (void);

G_END_DECLS
