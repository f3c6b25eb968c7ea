/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ftp-progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../terminal.h"
#include "../tool.h"

/* NOTES:
 *
 * On a terminal one line tells how far things are: files, bytes, how fast, how long it will take still. It is drawn anew
 * ten times a second at most, by whoever reports something, and never longer than the terminal is wide. What has to be
 * said meanwhile stands above it.
 *
 * How fast is what went within the last seconds, not since the beginning, so that the remaining time follows what the
 * network does. What was there already counts as done, and not as fast.
 */

#define REDRAW_US (G_USEC_PER_SEC / 10)
#define RATE_WINDOW_US (5 * G_USEC_PER_SEC)
#define MIN_BAR 10
#define MAX_BAR 30

struct _FtpProgress
{
  FtpProgressStyle style;
  gint64 began;
  gint64 drawn;

  guint n_files; /* that are known of */
  guint n_over;
  guint64 bytes_expected; /* of those whose size is known */
  guint64 bytes_over;     /* also those that were there already */

  gint64 window_began;
  guint64 window_bytes;
  double rate; /* bytes a second; 0: not known yet */
};

FtpProgress *
ftp_progress_new (FtpProgressStyle style)
{
  FtpProgress *self = g_new0 (FtpProgress, 1);

  self->style = style;
  self->began = self->window_began = g_get_monotonic_time ();
  return self;
}

void
ftp_progress_free (FtpProgress *self)
{
  g_free (self);
}

double
ftp_progress_get_seconds (FtpProgress *self)
{
  return (double) (g_get_monotonic_time () - self->began) / G_USEC_PER_SEC;
}

/* The line */

static void
append_remaining (GString *line, FtpProgress *self)
{
  guint64 bytes = self->bytes_expected > self->bytes_over ? self->bytes_expected - self->bytes_over : 0;
  guint64 seconds = self->rate > 0 ? (guint64) ((double) bytes / self->rate + 0.5) : 0;

  if (self->rate <= 0)
    return;
  if (seconds >= 3600)
    g_string_append_printf (line, ", %" G_GUINT64_FORMAT ":%02u:%02u left", seconds / 3600,
                            (guint) (seconds % 3600 / 60), (guint) (seconds % 60));
  else
    g_string_append_printf (line, ", %u:%02u left", (guint) (seconds / 60), (guint) (seconds % 60));
}

static void
prepend_bar (GString *line, FtpProgress *self, int columns)
{
  int width = MIN (columns - 1 - (int) g_utf8_strlen (line->str, -1) - 3, MAX_BAR);
  double part = self->bytes_expected > 0 ? (double) self->bytes_over / (double) self->bytes_expected : 0;
  g_autoptr (GString) bar = g_string_new ("[");

  if (width < MIN_BAR)
    return;
  for (int i = 0; i < width; i++)
    g_string_append_c (bar, i < (int) (part * width) ? '#' : ' ');
  g_string_append (bar, "] ");
  g_string_prepend (line, bar->str);
}

static void
draw (FtpProgress *self)
{
  g_autofree char *over = g_format_size (self->bytes_over);
  g_autofree char *expected = g_format_size (self->bytes_expected);
  g_autofree char *rate = g_format_size ((guint64) self->rate);
  g_autoptr (GString) line = g_string_new (NULL);
  int columns = (int) terminal_measure (STDERR_FILENO);
  const char *end;

  g_string_printf (line, "%u/%u files, %s of %s", self->n_over, self->n_files, over, expected);
  if (self->rate > 0)
    g_string_append_printf (line, ", %s/s", rate);
  append_remaining (line, self);
  prepend_bar (line, self, columns);

  end = g_utf8_strlen (line->str, -1) >= columns ? g_utf8_offset_to_pointer (line->str, columns - 1) : NULL;
  if (end != NULL)
    g_string_truncate (line, (gsize) (end - line->str));
  fprintf (stderr, "\r%s\033[K", line->str);
  fflush (stderr);
  self->drawn = g_get_monotonic_time ();
}

static void
redraw (FtpProgress *self)
{
  if (self->style == FTP_PROGRESS_TERMINAL && g_get_monotonic_time () - self->drawn >= REDRAW_US)
    draw (self);
}

static void
erase (FtpProgress *self)
{
  if (self->style == FTP_PROGRESS_TERMINAL)
    fputs ("\r\033[K", stderr);
  self->drawn = 0;
}

/* What is told */

/* -1: its size is not known yet; ftp_progress_expect_bytes() tells it */
void
ftp_progress_expect_file (FtpProgress *self, gint64 size)
{
  self->n_files++;
  ftp_progress_expect_bytes (self, size);
}

void
ftp_progress_expect_bytes (FtpProgress *self, gint64 size)
{
  self->bytes_expected += size > 0 ? (guint64) size : 0;
  redraw (self);
}

void
ftp_progress_add_bytes (FtpProgress *self, guint64 bytes)
{
  gint64 elapsed = g_get_monotonic_time () - self->window_began;

  self->bytes_over += bytes;
  self->window_bytes += bytes;
  if (elapsed >= G_USEC_PER_SEC / 4)
    self->rate = (double) self->window_bytes * G_USEC_PER_SEC / (double) elapsed;
  if (elapsed >= RATE_WINDOW_US)
    {
      self->window_began += elapsed / 2;
      self->window_bytes /= 2;
    }
  redraw (self);
}

/* They need not be transferred; or if negative, they have to be once more. */
void
ftp_progress_pass_over (FtpProgress *self, gint64 bytes)
{
  self->bytes_over = (guint64) MAX ((gint64) self->bytes_over + bytes, 0);
  redraw (self);
}

void
ftp_progress_file_is_over (FtpProgress *self, const char *what, const char *name)
{
  self->n_over++;
  if (self->style == FTP_PROGRESS_LINES)
    {
      g_autofree char *printable = terminal_clean (name);
      g_autofree char *line = g_strdup_printf ("%s %s\n", what, printable);

      terminal_write (line);
    }
  redraw (self);
}

void
ftp_progress_complain (FtpProgress *self, const char *message)
{
  erase (self);
  tool_warn ("%s", message);
  redraw (self);
}

/* The line's last state stays. */
void
ftp_progress_end (FtpProgress *self)
{
  if (self->style != FTP_PROGRESS_TERMINAL || self->n_files == 0)
    return;
  draw (self);
  fputc ('\n', stderr);
}
