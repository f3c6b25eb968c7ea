/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <openssl/ssl.h>

#include "transport.h"

G_BEGIN_DECLS

/* TLS as a state machine that never blocks. It knows no stream, no signal, no thread and no main loop. The caller
 * holds a lock of its own around every call, and waits, without that lock, for what a call's status asks for.
 */

typedef struct _GTlsSessionEngine GTlsSessionEngine;

typedef enum
{
  G_TLS_SESSION_ENGINE_DONE,
  G_TLS_SESSION_ENGINE_WANTS_READ,
  G_TLS_SESSION_ENGINE_WANTS_WRITE,
  G_TLS_SESSION_ENGINE_WANTS_SESSION,     /* before a client's handshake: one to offer may be looked for */
  G_TLS_SESSION_ENGINE_WANTS_FORECAST,    /* before it, too: the offered ticket's chain is to be judged */
  G_TLS_SESSION_ENGINE_WANTS_VERDICT,     /* see g_tls_session_engine_set_verdict() */
  G_TLS_SESSION_ENGINE_WANTS_CERTIFICATE, /* see g_tls_session_engine_set_certificate() */
  G_TLS_SESSION_ENGINE_END,               /* the peer has ended its side */
  G_TLS_SESSION_ENGINE_ERROR,             /* the GError is set */
} GTlsSessionEngineStatus;

typedef enum
{
  G_TLS_SESSION_ENGINE_STATE_FRESH,
  G_TLS_SESSION_ENGINE_STATE_HANDSHAKING,
  G_TLS_SESSION_ENGINE_STATE_JUDGING, /* resumed; the session's chain waits for a verdict */
  G_TLS_SESSION_ENGINE_STATE_OPEN,
  G_TLS_SESSION_ENGINE_STATE_PEER_ENDED, /* the peer has ended its side, ours is open */
  G_TLS_SESSION_ENGINE_STATE_FAILED,
} GTlsSessionEngineState;

/* Where early data are. A client's are TO_GO, GOING and GONE: first, with the ClientHello; again, after the server refused
 * them; late, where they could not go first.
 */
typedef enum
{
  G_TLS_SESSION_EARLY_DATA_NOT_THERE,
  G_TLS_SESSION_EARLY_DATA_TO_GO_FIRST,
  G_TLS_SESSION_EARLY_DATA_GOING_FIRST,
  G_TLS_SESSION_EARLY_DATA_GONE_FIRST, /* the server's answer is awaited */
  G_TLS_SESSION_EARLY_DATA_ACCEPTED,
  G_TLS_SESSION_EARLY_DATA_REFUSED, /* to go again */
  G_TLS_SESSION_EARLY_DATA_GOING_AGAIN,
  G_TLS_SESSION_EARLY_DATA_GONE_AGAIN,
  G_TLS_SESSION_EARLY_DATA_TO_GO_LATE,
  G_TLS_SESSION_EARLY_DATA_GOING_LATE,
  G_TLS_SESSION_EARLY_DATA_GONE_LATE,
  G_TLS_SESSION_EARLY_DATA_RECEIVING, /* a server's, if there are any */
  G_TLS_SESSION_EARLY_DATA_RECEIVED,  /* likewise */
} GTlsSessionEarlyDataState;

typedef enum
{
  G_TLS_SESSION_EARLY_DATA_LATE, /* as the first application data after the handshake */
  G_TLS_SESSION_EARLY_DATA_FIRST,
} GTlsSessionEarlyDataTiming;

/* Brings the verdict of a server on its client's chain by g_tls_session_engine_set_verdict(), before it returns. FALSE
 * if there cannot be one.
 */
typedef gboolean (*GTlsSessionEngineJudge) (gpointer data, GError **error);

/* What a handshake is to be done with. All borrowed for the call. */
typedef struct
{
  const char *peer_name;         /* for errors: whom the connection is to; nullable */
  GTlsProtocolVersion minimum;   /* UNKNOWN: no bound of the program's */
  GTlsProtocolVersion maximum;   /* likewise */
  const char *const *alpn;       /* application protocols (RFC 7301), the best first; nullable */
  gboolean require_close_notify; /* a FIN without close_notify is an error */

  /* A client's */
  const char *server_name; /* for SNI (RFC 6066), never an IP literal; nullable */
  SSL_SESSION *session;    /* to offer; a duplicate that nobody else uses; nullable */
  GBytes *early_data;      /* not empty; nullable */
  GTlsSessionEarlyDataTiming early_data_timing;

  /* A server's */
  SSL_CTX *context; /* which resumes sessions; NULL: the process's, which resumes none */
  guint ticket_count;
  guint32 max_early_data; /* bytes to permit in tickets, and to take; 0: none */
  GTlsAuthenticationMode authentication;
  STACK_OF (X509_NAME) *accepted_cas; /* nullable */
  GTlsSessionEngineJudge judge;       /* outlives the handshake */
  gpointer judge_data;
} GTlsSessionEngineSettings;

