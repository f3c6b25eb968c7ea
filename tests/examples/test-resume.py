# SPDX-License-Identifier: LGPL-2.1-or-later
"""The example that carries a ticket by hand from a connection to the next."""

import sys

import example
from support import Server
from tap import check, tell_all


def second_connection_resumes(*options):
    with Server(*options) as server:
        lines = example.run("c/resume.c", server.ca, f"localhost:{server.port}")
        check(lines[-1].startswith("The server at localhost took the session ticket"), f"it says {lines}")
        if "--tls1.3" in options:  # in TLS 1.2 it has come before anybody asks to be told
            check(lines[0].startswith("A ticket arrived: "), f"it says {lines}")
        check(server.ask("stats") == "connections=2 handshakes=2 resumed=1", "the server says otherwise")


def server_without_tickets_is_told():
    with Server("--tls1.3", "--no-tickets", "--behaviour=farewell") as server:
        done = example.attempt("c/resume.c", server.ca, f"localhost:{server.port}")
        check(done.returncode == 1 and done.stderr, f"it ended with {done.returncode}: {done.stderr}")


if __name__ == "__main__":
    sys.exit(tell_all([
        ("tls1.3/second_connection_resumes", lambda: second_connection_resumes("--tls1.3")),
        ("tls1.2/second_connection_resumes", lambda: second_connection_resumes("--tls1.2")),
        ("server_without_tickets_is_told", server_without_tickets_is_told),
    ]))
