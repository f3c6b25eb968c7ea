/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <openssl/bio.h>

#include "transport.h"

G_BEGIN_DECLS

BIO *g_tls_session_transport_bio_new (GTlsSessionTransport transport);

gboolean g_tls_session_transport_bio_has_read_ahead (BIO *bio);

gboolean g_tls_session_transport_bio_has_record (BIO *bio);

gboolean g_tls_session_transport_bio_at_end (BIO *bio);

void g_tls_session_transport_bio_release_buffer (BIO *bio);

GError *g_tls_session_transport_bio_take_error (BIO *bio);

GError *g_tls_session_transport_bio_dup_last_error (BIO *bio);

GTlsSessionTransportStatus g_tls_session_transport_bio_flush (BIO *bio);

void g_tls_session_transport_bio_send_record (BIO *bio);

void g_tls_session_transport_bio_hold (BIO *bio, gsize size);

guint64 g_tls_session_transport_bio_count_taken (BIO *bio);

guint64 g_tls_session_transport_bio_count_gone (BIO *bio);

void g_tls_session_transport_bio_cut (BIO *bio);

GTlsSessionTransportStatus g_tls_session_transport_bio_discard (BIO *bio, gsize most, gsize *n_discarded);

G_END_DECLS
