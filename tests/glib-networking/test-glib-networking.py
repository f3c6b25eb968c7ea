# SPDX-License-Identifier: LGPL-2.1-or-later
"""glib-networking's own tests on our GIO module: test-glib-networking.py MODULE PRELOAD

Debian's package glib-networking-tests, built for its GnuTLS backend. Every case is run by itself. Where we differ it is
told why, and the case has to fail for just that reason.
"""

import os
import re
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import tap
from program import find_unpacked
from tap import Failed, check

PROGRAMS = ("certificate", "file-database", "connection")
FOLDER = "usr/libexec/installed-tests/glib-networking"
PREFIX = "/tls/gnutls/"
CASE_SECONDS = 60

NO_PROVIDER = r'PKCS #11 needs an OpenSSL provider with a loader for "pkcs11:", and none is loaded'
# A client that rejects the server says so in an alert here, which is G_TLS_ERROR_HANDSHAKE for the server. GnuTLS's
# says nothing, and its server takes the end of the connection for something that is not TLS.
ALERT = r"server_error == \(g-tls-error-quark, 3\).*alert .*\(g-tls-error-quark, 4\)"
# The feature (RFC 7633) is not held against a certificate: Gio asks for it nowhere.
NO_STAPLE = r"read_error == \(g-tls-error-quark, 2\).*read_error is NULL"
DIFFERENCES = {
    "certificate/pkcs11": NO_PROVIDER,
    "certificate/private-key-pkcs11": NO_PROVIDER,
    "connection/client-auth-pkcs11": NO_PROVIDER,
    "connection/failed": ALERT,
    "connection/garbage-database": r"== \(g-tls-error-quark, 1\).*is of no use, so nothing is trusted",
    "connection/invalid-chain-with-alternative-ca-cert": ALERT,
    "connection/missing-server-identity": ALERT,
    "connection/peer-certificate-notify": ALERT,
    "connection/socket-client-failed": ALERT,
    "connection/oscp/must-staple": NO_STAPLE,
    "connection/oscp/must-staple-intermediate-certificate": NO_STAPLE,
    # Which error says that a client has a certificate without its key: Gio does not tell.
    "connection/client-auth-fail-missing-client-private-key": r"read_error == \(g-tls-error-quark, 5\).*"
                                                              r"its private key is not known",
    # A close in the midst of a handshake, from its accept-certificate, is a close here, and an error there.
    "connection/sync-op-during-handshake": r"on_accept_certificate_with_sync_close: assertion failed.*error is NULL",
    # By GnuTLS's priority string it speaks TLS 1.2.
    "connection/binding/match-tls-unique": r"== G_TLS_PROTOCOL_VERSION_TLS_1_3' should be FALSE",
    # Gio does not say what a handle looks like.
    "file-database/test-handle": r"g_str_has_prefix \(handle, \"file:///\"\)' should be TRUE",
}
# Cases that take time for what differs, and end by who is first.
NOT_RUN = {
    # The server closes and the client does not, and is waited for as long as close-timeout; the case waits as long.
    "connection/socket-client", "connection/async-implicit-handshake",
    # The client's timeout passes while nobody runs its main loop, and then there is an answer: it is taken, or not.
    "connection/socket-timeout",
}


class Suite:
    def __init__(self, module, preload, directory):
        self.environment = {**os.environ, "GIO_MODULE_DIR": str(directory), "GIO_USE_TLS": "gtls-session",
                            "GIO_EXTRA_MODULES": str(Path(module).parent), "LD_PRELOAD": preload, "LC_ALL": "C.UTF-8"}

    def run(self, program, *arguments):
        command = [find_unpacked(f"{FOLDER}/{program}-gnutls"), *arguments]
        try:
            return subprocess.run(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, errors="replace", timeout=CASE_SECONDS)
        except subprocess.TimeoutExpired as late:
            raise Failed(f"it did not end:\n{(late.stdout or b'').decode(errors='replace')[-3000:]}") from None

    def cases(self, program):
        listed = self.run(program, "-l")
        found = re.findall(f"^{PREFIX}(.+)$", listed.stdout, re.MULTILINE)
        check(listed.returncode == 0 and found, f"{program} lists no cases:\n{listed.stdout[-3000:]}")
        return found

    def passes(self, program, case):
        done = self.run(program, "-p", PREFIX + case)
        check(done.returncode == 0 and re.search(rf"^ok \d+ {PREFIX}{re.escape(case)}$", done.stdout, re.MULTILINE),
              f"exit status {done.returncode}\n{done.stdout[-3000:]}")

    def differs(self, program, case):
        done = self.run(program, "-p", PREFIX + case)
        check(done.returncode != 0 and re.search(DIFFERENCES[case], done.stdout),
              f"it differs in another way, or no more; exit status {done.returncode}\n{done.stdout[-3000:]}")


def knows_all_differences(cases):
    gone = (DIFFERENCES.keys() | NOT_RUN) - cases
    check(not gone, f"no such cases any more: {gone}")


def stories(suite):
    cases = [(program, case) for program in PROGRAMS for case in suite.cases(program)]
    yield "knows_all_differences", partial(knows_all_differences, {case for _, case in cases})
    for program, case in cases:
        if case in DIFFERENCES:
            yield f"{case}/differs_as_told", partial(suite.differs, program, case)
        elif case not in NOT_RUN:
            yield case, partial(suite.passes, program, case)


def main():
    tap.unwind_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="gtls-session-no-modules-") as directory:
        try:
            all_stories = list(stories(Suite(sys.argv[1], sys.argv[2], directory)))
        except tap.Missing as missing:
            print(f"1..0 # SKIP {missing}")
            return 0
        return tap.tell_all(all_stories)


if __name__ == "__main__":
    sys.exit(main())
