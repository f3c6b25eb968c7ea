# SPDX-License-Identifier: LGPL-2.1-or-later
"""gtls-session probe --starttls ftp, with vsftpd."""

import sys

import servers  # of the bindings' FTPS tests
import tap
from tool import DONE, run


def vsftpd_agrees(*options):
    """Its control connections need no resumption, and get it."""
    with servers.running(servers.Vsftpd) as server:
        told = run("probe", f"localhost:{server.port}", "--address", "127.0.0.1", "--ca", server.ca, "--count", 2,
                   "--starttls", "ftp", *options)
    told.expect(DONE, "STARTTLS for ftp", "verified", "2 of 2", "TLS 1.2" if options else "TLS 1.3")


def main():
    tap.unwind_on_sigterm()
    return tap.tell_all([("vsftpd_agrees_with_1.3", vsftpd_agrees),
                         ("vsftpd_agrees_with_1.2", lambda: vsftpd_agrees("--tls1.2"))])


if __name__ == "__main__":
    sys.exit(main())
