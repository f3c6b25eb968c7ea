/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "terminal.h"

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
} terminal;

/* The terminal knows its own width; COLUMNS is for where it does not tell. */
static guint
find_width (void)
{
  struct winsize size = { 0 };
  const char *columns = g_getenv ("COLUMNS");
  guint64 width = 0;

  if (ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
    width = size.ws_col;
  if (width == 0 && columns != NULL && !g_ascii_string_to_unsigned (columns, 10, 1, 10000, &width, NULL))
    width = 0;
  return width > 0 ? (guint) MAX (width, MIN_WIDTH) : DEFAULT_WIDTH;
}

void
terminal_init (void)
{
  const char *no_colour = g_getenv ("NO_COLOR");
  gboolean is_terminal = isatty (STDOUT_FILENO);

  terminal.has_colour = is_terminal && (no_colour == NULL || *no_colour == '\0') &&
                        g_strcmp0 (g_getenv ("TERM"), "dumb") != 0;
  terminal.has_blocks = g_get_charset (NULL);
  terminal.width = is_terminal ? find_width () : 0;
}

guint
terminal_get_width (void)
{
  return terminal.width;
}

/* Text */

char *
terminal_clean (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *clean = g_string_sized_new (strlen (valid));

  for (const char *at = valid; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar character = g_utf8_get_char (at);
      GUnicodeType type = g_unichar_type (character);

      if (type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT || type == G_UNICODE_LINE_SEPARATOR ||
          type == G_UNICODE_PARAGRAPH_SEPARATOR)
        g_string_append_printf (clean, "\\u%04x", character);
      else
        g_string_append_unichar (clean, character);
    }
  return g_string_free (clean, FALSE);
}

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
  g_autofree char *text = NULL;
  g_autofree char *clean = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  clean = terminal_clean (text);
  print_wrapped (0, style, clean);
}

void
terminal_field (const char *label, TerminalStyle style, const char *format, ...)
{
  g_autofree char *text = NULL;
  g_autofree char *clean = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  clean = terminal_clean (text);
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
