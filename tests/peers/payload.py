# SPDX-License-Identifier: LGPL-2.1-or-later
"""Something to send that nobody sent before.

In lines, because gnutls-serv answers whole lines; of digits, because openssl's programs take letters for commands.
"""

import os

N_LINES = 100
LINE_SIZE = 1000
SIZE = N_LINES * LINE_SIZE
DIGITS = bytes(ord("0") + byte % 10 for byte in range(256))


def make():
    return b"".join(os.urandom(LINE_SIZE - 1).translate(DIGITS) + b"\n" for _ in range(N_LINES))


def describe(data, expected):
    return f"{len(data)} bytes of {len(expected)} came back, or others"
