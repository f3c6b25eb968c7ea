/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gtls-session.h>
#include <string.h>

#include "../terminal.h"
#include "../tool.h"
#include "archive.h"

/* gtls-session store: looks into a GTlsSessionFileStore. What a ticket is told by is its id, a public name that the
 * library makes up; its secrets, and the bytes that the server made, are never printed.
 */

typedef GList Entries;

static void
entries_free (gpointer entries)
{
  g_list_free_full (entries, (GDestroyNotify) g_tls_session_store_entry_unref);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Entries, entries_free)

/* What an action has to work with. */
typedef struct
{
  GTlsSessionFileStore *store;
  Entries *entries;
  char **words; /* behind the action */
  gboolean all;
  gboolean keep;
} Work;

static const char description[] =
  "Actions:\n"
  "  list                what is kept\n"
  "  show ID             all about one ticket, but its secrets\n"
  "  forget ID… | --all  drops tickets\n"
  "  export FILE [ID…]   moves tickets into a file, to carry them to another machine; --keep copies them\n"
  "  import FILE         takes tickets from such a file\n"
  "\n"
  "Examples:\n"
  "  gtls-session store list\n"
  "  gtls-session store forget --all\n"
  "  gtls-session store export sessions.gtls && scp sessions.gtls elsewhere:\n"
  "\n"
  "An ID may be cut short, as long as it fits one ticket only. Who can read an exported file can resume its sessions;\n"
  "remove it once it is imported.\n"
  "\n"
  "Exit status: 0 done; 1 no such ticket, or a damaged one; 2 the command line is not understood; 3 it could not be\n"
  "done.";

/* Tickets */

static GTlsSessionTicket *
ticket_of (GList *item)
{
  return g_tls_session_store_entry_get_ticket (item->data, NULL);
}

/* NULL with words to stderr. */
static GList *
find (Work *work, const char *id)
{
  GList *found = NULL;

  /* Of nothing every id is a longer form; a script whose variable is empty means none. */
  for (GList *item = *id != '\0' ? work->entries : NULL; item != NULL; item = item->next)
    {
      GTlsSessionTicket *ticket = ticket_of (item);

      if (ticket == NULL || !g_str_has_prefix (g_tls_session_ticket_get_id (ticket), id))
        continue;
      if (found != NULL &&
          strcmp (g_tls_session_ticket_get_id (ticket), g_tls_session_ticket_get_id (ticket_of (found))) != 0)
        {
          tool_warn ("Several tickets have an id that begins with '%s'", id);
          return NULL;
        }
      found = item;
    }
  if (found == NULL)
    tool_warn ("There is no ticket with the id '%s'", id);
  return found;
}

/* When the store gives it out no more: it has a limit of its own. */
static GDateTime *
last_use_of (Work *work, GTlsSessionTicket *ticket)
{
  GDateTime *expires = g_tls_session_ticket_get_expires (ticket);
  guint max_age = g_tls_session_file_store_get_max_age (work->store);
  g_autoptr (GDateTime) limit = g_date_time_add_seconds (g_tls_session_ticket_get_received (ticket), max_age);

  return g_date_time_ref (g_date_time_compare (limit, expires) < 0 ? limit : expires);
}

static gboolean
is_over (Work *work, GTlsSessionTicket *ticket)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autoptr (GDateTime) last_use = last_use_of (work, ticket);

  return g_date_time_compare (last_use, now) <= 0;
}

static const char *
name_version (GTlsSessionTicket *ticket)
{
  return g_tls_session_ticket_get_protocol_version (ticket) == G_TLS_PROTOCOL_VERSION_TLS_1_3 ? "TLS 1.3" : "TLS 1.2";
}

static const char *
name_server (GTlsSessionTicket *ticket)
{
  const char *name = g_tls_session_ticket_get_server_name (ticket);

  return name != NULL ? name : "(a server without a name)";
}

/* Actions */

static void
list_ticket (Work *work, GTlsSessionTicket *ticket)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autoptr (GDateTime) last_use = last_use_of (work, ticket);
  gint64 left = g_date_time_difference (last_use, now) / G_USEC_PER_SEC;
  g_autofree char *left_text = left > 0 ? g_strdup_printf ("%" G_GINT64_FORMAT " s", left) : g_strdup ("over");
  g_autofree char *server = terminal_paint (TERMINAL_PLAIN, name_server (ticket));

  g_print ("%-16s  %s  %-6s  %8s  %s\n", g_tls_session_ticket_get_id (ticket), name_version (ticket),
           g_tls_session_ticket_get_single_use (ticket) ? "once" : "often", left_text, server);
}

