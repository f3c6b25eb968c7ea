/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "starttls.h"

#include <string.h>

/* NOTES:
 *
 * A protocol is a table of steps. In each step something is said (or nothing, where the server greets), and the server
 * answers with units: lines, XML tags, or messages of known length. The unit that ends the answer either agrees, and the
 * next step begins, or it does not, and the dialogue has failed. So the state is the number of the step.
 *
 * The server is not trusted: a unit, their number, and the time are bounded. What it says before TLS counts for nothing
 * but the agreement. Bytes behind the agreement are refused, since somebody on the way may have put them there for the
 * time after the handshake (the STARTTLS injection, CVE-2011-0411 and its kin).
 */

#define MAX_UNIT 4096  /* bytes; RFC 5321 has 512 for a line, RFC 3501 none */
#define MAX_UNITS 256  /* of the whole dialogue */
#define BLOCK 1024     /* bytes */
#define MAX_QUOTED 200 /* bytes of what the server said, in an error */

typedef struct
{
  const char *say;       /* NULL: nothing; @ in it stands for the host */
  gsize size;            /* of it; 0: it is a string */
  const char *agrees;    /* how the unit begins that ends the answer and agrees */
  const char *announces; /* NULL, or what has to be in the answer for the next step to make sense */
} Step;

struct _StarttlsProtocol
{
  const char *name;
  guint16 port;
  /* How long the unit at @bytes is: 0 if more has to come. */
  gsize (*measure) (const guint8 *bytes, gsize size);
  /* Whether it ends the answer. */
  gboolean (*ends) (StarttlsDialogue *self, const char *unit, gsize size);
  /* Whether it agrees; NULL: it begins with what the step says. */
  gboolean (*agrees) (StarttlsDialogue *self, const char *unit, gsize size);
  Step steps[4]; /* up to one without anything */
};

struct _StarttlsDialogue
{
  const StarttlsProtocol *protocol;
  char *host;
  const Step *step;
  gboolean has_spoken;   /* in this step */
  gboolean is_announced; /* what this step's answer has to announce */
  char code[4];          /* of a reply of several lines; "": none is under way */
  guint n_units;
  GByteArray *unread;
};

/* Units */

static gsize
measure_until (const guint8 *bytes, gsize size, char end)
{
  const guint8 *at = size > 0 ? memchr (bytes, end, size) : NULL;

  return at != NULL ? (gsize) (at - bytes) + 1 : 0;
}

static gsize
measure_line (const guint8 *bytes, gsize size)
{
  return measure_until (bytes, size, '\n');
}

static gsize
measure_tag (const guint8 *bytes, gsize size)
{
  return measure_until (bytes, size, '>');
}

static gsize
measure_byte (const guint8 *bytes, gsize size)
{
  return size > 0 ? 1 : 0;
}

/* An LDAPMessage in BER: a tag, a length of one byte or of one to four more, and the content (RFC 4511, section 5.1). */
static gsize
measure_ber (const guint8 *bytes, gsize size)
{
  gsize n_length = size >= 2 && bytes[1] > 0x80 ? bytes[1] & 0x7f : 0;
  gsize length = 0;

  if (size < 2 || n_length > 4)
    return n_length > 4 ? size : 0; /* no length that makes sense: let it be judged as it is */
  if (size < 2 + n_length)
    return 0;
  for (gsize i = 0; i < n_length; i++)
    length = length << 8 | bytes[2 + i];
  if (n_length == 0)
    length = bytes[1];
  return size >= 2 + n_length + length ? 2 + n_length + length : 0;
}

/* Ends of answers */

static gboolean
ends_always (StarttlsDialogue *self, const char *unit, gsize size)
{
  return TRUE;
}

/* SMTP and FTP: "250-…" begins a reply of several lines, which "250 …" ends (RFC 959, section 4.2). */
static gboolean
ends_reply (StarttlsDialogue *self, const char *unit, gsize size)
{
  gboolean has_code = size >= 4 && g_ascii_isdigit (unit[0]) && g_ascii_isdigit (unit[1]) && g_ascii_isdigit (unit[2]);

  if (*self->code == '\0')
    {
      if (!has_code || unit[3] != '-')
        return TRUE;
      memcpy (self->code, unit, 3);
      return FALSE;
    }
  return has_code && unit[3] != '-' && memcmp (self->code, unit, 3) == 0;
}

