/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* NOTES:
 *
 * Bytes of each direction wait in a lane: first until they are a whole record, then until their turn comes. wire_move()
 * passes one piece of each lane at a time, and lets the peer answer. Whoever is tested has looked at everything before the
 * next piece comes; so what is the n-th piece, byte or record does not depend on time.
 *
 * Records are repeated and dropped before they are cut into pieces, bytes are changed in the piece that they pass in, and
 * all other faults come between two pieces, or between two bytes of what would have been one.
 */

#define PIECE 2048
#define TRICKLE_PIECES 200
#define NOISE 64 /* bytes */
#define HEADER 5 /* of a record */
#define CHANGE_CIPHER_SPEC 20

typedef enum
{
  LANE_IN,
  LANE_OUT,
  N_LANES,
} LaneName;

typedef struct
{
  GByteArray *arriving; /* not a whole record yet */
  GByteArray *ready;
  guint8 header[HEADER]; /* of the record whose bytes are passing */
  gsize record_offset;
} Lane;

typedef enum
{
  WIRE_PASSES,
  WIRE_ENDED, /* the peer's side; ours goes on */
  WIRE_STALLS,
  WIRE_GONE,
} WireState;

typedef enum
{
  STRIKE_TO_COME,
  STRIKE_DONE,
} Strike;

struct _Wire
{
  Transport transport;
  Peer *peer;
  Lane lanes[N_LANES];
  WireState state;

  Fault fault;
  Strike strike;
  GCancellable *cancellable;
  WireTraffic traffic;
  guint trickle_left;
  gboolean lost_in;      /* a record to the near end was dropped */
  gboolean damaged_body; /* a byte within a record that matters was changed */

  Near near;
  int far_fd;
  int near_fd;    /* the other end, too */
  ssize_t n_left; /* bytes that were taken, and are still unread in the socket: 0 or 1 */
};

const char *const fault_kind_names[N_FAULTS] = { "none",    "end",     "reset", "stall",  "cancel",
                                                 "trickle", "garbage", "flip",  "repeat", "drop" };

const char *const fault_unit_names[N_UNITS] = { "op", "in-byte", "out-byte", "in-record", "out-record" };

static const FaultUnit byte_units[N_LANES] = { UNIT_IN_BYTE, UNIT_OUT_BYTE };
static const FaultUnit record_units[N_LANES] = { UNIT_IN_RECORD, UNIT_OUT_RECORD };

/* The near end */

static void
open_socket_pair (Wire *self)
{
  int size = NEAR_CAPACITY;
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), ==, 0);
  self->far_fd = fds[0];
  self->near_fd = fds[1];
  g_assert_cmpint (setsockopt (self->near_fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), ==, 0);
}

GIOStream *
wire_dup_stream (Wire *self)
{
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GError) error = NULL;

  if (self->transport == TRANSPORT_STREAM)
    return near_stream_new (&self->near);

  socket = g_socket_new_from_fd (dup (self->near_fd), &error);
  g_assert_no_error (error);
  g_socket_set_timeout (socket, WIRE_TIMEOUT);
  return G_IO_STREAM (g_socket_connection_factory_create_connection (socket));
}

static void
take_from_stream (Wire *self, GByteArray *place)
{
  g_byte_array_append (place, self->near.written->data, self->near.written->len);
  g_byte_array_set_size (self->near.written, 0);
}

/* There is always a byte left in the socket, for reset_near(): one of our own, or, if the near end does not write any more,
 * the last one that it wrote.
 */
static void
take_from_socket (Wire *self, GByteArray *place)
{
  guint8 buffer[4 * NEAR_CAPACITY];
  ssize_t n = recv (self->far_fd, buffer, sizeof buffer, MSG_PEEK);

  if (n <= self->n_left)
    return;
  g_byte_array_append (place, buffer + self->n_left, (guint) (n - self->n_left));
  g_assert_cmpint (recv (self->far_fd, buffer, (gsize) n - 1, 0), ==, n - 1);
  if (send (self->near_fd, "", 1, MSG_NOSIGNAL) == 1)
    g_assert_cmpint (recv (self->far_fd, buffer, 1, 0), ==, 1);
  self->n_left = 1;
}

static gboolean
take_from_near (Wire *self, GByteArray *place)
{
  guint before = place->len;

  if (self->transport == TRANSPORT_STREAM)
    take_from_stream (self, place);
  else
    take_from_socket (self, place);
  return place->len > before;
}

/* How much of it was taken. What a closed end is sent is lost. */
static gsize
give_to_near (Wire *self, const guint8 *bytes, gsize size)
{
  ssize_t n;

  if (self->transport == TRANSPORT_STREAM)
    {
      if (!self->near.is_closed)
        g_byte_array_append (self->near.to_read, bytes, (guint) size);
      return size;
    }

  n = send (self->far_fd, bytes, size, MSG_NOSIGNAL);
  if (n < 0)
    return errno == EAGAIN ? 0 : size;
  return (gsize) n;
}

