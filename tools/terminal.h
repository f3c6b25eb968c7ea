/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What goes to standard output, for a person. On a terminal it has colour, unless NO_COLOR is set, and keeps to the
 * width; elsewhere it is plain, and no line is broken. What servers say is cleaned: nothing of it steers a terminal.
 */

typedef enum
{
  TERMINAL_PLAIN,
  TERMINAL_TITLE,
  TERMINAL_FAINT,
  TERMINAL_GOOD,
  TERMINAL_BAD,
  TERMINAL_STRIKING,
} TerminalStyle;

/* Looks at the terminal and the environment, and lets g_print() remember that it failed. To be called first. */
void terminal_init (void);

/* What was wrong with the first thing that could not be written to standard output, as errno; 0: all is out. */
int terminal_finish (void);

/* To standard output in UTF-8 as it is, which g_print() puts into the locale's character set: for JSON, and for names of
 * files. */
void terminal_write (const char *text);

/* In columns; 0: lines may be of any length. */
guint terminal_get_width (void);

/* How many columns the terminal at @fd has. It knows that itself; COLUMNS is for where it does not tell. */
guint terminal_measure (int fd);

/* Text as a person's terminal can bear it: each byte that is not UTF-8, or of a character that would not be shown as it
 * stands, becomes \xNN. Owned by the caller. */
char *terminal_clean (const char *text);

char *terminal_clean_format (const char *format, va_list args) G_GNUC_PRINTF (1, 0);

/* @text, cleaned and in a style. Owned by the caller. */
char *terminal_paint (TerminalStyle style, const char *text);

void terminal_line (TerminalStyle style, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* "  label      what there is to say", which goes on below itself where the terminal ends. @label may be empty. */
void terminal_field (const char *label, TerminalStyle style, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* A bar of @share, from 0 to 1, of @n_cells, filled up with blanks. Owned by the caller. */
char *terminal_bar (double share, guint n_cells);

G_END_DECLS
