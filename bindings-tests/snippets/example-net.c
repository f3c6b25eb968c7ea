/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* NOTES:
 *
 * Lets a page's snippets run as they stand though they speak of example.org: preloaded into a program (LD_PRELOAD), it
 * answers for the names of EXAMPLE_NET, a list such as
 *
 *   example.org:443=51697,ftp.example.org:21=40123
 *
 * The N-th of its entries lives at 127.77.0.N, and who connects there at that port gets to the one behind the "=", of
 * 127.0.0.1. Other names below example.org, .com and .net do not exist, so that no snippet ever leaves this machine for
 * one of them. Everything else goes the usual way.
 */

#define _GNU_SOURCE /* RTLD_NEXT */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <glib.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define NETWORK 0x7f4d0000u /* 127.77.0.0 */

typedef struct
{
  char *name;
  guint16 port;
  guint16 real_port;
} Entry;

typedef int (*GetAddrInfo) (const char *, const char *, const struct addrinfo *, struct addrinfo **);
typedef int (*Connect) (int, const struct sockaddr *, socklen_t);

static void
add_entry (GArray *entries, const char *text)
{
  g_auto (GStrv) sides = g_strsplit (text, "=", 2);
  char *colon = sides[0] != NULL ? strrchr (sides[0], ':') : NULL;
  Entry entry;

  if (colon == NULL || sides[1] == NULL)
    g_error ("EXAMPLE_NET: this is not NAME:PORT=PORT: %s", text);
  entry.name = g_strndup (sides[0], (gsize) (colon - sides[0]));
  entry.port = (guint16) g_ascii_strtoull (colon + 1, NULL, 10);
  entry.real_port = (guint16) g_ascii_strtoull (sides[1], NULL, 10);
  g_array_append_val (entries, entry);
}

/* Read once, kept for good. */
static GArray *
get_entries (void)
{
  static GArray *entries;

  if (g_once_init_enter (&entries))
    {
      GArray *read = g_array_new (FALSE, FALSE, sizeof (Entry));
      const char *list = g_getenv ("EXAMPLE_NET");
      g_auto (GStrv) texts = g_strsplit (list != NULL ? list : "", ",", -1);

      for (char **text = texts; *text != NULL; text++)
        if (**text != '\0')
          add_entry (read, *text);
      g_once_init_leave (&entries, read);
    }
  return entries;
}

static gboolean
is_example (const char *name)
{
  static const char *const domains[] = { "example.org", "example.com", "example.net" };

  for (guint i = 0; i < G_N_ELEMENTS (domains); i++)
    {
      gsize length = strlen (name);
      gsize tail = strlen (domains[i]);

      if (length >= tail && strcmp (name + length - tail, domains[i]) == 0 &&
          (length == tail || name[length - tail - 1] == '.'))
        return TRUE;
    }
  return FALSE;
}

/* A name may stand there with several ports; the first of them gives the address. */
static const char *
find_address (const char *name, char *place, gsize size)
{
  GArray *entries = get_entries ();

  for (guint i = 0; i < entries->len; i++)
    if (strcmp (g_array_index (entries, Entry, i).name, name) == 0)
      {
        g_snprintf (place, (gulong) size, "127.77.0.%u", i + 1);
        return place;
      }
  return NULL;
}

__attribute__ ((visibility ("default"))) int
getaddrinfo (const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
  GetAddrInfo usual = (GetAddrInfo) dlsym (RTLD_NEXT, "getaddrinfo");
  char address[32];

  if (name != NULL && is_example (name))
    {
      name = find_address (name, address, sizeof address);
      if (name == NULL || (hints != NULL && hints->ai_family == AF_INET6))
        return EAI_NONAME;
    }
  return usual (name, service, hints, result);
}

/* The port behind an entry's address and port; 0 if there is none. */
static guint16
find_port (guint32 address, guint16 port)
{
  GArray *entries = get_entries ();
  guint index = (address & 0xffff) - 1;

  if (index >= entries->len)
    return 0;
  for (guint i = 0; i < entries->len; i++)
    {
      Entry *entry = &g_array_index (entries, Entry, i);

      if (entry->port == port && strcmp (entry->name, g_array_index (entries, Entry, index).name) == 0)
        return entry->real_port;
    }
  return 0;
}

__attribute__ ((visibility ("default"))) int
connect (int fd, const struct sockaddr *address, socklen_t length)
{
  Connect usual = (Connect) dlsym (RTLD_NEXT, "connect");
  struct sockaddr_in there;

  if (address->sa_family != AF_INET || length < sizeof there)
    return usual (fd, address, length);

  memcpy (&there, address, sizeof there);
  if ((ntohl (there.sin_addr.s_addr) & 0xffff0000u) == NETWORK)
    {
      guint16 port = find_port (ntohl (there.sin_addr.s_addr), ntohs (there.sin_port));

      if (port == 0)
        {
          errno = ECONNREFUSED;
          return -1;
        }
      there.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
      there.sin_port = htons (port);
    }
  return usual (fd, (const struct sockaddr *) &there, sizeof there);
}
