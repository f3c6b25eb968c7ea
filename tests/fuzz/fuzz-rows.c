/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* NOTES:
 *
 * A GTlsSessionFileStore reads rows that somebody else has written into its file. The first byte of an input says what the
 * others are:
 *
 *   0  the sealed content of a ticket's row
 *   1  what is under a seal that is sound: the key, a zero byte, and a ticket's bytes
 *   2  the same, with the ticket's magic, length and checksum set right
 *   3  the sealed content of bytes under a name
 *   4  the columns of a ticket's row, in pieces, each of a type of its own
 *
 * The store lists, takes and loads. What it gives is what was sealed for that place; all else is an error with words.
 */

#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <sqlite3.h>

#include "../ticket/handshake.h"
#include "fuzz.h"
#include "ticket/gtls-session-error.h"
#include "ticket/gtls-session-file-store.h"
#include "ticket/seal.h"
#include "ticket/ticket-private.h"

#define KEY "server.example:443"
#define NAME "ticket-keys"
#define ID "0000000000000000"
#define DIGEST_SIZE 32
#define HEAD_SIZE 24
#define FOREVER G_GINT64_CONSTANT (4000000000)

const guint fuzz_n_changes = 500;

static char *folder;
static GTlsSessionFileStore *store;
static GTlsSessionSeal *seal;
static sqlite3 *database; /* somebody else's connection */
static char *peer;
static char *name;

/* Writing into the file */

static void
ask (const char *sql)
{
  g_assert (sqlite3_exec (database, sql, NULL, NULL, NULL) == SQLITE_OK);
}

static void
write_ticket_row (GBytes *content)
{
  sqlite3_stmt *statement = NULL;
  gsize size;
  const void *data = g_bytes_get_data (content, &size);

  g_assert (sqlite3_prepare_v2 (database,
                                "INSERT OR REPLACE INTO ticket (peer, id, single_use, last_use, content) "
                                "VALUES (?1, '" ID "', 1, ?2, ?3)",
                                -1, &statement, NULL) == SQLITE_OK);
  sqlite3_bind_text (statement, 1, peer, -1, SQLITE_STATIC);
  sqlite3_bind_int64 (statement, 2, FOREVER);
  sqlite3_bind_blob (statement, 3, data != NULL ? data : "", (int) size, SQLITE_STATIC);
  g_assert (sqlite3_step (statement) == SQLITE_DONE);
  sqlite3_finalize (statement);
}

static void
write_bytes_row (const guint8 *data, gsize size)
{
  sqlite3_stmt *statement = NULL;

  g_assert (sqlite3_prepare_v2 (database, "INSERT OR REPLACE INTO bytes (name, content) VALUES (?1, ?2)", -1,
                                &statement, NULL) == SQLITE_OK);
  sqlite3_bind_text (statement, 1, name, -1, SQLITE_STATIC);
  sqlite3_bind_blob (statement, 2, data, (int) size, SQLITE_STATIC);
  g_assert (sqlite3_step (statement) == SQLITE_DONE);
  sqlite3_finalize (statement);
}

/* A type (1 byte), a length (1 byte), and that many bytes. */
static void
bind_piece (sqlite3_stmt *statement, int index, const guint8 **data, gsize *size)
{
  guint8 type = *size >= 2 ? (*data)[0] % 5 : 0;
  gsize length = *size >= 2 ? MIN ((gsize) (*data)[1], *size - 2) : 0;
  const guint8 *piece = *data + MIN (*size, 2);
  gint64 number = 0;

  memcpy (&number, piece, MIN (length, sizeof number));
  if (type == 0)
    sqlite3_bind_text (statement, index, (const char *) piece, (int) length, SQLITE_STATIC);
  else if (type == 1)
    sqlite3_bind_blob (statement, index, piece, (int) length, SQLITE_STATIC);
  else if (type == 2)
    sqlite3_bind_int64 (statement, index, number);
  else if (type == 3)
    sqlite3_bind_double (statement, index, (double) number / 3);
  else
    sqlite3_bind_text (statement, index, peer, -1, SQLITE_STATIC);

  *data = piece + length;
  *size = *size >= 2 ? *size - 2 - length : 0;
}

