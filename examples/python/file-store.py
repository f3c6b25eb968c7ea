#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Connects to a server and keeps the TLS session in a file; the next run resumes it.

    file-store.py FILE HOST[:PORT]
"""

import sys

import gi

gi.require_version("GTlsSession", "1")
from gi.repository import Gio, GLib, GTlsSession  # noqa: E402


def visit(store, host):
    address = Gio.NetworkAddress.parse(host, 443)
    tcp = Gio.SocketClient().connect(address, None)
    helper = GTlsSession.Helper.new_for_stream(tcp, address)
    connection = helper.get_connection()
    connection.set_session_store(store)
    connection.handshake(None)
    print(f"{helper.get_resumption().value_nick}: {helper.explain()}")
    helper.wait_for_ticket(5000, None)  # milliseconds; a TLS 1.3 server sends tickets after the handshake
    connection.close(None)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} FILE HOST[:PORT]")
    try:
        visit(GTlsSession.FileStore.new(sys.argv[1]), sys.argv[2])
    except GLib.Error as error:
        sys.exit(error.message)