static void
end_near (Wire *self)
{
  if (self->transport == TRANSPORT_STREAM)
    self->near.state = NEAR_ENDED;
  else
    shutdown (self->far_fd, SHUT_WR);
  self->state = WIRE_ENDED;
}

/* A socket that is closed with something unread in it resets the connection. There is something unless nothing was ever
 * written; then it can still be.
 */
static void
reset_near (Wire *self)
{
  if (self->transport == TRANSPORT_STREAM)
    {
      self->near.state = NEAR_RESET;
    }
  else
    {
      if (self->n_left == 0)
        g_assert_cmpint (send (self->near_fd, "", 1, MSG_NOSIGNAL), ==, 1);
      close (self->far_fd);
      self->far_fd = -1;
    }
  self->state = WIRE_GONE;
}

/* Striking */

static void
strike (Wire *self)
{
  self->strike = STRIKE_DONE;
  switch (self->fault.kind)
    {
    case FAULT_END:
      end_near (self);
      break;
    case FAULT_RESET:
      reset_near (self);
      break;
    case FAULT_STALL:
      self->state = WIRE_STALLS;
      break;
    case FAULT_CANCEL:
      g_cancellable_cancel (self->cancellable);
      break;
    case FAULT_TRICKLE:
      self->trickle_left = TRICKLE_PIECES;
      break;
    case FAULT_NONE:
    case FAULT_GARBAGE:
    case FAULT_FLIP:
    case FAULT_REPEAT:
    case FAULT_DROP:
    case N_FAULTS:
    default:
      break;
    }
}

static gboolean
strikes_between_bytes (const Fault *fault)
{
  return fault->kind >= FAULT_END && fault->kind <= FAULT_TRICKLE;
}

/* Whether it is time; then it happens. */
static gboolean
strike_if_due (Wire *self)
{
  if (self->strike == STRIKE_DONE || !strikes_between_bytes (&self->fault) ||
      self->traffic.counts[self->fault.unit] != self->fault.n)
    return FALSE;

  strike (self);
  return TRUE;
}

/* How much of a lane may pass before a fault is due. */
static gsize
bytes_until_strike (Wire *self, LaneName name)
{
  guint passed = self->traffic.counts[byte_units[name]];

  if (self->strike == STRIKE_DONE || !strikes_between_bytes (&self->fault) || self->fault.unit != byte_units[name] ||
      self->fault.n < passed)
    return G_MAXSIZE;
  return self->fault.n - passed;
}

/* Changing bytes */

static void
follow_record (Lane *lane, guint8 byte)
{
  if (lane->record_offset < HEADER)
    lane->header[lane->record_offset] = byte;
  lane->record_offset++;
  if (lane->record_offset >= HEADER && lane->record_offset == HEADER + ((gsize) lane->header[3] << 8 | lane->header[4]))
    lane->record_offset = 0;
}

static void
damage (Wire *self, LaneName name, guint8 *byte)
{
  Lane *lane = &self->lanes[name];
  guint since = self->traffic.counts[byte_units[name]] - self->fault.n;

  if (lane->record_offset >= HEADER && lane->header[0] != CHANGE_CIPHER_SPEC)
    self->damaged_body = TRUE;
  *byte ^= self->fault.kind == FAULT_FLIP ? 1 << (self->fault.n % 8) : (guint8) (0x5a + 29 * since);
  self->strike = STRIKE_DONE;
}

static gboolean
is_to_be_damaged (Wire *self, LaneName name)
{
  guint passed = self->traffic.counts[byte_units[name]];
  guint size = self->fault.kind == FAULT_FLIP ? 1 : NOISE;

  return (self->fault.kind == FAULT_FLIP || self->fault.kind == FAULT_GARBAGE) &&
         self->fault.unit == byte_units[name] && passed >= self->fault.n && passed < self->fault.n + size;
}

static void
let_pass (Wire *self, LaneName name, guint8 *bytes, gsize size)
{
  for (gsize i = 0; i < size; i++)
    {
      guint8 byte = bytes[i];

      if (is_to_be_damaged (self, name))
        damage (self, name, &bytes[i]);
      follow_record (&self->lanes[name], byte);
      self->traffic.counts[byte_units[name]]++;
    }
  self->traffic.counts[UNIT_OPERATION]++;
}

/* Records */

static gsize
size_of_first_record (Lane *lane)
{
  gsize size;

  if (lane->arriving->len < HEADER)
    return 0;
  size = HEADER + ((gsize) lane->arriving->data[3] << 8 | lane->arriving->data[4]);
  return lane->arriving->len >= size ? size : 0;
}

