# SPDX-License-Identifier: LGPL-2.1-or-later
"""The IMAP example, with Dovecot: test-imap.py LIBRARY-TO-PRELOAD"""

import functools
import sys
import tempfile

import dovecot
import example
from certificates import Certificates
from tap import check, tell_all, unwind_on_sigterm

MAILBOXES = {"INBOX": 3, "Work": 1, "Friends": 0, "Travel": 2, "Music": 5}  # more than a server sends tickets


def mailboxes_share_a_session(certificates, preloaded):
    with dovecot.running(certificates, preloaded, MAILBOXES) as server:
        lines = example.run("python/imap.py", certificates.root, f"localhost:{server.port}", dovecot.USER, *MAILBOXES,
                            typed=f"{dovecot.PASSWORD}\n")
        expected = [f"{'resumed' if number else 'none'}: {count} in {mailbox}"
                    for number, (mailbox, count) in enumerate(MAILBOXES.items())]
        check(lines == expected, f"it says {lines}\n{server.program.told()}")


def wrong_password_is_told(certificates, preloaded):
    with dovecot.running(certificates, preloaded, {"INBOX": 1}) as server:
        done = example.attempt("python/imap.py", certificates.root, f"localhost:{server.port}", dovecot.USER, "INBOX",
                               typed="wrong\n")
        check(done.returncode == 1 and "AUTHENTICATIONFAILED" in done.stderr,
              f"it ended with {done.returncode}: {done.stderr}\n{server.program.told()}")


def main(preloaded):
    unwind_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="gtls-session-examples-") as directory:
        certificates = Certificates(directory)
        return tell_all([(story.__name__, functools.partial(story, certificates, preloaded))
                         for story in (mailboxes_share_a_session, wrong_password_is_told)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