static ToolExit
do_list (Work *work)
{
  g_autofree char *head = g_strdup_printf ("%-16s  %-7s  %-6s  %8s  %s", "ID", "VERSION", "USE", "LEFT", "SERVER");
  g_autofree char *painted = terminal_paint (TERMINAL_TITLE, head);
  ToolExit status = TOOL_EXIT_DONE;

  if (work->entries == NULL)
    {
      terminal_line (TERMINAL_PLAIN, "%s is empty.", g_tls_session_file_store_get_path (work->store));
      return TOOL_EXIT_DONE;
    }
  g_print ("%s\n", painted);
  for (GList *item = work->entries; item != NULL; item = item->next)
    {
      g_autoptr (GError) error = NULL;
      GTlsSessionTicket *ticket = g_tls_session_store_entry_get_ticket (item->data, &error);

      if (ticket != NULL)
        list_ticket (work, ticket);
      else
        {
          terminal_line (TERMINAL_BAD, "(damaged)         %s", error->message);
          status = TOOL_EXIT_NO;
        }
    }
  return status;
}

static void
show_date (const char *label, GDateTime *date)
{
  g_autoptr (GDateTime) local = g_date_time_to_local (date);
  g_autofree char *text = g_date_time_format (local, "%Y-%m-%d %H:%M:%S %Z");

  terminal_field (label, TERMINAL_PLAIN, "%s", text);
}

static void
show_ticket (Work *work, GTlsSessionTicket *ticket, const char *key)
{
  const char *protocol = g_tls_session_ticket_get_application_protocol (ticket);
  g_autoptr (GDateTime) last_use = last_use_of (work, ticket);

  terminal_line (TERMINAL_TITLE, "%s", g_tls_session_ticket_get_id (ticket));
  terminal_field ("server", TERMINAL_PLAIN, "%s", name_server (ticket));
  terminal_field ("version", TERMINAL_PLAIN, "%s, %s", name_version (ticket),
                  g_tls_session_ticket_get_ciphersuite_name (ticket));
  terminal_field ("ALPN", TERMINAL_PLAIN, "%s", protocol != NULL ? protocol : "none");
  show_date ("received", g_tls_session_ticket_get_received (ticket));
  show_date ("expires", g_tls_session_ticket_get_expires (ticket));
  show_date ("last use", last_use);
  terminal_field ("use", TERMINAL_PLAIN, "%s", g_tls_session_ticket_get_single_use (ticket) ? "once" : "often");
  terminal_field ("early data", TERMINAL_PLAIN, "%u bytes", g_tls_session_ticket_get_max_early_data (ticket));
  terminal_field ("key", TERMINAL_PLAIN, "%s", key);
}

static ToolExit
do_show (Work *work)
{
  GList *item = find (work, work->words[0]);

  if (item == NULL)
    return TOOL_EXIT_NO;
  show_ticket (work, ticket_of (item), g_tls_session_store_entry_get_key (item->data));
  return TOOL_EXIT_DONE;
}

/* All that @words name, or all there are if they name none; NULL if one of them is not there. */
static GPtrArray *
choose (Work *work, char **words)
{
  g_autoptr (GPtrArray) chosen = g_ptr_array_new ();

  for (char **word = words; *word != NULL; word++)
    {
      GList *item = find (work, *word);

      if (item == NULL)
        return NULL;
      if (!g_ptr_array_find (chosen, item->data, NULL))
        g_ptr_array_add (chosen, item->data);
    }
  for (GList *item = work->entries; *words == NULL && item != NULL; item = item->next)
    if (ticket_of (item) != NULL)
      g_ptr_array_add (chosen, item->data);
  return g_steal_pointer (&chosen);
}

static gboolean
forget (Work *work, GTlsSessionStoreEntry *entry, GError **error)
{
  return g_tls_session_store_remove (G_TLS_SESSION_STORE (work->store), g_tls_session_store_entry_get_key (entry),
                                     g_tls_session_store_entry_get_ticket (entry, NULL), error);
}

static ToolExit
do_forget (Work *work)
{
  g_autoptr (GPtrArray) chosen = NULL;
  g_autoptr (GError) error = NULL;

  if (work->all)
    {
      if (!g_tls_session_store_clear (G_TLS_SESSION_STORE (work->store), &error))
        return tool_fail (error);
      g_print ("%u forgotten\n", g_list_length (work->entries));
      return TOOL_EXIT_DONE;
    }

  chosen = choose (work, work->words);
  if (chosen == NULL)
    return TOOL_EXIT_NO;
  for (guint i = 0; i < chosen->len; i++)
    if (!forget (work, g_ptr_array_index (chosen, i), &error))
      return tool_fail (error);
  g_print ("%u forgotten\n", chosen->len);
  return TOOL_EXIT_DONE;
}

static GPtrArray *
make_items (GPtrArray *chosen)
{
  GPtrArray *items = g_ptr_array_new_with_free_func ((GDestroyNotify) archive_item_free);

  for (guint i = 0; i < chosen->len; i++)
    {
      GTlsSessionStoreEntry *entry = g_ptr_array_index (chosen, i);
      ArchiveItem *item = g_new0 (ArchiveItem, 1);

      item->key = g_strdup (g_tls_session_store_entry_get_key (entry));
      item->ticket = g_object_ref (g_tls_session_store_entry_get_ticket (entry, NULL));
      g_ptr_array_add (items, item);
    }
  return items;
}

