/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "contract.h"
#include "ticket/gtls-session-file-store.h"

G_BEGIN_DECLS

/* A GTlsSessionFileStore's files, seen from outside. Each lies in a directory of its own. */

/* In the place of g_test_init() and g_test_run(): the user's state directory is one made for the test. */
void files_init (int *argc, char ***argv);

int files_run (void);

/* A new path, in a directory that is there, for a file that is not. */
char *files_new_path (void);

GTlsSessionFileStore *files_open (const char *path);

/* With @property set to @value. */
GTlsSessionFileStore *files_open_with (const char *path, const char *property, guint value);

/* Makes a store, with a ticket under KEY_A, and closes it. */
char *files_make_store (void);

/* Fails, with @code and @message somewhere in what it says. */
void files_assert_refused (const char *path, int code, const char *message);

/* The same, and leaves all that is there as it is. */
void files_assert_left_alone (const char *path, int code, const char *message);

/* What SQLite says to @text, as a string, in a connection of its own. */
char *files_ask (const char *path, const char *text);

void files_do (const char *path, const char *text);

gint64 files_count (const char *path);

void files_assert_sound (const char *path);

GBytes *files_read (const char *path);

void files_write (const char *path, GBytes *bytes);

char *files_beside (const char *path, const char *suffix);

G_END_DECLS