/* IMAP: untagged lines before the tagged one; the greeting is untagged. */
static gboolean
ends_tagged (StarttlsDialogue *self, const char *unit, gsize size)
{
  return self->step->say == NULL || *unit != '*';
}

static gboolean
ends_with (const char *unit, gsize size, const char *end)
{
  gsize length = strlen (end);

  return size >= length && memcmp (unit + size - length, end, length) == 0;
}

/* XMPP: the features are a stanza of many tags; the answer to <starttls/> is one, or two. */
static gboolean
ends_stanza (StarttlsDialogue *self, const char *unit, gsize size)
{
  if (g_str_equal (self->step->agrees, "</stream:features>"))
    return ends_with (unit, size, "</stream:features>") || strstr (unit, "<stream:features/") != NULL ||
           strstr (unit, "<stream:error") != NULL;
  return ends_with (unit, size, "/>") || strstr (unit, "</") != NULL;
}

/* Agreement */

static gboolean
agrees_stanza (StarttlsDialogue *self, const char *unit, gsize size)
{
  if (g_str_equal (self->step->agrees, "</stream:features>"))
    return strstr (unit, "<stream:error") == NULL;
  return strstr (unit, "<proceed") != NULL || strstr (unit, "</proceed") != NULL;
}

/* An ExtendedResponse, [APPLICATION 24], with the result code success (RFC 4511, section 4.12). */
static gboolean
agrees_ldap (StarttlsDialogue *self, const char *unit, gsize size)
{
  const guint8 *bytes = (const guint8 *) unit;
  gsize at = 2;

  if (size < 2 || bytes[0] != 0x30)
    return FALSE;
  at += bytes[1] > 0x80 ? bytes[1] & 0x7f : 0;
  if (size < at + 5 || memcmp (bytes + at, "\x02\x01\x01\x78", 4) != 0)
    return FALSE;
  at += 4;
  at += bytes[at] > 0x80 ? 1u + (bytes[at] & 0x7f) : 1u;
  return size >= at + 3 && memcmp (bytes + at, "\x0a\x01\x00", 3) == 0;
}

/* Protocols */

#define XMPP_OPEN \
  "<?xml version='1.0'?><stream:stream to='@' version='1.0' xmlns='jabber:client' " \
  "xmlns:stream='http://etherx.jabber.org/streams'>"
#define XMPP_TLS "urn:ietf:params:xml:ns:xmpp-tls"
#define POSTGRES_REQUEST "\x00\x00\x00\x08\x04\xd2\x16\x2f"
#define LDAP_REQUEST \
  "\x30\x1d\x02\x01\x01\x77\x18\x80\x16" \
  "1.3.6.1.4.1.1466.20037"

static const StarttlsProtocol protocols[] = {
  /* RFC 4217 */
  { "ftp", 21, measure_line, ends_reply, NULL, { { NULL, 0, "220", NULL }, { "AUTH TLS\r\n", 0, "234", NULL } } },
  /* RFC 3207 */
  { "smtp",
    25,
    measure_line,
    ends_reply,
    NULL,
    { { NULL, 0, "220", NULL }, { "EHLO localhost\r\n", 0, "250", "STARTTLS" }, { "STARTTLS\r\n", 0, "220", NULL } } },
  /* RFC 3501, section 6.2.1 */
  { "imap",
    143,
    measure_line,
    ends_tagged,
    NULL,
    { { NULL, 0, "* OK", NULL },
      { "a1 CAPABILITY\r\n", 0, "a1 OK", "STARTTLS" },
      { "a2 STARTTLS\r\n", 0, "a2 OK", NULL } } },
  /* RFC 2595, section 4; CAPA may be missing, so it is not asked for */
  { "pop3", 110, measure_line, ends_always, NULL, { { NULL, 0, "+OK", NULL }, { "STLS\r\n", 0, "+OK", NULL } } },
  /* RFC 6120, section 5.4 */
  { "xmpp",
    5222,
    measure_tag,
    ends_stanza,
    agrees_stanza,
    { { XMPP_OPEN, 0, "</stream:features>", XMPP_TLS }, { "<starttls xmlns='" XMPP_TLS "'/>", 0, "<proceed", NULL } } },
  /* SSLRequest of PostgreSQL's protocol 3.0 */
  { "postgres",
    5432,
    measure_byte,
    ends_always,
    NULL,
    { { POSTGRES_REQUEST, sizeof POSTGRES_REQUEST - 1, "S", NULL } } },
  /* RFC 4511, section 4.14 */
  { "ldap",
    389,
    measure_ber,
    ends_always,
    agrees_ldap,
    { { LDAP_REQUEST, sizeof LDAP_REQUEST - 1, "success", NULL } } },
};

