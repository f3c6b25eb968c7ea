/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../engine/engine.h"
#include "../ticket/ticket-private.h"
#include "../trust/certificate-private.h"
#include "base-stream.h"
#include "gtls-session-connection.h"
#include "ticket-shelf.h"

G_BEGIN_DECLS

/* NOTES:
 *
 * What a TLS connection of either role is made of, for the files of this folder:
 *
 *   connection.c     the GObject: GTlsConnection's and GIOStream's virtual functions
 *   connection-properties.c  its properties
 *   initable.c       GInitable and GAsyncInitable
 *   driver.c         runs the engine's steps, waiting between them: the sync driver and the async driver
 *   source.c         the GSource by which the async driver and pollable streams wait
 *   handshake.c      the handshake as a step, and what is known after it
 *   verdict.c        puts the peer's chain before the database, and before accept-certificate
 *   own-certificate.c  finds our own certificate when the handshake asks for it, perhaps by asking a person
 *   close.c          the closing rule
 *   announce.c       delivers signals in the context where they are expected
 *   ticket-shelf.c   the tickets a connection received, and who wants to hear of new ones
 *   input-stream.c, output-stream.c
 *   client-connection.c  what only a client has: client-offer.c what it offers, client-tickets.c what it received,
 *                        client-store.c what its session store is for, client-early-data.c what is to be sent first,
                        client-explain.c what it says of all that
 *   circumstances.c  what a ticket is bound to in a session store
 *   server-connection.c  what only a server has
 *
 * The lock covers everything below it in the struct. It is held for one step of the engine, never while waiting and
 * never while code of the program's runs (signals, databases).
 *
 * A step answers at once; when it answers WANTS_READ or the like, the driver waits and calls it again. Each step
 * belongs to a lane. At most one thread waits in a lane: what it waits for would otherwise be taken from under it by
 * another thread's step. Others wait for their turn. Until the handshake is done, there is but one lane.
 */

typedef enum
{
  G_TLS_SESSION_LANE_HANDSHAKE,
  G_TLS_SESSION_LANE_READ,
  G_TLS_SESSION_LANE_WRITE,
  G_TLS_SESSION_LANE_CLOSE,
  G_TLS_SESSION_N_LANES,
} GTlsSessionLane;

typedef enum
{
  G_TLS_SESSION_LIFE_FRESH,       /* settings can still be made */
  G_TLS_SESSION_LIFE_HANDSHAKING, /* they cannot */
  G_TLS_SESSION_LIFE_OPEN,        /* the handshake is done */
  G_TLS_SESSION_LIFE_CLOSING,     /* only the close goes on */
  G_TLS_SESSION_LIFE_CLOSED,
} GTlsSessionLife;

typedef enum
{
  G_TLS_SESSION_QUESTION_NONE,
  G_TLS_SESSION_QUESTION_ASKED, /* a database or an interaction is at work, asynchronously */
} GTlsSessionQuestion;

typedef enum
{
  G_TLS_SESSION_ANNOUNCEMENT_NONE,
  G_TLS_SESSION_ANNOUNCEMENT_QUEUED, /* an idle source will make it */
} GTlsSessionAnnouncement;

typedef GTlsSessionEngineStatus (*GTlsSessionStepFunc) (GTlsSessionConnection *self, gpointer data, GError **error);

typedef struct
{
  GTlsSessionStepFunc func; /* called with the lock held */
  gpointer data;
  GTlsSessionLane lane;
  gboolean takes_stash; /* it needs no turn while the engine has application data in its stash */
} GTlsSessionStep;

struct _GTlsSessionConnection
{
  GTlsConnection parent_instance;

  /* These do not change once the object is initialised. */
  GIOStream *base_io_stream;
  GTlsSessionBaseStream *base; /* NULL: not initialised */
  GInputStream *input;
  GOutputStream *output;
  GMainContext *context; /* where signals are expected; NULL once nobody can hear them */
  GThread *home;         /* the thread that made the connection */

  GMutex lock;
  GCond turn_cond;
  guint n_turn_waiters;                  /* threads that wait for turn_cond */
  GThread *turns[G_TLS_SESSION_N_LANES]; /* the thread that waits in the lane, borrowed */
  GPtrArray *sources;                    /* GSource, borrowed: all that wait for this connection */
  GTlsSessionEngine *engine;
  GTlsSessionLife life;
  GTlsSessionQuestion question;
  GIOCondition handshake_wants; /* what the last handshake step waited for */
  GIOCondition timed_out;       /* a source gave up waiting for this; the next non-blocking call says so */

