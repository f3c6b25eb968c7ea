/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engine.h"

G_BEGIN_DECLS

typedef enum
{
  G_TLS_SESSION_VERDICT_NONE,  /* not asked for yet */
  G_TLS_SESSION_VERDICT_ASKED, /* the handshake waits for it */
  G_TLS_SESSION_VERDICT_ACCEPT,
  G_TLS_SESSION_VERDICT_REJECT,
} GTlsSessionVerdict;

typedef enum
{
  G_TLS_SESSION_SPEAKER_NOBODY,
  G_TLS_SESSION_SPEAKER_US,
  G_TLS_SESSION_SPEAKER_PEER,
  G_TLS_SESSION_SPEAKER_US_AFTER_PEER, /* us, and the peer has spoken before */
} GTlsSessionSpeaker;

typedef enum
{
  G_TLS_SESSION_CLOSE_NOTIFY_UNSENT,
  G_TLS_SESSION_CLOSE_NOTIFY_BEGUN, /* nothing can be written any more */
  G_TLS_SESSION_CLOSE_NOTIFY_SENT,
} GTlsSessionCloseNotify;

typedef enum
{
  G_TLS_SESSION_OWN_CERTIFICATE_UNASKED,
  G_TLS_SESSION_OWN_CERTIFICATE_ASKED, /* the handshake waits for it */
  G_TLS_SESSION_OWN_CERTIFICATE_GIVEN,
  G_TLS_SESSION_OWN_CERTIFICATE_NONE,
} GTlsSessionOwnCertificate;

typedef struct
{
  GTlsSessionEarlyDataState state;

  /* A client's */
  GBytes *to_send; /* NULL once it is not needed any more */
  gsize n_sent;    /* of the present attempt */
  char *protocol;  /* the application protocol they are for; nullable */

  /* A server's */
  guint32 most;
  GByteArray *received; /* nullable */
} GTlsSessionEarlyData;

struct _GTlsSessionEngine
{
  SSL *ssl;
  BIO *bio; /* owned by ssl */
  char *peer_name;
  GTlsSessionEngineState state;
  GError *failure; /* in state FAILED: what every later operation answers */
  gboolean require_close_notify;
  GTlsSessionCloseNotify close_notify; /* ours */

  GTlsSessionVerdict verdict;
  GTlsCertificateFlags verdict_faults;
  STACK_OF (X509) *peer_chain; /* leaf first; a client's is as the server sent it, and NULL when resumed */

  GTlsSessionOwnCertificate own_certificate;
  GError *no_certificate_reason; /* why there is none, if that is not simply so */

  GBytes *offered_ticket; /* a client's, sealed as it is; empty for a session id; NULL: it offered no session */

  /* A server's */
  GTlsAuthenticationMode authentication;
  GTlsSessionEngineJudge judge;
  gpointer judge_data;
  GError *judge_error;
  GByteArray *alpn;     /* its application protocols, as they stand in a ClientHello; NULL when there are none */
  char *requested_name; /* by SNI; NULL if there was none */
  gboolean was_offered_session;

  GTlsSessionSpeaker last_speaker; /* whose the last application data was */
  GByteArray *stash;               /* application data read while looking for a ticket; NULL when there is none */
  gsize stash_start;
  GTlsSessionEarlyData early_data;
  GByteArray *unsent; /* application data whose record the transport has not all taken; NULL when there is none */

  GQueue sessions; /* SSL_SESSION, owned: duplicates of what arrived, oldest first */
};

int g_tls_session_engine_on_new_session (SSL *ssl, SSL_SESSION *session);

int g_tls_session_engine_on_verify (X509_STORE_CTX *context, void *data);

/* engine-certificate.c */

int g_tls_session_engine_on_certificate (SSL *ssl, void *data);

/* engine-server.c */

int g_tls_session_engine_on_client_hello (SSL *ssl, int *alert, void *data);

int g_tls_session_engine_on_server_name (SSL *ssl, int *alert, void *data);

int g_tls_session_engine_on_alpn (SSL *ssl,
                                  const unsigned char **chosen,
                                  unsigned char *chosen_length,
                                  const unsigned char *offered,
                                  unsigned int offered_length,
                                  void *data);

int g_tls_session_engine_on_make_ticket (SSL *ssl, void *data);

SSL_TICKET_RETURN g_tls_session_engine_on_open_ticket (SSL *ssl,
                                                       SSL_SESSION *session,
                                                       const unsigned char *key_name,
                                                       size_t key_name_length,
                                                       SSL_TICKET_STATUS status,
                                                       void *data);

gboolean g_tls_session_engine_configure_server (GTlsSessionEngine *self, const GTlsSessionEngineSettings *settings);

gboolean g_tls_session_engine_has_client_certificate (GTlsSessionEngine *self);

/* engine-error.c: what OpenSSL's answer to a call means */

typedef enum
{
  G_TLS_SESSION_OPERATION_HANDSHAKE,
  G_TLS_SESSION_OPERATION_READ,
  G_TLS_SESSION_OPERATION_WRITE,
  G_TLS_SESSION_OPERATION_CLOSE,
} GTlsSessionOperation;

GTlsSessionEngineStatus g_tls_session_engine_interpret (GTlsSessionEngine *self,
                                                        GTlsSessionOperation operation,
                                                        int result,
                                                        GError **error);

GTlsSessionEngineStatus g_tls_session_engine_interpret_flush (GTlsSessionEngine *self,
                                                              GTlsSessionOperation operation,
                                                              GTlsSessionTransportStatus status,
                                                              GError **error);

GTlsSessionEngineStatus g_tls_session_engine_fail (GTlsSessionEngine *self, GError *failure, GError **error);

GTlsSessionEngineStatus g_tls_session_engine_answer_failure (GTlsSessionEngine *self, GError **error);

GTlsSessionEngineStatus g_tls_session_engine_fail_rejected (GTlsSessionEngine *self, GError **error);

/* engine-early-data.c */

void g_tls_session_engine_plan_early_data (GTlsSessionEngine *self, const GTlsSessionEngineSettings *settings);

gboolean g_tls_session_engine_accept_early_data (GTlsSessionEngine *self, guint32 most);

GTlsSessionEngineStatus g_tls_session_engine_pass_early_data (GTlsSessionEngine *self, GError **error);

void g_tls_session_engine_note_early_data_answer (GTlsSessionEngine *self);

GTlsSessionEngineStatus g_tls_session_engine_send_late_early_data (GTlsSessionEngine *self, GError **error);

void g_tls_session_engine_clear_early_data (GTlsSessionEngine *self);

/* engine-data.c */

GTlsSessionEngineStatus g_tls_session_engine_flush (GTlsSessionEngine *self,
                                                    GTlsSessionOperation operation,
                                                    GError **error);

void g_tls_session_engine_clear_data (GTlsSessionEngine *self);

G_END_DECLS
