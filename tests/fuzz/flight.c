/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flight.h"

#include <string.h>

#include <openssl/err.h>

#include "../trust/forge.h"
#include "ticket/ticket-keys-private.h"
#include "ticket/ticket-private.h"
#include "trust/certificate-private.h"
#include "trust/openssl-auto.h"
#include "trust/verify.h"

#define SERVER_NAME "server.example.org"
#define PATIENCE 20000 /* steps: more than the bytes of any flight, so that one that trickles ends too */
#define HEAD_SIZE 5
#define CONTENT_MAX (16384 + 256)
#define FINISHED 20 /* RFC 8446, section 4 */
#define HELLO "hello"
#define VERSION_POSITION 4 /* in a ServerHello */
#define CIPHER_POSITION (VERSION_POSITION + 2 + 32 + 1 + 32)

typedef struct
{
  FlightDirection direction;
  SSL_CTX *peer_context;
  Family *family;
  Forged *client; /* who the client is, if it is asked */
  X509_STORE *store;
  GSocketConnectable *identity;
  GTlsSessionTicketKeys *keys; /* the engine's, as a server */
  SSL_SESSION *sessions[2];    /* that can be resumed; by whether it is TLS 1.2 */
  SSL_SESSION *peer_session;   /* the newest that a peer got, as a client */
} Stage;

static Stage stage;

typedef enum
{
  EPOCH_PLAIN,
  EPOCH_HANDSHAKE,
  EPOCH_DATA,
  EPOCH_OPAQUE, /* TLS 1.2 behind ChangeCipherSpec */
} Epoch;

typedef struct
{
  FlightScript script;
  GTlsSessionEngine *engine;
  SSL *peer; /* NULL: there is none */
  BIO *to_peer;
  BIO *from_peer;
  gboolean peer_has_answered;

  GByteArray *spoken; /* by the peer, as it is */
  guint n_records;
  Epoch epoch;
  FlightKeys keys[2];   /* EPOCH_HANDSHAKE, EPOCH_DATA; minus one */
  gboolean was_changed; /* before the Finished message */

  GByteArray *heard; /* what comes to the engine */
  gsize n_heard;
  gboolean has_ended;
} Flight;

/* Secrets, which OpenSSL tells as text */

static void
on_secret (const SSL *ssl, const char *line)
{
  Flight *flight = SSL_get_app_data (ssl);
  gboolean by_server = stage.direction == FLIGHT_TO_CLIENT;
  const char *names[] = { by_server ? "SERVER_HANDSHAKE_TRAFFIC_SECRET" : "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
                          by_server ? "SERVER_TRAFFIC_SECRET_0" : "CLIENT_TRAFFIC_SECRET_0" };
  g_auto (GStrv) words = g_strsplit (line, " ", 3);

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (flight != NULL && g_strcmp0 (words[0], names[i]) == 0)
      {
        long size = 0;
        unsigned char *secret = OPENSSL_hexstr2buf (words[2], &size);

        flight_keys_derive (&flight->keys[i], secret, (gsize) size);
        OPENSSL_free (secret);
      }
}

/* What the peer says, changed */

static gboolean
has_finished (const FlightRecord *record)
{
  gsize at = 0;

  if (record->type != SSL3_RT_HANDSHAKE)
    return FALSE;
  while (at + 4 <= record->content->len)
    {
      const guint8 *message = record->content->data + at;

      if (message[0] == FINISHED)
        return TRUE;
      at += 4 + ((gsize) message[1] << 16 | (gsize) message[2] << 8 | message[3]);
    }
  return FALSE;
}

/* HelloRequest (type 0) is no part of the handshake's transcript (RFC 5246, section 7.4.1.1), and an empty record is none. */
static gboolean
counts (const FlightRecord *record)
{
  return record->type == SSL3_RT_HANDSHAKE && record->content->len > 0 &&
         !(record->was_added && record->content->data[0] == 0);
}