  /* Settings */
  GTlsDatabase *database; /* NULL: no certificate is trusted */
  GTlsInteraction *interaction;
  GTlsCertificate *certificate;
  char **advertised_protocols;
  GTlsProtocolVersion minimum;
  GTlsProtocolVersion maximum;
  int rehandshake_mode; /* kept for Gio, without any effect, as Gio documents */
  guint close_timeout;  /* ms */
  gboolean require_close_notify;
  guint settings_serial; /* another one after each change of a setting */

  GTlsCertificate *shown_certificate; /* what the handshake asked for and got of our own; nullable */

  /* Facts, once the handshake has ended */
  GTlsCertificate *peer_certificate;
  GTlsCertificateFlags peer_certificate_errors;
  gboolean accepted_despite_faults;
  char *negotiated_protocol;
  GTlsProtocolVersion protocol_version;
  const char *ciphersuite_name; /* static */
  GTlsSessionResumption resumption;

  GTlsSessionTicketShelf *shelf;
  guint n_received; /* tickets, in all; it may overflow */

  GQueue tickets_to_keep; /* GTlsSessionTicket, owned: for the session store */

  /* To be announced */
  GQueue new_tickets; /* GTlsSessionTicket, owned */
  GPtrArray *changed; /* GParamSpec, borrowed: properties whose change is to be notified */
  GTlsSessionAnnouncement announcement;
};

struct _GTlsSessionConnectionClass
{
  GTlsConnectionClass parent_class;

  GTlsSessionEngine *(*create_engine) (GTlsSessionTransport transport, GError **error);

  /* All of these with the lock held. */
  void (*fill_settings) (GTlsSessionConnection *self, GTlsSessionEngineSettings *settings);
  void (*certificate_asked) (GTlsSessionConnection *self);
  void (*handshake_done) (GTlsSessionConnection *self);
  void (*handshake_failed) (GTlsSessionConnection *self);           /* nullable */
  STACK_OF (X509) *(*get_peer_chain) (GTlsSessionConnection *self); /* borrowed, nullable */
  X509 *(*dup_server_certificate) (GTlsSessionConnection *self);    /* nullable */

  const char *verify_purpose;

  /* Of a client only. A server knows no identity to hold its client's certificate to, and receives no tickets. */
  GSocketConnectable *(*dup_peer_identity) (GTlsSessionConnection *self);
  GTlsCertificateFlags (*get_validation_flags) (GTlsSessionConnection *self);
  GTlsSessionTicket *(*make_ticket) (GTlsSessionConnection *self, SSL_SESSION *session);
  gboolean (*wants_session) (GTlsSessionConnection *self);             /* the handshake waits for find_session() */
  gboolean (*wants_forecast) (GTlsSessionConnection *self);            /* likewise, for note_forecast() */
  STACK_OF (X509) *(*get_offered_chain) (GTlsSessionConnection *self); /* borrowed, nullable */
  void (*note_forecast) (GTlsSessionConnection *self, guint settings_serial, GTlsCertificateFlags faults);
  gboolean asks_for_certificate; /* the interaction, when it has none */

  /* Of a client only, without the lock. They may call code of the program's. */
  void (*find_session) (GTlsSessionConnection *self);
  void (*keep_ticket) (GTlsSessionConnection *self, GTlsSessionTicket *ticket);
};

#define G_TLS_SESSION_CONNECTION_GET_CLASS(obj) \
  (G_TYPE_INSTANCE_GET_CLASS ((obj), G_TLS_SESSION_TYPE_CONNECTION, GTlsSessionConnectionClass))

/* connection.c */

gboolean g_tls_session_connection_init_base (GTlsSessionConnection *self, GError **error);

gboolean g_tls_session_connection_begin_question (GTlsSessionConnection *self);

void g_tls_session_connection_end_question (GTlsSessionConnection *self);

/* connection-properties.c */

#define G_TLS_SESSION_DEFAULT_CLOSE_TIMEOUT 5000 /* ms */

void g_tls_session_connection_install_properties (GObjectClass *object_class);

void g_tls_session_connection_set_resumption (GTlsSessionConnection *self, GTlsSessionResumption resumption);

