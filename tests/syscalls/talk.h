/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "conversation.h"

G_BEGIN_DECLS

/* A client and a server of ours again, but each in a thread of its own, that waits: a conversation in blocking calls. */

typedef enum
{
  TALK_ECHO,   /* the client sends much, the server sends it all back, and closes first */
  TALK_UPLOAD, /* the client sends it, and closes */
} TalkKind;

typedef enum
{
  TALK_CALLS_OF_CLIENT_FAIL,
  TALK_CALLS_OF_SERVER_FAIL,
} TalkStage;

/* As conversation_hold(). That the client was heard is, for an upload, that the server heard all of it. */
void talk_hold (Conversation *self, const Parties *parties, TalkKind kind, TalkStage stage);

G_END_DECLS