/* Whether other handshake messages come than the one that was said. What comes behind the last one is too late to count.
 */
static gboolean
differs (GPtrArray *records, const FlightRecord *said)
{
  gboolean is_last = has_finished (said);
  guint n_handshake = 0;

  if (said->type != SSL3_RT_HANDSHAKE)
    return FALSE;
  for (guint i = 0; i < records->len; i++)
    {
      const FlightRecord *record = g_ptr_array_index (records, i);

      if (!counts (record))
        continue;
      n_handshake++;
      if (record->content->len != said->content->len ||
          memcmp (record->content->data, said->content->data, said->content->len) != 0)
        return TRUE;
      if (is_last)
        return FALSE;
    }
  return n_handshake != 1;
}

static void
send_plain (GByteArray *out, const FlightRecord *record, const guint8 *version)
{
  const guint8 head[HEAD_SIZE] = { record->type, version[0], version[1], (guint8) (record->content->len >> 8),
                                   (guint8) record->content->len };

  g_byte_array_append (out, head, sizeof head);
  g_byte_array_append (out, record->content->data, record->content->len);
}

static void
let_through (Flight *self, FlightRecord *said, FlightKeys *keys, const guint8 *head)
{
  int cut = -1;
  guint number = self->n_records++;
  g_autoptr (GPtrArray)
    records = flight_script_apply (&self->script, number, said->type, said->content->data, said->content->len, &cut);

  if (self->epoch == EPOCH_PLAIN || self->epoch == EPOCH_HANDSHAKE)
    self->was_changed = self->was_changed || differs (records, said);

  for (guint i = 0; i < records->len && !self->has_ended; i++)
    {
      g_autoptr (GByteArray) bytes = g_byte_array_new ();
      gboolean is_cut = cut >= 0 && i + 1 == records->len;

      if (keys != NULL)
        flight_keys_close (keys, g_ptr_array_index (records, i), bytes);
      else
        send_plain (bytes, g_ptr_array_index (records, i), head + 1);
      g_byte_array_append (self->heard, bytes->data, is_cut ? MIN (bytes->len, (guint) cut) : bytes->len);
      self->has_ended = is_cut;
    }
}

static gboolean
is_protected (const Flight *self, const guint8 *record)
{
  return SSL_version (self->peer) == TLS1_3_VERSION && record[0] == SSL3_RT_APPLICATION_DATA;
}

static void
pass_protected (Flight *self, const guint8 *record, gsize size)
{
  FlightKeys *keys;
  FlightRecord *said;

  self->epoch = self->epoch == EPOCH_PLAIN ? EPOCH_HANDSHAKE : self->epoch;
  keys = &self->keys[self->epoch - EPOCH_HANDSHAKE];
  said = flight_keys_open (keys, record, size);
  g_assert (said != NULL);
  let_through (self, said, keys, record);
  if (self->epoch == EPOCH_HANDSHAKE && has_finished (said))
    self->epoch = EPOCH_DATA;
  flight_record_free (said);
}

static void
pass_plain (Flight *self, const guint8 *record, gsize size)
{
  FlightRecord *said = flight_record_new (record[0], record + HEAD_SIZE, size - HEAD_SIZE);

  let_through (self, said, NULL, record);
  if (record[0] == SSL3_RT_CHANGE_CIPHER_SPEC && SSL_version (self->peer) == TLS1_2_VERSION)
    self->epoch = EPOCH_OPAQUE;
  flight_record_free (said);
}

static void
pass_records (Flight *self)
{
  while (self->spoken->len >= HEAD_SIZE)
    {
      const guint8 *record = self->spoken->data;
      guint size = HEAD_SIZE + ((guint) record[3] << 8 | record[4]);

      if (self->spoken->len < size)
        return;
      if (is_protected (self, record))
        pass_protected (self, record, size);
      else
        pass_plain (self, record, size);
      g_byte_array_remove_range (self->spoken, 0, size);
    }
}