GTlsSessionEngine *g_tls_session_engine_new_client (GTlsSessionTransport transport, GError **error);

GTlsSessionEngine *g_tls_session_engine_new_server (GTlsSessionTransport transport, GError **error);

void g_tls_session_engine_free (GTlsSessionEngine *self);

GTlsSessionEngineState g_tls_session_engine_get_state (GTlsSessionEngine *self);

/* Before the handshake */

gboolean g_tls_session_engine_configure (GTlsSessionEngine *self,
                                         const GTlsSessionEngineSettings *settings,
                                         GError **error);

void g_tls_session_engine_set_require_close_notify (GTlsSessionEngine *self, gboolean require);

/* Operations */

GTlsSessionEngineStatus g_tls_session_engine_handshake (GTlsSessionEngine *self, GError **error);

GTlsSessionEngineStatus g_tls_session_engine_read (GTlsSessionEngine *self,
                                                   void *buffer,
                                                   gsize count,
                                                   gsize *n_read,
                                                   GError **error);

GTlsSessionEngineStatus g_tls_session_engine_write (GTlsSessionEngine *self,
                                                    const void *bytes,
                                                    gsize count,
                                                    gsize *n_written,
                                                    GError **error);

GTlsSessionEngineStatus g_tls_session_engine_look_for_ticket (GTlsSessionEngine *self, GError **error);

GTlsSessionEngineStatus g_tls_session_engine_end_write (GTlsSessionEngine *self, GError **error);

GTlsSessionEngineStatus g_tls_session_engine_drain (GTlsSessionEngine *self, GError **error);

void g_tls_session_engine_discard (GTlsSessionEngine *self, gsize most);

void g_tls_session_engine_cut (GTlsSessionEngine *self);

/* Facts */

gboolean g_tls_session_engine_has_data (GTlsSessionEngine *self);

gboolean g_tls_session_engine_has_stash (GTlsSessionEngine *self);

gboolean g_tls_session_engine_peer_must_answer_close (GTlsSessionEngine *self);

gboolean g_tls_session_engine_peer_may_answer_close (GTlsSessionEngine *self);

gboolean g_tls_session_engine_was_resumed (GTlsSessionEngine *self);

GTlsProtocolVersion g_tls_session_engine_get_protocol_version (GTlsSessionEngine *self);

const char *g_tls_session_engine_get_ciphersuite_name (GTlsSessionEngine *self);

char *g_tls_session_engine_dup_application_protocol (GTlsSessionEngine *self);

/* A server's */

const char *g_tls_session_engine_get_requested_name (GTlsSessionEngine *self);

gboolean g_tls_session_engine_was_offered_session (GTlsSessionEngine *self);

/* Our own certificate */

gboolean g_tls_session_engine_set_certificate (GTlsSessionEngine *self,
                                               X509 *certificate,
                                               EVP_PKEY *private_key,
                                               STACK_OF (X509) *intermediates,
                                               GError **error);

void g_tls_session_engine_set_no_certificate (GTlsSessionEngine *self, GError *reason);

GList *g_tls_session_engine_list_accepted_cas (GTlsSessionEngine *self);

/* Early data */

#define G_TLS_SESSION_EARLY_DATA_MAX (1024 * 1024) /* bytes, for a server to take or to pass by */

char *g_tls_session_engine_explain_no_early_data (SSL_SESSION *session,
                                                  const char *server_name,
                                                  const char *const *alpn,
                                                  gsize size);

GTlsSessionEarlyDataState g_tls_session_engine_get_early_data_state (GTlsSessionEngine *self);

gboolean g_tls_session_engine_may_early_data_have_arrived (GTlsSessionEngine *self);

GBytes *g_tls_session_engine_take_early_data (GTlsSessionEngine *self);

/* Channel bindings */

gboolean g_tls_session_engine_knows_binding (GTlsChannelBindingType type, GError **error);

gboolean g_tls_session_engine_get_binding (GTlsSessionEngine *self,
                                           GTlsChannelBindingType type,
                                           X509 *server_certificate,
                                           GByteArray *data,
                                           GError **error);

/* Trust */

STACK_OF (X509) *g_tls_session_engine_get_peer_chain (GTlsSessionEngine *self);

gboolean g_tls_session_engine_set_verdict (GTlsSessionEngine *self, gboolean accepted, GTlsCertificateFlags faults);

/* Tickets */

SSL_SESSION *g_tls_session_engine_take_session (GTlsSessionEngine *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GTlsSessionEngine, g_tls_session_engine_free)

G_END_DECLS
