/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtls-session.h>

#include "starttls.h"

G_BEGIN_DECLS

/* NOTES:
 *
 * A plan says what to ask, a report what came of it; in between, probe-nodes.c asks, one connection at a time
 * (probe-connection.c). probe-text.c and probe-json.c tell the same report, to a person and to a program.
 */

#define PROBE_MAX_NODES 16

typedef struct
{
  char *host; /* the TLS name */
  guint16 port;
  GPtrArray *addresses;             /* of GSocketAddress: the nodes */
  gboolean is_chosen;               /* they were named, not looked up: then each has to be there */
  const StarttlsProtocol *starttls; /* NULL: TLS from the first byte */
  char **alpn;                      /* NULL: none is offered */
  gboolean only_tls12;
  guint count;            /* runs for each node */
  guint timeout;          /* s */
  GTlsDatabase *database; /* NULL: the system's */
} ProbePlan;

/* One connection, after its handshake. */
typedef struct
{
  GTlsSessionHelper *helper;
  GTlsCertificateFlags faults; /* of the certificate; it was accepted by hand then */
  gint64 handshake_us;
} ProbeConnection;

typedef enum
{
  PROBE_STAGE_CONNECT,
  PROBE_STAGE_STARTTLS,
  PROBE_STAGE_HANDSHAKE,
  PROBE_STAGE_TICKET, /* a ticket could not be offered */
  PROBE_STAGE_DONE,
} ProbeStage;

const char *probe_stage_get_name (ProbeStage stage);

/* @ticket: nullable. @stage: how far it came. */
ProbeConnection *probe_connection_open (const ProbePlan *plan,
                                        GSocketAddress *address,
                                        GTlsSessionTicket *ticket,
                                        ProbeStage *stage,
                                        GError **error);

/* Closes it, too. */
void probe_connection_free (ProbeConnection *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ProbeConnection, probe_connection_free)

/* Reads until no more tickets come; returns how many there are. */
guint probe_connection_count_tickets (ProbeConnection *self);

typedef struct
{
  char *subject;
  char *issuer;
  GDateTime *begins; /* nullable */
  GDateTime *ends;   /* nullable */
} ProbeCertificate;

typedef struct
{
  gint64 full_us;                   /* of the handshake; -1: it failed */
  gint64 resumed_us;                /* of the one that offered a ticket; -1: it failed, or there was no ticket */
  GTlsSessionResumption resumption; /* what became of the ticket */
  char *explanation;                /* nullable: nothing was offered */
  char *failure;                    /* nullable */
} ProbeRun;

/* What one address said. */
typedef struct
{
  GSocketAddress *address;
  char *name; /* the address and, if it is not the plan's, the port */

  ProbeStage stage;         /* how far the first connection came */
  char *failure;            /* nullable; of it */
  gboolean is_out_of_reach; /* there is no way there from here */

  /* If it came to the end: */
  GTlsProtocolVersion version;
  char *cipher;
  char *alpn;                  /* nullable */
  GPtrArray *chain;            /* of ProbeCertificate, the server's first */
  GTlsCertificateFlags faults; /* 0: it was verified */
  guint n_tickets;
  GTlsSessionTicket *ticket; /* the first; nullable */
  GArray *runs;              /* of ProbeRun */
} ProbeNode;

/* What the node at @to made of a ticket from the one at @from. */
typedef struct
{
  guint from;
  guint to;
  GTlsSessionResumption resumption;
  char *explanation; /* nullable */
  char *failure;     /* nullable: it could not be asked */
} ProbeOffer;

typedef struct
{
  const char *code; /* for programs; see doc/probe-json.md */
  char *node;       /* the name of the node it is about; NULL: of all */
  char *text;
} ProbeFinding;

typedef struct
{
  const ProbePlan *plan;
  GDateTime *began;
  GPtrArray *nodes;    /* of ProbeNode */
  GPtrArray *offers;   /* of ProbeOffer; empty if there are not two nodes with tickets */
  GPtrArray *groups;   /* of GArray of guint: nodes that share ticket keys */
  GPtrArray *findings; /* of ProbeFinding: what is not as it should be */
} ProbeReport;

ProbeReport *probe_run (const ProbePlan *plan);

void probe_report_free (ProbeReport *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ProbeReport, probe_report_free)

/* Whether any node came to the end of a handshake. */
gboolean probe_report_has_answer (ProbeReport *self);

void probe_node_free (ProbeNode *self);

/* Whether each resumed a session of the other. */
gboolean probe_report_is_shared (ProbeReport *self, guint a, guint b);

/* NULL if it was not asked. */
ProbeOffer *probe_report_find_offer (ProbeReport *self, guint from, guint to);

guint probe_node_count_resumed (ProbeNode *self);

/* Of the runs where that succeeded, in microseconds; -1: of none. */
gint64 probe_node_median_full (ProbeNode *self);

gint64 probe_node_median_resumed (ProbeNode *self);

/* Groups the nodes, and says what is not as it should be. */
void probe_report_conclude (ProbeReport *self);

const char *probe_name_version (GTlsProtocolVersion version);

const char *probe_name_resumption (GTlsSessionResumption resumption);

/* The names of faults, as programs and as people know them; what is not known is "generic-error". */
typedef struct
{
  GTlsCertificateFlags flag;
  const char *name;
  const char *words;
} ProbeFault;

/* Ends with one whose name is NULL. */
extern const ProbeFault probe_faults[];

/* In words, with commas between them. Owned by the caller. */
char *probe_list_faults (GTlsCertificateFlags faults);

void probe_tell_text (ProbeReport *report);

void probe_tell_json (ProbeReport *report);

G_END_DECLS