/* The peer */

static void
answer_hello (Flight *self)
{
  char text[sizeof HELLO];
  int n;

  if (stage.direction == FLIGHT_TO_SERVER && !self->peer_has_answered && SSL_is_init_finished (self->peer))
    self->peer_has_answered = SSL_write (self->peer, HELLO, (int) strlen (HELLO)) > 0;
  while ((n = SSL_read (self->peer, text, sizeof text)) > 0)
    self->peer_has_answered = SSL_write (self->peer, text, n) > 0;
}

/* FALSE if it said nothing. */
static gboolean
let_peer_speak (Flight *self)
{
  guint8 buffer[4096];
  gboolean spoke = FALSE;
  int n;

  if (self->peer == NULL)
    return FALSE;

  if (SSL_do_handshake (self->peer) == 1)
    answer_hello (self);
  ERR_clear_error ();
  while ((n = BIO_read (self->from_peer, buffer, sizeof buffer)) > 0)
    {
      g_byte_array_append (self->spoken, buffer, (guint) n);
      spoke = TRUE;
    }
  pass_records (self);
  return spoke;
}

static int
on_peer_session (SSL *ssl, SSL_SESSION *session)
{
  SSL_SESSION_free (stage.peer_session);
  stage.peer_session = session;
  return 1;
}

static SSL_SESSION *
dup_session (guint8 mode)
{
  SSL_SESSION *session = stage.sessions[(mode & FLIGHT_TLS_1_2) != 0];

  return (mode & FLIGHT_RESUMED) != 0 && session != NULL ? SSL_SESSION_dup (session) : NULL;
}