const StarttlsProtocol *
starttls_find (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (protocols); i++)
    if (g_str_equal (protocols[i].name, name))
      return &protocols[i];
  return NULL;
}

const char *
starttls_get_name (const StarttlsProtocol *protocol)
{
  return protocol->name;
}

guint16
starttls_get_default_port (const StarttlsProtocol *protocol)
{
  return protocol->port;
}

char *
starttls_list_names (void)
{
  GString *names = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (protocols); i++)
    g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", protocols[i].name);
  return g_string_free (names, FALSE);
}

/* The dialogue */

/* @host goes into XML: a server's name or address has nothing in it that means something there, else it is left out. */
StarttlsDialogue *
starttls_dialogue_new (const StarttlsProtocol *protocol, const char *host)
{
  StarttlsDialogue *self = g_new0 (StarttlsDialogue, 1);

  self->protocol = protocol;
  self->host = g_strdup (strpbrk (host, "<>&'\"") == NULL ? host : "");
  self->step = protocol->steps;
  self->unread = g_byte_array_new ();
  return self;
}

void
starttls_dialogue_free (StarttlsDialogue *self)
{
  g_byte_array_unref (self->unread);
  g_free (self->host);
  g_free (self);
}

static StarttlsStatus fail (StarttlsDialogue *self, GError **error, const char *format, ...) G_GNUC_PRINTF (3, 4);

static StarttlsStatus
fail (StarttlsDialogue *self, GError **error, const char *format, ...)
{
  g_autofree char *reason = NULL;
  va_list args;

  va_start (args, format);
  reason = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "The server did not let TLS begin (%s): %s", self->protocol->name,
               reason);
  return STARTTLS_FAILED;
}

static GBytes *
make_request (StarttlsDialogue *self)
{
  const Step *step = self->step;
  g_auto (GStrv) parts = NULL;
  char *request;

  if (step->size > 0)
    return g_bytes_new_static (step->say, step->size);
  parts = g_strsplit (step->say, "@", -1);
  request = g_strjoinv (self->host, parts);
  return g_bytes_new_take (request, strlen (request));
}

static StarttlsStatus
judge (StarttlsDialogue *self, const char *unit, gsize size, GError **error)
{
  const Step *step = self->step;
  gboolean agrees = self->protocol->agrees != NULL
                      ? self->protocol->agrees (self, unit, size)
                      : g_ascii_strncasecmp (unit, step->agrees, strlen (step->agrees)) == 0;
  g_autofree char *quoted = NULL;

  if (agrees && (step->announces == NULL || self->is_announced))
    return STARTTLS_AGREED;
  if (agrees)
    return fail (self, error, "it does not offer it");

  if (self->protocol->measure == measure_ber)
    return fail (self, error, "it answered with another message than the one that agrees");
  quoted = g_strndup (unit, MIN (size, MAX_QUOTED));
  g_strstrip (quoted);
  return fail (self, error, "it said \"%s\"", quoted);
}

/* One unit, of @size bytes, with a zero behind it. STARTTLS_AGREED is about the step. */
static StarttlsStatus
take_unit (StarttlsDialogue *self, const char *unit, gsize size, GError **error)
{
  if (++self->n_units > MAX_UNITS)
    return fail (self, error, "it talks on and on, more than %d lines", MAX_UNITS);

  if (self->step->announces != NULL && strstr (unit, self->step->announces) != NULL)
    self->is_announced = TRUE;
  if (!self->protocol->ends (self, unit, size))
    return STARTTLS_MORE;
  return judge (self, unit, size, error);
}

