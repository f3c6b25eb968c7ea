/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Certificates made at run time, as PEM files in a directory of their own, which goes with the TestPki.
 *
 *   ca.pem            what to trust: a root
 *   other-ca.pem      a root that signed "stranger" only
 *   NAME.pem          a server's chain (leaf, intermediate) and its key, for each TestCertificate
 */

typedef enum
{
  TEST_CERTIFICATE_GOOD,          /* localhost, 127.0.0.1, *.wild.test */
  TEST_CERTIFICATE_EXPIRED,       /* the same, until yesterday */
  TEST_CERTIFICATE_NOT_YET_VALID, /* the same, from tomorrow on */
  TEST_CERTIFICATE_OTHER_NAME,    /* other.test only */
  TEST_CERTIFICATE_STRANGER,      /* localhost, but from the other root */
  TEST_N_CERTIFICATES,
} TestCertificate;

typedef struct _TestPki TestPki;

TestPki *test_pki_new (void);

void test_pki_free (TestPki *self);

const char *test_pki_get_ca_path (TestPki *self);

const char *test_pki_get_other_ca_path (TestPki *self);

const char *test_pki_get_path (TestPki *self, TestCertificate certificate);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TestPki, test_pki_free)

G_END_DECLS
