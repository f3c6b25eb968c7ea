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

/* Looks at the terminal and the environment. To be called first. */
void terminal_init (void);

/* In columns; 0: lines may be of any length. */
guint terminal_get_width (void);

/* @text with control characters and what is not UTF-8 made visible. Owned by the caller. */
char *terminal_clean (const char *text);

/* @text, cleaned and in a style. Owned by the caller. */
char *terminal_paint (TerminalStyle style, const char *text);

void terminal_line (TerminalStyle style, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* "  label      what there is to say", which goes on below itself where the terminal ends. @label may be empty. */
void terminal_field (const char *label, TerminalStyle style, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* A bar of @share, from 0 to 1, of @n_cells, filled up with blanks. Owned by the caller. */
char *terminal_bar (double share, guint n_cells);

G_END_DECLS
