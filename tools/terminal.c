/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "terminal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LABEL_COLUMNS 14 /* with the indentation */
#define MIN_WIDTH 24     /* a narrower terminal breaks the lines itself */
#define DEFAULT_WIDTH 80

static const char *const escapes[] = {
  [TERMINAL_PLAIN] = "",        [TERMINAL_TITLE] = "\033[1m", [TERMINAL_FAINT] = "\033[2m",
  [TERMINAL_GOOD] = "\033[32m", [TERMINAL_BAD] = "\033[31m",  [TERMINAL_STRIKING] = "\033[36m",
};

static struct
{
  gboolean has_colour;
  gboolean has_blocks; /* U+2588 and its kind */
  guint width;         /* 0: any */
  int write_error;     /* the first; 0: there was none */
} terminal;

guint
terminal_measure (int fd)
{
  struct winsize size = { 0 };
  const char *columns = g_getenv ("COLUMNS");
  guint64 width = 0;

  if (ioctl (fd, TIOCGWINSZ, &size) == 0)
    width = size.ws_col;
  if (width == 0 && columns != NULL && !g_ascii_string_to_unsigned (columns, 10, 1, 10000, &width, NULL))
    width = 0;
  return width > 0 ? (guint) width : DEFAULT_WIDTH;
}

void
terminal_write (const char *text)
{
  if ((fputs (text, stdout) == EOF || fflush (stdout) != 0) && terminal.write_error == 0)
    terminal.write_error = errno;
}

/* As g_print() does it by itself, but for the error, which that forgets. */
static void
print (const char *text)
{
  const char *charset;
  g_autofree char *converted = NULL;

  if (!g_get_charset (&charset))
    converted = g_convert_with_fallback (text, -1, charset, "UTF-8", "?", NULL, NULL, NULL);
  terminal_write (converted != NULL ? converted : text);
}

int
terminal_finish (void)
{
  terminal_write (""); /* what is not written by these two */
  return terminal.write_error;
}

void
terminal_init (void)
{
  const char *no_colour = g_getenv ("NO_COLOR");
  gboolean is_terminal = isatty (STDOUT_FILENO);

  terminal.has_colour = is_terminal && (no_colour == NULL || *no_colour == '\0') &&
                        g_strcmp0 (g_getenv ("TERM"), "dumb") != 0;
  terminal.has_blocks = g_get_charset (NULL);
  g_set_print_handler (print);
  terminal.width = is_terminal ? MAX (terminal_measure (STDOUT_FILENO), MIN_WIDTH) : 0;
}

guint
terminal_get_width (void)
{
  return terminal.width;
}

/* Text */

/* @clean is. */
static char *
paint_clean (TerminalStyle style, const char *clean)
{
  if (!terminal.has_colour || style == TERMINAL_PLAIN)
    return g_strdup (clean);
  return g_strconcat (escapes[style], clean, "\033[0m", NULL);
}

char *
terminal_paint (TerminalStyle style, const char *text)
{
  g_autofree char *clean = terminal_clean (text);

  return paint_clean (style, clean);
}

/* How many columns of text fit into @width: whole words, unless a single one is too long. In bytes. */
static gsize
find_break (const char *text, guint width)
{
  const char *at = text;
  const char *last_blank = NULL;

  for (guint column = 0; *at != '\0'; at = g_utf8_next_char (at), column++)
    {
      if (*at == ' ')
        last_blank = at;
      if (column == width)
        return (gsize) ((last_blank != NULL && last_blank > text ? last_blank : at) - text);
    }
  return strlen (text);
}

/* The first line is begun already; those that follow are indented. */
static void
print_wrapped (guint indent, TerminalStyle style, const char *clean)
{
  guint room = terminal.width > indent + 10 ? terminal.width - indent : 0;

  for (;;)
    {
      gsize size = room > 0 ? find_break (clean, room) : strlen (clean);
      g_autofree char *part = g_strndup (clean, size);
      g_autofree char *painted = paint_clean (style, part);

      g_print ("%s\n", painted);
      clean += size;
      while (*clean == ' ')
        clean++;
      if (*clean == '\0')
        return;
      g_print ("%*s", (int) indent, "");
    }
}

void
terminal_line (TerminalStyle style, const char *format, ...)
{
  g_autofree char *clean = NULL;
  va_list args;

  va_start (args, format);
  clean = terminal_clean_format (format, args);
  va_end (args);
  print_wrapped (0, style, clean);
}

void
terminal_field (const char *label, TerminalStyle style, const char *format, ...)
{
  g_autofree char *clean = NULL;
  va_list args;

  va_start (args, format);
  clean = terminal_clean_format (format, args);
  va_end (args);
  g_print ("  %-*s", LABEL_COLUMNS - 2, label);
  print_wrapped (LABEL_COLUMNS, style, clean);
}

/* Bars */

char *
terminal_bar (double share, guint n_cells)
{
  static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
  guint n_eighths = (guint) (CLAMP (share, 0.0, 1.0) * n_cells * 8 + 0.5);
  guint n_full = terminal.has_blocks ? n_eighths / 8 : (n_eighths + 4) / 8;
  guint n_filled = n_full;
  GString *bar = g_string_new (NULL);

  for (guint i = 0; i < n_full; i++)
    g_string_append (bar, terminal.has_blocks ? "█" : "#");
  if (terminal.has_blocks && n_eighths % 8 > 0)
    {
      g_string_append (bar, eighths[n_eighths % 8]);
      n_filled++;
    }
  for (guint i = n_filled; i < n_cells; i++)
    g_string_append_c (bar, ' ');
  return g_string_free (bar, FALSE);
}