/* Looks whether there is a whole unit. */
static StarttlsStatus
take_next (StarttlsDialogue *self, GError **error)
{
  gsize size = self->protocol->measure (self->unread->data, self->unread->len);
  g_autofree char *unit = NULL;

  if ((size > 0 ? size : self->unread->len) > MAX_UNIT)
    return fail (self, error, "a line of it is longer than %d bytes", MAX_UNIT);
  if (size == 0)
    return STARTTLS_MORE;

  unit = g_strndup ((const char *) self->unread->data, size);
  if (self->protocol->measure == measure_ber)
    memcpy (unit, self->unread->data, size); /* g_strndup() ends at a zero */
  g_byte_array_remove_range (self->unread, 0, (guint) size);
  return take_unit (self, unit, size, error);
}

static StarttlsStatus
next_step (StarttlsDialogue *self, GError **error)
{
  self->step++;
  self->has_spoken = FALSE;
  self->is_announced = FALSE;
  *self->code = '\0';

  if (self->unread->len > 0)
    return fail (self, error, "it sent %u bytes more than it was asked for, perhaps injected on the way",
                 self->unread->len);
  return self->step->agrees == NULL ? STARTTLS_AGREED : STARTTLS_MORE;
}

StarttlsStatus
starttls_dialogue_feed (StarttlsDialogue *self, const guint8 *bytes, gsize size, GBytes **say, GError **error)
{
  StarttlsStatus status = STARTTLS_MORE;
  guint n_before;

  *say = NULL;
  g_byte_array_append (self->unread, bytes, (guint) size);
  do
    {
      n_before = self->unread->len;
      if (n_before > 0)
        status = take_next (self, error);
    }
  while (status == STARTTLS_MORE && self->unread->len > 0 && self->unread->len < n_before);

  if (status == STARTTLS_AGREED)
    status = next_step (self, error);
  if (status == STARTTLS_MORE && !self->has_spoken)
    {
      self->has_spoken = TRUE;
      *say = self->step->say != NULL ? make_request (self) : NULL;
    }
  return status;
}

/* On a socket */

static gboolean
fail_late (guint timeout, GError **error)
{
  g_clear_error (error);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "The server did not agree to TLS within %u s", timeout);
  return FALSE;
}

/* GSocket's timeouts are of single reads, in whole seconds; this is for the whole dialogue. */
static gboolean
set_remaining (GSocket *socket, gint64 deadline)
{
  gint64 left = deadline - g_get_monotonic_time ();

  if (left > 0)
    g_socket_set_timeout (socket, (guint) ((left + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC));
  return left > 0;
}

static StarttlsStatus
converse (StarttlsDialogue *dialogue, GIOStream *stream, const guint8 *bytes, gsize size, GError **error)
{
  g_autoptr (GBytes) say = NULL;
  StarttlsStatus status = starttls_dialogue_feed (dialogue, bytes, size, &say, error);

  if (say != NULL && !g_output_stream_write_all (g_io_stream_get_output_stream (stream), g_bytes_get_data (say, NULL),
                                                 g_bytes_get_size (say), NULL, NULL, error))
    return STARTTLS_FAILED;
  return status;
}

gboolean
starttls_run (const StarttlsProtocol *protocol,
              GSocketConnection *connection,
              const char *host,
              guint timeout,
              GError **error)
{
  g_autoptr (StarttlsDialogue) dialogue = starttls_dialogue_new (protocol, host);
  GSocket *socket = g_socket_connection_get_socket (connection);
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  gint64 deadline = g_get_monotonic_time () + (gint64) timeout * G_USEC_PER_SEC;
  guint usual_timeout = g_socket_get_timeout (socket);
  StarttlsStatus status = converse (dialogue, G_IO_STREAM (connection), NULL, 0, error);

  while (status == STARTTLS_MORE)
    {
      guint8 block[BLOCK];
      gssize n_read;

      if (!set_remaining (socket, deadline))
        return fail_late (timeout, error);
      n_read = g_input_stream_read (input, block, sizeof block, NULL, error);
      if (n_read == 0)
        fail (dialogue, error, "it ended the connection");
      if (n_read < 0 && error != NULL && g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
        return fail_late (timeout, error);
      if (n_read <= 0)
        return FALSE;
      status = converse (dialogue, G_IO_STREAM (connection), block, (gsize) n_read, error);
    }

  g_socket_set_timeout (socket, usual_timeout);
  return status == STARTTLS_AGREED;
}