static void
make_peer (Flight *self, guint8 mode)
{
  self->peer = SSL_new (stage.peer_context);
  g_assert (SSL_set_app_data (self->peer, self) == 1);
  self->to_peer = BIO_new (BIO_s_mem ());
  self->from_peer = BIO_new (BIO_s_mem ());
  SSL_set_bio (self->peer, self->to_peer, self->from_peer);
  if ((mode & FLIGHT_TLS_1_2) != 0)
    g_assert (SSL_set_max_proto_version (self->peer, TLS1_2_VERSION) == 1);

  if (stage.direction == FLIGHT_TO_CLIENT)
    {
      SSL_set_accept_state (self->peer);
      SSL_set_verify (self->peer, (mode & FLIGHT_CLIENT_CERTIFICATE) != 0 ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    }
  else
    {
      SSL_SESSION *session = dup_session (mode);

      SSL_set_connect_state (self->peer);
      g_assert (SSL_set_tlsext_host_name (self->peer, SERVER_NAME) == 1);
      if ((mode & FLIGHT_ALPN) != 0)
        SSL_set_alpn_protos (self->peer, (const guint8 *) "\2h2\x8http/1.1", 12);
      if (session != NULL)
        SSL_set_session (self->peer, session);
      SSL_SESSION_free (session);
    }
}

/* The engine */

static GTlsSessionTransportStatus
hear (gpointer data, void *buffer, gsize size, gsize *n_read, GError **error)
{
  Flight *self = data;
  gsize left = self->heard->len - self->n_heard;

  *n_read = MIN ((self->script.mode & FLIGHT_BYTE_WISE) != 0 ? 1 : size, left);
  if (*n_read > 0)
    {
      memcpy (buffer, self->heard->data + self->n_heard, *n_read);
      self->n_heard += *n_read;
      return G_TLS_SESSION_TRANSPORT_DONE;
    }
  return self->has_ended ? G_TLS_SESSION_TRANSPORT_END : G_TLS_SESSION_TRANSPORT_WOULD_BLOCK;
}

static GTlsSessionTransportStatus
say (gpointer data, const void *bytes, gsize size, gsize *n_written, GError **error)
{
  Flight *self = data;

  *n_written = size;
  if (self->to_peer != NULL)
    g_assert (BIO_write (self->to_peer, bytes, (int) size) == (int) size);
  return G_TLS_SESSION_TRANSPORT_DONE;
}

static const GTlsSessionTransportFuncs transport_funcs = { hear, say };

/* Everybody is looked at, and let in. */
static void
judge (Flight *self)
{
  X509Chain *chain = g_tls_session_engine_get_peer_chain (self->engine);
  gboolean is_client = stage.direction == FLIGHT_TO_CLIENT;

  if (chain != NULL)
    (void) g_tls_session_verify_chain (stage.store, chain,
                                       is_client ? G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER
                                                 : G_TLS_DATABASE_PURPOSE_AUTHENTICATE_CLIENT,
                                       is_client ? stage.identity : NULL, NULL);
  (void) g_tls_session_engine_set_verdict (self->engine, TRUE, 0);
}

static gboolean
judge_client (gpointer data, GError **error)
{
  judge (data);
  return TRUE;
}

static void
show_certificate (Flight *self)
{
  const Forged *own = stage.direction == FLIGHT_TO_CLIENT ? stage.client : stage.family->leaf;
  g_autoptr (X509Chain) intermediates = stack_of (stage.family->intermediate->x509, NULL);
  GList *names = g_tls_session_engine_list_accepted_cas (self->engine);

  g_list_free_full (names, (GDestroyNotify) g_byte_array_unref);
  g_assert (g_tls_session_engine_set_certificate (self->engine, own->x509, own->key, intermediates, NULL));
}

static gboolean
make_engine (Flight *self, guint8 mode)
{
  static const char *const alpn[] = { "http/1.1", NULL };
  GTlsSessionTransport transport = { &transport_funcs, self };
  GTlsProtocolVersion version = (mode & FLIGHT_TLS_1_2) != 0 ? G_TLS_PROTOCOL_VERSION_TLS_1_2
                                                             : G_TLS_PROTOCOL_VERSION_TLS_1_3;
  GTlsSessionEngineSettings settings = {
    .peer_name = "the peer",
    .minimum = G_TLS_PROTOCOL_VERSION_TLS_1_2,
    .maximum = version,
    .alpn = (mode & FLIGHT_ALPN) != 0 ? alpn : NULL,
    .require_close_notify = TRUE,
  };
  gboolean configured;

  if (stage.direction == FLIGHT_TO_CLIENT)
    {
      settings.server_name = SERVER_NAME;
      settings.session = dup_session (mode);
      self->engine = g_tls_session_engine_new_client (transport, NULL);
    }
  else
    {
      settings.context = g_tls_session_ticket_keys_get_context (stage.keys);
      settings.ticket_count = 2;
      settings.authentication = (mode & FLIGHT_CLIENT_CERTIFICATE) != 0 ? G_TLS_AUTHENTICATION_REQUIRED
                                                                        : G_TLS_AUTHENTICATION_NONE;
      settings.judge = judge_client;
      settings.judge_data = self;
      self->engine = g_tls_session_engine_new_server (transport, NULL);
    }
  g_assert (self->engine != NULL);
  configured = g_tls_session_engine_configure (self->engine, &settings, NULL);
  SSL_SESSION_free (settings.session);
  return configured;
}

/* Steps. What waits for a peer that has nothing more to say gets the end of the stream. */

static void
wait_for_peer (Flight *self)
{
  if (!let_peer_speak (self) && self->n_heard == self->heard->len)
    self->has_ended = TRUE;
}

static void
check_error (GTlsSessionEngineStatus status, const GError *error)
{
  g_assert ((status == G_TLS_SESSION_ENGINE_ERROR) == (error != NULL));
  g_assert (error == NULL || (*error->message != '\0' && g_utf8_validate (error->message, -1, NULL)));
}

static gboolean
shake_hands (Flight *self)
{
  for (guint step = 0; step < PATIENCE; step++)
    {
      g_autoptr (GError) error = NULL;
      GTlsSessionEngineStatus status = g_tls_session_engine_handshake (self->engine, &error);

      check_error (status, error);
      if (status == G_TLS_SESSION_ENGINE_WANTS_READ)
        wait_for_peer (self);
      else if (status == G_TLS_SESSION_ENGINE_WANTS_VERDICT)
        judge (self);
      else if (status == G_TLS_SESSION_ENGINE_WANTS_CERTIFICATE)
        show_certificate (self);
      else
        {
          g_assert (status == G_TLS_SESSION_ENGINE_DONE || status == G_TLS_SESSION_ENGINE_ERROR);
          return status == G_TLS_SESSION_ENGINE_DONE;
        }
    }
  g_assert_not_reached ();
}

/* A ticket of the peer's making must be refused, or do all that tickets do. */
static void
take_tickets (Flight *self)
{
  SSL_SESSION *session;

  while ((session = g_tls_session_engine_take_session (self->engine)) != NULL)
    {
      g_autoptr (GTlsSessionTicket) ticket = g_tls_session_ticket_new (
        session, g_tls_session_engine_get_peer_chain (self->engine), SERVER_NAME, FALSE);

      if (ticket != NULL)
        {
          g_autoptr (GBytes) bytes = g_tls_session_ticket_to_bytes (ticket);
          g_autoptr (GError) error = NULL;
          g_autoptr (GTlsSessionTicket) again = g_tls_session_ticket_new_from_bytes (bytes, &error);

          g_assert_no_error (error);
          g_assert (g_tls_session_ticket_get_lifetime (again) <= G_TLS_SESSION_TICKET_MAX_LIFETIME);
          g_assert (strcmp (g_tls_session_ticket_get_id (ticket), g_tls_session_ticket_get_id (again)) == 0);
        }
      if (stage.sessions[(self->script.mode & FLIGHT_TLS_1_2) != 0] == NULL)
        stage.sessions[(self->script.mode & FLIGHT_TLS_1_2) != 0] = session;
      else
        SSL_SESSION_free (session);
    }
}

typedef GTlsSessionEngineStatus (*Operation) (Flight *self, GError **error);

static GTlsSessionEngineStatus
read_some (Flight *self, GError **error)
{
  guint8 buffer[512];
  gsize n_read = 0;
  GTlsSessionEngineStatus status = g_tls_session_engine_read (self->engine, buffer, sizeof buffer, &n_read, error);

  g_assert ((status == G_TLS_SESSION_ENGINE_DONE) == (n_read > 0) && n_read <= sizeof buffer);
  return status;
}

static GTlsSessionEngineStatus
look_for_ticket (Flight *self, GError **error)
{
  GTlsSessionEngineStatus status = g_tls_session_engine_look_for_ticket (self->engine, error);

  take_tickets (self);
  return status;
}

static GTlsSessionEngineStatus
write_hello (Flight *self, GError **error)
{
  gsize n_written = 0;

  return g_tls_session_engine_write (self->engine, HELLO, strlen (HELLO), &n_written, error);
}

static GTlsSessionEngineStatus
end_write (Flight *self, GError **error)
{
  return g_tls_session_engine_end_write (self->engine, error);
}

static GTlsSessionEngineStatus
drain (Flight *self, GError **error)
{
  return g_tls_session_engine_drain (self->engine, error);
}

/* Until it has nothing more to do or to wait for. */
static void
do_all (Flight *self, Operation operation)
{
  guint n_waits = 0;

  for (guint step = 0; step < PATIENCE; step++)
    {
      g_autoptr (GError) error = NULL;
      GTlsSessionEngineStatus status = operation (self, &error);

      check_error (status, error);
      g_assert (status != G_TLS_SESSION_ENGINE_WANTS_WRITE);
      if (status == G_TLS_SESSION_ENGINE_WANTS_READ)
        {
          if (!let_peer_speak (self) && self->n_heard == self->heard->len && n_waits++ > 0)
            return;
        }
      else if (status != G_TLS_SESSION_ENGINE_DONE || operation == write_hello || operation == end_write ||
               operation == drain)
        return;
    }
  g_assert_not_reached ();
}

static void
use_connection (Flight *self)
{
  g_assert (!self->was_changed);
  (void) g_tls_session_engine_get_protocol_version (self->engine);
  (void) g_tls_session_engine_get_ciphersuite_name (self->engine);
  g_free (g_tls_session_engine_dup_application_protocol (self->engine));
  take_tickets (self);
  do_all (self, write_hello);
  if (stage.direction == FLIGHT_TO_CLIENT)
    do_all (self, look_for_ticket);
  do_all (self, read_some);
  take_tickets (self);
  do_all (self, end_write);
  self->has_ended = TRUE;
  do_all (self, drain);
}

void
flight_run (const guint8 *data, gsize size)
{
  Flight flight = { 0 };

  if (size == 0)
    return;

  flight.script = (FlightScript){ data[0], data + 1, size - 1 };
  flight.spoken = g_byte_array_new ();
  flight.heard = g_byte_array_new ();
  if ((data[0] & FLIGHT_RAW) != 0)
    {
      g_byte_array_append (flight.heard, data + 1, (guint) size - 1);
      flight.has_ended = TRUE;
    }
  else
    make_peer (&flight, data[0]);

  if (make_engine (&flight, data[0]) && shake_hands (&flight))
    use_connection (&flight);

  g_tls_session_engine_free (flight.engine);
  SSL_free (flight.peer);
  g_byte_array_unref (flight.spoken);
  g_byte_array_unref (flight.heard);
  ERR_clear_error ();
}

/* The stage */

static void
make_peer_context (void)
{
  gboolean is_server = stage.direction == FLIGHT_TO_CLIENT;
  const Forged *own = is_server ? stage.family->leaf : stage.client;
  SSL_CTX *context = SSL_CTX_new (is_server ? TLS_server_method () : TLS_client_method ());

  g_assert (SSL_CTX_use_certificate (context, own->x509) == 1 && SSL_CTX_use_PrivateKey (context, own->key) == 1);
  g_assert (SSL_CTX_add1_chain_cert (context, stage.family->intermediate->x509) == 1);
  g_assert (SSL_CTX_set_ciphersuites (context, "TLS_AES_128_GCM_SHA256") == 1);
  SSL_CTX_set_keylog_callback (context, on_secret);
  SSL_CTX_set_timeout (context, G_TLS_SESSION_TICKET_MAX_LIFETIME);
  if (is_server)
    {
      g_assert (SSL_CTX_set_session_id_context (context, (const guint8 *) "fuzz", 4) == 1);
    }
  else
    {
      SSL_CTX_set_session_cache_mode (context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
      SSL_CTX_sess_set_new_cb (context, on_peer_session);
    }
  stage.peer_context = context;
}

/* Flights without a change, which have to bring a session each. */
static void
obtain_sessions (void)
{
  for (guint8 mode = 0; mode <= FLIGHT_TLS_1_2; mode++)
    {
      flight_run (&mode, 1);
      if (stage.direction == FLIGHT_TO_SERVER)
        stage.sessions[mode] = g_steal_pointer (&stage.peer_session);
      g_assert (stage.sessions[mode] != NULL);
    }
}

static void
leave (void)
{
  SSL_CTX_free (stage.peer_context);
  family_free (stage.family);
  forged_free (stage.client);
  X509_STORE_free (stage.store);
  g_object_unref (stage.identity);
  g_object_unref (stage.keys);
  SSL_SESSION_free (stage.sessions[0]);
  SSL_SESSION_free (stage.sessions[1]);
  SSL_SESSION_free (stage.peer_session);
}

void
flight_init (FlightDirection direction)
{
  X509Chain *anchors;

  stage.direction = direction;
  stage.family = family_new ();
  stage.client = forge (&(Order){ .name = "client", .extended_key_usage = "clientAuth" }, stage.family->intermediate);
  anchors = stack_of (stage.family->root->x509, NULL);
  stage.store = g_tls_session_store_new (anchors);
  x509_chain_free (anchors);
  stage.identity = g_network_address_new (SERVER_NAME, 443);
  stage.keys = g_tls_session_ticket_keys_new (NULL);
  g_assert (stage.store != NULL && stage.keys != NULL);
  make_peer_context ();
  obtain_sessions ();
  atexit (leave);
}

/* Seeds: each mode, and each operation on each of the first records */

static void
add_edited (FuzzAddSeed add, gpointer data, guint8 mode, guint8 record, guint8 operation, guint8 position)
{
  const guint8 seed[] = { mode, record, operation, 0, position, 4, 0x16, 0xff, 0x00, 0x01 };
  g_autofree char *name = g_strdup_printf ("mode-%02x-record-%u-%02x-%u", mode, record, operation, position);

  add (data, name, seed, sizeof seed);
}

void
flight_make_seeds (FuzzAddSeed add, gpointer data)
{
  static const guint8 downgrades[][8] = {
    { FLIGHT_RESUMED, 0, FLIGHT_OVERWRITE, 0, CIPHER_POSITION, 2, 0x13, 0x02 },
    { FLIGHT_RESUMED, 0, FLIGHT_OVERWRITE, 0, CIPHER_POSITION, 2, 0x13, 0x03 },
    { FLIGHT_RESUMED | FLIGHT_TLS_1_2, 0, FLIGHT_OVERWRITE, 0, CIPHER_POSITION, 2, 0xc0, 0x2f },
    { FLIGHT_RESUMED | FLIGHT_TLS_1_2, 0, FLIGHT_OVERWRITE, 0, CIPHER_POSITION, 2, 0x00, 0x3c },
    { FLIGHT_RESUMED | FLIGHT_TLS_1_2, 0, FLIGHT_OVERWRITE, 0, VERSION_POSITION, 2, 0x03, 0x02 },
    { FLIGHT_RESUMED | FLIGHT_TLS_1_2, 0, FLIGHT_OVERWRITE, 0, VERSION_POSITION, 2, 0x03, 0x04 },
  };
  static const guint8 alert[] = { FLIGHT_RAW, SSL3_RT_ALERT, 3, 3, 0, 2, 2, 40 };
  static const guint8 http[] = "\x08HTTP/1.1 400 Bad Request\r\n\r\n";

  for (guint8 mode = 0; mode < 64; mode++)
    if ((mode & FLIGHT_RAW) == 0)
      {
        g_autofree char *name = g_strdup_printf ("mode-%02x", mode);

        add (data, name, &mode, 1);
      }
  for (guint8 mode = 0; mode < 8; mode++)
    for (guint8 record = 0; record < 8; record++)
      for (guint8 operation = 0; operation < FLIGHT_N_OPERATIONS; operation++)
        add_edited (add, data, mode, record, operation, operation == FLIGHT_ADD_BEFORE ? 22 : 6);
  for (guint8 record = 0; record < 8; record++)
    add_edited (add, data, 0, record, FLIGHT_INSERT | FLIGHT_MEND_LENGTH, 4);
  /* A ServerHello that resumes with another version or ciphersuite than the session's. */
  for (gsize i = 0; i < G_N_ELEMENTS (downgrades); i++)
    {
      g_autofree char *name = g_strdup_printf ("downgrade-%" G_GSIZE_FORMAT, i);

      add (data, name, downgrades[i], sizeof downgrades[i]);
    }
  add (data, "alert", alert, sizeof alert);
  add (data, "http", http, sizeof http - 1);
}
