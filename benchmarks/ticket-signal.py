# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a `ticket-available` signal costs a Python program: ticket-signal.py PORT CA N

The CPU time of N emissions to a Python function, less that of N emissions to nobody. Prints NAME=VALUE.
"""

import sys
import time

import gi

gi.require_version("GTlsSession", "1")
from gi.repository import Gio, GTlsSession  # noqa: E402


def connect(port, ca):
    tcp = Gio.SocketClient().connect_to_host(f"127.0.0.1:{port}", int(port), None)
    helper = GTlsSession.Helper.new_for_stream(tcp, Gio.NetworkAddress.new("localhost", int(port)))
    helper.get_connection().set_database(GTlsSession.FileDatabase.new(ca))
    helper.get_connection().handshake(None)
    return helper


def emit(helper, ticket, n):
    began = time.process_time()
    for _ in range(n):
        helper.emit("ticket-available", ticket)
    return time.process_time() - began


def main():
    port, ca, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
    helper = connect(port, ca)
    ticket = helper.wait_for_ticket(5000, None)
    seen = []

    emit(helper, ticket, n // 10)
    to_nobody = emit(helper, ticket, n)
    helper.connect("ticket-available", lambda _helper, given: seen.append(given))
    to_python = emit(helper, ticket, n)
    if len(seen) < n:
        raise SystemExit("a signal was lost")
    print(f"us={(to_python - to_nobody) * 1e6 / n:.3f}")


if __name__ == "__main__":
    main()