static guint
times_of_record (Wire *self, LaneName name)
{
  if (self->fault.unit != record_units[name] || self->traffic.counts[record_units[name]] != self->fault.n)
    return 1;

  self->strike = STRIKE_DONE;
  self->lost_in = self->lost_in || (name == LANE_IN && self->fault.kind == FAULT_DROP);
  if (self->lanes[name].arriving->data[0] != CHANGE_CIPHER_SPEC)
    self->damaged_body = TRUE;
  return self->fault.kind == FAULT_DROP ? 0 : 2;
}

static void
sort_records (Wire *self, LaneName name)
{
  Lane *lane = &self->lanes[name];
  gsize size;

  while ((size = size_of_first_record (lane)) > 0)
    {
      for (guint i = times_of_record (self, name); i > 0; i--)
        g_byte_array_append (lane->ready, lane->arriving->data, (guint) size);
      g_byte_array_remove_range (lane->arriving, 0, (guint) size);
      self->traffic.counts[record_units[name]]++;
    }
}

/* Moving */

static gsize
give (Wire *self, LaneName name, const guint8 *bytes, gsize size)
{
  if (name == LANE_IN)
    return give_to_near (self, bytes, size);
  peer_feed (self->peer, bytes, size);
  return size;
}

static gboolean
pass_piece (Wire *self, LaneName name)
{
  Lane *lane = &self->lanes[name];
  gsize size = MIN (lane->ready->len, self->trickle_left > 0 ? 1 : PIECE);
  gsize n_given;

  if (size == 0)
    return FALSE;
  if (strike_if_due (self))
    return TRUE;

  size = MIN (size, bytes_until_strike (self, name));
  let_pass (self, name, lane->ready->data, size);
  n_given = give (self, name, lane->ready->data, size);
  /* A piece is far less than what a socket takes, and the last one has been read. */
  g_assert_cmpuint (n_given, ==, size);
  g_byte_array_remove_range (lane->ready, 0, (guint) size);
  if (self->trickle_left > 0)
    self->trickle_left--;
  /* What comes after the last byte of all comes now: there may be no piece to come before. */
  strike_if_due (self);
  return TRUE;
}

static gboolean
move_out (Wire *self)
{
  Lane *lane = &self->lanes[LANE_OUT];
  gboolean taken = lane->ready->len == 0 && take_from_near (self, lane->arriving);

  sort_records (self, LANE_OUT);
  return pass_piece (self, LANE_OUT) || taken;
}

static gboolean
move_in (Wire *self)
{
  Lane *lane = &self->lanes[LANE_IN];

  if (self->state != WIRE_PASSES)
    return FALSE;

  peer_take (self->peer, lane->arriving);
  sort_records (self, LANE_IN);
  if (pass_piece (self, LANE_IN))
    return TRUE;
  if (!peer_has_ended (self->peer))
    return FALSE;
  end_near (self);
  return TRUE;
}

gboolean
wire_move (Wire *self)
{
  gboolean moved = FALSE;

  if (self->state == WIRE_PASSES || self->state == WIRE_ENDED)
    moved = move_out (self);
  if (self->state == WIRE_PASSES)
    moved = move_in (self) || moved;
  return moved;
}

void
wire_arm (Wire *self, const Fault *fault, GCancellable *cancellable)
{
  memset (&self->traffic, 0, sizeof self->traffic);
  self->fault = *fault;
  self->cancellable = cancellable;
  self->strike = STRIKE_TO_COME;
  strike_if_due (self);
}

gboolean
wire_has_struck (Wire *self)
{
  return self->strike == STRIKE_DONE;
}

gboolean
wire_is_in_short (Wire *self)
{
  Lane *lane = &self->lanes[LANE_IN];

  peer_take (self->peer, lane->arriving);
  return self->lost_in || lane->arriving->len + lane->ready->len > 0;
}

gboolean
wire_damaged_body (Wire *self)
{
  return self->damaged_body;
}

const WireTraffic *
wire_get_traffic (Wire *self)
{
  return &self->traffic;
}

Wire *
wire_new (Transport transport, Peer *peer)
{
  Wire *self = g_new0 (Wire, 1);

  self->transport = transport;
  self->peer = peer;
  self->strike = STRIKE_DONE;
  for (guint i = 0; i < N_LANES; i++)
    {
      self->lanes[i].arriving = g_byte_array_new ();
      self->lanes[i].ready = g_byte_array_new ();
    }
  self->near.to_read = g_byte_array_new ();
  self->near.written = g_byte_array_new ();
  self->far_fd = self->near_fd = -1;
  if (transport == TRANSPORT_SOCKET)
    open_socket_pair (self);
  return self;
}

/* The stream at the near end has been freed. */
void
wire_free (Wire *self)
{
  for (guint i = 0; i < N_LANES; i++)
    {
      g_byte_array_unref (self->lanes[i].arriving);
      g_byte_array_unref (self->lanes[i].ready);
    }
  g_byte_array_unref (self->near.to_read);
  g_byte_array_unref (self->near.written);
  if (self->far_fd >= 0)
    close (self->far_fd);
  if (self->near_fd >= 0)
    close (self->near_fd);
  g_free (self);
}