/* A ticket that is to be used once must not be in two stores. */
static ToolExit
do_export (Work *work)
{
  g_autoptr (GPtrArray) chosen = choose (work, work->words + 1);
  g_autoptr (GPtrArray) items = NULL;
  g_autoptr (GError) error = NULL;

  if (chosen == NULL)
    return TOOL_EXIT_NO;
  items = make_items (chosen);
  if (!archive_write (work->words[0], items, &error))
    return tool_fail (error);
  for (guint i = 0; !work->keep && i < chosen->len; i++)
    if (!forget (work, g_ptr_array_index (chosen, i), &error))
      return tool_fail (error);
  terminal_line (TERMINAL_PLAIN, "%u %s to %s; who can read that file can resume these sessions", chosen->len,
                 work->keep ? "copied" : "moved", work->words[0]);
  return TOOL_EXIT_DONE;
}

static ToolExit
do_import (Work *work)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) items = archive_read (work->words[0], &error);
  guint n_usable = 0;

  if (items == NULL)
    return tool_fail (error);
  for (guint i = 0; i < items->len; i++)
    {
      ArchiveItem *item = g_ptr_array_index (items, i);

      if (!g_tls_session_store_put (G_TLS_SESSION_STORE (work->store), item->key, item->ticket, &error))
        return tool_fail (error);
      n_usable += is_over (work, item->ticket) ? 0 : 1;
    }
  terminal_line (TERMINAL_PLAIN, "%u read, of which %u can still be used and are in the store; remove %s now",
                 items->len, n_usable, work->words[0]);
  return TOOL_EXIT_DONE;
}

/* The command line */

typedef struct
{
  const char *name;
  const char *usage; /* what follows the name */
  guint min_words;
  guint max_words;
  ToolExit (*run) (Work *work);
} Action;

static const Action actions[] = {
  { "list", "", 0, 0, do_list },
  { "show", " ID", 1, 1, do_show },
  { "forget", " ID…, or forget --all", 0, G_MAXUINT, do_forget },
  { "export", " FILE [ID…]", 1, G_MAXUINT, do_export },
  { "import", " FILE", 1, 1, do_import },
};

static const Action *
find_action (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (actions); i++)
    if (g_str_equal (actions[i].name, name))
      return &actions[i];
  return NULL;
}

/* Looking must not make a store that is not there. */
static gboolean
check_there (const Action *action, const char *path, GError **error)
{
  g_autofree char *standard = g_build_filename (g_get_user_state_dir (), "gtls-session", "sessions.db", NULL);
  const char *place = path != NULL ? path : standard;

  if (action->run == do_import || g_file_test (place, G_FILE_TEST_EXISTS))
    return TRUE;
  g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "There is no session store at %s", place);
  return FALSE;
}

static ToolExit
run (const Action *action, const char *path, Work *work)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsSessionFileStore) store = NULL;
  g_autoptr (Entries) entries = NULL;

  if (!check_there (action, path, &error))
    return tool_fail (error);
  store = g_tls_session_file_store_new (path, &error);
  if (store == NULL)
    return tool_fail (error);
  entries = g_tls_session_file_store_list (store, &error);
  if (error != NULL)
    return tool_fail (error);
  work->store = store;
  work->entries = entries;
  return action->run (work);
}

int
gtls_session_tool_store (int argc, char **argv)
{
  Work work = { 0 };
  g_autofree char *path = NULL;
  const GOptionEntry entries[] = {
    { "file", 'f', 0, G_OPTION_ARG_FILENAME, &path, "The store, if it is not the user's own", "PATH" },
    { "all", 0, 0, G_OPTION_ARG_NONE, &work.all, "forget: all tickets, damaged ones too", NULL },
    { "keep", 0, 0, G_OPTION_ARG_NONE, &work.keep, "export: leave the tickets in the store, too", NULL },
    G_OPTION_ENTRY_NULL,
  };
  const char *verb = argv[0];
  const Action *action;
  guint n_words;

  if (tool_parse (entries, "ACTION", "Looks into the file where programs keep their TLS sessions.", description, &argc,
                  &argv) != TOOL_EXIT_DONE)
    return TOOL_EXIT_USAGE;
  if (argc < 2)
    return tool_complain (verb, "An action is missing: list, show, forget, export or import");
  action = find_action (argv[1]);
  if (action == NULL)
    return tool_complain (verb, "There is no action '%s'", argv[1]);

  work.words = argv + 2;
  n_words = (guint) argc - 2;
  if (n_words < action->min_words || n_words > action->max_words)
    return tool_complain (verb, "It is: %s%s", action->name, action->usage);
  if (action->run == do_forget && work.all == (n_words > 0))
    return tool_complain (verb, "It is: %s%s", action->name, action->usage);
  if ((work.all && action->run != do_forget) || (work.keep && action->run != do_export))
    return tool_complain (verb, "'%s' takes no %s", action->name, work.all ? "--all" : "--keep");
  return run (action, path, &work);
}
