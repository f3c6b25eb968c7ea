/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtls-session.h>

#include "ftp-reply.h"
#include "ftp-tally.h"
#include "ftp-url.h"

G_BEGIN_DECLS

/* Where to connect to, and how. It outlives every connection that is made with it. */
typedef struct
{
  const FtpUrl *url;
  const char *user;
  const char *password;
  GTlsDatabase *database; /* NULL: the system's */
  gboolean only_tls12;
  guint timeout; /* s; how long the server may be silent */
  FtpTally *tally;
} FtpSite;

#define FTP_TYPE_CONTROL (ftp_control_get_type ())

G_DECLARE_FINAL_TYPE (FtpControl, ftp_control, FTP, CONTROL, GObject)

FtpControl *ftp_control_new (const FtpSite *site);

void ftp_control_open_async (FtpControl *self, GAsyncReadyCallback callback, gpointer user_data);

gboolean ftp_control_open_finish (FtpControl *self, GAsyncResult *result, GError **error);

void ftp_control_command_async (FtpControl *self,
                                const char *command,
                                GAsyncReadyCallback callback,
                                gpointer user_data);

FtpReply *ftp_control_command_finish (FtpControl *self, GAsyncResult *result, GError **error);

void ftp_control_quit_async (FtpControl *self, GAsyncReadyCallback callback, gpointer user_data);

void ftp_control_cancel (FtpControl *self);

GCancellable *ftp_control_get_cancellable (FtpControl *self);

void ftp_control_touch (FtpControl *self);

void ftp_control_rest (FtpControl *self);

void ftp_control_explain (FtpControl *self, GError **error);

gboolean ftp_control_is_broken (FtpControl *self);

void ftp_control_set_broken (FtpControl *self);

const FtpSite *ftp_control_get_site (FtpControl *self);

gboolean ftp_control_has_feature (FtpControl *self, FtpFeatures feature);

void ftp_control_set_feature (FtpControl *self, FtpFeatures feature, gboolean has_it);

char *ftp_control_resolve (FtpControl *self, const char *path);

GSocketAddress *ftp_control_get_data_address (FtpControl *self, guint16 port, GError **error);

GTlsSessionHelper *ftp_control_secure (FtpControl *self, GSocketConnection *tcp, GError **error);

void ftp_control_offer_ticket (FtpControl *self, GTlsSessionHelper *helper);

G_END_DECLS