static void
write_odd_row (const guint8 *data, gsize size)
{
  sqlite3_stmt *statement = NULL;

  g_assert (sqlite3_prepare_v2 (database,
                                "INSERT OR REPLACE INTO ticket (peer, id, single_use, last_use, content) "
                                "VALUES (?1, ?2, ?3, ?4, ?5)",
                                -1, &statement, NULL) == SQLITE_OK);
  for (int column = 1; column <= 5; column++)
    bind_piece (statement, column, &data, &size);
  g_assert (sqlite3_step (statement) == SQLITE_DONE);
  sqlite3_finalize (statement);
}

static GBytes *
seal_row (GBytes *content)
{
  g_autofree char *place = g_strdup_printf ("ticket/%s/%s/1", peer, ID);
  GBytes *sealed = g_tls_session_seal_close (seal, content, place, NULL);

  g_assert (sealed != NULL);
  return sealed;
}

static GBytes *
wrap_ticket (const guint8 *data, gsize size)
{
  gsize length = strlen (KEY) + 1;
  gsize ticket_size = MAX (size, HEAD_SIZE);
  g_autofree guint8 *bytes = g_malloc0 (length + ticket_size + DIGEST_SIZE);
  guint8 *ticket = bytes + length;
  guint32 total = GUINT32_TO_BE ((guint32) ticket_size + DIGEST_SIZE);

  memcpy (bytes, KEY, length);
  memcpy (ticket, data, size);
  memcpy (ticket, "GTLSTKT\x01", 8);
  memcpy (ticket + 8, &total, 4);
  g_assert (EVP_Digest (ticket, ticket_size, ticket + ticket_size, NULL, EVP_sha256 (), NULL) == 1);
  return g_bytes_new (bytes, length + ticket_size + DIGEST_SIZE);
}

/* Reading */

static void
check_error (const GError *error)
{
  if (error == NULL)
    return;
  g_assert (error->domain == G_TLS_SESSION_ERROR);
  g_assert (error->code == G_TLS_SESSION_ERROR_BAD_DATA || error->code == G_TLS_SESSION_ERROR_STORE);
  g_assert (g_utf8_validate (error->message, -1, NULL));
}

static void
list_all (void)
{
  g_autoptr (GError) error = NULL;
  GList *entries = g_tls_session_file_store_list (store, &error);

  for (GList *entry = entries; entry != NULL; entry = entry->next)
    {
      g_autoptr (GError) flaw = NULL;
      GTlsSessionTicket *ticket = g_tls_session_store_entry_get_ticket (entry->data, &flaw);

      g_assert ((ticket == NULL) == (flaw != NULL));
      check_error (flaw);
    }
  check_error (error);
  g_list_free_full (entries, (GDestroyNotify) g_tls_session_store_entry_unref);
}

/* A ticket that is to be used once comes once. */
static void
take_all (void)
{
  for (int i = 0; i < 4; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GTlsSessionTicket) ticket = g_tls_session_store_take (G_TLS_SESSION_STORE (store), KEY, &error);

      check_error (error);
      g_assert (ticket == NULL || error == NULL);
      g_assert (ticket == NULL || strlen (g_tls_session_ticket_get_id (ticket)) == 16);
      if (ticket == NULL && error == NULL)
        return;
    }
}

static void
load (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_tls_session_store_load_bytes (G_TLS_SESSION_STORE (store), NAME, &error);

  g_assert (bytes == NULL || error == NULL);
  check_error (error);
}

/* The target */

static void
leave (void)
{
  static const char *const files[] = { "s.db", "s.db-wal", "s.db-shm", "s.db.key" };

  sqlite3_close (database);
  g_object_unref (store);
  g_tls_session_seal_free (seal);
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *path = g_build_filename (folder, files[i], NULL);

      unlink (path);
    }
  rmdir (folder);
  g_free (folder);
  g_free (peer);
  g_free (name);
}

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  static const guint8 key_bytes[G_TLS_SESSION_SEAL_KEY_SIZE] = "thirty-two bytes that are no key";
  g_autoptr (GBytes) key = g_bytes_new (key_bytes, sizeof key_bytes);
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;

  /* Where writing costs nothing, if there is such a place. */
  folder = g_strdup ("/dev/shm/gtls-session-fuzz-XXXXXX");
  if (g_mkdtemp (folder) == NULL)
    {
      g_free (folder);
      folder = g_dir_make_tmp ("gtls-session-fuzz-XXXXXX", &error);
      g_assert_no_error (error);
    }
  path = g_build_filename (folder, "s.db", NULL);
  store = g_tls_session_file_store_new_with_key (path, key, &error);
  g_assert_no_error (error);
  seal = g_tls_session_seal_new (key, &error);
  g_assert_no_error (error);
  peer = g_tls_session_seal_hash_name (seal, "peer:" KEY, &error);
  name = g_tls_session_seal_hash_name (seal, "bytes:" NAME, &error);
  g_assert (peer != NULL && name != NULL);
  g_assert (sqlite3_open (path, &database) == SQLITE_OK);
  ask ("PRAGMA synchronous = OFF");
  atexit (leave);
  return 0;
}

