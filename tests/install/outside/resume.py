# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program outside the tree: resume.py HOST:PORT. It has a handshake, waits for a ticket, and resumes."""

import sys

import gi

gi.require_version("GTlsSession", "1")
from gi.repository import Gio, GTlsSession  # noqa: E402

host = sys.argv[1]
first = GTlsSession.Helper.connect_to_host(host, 443, None)
print(first.get_resumption().value_nick)
ticket = first.wait_for_ticket(10000, None)
print("ticket of", ticket.get_server_name())

address = Gio.NetworkAddress.parse(host, 443)
second = GTlsSession.Helper.new_for_stream(Gio.SocketClient().connect(address, None), address)
second.copy_session_state(first)
second.get_connection().handshake(None)
print(second.get_resumption().value_nick)