/* driver.c */

gboolean g_tls_session_connection_run (GTlsSessionConnection *self,
                                       const GTlsSessionStep *step,
                                       gint64 deadline,
                                       GCancellable *cancellable,
                                       GTlsSessionEngineStatus *status,
                                       GError **error);

void g_tls_session_connection_run_async (GTlsSessionConnection *self,
                                         const GTlsSessionStep *step,
                                         gint64 deadline,
                                         GTask *task);

gboolean g_tls_session_connection_try (GTlsSessionConnection *self,
                                       const GTlsSessionStep *step,
                                       GCancellable *cancellable,
                                       GTlsSessionEngineStatus *status,
                                       GError **error);

void g_tls_session_connection_wake (GTlsSessionConnection *self);

void g_tls_session_connection_wake_locked (GTlsSessionConnection *self);

/* source.c */

gboolean g_tls_session_connection_check (GTlsSessionConnection *self, GIOCondition direction);

GSource *g_tls_session_connection_source_new (GTlsSessionConnection *self,
                                              gpointer stream,
                                              GIOCondition direction,
                                              gint64 deadline,
                                              GCancellable *cancellable);

GSource *g_tls_session_connection_stream_source_new (GTlsSessionConnection *self,
                                                     gpointer stream,
                                                     GIOCondition direction,
                                                     GCancellable *cancellable);

/* handshake.c */

gboolean g_tls_session_connection_is_handshaken (GTlsSessionConnection *self);

GTlsSessionEngineStatus g_tls_session_connection_step_handshake (GTlsSessionConnection *self,
                                                                 gpointer data,
                                                                 GError **error);

void g_tls_session_connection_collect_tickets (GTlsSessionConnection *self);

void g_tls_session_connection_keep_tickets (GTlsSessionConnection *self);

/* What the engine asks for in a handshake, by WANTS_VERDICT or WANTS_CERTIFICATE, may take its time. */

typedef void (*GTlsSessionAnsweredFunc) (GTlsSessionConnection *self, GError *error, gpointer data);

typedef enum
{
  G_TLS_SESSION_ANSWERED_NOW,       /* the engine has its answer */
  G_TLS_SESSION_ANSWERED_LATER,     /* the callback will be called, with the error if there is one, owned */
  G_TLS_SESSION_ANSWERED_ELSEWHERE, /* another operation has asked already; g_tls_session_connection_wake() follows */
} GTlsSessionAnswered;

/* verdict.c */

typedef enum
{
  G_TLS_SESSION_CASE_VERDICT, /* on the peer's chain */
  G_TLS_SESSION_CASE_FORECAST, /* what it would be, on the chain of the ticket that is offered; the program is not asked */
} GTlsSessionCaseKind;

gboolean g_tls_session_connection_judge (GTlsSessionConnection *self,
                                         GTlsSessionCaseKind kind,
                                         GCancellable *cancellable,
                                         GError **error);

GTlsSessionAnswered g_tls_session_connection_judge_async (GTlsSessionConnection *self,
                                                          GTlsSessionCaseKind kind,
                                                          GCancellable *cancellable,
                                                          GTlsSessionAnsweredFunc answered,
                                                          gpointer data);

gboolean g_tls_session_connection_judge_in_step (gpointer connection, GError **error);

/* own-certificate.c */

gboolean g_tls_session_connection_find_certificate (GTlsSessionConnection *self,
                                                    GCancellable *cancellable,
                                                    GError **error);

GTlsSessionAnswered g_tls_session_connection_find_certificate_async (GTlsSessionConnection *self,
                                                                     GCancellable *cancellable,
                                                                     GTlsSessionAnsweredFunc answered,
                                                                     gpointer data);

/* close.c */

gboolean g_tls_session_connection_close (GTlsSessionConnection *self, GCancellable *cancellable, GError **error);

void g_tls_session_connection_close_async (GTlsSessionConnection *self, GTask *task);

/* announce.c */

void g_tls_session_connection_note_change (GTlsSessionConnection *self, const char *property);

void g_tls_session_connection_announce (GTlsSessionConnection *self);

/* input-stream.c, output-stream.c */

GInputStream *g_tls_session_input_stream_new (GTlsSessionConnection *connection);

GOutputStream *g_tls_session_output_stream_new (GTlsSessionConnection *connection);

G_END_DECLS