static void
write_row (guint8 way, const guint8 *data, gsize size)
{
  g_autoptr (GBytes) content = way == 2 ? wrap_ticket (data, size) : g_bytes_new (data, size);
  g_autoptr (GBytes) sealed = way == 1 || way == 2 ? seal_row (content) : NULL;

  if (way == 3)
    write_bytes_row (data, size);
  else if (way == 4)
    write_odd_row (data, size);
  else
    write_ticket_row (sealed != NULL ? sealed : content);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  guint8 way = size > 0 ? data[0] % 5 : 0;

  if (size < 2)
    return 0;

  ask ("BEGIN; DELETE FROM ticket; DELETE FROM bytes");
  write_row (way, data + 1, size - 1);
  ask ("COMMIT");
  if (way == 3)
    {
      load ();
      return 0;
    }

  list_all ();
  take_all ();
  g_assert (ERR_peek_error () == 0);
  return 0;
}

/* Seeds */

static void
add_way (FuzzAddSeed add, gpointer data, const char *seed_name, guint8 way, GBytes *bytes)
{
  g_autoptr (GByteArray) seed = g_byte_array_new ();

  g_byte_array_append (seed, &way, 1);
  g_byte_array_append (seed, g_bytes_get_data (bytes, NULL), (guint) g_bytes_get_size (bytes));
  add (data, seed_name, seed->data, seed->len);
}

static void
add_ticket (FuzzAddSeed add, gpointer data, HandshakeKind kind)
{
  g_autoptr (Pair) pair = pair_new (kind);
  g_autoptr (Link) link = link_new (pair, NULL);
  g_autoptr (GTlsSessionTicket)
    ticket = g_tls_session_ticket_new (pair_get_session (pair), link_get_chain (link), HANDSHAKE_HOST, FALSE);
  g_autoptr (GBytes) bytes = g_tls_session_ticket_to_bytes (ticket);
  g_autoptr (GBytes) bare = g_bytes_new_from_bytes (bytes, 0, g_bytes_get_size (bytes) - DIGEST_SIZE);
  g_autoptr (GBytes) joined = g_tls_session_seal_join (KEY, bytes);
  g_autoptr (GBytes) sealed = seal_row (joined);
  g_autofree char *under_seal = g_strdup_printf ("under-seal-%s", handshake_kind_name (kind));
  g_autofree char *whole = g_strdup_printf ("whole-%s", handshake_kind_name (kind));
  g_autofree char *as_is = g_strdup_printf ("sealed-%s", handshake_kind_name (kind));

  add_way (add, data, under_seal, 1, joined);
  add_way (add, data, whole, 2, bare);
  add_way (add, data, as_is, 0, sealed);
}

void
fuzz_make_seeds (FuzzAddSeed add, gpointer data)
{
  static const char columns[] = "\4\0"
                                "\0\20" ID "\2\1\1"
                                "\2\4\xff\xff\xff\x7f"
                                "\1\3abc";
  g_autoptr (GBytes) odd = g_bytes_new (columns, sizeof columns - 1);
  g_autoptr (GBytes) text = g_bytes_new ("some bytes under a name", 23);
  g_autofree char *place = g_strconcat ("bytes/", name, NULL);
  g_autoptr (GBytes) sealed = NULL;

  for (HandshakeKind kind = 0; kind < N_HANDSHAKE_KINDS; kind++)
    add_ticket (add, data, kind);
  add_way (add, data, "columns", 4, odd);
  sealed = g_tls_session_seal_close (seal, text, place, NULL);
  add_way (add, data, "bytes", 3, sealed);
}
