# SPDX-License-Identifier: LGPL-2.1-or-later
"""OpenSSL's session files (PEM around DER)."""

import base64
import re

HINT_TAG = 0xA9  # tlsext_tick_lifetime_hint, [9] in SSL_SESSION_ASN1
MANY_SECONDS = 127  # in as many bytes as few seconds


def forget_lifetime(path, seconds):
    """A TLS 1.3 client leaves out a ticket that is past its lifetime; one with this session would still offer it."""
    name, body = re.search(r"-----BEGIN (.*?)-----(.*?)-----END", path.read_text(), re.DOTALL).groups()
    session = base64.b64decode(body)
    hint = bytes([HINT_TAG, 3, 2, 1, seconds])
    assert session.count(hint) == 1, "the lifetime was not found"
    session = session.replace(hint, hint[:-1] + bytes([MANY_SECONDS]))
    path.write_text(f"-----BEGIN {name}-----\n{base64.encodebytes(session).decode()}-----END {name}-----\n")
