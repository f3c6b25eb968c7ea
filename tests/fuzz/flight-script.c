/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flight.h"

#include <openssl/ssl3.h>
#include <string.h>

#define EDIT_HEAD 5
#define MESSAGE_HEAD 4
#define CONTENT_MAX 16384

typedef struct
{
  guint8 record;
  FlightOperation operation;
  gboolean mends_length;
  guint position;
  guint length;
  const guint8 *bytes;
} Edit;

static gboolean
brings_bytes (FlightOperation operation)
{
  return operation == FLIGHT_OVERWRITE || operation == FLIGHT_INSERT || operation == FLIGHT_REPLACE ||
         operation == FLIGHT_ADD_BEFORE;
}

/* FALSE at the end. */
static gboolean
read_edit (const guint8 **at, gsize *left, Edit *edit)
{
  const guint8 *head = *at;
  gsize n_bytes;

  if (*left < EDIT_HEAD)
    return FALSE;

  edit->record = head[0];
  edit->operation = (head[1] & ~FLIGHT_MEND_LENGTH) % FLIGHT_N_OPERATIONS;
  edit->mends_length = (head[1] & FLIGHT_MEND_LENGTH) != 0;
  edit->position = (guint) head[2] << 8 | head[3];
  n_bytes = brings_bytes (edit->operation) ? MIN ((gsize) head[4], *left - EDIT_HEAD) : 0;
  edit->length = brings_bytes (edit->operation) ? (guint) n_bytes : head[4];
  edit->bytes = head + EDIT_HEAD;
  *at += EDIT_HEAD + n_bytes;
  *left -= EDIT_HEAD + n_bytes;
  return TRUE;
}

static void
insert (GByteArray *content, guint position, const guint8 *bytes, guint length)
{
  guint behind = content->len - MIN (position, content->len);

  if (length == 0)
    return;

  g_byte_array_set_size (content, content->len + length);
  memmove (content->data + content->len - behind, content->data + content->len - behind - length, behind);
  memcpy (content->data + content->len - behind - length, bytes, length);
  if (content->len > CONTENT_MAX)
    g_byte_array_set_size (content, CONTENT_MAX);
}

static void
mend_length (GByteArray *content)
{
  guint length = content->len - MESSAGE_HEAD;

  if (content->len < MESSAGE_HEAD)
    return;
  content->data[1] = (guint8) (length >> 16);
  content->data[2] = (guint8) (length >> 8);
  content->data[3] = (guint8) length;
}

static void
edit_record (FlightRecord *record, const Edit *edit)
{
  GByteArray *content = record->content;

  if (edit->operation == FLIGHT_OVERWRITE)
    for (guint i = 0; i < edit->length && edit->position + i < content->len; i++)
      content->data[edit->position + i] = edit->bytes[i];
  else if (edit->operation == FLIGHT_INSERT)
    insert (content, edit->position, edit->bytes, edit->length);
  else if (edit->operation == FLIGHT_DELETE && edit->position < content->len)
    g_byte_array_remove_range (content, edit->position, MIN (edit->length, content->len - edit->position));
  else if (edit->operation == FLIGHT_RETYPE)
    record->type = (guint8) edit->position;
  else if (edit->operation == FLIGHT_REPLACE)
    {
      g_byte_array_set_size (content, 0);
      g_byte_array_append (content, edit->bytes, edit->length);
    }

  if (edit->mends_length)
    mend_length (content);
}

static void
place_edit (GPtrArray *records, const Edit *edit, int *cut)
{
  FlightRecord *last = records->len > 0 ? g_ptr_array_index (records, records->len - 1) : NULL;

  if (edit->operation == FLIGHT_CUT)
    *cut = (int) edit->position;
  else if (edit->operation == FLIGHT_ADD_BEFORE)
    {
      FlightRecord *added = flight_record_new ((guint8) edit->position, edit->bytes, edit->length);

      added->was_added = TRUE;
      g_ptr_array_insert (records, records->len > 0 ? (int) records->len - 1 : 0, added);
    }
  else if (last == NULL)
    return;
  else if (edit->operation == FLIGHT_DROP)
    g_ptr_array_remove_index (records, records->len - 1);
  else if (edit->operation == FLIGHT_REPEAT)
    g_ptr_array_add (records, flight_record_new (last->type, last->content->data, last->content->len));
  else
    edit_record (last, edit);
}

GPtrArray *
flight_script_apply (const FlightScript *script, guint number, guint8 type, const guint8 *content, gsize size, int *cut)
{
  GPtrArray *records = g_ptr_array_new_with_free_func (flight_record_free);
  const guint8 *at = script->edits;
  gsize left = script->size;
  Edit edit;

  *cut = -1;
  g_ptr_array_add (records, flight_record_new (type, content, size));
  while (read_edit (&at, &left, &edit))
    if (edit.record == number)
      place_edit (records, &edit, cut);
  return records;
}
