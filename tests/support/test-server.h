/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "test-pki.h"

G_BEGIN_DECLS

/* A TLS server on OpenSSL alone, on 127.0.0.1 and a free port, with the habits that tests need and real servers do not
 * have on demand. A thread accepts, and a thread serves each connection. All functions may be called from any thread.
 */

typedef enum
{
  TEST_BEHAVIOUR_ECHO,              /* sends back what it reads, until the client ends */
  TEST_BEHAVIOUR_SINK,              /* waits read_delay_ms, then reads until the client ends */
  TEST_BEHAVIOUR_GREET,             /* sends greeting_size bytes at once, then as ECHO */
  TEST_BEHAVIOUR_GREET_THEN_TICKET, /* no ticket in the handshake; greets, then sends one; then as ECHO */
  TEST_BEHAVIOUR_TICKET_ON_REQUEST, /* no ticket in the handshake; as ECHO, but one before it echoes "TICKET\n" */
  TEST_BEHAVIOUR_SILENT,            /* after the handshake never reads, writes or closes, until the server is freed */
  TEST_BEHAVIOUR_ABRUPT,            /* echoes once, then closes the socket without close_notify */
  TEST_BEHAVIOUR_RESET,             /* echoes once, then resets the connection */
  TEST_BEHAVIOUR_FLOOD,             /* sends application data without end, and reads nothing */
  TEST_BEHAVIOUR_TICKET_FLOOD,      /* sends tickets without end, and reads nothing */
  TEST_BEHAVIOUR_GARBAGE,           /* sends what is not a TLS record right after the handshake, then closes */
  TEST_BEHAVIOUR_STALL,             /* accepts, and never answers the ClientHello */
  TEST_BEHAVIOUR_NOT_TLS,           /* answers in plain text */
  TEST_BEHAVIOUR_DECLINE,           /* answers the ClientHello with close_notify */
  TEST_BEHAVIOUR_KEY_UPDATE,        /* as ECHO, but asks for new keys before each answer */
  TEST_BEHAVIOUR_FAREWELL,          /* echoes once, then sends close_notify and closes the socket */
  TEST_BEHAVIOUR_GREET_THEN_SILENT, /* greets, and is SILENT then */
  TEST_N_BEHAVIOURS,
} TestBehaviour;

typedef enum
{
  TEST_TLS12_TICKETS,
  TEST_TLS12_SESSION_IDS, /* no tickets; the server remembers sessions */
  TEST_TLS12_NOTHING,     /* neither */
} TestTls12;

typedef struct
{
  TestBehaviour behaviour;
  TestCertificate certificate;
  gboolean only_tls12;
  gboolean only_tls13;
  TestTls12 tls12;
  gboolean no_extended_master_secret; /* TLS 1.2: as servers before RFC 7627 */
  gboolean no_tickets;                /* TLS 1.3: none */
  guint n_tickets;                    /* TLS 1.3: this many; 0 means 2 */
  guint ticket_lifetime;              /* s; 0 means 7200 */
  const char *alpn;                   /* one protocol to choose if it is offered; nullable */
  guint read_delay_ms;                /* SINK, and GREET… after the greeting */
  const gint *may_read;               /* SINK: reads nothing while this is 0; atomic, outlives the server; nullable */
  guint pause_ms;                     /* SINK: between reads of 64 KiB */
  guint greeting_size;                /* GREET…: bytes of test_server_greeting_byte(); 0 means 1000 */
} TestServerOptions;

typedef enum
{
  TEST_END_OPEN, /* it has not ended yet */
  TEST_END_CLOSE_NOTIFY,
  TEST_END_FIN, /* without close_notify */
  TEST_END_RESET,
  TEST_END_OURS,   /* the server ended it first */
  TEST_END_FAILED, /* another error; see the record's error */
  TEST_N_ENDS,
} TestEnd;

typedef struct
{
  gboolean handshaken;
  gboolean resumed;
  char *protocol; /* as OpenSSL names it */
  char *server_name;
  char *alpn;
  guint64 n_received;
  char *sha256; /* of what was received, in hex */
  TestEnd end;
  char *error; /* nullable */
} TestServerRecord;

typedef struct _TestServer TestServer;

TestServer *test_server_new (const TestServerOptions *options);

void test_server_free (TestServer *self);

guint16 test_server_get_port (TestServer *self);

const char *test_server_get_ca_path (TestServer *self);

TestPki *test_server_get_pki (TestServer *self);

void test_server_lose_keys (TestServer *self);

guint test_server_count_connections (TestServer *self);

guint test_server_count_handshakes (TestServer *self);

guint test_server_count_resumed (TestServer *self);

/* Connections on which the greeting, and the ticket if there is one to follow it, have been handed to the kernel. */
guint test_server_count_greeted (TestServer *self);

gboolean test_server_wait_ended (TestServer *self, guint n_connections);

gboolean test_server_get_record (TestServer *self, guint index, TestServerRecord *record);

void test_server_record_clear (TestServerRecord *record);

guint8 test_server_greeting_byte (gsize position);

const char *test_end_to_string (TestEnd end);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TestServer, test_server_free)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TestServerRecord, test_server_record_clear)

G_END_DECLS
